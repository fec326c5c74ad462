#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What ./run demo shows, with a private nestd: a virtual machine with every setting wrong for
# nesting is put right by one command, and then really runs a guest of its own.
# From outside: NESTD_SOCKET, NESTD_STATE (nestd's state directory), NEST_GUEST (the test guest).
set -eu

VM=DemoVM
DEADLINE=120

[ -n "${NESTD_STATE-}" ] || exec "$(dirname "$0")/../../run" demo

main() {
    prepare
    headline "A virtual machine with the wrong settings: no nesting, dynamic memory, too little"
    typed nestctl create $VM --memory 256M-512M --vcpus 2 --network user --accel auto \
        --kernel "$files/vmlinuz" --initrd "$files/initrd.img" --cmdline "$(cat "$files/cmdline")"
    headline "It starts, and finds that it can't run guests"
    typed nestctl start $VM
    show_console
    headline "Its state is saved, which is in the way as well"
    typed nestctl save $VM
    typed_status NO
    headline "One command puts all of it right"
    typed nestctl enable $VM --yes
    headline "Now it runs a guest of its own: this is its console"
    typed nestctl start $VM
    show_console
    case $said in
        *"inner-guest OK"*) ;;
        *) fail "the inner guest did not run" ;;
    esac
    headline "And nestd says so"
    typed_status YES
    headline "Cleaning up"
    typed nestctl shutdown $VM
    typed nestctl delete $VM --yes
    epilogue
}

# Below a directory that QEMU's user may enter.
prepare() {
    files=$(dirname "$NESTD_STATE")/guest
    mkdir -m 755 "$files"
    cp "$NEST_GUEST/vmlinuz" "$NEST_GUEST/initrd.img" "$NEST_GUEST/cmdline" "$files/"
    chmod 644 "$files"/*
    seen=0
}

headline() {
    printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

typed() {
    echo_command "$@"
    "$@" </dev/null || fail "$1 $2 ended with status $?"
}

# Its exit status is about the host as well, so the verdict is read.
typed_status() {
    echo_command nestctl status $VM
    said=$(nestctl status $VM </dev/null) || :
    printf '%s\n' "$said"
    case $said in
        *"$VM supports nested virtualization: $1"*) ;;
        *) fail "the verdict about $VM should be $1" ;;
    esac
}

echo_command() {
    printf '$'
    for word; do
        case $word in
            *' '*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
}

# Shows what the guest says on its console until it is ready, from where the last look ended.
show_console() {
    tries=$((DEADLINE * 10))
    until said=$(console_since "$seen") && [ "${said%nest-guest: ready}" != "$said" ]; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "the guest was not ready after $DEADLINE s; it said: $said"
        sleep 0.1
    done
    seen=$((seen + $(printf '%s\n' "$said" | wc -l)))
    printf '%s\n' "$said" | sed 's/^/    /'
}

console_since() {
    cat "$NESTD_STATE"/console/*.log 2>/dev/null | tr -d '\r' | grep '^nest-guest: ' |
        tail -n "+$(($1 + 1))"
}

fail() {
    printf '\ndemo: %s\n' "$*" >&2
    exit 1
}

epilogue() {
    headline "The same by hand"
    cat <<'END'
./run shell                          a shell with a private nestd, as here
tests/guest/build                    prints where the guest's kernel and initrd are
nestctl create MyVM --memory 4G --disk 20G --iso /path/to/installer.iso
nestctl status                       what is in the way, on this host and in each VM
nestctl enable MyVM                  shows what it will change, and asks
nestctl start MyVM
END
}

bold=
plain=
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    bold=$(printf '\033[1m')
    plain=$(printf '\033[0m')
fi
main
