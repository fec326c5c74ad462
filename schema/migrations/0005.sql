-- SPDX-License-Identifier: LGPL-2.1-or-later
-- An operation that a revision names is kept as long as that: its audit has who and what.
CREATE INDEX revision_operation ON revision (operation);
