# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names and bodies that are not what they should be, and clients that are not."""

import os
import resource
import socket
import time
import unittest
import uuid
from xml.sax import saxutils
from urllib.parse import quote

import nestd
from fake import XML, Fake, eventually

NOBODY = 65534
ESCAPES = "\x1b[2J\x1b]0;owned\x07"

# Names that libvirt may have, and that harm where they are not quoted.
ODD_NAMES = ["-rf", "--yes", ". .", "a<b&c>", "a'b", "name with spaces", "ünïcödé",
             "\u202egnp.exe", "a\u200bb", "😀", "x" * 200, "%2e%2e", "%00", "a?b=c", "a#b"]
NAMES_REFUSED = ["", "x" * 300, "x" * 64, "/", "..", ".", "a/b", "a b", "a\nb", "\t", ESCAPES, "é",
                 "\u202ex", "-x", "_x", "a,b", "a=b", "a%", "\ufeff", "\ud800"]


class TestNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def problem(self, answer, status, kind):
        self.assertEqual((answer.status, answer.json["kind"]), (status, kind), answer)
        self.assertTrue(answer.json["detail"])

    def test_unknown(self):
        for name in ("nope", str(uuid.uuid4()), "x" * 255, "ü", "😀", "a b", "%", "-"):
            for method, part, body in (
                    ("GET", "", None), ("GET", "/nested", None), ("DELETE", "", None),
                    ("PUT", "/nested", {"enabled": True}), ("PUT", "/state", {"state": "off"}),
                    ("POST", "/nested/plan", {"enabled": True})):
                path = f"/v1/vms/{quote(name, safe='')}{part}"
                self.problem(self.daemon.request(method, path, body), 404, "vm-not-found")

    def test_impossible(self):
        for name, status in (("x" * 256, 404), ("x" * 10000, 404), ("a%00b", 400), ("%ff", 400),
                             ("..", 404), ("%2e%2e", 404), ("a%2fb", 404), ("", 404), ("%zz", 400),
                             ("../../etc/passwd", 404)):
            answer = self.daemon.request("GET", "/v1/vms/" + name)
            self.assertEqual(answer.status, status, (name, answer))

    def test_create(self):
        there = self.daemon.define("there")
        before = self.daemon.host.vms()
        for name in [*NAMES_REFUSED, there.upper(), str(uuid.uuid4())]:
            body = {"name": name, "memory_kib": 65536, "disk_bytes": 1 << 20, "network": "none"}
            with self.subTest(name):
                self.problem(self.daemon.request("POST", "/v1/vms", body), 400, "invalid-request")
        for name in ("there", there):
            body = {"name": name, "memory_kib": 65536, "network": "none"}
            self.problem(self.daemon.request("POST", "/v1/vms", body), 409, "vm-exists")
        self.assertEqual(self.daemon.host.vms(), before)
        disks = self.daemon.state / "disks"
        self.assertEqual(list(disks.iterdir()) if disks.exists() else [], [])

    def test_create_through_nestctl(self):
        for name in ["x" * 300, "a/b", "..", "a\nb", ESCAPES, "\u202ex"]:
            said = self.daemon.nestctl("create", name, "--memory", "64M")
            self.assertEqual(said.returncode, 2, said)
            self.harmless(said)

    def harmless(self, said):
        for text in (said.stdout, said.stderr):
            self.assertFalse([c for c in text if (c < " " and c != "\n") or c in "\x7f\u202e\u200b"
                              or "\x80" <= c < "\xa0"], repr(text))

    def test_odd_names_of_others(self):
        """A VM that others named oddly is found, changed, and shown without harm."""
        for name in ODD_NAMES:
            with self.subTest(name):
                number = self.daemon.define(saxutils.escape(name))
                found = self.daemon.request("GET", "/v1/vms/" + quote(name, safe=""))
                self.assertEqual(found.status, 200, found)
                self.assertEqual(found.json["uuid"], number)
                for words in (["show", "--", name], ["show", number], ["list"], ["status"],
                              ["status", "--", name]):
                    self.harmless(self.daemon.nestctl(*words))
                done = self.daemon.change("PUT", f"/v1/vms/{number}/nested", {"enabled": True})
                self.assertEqual(done["state"], "done", done)
                self.daemon.change("DELETE", f"/v1/vms/{number}")

    def test_uuid_as_the_name_of_another(self):
        """Who is meant by a UUID is who has it, whatever others are called."""
        first = self.daemon.define("first")
        second = self.daemon.define(first)
        self.assertEqual(self.daemon.get(f"/v1/vms/{first}")["name"], "first")
        done = self.daemon.change("PUT", f"/v1/vms/{first}/nested", {"enabled": True})
        self.assertEqual(done["uuid"], first)
        self.assertEqual(self.daemon.get(f"/v1/vms/{second}")["name"], first)
        self.assertNotIn("check='full'", self.daemon.host.vm(first)["xml"])

    def test_hostile_texts_of_a_definition(self):
        """What a definition says is shown without harm, too."""
        number = str(uuid.uuid4())
        xml = XML.format(name="texts", uuid=number).replace(
            "<source bridge='br0'/>", "<source bridge='br\u202e0\u200b'/>").replace(
            "filter='clean-traffic'", "filter='clean-traffic&#x85;'")
        with self.daemon.events() as events:
            self.daemon.host.define(xml)
            events.wait_for(kind="vm-added", uuid=number)
        for words in (["show", "texts"], ["status", "texts"], ["status", "--all"],
                      ["--json", "show", "texts"]):
            self.harmless(self.daemon.nestctl(*words))


