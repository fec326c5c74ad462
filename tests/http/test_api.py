# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the API answers, over the real socket and canned answers."""
import json
import os
import unittest
from urllib.parse import quote

from nest_stub import NOBODY, Client, Stub, eventually

AS_ROOT = unittest.skipUnless(os.geteuid() == 0, "only root can be others")


class Case(unittest.TestCase):
    arguments = ()

    def setUp(self):
        self.stub = Stub(*self.arguments)
        self.addCleanup(self.stub.stop)

    def ask(self, method, path, body=None, uid=None, **headers):
        with self.stub.client(uid) as client:
            return client.ask(method, path, body, **headers)

    def problem(self, reply, status, kind):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["content-type"], "application/problem+json")
        document = reply.json()
        self.assertEqual((document["status"], document["kind"]), (status, kind))
        self.assertEqual(document["type"], "urn:nestd:problem:" + kind)
        self.assertTrue(document["title"] and document["detail"])
        self.assertIn("next", document)
        return document


class Reading(Case):
    def test_resources(self):
        self.assertEqual(self.ask("GET", "/v1").json()["vms"], 3)
        self.assertEqual(self.ask("GET", "/v1/host").json()["name"], "stub")
        vms = self.ask("GET", "/v1/vms").json()["vms"]
        self.assertEqual([vm["name"] for vm in vms], ["vm0", "zwei Wörter", "vm2"])
        self.assertNotIn("checks", vms[0])
        full = self.ask("GET", "/v1/vms?full=1").json()["vms"]
        self.assertEqual(len(full[2]["checks"]), 13)
        status = self.ask("GET", "/v1/status").json()
        self.assertEqual([len(vm["checks"]) for vm in status["vms"]], [1, 1, 1])
        self.assertEqual(status["host"]["name"], "stub")
        status = self.ask("GET", "/v1/status?all=1").json()
        self.assertEqual([len(vm["checks"]) for vm in status["vms"]], [13, 13, 13])
        checks = self.ask("GET", "/v1/checks").json()["checks"]
        nested = next(check for check in checks if check["id"] == "host.kvm.nested")
        self.assertEqual((nested["scope"], nested["level"]), ("host", "fail"))
        self.assertTrue(nested["meaning"] and nested["why"] and nested["fix"] and nested["source"])
        openapi = self.ask("GET", "/v1/openapi.json").json()
        self.assertIn("/v1/vms/{vm}", openapi["paths"])

    def test_one_vm(self):
        name = quote("zwei Wörter")
        vm = self.ask("GET", f"/v1/vms/{name}").json()
        self.assertEqual(vm, self.ask("GET", "/v1/vms/" + vm["uuid"]).json())
        nested = self.ask("GET", f"/v1/vms/{name}/nested").json()
        self.assertEqual(nested, {"enabled": True, "nesting": "on", "extension": "vmx",
                                  "supports": False, "checks": vm["checks"]})
        self.problem(self.ask("GET", "/v1/vms/no"), 404, "vm-not-found")
        self.problem(self.ask("GET", "/v1/vms/no/nested"), 404, "vm-not-found")
        self.problem(self.ask("GET", "/v1/vms/a%2fb"), 404, "vm-not-found")
        self.problem(self.ask("GET", "/v1/vms/a%00b"), 400, "invalid-request")

    def test_checks(self):
        host = self.ask("GET", "/v1/host/checks?all=1").json()
        self.assertEqual(host, {"uuid": None, "name": "stub", "supports": False, "checks": []})
        vm = self.ask("GET", "/v1/vms/vm0/checks").json()
        self.assertEqual((vm["name"], [check["id"] for check in vm["checks"]]),
                         ("vm0", ["vm.bad"]))
        self.assertEqual(len(self.ask("GET", "/v1/vms/vm0/checks?all=1").json()["checks"]), 13)
        self.problem(self.ask("GET", "/v1/vms/no/checks"), 404, "vm-not-found")
        self.problem(self.ask("GET", "/v1/host/checks?all=2"), 400, "invalid-request")

    def test_etag(self):
        reply = self.ask("GET", "/v1/vms/vm0")
        etag = reply.headers["etag"]
        for value in (etag, "*", f'"x", {etag}', "W/" + etag):
            again = self.ask("GET", "/v1/vms/vm0", If_None_Match=value)
            self.assertEqual((again.status, again.body), (304, b""))
            self.assertEqual(again.headers["etag"], etag)
        self.assertEqual(self.ask("GET", "/v1/vms/vm0", If_None_Match='"x"').status, 200)

    def test_head(self):
        with self.stub.client() as client:
            for path in ("/v1", "/v1/vms", "/v1/status", "/v1/vms/vm0", "/v1/events", "/v1/no"):
                got = client.ask("HEAD", path)
                length = int(got.headers["content-length"])
                if path != "/v1/events":
                    self.assertEqual(length, len(client.ask("GET", path).body))
            self.assertEqual(client.ask("GET", "/v1").status, 200)

    def test_refusals(self):
        self.problem(self.ask("GET", "/v1/no"), 404, "no-such-path")
        self.assertEqual(self.ask("PATCH", "/v1/vms").headers["allow"], "GET, HEAD, POST")
        self.problem(self.ask("PATCH", "/v1/vms"), 405, "method-not-allowed")
        for query in ("x=1", "full=2", "full=1&full=1", "full", "full=1&x"):
            self.problem(self.ask("GET", "/v1/vms?" + query), 400, "invalid-request")
        self.problem(self.ask("GET", "/v1/vms", {}), 400, "invalid-request")


