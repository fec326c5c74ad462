# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exactly what was agreed to is changed, and doing it twice is doing it once."""

import itertools
import unittest
import xml.etree.ElementTree as ElementTree

import nestd
from fake import Fake

OPTIONAL = {"mac-spoofing", "memory"}


def parts(xml):
    """What of the definition each item of the plan is about, and the rest of it."""
    root = ElementTree.fromstring(xml)
    devices = root.find("devices")
    found = {
        "memory": (root.findtext("memory"), root.findtext("currentMemory")),
        "mac-spoofing": [f.get("filter") for f in root.iter("filterref")],
        "balloon": [b.get("model") for b in devices.findall("memballoon")],
        "cpu": ElementTree.tostring(root.find("cpu")),
    }
    for interface in devices.findall("interface"):
        for filterref in interface.findall("filterref"):
            interface.remove(filterref)
    for parent, tag in ((root, "memory"), (root, "currentMemory"), (root, "cpu"),
                        (devices, "memballoon")):
        for element in parent.findall(tag):
            parent.remove(element)
    found["rest"] = "".join(ElementTree.tostring(root, encoding="unicode").split())
    return found


class TestNesting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def change(self, name, enabled, **more):
        body = {"enabled": enabled, **more}
        return self.daemon.change("PUT", f"/v1/vms/{name}/nested", body)

    def definition(self, name):
        return self.daemon.host.vm(name)["xml"]

    def judge(self, before, after, declined):
        self.assertNotEqual(after["cpu"], before["cpu"])
        self.assertEqual(after["rest"], before["rest"])
        self.assertEqual(before["mac-spoofing"], ["clean-traffic"])
        wanted = ["clean-traffic"] if "mac-spoofing" in declined else []
        self.assertEqual(after["mac-spoofing"], wanted, declined)
        size = "2097152" if "memory" in declined else "4194304"
        self.assertEqual(after["memory"], (size, size), declined)
        self.assertIn(after["balloon"], (["none"], []))

    def test_declined(self):
        choices = [set(c) for n in range(3) for c in itertools.combinations(sorted(OPTIONAL), n)]
        for declined in choices:
            for with_plan in (None, "whole", "same"):
                name = f"declined-{len(declined)}-{min(declined, default='none')}-{with_plan}"
                with self.subTest(name):
                    self.decline(name, declined, with_plan)

    def decline(self, name, declined, with_plan):
        """with_plan: the hash that is sent is of the plan without or with what is declined."""
        self.daemon.define(name)
        before = parts(self.definition(name))
        shown = self.daemon.plan(name, decline=() if with_plan == "whole" else declined)
        items = {item["id"]: item["optional"] for item in shown["items"]}
        self.assertEqual({i for i in items if items[i]},
                         OPTIONAL if with_plan == "whole" else OPTIONAL - declined)
        more = {} if with_plan is None else {"plan": shown["hash"]}
        done = self.change(name, True, decline=sorted(declined), **more)
        self.assertEqual(done["state"], "done", done)
        self.judge(before, parts(self.definition(name)), declined)
        # What was declined is asked again, and nothing else.
        again = self.daemon.plan(name)
        self.assertEqual({item["id"] for item in again["items"]}, declined)
        self.assertIsNone(self.change(name, True, decline=sorted(declined)))

    def test_other_plan_than_shown(self):
        """Agreed to without the filter's end: that is not agreement to its end."""
        self.daemon.define("picky")
        before = self.definition("picky")
        shown = self.daemon.plan("picky", decline=["mac-spoofing"])
        answer = self.daemon.nested("picky", plan=shown["hash"])
        self.assertEqual((answer.status, answer.json["kind"]), (409, "plan-outdated"), answer)
        self.assertEqual(self.definition("picky"), before)

    def test_declined_through_nestctl(self):
        self.daemon.define("asked")
        before = parts(self.definition("asked"))
        said = self.daemon.nestctl("enable", "asked", "--yes", "--no-mac-spoofing")
        self.assertEqual(said.returncode, 0, said)
        self.judge(before, parts(self.definition("asked")), {"mac-spoofing"})

    def test_what_cannot_be_declined(self):
        self.daemon.define("strict")
        before = self.definition("strict")
        for decline in (["extensions"], ["power-off"], ["nonsense"], ["memory", "nonsense"]):
            answer = self.daemon.nested("strict", decline=decline)
            self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"), answer)
        self.assertEqual(self.definition("strict"), before)

    def test_there_and_back(self):
        for state in ("off", "running"):
            name = f"twice-{state}"
            self.daemon.define(name, state=state)
            self.assertEqual(self.change(name, True)["state"], "done")
            enabled = self.definition(name)
            self.assertIsNone(self.change(name, True))
            self.assertEqual(self.definition(name), enabled)
            vm = self.daemon.get(f"/v1/vms/{name}")
            self.assertEqual((vm["state"], vm["nesting"]), ("off", "on"))
            self.assertEqual(self.change(name, False)["state"], "done")
            disabled = self.definition(name)
            self.assertIsNone(self.change(name, False))
            self.assertEqual(self.definition(name), disabled)
            self.assertEqual(self.daemon.get(f"/v1/vms/{name}")["nesting"], "off")
            self.assertEqual(self.change(name, True)["state"], "done")
            self.assertEqual(self.daemon.get(f"/v1/vms/{name}")["nesting"], "on")
            self.assertEqual(parts(self.definition(name))["rest"], parts(enabled)["rest"])
            self.assertIn("<!-- kept -->", enabled)

    def test_nothing_is_done_by_looking(self):
        self.daemon.define("looked-at", state="running")
        before = self.daemon.host.vm("looked-at")
        for enabled in (True, False):
            self.assertEqual(self.daemon.plan("looked-at", enabled),
                             self.daemon.plan("looked-at", enabled))
        for words in (["status", "looked-at"], ["show", "looked-at"], ["list"], ["status"]):
            self.daemon.nestctl(*words)
        self.assertEqual(self.daemon.host.vm("looked-at"), before)


if __name__ == "__main__":
    nestd.main()
