# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestctl prove with the real libvirt and QEMU: inner code really runs."""

import json
import subprocess
import unittest

import nestd
from fake import eventually


class Proved(unittest.TestCase):
    def test_software_cpu(self):
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            command = [nestd.NESTCTL, "--socket", daemon.socket, "prove", "--accel", "tcg"]
            run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertIn("YES   AMD-V", run.stdout)
            for kind in ("cpuid", "io", "hlt", "page-fault", "nested-fault"):
                self.assertRegex(run.stdout, rf"nested-paging +{kind} +[1-9][0-9]* ")
            run = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60,
                                 check=False)
            proof = json.loads(run.stdout)
            self.assertTrue(proof["proved"])
            self.assertIn("npt", proof["capabilities"])
            self.assertEqual(daemon.get("/v1/host/proof")["proofs"], [proof])
            self.assertEqual(daemon.get("/v1/vms"), {"vms": []})

    def test_cpu_of_a_vm(self):
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            for name, nested, code in (("with", True, "proved"), ("bare", False, "not-supported")):
                spec = {"name": name, "memory_kib": 65536, "accel": "tcg", "nested": nested,
                        "network": "none"}
                answer = daemon.request("POST", "/v1/vms", spec)
                daemon.wait_operation(answer.json["id"])
                command = [nestd.NESTCTL, "--socket", daemon.socket, "--json", "prove", name]
                run = subprocess.run(command, capture_output=True, text=True, timeout=60,
                                     check=False)
                proof = json.loads(run.stdout)
                self.assertEqual(proof["code"], code, proof)
                self.assertEqual(run.returncode, 0 if nested else 1, run.stderr)
                self.assertEqual(daemon.get(f"/v1/vms/{name}/proof")["proofs"], [proof])
                self.assertEqual(daemon.get(f"/v1/vms/{name}")["state"], "off")

    def test_killed_in_the_middle(self):
        """No VM is left behind once nestd is open again."""
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            connection = nestd.Connection(daemon.socket, nestd.REPLY_DEADLINE)
            connection.request("POST", "/v1/host/proof", b'{"accel": "tcg"}',
                               {"Content-Type": "application/json"})
            eventually(daemon.qemu_pids)
            daemon.kill()
            connection.close()
            daemon.start()
            self.assertEqual(daemon.wait_backend(60), "open")
            self.assertEqual(daemon.qemu_pids(), [])
            self.assertEqual(list(daemon.directory.rglob("nest-boot-*")), [])
            proof = daemon.request("POST", "/v1/host/proof", {"accel": "tcg"}).json
            self.assertTrue(proof["proved"], proof)

    def test_twenty_at_once(self):
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            connections = [nestd.Connection(daemon.socket, nestd.OPERATION_DEADLINE)
                           for _ in range(20)]
            for connection in connections:
                connection.request("POST", "/v1/host/proof", b'{"accel": "tcg"}',
                                   {"Content-Type": "application/json"})
            most = 0
            for connection in connections:
                self.assertTrue(nestd.Answer(connection.getresponse()).json["proved"])
                most = max(most, len(daemon.qemu_pids()))
                connection.close()
            self.assertLessEqual(most, 2)
            self.assertLessEqual(len(daemon.get("/v1/host/proof?history=1")["proofs"]), 3)


if __name__ == "__main__":
    nestd.main()
