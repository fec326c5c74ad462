# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestctl prove with the real libvirt and QEMU: inner code really runs."""

import json
import subprocess
import unittest

import nestd


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


if __name__ == "__main__":
    nestd.main()
