# SPDX-License-Identifier: LGPL-2.1-or-later
"""The CPU that a VM really got: told of every start, and by policy a VM that lacks what it asks for
is powered off: right after a start that was seen, and never else."""

import unittest

import nestd
from fake import XML, Fake, eventually

HIDDEN = "<feature policy='disable' name='svm'/>"
ASKED = HIDDEN.replace("disable", "require")
FIXED = XML.replace(">1048576<", ">2097152<").replace("model='virtio'/>\n  </dev",
                                                      "model='none'/>\n  </dev")
ENFORCED = FIXED.replace("check='none'", "check='full'").replace(HIDDEN, ASKED)
UNENFORCED = FIXED.replace(HIDDEN, ASKED)
# Of a named model libvirt notes what it found.
NAMED = UNENFORCED.replace("mode='maximum'", "mode='custom' match='exact'").replace(
    "<topology", "<model>EPYC</model><topology")
KINDS = ("extension-proved", "extension-missing", "extension-unwanted")


class Given(unittest.TestCase):
    def fake(self, **guard):
        return self.enterContext(Fake(config={"guard": {"sample": 1, **guard}}))

    def told(self, daemon):
        events = daemon.get("/v1/events?follow=0")["events"]
        return [event["kind"] for event in events if event["kind"] in KINDS]

    def given(self, daemon, name):
        vm = daemon.get(f"/v1/vms/{name}")
        check, = [check for check in vm["checks"] if check["id"] == "vm.cpu.effective"]
        given = vm["given"]
        return given and (given["presence"], given["witness"], given["flaw"], check["verdict"])

    def start(self, daemon, name, kind, **fields):
        """By somebody else."""
        with daemon.events() as events:
            daemon.host.start(name, **fields)
            return events.wait_for(kind=kind, name=name)

    def operations(self, daemon):
        rows = daemon.get("/v1/operations")["operations"]
        return [(row["kind"], row["state"]) for row in rows]

    def lost(self, daemon, name):
        """Of a named model, without what it asks for."""
        return daemon.host.vm(name)["xml"].replace(ASKED, HIDDEN)

    def stopped(self, daemon, **fields):
        with daemon.events() as events:
            daemon.host.start("one", **fields)
            events.wait_for(kind="extension-missing", name="one")
            events.wait_for(kind="operation-finished", name="one")


