#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# On a copy, under systemd, as nestd.service confines it: a VM is made, started, and outlives its
# daemon's restart, kill and upgrade.
set -eux
guest() {
    pgrep -f guest=DemoVM
}
state_is() {
    nestctl show DemoVM | grep -E "^state +$1\$"
}

test "$(stat -c '%a %U %G' /run/nestd/nestd.sock)" = '660 root nestd'
stranger='setpriv --reuid=65534 --regid=65534 --clear-groups'
$stranger nestctl help > /dev/null
if $stranger nestctl list; then exit 1; fi

ip link add br0 type bridge
ip link set br0 up
nestctl create DemoVM --memory 4G --vcpus 2 --accel tcg --disk 1G --network bridge=br0
nestctl enable DemoVM --yes
# libvirt's parser is asked beside the daemon, and gives up its rights within these bounds.
controller="<controller type='pci' index='1' model='pcie-root-port'/>"
cat > /twice.xml << END
<domain type='qemu'><name>x</name><memory>1</memory><os><type>hvm</type></os><devices>
$controller$controller
</devices></domain>
END
if nestctl plan --xml /twice.xml 2> /refusal; then exit 1; fi
grep "Multiple 'pci' controllers with index '1'" /refusal
nestctl start DemoVM
pid=$(guest)
test "$(stat -c %U "/proc/$pid")" = nestd-qemu
ip link show master br0 | grep vnet
grep '^NoNewPrivs:.1' "/proc/$pid/status"

mkdir -p /etc/modprobe.d
systemctl restart nestd.service
state_is running
# What host fix would do there: write beside others' files, and nowhere else.
inside="nsenter --mount --target $(systemctl show --property MainPID --value nestd.service)"
$inside touch /etc/modprobe.d/.try
rm /etc/modprobe.d/.try
if $inside touch /etc/try; then exit 1; fi
systemctl kill --kill-who=main --signal=KILL nestd.service
state_is running
dpkg -i /deb/nestd_*.deb
test "$(guest)" = "$pid"
state_is running
systemctl stop nestd.service
test "$(guest)" = "$pid"
# The socket starts it again.
nestctl stop DemoVM --force --reason "the test is over"
state_is off
systemctl is-active nestd.service
if guest; then exit 1; fi
