# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what: each route with each right, over the real daemon, and who may connect at all."""

import grp
import json
import os
import pwd
import socket
import subprocess
import sys
import unittest

import nestd
from fake import XML, Fake

from nest_agent import Agent

RIGHTS = ["none", "view", "operate", "manage", "admin"]
PEOPLE = {"none": "games", "view": "daemon", "operate": "bin", "manage": "sys", "admin": "nobody"}

# Becomes somebody else for good, and asks: one line of JSON in, one out, for each request.
ASK = """import http.client, json, os, socket, sys
path, uid, gid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([])
os.setresgid(gid, gid, gid)
os.setresuid(uid, uid, uid)
for line in sys.stdin:
    method, target, body = json.loads(line)
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    try:
        connection.sock.connect(path)
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = "" if answer.getheader("content-type") == "text/event-stream" else (
            answer.read().decode())
        print(json.dumps([answer.status, text]), flush=True)
    except OSError as error:
        print(json.dumps([type(error).__name__, ""]), flush=True)
    connection.close()
"""


class Person:
    def __init__(self, path, uid, gid):
        self.process = subprocess.Popen(
            [sys.executable, "-c", ASK, str(path), str(uid), str(gid)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(nestd.REPLY_DEADLINE)
        self.process.stdout.close()

    def ask(self, method, target, body=None):
        """Status and text; the name of the exception where nobody answers."""
        print(json.dumps([method, target, body]), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


@unittest.skipUnless(os.geteuid() == 0, "only root can be others")
class TestRights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rights = {right: f"user:{name}" for right, name in PEOPLE.items() if right != "none"}
        cls.daemon = cls.enterClassContext(Fake(config={"rights": rights}))
        cls.daemon.define("vm")
        cls.daemon.socket.chmod(0o666)
        cls.person = {}
        for right, name in PEOPLE.items():
            entry = pwd.getpwnam(name)
            cls.person[right] = cls.enterClassContext(
                Person(cls.daemon.socket, entry.pw_uid, entry.pw_gid))

    def test_every_route(self):
        """403 exactly below the right that the contract names, and nothing has happened then."""
        before = self.daemon.host.vms(), self.daemon.get("/v1/operations")
        paths = self.daemon.get("/v1/openapi.json")["paths"]
        routes = [(method.upper(), path, operation["x-nestd-right"])
                  for path, item in paths.items() for method, operation in item.items()
                  if method != "parameters"]
        self.assertGreater(len(routes), 12)
        self.assertEqual({right for _, _, right in routes}, {"view", "operate", "manage", "admin"})
        for method, path, needed in routes:
            target = path.replace("{vm}", "vm").replace("{id}", "999999")
            for right in RIGHTS:
                with self.subTest(f"{method} {path} as {right}"):
                    # Such a body is refused after the right was judged, so that nothing is done.
                    body = {"no such field": 0} if method in ("PUT", "POST") else None
                    if method == "DELETE" and path == "/v1/vms/{vm}":
                        target = "/v1/vms/nobody"
                    status, text = self.person[right].ask(method, target, body)
                    allowed = RIGHTS.index(right) >= RIGHTS.index(needed)
                    self.assertEqual(status != 403, allowed, (status, text))
                    if not allowed:
                        self.assertEqual(json.loads(text)["kind"], "forbidden")
                        self.assertNotIn("vm", json.loads(text)["detail"].split())
        self.assertEqual((self.daemon.host.vms(), self.daemon.get("/v1/operations")), before)

    def test_who_did_it(self):
        """Who asked is what the kernel says."""
        with Fake(config={"rights": {"operate": f"user:{PEOPLE['operate']}"}}) as daemon:
            daemon.define("vm")
            daemon.socket.chmod(0o666)
            entry = pwd.getpwnam(PEOPLE["operate"])
            with Person(daemon.socket, entry.pw_uid, entry.pw_gid) as operator:
                status, text = operator.ask("PUT", "/v1/vms/vm/state", {"state": "running"})
                self.assertEqual(status, 202, text)
                operation = daemon.wait_operation(json.loads(text)["id"])
                self.assertEqual(operation["uid"], entry.pw_uid)
                self.assertEqual(operation["pid"], operator.process.pid)
                status, text = operator.ask("PUT", "/v1/vms/vm/nested", {"enabled": True})
                self.assertEqual(status, 403, text)
            self.assertNotIn("check='full'", daemon.host.vm("vm")["xml"])

    def test_who_may_only_view_has_no_guest_asked(self):
        self.daemon.define("asked", state="running")
        with Agent(self.daemon.host.directory, "asked") as agent:
            agent.blocked = {"guest-exec"}
            for right, why in (("view", "manage"), ("operate", "manage"), ("manage", "may not run")):
                self.assertEqual(agent.asked, [])
                vm, = json.loads(self.person[right].ask("GET", "/v1/vms/asked/tree")[1])["vms"]
                self.assertIn(why, vm["inner_unknown"])
            self.assertNotEqual(agent.asked, [])

    def test_who_may_only_view_has_no_script_run_in_a_guest(self):
        channel = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
        self.daemon.define("looked", XML.replace("<memballoon", channel + "<memballoon"),
                           state="running")
        with Agent(self.daemon.host.directory, "looked") as agent:
            path = "/v1/vms/looked/checks?all=1&guest=1"
            for right, asked in (("view", 0), ("operate", 1), ("manage", 2)):
                report = json.loads(self.person[right].ask("GET", path)[1])
                self.assertEqual(agent.asked.count("guest-exec"), asked)
                told = {check["id"]: check["message"] for check in report["checks"]}
                (self.assertNotIn if asked else self.assertIn)("right operate", told["guest.os"])

    def test_abort_of_others(self):
        """Who may operate aborts what they began, not what others did."""
        self.daemon.define("shared", state="running")
        self.daemon.host.control("set:shutdown-ms:never")
        body = {"state": "off", "timeout": 600}
        number = self.daemon.request("PUT", "/v1/vms/shared/state", body).json["id"]
        path = f"/v1/operations/{number}"
        for right in ("none", "view", "operate"):
            self.assertEqual(self.person[right].ask("DELETE", path)[0], 403)
        self.assertNotIn(self.daemon.get(path)["state"], nestd.ENDED)
        self.assertEqual(self.person["manage"].ask("DELETE", path)[0], 202)
        self.assertEqual(self.daemon.wait_operation(number)["state"], "aborted")
        status, text = self.person["operate"].ask("PUT", "/v1/vms/shared/state", body)
        self.assertEqual(status, 202, text)
        number = json.loads(text)["id"]
        self.assertEqual(self.person["operate"].ask("DELETE", f"/v1/operations/{number}")[0], 202)
        self.assertEqual(self.daemon.wait_operation(number)["state"], "aborted")
        self.daemon.host.control()
        done = self.daemon.change("PUT", "/v1/vms/shared/state", {"state": "off", "force": True})
        self.assertEqual(done["state"], "done")
        with self.daemon.events(after=0) as events:
            events.wait_for(kind="operation-finished", operation=done["id"])
        self.daemon.change("DELETE", "/v1/vms/shared")


@unittest.skipUnless(os.geteuid() == 0, "only root can be others")
class TestSocket(unittest.TestCase):
    def test_who_may_connect(self):
        """The kernel lets the group in, and nobody else; it says so before a byte is read."""
        group = grp.getgrnam("audio")
        nobody = pwd.getpwnam("nobody")
        rights = {"manage": f"group:{group.gr_name}"}
        config = {"daemon": {"socket-group": group.gr_name}, "rights": rights}
        with Fake(config=config) as daemon:
            status = os.stat(daemon.socket)
            self.assertEqual((status.st_uid, status.st_gid), (0, group.gr_gid))
            self.assertEqual(status.st_mode & 0o7777, 0o660)
            before = daemon.log()
            with Person(daemon.socket, nobody.pw_uid, nobody.pw_gid) as stranger:
                self.assertEqual(stranger.ask("GET", "/v1")[0], "PermissionError")
            self.assertEqual(daemon.log(), before)
            with Person(daemon.socket, nobody.pw_uid, group.gr_gid) as member:
                self.assertEqual(member.ask("GET", "/v1")[0], 200)
                self.assertEqual(member.ask("POST", "/v1/vms", {})[0], 400)

    def test_what_it_keeps_is_private(self):
        """No other user reads what nestd keeps."""
        with Fake() as daemon:
            daemon.define("vm")
            for path in (daemon.state / "db").rglob("*"):
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)
            self.assertEqual((daemon.state / "db").stat().st_mode & 0o077, 0)


if __name__ == "__main__":
    nestd.main()