class Flag(Given):
    def test_enforced(self):
        daemon = self.fake()
        daemon.define("one", ENFORCED)
        self.assertIsNone(self.given(daemon, "one"))
        event = self.start(daemon, "one", "extension-proved")
        self.assertEqual(event["message"],
                         "one has svm: libvirt compared its CPU when it started")
        self.assertEqual(self.given(daemon, "one"), ("present", "libvirt", "none", "pass"))
        self.assertIn("svm: libvirt compared", daemon.nestctl("show", "one").stdout)
        # It is told once, and again of the next start, also by nestd.
        daemon.host.change("one", autostart=True)
        eventually(lambda: daemon.get("/v1/vms/one")["autostart"])
        daemon.restart()
        daemon.wait_backend()
        eventually(lambda: self.given(daemon, "one") == ("present", "libvirt", "none", "pass"))
        self.assertEqual(self.told(daemon), ["extension-proved"])
        daemon.change("PUT", "/v1/vms/one/state", {"state": "off", "force": True,
                                                   "reason": "the test wants it"})
        with daemon.events() as events:
            daemon.change("PUT", "/v1/vms/one/state", {"state": "running"})
            events.wait_for(kind="extension-proved", name="one")

    def test_flagged(self):
        daemon = self.fake()
        daemon.define("one", UNENFORCED)
        event = self.start(daemon, "one", "extension-missing", start_log="misses-svm")
        self.assertEqual(event["message"],
                         "one runs without svm, which it asks for: QEMU's log names it as missing")
        self.assertEqual(self.given(daemon, "one"), ("absent", "log", "missing", "fail"))
        self.assertIn("no svm, though its definition asks for it: by QEMU's log",
                      daemon.nestctl("show", "one").stdout)
        status = daemon.nestctl("status")
        self.assertIn("It runs without the extension that its definition asks for", status.stdout)
        daemon.restart()
        daemon.wait_backend()
        eventually(lambda: self.given(daemon, "one") == ("absent", "log", "missing", "fail"))
        self.assertEqual(self.told(daemon), ["extension-missing"])
        self.assertEqual(self.operations(daemon), [])

    def test_the_other_extension(self):
        """That QEMU did not give the one that the host does not have is no flaw."""
        daemon = self.fake(unfit="stop")
        both = ASKED + ASKED.replace("svm", "vmx")
        daemon.define("one", UNENFORCED.replace(ASKED, both))
        self.start(daemon, "one", "extension-proved", start_log="misses-vmx")
        self.assertEqual(self.given(daemon, "one"), ("present", "log", "none", "pass"))
        self.assertEqual(self.operations(daemon), [])

    def test_named_model(self):
        daemon = self.fake()
        daemon.define("one", NAMED)
        self.start(daemon, "one", "extension-missing", live_xml=self.lost(daemon, "one"))
        eventually(lambda: self.given(daemon, "one") == ("absent", "libvirt", "missing", "fail"))
        self.assertEqual(self.told(daemon), ["extension-missing"])

    def test_asked_for_later(self):
        """That what runs is older than the definition is no flaw of its start."""
        daemon = self.fake()
        number = daemon.define("one")
        daemon.host.start("one")
        eventually(lambda: self.given(daemon, "one"))
        daemon.host.change("one", xml=daemon.host.vm("one")["xml"].replace(HIDDEN, ASKED))
        eventually(lambda: daemon.get(f"/v1/vms/{number}")["pending"])
        self.assertEqual(self.given(daemon, "one"), ("absent", "command", "none", "fail"))
        self.assertEqual(self.told(daemon), [])

    def test_monitor(self):
        daemon = self.fake(monitor="yes")
        daemon.define("one", ENFORCED)
        daemon.host.control("set:sample@one:hidden")
        with daemon.events() as events:
            daemon.host.start("one")
            event = events.wait_for(kind="extension-missing", name="one")
        self.assertIn("QEMU's virtual CPU is without", event["message"])
        self.assertEqual(self.given(daemon, "one"), ("absent", "monitor", "missing", "fail"))

    def test_unwanted(self):
        """After disable: proved absent, and told where it is there all the same."""
        daemon = self.fake()
        daemon.define("one", ENFORCED)
        operation = daemon.wait_operation(daemon.nested("one", False).json["id"])
        self.assertEqual(operation["state"], "done", operation)
        daemon.host.start("one")
        eventually(lambda: self.given(daemon, "one"))
        self.assertEqual(self.given(daemon, "one")[:3], ("absent", "command", "none"))
        daemon.host.stop("one")
        eventually(lambda: self.given(daemon, "one") is None)
        live = daemon.host.vm("one")["xml"].replace(HIDDEN, ASKED)
        self.start(daemon, "one", "extension-unwanted", live_xml=live, start_log="clean")
        eventually(lambda: self.given(daemon, "one")[2:] == ("unwanted", "fail"))
        self.assertEqual(daemon.get("/v1/vms/one")["state"], "running")


