# SPDX-License-Identifier: LGPL-2.1-or-later
"""The fake hypervisor as seen from outside of nestd: what goes on behind its back.

    host = FakeHost(directory)
    uuid = host.define(xml)
    host.control("define:1:HYPERVISOR:no space")
    host.change("DemoVM", state="running", live_xml=xml)
    host.delete("DemoVM"); host.lose_connection()

Every change is a rename, as in nest-fake-state.h, so nestd sees the old or the new VM, and gets an
event for it.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
from xml.sax import saxutils

EMPTY = {
    "state": "off", "saved_state": False, "saved_bytes": 0, "saved_time": 0, "snapshots": 0, "autostart": False,
    "restarts": 0,
    "xml": None, "live_xml": None, "saved_xml": None, "checkpoints": [],
    "off_at": 0,
}


class FakeHost:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)

    def environment(self, **more):
        """The environment for nestd-fake."""
        return dict(os.environ, NEST_FAKE_DIR=str(self.directory), **more)

    # ---- what goes wrong ----

    def control(self, *rules):
        """Replaces all rules; without any, nothing goes wrong."""
        self._put("control", "".join(rule + "\n" for rule in rules))

    def calls(self):
        """What was called so far: (slot, uuid, outcome), outcome None where it has not ended."""
        calls, under_way = [], {}
        for line in self._read_calls():
            word, *rest = line.split(" ")
            if word == ">":
                number, slot, uuid = rest
                under_way[number] = len(calls)
                calls.append((slot, uuid, None))
            elif word == "<":
                number, slot, uuid, outcome = rest
                calls[under_way[number]] = (slot, uuid, outcome)
        return calls

    def struck(self):
        """The rules that struck, in order."""
        return [line[2:] for line in self._read_calls() if line.startswith("! ")]

    def lose_connection(self):
        """The next thing nestd hears is LOST."""
        self._put("lost", "")

    # ---- VMs ----

    def vms(self):
        """All VMs that have a file, by name (seeds have none until they are changed)."""
        found = {}
        for path in self.directory.glob("*.json"):
            vm = json.loads(path.read_text(encoding="utf-8"))
            found[vm["name"]] = vm
        return found

    def vm(self, name):
        return self.vms()[name]

    def define(self, xml, **fields):
        """Defines or re-defines the VM of xml; returns its UUID."""
        uuid = re.search(r"<uuid>([^<]+)</uuid>", xml).group(1)
        name = saxutils.unescape(re.search(r"<name>([^<]+)</name>", xml).group(1))
        with self._held():
            path = self.directory / f"{uuid}.json"
            old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else EMPTY
            self._write({**old, **fields, "uuid": uuid, "name": name, "xml": xml})
        return uuid

    def change(self, name, **fields):
        with self._held():
            self._write({**self.vm(name), **fields})

    def start(self, name, **fields):
        """fields: live_xml, where that is not what was defined; start_log: clean, misses-svm."""
        vm = self.vm(name)
        self.change(name, **{"state": "running", "live_xml": vm["xml"], "off_at": 0,
                             "run": vm.get("run", 0) + 1, "carried": False, **fields})

    def stop(self, name):
        self.change(name, state="off", live_xml=None, off_at=0)

    def delete(self, name):
        with self._held():
            uuid = self.vm(name)["uuid"]
            self._put(f"{uuid}.gone", "")
            (self.directory / f"{uuid}.json").unlink()

    # ---- files ----

    def _read_calls(self):
        """Whole lines: of one that is being written, a part may be there."""
        path = self.directory / "calls"
        data = path.read_bytes() if path.exists() else b""
        return data[:data.rfind(b"\n") + 1].decode().splitlines()

    @contextlib.contextmanager
    def _held(self):
        with open(self.directory / "edit", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, vm):
        self._put(f"{vm['uuid']}.json", json.dumps(vm))
        (self.directory / f"{vm['uuid']}.gone").unlink(missing_ok=True)

    def _put(self, name, text):
        following = self.directory / f".{name}.next"
        following.write_text(text, encoding="utf-8")
        following.rename(self.directory / name)