class Changing(Case):
    arguments = ("reply=300",)

    def test_accepted(self):
        reply = self.ask("PUT", "/v1/vms/vm0/state", {"state": "running"}, If_Match='"r+12"')
        self.assertEqual((reply.status, reply.headers["location"]), (202, "/v1/operations/1"))
        operation = reply.json()
        self.assertEqual(operation["note"], "r")  # the stub tells what If-Match it was given
        self.assertEqual(operation["uid"], os.geteuid())
        self.assertEqual(operation["pid"], os.getpid())
        self.assertEqual(operation, self.ask("GET", "/v1/operations/1").json())
        self.assertEqual([operation], self.ask("GET", "/v1/operations").json()["operations"])
        self.assertEqual([], self.ask("GET", "/v1/operations?before=1").json()["operations"])
        reply = self.ask("DELETE", "/v1/operations/1")
        self.assertEqual((reply.status, reply.json()["state"]), (202, "aborted"))
        self.problem(self.ask("DELETE", "/v1/operations/2"), 404, "operation-not-found")
        self.assertIn("PUT /v1/vms/vm0/state by uid=0" if os.geteuid() == 0 else "PUT",
                      self.stub.text())

    def test_other_changes(self):
        spec = {"name": "new", "memory_kib": 1024, "vcpus": None}
        self.assertEqual(self.ask("POST", "/v1/vms", spec).status, 202)
        self.assertEqual(self.ask("DELETE", "/v1/vms/vm0?keep_disks=1").status, 202)
        self.assertEqual(self.ask("PUT", "/v1/vms/vm0/nested", {"enabled": True}).status, 202)
        reply = self.ask("POST", "/v1/vms/vm0/nested/plan", {"enabled": True})
        self.assertEqual((reply.json()["hash"], reply.headers["etag"]), ("feed", '"feed"'))

    def test_undo(self):
        revisions = self.ask("GET", "/v1/vms/vm0/history").json()["revisions"]
        self.assertEqual([(r["id"], r["kind"]) for r in revisions], [(7, "enable")])
        self.problem(self.ask("GET", "/v1/vms/vm0/history?limit=1001"), 400, "invalid-request")
        reply = self.ask("POST", "/v1/vms/vm0/undo/plan", {"to": None})
        self.assertEqual((reply.json()["hash"], reply.headers["etag"]), ("feed", '"feed"'))
        self.assertEqual(self.ask("PUT", "/v1/vms/vm0/undo", {"to": 7, "plan": "feed"}).status, 202)
        self.assertEqual(self.ask("PUT", "/v1/vms/vm0/undo", {}).json()["kind"], "undo")
        reply = self.ask("PUT", "/v1/vms/vm0/undo", {"plan": "old"})
        self.assertEqual(self.problem(reply, 409, "plan-outdated")["plan"]["hash"], "feed")
        for body in ({"to": "7"}, {"force": True}):
            self.problem(self.ask("PUT", "/v1/vms/vm0/undo", body), 400, "invalid-request")

    def test_nothing_to_do(self):
        reply = self.ask("PUT", "/v1/vms/idle/nested", {"enabled": True})
        self.assertEqual((reply.status, reply.json()["hash"]), (200, "feed"))
        reply = self.ask("PUT", "/v1/vms/idle/state", {"state": "off"})
        self.assertEqual((reply.status, reply.json()), (200, {}))

    def test_refused(self):
        self.problem(self.ask("PUT", "/v1/vms/busy/state", {"state": "off"}), 409, "vm-busy")
        reply = self.ask("PUT", "/v1/vms/vm0/nested", {"enabled": True, "plan": "old"})
        self.assertEqual(self.problem(reply, 409, "plan-outdated")["plan"]["hash"], "feed")
        reply = self.ask("PUT", "/v1/vms/vm0/state", {"state": "off"}, If_Match="r")
        self.problem(reply, 400, "invalid-request")

    def test_bodies(self):
        put = ("PUT", "/v1/vms/vm0/nested")
        for body in (b"", b"{}", b"[]", b"nul", b'{"enabled":1}', b'{"enabled":true,"x":1}',
                     b'{"enabled":true,"enabled":true}', b"[" * 100000, b'{"enabled":true}x',
                     b'{"enabled":true,"plan":"\xff"}', b'{"enabled":true,"plan":"\\u0000"}'):
            self.problem(self.ask(*put, body), 400, "invalid-request")
        good = b'{"enabled":true}'
        for kind in ("text/plain", "application/jsonx", ""):
            reply = self.ask(*put, good, Content_Type=kind)
            self.problem(reply, 415, "unsupported-media-type")
        for kind in ("application/json", "Application/JSON; charset=utf-8"):
            self.assertEqual(self.ask(*put, good, Content_Type=kind).status, 202)

    def test_late_and_silent(self):
        self.assertEqual(self.ask("PUT", "/v1/vms/late/state", {"state": "off"}).status, 202)
        with self.stub.client() as client:
            reply = client.ask("PUT", "/v1/vms/silent/state", {"state": "off"})
            self.problem(reply, 504, "timeout")
            self.assertEqual(client.ask("GET", "/v1").status, 200)

    def test_wait(self):
        self.ask("PUT", "/v1/vms/vm0/state", {"state": "off"})
        self.assertEqual(self.ask("GET", "/v1/operations/1?wait=1").json()["id"], 1)
        self.problem(self.ask("GET", "/v1/operations/9?wait=1"), 404, "operation-not-found")

    def test_client_goes_while_core_works(self):
        for path in ("/v1/vms/late/state", "/v1/vms/silent/state"):
            with self.stub.client() as client:
                client.send(f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json"
                            "\r\nContent-Length: 15\r\n\r\n".encode() + b'{"state":"off"}')
        self.assertTrue(eventually(lambda: self.stub.text().count("late") +
                                   self.ask("GET", "/v1").status >= 200))
        count = self.ask("GET", "/v1/operations").json()["operations"]
        self.assertEqual(len(count), 2)


