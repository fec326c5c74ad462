# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What scenarios are made of. What the tests read are steps: "vtx: begin NAME", what the command
# printed, "vtx: end STATUS". Seconds are those of the emulated clock.
DEADLINE=300
LOG=/run/nestd.log

say() {
    echo "vtx: $*"
}

# step NAME COMMAND…: without a terminal, so that nestctl's lines are as long as they are.
step() {
    say "begin $1"
    shift
    "$@" >/run/step 2>&1 </dev/null
    status=$?
    cat /run/step
    say "end $status"
    return $status
}

# A step without which the rest makes no sense.
must() {
    step "$@" || finish
}

# The machine is ended once it has said so; turned off, it would swallow its last words.
finish() {
    step log cat $LOG
    say over
    sleep 60
    poweroff -f
}

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
    until_second=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s)" -gt "$until_second" ]; then
            echo "gave up waiting for: $*"
            return 1
        fi
        sleep 1
    done
}

# The KVM module of this CPU, and /dev/kvm as udev would leave it.
load_kvm() {
    module=kvm_intel
    ! grep -q ' svm ' /proc/cpuinfo || module=kvm_amd
    modprobe msr
    modprobe $module "$@" || return
    chgrp kvm /dev/kvm
    chmod 660 /dev/kvm
}

# start_nestd [LINE…]: lines of its configuration.
start_nestd() {
    mkdir -p /etc/nestd /var/lib/nestd /run/nestd
    printf '%s\n' '[backend]' uri=embed "$@" >/etc/nestd/nestd.conf
    : >$LOG
    STATE_DIRECTORY=/var/lib/nestd RUNTIME_DIRECTORY=/run/nestd nestd >>$LOG 2>&1 &
    nestd=$!
    must open wait_for $DEADLINE grep 'the hypervisor is open' $LOG
}

stop_nestd() {
    kill "$nestd"
    wait "$nestd"
}

# What has nothing to boot: firmware that waits.
create_bare() {
    must create-bare nestctl create bare --memory 64M --accel kvm --network none --nested
    must start-bare nestctl start bare
}

# What the test guest does when it is ready. Waiting beside one that spins costs all that it spins.
then=beat

# create NAME [OPTION…]: a VM that runs the test guest.
create() {
    name=$1
    shift
    must "create-$name" nestctl create "$name" --memory 256M --accel kvm --network none \
        --kernel /guest/vmlinuz --initrd /guest/initrd.img \
        --cmdline "$(cat /guest/cmdline) pci=off nest.then=$then" "$@"
}

# boot NAME AS: starts the VM, if it can be; the step says-AS is what its guest said until it was
# ready.
boot() {
    console=/var/lib/nestd/console/$(uuid_of "$1").log
    seen=$(grep -c '' "$console" 2>/dev/null)
    step "start-$2" nestctl start "$1" || return
    must "boot-$2" wait_for $DEADLINE is_ready
    step "says-$2" guest_says
}

uuid_of() {
    nestctl --json show "$1" | grep -o '"uuid":"[^"]*"' | head -n 1 | cut -d '"' -f 4
}

# Since it was started.
guest_says() {
    tail -n "+$((seen + 1))" "$console" | tr -d '\r' | grep '^nest-guest: '
}

# Ready, and what was to be done after that began or failed.
is_ready() {
    guest_says | sed -n '/ready/,$p' | grep 'inner-guest'
}

# reach VM STATE AS: waits until what the VM does with its extension is STATE.
reach() {
    must "reach-$3" wait_for $DEADLINE does "$1" "$2"
    step "show-$3" nestctl --json show "$1"
}

does() {
    nestctl --json show "$1" | grep "\"activity\":\"$2\""
}
