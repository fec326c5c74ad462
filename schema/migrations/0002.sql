-- SPDX-License-Identifier: LGPL-2.1-or-later
-- What nestd itself knows of a VM, whatever the hypervisor says. A VM without a row has the
-- defaults. trust: 'trusted' or 'untrusted', NULL as configured. guarded: nestd switched nesting
-- on, and it has not been switched off through nestd since. left_as: the fingerprint of the
-- definition as nestd left it. fresh: it has not been started since nesting was switched on.
CREATE TABLE vm_mark (
    uuid TEXT PRIMARY KEY NOT NULL,
    trust TEXT CHECK (trust IN ('trusted', 'untrusted')),
    guarded INTEGER NOT NULL CHECK (guarded IN (0, 1)),
    left_as TEXT,
    fresh INTEGER NOT NULL CHECK (fresh IN (0, 1))
) STRICT;