@AS_ROOT
class Rights(Case):
    arguments = (f"view=user:{NOBODY}", "operate=user:1", "manage=user:2")
    uids = {"none": 3, "view": NOBODY, "operate": 1, "manage": 2, "admin": 0}
    order = ["none", "view", "operate", "manage", "admin"]

    def test_every_route(self):
        """Each route of the contract, with each right: 403 exactly below the right it names."""
        paths = self.ask("GET", "/v1/openapi.json").json()["paths"]
        for path, item in paths.items():
            for method, operation in item.items():
                if method == "parameters" or path == "/v1/events":
                    continue
                for right in self.order:
                    self.check(method.upper(), path, operation["x-nestd-right"], right)

    def check(self, method, path, needed, right):
        target = path.replace("{vm}", "nope").replace("{id}", "999")
        reply = self.ask(method, target, uid=self.uids[right])
        allowed = self.order.index(right) >= self.order.index(needed)
        self.assertEqual(reply.status != 403, allowed, (method, path, right, reply.body))
        if not allowed:
            self.problem(reply, 403, "forbidden")

    def test_nothing_is_told_without_right(self):
        replies = {self.ask(method, path, uid=3).body for method in ("GET", "PUT", "DELETE", "X")
                   for path in ("/v1", "/v1/vms/vm0", "/v1/vms/no", "/no", "/v1/operations/1")}
        self.assertEqual(len(replies), 1)

    def test_abort_of_others(self):
        self.ask("PUT", "/v1/vms/vm0/state", {"state": "off"}, uid=1)
        self.ask("PUT", "/v1/vms/vm0/state", {"state": "off"})
        self.ask("PUT", "/v1/vms/vm0/nested", {"enabled": True}, uid=2)
        self.assertEqual(self.ask("DELETE", "/v1/operations/1", uid=1).status, 202)
        self.problem(self.ask("DELETE", "/v1/operations/2", uid=1), 403, "forbidden")
        self.problem(self.ask("DELETE", "/v1/operations/3", uid=1), 403, "forbidden")
        self.assertEqual(self.ask("DELETE", "/v1/operations/2", uid=2).status, 202)
        self.assertIn("DELETE /v1/operations/2 by uid=1 ", self.stub.text())


