# SPDX-License-Identifier: LGPL-2.1-or-later
"""prove, and what status shows of proofs."""
import json
import time
import unittest

import fixtures as f
from harness import CliTest
from stub import Answer, problem

ROUTE = "POST /v1/host/proof"


class Prove(CliTest):
    def test_yes(self):
        self.stub.routes[ROUTE] = Answer(f.proof())
        out, _ = self.run_nestctl("prove")
        self.assertIn("An inner VM ran on KVM: YES   VT-x, in 0.4 s", out)
        self.assertIn("shadow: ok, real-mode: absent", out)
        self.assertIn("It can: ept, vpid", out)
        self.assertIn("It cannot: posted-interrupts", out)
        self.assertRegex(out, r"shadow +cpuid +2500 +2000 +1\.25 µs")

    def test_no(self):
        self.stub.routes[ROUTE] = Answer(f.proof(False))
        out, err = self.run_nestctl("prove", "--accel", "kvm", status=1)
        self.assertIn("An inner VM ran on KVM: NO", out)
        self.assertIn("firmware has switched the extension off", out)
        self.assertNotIn("CYCLES", out)

    def test_accel(self):
        self.stub.routes[ROUTE] = Answer(f.proof(accel="tcg"))
        out, _ = self.run_nestctl("prove", "--accel", "tcg")
        self.assertIn("QEMU's software CPU (TCG): YES", out)
        self.assertEqual(self.stub.bodies[ROUTE][-1], {"accel": "tcg"})
        self.run_nestctl("prove", "--accel", "xen", status=2)

    def test_json(self):
        self.stub.routes[ROUTE] = Answer(f.proof())
        out, _ = self.run_nestctl("--json", "prove")
        self.assertEqual(json.loads(out)["exits"][0]["median_cycles"], 2500)

    def test_refused(self):
        self.stub.routes[ROUTE] = problem("unsupported", 409, "this host offers no KVM")
        _, err = self.run_nestctl("prove", status=10)
        self.assertIn("this host offers no KVM", err)

    def test_clock_that_is_not_known(self):
        self.stub.routes[ROUTE] = Answer(f.proof(tsc_khz=0))
        out, _ = self.run_nestctl("prove")
        self.assertRegex(out, r"2000 +\?")

    def test_status(self):
        now = int(time.time() * 1000)
        proofs = [f.proof(time=now - 185000), f.proof(False, accel="tcg", time=now, outdated=True)]
        self.stub.routes["GET /v1/host"] = Answer(f.host(proofs=proofs))
        self.stub.routes["GET /v1/vms"] = Answer({"vms": []})
        out, _ = self.run_nestctl("status")
        self.assertIn("An inner VM ran on KVM: YES   3 min 5 s ago", out)
        self.assertIn("(TCG): NO", out)
        self.assertIn("changed since", out)


class ProveVm(CliTest):
    VM = "POST /v1/vms/DemoVM/proof"

    def test_yes(self):
        self.stub.routes[self.VM] = Answer(f.proof(accel="tcg"))
        out, _ = self.run_nestctl("prove", "DemoVM")
        self.assertIn("(TCG) with the CPU of DemoVM: YES", out)

    def test_hidden(self):
        """What to do is the daemon's word: it knows whether it is the VM that hides it."""
        for next_ in ("nestctl enable DemoVM", "nestctl host fix"):
            self.stub.routes[self.VM] = Answer(f.proof(False, code="not-supported", next=next_))
            out, _ = self.run_nestctl("prove", "DemoVM", status=1)
            self.assertIn("with the CPU of DemoVM: NO", out)
            self.assertIn(f"→ {next_}\n", out)

    def test_other_cause(self):
        for code in ("locked", "not-supported"):
            self.stub.routes[self.VM] = Answer(f.proof(False, code=code))
            out, _ = self.run_nestctl("prove", "DemoVM", status=1)
            self.assertIn("→ nestctl status DemoVM\n", out)
            self.assertNotIn("enable", out)

    def test_accel_is_the_vms(self):
        _, err = self.run_nestctl("prove", "DemoVM", "--accel", "kvm", status=2)
        self.assertIn("--accel", err)

    def test_shown(self):
        now = int(time.time() * 1000)
        vm = f.vm()
        proofs = {"proofs": [f.proof(time=now - 185000, outdated=True)]}
        self.stub.routes["GET /v1/host"] = Answer(f.host())
        self.stub.routes[f"GET /v1/vms/{vm['name']}"] = Answer(vm)
        self.stub.routes[f"GET /v1/vms/{vm['uuid']}/proof"] = Answer(proofs)
        for command in ("show", "status"):
            out, _ = self.run_nestctl(command, vm["name"])
            self.assertIn(f"with the CPU of {vm['name']}: YES   3 min 5 s ago", out)
            self.assertIn(f"nestctl prove {vm['name']}", " ".join(out.split()))


if __name__ == "__main__":
    unittest.main()
