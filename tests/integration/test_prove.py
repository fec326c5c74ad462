# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proofs: asked for at once, kept, refused, gone wrong, repeated; the program itself is faked."""

import unittest

import nestd
from fake import Fake, eventually

PROOF = "/v1/host/proof"


class Prove(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Fake())

    def prove(self, accel="auto", status=200):
        answer = self.daemon.request("POST", PROOF, {"accel": accel})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def test_what_auto_takes(self):
        """The software CPU where no hardware could do it; where it is only switched off, KVM."""
        for name, accel in (("software-kvm", "tcg"), ("intel-nested-off", "kvm")):
            config = {"daemon": {"host-root": nestd.SOURCE / "tests" / "data" / "hosts" / name}}
            with Fake(config=config, environment={"NEST_FAKE_CAPS": "kvm=none"}) as daemon:
                proof = daemon.request("POST", PROOF, {"accel": "auto"}).json
                self.assertEqual(proof["accel"], accel)

    def boots(self):
        return [call for call in self.daemon.host.calls() if call[0] == "boot"]

    def test_it_is_told_and_kept(self):
        self.assertEqual(self.daemon.get(PROOF), {"proofs": []})
        with self.daemon.events() as events:
            proof = self.prove()
            event = events.wait_for(kind="host-proved")
        self.assertIn("2500 cycles", event["message"])
        self.assertTrue(proof["proved"])
        self.assertEqual((proof["accel"], proof["extension"]), ("kvm", "vmx"))
        self.assertEqual(proof["exits"][0]["median_cycles"], 2500)
        self.assertEqual(self.prove("tcg")["extension"], "svm")
        self.daemon.restart()
        self.daemon.wait_backend()
        kept = self.daemon.get(PROOF)["proofs"]
        self.assertEqual([row["accel"] for row in kept], ["kvm", "tcg"])
        self.assertEqual(kept[0], proof)
        self.assertEqual(self.daemon.get("/v1/status")["host"]["proofs"], kept)
        self.assertEqual(len(self.boots()), 2)

    def test_not_proved_is_a_result(self):
        for report, code in [("timeout", "timeout"), ("cut", "incomplete")]:
            self.daemon.host.control(f"set:report:{report}")
            proof = self.prove("tcg")
            self.assertEqual((proof["proved"], proof["code"]), (False, code))
        self.daemon.host.control("boot:*:host_unfit:no such CPU")
        proof = self.prove("tcg")
        self.assertEqual((proof["code"], proof["message"]), ("refused", "no such CPU"))
        self.assertEqual(self.daemon.get(PROOF)["proofs"][0]["code"], "refused")

    def test_what_is_no_result(self):
        self.assertTrue(self.prove("tcg")["proved"])
        self.daemon.host.control("boot:*:timeout:it hangs")
        self.assertEqual(self.prove("tcg", 504)["kind"], "timeout")
        self.assertTrue(self.daemon.get(PROOF)["proofs"][0]["proved"])
        self.assertEqual(self.prove("xen", 400)["kind"], "invalid-request")

    def test_twenty_at_once(self):
        """While one is under way, all others wait for one more: that began after they asked."""
        connections = [nestd.Connection(self.daemon.socket, nestd.REPLY_DEADLINE)
                       for _ in range(21)]
        with self.daemon.holding("boot") as held:
            for connection in connections:
                connection.request("POST", PROOF, b'{"accel": "tcg"}',
                                   {"Content-Type": "application/json"})
                if connection is connections[0]:
                    held()
            self.daemon.get("/v1")
            self.assertEqual(len(self.boots()), 1)
        for connection in connections:
            self.assertTrue(nestd.Answer(connection.getresponse()).json["proved"])
            connection.close()
        self.assertIn(len(self.boots()), (2, 3))

    def test_the_hypervisor_goes_away(self):
        self.daemon.host.control("boot:1:backend_unavailable:gone")
        self.assertEqual(self.prove("tcg", 503)["kind"], "backend-unavailable")
        self.assertTrue(self.prove("tcg")["proved"])

    def test_killed_in_the_middle(self):
        self.assertTrue(self.prove("tcg")["proved"])
        self.daemon.host.control("crash-before:boot:2")
        with self.assertRaises(OSError):
            self.daemon.request("POST", PROOF, {"accel": "tcg"})
        self.daemon.kill()
        self.daemon.host.control()
        self.daemon.start()
        self.daemon.wait_backend()
        self.assertTrue(self.daemon.get(PROOF)["proofs"][0]["proved"])
        self.assertTrue(self.prove("tcg")["proved"])


class Repeated(unittest.TestCase):
    def test_after_a_change(self):
        with Fake() as daemon:
            daemon.request("POST", PROOF, {"accel": "tcg"})
            proof = daemon.get(PROOF)["proofs"][0]
            self.assertFalse(proof["outdated"])
            daemon.environment["NEST_FAKE_CAPS"] = "qemu=9.9.9"
            daemon.restart()
            daemon.wait_backend()
            eventually(lambda: daemon.get(PROOF)["proofs"][0]["qemu_version"] == "9.9.9")
            self.assertFalse(daemon.get(PROOF)["proofs"][0]["outdated"])


if __name__ == "__main__":
    nestd.main()
