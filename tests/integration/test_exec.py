# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands inside a VM, over an agent that carries them out here: output, status, input, and every
bad day: a guest that goes away, an agent that hangs, is late, lies, and commands that never end."""

import base64
import contextlib
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import time
import unittest

import nestd
from fake import Fake, eventually

from nest_agent import HANG, Agent

EXEC = "/v1/vms/vm/exec"


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Fake())
        self.daemon.define("vm", state="running")
        self.agent = self.enterContext(Agent(self.daemon.host.directory, "vm"))
        self.folders = set()
        self.carry_out, self.agent.do = self.agent.do, self.do

    def do(self, command, arguments):
        """Keeps in mind which folders are this nestd's: there are others beside this test."""
        self.folders.update(re.findall(r"/tmp/\.nestd-\w+", json.dumps(arguments)))
        return self.carry_out(command, arguments)

    @contextlib.contextmanager
    def asked(self, *command, **more):
        connection = nestd.Connection(self.daemon.socket, nestd.REPLY_DEADLINE)
        connection.request("POST", EXEC, json.dumps({"command": command, **more}),
                           {"Content-Type": "application/json"})
        try:
            yield connection
        finally:
            connection.close()

    def run_it(self, *command, **more):
        """Status or problem, what came over both outputs."""
        with self.asked(*command, **more) as connection:
            answer = connection.getresponse()
            lines = [json.loads(line) for line in answer.read().splitlines() if line]
        if answer.status != 200:
            return lines[0], b"", b""
        outputs = [b"".join(base64.b64decode(line[key] or "") for line in lines)
                   for key in ("out", "err")]
        last = lines[-1]
        self.assertTrue(last["ended"])
        self.assertEqual(answer.getheader("content-type"), "application/x-ndjson")
        return last["problem"] or last["signal"] or last["status"], *outputs

    def first_of(self, answer):
        """The first line that says something."""
        while not (line := answer.readline()).strip():
            pass
        return json.loads(line)

    def left(self):
        return {folder for folder in set(self.folders) if os.path.isdir(folder)}