class Events(Case):
    arguments = ("heartbeat=100",)

    def start(self, path="/v1/events", **headers):
        client = self.stub.client()
        self.addCleanup(client.sock.close)
        reply = client.ask("GET", path, **headers)
        self.assertEqual(reply.headers["content-type"], "text/event-stream")
        return client

    def chunk(self, client):
        size = int(client.until(b"\r\n"), 16)
        data = client.exactly(size)
        self.assertEqual(client.exactly(2), b"\r\n")
        return data

    def event(self, client):
        while True:
            data = self.chunk(client)
            if data.startswith(b"id: "):
                break
        lines = dict(line.split(": ", 1) for line in data.decode().strip().split("\n")[:3])
        self.assertEqual(lines["event"], "operation-started")
        self.assertEqual(json.loads(lines["data"])["id"], int(lines["id"]))
        return data

    def flood(self, count):
        spec = {"name": "flood", "memory_kib": count}
        self.assertEqual(self.ask("POST", "/v1/vms", spec).status, 202)

    def ids(self, client, last):
        seen = []
        while not seen or seen[-1] < last:
            for line in self.event(client).split(b"\n"):
                if line.startswith(b"id: "):
                    seen.append(int(line[4:]))
        return seen

    def test_new_ones_only(self):
        self.flood(3)
        client = self.start()
        self.flood(2)
        self.assertEqual(self.ids(client, 5), [4, 5])

    def test_resume(self):
        self.flood(3000)
        one, two = self.start("/v1/events?after=0"), self.start(Last_Event_ID="2990")
        self.flood(10)
        self.assertEqual(self.ids(one, 3010), list(range(1, 3011)))
        self.assertEqual(self.ids(two, 3010), list(range(2991, 3011)))

    def test_heartbeat_and_gone(self):
        with self.start() as client:
            self.assertIn(b"retry", self.chunk(client))
            self.assertEqual(self.chunk(client), b":\n\n")
        self.assertTrue(eventually(lambda: self.stub.fds() == self.stub.quiet))

    def test_list(self):
        self.flood(1200)
        first = self.ask("GET", "/v1/events?follow=0").json()["events"]
        self.assertEqual((first[0]["id"], len(first)), (1, 1000))
        rest = self.ask("GET", "/v1/events?follow=0&after=1000").json()["events"]
        self.assertEqual([event["id"] for event in rest], list(range(1001, 1201)))
        self.problem(self.ask("GET", "/v1/events", Last_Event_ID="x"), 400, "invalid-request")

    def test_slow_reader_is_cut(self):
        client, good = self.start(), self.start()
        for _ in range(20):
            self.flood(100)
            self.ids(good, 100 * (_ + 1))
        self.assertTrue(eventually(lambda: "did not read its events" in self.stub.text()))
        self.assertTrue(client.ended())
        self.assertLess(len(client.buffer), 2 << 20)
        self.flood(1)
        self.assertEqual(self.ids(good, 2001), [2001])

    def test_http10(self):
        with self.stub.client() as client:
            client.send(b"GET /v1/events HTTP/1.0\r\n\r\n").until(b"\r\n\r\n")
            client.until(b"retry: 1000\n\n")
            self.flood(1)
            self.assertTrue(client.until(b"id: 1\nevent: operation-started\n"))


if __name__ == "__main__":
    unittest.main()
