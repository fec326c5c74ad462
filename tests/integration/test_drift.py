# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody changes behind nestd's back what it set up: noticed, told once, mended by enable."""

import unittest

import nestd
from fake import Fake, eventually


class TestDrift(unittest.TestCase):
    def enabled(self, daemon, name):
        daemon.define(name)
        daemon.wait_operation(daemon.nested(name).json["id"])
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

    def test_harmless_edits_and_changes_of_our_own(self):
        with Fake() as daemon:
            self.enabled(daemon, "one")
            self.edit(daemon, "one", "<!-- kept -->", "<description>x</description>")
            self.assertFalse(daemon.get("/v1/vms/one")["drift"])
            daemon.wait_operation(daemon.nested("one", False).json["id"])
            self.assertEqual(daemon.get("/v1/vms/one")["nesting"], "off")
            self.assertFalse(daemon.get("/v1/vms/one")["drift"])
            self.assertEqual(self.told(daemon, 0), [])


if __name__ == "__main__":
    nestd.main()