class Exec(Case):
    def test_output_and_status(self):
        self.assertEqual(self.run_it("/bin/sh", "-c", "echo out; echo err >&2; exit 3"),
                         (3, b"out\n", b"err\n"))
        self.assertEqual(self.run_it("printf", "%s|", "a b", "$c", "ä\"\n'"),
                         (0, "a b|$c|ä\"\n'|".encode(), b""))
        self.assertEqual(self.run_it("/bin/sh", "-c", "kill -9 $$")[0], 9)
        self.assertEqual(self.run_it("no-such-command")[0], 127)
        self.assertEqual(self.left(), set())

    def test_environment_folder_and_input(self):
        script = 'echo "$A|$B|$PWD"; cat'
        self.assertEqual(
            self.run_it("/bin/sh", "-c", script, env=["A=1 2", "B=="], cwd="/usr",
                        input=base64.b64encode(b"\0in\n").decode()),
            (0, b"1 2|=|/usr\n\0in\n", b""))
        problem, _, _ = self.run_it("true", cwd="/no/such")
        self.assertEqual(problem["kind"], "vm-unfit")
        self.assertIn("/no/such", problem["detail"])
        self.assertEqual(self.left(), set())

    def test_much_output(self):
        script = "head -c 20000000 /dev/zero | tr '\\0' x; head -c 1000000 /dev/zero >&2"
        status, out, err = self.run_it("/bin/sh", "-c", script)
        self.assertEqual((status, len(err)), (0, 1000000))
        self.assertEqual(hashlib.sha256(out).digest(), hashlib.sha256(b"x" * 20000000).digest())

    def test_it_is_told_while_it_runs(self):
        with self.asked("/bin/sh", "-c", "echo begun; exec sleep 1000") as connection:
            with connection.getresponse() as answer:
                line = self.first_of(answer)
                self.assertEqual(base64.b64decode(line["out"]), b"begun\n")
                self.assertEqual(len(self.left()), 1)
        eventually(lambda: not self.agent.processes and not self.left())
        events = self.daemon.get("/v1/events?follow=0&after=0")["events"]
        message = [event["message"] for event in events if event["kind"] == "guest-exec"][0]
        self.assertIn("runs /bin/sh inside vm", message)
        self.assertNotIn("begun", message)

    def test_line_is_not_told(self):
        self.run_it("echo secret", shell=True)
        events = self.daemon.get("/v1/events?follow=0&after=0")["events"]
        messages = [event["message"] for event in events if event["kind"] == "guest-exec"]
        self.assertIn("runs a shell line inside vm", messages[0])
        self.assertNotIn("secret", messages[0])

    def test_long_name_is_told_cut(self):
        """Between characters, not within one."""
        self.run_it("/" + 198 * "x" + "ää")
        events = self.daemon.get("/v1/events?follow=0&after=0")["events"]
        message = [event["message"] for event in events if event["kind"] == "guest-exec"][0]
        self.assertIn(" runs /" + 198 * "x" + "ä inside vm", message)

    def test_what_ignores_being_ended(self):
        script = "trap '' TERM; echo begun; while :; do sleep 1; done"
        with self.asked("/bin/sh", "-c", script) as connection:
            with connection.getresponse() as answer:
                self.first_of(answer)
        eventually(lambda: not self.agent.processes and not self.left(), 30)

    def test_refused(self):
        for body in [{"command": []}, {"command": [""]}, {"command": ["a"], "env": ["x"]},
                     {"command": ["a"], "env": ["=x"]}, {"command": ["a"], "input": "?"}, {}]:
            answer = self.daemon.request("POST", EXEC, body)
            self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"), body)
        self.agent.blocked = {"guest-exec"}
        problem, _, _ = self.run_it("true")
        self.assertEqual(problem["kind"], "vm-unfit")
        self.assertIn("qemu-ga.conf", problem["next"])
        self.agent.blocked = set()
        self.agent.vanish()
        self.assertEqual(self.run_it("true")[0]["kind"], "guest-agent")
        self.daemon.host.stop("vm")
        self.assertEqual(self.run_it("true")[0]["kind"], "vm-state")

    def test_the_guest_goes_away(self):
        with self.asked("/bin/sh", "-c", "echo begun; exec sleep 1000") as connection:
            answer = connection.getresponse()
            self.first_of(answer)
            self.daemon.host.stop("vm")
            last = json.loads(answer.read().splitlines()[-1])
        self.assertEqual((last["ended"], last["problem"]["kind"]), (True, "vm-state"))
        for folder in self.left():
            eventually(lambda: self.agent.processes)
            for name in os.listdir(folder):
                os.unlink(f"{folder}/{name}")
            os.rmdir(folder)

    def test_late_answers_lose_nothing(self):
        """Answers of a read that come too late were read in the guest: they are read again."""
        late = {"guest-file-read": 2, "guest-exec-status": 1}

        def instead(command, arguments):
            late[command] = late.get(command, 0) - 1
            if late[command] != 0:
                return None
            if command == "guest-file-read":
                self.agent.guest_file_read(**arguments)
            return HANG

        self.agent.instead = instead
        status, out, _ = self.run_it("/bin/sh", "-c", "seq 100000")
        self.assertEqual(status, 0)
        self.assertEqual(out, b"".join(b"%d\n" % n for n in range(1, 100001)))

    def nestctl(self, *words, data=b"", **more):
        return subprocess.run(
            [nestd.BUILD / "cli/nestctl", "--socket", self.daemon.socket, "exec", *words],
            input=data, capture_output=True, timeout=nestd.REPLY_DEADLINE, check=False, **more)

    def test_nestctl(self):
        done = self.nestctl("--env", "A=1", "--env", "B=2", "--cwd", "/usr", "--input", "-", "vm",
                            "--", "sh", "-c", "echo $A$B$PWD; cat; echo -e >&2; exit 5",
                            data=b"\xff\0")
        self.assertEqual((done.returncode, done.stdout), (5, b"12/usr\n\xff\0"), done.stderr)
        self.assertNotEqual(done.stderr, b"")
        self.assertEqual(self.nestctl("vm", "sh").returncode, 0)
        self.assertEqual(self.nestctl("vm", "--", "sh", "-c", "kill -TERM $$").returncode, 143)
        self.assertEqual(self.nestctl("vm").returncode, 2)
        self.agent.vanish()
        done = self.nestctl("vm", "--", "true")
        self.assertEqual(done.returncode, 22)
        self.assertIn(b"not connected", done.stderr)

    def test_no_failure_becomes_success(self):
        """Windows has statuses that a process here can't end with."""
        for status, shown in (0, 0), (256, 255), (0x103, 3), (0xC0000100, 255), (-256, 255):
            self.end_with(status)
            self.assertEqual(self.nestctl("vm", "--", "true").returncode, shown, status)

    def end_with(self, status):
        """The next command does, and what nestd runs after it as it does."""
        statuses = [status]

        def instead(command, arguments):
            if command != "guest-exec-status" or not statuses:
                return None
            answer = self.agent.do(command, arguments)
            if answer["exited"]:
                answer["exitcode"] = statuses.pop()
            return {"return": answer}

        self.agent.instead = instead

    def exec_into(self, output, *more):
        """nestctl, for a command that goes on printing, with that as standard output."""
        script = "trap '' PIPE; while echo x; do sleep 0.1; done"
        return subprocess.Popen([nestd.BUILD / "cli/nestctl", "--socket", self.daemon.socket,
                                 "exec", *more, "vm", "--", "sh", "-c", script],
                                stdout=output, stderr=subprocess.PIPE)

    def test_nobody_reads(self):
        for more in [], ["--json"]:
            with self.subTest(more), self.exec_into(subprocess.PIPE, *more) as process:
                process.stdout.readline()
                process.stdout.close()
                self.assertEqual(process.wait(nestd.REPLY_DEADLINE), 141)
                self.assertEqual(process.stderr.read(), b"")
            eventually(lambda: not self.agent.processes and not self.left())

    def test_it_can_not_be_written(self):
        for more in [], ["--json"]:
            with self.subTest(more), open("/dev/full", "wb") as full, \
                    self.exec_into(full, *more) as process:
                self.assertEqual(process.wait(nestd.REPLY_DEADLINE), 3)
                self.assertIn(b"No space left", process.stderr.read())
            eventually(lambda: not self.agent.processes and not self.left())

    def test_output_that_does_not_block(self):
        there, here = os.pipe()
        os.set_blocking(here, False)
        with open(there, "rb") as stream, open(here, "wb", buffering=0) as output:
            process = subprocess.Popen(
                [nestd.BUILD / "cli/nestctl", "--socket", self.daemon.socket, "exec", "vm", "--",
                 "head", "-c", "1000000", "/dev/zero"], stdout=output)
            with process:
                eventually(lambda: not select.select([], [output], [], 0)[1])
                output.close()
                self.assertEqual(stream.read(), bytes(1000000))
                self.assertEqual(process.wait(nestd.REPLY_DEADLINE), 0)

    def test_interrupted(self):
        with subprocess.Popen([nestd.BUILD / "cli/nestctl", "--socket", self.daemon.socket, "exec",
                               "vm", "--", "sh", "-c", "echo begun; exec sleep 1000"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            self.assertEqual(process.stdout.readline(), b"begun\n")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(nestd.REPLY_DEADLINE), 130)
        eventually(lambda: not self.agent.processes and not self.left())

    def test_garbage(self):
        chunk = {"count": 3, "buf-b64": "YWJj", "eof": False}
        for command, answer in [
                ("guest-exec", {"return": {"pid": 0}}), ("guest-exec", {"return": {"pid": "1"}}),
                ("guest-exec", b"nonsense"), ("guest-file-open", {"return": "1"}),
                ("guest-file-read", {"return": {**chunk, "count": 4}}),
                ("guest-file-read", {"return": {**chunk, "buf-b64": "YW!j"}}),
                ("guest-file-read", {"return": {**chunk, "buf-b64": "YWJ"}}),
                ("guest-file-read", {"return": {**chunk, "count": 393216,
                                                "buf-b64": "YWJj" * 131072}}),
                ("guest-file-read", {"return": {**chunk, "eof": "no"}})]:
            self.agent.instead = lambda asked, _, command=command, answer=answer: (
                answer if asked == command else None)
            with self.subTest(command=command, answer=str(answer)[:80]):
                self.assertEqual(self.once("true")["kind"], "guest-agent")
        self.daemon.get("/v1")

    def once(self, *command):
        """As run_it, without patience for an agent that goes on like this."""
        began = time.monotonic()
        problem = self.run_it(*command)[0]
        self.assertLess(time.monotonic() - began, 20)
        return problem


if __name__ == "__main__":
    nestd.main()
