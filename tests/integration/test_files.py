# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files put into a VM and got out of it, over an agent that has them here: whole or not at all, on
good days and on bad ones."""

import base64
import hashlib
import json
import os
import pathlib
import stat
import subprocess
import tempfile
import time
import unittest

import nestd
from fake import Fake

from nest_agent import HANG, Agent

FILE = "/v1/vms/vm/file"
BIG = bytes(range(256)) * 4096 * 8  # 8 MiB


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Fake())
        self.daemon.define("vm", state="running")
        self.agent = self.enterContext(Agent(self.daemon.host.directory, "vm"))
        self.inside = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = self.inside / "a file"

    def connect(self, deadline=nestd.REPLY_DEADLINE):
        connection = nestd.Connection(self.daemon.socket, deadline)
        self.addCleanup(connection.close)
        return connection

    def put(self, data, path=None, query=""):
        """Status and JSON of the answer."""
        connection = self.connect()
        connection.request("PUT", self.url(path) + query, data)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def url(self, path=None):
        return f"{FILE}?path={str(path or self.file).replace(' ', '%20')}"

    def get(self, path=None):
        """What came of the file and the last line, or the problem."""
        connection = self.connect()
        connection.request("GET", self.url(path))
        answer = connection.getresponse()
        lines = [json.loads(line) for line in answer.read().splitlines() if line]
        if answer.status != 200:
            return b"", lines[0]
        self.assertTrue(lines[-1]["ended"])
        data = b"".join(base64.b64decode(line["data"] or "") for line in lines)
        return data, lines[-1]["file"] or lines[-1]["problem"]

    def assert_refused(self, answer, status, kind, text=""):
        self.assertEqual((answer[0], answer[1]["kind"]), (status, kind), answer)
        self.assertIn(text, answer[1]["detail"])

    def names(self):
        return sorted(os.listdir(self.inside))


class Files(Case):
    # ---- put ----

    def test_put(self):
        for data in b"", b"x", b"\0\xff\n" * 100, BIG:
            status, file = self.put(data)
            self.assertEqual(status, 200, file)
            self.assertEqual(file, {
                "path": str(self.file), "size": len(data), "mode": "644", "verified": "sha256",
                "sha256": hashlib.sha256(data).hexdigest()})
            self.assertEqual(self.file.read_bytes(), data)
            self.assertEqual(self.names(), [self.file.name])
            self.assertEqual(self.agent.files, {})
        events = self.daemon.get("/v1/events?follow=0&after=0")["events"]
        told = [event["message"] for event in events if event["kind"] == "guest-push"]
        self.assertIn(f"puts {self.file} into vm", told[0])

    def test_long_path_is_told_cut(self):
        """Between characters, not within one."""
        self.put(b"", "/" + 198 * "x" + "%c3%a4" * 2 + "/y")
        events = self.daemon.get("/v1/events?follow=0&after=0")["events"]
        message = [event["message"] for event in events if event["kind"] == "guest-push"][0]
        self.assertIn(" puts /" + 198 * "x" + "ä into vm", message)

    def test_modes(self):
        self.assertEqual(self.put(b"1", query="&mode=4750")[1]["mode"], "4750")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o4750)
        self.assertEqual(self.put(b"2")[1]["mode"], "4750")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o4750)
        self.assertEqual(self.file.read_bytes(), b"2")

    def test_put_over_a_link(self):
        """The file that it leads to is replaced, beside which the part is; the link stays."""
        elsewhere = self.inside / "else where"
        elsewhere.mkdir()
        target = elsewhere / "target\n"
        for to in target, "else where/target\n":
            target.write_bytes(b"old")
            target.chmod(0o600)
            os.chown(target, 1234, 1234)
            self.file.unlink(missing_ok=True)
            self.file.symlink_to(to)
            status, file = self.put(b"new")
            self.assertEqual((status, file.get("mode"), file.get("path")),
                             (200, "600", str(self.file)), file)
            info = target.stat()
            self.assertEqual((stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid),
                             (0o600, 1234, 1234))
            self.assertEqual((target.read_bytes(), os.readlink(self.file)), (b"new", str(to)))
            self.assertEqual(os.listdir(elsewhere), [target.name])
        target.unlink()
        self.assertEqual(self.put(b"made")[1]["mode"], "644")
        self.assertEqual((target.read_bytes(), self.file.is_symlink()), (b"made", True))

    def test_put_over_a_link_refused(self):
        for to, why in [("no/such", "leads nowhere"), (self.file.name, "leads nowhere"),
                        (".", "no ordinary file"), (b"\xff", "no text")]:
            self.file.unlink(missing_ok=True)
            os.symlink(to, os.fsencode(self.file) if isinstance(to, bytes) else self.file)
            self.assert_refused(self.put(b"x"), 409, "vm-unfit", why)
            self.assertEqual((self.names(), self.file.is_symlink()), ([self.file.name], True))

    def test_get_a_link(self):
        target = self.inside / "target"
        target.write_bytes(b"what it leads to")
        target.chmod(0o640)
        for to in target, "target":
            self.file.unlink(missing_ok=True)
            self.file.symlink_to(to)
            data, file = self.get()
            self.assertEqual((data, file.get("mode"), file.get("verified")),
                             (b"what it leads to", "640", "sha256"), file)

    def test_the_part_is_nobodys_business(self):
        seen = []

        def instead(command, _):
            if command == "guest-file-write":
                seen.extend(stat.S_IMODE(path.stat().st_mode)
                            for path in self.inside.glob(".nestd-*"))
        self.agent.instead = instead
        self.assertEqual(self.put(b"secret")[0], 200)
        self.assertEqual(seen, [0o600])

    def test_put_refused(self):
        for query in "", "?path=", "?path=relative", "?path=/folder/", "?path=/a&mode=999", \
                "?path=/a&mode=rw", "?path=/a&path=/b", "?path=%00", "?path=%ff", \
                "?path=/a&x=1", "?path=/" + "a" * 4000:
            connection = self.connect()
            connection.request("PUT", FILE + query, b"x")
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())["kind"]),
                             (400, "invalid-request"), query)
        self.assert_refused(self.put(b"", self.inside / "no" / "file"), 409, "vm-unfit", "no folder")
        self.assert_refused(self.put(b"", self.inside), 409, "vm-unfit", "no ordinary file")
        self.assert_refused(self.put(b"", "/dev/null"), 409, "vm-unfit", "no ordinary file")
        self.agent.blocked = {"guest-file-write"}
        self.assert_refused(self.put(b""), 409, "vm-unfit", "may not write files")
        self.agent.vanish()
        self.assert_refused(self.put(BIG), 502, "guest-agent", "not connected")
        self.daemon.host.stop("vm")
        self.assert_refused(self.put(BIG), 409, "vm-state")
        self.assertEqual(self.names(), [])

    def test_much_that_is_refused_is_let_pass(self):
        self.assert_refused(self.put(BIG * 4, "relative"), 400, "invalid-request")
        self.assertEqual(self.put(b"")[0], 200)

    def test_too_large(self):
        connection = self.connect()
        connection.putrequest("PUT", self.url())
        connection.putheader("Content-Length", str((64 << 30) + 1))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)

    def test_no_room(self):
        def instead(command, _):
            if command == "guest-file-write" and len(self.agent.asked) > 12:
                return {"error": {"class": "GenericError",
                                  "desc": "failed to write to file: No space left on device"}}
            return None
        self.file.write_bytes(b"old")
        self.agent.instead = instead
        self.assert_refused(self.put(BIG), 502, "hypervisor", "No space left")
        self.assertEqual((self.names(), self.file.read_bytes()), ([self.file.name], b"old"))
        self.agent.instead = lambda command, _: None
        self.assert_refused(self.declare(60 << 30, "/dev/shm/file"), 409, "vm-unfit", "are free in")
        self.assertEqual(self.names(), [self.file.name])
        self.assertEqual(self.agent.files, {})

    def declare(self, size, path):
        """Puts a file of that size, of which nothing comes before the answer."""
        connection = self.connect()
        connection.putrequest("PUT", self.url(path))
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_another_in_the_guest(self):
        def instead(command, arguments):
            if command == "guest-file-write":
                self.agent.guest_file_write(arguments["handle"], base64.b64encode(b"no").decode())
                return {"return": {"count": 3, "eof": False}}
            return None
        self.agent.instead = instead
        self.assert_refused(self.put(b"yes"), 409, "vm-unfit", "2 of 3 bytes")
        self.assertEqual(self.names(), [])

    def test_late_answers_write_nothing_twice(self):
        late = {"guest-file-write": 3}

        def instead(command, arguments):
            late[command] = late.get(command, 0) - 1
            if late[command] != 0:
                return None
            self.agent.do(command, arguments)
            return HANG
        self.agent.instead = instead
        self.assertEqual(self.put(BIG[:2000000])[0], 200)
        self.assertEqual(self.file.read_bytes(), BIG[:2000000])

    def test_it_takes_less(self):
        def instead(command, arguments):
            if command == "guest-file-write" and "count" not in arguments:
                return {"return": self.agent.do(command, {**arguments, "count": 100000})}
            return None
        self.agent.instead = instead
        self.assertEqual(self.put(BIG[:1000000])[0], 200)
        self.assertEqual(self.file.read_bytes(), BIG[:1000000])

    def test_garbage(self):
        for command, answer in [
                ("guest-file-open", {"return": "1"}), ("guest-file-open", b"\xff"),
                ("guest-file-write", {"return": {"count": 0, "eof": False}}),
                ("guest-file-write", {"return": {"count": 2, "eof": False}}),
                ("guest-file-write", {"return": {"count": -1, "eof": False}}),
                ("guest-file-write", {"return": {}}), ("guest-file-write", b"[" * 100000),
                ("guest-file-read", {"return": {"count": 1, "buf-b64": "!", "eof": True}}),
                ("guest-file-read", b'{"return": {"count": 1, "buf-b64": "\xff", "eof": true}}')]:
            self.agent.instead = lambda asked, _, command=command, answer=answer: (
                answer if asked == command else None)
            with self.subTest(command=command, answer=str(answer)[:80]):
                self.file.write_bytes(b"old")
                if "read" in command:
                    self.assertEqual(self.get()[1]["kind"], "guest-agent")
                else:
                    self.assert_refused(self.put(b"x"), 502, "guest-agent")
                self.assertEqual((self.names(), self.file.read_bytes()),
                                 ([self.file.name], b"old"))

    # ---- get ----

    def test_get(self):
        for data in b"", b"x", BIG:
            self.file.write_bytes(data)
            self.file.chmod(0o640)
            got, file = self.get()
            self.assertEqual(got, data)
            self.assertEqual(file, {
                "path": str(self.file), "size": len(data), "mode": "640", "verified": "sha256",
                "sha256": hashlib.sha256(data).hexdigest()})
        self.assertEqual(self.agent.files, {})
        events = self.daemon.get("/v1/events?follow=0&after=0")["events"]
        self.assertTrue([event for event in events if event["kind"] == "guest-pull"])

    def test_get_what_has_no_size(self):
        data, file = self.get("/proc/version")
        self.assertEqual(data, pathlib.Path("/proc/version").read_bytes())
        self.assertEqual(file["verified"], "none")

    def test_get_refused(self):
        self.assertIn("No such file", self.get()[1]["detail"])
        self.assertIn("directory", self.get(self.inside)[1]["detail"])
        answer = self.daemon.request("HEAD", self.url())
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, PUT"))
        self.agent.blocked = {"guest-exec"}
        self.file.write_bytes(b"x")
        data, file = self.get()
        self.assertEqual((data, file["verified"], file["mode"]), (b"x", "none", None))

    def test_it_changes(self):
        def instead(command, _):
            if command == "guest-file-close":
                self.file.write_bytes(change)
        self.agent.instead = instead
        for change, kind in [(b"other", "not-verified"), (b"x", "not-verified"), (b"old, grown", None)]:
            self.file.write_bytes(b"old")
            self.assertEqual(self.get()[1].get("kind"), kind)

    def test_get_late(self):
        late = {"guest-file-read": 2}

        def instead(command, arguments):
            late[command] = late.get(command, 0) - 1
            if late[command] != 0:
                return None
            self.agent.do(command, arguments)
            return HANG
        self.agent.instead = instead
        self.file.write_bytes(BIG[:1000000])
        self.assertEqual(self.get()[0], BIG[:1000000])

    def test_nothing_is_not_the_end(self):
        nothing = [{"return": {"count": 0, "buf-b64": "", "eof": False}}] * 4

        def instead(command, _):
            return nothing.pop() if command == "guest-file-read" and nothing else None
        self.agent.instead = instead
        self.file.write_bytes(b"late")
        began = time.monotonic()
        self.assertEqual(self.get()[0], b"late")
        self.assertGreater(time.monotonic() - began, 0.9)  # it is not asked all the time

    def test_raw(self):
        self.file.write_bytes(BIG)
        connection = self.connect()
        connection.request("GET", self.url() + "&raw=1")
        self.assertEqual(connection.getresponse().read(), BIG)

    # ---- nestctl and curl ----

    def nestctl(self, *words, data=b"", **more):
        return subprocess.run(
            [nestd.BUILD / "cli/nestctl", "--socket", self.daemon.socket, "guest", *words],
            input=data, capture_output=True, timeout=nestd.REPLY_DEADLINE, check=False, **more)

    def test_nestctl(self):
        outside = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        local = outside / "local"
        local.write_bytes(BIG)
        local.chmod(0o751)
        done = self.nestctl("push", "--mode", "keep", "vm", local, f"{self.inside}/")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"8.0 MiB written; the guest says the same SHA-256", done.stdout)
        there = self.inside / "local"
        self.assertEqual((there.read_bytes(), stat.S_IMODE(there.stat().st_mode)), (BIG, 0o751))
        local.unlink()
        done = self.nestctl("--jason", "pull", "--mode", "keep", "vm", there, outside)
        self.assertEqual(done.returncode, 2)
        done = self.nestctl("pull", "--json", "--mode", "keep", "vm", there, outside)
        self.assertEqual(json.loads(done.stdout)["size"], len(BIG), done.stderr)
        self.assertEqual((local.read_bytes(), stat.S_IMODE(local.stat().st_mode)), (BIG, 0o751))
        self.assertEqual(os.listdir(outside), ["local"])
        self.assertEqual(self.nestctl("push", "vm", "-", self.file, data=b"\0in").returncode, 0)
        done = self.nestctl("pull", "vm", self.file, "-")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"\0in", b""))

    def test_nestctl_fails(self):
        outside = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        done = self.nestctl("pull", "vm", "/no/such", outside / "x")
        self.assertEqual(done.returncode, 16, done.stderr)
        self.assertIn(b"No such file", done.stderr)
        self.assertEqual(self.nestctl("push", "vm", outside, self.file).returncode, 2)
        self.assertEqual(self.nestctl("push", "vm", outside / "x", self.file).returncode, 2)
        self.assertEqual(self.nestctl("push", "--mode", "8", "vm", "-", self.file).returncode, 2)
        (outside / "big").write_bytes(BIG)
        self.assertEqual(self.nestctl("push", "vm", outside / "big", "x").returncode, 2)
        self.assertEqual(os.listdir(outside), ["big"])
        self.assertEqual(self.names(), [])


if __name__ == "__main__":
    nestd.main()
