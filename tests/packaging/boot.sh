#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# On a copy: installs the package, becomes systemd, runs service.sh, and leaves what it said in
# /deb/said and its exit status in /deb/status.
set -eu
dpkg -i /deb/nestd_*.deb > /deb/said 2>&1
chgrp -f kvm /dev/kvm || true
rm /usr/sbin/policy-rc.d
cat > /etc/systemd/system/try.service <<'UNIT'
[Unit]
Wants=nestd.socket nestd.service
After=nestd.socket nestd.service
FailureAction=exit-force
SuccessAction=exit-force
[Service]
Type=oneshot
TimeoutStartSec=300
StandardOutput=append:/deb/said
StandardError=append:/deb/said
ExecStart=/deb/service.sh
ExecStopPost=/bin/sh -c 'echo "$EXIT_STATUS" > /deb/status'
ExecStopPost=/bin/systemctl --no-pager status nestd.socket nestd.service
UNIT
# There is no journal.
mkdir /etc/systemd/system/nestd.service.d
printf '[Service]\nStandardError=append:/deb/said\n' > /etc/systemd/system/nestd.service.d/try.conf
exec /lib/systemd/systemd --system --unit=try.service --log-level=warning --log-target=console \
    --show-status=no
