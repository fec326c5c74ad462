-- SPDX-License-Identifier: LGPL-2.1-or-later
-- 0x4e657374 is "Nest": how nestd tells its database from any other.
PRAGMA application_id = 0x4e657374;

CREATE TABLE setting (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last known state of every VM; summary is JSON of NestVmSummary.
CREATE TABLE vm (
    uuid TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    state TEXT,
    revision TEXT,
    summary TEXT NOT NULL
) STRICT;

-- The rest of it, JSON of NestVm: ten times as long, and not read at the start.
CREATE TABLE vm_text (
    uuid TEXT PRIMARY KEY NOT NULL REFERENCES vm (uuid) ON DELETE CASCADE,
    text TEXT NOT NULL
) STRICT;

-- text is JSON of NestOperation. ended is 1 once it will not change any more.
CREATE TABLE operation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    text TEXT NOT NULL
) STRICT;
CREATE INDEX operation_unfinished ON operation (id) WHERE ended = 0;

-- What recovery needs to finish an operation or to take it back.
CREATE TABLE intent (
    operation INTEGER PRIMARY KEY REFERENCES operation (id) ON DELETE CASCADE,
    before_xml TEXT,
    after_xml TEXT,
    detail TEXT
) STRICT;

-- Who asked for what.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    operation INTEGER NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    action TEXT NOT NULL,
    vm TEXT
) STRICT;
CREATE INDEX audit_operation ON audit (operation);

-- Definitions as nestd changed them. They stay when their operation is forgotten.
CREATE TABLE revision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT,
    name TEXT,
    time INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    before_xml TEXT,
    after_xml TEXT NOT NULL
) STRICT;
CREATE INDEX revision_uuid ON revision (uuid, id);

-- Ordered by id alone: the clock may jump. Ids are never used again, also after trimming.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    uuid TEXT,
    name TEXT,
    operation INTEGER NOT NULL,
    message TEXT
) STRICT;
