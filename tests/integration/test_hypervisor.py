# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hypervisor is not there, goes away, comes back, or does not answer.

What is known is still told, at once; what cannot be done is refused within the time of a reply.
"""

import threading
import time
import unittest

import yaml

import nestd
from fake import Fake, eventually

CONTRACT = yaml.safe_load((nestd.SOURCE / "schema/openapi.yaml").read_text())["paths"]
REPLY = {"timeouts": {"reply": 2}}
READS = ("/v1", "/v1/vms", "/v1/vms?full=1", "/v1/vms/vm", "/v1/vms/vm/nested", "/v1/status",
         "/v1/host", "/v1/operations", "/v1/events?follow=0")
# A second passes before the host's processor is known.
SLOW_PROBE = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-P", "/proc/cpuinfo",
              "-e", "inject=openat:delay_enter=1000000:when=1"]


class Case(unittest.TestCase):
    def reads(self, daemon):
        """All that is known is told, and quickly."""
        for path in READS:
            began = time.monotonic()
            daemon.get(path)
            self.assertLess(time.monotonic() - began, 1, path)
        self.assertEqual([vm["name"] for vm in daemon.get("/v1/vms")["vms"]], ["vm"])

    def refused(self, daemon, statuses=(503,), seconds=1.0):
        """Whatever needs the hypervisor is refused in time, and says why."""
        requests = [("PUT", "/nested", {"enabled": True}), ("DELETE", "", None),
                    ("PUT", "/state", {"state": "running"}),
                    ("POST", "/nested/plan", {"enabled": True})]
        answers = []

        def ask(method, part, body):
            began = time.monotonic()
            answer = daemon.request(method, "/v1/vms/vm" + part, body)
            answers.append((answer, time.monotonic() - began))

        threads = [threading.Thread(target=ask, args=request) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), len(requests))
        for answer, took in answers:
            self.assertIn(answer.status, statuses, answer)
            self.assertTrue(answer.json["detail"] and answer.json["next"], answer)
            self.assertLess(took, seconds)
        return [answer for answer, _ in answers]

    def works(self, daemon):
        done = daemon.change("PUT", "/v1/vms/vm/nested", {"enabled": True})
        self.assertIn(done and done["state"], (None, "done"))
        self.assertEqual(daemon.get("/v1/vms/vm")["nesting"], "on")


class Known(Fake):
    """nestd that knows a VM, and is started again with rules that go wrong."""

    def __init__(self, *rules, **more):
        super().__init__(**more)
        self.rules = rules

    def __enter__(self):
        super().__enter__()
        self.define("vm")
        self.stop()
        self.host.control(*self.rules)
        self.start()
        return self


class TestAbsent(Case):
    def test_at_the_start(self):
        with Known("open:*:BACKEND_UNAVAILABLE:no such hypervisor") as daemon:
            self.assertEqual(daemon.wait_backend(), "unavailable")
            about = daemon.get("/v1")
            self.assertIn("no such hypervisor", about["problem"]["detail"])
            self.reads(daemon)
            for answer in self.refused(daemon):
                self.assertEqual(answer.json["kind"], "backend-unavailable")
                self.assertIn("no such hypervisor", answer.json["detail"])
            said = daemon.nestctl("enable", "vm", "--yes")
            self.assertIn("no such hypervisor", said.stderr)
            self.assertEqual(said.returncode, 11, said)
            daemon.host.control()
            eventually(lambda: daemon.get("/v1")["backend"] == "open")
            self.assertIsNone(daemon.get("/v1")["problem"])
            self.works(daemon)

    def test_nothing_known(self):
        with Fake() as daemon:
            daemon.host.control("open:*:BACKEND_UNAVAILABLE:gone")
            daemon.restart()
            self.assertEqual(daemon.wait_backend(), "unavailable")
            self.assertEqual(daemon.get("/v1/vms")["vms"], [])
            answer = daemon.request("POST", "/v1/vms", {"name": "vm", "memory_kib": 65536})
            self.assertEqual(answer.status, 503, answer)
            self.assertEqual(daemon.stop(nestd.STOP_DEADLINE), 0)


class TestLost(Case):
    def test_comes_back(self):
        with Fake() as daemon:
            daemon.define("vm")
            for n in range(2):
                with daemon.events() as events:
                    daemon.host.lose_connection()
                    daemon.wait_log("the connection to the hypervisor broke")
                    self.reads(daemon)
                    # What happened meanwhile is seen when it is back.
                    daemon.host.define(daemon.host.vm("vm")["xml"].replace(
                        "<cpu", f"<description>{n}</description><cpu"))
                    events.wait_for(kind="vm-changed", name="vm")
                eventually(lambda: daemon.get("/v1")["backend"] == "open")
            self.works(daemon)

    def test_in_the_middle(self):
        """An operation that loses the connection waits for the next one to take back its change."""
        with Fake() as daemon:
            number = daemon.define("vm", state="running")
            before = daemon.host.vm("vm")["xml"]
            with daemon.holding("shutdown", number) as held:
                operation = daemon.nested("vm").json["id"]
                held()
                daemon.host.lose_connection()
                daemon.wait_log("the connection to the hypervisor broke")
            ended = daemon.wait_operation(operation)
            self.assertEqual(ended["state"], "rolled-back", ended)
            self.assertEqual(ended["problem"]["kind"], "backend-unavailable")
            self.assertEqual("".join(daemon.host.vm("vm")["xml"].split()), "".join(before.split()))

    def start_fails(self, daemon, name, *rules):
        daemon.host.control(f"start@{name}:1:HYPERVISOR:no", *rules)
        ended = daemon.change("PUT", f"/v1/vms/{name}/state", {"state": "running"})
        self.assertEqual(ended["state"], "rolled-back", ended)

    def test_no_word_of_the_end(self):
        """Where the VM can't be read when an operation ends, that is not shown as under way."""
        with Fake() as daemon:
            def reads(number):
                return sum(call[:2] == ("read", number) for call in daemon.host.calls())

            number = daemon.define("model")
            before = reads(number)
            self.start_fails(daemon, "model")
            last = reads(number) - before
            for name, following in (("once", ""), ("lost", "+")):
                nth = reads(daemon.define(name)) + last
                rule = f"read@{name}:{nth}{following}:BACKEND_UNAVAILABLE:gone"
                self.start_fails(daemon, name, rule)
                if following:
                    eventually(lambda rule=rule: daemon.host.struck().count(rule) > 1)
                self.assertIn(rule, daemon.host.struck())
                daemon.host.control()
                eventually(lambda name=name: daemon.get(f"/v1/vms/{name}")["operation"] == 0)


