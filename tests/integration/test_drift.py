# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody changes behind nestd's back what it set up: noticed, told once, mended by enable."""

import unittest

import nestd
from fake import XML, Fake, eventually

MAC = "52:54:00:11:22:33"
MODEL = "<model type='virtio'/>"
FILTER = MODEL + "<filterref filter='clean-traffic'/>"
FILTERED = f"MAC spoofing is blocked on {MAC} by the filter clean-traffic"
ISOLATED = f"the port of {MAC} is isolated"
FRAMES = {"filter": (FILTER, FILTERED), "port": (MODEL + "<port isolated='yes'/>", ISOLATED)}
DECLINED = ["mac-spoofing", "port-isolation"]


class TestDrift(unittest.TestCase):
    def enabled(self, daemon, name, xml=XML, **more):
        daemon.define(name, xml)
        daemon.wait_operation(daemon.nested(name, **more).json["id"])
        vm = daemon.get(f"/v1/vms/{name}")
        self.assertEqual((vm["nesting"], vm["drift"]), ("on", False))
        return daemon.host.vm(name)["xml"]

    def told(self, daemon, count):
        """What was told of drift, so many times."""
        eventually(lambda: len(self.all_told(daemon)) >= count)
        return self.all_told(daemon)

    def all_told(self, daemon):
        events = daemon.get("/v1/events?follow=0")["events"]
        return [event["message"] for event in events if event["kind"] == "drift"]

    def edit(self, daemon, name, old, new):
        """virsh edit, as it were; returns once nestd has seen it."""
        xml = daemon.host.vm(name)["xml"]
        self.assertIn(old, xml)
        before = daemon.get(f"/v1/vms/{name}")["revision"]
        daemon.host.change(name, xml=xml.replace(old, new))
        eventually(lambda: daemon.get(f"/v1/vms/{name}")["revision"] != before)

    def test_told_and_mended(self):
        with Fake() as daemon:
            xml = self.enabled(daemon, "one")
            self.edit(daemon, "one", "check='full'", "check='none'")
            vm = daemon.get("/v1/vms/one")
            row, = daemon.get("/v1/vms")["vms"]
            self.assertTrue(vm["drift"] and row["drift"])
            check, = [check for check in vm["checks"] if check["id"] == "vm.drift"]
            self.assertEqual((check["verdict"], check["fix"]), ("warn", "nestctl enable one"))
            self.assertEqual(self.told(daemon, 1),
                             ["one was changed by somebody else: nesting is not enforced"])
            # Neither another edit nor a restart tells it again.
            self.edit(daemon, "one", "<vcpu placement='static'>2<", "<vcpu placement='static'>3<")
            daemon.restart()
            daemon.wait_backend()
            self.assertTrue(daemon.get("/v1/vms/one")["drift"])
            self.assertEqual(len(self.told(daemon, 1)), 1)

            daemon.wait_operation(daemon.nested("one").json["id"])
            self.assertFalse(daemon.get("/v1/vms/one")["drift"])
            self.assertEqual(daemon.host.vm("one")["xml"].count("check='full'"),
                             xml.count("check='full'"))
            self.edit(daemon, "one", "model='none'", "model='virtio'")
            self.assertEqual(self.told(daemon, 2)[1:],
                             ["one was changed by somebody else: it has a balloon"])

    def test_a_new_size_does_not_hide_it(self):
        with Fake() as daemon:
            self.enabled(daemon, "one")
            size = daemon.get("/v1/vms/one")["memory_kib"]
            self.edit(daemon, "one", "check='full'", "check='none'")
            done = daemon.change("PUT", "/v1/vms/one/memory", {"memory_kib": 2 * size})
            self.assertEqual(done["state"], "done", done)
            vm = daemon.get("/v1/vms/one")
            self.assertEqual((vm["memory_kib"], vm["drift"]), (2 * size, True))
            self.assertEqual(self.told_of(daemon, "one"), "nesting is not enforced")

    def test_harmless_edits_and_changes_of_our_own(self):
        with Fake() as daemon:
            self.enabled(daemon, "one")
            self.edit(daemon, "one", "<!-- kept -->", "<description>x</description>")
            self.assertFalse(daemon.get("/v1/vms/one")["drift"])
            daemon.wait_operation(daemon.nested("one", False).json["id"])
            self.assertEqual(daemon.get("/v1/vms/one")["nesting"], "off")
            self.assertFalse(daemon.get("/v1/vms/one")["drift"])
            self.assertEqual(self.told(daemon, 0), [])

    def told_of(self, daemon, name):
        """What the checks and both kinds of status say of its drift; None where there is none."""
        vm = daemon.get(f"/v1/vms/{name}")
        row, = [row for row in daemon.get("/v1/vms")["vms"] if row["name"] == name]
        check, = [check for check in vm["checks"] if check["id"] == "vm.drift"]
        self.assertEqual((vm["drift"], row["drift"]), (check["verdict"] == "warn",) * 2)
        if not vm["drift"]:
            return None
        said = check["message"].removesuffix(".").split("changed it since: ")[1]
        for words in (("status",), ("status", name)):
            self.assertIn(said, " ".join(daemon.nestctl(*words).stdout.split()))
        return said

    def test_what_stops_frames_came_back(self):
        """A filter and an isolated port that somebody puts back: named, told, and mended."""
        with Fake() as daemon:
            for name, (frame, what) in FRAMES.items():
                xml = self.enabled(daemon, name, XML.replace(MODEL, frame))
                self.assertNotIn("<filterref", xml)
                self.assertNotIn("<port", xml)
                before = len(self.all_told(daemon))
                self.edit(daemon, name, MODEL, frame)
                self.assertEqual(self.told_of(daemon, name), what)
                self.assertEqual(self.told(daemon, before + 1)[before:],
                                 [f"{name} was changed by somebody else: {what}"])
                daemon.restart()
                daemon.wait_backend()
                self.assertEqual(self.told_of(daemon, name), what)
                self.assertEqual(len(self.all_told(daemon)), before + 1)
                said = daemon.nestctl("enable", name, "--yes")
                self.assertEqual(said.returncode, 0, said)
                self.assertIsNone(self.told_of(daemon, name))
                self.assertEqual(daemon.host.vm(name)["xml"], xml)
                self.edit(daemon, name, MODEL, frame)
                self.assertEqual(self.told_of(daemon, name), what)
                self.told(daemon, before + 2)

    def test_a_balloon_that_came_back_is_mended(self):
        with Fake() as daemon:
            xml = self.enabled(daemon, "one")
            self.edit(daemon, "one", "model='none'", "model='virtio'")
            self.assertEqual(self.told_of(daemon, "one"), "it has a balloon")
            daemon.wait_operation(daemon.nested("one").json["id"])
            self.assertIsNone(self.told_of(daemon, "one"))
            self.assertEqual(daemon.host.vm("one")["xml"], xml)

    def test_what_was_declined_is_no_drift(self):
        """Declined when it was set up, or later: then it is to stay, and that is on record."""
        with Fake() as daemon:
            self.enabled(daemon, "early", XML.replace(MODEL, MODEL + "<port isolated='yes'/>"),
                         decline=DECLINED)
            self.edit(daemon, "early", "clean-traffic", "no-mac-spoofing")
            self.assertIsNone(self.told_of(daemon, "early"))

            self.enabled(daemon, "late")
            self.edit(daemon, "late", MODEL, FILTER)
            changed = daemon.host.vm("late")["xml"]
            plan = daemon.plan("late", decline=DECLINED)
            self.assertEqual([(item["id"], item["current"]) for item in plan["items"]],
                             [("drift", FILTERED)])
            said = daemon.nestctl("enable", "late", "--yes", "--no-mac-spoofing")
            self.assertEqual(said.returncode, 0, said)
            self.assertIn("change by somebody else accepted", said.stdout)
            self.assertIsNone(self.told_of(daemon, "late"))
            self.assertEqual(daemon.host.vm("late")["xml"], changed)
            self.assertEqual(daemon.plan("late", decline=DECLINED)["verdict"], "no-change")
            daemon.restart()
            daemon.wait_backend()
            self.edit(daemon, "late", "clean-traffic", "no-mac-spoofing")
            self.assertIsNone(self.told_of(daemon, "late"))
            self.assertEqual(self.told(daemon, 1),
                             [f"late was changed by somebody else: {FILTERED}"])
            # What was not declined is watched as before.
            self.edit(daemon, "late", MODEL, FRAMES["port"][0])
            self.assertEqual(self.told_of(daemon, "late"), ISOLATED)

    def test_running_it_is_accepted_without_a_restart(self):
        with Fake() as daemon:
            self.enabled(daemon, "one")
            daemon.host.start("one")
            eventually(lambda: daemon.get("/v1/vms/one")["state"] == "running")
            self.edit(daemon, "one", MODEL, FILTER)
            self.assertEqual([item["id"] for item in daemon.plan("one")["items"]],
                             ["power-off", "mac-spoofing"])
            daemon.wait_operation(daemon.nested("one", decline=["mac-spoofing"]).json["id"])
            self.assertIsNone(self.told_of(daemon, "one"))
            self.assertEqual(daemon.host.vm("one")["state"], "running")

    def test_disable_and_undo_end_it(self):
        with Fake() as daemon:
            for name in ("disabled", "undone"):
                self.enabled(daemon, name)
                left = daemon.host.vm(name)["xml"]
                self.edit(daemon, name, MODEL, FILTER)
                self.assertEqual(self.told_of(daemon, name), FILTERED)
                if name == "undone":
                    self.edit(daemon, name, FILTER, MODEL)
                    self.assertEqual(daemon.host.vm(name)["xml"], left)
                    self.assertIsNone(self.told_of(daemon, name))
                    daemon.change("PUT", f"/v1/vms/{name}/undo", {})
                else:
                    daemon.wait_operation(daemon.nested(name, False).json["id"])
                self.assertEqual(daemon.get(f"/v1/vms/{name}")["nesting"], "off")
                self.edit(daemon, name, "<vcpu placement='static'>2<",
                          "<vcpu placement='static'>3<")
                self.assertIsNone(self.told_of(daemon, name))


if __name__ == "__main__":
    nestd.main()