class TestBodies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())
        cls.daemon.define("vm")

    def test_refused(self):
        """Nothing is guessed."""
        before = self.daemon.host.vm("vm")
        deep = 100000
        bodies = [b"", b"{", b"nonsense", b"[]", b'"x"', b"null", b"{}", b'{"enabled": "true"}',
                  b'{"enabled": 1}', b'{"enabled": null}', b'{"enabled": true, "enabled": false}',
                  b'{"enabled": true, "more": 1}', b'{"enabled": true} {}', b'{"enabled": true,}',
                  b"{'enabled': true}", b'{"enabled": true, "decline": "memory"}',
                  b'{"enabled": true, "decline": [1]}', b'{"enabled": true, "plan": {}}',
                  b"[" * deep, b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep,
                  b'{"enabled": true, "decline": ' + b"[" * deep + b"]" * deep + b"}",
                  b'{"enabled": NaN}', b'{"enabled": 1e999}', b'\xff\xfe{"enabled": true}',
                  b'\xef\xbb\xbf{"enabled": true}x', b'{"enabled": true, "plan": "\xff"}',
                  b'{"enabled": true, "plan": "\\ud800"}', b'{"enabled": true}\x00']
        for body in bodies:
            with self.subTest(body[:60]):
                answer = self.daemon.request("PUT", "/v1/vms/vm/nested", body,
                                             {"Content-Type": "application/json"})
                self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"))
        self.assertEqual(self.daemon.host.vm("vm"), before)
        self.assertEqual(self.daemon.get("/v1/operations")["operations"], [])

    def test_numbers(self):
        for key, value in (("memory_kib", -1), ("memory_kib", 0), ("memory_kib", 1 << 63),
                           ("memory_kib", 1 << 70), ("memory_kib", 1.5), ("memory_kib", 1e300),
                           ("vcpus", 1 << 32), ("vcpus", 100000), ("disk_bytes", 1 << 62)):
            body = {"name": "new", "memory_kib": 65536, "network": "none", key: value}
            answer = self.daemon.request("POST", "/v1/vms", body)
            self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"), body)

    def test_two_mebibytes(self):
        body = b'{"enabled": true, "plan": "' + b"x" * (2 << 20) + b'"}'
        answer = self.daemon.request("PUT", "/v1/vms/vm/nested", body,
                                     {"Content-Type": "application/json"})
        self.assertEqual((answer.status, answer.json["kind"]), (413, "too-large"))

    def test_method_path_and_kind(self):
        good = b'{"enabled": true}'
        rows = [("PATCH", "/v1/vms/vm/nested", good, "application/json", 405),
                ("PUT", "/v1/vms", good, "application/json", 405),
                ("PUT", "/v1/vms/vm/nested/", good, "application/json", 404),
                ("PUT", "/v1/vms/vm/Nested", good, "application/json", 404),
                ("PUT", "/v2/vms/vm/nested", good, "application/json", 404),
                ("PUT", "/v1/vms/vm/nested?force=1", good, "application/json", 400),
                ("PUT", "/v1/vms/vm/nested", good, "text/plain", 415),
                ("PUT", "/v1/vms/vm/nested", good, "application/x-www-form-urlencoded", 415)]
        for method, path, body, kind, status in rows:
            answer = self.daemon.request(method, path, body, {"Content-Type": kind})
            self.assertEqual(answer.status, status, (method, path, kind, answer))
            self.assertEqual(answer.json["status"], status)
        self.assertEqual(self.daemon.get("/v1/operations")["operations"], [])