class TestHanging(Case):
    def end(self, daemon):
        daemon.host.control()

    def test_open(self):
        with Known("open:*:hang", config=REPLY) as daemon:
            self.assertEqual(daemon.get("/v1")["backend"], "opening")
            self.reads(daemon)
            kinds = {answer.json["kind"] for answer in self.refused(daemon, seconds=4)}
            self.assertEqual(kinds, {"backend-opening"})
            self.reads(daemon)
            self.assertEqual(daemon.host.vm("vm")["state"], "off")
            self.end(daemon)
            self.assertEqual(daemon.wait_backend(), "open")
            # What was refused is not done later.
            self.works(daemon)
            kinds = [o["kind"] for o in daemon.get("/v1/operations")["operations"]]
            self.assertEqual(kinds, ["enable"])

    def test_whatever_is_read_first(self):
        """Also before the host was looked at: an answer in time, and nestd lives on."""
        paths = [path.format(vm="vm", guest="in", id=1) for path, methods in CONTRACT.items()
                 if "get" in methods and path != "/v1/events"]
        self.assertIn("/v1/tree", paths)
        answers = {}

        def ask(path):
            answers[path] = daemon.request("GET", path)

        with Known("open:*:hang", config=REPLY, wrapper=SLOW_PROBE) as daemon:
            threads = [threading.Thread(target=ask, args=[path]) for path in paths]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(answers), len(paths), answers)
            for path, answer in answers.items():
                self.assertTrue(answer.status == 200 or answer.json["detail"], path)
            daemon.get("/v1")
            self.end(daemon)

    def test_open_is_said_once_all_is_read(self):
        """What is shown from then on is not what was stored before."""
        with Known("list:1:hang") as daemon:
            eventually(lambda: "list:1:hang" in daemon.host.struck())
            daemon.host.start("vm")
            self.assertEqual(daemon.get("/v1")["backend"], "opening")
            self.end(daemon)
            self.assertEqual(daemon.wait_backend(), "open")
            self.assertEqual(daemon.get("/v1/vms/vm")["state"], "running")

    def test_first_listing_fails(self):
        with Known("list:1:HYPERVISOR:out of order") as daemon:
            daemon.wait_log("out of order")
            self.assertNotEqual(daemon.get("/v1")["backend"], "open")
            eventually(lambda: daemon.get("/v1")["backend"] == "open")
            self.works(daemon)

    def test_open_waits_for_a_moment(self):
        """A change that comes while the hypervisor is opened is done when it is open."""
        with Known("open:*:hang") as daemon:
            answers = []
            thread = threading.Thread(target=lambda: answers.append(daemon.nested("vm")))
            thread.start()
            self.reads(daemon)
            self.end(daemon)
            thread.join()
            self.assertEqual(answers[0].status, 202, answers)
            ended = daemon.wait_operation(answers[0].json["id"])
            self.assertEqual(ended["state"], "done", ended)

    def hang(self, slot):
        """The slot hangs once nestd runs; how much of it is asked for does not matter."""
        with Fake(config=REPLY) as daemon:
            daemon.define("vm")
            daemon.host.control(f"{slot}:*:hang")
            if slot in ("list", "caps"):
                daemon.host.lose_connection()
                eventually(lambda: daemon.under_way(slot))
                self.reads(daemon)
            else:
                # Of several changes of one VM, all but one are refused at once.
                self.refused(daemon, (409, 504), 4)
                self.refused(daemon, (409, 504), 4)
                self.reads(daemon)
            self.end(daemon)
            eventually(lambda: daemon.get("/v1")["backend"] == "open")
            for operation in daemon.get("/v1/operations")["operations"]:
                daemon.wait_operation(operation["id"])

    def test_read(self):
        self.hang("read")

    def test_list(self):
        self.hang("list")

    def test_caps(self):
        self.hang("caps")

    def test_many_plans(self):
        """However many wait for a hypervisor that hangs, what is known is still told."""
        with Fake(config=REPLY) as daemon:
            daemon.define("vm")
            daemon.host.control("read:*:hang")
            threads = [threading.Thread(target=daemon.request, args=[
                "POST", "/v1/vms/vm/nested/plan", {"enabled": True}]) for _ in range(12)]
            for thread in threads:
                thread.start()
            eventually(lambda: daemon.under_way("read"))
            began = time.monotonic()
            while time.monotonic() < began + 2.5:  # the host is probed anew every two seconds
                self.reads(daemon)
            for thread in threads:
                thread.join()
            self.end(daemon)

    def test_stopping(self):
        with Known("open:*:hang") as daemon:
            began = time.monotonic()
            self.assertEqual(daemon.stop(), 0)
            self.assertLess(time.monotonic() - began, 7)
            self.end(daemon)


if __name__ == "__main__":
    nestd.main()
