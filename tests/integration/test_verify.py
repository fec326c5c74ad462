# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is verified inside VMs, over a scripted agent: said, kept, outdated, gone wrong. The program is
not run here: what it would say is made up, by the argument that it gets."""

import base64
import json
import subprocess
import threading
import unittest

import nestd
from fake import Fake, eventually
from test_inside import DATA, WINDOWS, WITH_AGENT

from nest_agent import HANG, Agent

VERIFICATION = "/v1/vms/vm/verification"
ROUNDS = 4096


def answer_of(seed):
    for _ in range(ROUNDS):
        seed ^= seed << 13 & 0xffffffff
        seed ^= seed >> 17
        seed ^= seed << 5 & 0xffffffff
    return seed


def report(seed, code="verified"):
    lines = [f"begin seed={seed:#x}",
             "cpu vendor=AuthenticAMD extension=svm hypervisor=KVMKVMKVM",
             f"pass name=real result=ok answer={answer_of(seed):#x}",
             f"pass name=long result=ok answer={answer_of(seed):#x}",
             "measure name=exit-cpuid count=100 own-ns=50000 inner-ns=4120000",
             "clock tsc-khz=2000000"]
    if code != "verified":
        lines[2:] = [f"pass name=real result={code} answer=0x0"]
    lines.append(f"end code={code} lines={len(lines) + 1}")
    return "".join(f"nest-probe 1 {line}\n" for line in lines).encode()


class Guest(Agent):
    """A Linux guest that says of the program what probe gives for its seed: output and status, and
    of itself what was recorded."""

    def __init__(self, directory, name):
        super().__init__(directory, name)
        self.probe = lambda seed: (report(seed), 0)
        self.said, self.runs, self.inputs = {}, 0, []
        self.during = lambda: None

    def guest_exec(self, path, arg=(), capture_output=False, input_data=None):
        pid = len(self.said) + 1
        if input_data is None:
            self.said[pid] = ((DATA / "debian-libvirt.txt").read_bytes(), 0)
        else:
            self.inputs.append(base64.b64decode(input_data))
            self.runs += 1
            self.during()
            self.said[pid] = self.probe(int(arg[-1], 16))
        return {"pid": pid}

    def guest_exec_status(self, pid):
        output, status = self.said[pid]
        if output is None:
            return {"exited": False}
        return {"exited": True, "exitcode": status, "out-data": base64.b64encode(output).decode(),
                "err-data": base64.b64encode(b"what the shell said\n").decode()}


class Verify(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Fake())
        self.number = self.daemon.define("vm", WITH_AGENT, state="running")
        self.agent = self.enterContext(Guest(self.daemon.host.directory, "vm"))

    def verify(self, status=200):
        answer = self.daemon.request("POST", VERIFICATION)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def kept(self):
        return self.daemon.get(VERIFICATION)["verifications"]

    def test_said_and_kept(self):
        self.assertEqual(self.kept(), [])
        with self.daemon.events() as events:
            result = self.verify()
            event = events.wait_for(kind="vm-verified", uuid=self.number)
        self.assertIn("exit-cpuid took 41.20 µs", event["message"])
        self.assertTrue(result["verified"])
        self.assertEqual((result["family"], result["os"], result["hypervisor"], result["extension"]),
                         ("linux", "Debian GNU/Linux 12 (bookworm)", "KVMKVMKVM", "svm"))
        self.assertEqual(result["measures"], [
            {"name": "exit-cpuid", "count": 100, "own_ns": 50000, "inner_ns": 4120000}])
        self.assertIn("guest.tcg", [row["id"] for row in result["checks"]])
        self.assertNotIn("pass", [row["verdict"] for row in result["checks"]])
        self.assertTrue(self.agent.inputs[0].startswith(b"\x7fELF"))
        self.daemon.restart()
        self.daemon.wait_backend()
        self.assertEqual(self.kept(), [result])

    def test_not_verified_is_a_result(self):
        seen = []
        for output, code in [
                (lambda seed: (report(seed, "no-device"), 1), "no-device"),
                (lambda seed: (report(seed + 1), 0), "contradiction"),
                (lambda seed: (report(seed)[:300], 0), "incomplete"),
                (lambda seed: (b"\x00\xff" * 4000, 0), "incomplete"),
                (lambda seed: (b"", 126), "not-run"), (lambda seed: (b"", 142), "timeout")]:
            self.agent.probe = output
            result = self.verify()
            seen.append((result["verified"], result["code"]))
            self.assertEqual(seen[-1], (False, code), result)
            self.assertEqual(self.kept(), [result])
        done = self.daemon.nestctl("verify", "vm")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("NO", done.stdout)

    def test_outdated(self):
        self.verify()
        self.assertFalse(self.kept()[0]["outdated"])
        self.daemon.environment["NEST_FAKE_CAPS"] = "qemu=9.9.9"
        self.daemon.restart()
        self.daemon.wait_backend()
        self.assertTrue(self.kept()[0]["outdated"])
        self.assertIn("have changed since", self.daemon.nestctl("show", "vm").stdout)
        self.assertFalse(self.verify()["outdated"])

    def test_windows(self):
        self.agent.os = WINDOWS
        said = json.loads((DATA / "windows-11.json").read_bytes())
        for change, code in [({}, "verified"), ({"own_hypervisor": "no"}, "no-hypervisor"),
                             ({"own_hypervisor": None}, "unknown"),
                             ({"hyperv": "no", "own_hypervisor": "no"}, "no-role"),
                             ({"build": "old"}, "not-run")]:
            text = json.dumps({**said, **change}).encode()
            self.agent.guest_exec = lambda text=text, **_: self.agent.said.update({1: (text, 0)}) or \
                {"pid": 1}
            result = self.verify()
            self.assertEqual((result["code"], result["family"]), (code, "windows"), result)
            self.assertEqual(result["verified"], code == "verified")
            self.assertEqual(result["measures"], [])

    def test_can_not_be_asked(self):
        self.agent.os = {"id": "debian", "kernel-release": "6.1", "machine": "aarch64"}
        self.assertIn("aarch64", self.verify(409)["detail"])
        self.agent.os = {"id": "freebsd", "pretty-name": "FreeBSD 14"}
        self.assertIn("FreeBSD 14", self.verify(409)["detail"])
        self.agent.blocked = {"guest-exec"}
        self.assertIn("qemu-ga.conf", self.verify(409)["next"])
        self.agent.vanish()
        self.assertEqual(self.verify(502)["kind"], "guest-agent")
        self.assertEqual(self.kept(), [])
        self.daemon.define("off", WITH_AGENT)
        answer = self.daemon.request("POST", "/v1/vms/off/verification")
        self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-state"))
        answer = self.daemon.request("POST", "/v1/vms/none/verification")
        self.assertEqual(answer.json["kind"], "vm-not-found")

    def test_paused(self):
        """Before, and in the middle."""
        self.goes(lambda: self.daemon.host.change("vm", state="paused"), "vm-state")
        eventually(lambda: self.daemon.get("/v1/vms/vm")["state"] == "paused")
        problem = self.verify(409)
        self.assertIn("vm is paused: nothing can be verified inside", problem["detail"])
        self.assertEqual(problem["next"], "nestctl resume vm")
        self.assertEqual(self.kept(), [])

    def goes(self, go, kind):
        """Nothing is kept of a guest that goes in the middle."""
        self.agent.during = go
        self.agent.probe = lambda _: (None, 0)
        answer = self.daemon.request("POST", VERIFICATION)
        self.assertEqual(answer.json["kind"], kind, answer)

    def test_powered_off_in_the_middle(self):
        self.goes(lambda: self.daemon.host.stop("vm"), "vm-state")
        self.assertEqual(self.kept(), [])

    def test_taken_away_in_the_middle(self):
        self.goes(lambda: self.daemon.host.delete("vm"), "vm-not-found")

    def test_rebooted_in_the_middle(self):
        """Its agent knows nothing of the command any more."""
        self.agent.instead = lambda command, arguments: {
            "error": {"class": "GenericError", "desc": "PID 1 does not exist"}} \
            if command == "guest-exec-status" else None
        problem = self.verify(502)
        self.assertEqual(problem["kind"], "guest-agent")
        self.assertRegex(problem["detail"], "the guest rebooted meanwhile.*PID 1 does not exist")
        self.assertEqual(self.kept(), [])

    def test_killed_in_the_middle(self):
        """What runs in the guest removes itself; nestd just asks again."""
        reached = threading.Event()
        self.agent.during = reached.set
        self.agent.instead = lambda command, _: HANG if command == "guest-exec-status" else None
        connection = nestd.Connection(self.daemon.socket, nestd.REPLY_DEADLINE)
        connection.request("POST", VERIFICATION)
        self.assertTrue(reached.wait(nestd.REPLY_DEADLINE))
        self.daemon.kill()
        connection.close()
        self.agent.instead = lambda *_: None
        self.daemon.start()
        self.daemon.wait_backend()
        self.assertEqual(self.kept(), [])
        self.assertTrue(self.verify()["verified"])

    def test_late(self):
        """It goes on where the guest takes longer than who asked is given."""
        self.daemon.config["timeouts"] = {"reply": 1}
        self.daemon.restart()
        self.daemon.wait_backend()
        go = threading.Event()
        ask = self.agent.guest_exec_status
        self.agent.guest_exec_status = lambda pid: ask(pid) if go.is_set() else {"exited": False}
        with self.daemon.events() as events:
            answer = self.verify(504)
            self.assertIn("the verification has not ended within 5 s, and goes on",
                          answer["detail"])
            self.assertIn("nestctl show vm", answer["next"])
            self.assertEqual(self.kept(), [])
            go.set()
            events.wait_for(kind="vm-verified", uuid=self.number)
        self.assertTrue(self.kept()[0]["verified"])

    def test_many_at_once(self):
        """All who ask while one is under way get the next one."""
        go = threading.Event()
        first = threading.Event()
        def during():
            first.set()
            go.wait(nestd.REPLY_DEADLINE)
        self.agent.during = during
        connections = [nestd.Connection(self.daemon.socket, nestd.REPLY_DEADLINE) for _ in range(10)]
        for connection in connections:
            connection.request("POST", VERIFICATION)
            if connection is connections[0]:
                self.assertTrue(first.wait(nestd.REPLY_DEADLINE))
        self.daemon.get("/v1")
        go.set()
        for connection in connections:
            self.assertTrue(nestd.Answer(connection.getresponse()).json["verified"])
            connection.close()
        self.assertIn(self.agent.runs, (2, 3))

    def test_rights(self):
        self.assertEqual(self.daemon.request("POST", VERIFICATION, {"a": 1}).status, 400)


class Folders(unittest.TestCase):
    """The script as it is, run here, where the folders of a guest are mounted as they may be."""

    FOLDERS = ("/run", "/tmp", "/var/tmp", "/dev/shm")
    FULL = "size=4k"

    def setUp(self):
        probe = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
                               capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest("mounting is not permitted here")
        self.daemon = self.enterContext(Fake())
        self.daemon.define("vm", WITH_AGENT, state="running")
        self.agent = self.enterContext(Agent(self.daemon.host.directory, "vm"))

    def verify(self, *options):
        """In a guest whose folders are mounted with these options, each."""
        mounts = "".join(f"mount -t tmpfs -o {option} none {folder} && "
                         for option, folder in zip(options, self.FOLDERS))
        self.agent.guest_exec = lambda path, arg=(), **more: Agent.guest_exec(
            self.agent, "unshare", ["--mount", "sh", "-c", mounts + 'exec "$0" "$@"', path, *arg],
            **more)
        answer = self.daemon.request("POST", VERIFICATION)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["code"], answer.json["message"]

    def test_none_will_do(self):
        for options in (["noexec"] * 4, ["ro"] * 4, [self.FULL] * 4,
                        ["noexec", "ro", self.FULL, "noexec"]):
            code, message = self.verify(*options)
            self.assertEqual(code, "not-run", message)
            self.assertIn("no folder has room and may run programs", message)
            self.assertIn("/dev/shm", message)

    def test_one_will_do(self):
        """What the program then finds depends on where this runs."""
        for good in range(4):
            options = ["noexec", "ro", self.FULL, "noexec"]
            options[good] = "size=64k"
            code, message = self.verify(*options)
            self.assertNotIn(code, ("not-run", "incomplete", "unreadable"), message)


if __name__ == "__main__":
    nestd.main()
