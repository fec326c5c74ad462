# SPDX-License-Identifier: LGPL-2.1-or-later
"""Frames of inner VMs that end at a port of the host's bridge pass it after "host fix", and end there
again after its undo. Real bridges, taps and frames; KVM is none of this host's business here."""

import contextlib
import http.client
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import nestd  # noqa: E402
from fake import XML, Fake  # noqa: E402

import wire  # noqa: E402
from wire import INNER, OWN, PEER, Machine, Tap, arrives, frame, run  # noqa: E402

NESTING = re.sub(r"check='none'", "check='full'", XML.replace("disable", "require"))
INTERFACE = re.compile("    <interface.*</interface>\n", re.DOTALL)
ENVIRONMENT = {"NEST_FAKE_CAPS": "kvm=off,tcg=svm", "NEST_FAKE_OWN_NETWORK": "1"}
DEAF = "learning off flood off isolated off locked on guard off"


def setUpModule():
    wire.enter()
    run("printf 'processor : 0\\nflags : fpu\\n' >/dev/shm/nest-cpuinfo.$$ &&"
        " mount --bind /dev/shm/nest-cpuinfo.$$ /proc/cpuinfo; rm /dev/shm/nest-cpuinfo.$$")


def ids(plan):
    return [item["id"] for item in plan["items"]]


