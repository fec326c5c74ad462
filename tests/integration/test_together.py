# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many changes at once, the limit of them, and changes that are aborted."""

import threading
import unittest

import nestd
from fake import Fake, eventually
from test_failures import same


def at_once(function, arguments):
    """Calls function with each argument, all at the same moment; what they returned."""
    barrier = threading.Barrier(len(arguments))
    results = [None] * len(arguments)

    def call(index, argument):
        barrier.wait()
        results[index] = function(argument)

    threads = [threading.Thread(target=call, args=pair) for pair in enumerate(arguments)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestTogether(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def refused(self, answer, status, kind):
        self.assertEqual((answer.status, answer.json["kind"]), (status, kind), answer)
        self.assertTrue(answer.json["detail"])

    def test_one_vm(self):
        """One of them does it; the others are told that it is being done, or that it is done."""
        for n in range(10):
            name = f"one-{n}"
            number = self.daemon.define(name)
            answers = at_once(lambda _, name=name: self.daemon.nested(name), range(4))
            begun = [answer.json["id"] for answer in answers if answer.status == 202]
            self.assertEqual(len(begun), 1, answers)
            self.assertEqual(self.daemon.wait_operation(begun[0])["state"], "done")
            for answer in answers:
                if answer.status == 409:
                    self.refused(answer, 409, "vm-busy")
                elif answer.status == 200:
                    self.assertEqual(answer.json["verdict"], "no-change", answer)
            defined = [call for call in self.daemon.host.calls() if call[:2] == ("define", number)]
            self.assertEqual(len(defined), 1)

    def test_contrary_wishes(self):
        """Enabled and started at once: one after the other, never both half."""
        for n in range(5):
            name = f"contrary-{n}"
            self.daemon.define(name)
            requests = [("nested", {"enabled": True}), ("state", {"state": "running"})]
            answers = at_once(
                lambda request, name=name: self.daemon.request(
                    "PUT", f"/v1/vms/{name}/{request[0]}", request[1]), requests)
            self.assertEqual([a.status for a in answers].count(409), 1, answers)
            for answer in answers:
                if answer.status == 202:
                    ended = self.daemon.wait_operation(answer.json["id"])
                    self.assertEqual(ended["state"], "done", ended)
                else:
                    self.refused(answer, 409, "vm-busy")

    def test_create_at_once(self):
        """Two VMs of one name: one is there afterwards, and nothing of the other."""
        body = {"name": "twin", "memory_kib": 65536, "disk_bytes": 1 << 20, "network": "none"}
        answers = at_once(lambda _: self.daemon.request("POST", "/v1/vms", body), range(3))
        ended = [self.daemon.wait_operation(answer.json["id"])["state"] for answer in answers
                 if answer.status == 202]
        self.assertEqual(ended.count("done"), 1, (answers, ended))
        self.assertEqual(list(self.daemon.host.vms()).count("twin"), 1)
        self.assertEqual(len(list((self.daemon.state / "disks").iterdir())), 1)
        self.assertEqual(self.daemon.change("DELETE", "/v1/vms/twin")["state"], "done")
        self.assertEqual(list((self.daemon.state / "disks").iterdir()), [])

    # ---- aborting ----

    def abort(self, name, request):
        """The operation, aborted while its guest is waited for."""
        number = self.daemon.define(name, state="running")
        self.daemon.host.control("set:shutdown-ms:never")
        method, part, body = request
        answer = self.daemon.request(method, f"/v1/vms/{name}/{part}", body)
        self.assertEqual(answer.status, 202, answer)
        eventually(lambda: any(c[:2] == ("wait_off", number) for c in self.daemon.host.calls()))
        path = f"/v1/operations/{answer.json['id']}"
        self.assertEqual(self.daemon.request("DELETE", path).status, 202)
        ended = self.daemon.wait_operation(answer.json["id"])
        self.daemon.host.control()
        self.refused(self.daemon.request("DELETE", path), 409, "vm-state")
        return ended

    def test_abort_enable(self):
        self.daemon.define("aborted")
        before = self.daemon.host.vm("aborted")["xml"]
        self.daemon.host.delete("aborted")
        ended = self.abort("aborted", ("PUT", "nested", {"enabled": True}))
        self.assertEqual(ended["state"], "aborted", ended)
        self.assertEqual(ended["problem"]["kind"], "aborted")
        self.assertEqual([step["state"] for step in ended["steps"]], ["undone", "failed"])
        now = self.daemon.host.vm("aborted")
        self.assertEqual(same(now["xml"]).split("</uuid>")[1], same(before).split("</uuid>")[1])
        self.assertEqual(now["state"], "running")
        # And it can be done again.
        again = self.daemon.change("PUT", "/v1/vms/aborted/nested", {"enabled": True})
        self.assertEqual(again["state"], "done", again)

    def test_abort_shutdown(self):
        ended = self.abort("patient", ("PUT", "state", {"state": "off", "timeout": 600}))
        self.assertEqual(ended["state"], "aborted", ended)
        self.assertEqual(self.daemon.host.vm("patient")["state"], "running")

    def test_abort_what_is_not_there(self):
        answer = self.daemon.request("DELETE", "/v1/operations/99999")
        self.refused(answer, 404, "operation-not-found")


class TestManyVms(unittest.TestCase):
    def test_twenty(self):
        with Fake(config={"limits": {"operations": 32}}) as daemon:
            names = [f"vm-{n}" for n in range(20)]
            for name in names:
                daemon.define(name, state="running" if name.endswith("5") else "off")
            answers = at_once(daemon.nested, names)
            self.assertEqual({answer.status for answer in answers}, {202}, answers)
            for answer in answers:
                ended = daemon.wait_operation(answer.json["id"])
                self.assertEqual(ended["state"], "done", ended)
            self.assertEqual(len({answer.json["id"] for answer in answers}), 20)
            vms = daemon.get("/v1/vms?full=1")["vms"]
            self.assertEqual([vm["nesting"] for vm in vms], ["on"] * 20)
            self.assertEqual({vm["state"] for vm in vms}, {"off"})

    def test_limit(self):
        with Fake(config={"limits": {"operations": 2}}) as daemon:
            for name in "abc":
                daemon.define(name)
            daemon.host.control("define:*:hang")
            held = [daemon.nested(name).json["id"] for name in "ab"]
            answer = daemon.nested("c")
            self.assertEqual((answer.status, answer.json["kind"]), (429, "too-many"), answer)
            self.assertIn("2 operations", answer.json["detail"])
            # Reading is not limited.
            self.assertEqual(daemon.plan("c")["verdict"], "steps")
            self.assertEqual(len(daemon.get("/v1/operations")["operations"]), 2)
            daemon.host.control()
            for number in held:
                self.assertEqual(daemon.wait_operation(number)["state"], "done")
            done = daemon.change("PUT", "/v1/vms/c/nested", {"enabled": True})
            self.assertEqual(done["state"], "done", done)


if __name__ == "__main__":
    nestd.main()
