#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a Linux guest says of itself: KEY=VALUE a line, and in the last one how many they were. It
# changes nothing, and what can't be told is left out.
export LC_ALL=C PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"
lines=0

say() {
    printf '%s=%s\n' "$1" "$2"
    lines=$((lines + 1))
}

# What may hang has 3 seconds; without timeout(1) it is left alone.
bounded() {
    command -v timeout >/dev/null || return 125
    timeout 3 "$@"
}

# Each line of text with key, 20 at most; first of all an empty one: it was looked.
say_lines() {
    say "$1" ''
    while read -r line; do
        [ -z "$line" ] || say "$1" "$line"
    done <<END
$(printf '%s\n' "$2" | head -n 20 | tr -s ' ' | cut -c 1-200)
END
}

tell_cpu() {
    [ -r /proc/cpuinfo ] || return
    if grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo; then
        say cpu_flag yes
    else
        say cpu_flag no
    fi
}

tell_module() {
    for module in /sys/module/kvm_intel /sys/module/kvm_amd; do
        if [ -d "$module" ]; then
            say module loaded
            [ -r "$module/parameters/nested" ] && read -r nested <"$module/parameters/nested" &&
                say nested "$nested"
            return
        fi
    done
    if dmesg 2>/dev/null | grep -qiE \
        'kvm.*(disabled by bios|no hardware support|not supported by cpu|not enabled in bios)'; then
        say module refused
        return
    fi
    folder=/lib/modules/$(uname -r)
    [ -r "$folder/modules.dep" ] || return
    if grep -qsE '(^|/)kvm[-_](intel|amd)\.ko' "$folder/modules.dep"; then
        say module idle
    else
        say module absent
    fi
}

tell_device() {
    if [ ! -c /dev/kvm ]; then
        say kvm absent
    elif why=$( (: <>/dev/kvm) 2>&1); then
        say kvm usable
    else
        case $why in
            *ermi*) say kvm denied ;;
            *) say kvm absent ;;
        esac
    fi
}

tell_room() {
    kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    [ -z "$kib" ] || say memory_kib "$kib"
    for folder in /var/lib/libvirt/images /var/lib /; do
        [ -d "$folder" ] && break
    done
    # shellcheck disable=SC2046 # its words
    set -- $(bounded df -Pk "$folder" 2>/dev/null | tail -n 1)
    case ${4:-none} in
        *[!0-9]*) ;;
        *) say disk_kib "$4" ;;
    esac
}

tell_reboot() {
    if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then
        say reboot_pending yes
        return
    fi
    if command -v needs-restarting >/dev/null; then
        bounded needs-restarting -r >/dev/null 2>&1
        case $? in
            0) say reboot_pending no ;;
            1) say reboot_pending yes ;;
        esac
    elif [ -d "/lib/modules/$(uname -r)" ]; then
        say reboot_pending no
    else
        say reboot_pending yes
    fi
}

# Where the password field is x it is in the other file, which only root may read.
tell_password() {
    for file in /etc/passwd /etc/shadow; do
        grep -q '^root:' "$file" 2>/dev/null || return
        if grep -q '^root::' "$file"; then
            say blank_password yes
            return
        fi
        grep -q '^root:x:' "$file" || break
    done
    say blank_password no
}

tell_libvirt() {
    if command -v virt-host-validate >/dev/null; then
        found=$(bounded virt-host-validate qemu 2>/dev/null)
        [ $? -ge 124 ] ||
            say_lines validate "$(printf '%s\n' "$found" | grep -E ': (WARN|FAIL)')"
    fi
    if [ -r /etc/libvirt/qemu ]; then
        found=$(grep -lsE "<domain [^>]*type='qemu'" /etc/libvirt/qemu/*.xml \
            /run/libvirt/qemu/*.xml | sed 's|.*/||; s|\.xml$||' | sort -u)
        say_lines tcg_domains "$found"
    fi
    if ! command -v virsh >/dev/null; then
        say libvirt no
        return
    fi
    say libvirt yes
    found=$(bounded virsh -q -c qemu:///system net-list --name 2>/dev/null) || return
    if printf '%s\n' "$found" | grep -qE '^ *default *$'; then
        say default_net yes
    else
        say default_net no
    fi
}

echo 'nest-guest 1'
tell_cpu
tell_module
tell_device
tell_room
tell_reboot
tell_password
tell_libvirt
echo "end=$lines"