class TestFix(unittest.TestCase):
    def setUp(self):
        self.tap, self.peer = Tap("vnet0"), Machine("up0")
        self.addCleanup(run, "ip link del up0")
        self.addCleanup(self.peer.close)
        self.addCleanup(self.tap.close)
        self.deafen()
        self.daemon = self.enterContext(Fake(ENVIRONMENT))
        self.define("inner", "vnet0")

    def deafen(self):
        run(f"bridge fdb replace {OWN} dev vnet0 master static")
        run(f"bridge link set dev vnet0 {DEAF}")

    def define(self, name, tap, xml=NESTING):
        interface = f"    <interface type='bridge'><mac address='{OWN}'/><source bridge='br0'/>" \
                    f"<target dev='{tap}'/></interface>\n"
        self.daemon.define(name, INTERFACE.sub(interface, xml), state="running")

    def reaches(self, mark):
        """(in, out): whether frames for, and from, an inner VM get through."""
        found = (arrives(self.peer, self.tap, frame(PEER, INNER, mark + b" in"),
                         frame(PEER, OWN, mark + b" in, own")),
                 arrives(self.tap, self.peer, frame(INNER, PEER, mark + b" out"),
                         frame(OWN, PEER, mark + b" out, own")))
        run(f"bridge fdb del {INNER} dev vnet0 master 2>/dev/null || true")  # what was learned
        return found

    def plan(self, **body):
        return self.daemon.request("POST", "/v1/host/fix/plan", body).json

    def fix(self, what="fix", **body):
        operation = self.daemon.change("PUT", f"/v1/host/{what}", body)
        self.assertEqual(operation["state"], "done", operation)
        return operation

    def flags(self):
        """Those that /sys has of the port."""
        return [pathlib.Path(f"/sys/class/net/vnet0/brport/{name}").read_text(encoding="ascii")[0]
                for name in ("learning", "unicast_flood", "isolated", "bpdu_guard")]

    def test_fixed_and_taken_back(self):
        self.assertEqual(self.reaches(b"deaf"), (False, False))
        plan = self.plan()
        self.assertEqual(ids(plan), ["port-vnet0"])
        item = plan["items"][0]
        self.assertTrue(item["optional"])
        self.assertEqual((item["current"], item["target"]),
                         ("learning off, flood off, locked on", "learning on, flood on, locked off"))
        self.assertIn("inner", item["title"])
        self.assertTrue(plan["warnings"], "that this host can't nest by KVM is told")
        self.assertEqual(self.reaches(b"planned only"), (False, False))
        operation = self.fix(plan=plan["hash"])
        self.assertEqual([step["state"] for step in operation["steps"]], ["done"])
        self.assertEqual(self.reaches(b"fixed"), (True, True))
        self.assertEqual(self.plan()["items"], [])
        [revision] = self.daemon.get("/v1/host/history")["revisions"]
        self.assertEqual(revision["summary"], "bridge port vnet0: learning off, flood off, locked on"
                                              " → learning on, flood on, locked off")
        [item] = self.daemon.request("POST", "/v1/host/undo/plan", {}).json["items"]
        self.assertEqual((item["current"], item["target"]),
                         ("learning on, flood on, locked off", "learning off, flood off, locked on"))
        self.fix("undo")
        self.assertEqual(self.reaches(b"taken back"), (False, False))
        said = self.daemon.nestctl("host", "fix", "--yes")
        self.assertEqual(said.returncode, 0, said)
        self.assertEqual(self.reaches(b"by nestctl"), (True, True))

    def test_declined(self):
        self.assertEqual(self.plan(decline=["port-vnet0"])["items"], [])
        answer = self.daemon.request("PUT", "/v1/host/fix", {"decline": ["port-vnet0"]})
        self.assertEqual((answer.status, answer.json["kind"]), (409, "host-unfit"))
        self.assertIn("still end at bridge port vnet0", " ".join(answer.json["plan"]["warnings"]))
        self.assertEqual(self.reaches(b"declined"), (False, False))

    def test_only_what_is_asked_for(self):
        """Of VMs that nest, what blocks, and not what their definition wants."""
        other = Tap("vnet1")
        self.addCleanup(other.close)
        run(f"bridge link set dev vnet1 {DEAF}")
        self.define("plain", "vnet1", XML)
        self.assertEqual(ids(self.plan()), ["port-vnet0"])
        run("bridge link set dev vnet0 learning on locked off")
        self.assertEqual(self.plan()["items"], [])
        run("bridge link set dev vnet0 isolated on")
        self.assertEqual(self.plan()["items"][0]["current"], "isolated on")

    def test_gone_meanwhile(self):
        self.fix()
        self.tap.close()
        self.tap = Tap("vnet0")
        plan = self.daemon.request("POST", "/v1/host/undo/plan", {}).json
        self.assertEqual((plan["verdict"], plan["items"]), ("no-change", []))
        self.assertIn("bridge port vnet0 is gone", plan["warnings"][0])
        self.assertEqual(self.flags()[:2], ["1", "1"])

    def test_each_failure_is_taken_back(self):
        before = self.flags()
        for rule in ("set_link:1:host-unfit:no room", "set_link:1:after", "tamper:set_link:1"):
            with self.subTest(rule):
                self.daemon.host.control(rule.replace(":1", f":{self.calls() + 1}", 1))
                operation = self.daemon.change("PUT", "/v1/host/fix", {})
                self.assertEqual(operation["state"], "rolled-back", operation)
                self.assertEqual(self.flags(), before)
        self.assertEqual(self.daemon.get("/v1/host/history")["revisions"], [])
        self.daemon.host.control()
        self.fix()

    def calls(self):
        return sum(call[0] == "set_link" for call in self.daemon.host.calls())

    def test_killed_at_each_point(self):
        self.daemon.may_alarm = True
        for point, state in (("before", "rolled-back"), ("after", "done")):
            with self.subTest(point):
                self.daemon.host.control(f"crash-{point}:set_link:1")
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.daemon.change("PUT", "/v1/host/fix", {})
                self.daemon.wait()
                self.daemon.host.control()
                self.daemon.start()
                self.daemon.wait_backend()
                [newest] = self.daemon.get("/v1/operations?limit=1")["operations"]
                self.assertEqual(self.daemon.wait_operation(newest["id"])["state"], state)
                self.assertEqual(self.reaches(point.encode()), (point == "after",) * 2)


if __name__ == "__main__":
    nestd.main()
