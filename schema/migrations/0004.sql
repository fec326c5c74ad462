-- SPDX-License-Identifier: LGPL-2.1-or-later
-- open: what no interface of the definition had as nestd left it, by the names of the plan's items
-- (mac-spoofing port-isolation); NULL: nothing of it, or not known.
ALTER TABLE vm_mark ADD COLUMN open TEXT;
