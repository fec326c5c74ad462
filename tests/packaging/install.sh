#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# On a copy: the package is installed, used, upgraded and purged, without systemd.
set -eux
install_it() {
    dpkg -i /deb/nestd_*.deb > /dpkg.log 2>&1 || { cat /dpkg.log; exit 1; }
}
serve() {
    nestd > /nestd.log 2>&1 &
    for _ in $(seq 600); do
        [ ! -S /run/nestd/nestd.sock ] || return 0
        sleep 0.1
    done
    cat /nestd.log
    exit 1
}

install_it
getent group nestd
id -nG nestd-qemu | grep -w kvm
test "$(stat -c '%a %U' /var/lib/nestd)" = '711 root'
nestd --version
nestd --print-config | grep -q '^#uri=auto$'
test -L /etc/systemd/system/multi-user.target.wants/nestd.service
test -L /etc/systemd/system/sockets.target.wants/nestd.socket

serve
test "$(stat -c '%a %U %G' /run/nestd/nestd.sock)" = '660 root nestd'
nestctl create DemoVM --memory 4G --vcpus 2 --accel tcg --disk 1G
kill $!
wait $! || true
install_it
serve
nestctl enable DemoVM --yes
nestctl show DemoVM | grep -E '^nests +yes$'
kill $!
wait $! || true

# Without the package its hook, which stays until it is purged, keeps nothing from being done.
hook=/etc/libvirt/hooks/qemu.d/nestd
test -x $hook
dpkg --remove nestd
echo junk | $hook DemoVM restore begin -
dpkg --purge nestd
test ! -e $hook
test ! -e /usr/sbin/nestd
test ! -e /etc/nestd
test -n "$(find /var/lib/nestd -name '*.qcow2')"
