-- SPDX-License-Identifier: LGPL-2.1-or-later
-- saved: what the VM and its host were like when nestd last saved the VM, JSON; NULL: nestd did
-- not, or what it saved has been resumed since.
ALTER TABLE vm_mark ADD COLUMN saved TEXT;
