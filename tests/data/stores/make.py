#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes vN.db: a database as the nestd left it whose schema had version N.

    tests/data/stores/make.py 1

Every released version has its file here for good, and tests/unit/test-store-migrate.c opens
copies of them with today's program. Add a file when you add a migration; never make an old
one anew.
"""
import json
import pathlib
import sqlite3
import sys

here = pathlib.Path(__file__).resolve().parent
version = int(sys.argv[1])
path = here / f"v{version}.db"
path.unlink(missing_ok=True)

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
TIME = 1700000000000
SAVED = '{"kernel":"6.1.0-37-amd64"}'


def operation(number, state, ended):
    text = {"id": number, "kind": "enable", "uuid": UUID, "name": "DemoVM", "state": state,
            "created": TIME, "started": TIME + 1, "finished": TIME + 9 if ended else 0,
            "uid": 1000, "pid": 4711,
            "steps": [{"id": "define", "title": "extensions on",
                       "state": "done" if ended else "running", "started": TIME + 1,
                       "finished": TIME + 9 if ended else 0}],
            "note": None, "problem": None}
    return number, ended, json.dumps(text, separators=(",", ":"))


db = sqlite3.connect(path, isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
for number in range(1, version + 1):
    db.executescript((here / f"../../../schema/migrations/{number:04}.sql").read_text())
db.execute(f"PRAGMA user_version = {version}")
db.execute("BEGIN")
db.execute("INSERT INTO setting VALUES ('backend-uri', 'qemu:///system')")
db.execute("INSERT INTO vm VALUES (?, 'DemoVM', 'off', '0', ?)",
           (UUID, json.dumps({"uuid": UUID, "name": "DemoVM"})))
db.execute("INSERT INTO vm_text VALUES (?, ?)",
           (UUID, json.dumps({"uuid": UUID, "name": "DemoVM", "state": "off"})))
for row in (operation(1, "done", 1), operation(2, "running", 0)):
    db.execute("INSERT INTO operation VALUES (?, ?, ?)", row)
    db.execute("INSERT INTO intent VALUES (?, '<domain/>', '<domain type=\"kvm\"/>', '{}')",
               row[:1])
    db.execute("INSERT INTO audit VALUES (NULL, ?, ?, 1000, 4711, 'enable', ?)",
               (TIME, row[0], UUID))
db.execute("INSERT INTO revision VALUES (NULL, ?, 'DemoVM', ?, 1, '<domain/>', '<domain/>')",
           (UUID, TIME + 9))
if version >= 2:
    db.execute("INSERT INTO vm_mark (uuid, trust, guarded, left_as, fresh) "
               "VALUES (?, 'untrusted', 1, 'as it was left', 1)", (UUID,))
if version >= 3:
    db.execute("UPDATE vm_mark SET saved = ?", (SAVED,))
if version >= 4:
    db.execute("UPDATE vm_mark SET open = 'mac-spoofing port-isolation'")
for kind, number in (("started", 1), ("finished", 1), ("started", 2)):
    db.execute("INSERT INTO event VALUES (NULL, ?, ?, ?, 'DemoVM', ?, ?)",
               (TIME, f"operation-{kind}", UUID, number, f"enable of DemoVM was {kind}"))
db.execute("COMMIT")
db.close()