class Stop(Given):
    def test_stopped(self):
        for name, xml in (("log", UNENFORCED), ("named", NAMED)):
            with self.subTest(name):
                daemon = self.fake(unfit="stop")
                daemon.define("one", xml)
                fields = {"start_log": "misses-svm"} if name == "log" else \
                    {"live_xml": self.lost(daemon, "one")}
                self.stopped(daemon, **fields)
                eventually(lambda: daemon.get("/v1/vms/one")["state"] == "off")
                row, = daemon.get("/v1/operations")["operations"]
                self.assertEqual((row["kind"], row["state"]), ("stop-unfit", "done"))
                self.assertIn("without the virtualization extension", row["note"])
                self.assertIn("stop-unfit", daemon.nestctl("operations").stdout)

    def test_what_is_not_stopped(self):
        """What was found running, was resumed or moved here, or has the extension."""
        daemon = self.fake(unfit="stop")
        daemon.define("found", UNENFORCED, state="running", start_log="misses-svm")
        daemon.define("carried", UNENFORCED)
        daemon.define("fine", ENFORCED)
        self.start(daemon, "fine", "extension-proved")
        self.start(daemon, "carried", "extension-missing", start_log="misses-svm", carried=True)
        daemon.restart()
        daemon.wait_backend()
        for name in ("found", "carried", "fine"):
            eventually(lambda: self.given(daemon, name))
            self.assertEqual(daemon.get(f"/v1/vms/{name}")["state"], "running")
        self.assertEqual(self.operations(daemon), [])

    def test_two_events(self):
        daemon = self.fake(unfit="stop")
        number = daemon.define("one", UNENFORCED)
        with daemon.holding("stop") as held, daemon.events() as events:
            daemon.host.start("one", start_log="misses-svm")
            held()
            daemon.host.change("one", autostart=True)
            eventually(lambda: daemon.get("/v1/vms/one")["autostart"])
        with daemon.events(after=0) as events:
            events.wait_for(kind="operation-finished", uuid=number)
        self.assertEqual(self.operations(daemon), [("stop-unfit", "done")])
        self.assertEqual(self.told(daemon), ["extension-missing"])

    def test_started_again_meanwhile(self):
        """What was decided of one run is not done to the next."""
        daemon = self.fake(unfit="stop")
        number = daemon.define("one", UNENFORCED)

        def reads():
            return sum(call[:2] == ("read", number) for call in daemon.host.calls())

        at = reads() + 1
        daemon.host.control(f"read@{number}:{at}+:hang")
        daemon.host.start("one", start_log="misses-svm")
        eventually(lambda: reads() >= at)
        while daemon.get("/v1/vms/one")["state"] == "off":  # not the job's read, but one before it
            at += 1
            daemon.host.control(f"read@{number}:{at}+:hang")
            eventually(lambda: reads() >= at)
        daemon.host.stop("one")
        daemon.host.start("one", start_log="clean")
        daemon.host.control()
        eventually(lambda: self.given(daemon, "one") == ("present", "log", "none", "pass"))
        self.assertEqual(daemon.get("/v1/vms/one")["state"], "running")
        self.assertEqual(self.operations(daemon), [])

    def test_by_nestctl(self):
        """nestd's own start fails, whatever the policy."""
        for policy in ("flag", "stop"):
            with self.subTest(policy):
                daemon = self.fake(unfit=policy)
                daemon.define("one", UNENFORCED, start_log="misses-svm")
                ended = daemon.nestctl("start", "one")
                self.assertEqual(ended.returncode, 10, ended)
                self.assertIn("QEMU's log names it as missing", ended.stderr)
                self.assertEqual(daemon.get("/v1/vms/one")["state"], "off")
                self.assertEqual(self.operations(daemon), [("start", "rolled-back")])

    def test_killed(self):
        """Off, or left running and told of: never forgotten, and never stopped by a later nestd."""
        for rule, ended in (("crash-before:stop:1", "rolled-back"), ("crash-after:stop:1", "done")):
            with self.subTest(rule):
                daemon = self.fake(unfit="stop")
                daemon.define("one", UNENFORCED)
                daemon.host.control(rule)
                daemon.host.start("one", start_log="misses-svm")
                daemon.wait()
                daemon.host.control()
                daemon.start()
                daemon.wait_backend()
                row, = daemon.get("/v1/operations")["operations"]
                row = daemon.wait_operation(row["id"])
                self.assertEqual((row["kind"], row["state"]), ("stop-unfit", ended), row)
                state = "off" if ended == "done" else "running"
                eventually(lambda: daemon.get("/v1/vms/one")["state"] == state)
                self.assertEqual(self.told(daemon), ["extension-missing"])
                stops = [call for call in daemon.host.calls() if call[0] == "stop"]
                self.assertEqual(len(stops), 1)


if __name__ == "__main__":
    nestd.main()
