# SPDX-License-Identifier: LGPL-2.1-or-later
"""What nesting forbids is refused with its reason, done where it is safe, and forced only by who may
and says why."""

import contextlib
import http.client
import re
import unittest
import uuid

import nestd
from fake import XML, Fake, eventually

NESTING = re.sub(r"check='none'", "check='full'", XML.replace("disable", "require"))
REASON = {"force": True, "reason": "the rack moves"}


class TestGuards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rights = {"manage": "user:daemon"}
        cls.daemon = cls.enterClassContext(Fake(config={"rights": rights}))

    def put(self, name, part, **body):
        return self.daemon.request("PUT", f"/v1/vms/{name}/{part}", body)

    def done(self, name, part, **body):
        answer = self.put(name, part, **body)
        self.assertEqual(answer.status, 202, answer)
        operation = self.daemon.wait_operation(answer.json["id"])
        self.assertEqual(operation["state"], "done", operation)
        return operation

    def refused(self, name, part, says, status=409, **body):
        before = self.daemon.host.vm(name)
        answer = self.put(name, part, **body)
        self.assertEqual(answer.status, status, answer)
        self.assertIn(says, answer.json["detail"])
        self.assertTrue(answer.json["next"], answer)
        self.assertEqual(self.daemon.host.vm(name), before)
        return answer.json

    def nesting(self, name):
        self.daemon.define(name, NESTING, state="running")

    def test_refused_while_it_may_host(self):
        self.nesting("host")
        self.refused("host", "state", "while it may host other VMs: the inner VMs are cut off",
                     state="off", force=True)
        self.refused("host", "state", "the state of the VMs inside would be lost", state="saved")
        told = self.refused("host", "memory", "[guard] parity=hyperv forbids it",
                            memory_kib=524288)
        self.assertEqual((told["next"], told["check"]), ("nestctl shutdown host", "guard.memory"))

    def test_done_where_it_is_safe(self):
        self.daemon.define("plain", state="running")
        self.done("plain", "memory", memory_kib=524288)
        self.assertIn("<currentMemory unit='KiB'>524288<",
                      self.daemon.host.vm("plain")["live_xml"])
        self.done("plain", "state", state="paused")
        self.assertEqual(self.daemon.get("/v1/vms/plain")["state"], "paused")
        self.assertIsNone(self.daemon.change("PUT", "/v1/vms/plain/state", {"state": "paused"}))
        self.refused("plain", "state", "can't be shut down while it is paused", state="off")
        self.assertEqual(self.done("plain", "state", state="running")["kind"], "resume")
        self.done("plain", "state", state="saved")

    def action(self, name, wanted):
        actions = self.daemon.get(f"/v1/vms/{name}")["actions"]
        return next(action for action in actions if action["id"] == wanted)

    def test_what_is_allowed_now(self):
        self.nesting("asked")
        says = {a["id"]: a["say"] for a in self.daemon.get("/v1/vms/asked")["actions"]}
        self.assertEqual(says, {"shutdown": "warn", "stop": "refuse", "reboot": "warn",
                                "reset": "refuse", "pause": "warn",
                                "save": "refuse-force-too", "memory": "refuse",
                                "checkpoint": "refuse-force-too", "checkpoint-disk": "warn",
                                "migrate": "refuse-force-too", "disable": "warn"})
        self.done("asked", "state", state="paused")
        disable = self.action("asked", "disable")
        self.assertEqual((disable["say"], disable["next"]),
                         ("refuse-force-too", "nestctl resume asked, then try again"))
        self.done("asked", "state", state="running")
        shown = self.daemon.nestctl("show", "asked").stdout
        self.assertIn("refused         asked can't be saved while it may host other VMs", shown)
        self.daemon.define("quiet")
        actions = self.daemon.get("/v1/vms/quiet")["actions"]
        self.assertEqual({(a["id"], a["say"], a["reason"]) for a in actions},
                         {(i, "ok", None) for i in ("start", "memory", "checkpoint", "migrate",
                                                  "disable", "delete")})
        self.daemon.define("saved", saved_state=True, saved_xml=XML, saved_time=9)
        self.assertEqual(self.action("saved", "delete")["say"], "ok")
        self.daemon.define("unfit", NESTING.replace("name='svm'", "name='vmx'"))
        start = self.daemon.get("/v1/vms/unfit")["actions"][0]
        self.assertEqual((start["say"], start["next"]), ("refuse-force-too", "nestctl enable unfit"))

    def done_by(self, daemon, *words):
        self.assertEqual(daemon.nestctl(*words).returncode, 0, words)

    def test_what_can_not_hear_is_powered_off(self):
        """Nobody asks it to shut down, so nothing has failed yet."""
        for state in ("paused", "crashed"):
            name = f"deaf-{state}"
            text = XML.format(name=name, uuid=uuid.uuid4())
            self.daemon.define(name, text, state=state, live_xml=text)
            ended = self.daemon.wait_operation(self.daemon.nested(name).json["id"])
            self.assertEqual((ended["state"], self.daemon.host.vm(name)["state"]), ("done", "off"))

    def test_what_hosts_by_now_is_not_powered_off(self):
        """It booted when the plan was made, and its inner VMs start by themselves."""
        with Fake(config={"timeouts": {"shutdown": 1}, "guard": {"sample": 300}}) as daemon:
            for name, way, body in (("enabled", "nested", {"enabled": True}),
                                    ("disabled", "nested", {"enabled": False}),
                                    ("undone", "undo", {})):
                number = daemon.define(name, NESTING)
                if way == "undo":
                    daemon.change("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
                daemon.host.control("set:shutdown-ms:never", f"set:sample@{name}:counted",
                                    f"wait_off@{number}:1:hang")
                daemon.host.start(name)
                answer = daemon.request("PUT", f"/v1/vms/{name}/{way}", body)
                self.assertEqual(answer.status, 202, answer)
                eventually(lambda: f"wait_off@{number}:1:hang" in daemon.host.struck())
                daemon.host.control("set:shutdown-ms:never",
                                    f"set:sample@{name}:nested_run=9,grow=1")
                ended = daemon.wait_operation(answer.json["id"])
                self.assertEqual((ended["state"], ended["problem"]["kind"]),
                                 ("rolled-back", "timeout"), ended)
                self.assertIn("so it was not powered off", ended["problem"]["detail"])
                self.assertEqual(daemon.host.vm(name)["state"], "running")
            self.assertNotIn("stop", [call[0] for call in daemon.host.calls()])
            daemon.define("alone", NESTING, state="running")
            daemon.host.control("set:shutdown-ms:never", "set:sample@alone:counted")
            ended = daemon.change("PUT", "/v1/vms/alone/nested", {"enabled": False})
            self.assertEqual(ended["state"], "done", ended)
            self.assertEqual(daemon.host.vm("alone")["state"], "off")

    def test_hiding_is_judged_by_a_fresh_look(self):
        """Not by what was sampled last, which is old here, and missed that an inner VM began."""
        with Fake(config={"guard": {"sample": 300}}) as daemon:
            for name, way, body in (("disabled", "nested", {"enabled": False}),
                                    ("undone", "undo", {})):
                daemon.define(name, XML if way == "undo" else NESTING)
                if way == "undo":
                    daemon.change("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
                daemon.host.control(f"set:sample@{name}:counted")
                daemon.host.start(name)
                plan = daemon.request("POST", f"/v1/vms/{name}/{way}/plan", body).json
                self.assertEqual(plan["verdict"], "steps", plan)
                daemon.host.control(f"set:sample@{name}:nested_run=9,grow=1")
                before = daemon.host.vm(name)
                answer = daemon.request("PUT", f"/v1/vms/{name}/{way}", body)
                self.assertEqual((answer.status, answer.json["check"]), (409, "guard.disable"))
                self.assertIn("while it hosts other VMs", answer.json["detail"])
                shown = {**body, "plan": plan["hash"]}
                answer = daemon.request("PUT", f"/v1/vms/{name}/{way}", shown)
                self.assertEqual(answer.json["kind"], "plan-outdated")
                self.assertEqual(answer.json["plan"]["problem"]["check"], "guard.disable")
                self.assertEqual(daemon.host.vm(name), before)

    def test_a_change_does_not_power_it_off(self):
        """Where the guest does not shut down, disable takes itself back and says what to do."""
        with Fake(config={"timeouts": {"shutdown": 1}}) as daemon:
            daemon.define("deaf", NESTING, state="running")
            before = daemon.host.vm("deaf")["xml"]
            daemon.host.control("set:shutdown-ms:never")
            ended = daemon.wait_operation(daemon.nested("deaf", enabled=False).json["id"])
            self.assertEqual(ended["state"], "rolled-back", ended)
            self.assertEqual(ended["problem"]["kind"], "timeout")
            self.assertIn("it may host other VMs", ended["problem"]["detail"])
            self.assertIn("--force --reason", ended["problem"]["next"])
            self.assertEqual(daemon.host.vm("deaf")["state"], "running")
            self.assertEqual(daemon.host.vm("deaf")["xml"], before)
            self.assertNotIn("stop", [call[0] for call in daemon.host.calls()])
            daemon.host.control()
            self.done_by(daemon, "pause", "deaf")
            refused = daemon.nested("deaf", enabled=False)
            self.assertEqual((refused.status, refused.json["check"]), (409, "guard.stop"), refused)
            self.assertEqual(refused.json["next"], "nestctl resume deaf, then try again")
            self.done_by(daemon, "resume", "deaf")
            ended = daemon.wait_operation(daemon.nested("deaf", enabled=False).json["id"])
            self.assertEqual(ended["state"], "done", ended)

    def test_pausing_is_warned_of(self):
        self.nesting("waits")
        done = self.done("waits", "state", state="paused")
        self.assertIn("it may host other VMs: the clocks of the inner VMs jump", done["note"])

    def test_forced_with_a_reason(self):
        self.nesting("forced")
        with self.daemon.events() as events:
            done = self.done("forced", "state", state="off", **REASON)
            event = events.wait_for(kind="guard-forced", name="forced")
        self.assertEqual(event["operation"], done["id"])
        self.assertIn("guard.stop: the rack moves", event["message"])
        self.assertIn("guard.stop was overridden", done["note"])
        self.assertEqual(self.daemon.host.vm("forced")["state"], "off")

    def test_what_may_not_even_be_forced(self):
        self.nesting("never")
        self.refused("never", "state", "the state of the VMs inside would be lost", state="saved", **REASON)

    def test_force_without_need_leaves_nothing(self):
        self.daemon.define("needless", state="running")
        done = self.done("needless", "state", state="off", **REASON)
        self.assertIsNone(done["note"])

    def test_reasons(self):
        self.nesting("why")
        says = "gives a reason"
        for body in ({"force": True}, {"reason": "x"}, {"force": True, "reason": ""},
                     {"force": True, "reason": "x" * 201}, {"force": True, "reason": "a\nb"}):
            with self.subTest(body):
                self.refused("why", "memory", says, 400, memory_kib=524288, **body)

    def test_memory_of_a_vm_that_is_off(self):
        number = self.daemon.define("still")
        self.done("still", "memory", memory_kib=3145728)
        xml = self.daemon.host.vm("still")["xml"]
        self.assertIn("<memory unit='KiB'>3145728<", xml)
        self.assertIn("<currentMemory unit='KiB'>3145728<", xml)
        self.assertIsNone(self.daemon.change("PUT", "/v1/vms/still/memory",
                                             {"memory_kib": 3145728}))
        history = self.daemon.get(f"/v1/vms/{number}/history")["revisions"]
        self.assertEqual([row["kind"] for row in history], ["memory"])
        self.assertIsNotNone(self.daemon.change("PUT", "/v1/vms/still/undo", {}))
        self.assertIn("<memory unit='KiB'>2097152<", self.daemon.host.vm("still")["xml"])

    def test_memory_that_can_not_be(self):
        self.daemon.define("small", state="running")
        self.refused("small", "memory", "at most 2 GiB", memory_kib=4194304)
        self.refused("small", "memory", "memory_kib must be from", 400, memory_kib=1)
        self.daemon.define("bare", XML.replace("model='virtio'/>\n  </dev", "model='none'/>\n  </dev"),
                           state="running")
        self.refused("bare", "memory", "it has no balloon", memory_kib=524288)

    def test_guest_without_a_driver_for_the_balloon(self):
        self.daemon.define("deaf", state="running")
        self.daemon.host.control("set:balloon:deaf")
        self.addCleanup(self.daemon.host.control)
        answer = self.put("deaf", "memory", memory_kib=524288)
        operation = self.daemon.wait_operation(answer.json["id"])
        self.assertEqual(operation["state"], "rolled-back", operation)
        self.assertIn("still has 1 GiB", operation["problem"]["detail"])

    def test_resize_that_nobody_can_follow(self):
        """Where the memory can't be read any more, nobody says that it is as it was."""
        self.daemon.define("mute", state="running")
        with self.daemon.holding("set_memory") as held:
            answer = self.put("mute", "memory", memory_kib=524288)
            held()
            self.daemon.host.control("read@mute:*:HYPERVISOR:nothing is heard")
            operation = self.daemon.wait_operation(answer.json["id"])
        self.assertEqual(operation["state"], "failed", operation)
        self.assertIn('"memory resized" could not be taken back', operation["note"])

    def test_through_nestctl(self):
        self.nesting("spoken")
        said = self.daemon.nestctl("save", "spoken")
        self.assertEqual(said.returncode, 7, said)
        self.assertIn("the state of the VMs inside would be lost", said.stderr)
        self.assertIn("next  nestctl shutdown spoken", said.stderr)
        self.assertIn("more  nestctl explain guard.save", said.stderr)
        self.assertEqual(self.daemon.nestctl("explain", "guard.save").returncode, 0)
        said = self.daemon.nestctl("stop", "spoken", "--force", "--reason", "the end")
        self.assertEqual(said.returncode, 0, said)
        self.assertIn("guard.stop was overridden", said.stdout)


class TestRestart(unittest.TestCase):
    """Rebooted by asking the guest, reset without asking."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def restart(self, name, **body):
        return self.daemon.request("POST", f"/v1/vms/{name}/restart", body)

    def ended(self, name, state, **body):
        operation = self.daemon.wait_operation(self.restart(name, **body).json["id"])
        self.assertEqual(operation["state"], state, operation)
        return operation

    def restarts(self, name):
        return self.daemon.host.vm(name)["restarts"]

    def test_done_where_it_is_safe(self):
        self.daemon.define("plain", state="running")
        self.assertEqual(self.ended("plain", "done")["kind"], "reboot")
        done = self.ended("plain", "done", reset=True)
        self.assertEqual((done["kind"], done["note"]), ("reset", None))
        self.daemon.host.change("plain", state="paused")
        eventually(lambda: self.daemon.get("/v1/vms/plain")["state"] == "paused")
        self.ended("plain", "done", reset=True)
        self.assertEqual(self.daemon.host.vm("plain")["state"], "paused")
        self.assertEqual(self.restarts("plain"), 3)

    def test_wrong_states(self):
        self.daemon.define("off")
        for body in ({}, {"reset": True}):
            answer = self.restart("off", **body)
            self.assertEqual((answer.status, answer.json["next"]), (409, "nestctl start off"))
        self.daemon.define("held", state="paused")
        answer = self.restart("held")
        self.assertEqual((answer.status, answer.json["next"]), (409, "nestctl resume held"))

    def test_refused_while_it_may_host(self):
        self.daemon.define("host", NESTING, state="running")
        answer = self.restart("host", reset=True)
        self.assertEqual(answer.status, 409, answer)
        self.assertIn("host can't be reset while it may host other VMs", answer.json["detail"])
        self.assertIn("nestctl reboot host", answer.json["next"])
        self.assertEqual(self.restarts("host"), 0)
        self.assertIn("guard.reset was overridden",
                      self.ended("host", "done", reset=True, **REASON)["note"])
        self.assertIn("the inner VMs end with it", self.ended("host", "done")["note"])

    def test_guest_that_does_not_listen(self):
        self.daemon.define("deaf", state="running")
        self.daemon.host.control("set:reboot:never")
        self.addCleanup(self.daemon.host.control)
        problem = self.ended("deaf", "rolled-back", timeout=1)["problem"]
        self.assertEqual((problem["kind"], problem["next"]), ("timeout", "nestctl reset deaf"))
        answer = self.restart("deaf", timeout=60)
        self.daemon.request("DELETE", f"/v1/operations/{answer.json['id']}")
        self.assertEqual(self.daemon.wait_operation(answer.json["id"])["state"], "aborted")
        self.assertEqual(self.restarts("deaf"), 0)

    def test_a_changed_cpu_still_waits(self):
        self.daemon.define("waits", NESTING)
        plain = self.daemon.host.vm("waits")["xml"].replace("require", "disable")
        self.daemon.host.change("waits", state="running", live_xml=plain)
        eventually(lambda: self.daemon.get("/v1/vms/waits")["pending"])
        self.assertIn("waits until it is powered off", self.ended("waits", "done")["note"])

    def test_killed(self):
        for point in ("before", "after"):
            with self.subTest(point), Fake() as daemon:
                daemon.may_alarm = True
                daemon.define("killed", state="running")
                daemon.host.control(f"crash-{point}:restart:1")
                with contextlib.suppress(http.client.HTTPException, OSError):
                    daemon.request("POST", "/v1/vms/killed/restart", {"reset": True})
                daemon.wait()
                daemon.host.control()
                daemon.start()
                daemon.wait_backend()
                ended = daemon.get("/v1/operations")["operations"][0]
                self.assertEqual((ended["state"], ended["problem"]["kind"]),
                                 ("failed", "interrupted"))
                self.assertIn("whether it has begun anew is not known", ended["note"])

    def test_through_nestctl(self):
        self.daemon.define("spoken", state="running")
        said = self.daemon.nestctl("reset", "spoken")
        self.assertIn("spoken has been reset.", said.stdout)
        said = self.daemon.nestctl("reboot", "spoken", "--timeout", "30")
        self.assertIn("spoken has rebooted.", said.stdout)


class TestCheckpoints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def list(self, name):
        return self.daemon.get(f"/v1/vms/{name}/checkpoints")["checkpoints"]

    def done(self, method, path, body=None):
        operation = self.daemon.change(method, f"/v1/vms/{path}", body)
        self.assertEqual(operation["state"], "done", operation)
        return operation

    def refused(self, method, path, says, body=None, status=409):
        before = self.daemon.host.vms()
        answer = self.daemon.request(method, f"/v1/vms/{path}", body)
        self.assertEqual(answer.status, status, answer)
        self.assertIn(says, answer.json["detail"])
        self.assertEqual(self.daemon.host.vms(), before)

    def test_there_and_back(self):
        self.daemon.define("plain", state="running")
        self.done("POST", "plain/checkpoints", {"name": "one"})
        self.done("PUT", "plain/state", {"state": "off", "force": True})
        self.done("PUT", "plain/memory", {"memory_kib": 3145728})
        self.done("POST", "plain/checkpoints", {"name": "two"})
        found = self.list("plain")
        self.assertEqual([(c["name"], c["memory"], c["current"]) for c in found],
                         [("one", True, False), ("two", False, True)])
        self.assertEqual((found[0]["nesting"], found[0]["activity"]), ("off", "off"))
        self.assertTrue(found[0]["kernel"])
        self.done("PUT", "plain/checkpoints/one", {})
        vm = self.daemon.host.vm("plain")
        self.assertEqual(vm["state"], "running")
        self.assertIn("2097152<", vm["xml"])
        kinds = [row["kind"] for row in self.daemon.get("/v1/vms/plain/history")["revisions"]]
        self.assertEqual(kinds, ["apply-checkpoint", "memory"])
        self.done("DELETE", "plain/checkpoints/one")
        self.assertEqual([c["name"] for c in self.list("plain")], ["two"])
        self.refused("DELETE", "plain/checkpoints/one", 'has no checkpoint "one"')
        self.refused("POST", "plain/checkpoints", "already", {"name": "two"})
        self.refused("POST", "plain/checkpoints", "name", {"name": "../x"}, 400)

    def test_refused_while_it_may_host(self):
        self.daemon.define("host", NESTING)
        self.done("POST", "host/checkpoints", {"name": "off"})
        self.daemon.host.start("host")
        eventually(lambda: self.daemon.get("/v1/vms/host")["state"] == "running")
        self.refused("POST", "host/checkpoints", "the state of the VMs inside would be lost", {"name": "on"})
        self.refused("PUT", "host/checkpoints/off", "parity=hyperv forbids it", {})
        self.refused("PUT", "host/checkpoints/off", "gives a reason", {"force": True}, 400)
        done = self.done("PUT", "host/checkpoints/off", REASON)
        self.assertIn("guard.apply was overridden", done["note"])
        self.assertEqual(self.daemon.host.vm("host")["state"], "off")

    def test_other_cpu_than_then(self):
        self.daemon.define("changed", state="running")
        self.done("POST", "changed/checkpoints", {"name": "ran"})
        self.done("PUT", "changed/state", {"state": "off", "force": True})
        self.done("POST", "changed/checkpoints", {"name": "stood"})
        self.assertEqual(self.daemon.nested("changed").status, 202)
        eventually(lambda: self.daemon.get("/v1/vms/changed")["operation"] == 0)
        self.refused("PUT", "changed/checkpoints/ran", "differ in whether it has the extension", {})
        done = self.done("PUT", "changed/checkpoints/stood", {})
        self.assertIn("nesting in it becomes what it was then", done["note"])

    def test_disks_alone(self):
        """What hosts others may be kept without its memory, and is put back when it is off."""
        self.daemon.define("disks", NESTING, state="running")
        done = self.done("POST", "disks/checkpoints", {"name": "d", "disk_only": True})
        self.assertIn("the disks of the inner VMs are as after a power cut", done["note"])
        self.assertEqual([(c["name"], c["memory"], c["current"]) for c in self.list("disks")],
                         [("d", False, True)])
        self.refused("PUT", "disks/checkpoints/d", "parity=hyperv forbids it", {})
        self.done("PUT", "disks/state", {"state": "off", "force": True, "reason": "the test"})
        self.done("PUT", "disks/checkpoints/d", {})
        self.assertEqual(self.daemon.host.vm("disks")["state"], "off")

    def test_unfinished(self):
        self.daemon.define("half", checkpoints=[{"name": "u", "time": 1, "unfinished": True}])
        self.assertTrue(self.list("half")[0]["unfinished"])
        self.assertIn("unfinished", self.daemon.nestctl("checkpoint", "list", "half").stdout)
        self.refused("PUT", "half/checkpoints/u", "was never finished", {})
        self.done("DELETE", "half/checkpoints/u")
        self.assertEqual(self.list("half"), [])

    def killed(self, daemon, name, point, slot, method, part, body):
        """The operation that met its end in the middle, as the next nestd tells of it; between the
        two change() happens to the VM."""
        daemon.may_alarm = True
        daemon.host.control(f"crash-{point}:{slot}:1")
        with contextlib.suppress(http.client.HTTPException, OSError):
            daemon.request(method, f"/v1/vms/{name}/{part}", body)
        daemon.wait()
        daemon.host.control()

    def restarted(self, daemon):
        daemon.start()
        daemon.wait_backend()
        return daemon.get("/v1/operations")["operations"][0]

    def test_killed_while_unfinished(self):
        with Fake() as daemon:
            daemon.define("cut", state="running")
            self.killed(daemon, "cut", "before", "checkpoint", "POST", "checkpoints",
                        {"name": "x", "disk_only": True})
            daemon.host.change("cut", checkpoints=[{"name": "x", "time": 1, "unfinished": True}])
            ended = self.restarted(daemon)
            self.assertEqual(ended["state"], "rolled-back", ended)
            self.assertEqual(daemon.host.vm("cut")["checkpoints"], [])

    def test_killed_while_it_is_put_back(self):
        for state, point, ends, says in (
                ("off", "before", "failed", "some may have been put back"),
                ("off", "after", "done", "found everything done"),
                ("running", "before", "failed", "it runs, and whether it was put back")):
            with self.subTest(state=state, point=point), Fake() as daemon:
                daemon.define("cut", state=state, checkpoints=[
                    {"name": "x", "time": 1, "xml": XML.format(name="cut", uuid=uuid.uuid4())}])
                self.killed(daemon, "cut", point, "apply_checkpoint", "PUT", "checkpoints/x", {})
                ended = self.restarted(daemon)
                self.assertEqual(ended["state"], ends, ended)
                self.assertIn(says, ended["note"])
                if ends == "failed":
                    self.assertIn("nestctl checkpoint apply cut x", ended["problem"]["next"])
                    again = daemon.change("PUT", "/v1/vms/cut/checkpoints/x", {})
                    self.assertEqual(again["state"], "done", again)

    def test_made_by_others(self):
        """Under the software CPU a state that may be of an inner VM never comes back."""
        self.daemon.define("foreign", NESTING, checkpoints=[
            {"name": "theirs", "time": 1, "current": True, "description": "before the party",
             "xml": NESTING, "live_xml": NESTING}])
        found = self.list("foreign")
        self.assertEqual((found[0]["activity"], found[0]["kernel"]), ("unknown", None))
        self.refused("PUT", "foreign/checkpoints/theirs", "QEMU's software CPU can't go on", REASON)

    def test_made_by_others_meanwhile(self):
        """What failed to be made is not there, and one of that name is somebody else's."""
        self.daemon.define("twice")
        theirs = {"name": "x", "time": 1, "current": True, "description": "before the party",
                  "xml": XML}
        with self.daemon.holding("checkpoint") as held:
            answer = self.daemon.request("POST", "/v1/vms/twice/checkpoints", {"name": "x"})
            held()
            self.daemon.host.change("twice", checkpoints=[theirs])
        operation = self.daemon.wait_operation(answer.json["id"])
        self.assertEqual(operation["state"], "rolled-back", operation)
        self.assertEqual([c["name"] for c in self.list("twice")], ["x"])

    def test_killed_at_each_point(self):
        for kind, before, request, slot in (
                ("made", [], ("POST", "checkpoints", {"name": "x"}), "checkpoint"),
                ("gone", ["x"], ("DELETE", "checkpoints/x", None), "delete_checkpoint")):
            for point in ("before", "after"):
                name = f"{kind}-{point}"
                with self.subTest(name), Fake() as daemon:
                    daemon.may_alarm = True
                    daemon.define(name)
                    for one in before:
                        daemon.change("POST", f"/v1/vms/{name}/checkpoints", {"name": one})
                    daemon.host.control(f"crash-{point}:{slot}:1")
                    method, part, body = request
                    with contextlib.suppress(http.client.HTTPException, OSError):
                        daemon.request(method, f"/v1/vms/{name}/{part}", body)
                    daemon.wait()
                    daemon.host.control()
                    daemon.start()
                    daemon.wait_backend()
                    ended = daemon.get("/v1/operations")["operations"][0]
                    self.assertEqual(ended["state"], "done" if point == "after" else "rolled-back")
                    there = [c["name"] for c in
                             daemon.get(f"/v1/vms/{name}/checkpoints")["checkpoints"]]
                    self.assertEqual("x" in there, (kind == "made") == (point == "after"))

    def test_through_nestctl(self):
        self.daemon.define("spoken")
        self.assertEqual(self.daemon.nestctl("checkpoint", "create", "spoken", "a").returncode, 0)
        self.assertIn("a ", self.daemon.nestctl("checkpoint", "list", "spoken").stdout)
        self.assertEqual(self.daemon.nestctl("checkpoint", "apply", "spoken", "a").returncode, 0)
        self.assertEqual(self.daemon.nestctl("checkpoint", "delete", "spoken", "a").returncode, 0)
        self.assertIn("no checkpoints", self.daemon.nestctl("checkpoint", "list", "spoken").stdout)


class TestPolicies(unittest.TestCase):
    """What the host can do is allowed by parity=kvm, with a warning."""

    def test_memory(self):
        with Fake(config={"guard": {"parity": "kvm"}}) as daemon:
            daemon.define("host", NESTING, state="running")
            done = daemon.change("PUT", "/v1/vms/host/memory", {"memory_kib": 524288})
            self.assertEqual(done["state"], "done", done)
            self.assertIn("counts on all of its memory", done["note"])


if __name__ == "__main__":
    nestd.main()
