# SPDX-License-Identifier: LGPL-2.1-or-later
"""verify, and what status and show say of it."""
import json
import time
import unittest

import fixtures as f
from harness import CliTest
from stub import Answer, problem

ROUTE = "POST /v1/vms/DemoVM/verification"


def verification(verified=True, **changes):
    measures = [
        {"name": "exit-cpuid", "count": 100, "own_ns": 50000, "inner_ns": 4120000},
        {"name": "exit-io", "count": 100, "own_ns": 0, "inner_ns": 6000000},
        {"name": "memory", "count": 4194304, "own_ns": 400000, "inner_ns": 800000},
        {"name": "of-tomorrow", "count": 1, "own_ns": 1, "inner_ns": 1}]
    return {
        "verified": verified, "code": "verified" if verified else "no-device",
        "message": "an inner VM ran" if verified else "the guest has no /dev/kvm (errno=2)",
        "family": "linux", "os": "Debian\x1b[31m 12", "guest_kernel": "6.1.0", "extension": "svm",
        "cpu_vendor": "AuthenticAMD", "hypervisor": "KVMKVMKVM", "tsc_khz": 2000000, "passes": [],
        "measures": measures if verified else [], "checks": [], "accel": "kvm",
        "time": int(time.time() * 1000) - 185000, "duration_ms": 1200, "kernel": None, "kernel_build": None,
        "slat_parameter": None,
        "qemu_version": None, "libvirt_version": None, "nested_parameter": None, "revision": None,
        "outdated": False, **changes}


class Verify(CliTest):
    def test_yes(self):
        check = f.check("guest.mem", "warn", "The guest has only 1 MiB.")
        self.stub.routes[ROUTE] = Answer(verification(checks=[check]))
        out, _ = self.run_nestctl("verify", "DemoVM")
        self.assertIn("Nesting verified inside DemoVM: YES", out)
        self.assertNotIn("\x1b", out)
        self.assertRegex(out, r"CPUID\) +500\.00 ns \(1000 cycles\) +41\.20 .s \(82400 cycles\) +82\.40")
        self.assertRegex(out, r"I/O\) +– +60\.00 .s \(120000 cycles\) +–")
        self.assertRegex(out, r"written +10000 MiB/s +5000 MiB/s +2\.00")
        self.assertNotIn("of-tomorrow", out)
        self.assertIn("only 1 MiB", out)

    def test_no(self):
        self.stub.routes[ROUTE] = Answer(verification(False))
        out, _ = self.run_nestctl("verify", "DemoVM", status=1)
        self.assertIn("Nesting verified inside DemoVM: NO", out)
        self.assertIn("the guest has no /dev/kvm", out)
        self.assertNotIn("MEASURED", out)
        self.assertIn("nestctl status DemoVM", out)

    def test_json(self):
        self.stub.routes[ROUTE] = Answer(verification())
        out, _ = self.run_nestctl("--json", "verify", "DemoVM")
        self.assertEqual(json.loads(out)["measures"][0]["count"], 100)

    def test_no_agent(self):
        self.stub.routes[ROUTE] = problem("guest-agent", 502, "it is not connected", "install it")
        _, err = self.run_nestctl("verify", "DemoVM", status=22)
        self.assertIn("it is not connected", err)
        self.run_nestctl("verify", status=2)

    def test_shown(self):
        self.stub.routes["GET /v1/vms/DemoVM"] = Answer(f.vm())
        path = f"GET /v1/vms/{f.vm()['uuid']}/verification"
        self.stub.routes[path] = Answer({"verifications": [verification()]})
        out, _ = self.run_nestctl("show", "DemoVM")
        self.assertIn("Nesting verified inside DemoVM: YES   3 min 5 s ago: 41.20 µs an exit", out)
        self.stub.routes[path] = Answer({"verifications": [verification(False, outdated=True)]})
        out, _ = self.run_nestctl("show", "DemoVM")
        self.assertIn("no /dev/kvm", out)
        self.assertIn("nestctl verify DemoVM", " ".join(out.split()))


if __name__ == "__main__":
    unittest.main()