class TestCrowd(unittest.TestCase):
    def crowd(self, daemon, count, uid, data):
        """That many connections of that user, which send data and wait; those that are let in."""
        there = []
        os.seteuid(uid)
        try:
            for _ in range(count):
                client = nestd.connected(daemon.socket, nestd.REPLY_DEADLINE)
                client.setblocking(False)
                try:
                    client.send(data)
                except OSError:
                    pass
                there.append(client)
                if len(there) > 900:
                    there.pop(0).close()
        finally:
            os.seteuid(0)
        return there

    def quick(self, daemon):
        times = []
        for _ in range(50):
            began = time.monotonic()
            self.assertEqual(daemon.request("GET", "/v1/vms").status, 200)
            times.append(time.monotonic() - began)
        self.assertLess(sorted(times)[45], 0.1)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be others")
    def test_ten_thousand(self):
        """Ten thousand of one user, idle or with half a request, do not disturb another."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
        with Fake() as daemon:
            daemon.define("vm")
            daemon.get("/v1/vms")
            eventually(lambda: not daemon.under_way("read"))
            before = daemon.descriptors()
            daemon.socket.chmod(0o666)
            half = b"PUT /v1/vms/vm/nested HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{"
            for data in (b"", b"GET /v1 HT", half):
                there = self.crowd(daemon, 3400, NOBODY, data)
                self.quick(daemon)
                self.assertLess(daemon.descriptors(), before + 300)
                done = daemon.change("PUT", "/v1/vms/vm/nested", {"enabled": data == b""})
                self.assertIn(done and done["state"], (None, "done"))
                for client in there:
                    client.close()
            eventually(lambda: daemon.descriptors() <= before)
            self.assertLess(daemon.log().count("\n"), 200)

    def test_drip(self):
        """A byte now and then does not hold anything up, and goes with its connection."""
        with Fake() as daemon:
            before = daemon.descriptors()
            there = [socket.socket(socket.AF_UNIX) for _ in range(20)]
            for client in there:
                client.connect(str(daemon.socket))
            for byte in b"GET /v1/vms HTTP/1.1\r\nHost: a\r\nX":
                for client in there:
                    client.send(bytes([byte]))
                self.assertEqual(daemon.request("GET", "/v1").status, 200)
            for client in there:
                client.close()
            eventually(lambda: daemon.descriptors() <= before)

    def test_half_a_request_ends(self):
        """Who never finishes a request is sent away in bounded time."""
        with Fake() as daemon, socket.socket(socket.AF_UNIX) as client:
            client.settimeout(nestd.REPLY_DEADLINE)
            client.connect(str(daemon.socket))
            client.sendall(b"GET /v1 HT")
            began = time.monotonic()
            while client.recv(4096):
                pass
            self.assertLess(time.monotonic() - began, nestd.REPLY_DEADLINE)


if __name__ == "__main__":
    nestd.main()
