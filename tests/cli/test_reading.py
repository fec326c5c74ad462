# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands that change nothing."""
import json
import unittest

import fixtures as f
from harness import CliTest, plain
from stub import Answer, problem


class Status(CliTest):
    def serve(self, host, *vms):
        self.stub.routes["GET /v1/status"] = Answer({"host": host, "vms": list(vms)})
        self.stub.routes["GET /v1/host"] = Answer(host)
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [f.summary_of(vm) for vm in vms]})
        for vm in vms:
            self.stub.routes[f"GET /v1/vms/{vm['uuid']}"] = Answer(vm)

    def test_all_is_well(self):
        self.serve(f.host(), f.vm())
        out, err = self.run_nestctl("status")
        self.assertEqual(err, "")
        self.assertEqual(out, """\
Host lab01 · Intel Xeon Gold 6338 · kernel 6.1.0-37-amd64 · QEMU 7.2.22 · libvirt 9.0.0
Supports nested virtualization: YES   VT-x, EPT, nested=Y

VM       STATE     NESTING   LIVE      MEMORY   CHECKS
DemoVM   running   on        hosting   4 GiB    ok
""")

    def test_failures_come_with_what_to_do(self):
        warned = f.vm("build7", checks=[f.check("vm.snapshots", "warn", "it has snapshots")])
        self.serve(f.host(), f.vm(), warned, f.unfit_vm())
        out, _ = self.run_nestctl("status", status=1)
        self.assertIn("build7   running   on        hosting   4 GiB     ok, 1 warning\n", out)
        self.assertIn("win11    off       off       –         2–8 GiB   2 failed\n", out)
        self.assertTrue(out.endswith("""
The virtual machine win11 supports nested virtualization: NO
  ✗ vm.exposed       virtualization extensions are not exposed
  ✗ vm.mem.dynamic   dynamic memory is on (2–8 GiB)
  → nestctl enable win11
"""), out)

    def test_only_those_that_fail_are_asked_for(self):
        self.serve(f.host(), f.vm(), f.unfit_vm(), f.unfit_vm("gone", uuid="gone"))
        del self.stub.routes["GET /v1/vms/gone"]
        self.stub.routes["GET /v1/vms/gone"] = problem("vm-not-found", 404, "it is gone")
        out, _ = self.run_nestctl("status", status=1)
        self.assertEqual(self.stub.requests, [
            "GET /v1/host", "GET /v1/vms", f"GET /v1/vms/{f.unfit_vm()['uuid']}",
            "GET /v1/vms/gone"])
        self.assertEqual(out.count("The virtual machine"), 1)

    def test_ten_that_fail_are_shown_whole_and_eleven_in_a_line_each(self):
        unfit = [f.unfit_vm(f"v{i}", uuid=f"u{i}") for i in range(11)]
        self.serve(f.host(), *unfit[:10])
        out, _ = self.run_nestctl("status", status=1)
        self.assertEqual(out.count("The virtual machine v"), 10)
        self.serve(f.host(), f.vm("fit"), *unfit)
        self.stub.requests.clear()
        out, _ = self.run_nestctl("status", status=1)
        self.assertEqual(self.stub.requests, ["GET /v1/host", "GET /v1/vms"])
        self.assertTrue(out.endswith("""
v10   off       off       –         2–8 GiB   2 failed

v0    NO: vm.exposed, vm.mem.dynamic
""" + "".join(f"v{i:<4} NO: vm.exposed, vm.mem.dynamic\n" for i in range(1, 11)) + """\
11 virtual machines do not support it; nestctl status VM shows why, and what to do.
"""), out)

    def test_drift_is_shown_with_what_mends_it(self):
        what = ("nestd set it up for nesting, and somebody else changed it since: "
                "the port of 52:54:00:12:34:56 is isolated.")
        strayed = f.vm("strayed", drift=True, checks=[
            f.check("vm.snapshots", "warn", "it has snapshots"),
            f.check("vm.drift", "warn", what, "nestctl enable strayed")])
        self.serve(f.host(), strayed)
        drifted = [{**f.summary_of(strayed), "drift": True}]
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [f.summary(), *drifted]})
        out, _ = self.run_nestctl("status")
        self.assertTrue(out.endswith(f"""
strayed: {what}
  → nestctl enable strayed
"""), out)
        # Too many to be asked for one by one.
        drifted = [f.summary(f"v{i}", drift=True) for i in range(10)]
        drifted.append(f.summary("strayed", drift=True))
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [f.summary(), *drifted]})
        self.stub.requests.clear()
        out, _ = self.run_nestctl("status")
        self.assertTrue(out.endswith("""
v9 was set up for nesting, and somebody else changed it since
  → nestctl enable v9
strayed was set up for nesting, and somebody else changed it since
  → nestctl enable strayed
"""), out)
        self.assertEqual(self.stub.requests, ["GET /v1/host", "GET /v1/vms"])

    def test_a_software_host_says_that_tcg_nests(self):
        self.serve(f.software_host())
        out, _ = self.run_nestctl("status", status=1)
        self.assertIn("Supports nested virtualization: NO\n", out)
        self.assertIn("  ✗ host.cpu.extension   the CPU has no virtualization extension\n", out)
        self.assertIn("  → switch on VT-x or AMD-V in the firmware\n", out)
        self.assertIn("software CPU (TCG) can nest here", out)
        self.assertIn("There are no virtual machines.", out)

    def test_named(self):
        self.stub.routes["GET /v1/host"] = Answer(f.host())
        self.stub.routes["GET /v1/vms/DemoVM"] = Answer(f.vm(checks=[
            f.check("vm.exposed", read="vCPU 0: vmx"), f.check("vm.net", "not-applicable"),
            f.check("vm.vcpus", "warn")]))
        out, _ = self.run_nestctl("status", "DemoVM")
        self.assertIn("The virtual machine DemoVM supports nested virtualization: YES\n"
                      "  ✓ vm.exposed   message of vm.exposed\n"
                      "  – vm.net       message of vm.net\n"
                      "  ! vm.vcpus     message of vm.vcpus\n", out)
        self.assertNotIn("vCPU 0: vmx", out)
        out, _ = self.run_nestctl("status", "-v", "DemoVM")
        self.assertIn("  ✓ vm.exposed   message of vm.exposed\n"
                      "                 vCPU 0: vmx\n"
                      "  – vm.net       message of vm.net\n", out)
        out, _ = self.run_nestctl("status", "DemoVM", "--json")
        self.assertEqual(json.loads(out)["vms"][0]["of_a_newer_daemon"], {"unknown": [1]})
        self.assertEqual(json.loads(out)["host"]["name"], "lab01")

    def test_those_that_do_not_apply_for_one_reason_share_a_line(self):
        self.stub.routes["GET /v1/host"] = Answer(f.host())
        self.stub.routes["GET /v1/vms/DemoVM"] = Answer(f.vm(checks=[
            f.check("vm.clock", "not-applicable", message="It is off."),
            f.check("vm.net", "not-applicable", message="It has no network."),
            f.check("vm.l2", "not-applicable", message="It is off.")]))
        out, _ = self.run_nestctl("status", "DemoVM")
        self.assertTrue(out.endswith(": YES\n"
                                     "  – (2)      It is off: vm.clock, vm.l2\n"
                                     "  – vm.net   It has no network.\n"), out)
        out, _ = self.run_nestctl("status", "-v", "DemoVM")
        self.assertIn("  – vm.l2      It is off.\n", out)

    def test_what_to_do_stands_below_what_it_mends(self):
        self.stub.routes["GET /v1/host"] = Answer(f.host(checks=[
            f.check("host.a", "warn", fix="do this"), f.check("host.b", "pass"),
            f.check("host.c", "warn", fix="do this"), f.check("host.d", "warn", fix="do that"),
            f.check("host.e", "warn", fix="do this")]))
        self.stub.routes["GET /v1/vms"] = Answer({"vms": []})
        out, _ = self.run_nestctl("status")
        self.assertIn("  ! host.a   message of host.a\n"
                      "  ! host.c   message of host.c\n"
                      "  → do this\n"
                      "  ! host.d   message of host.d\n"
                      "  → do that\n"
                      "  ! host.e   message of host.e\n"
                      "  → do this\n", out)

    def test_a_named_one_that_fails_is_status_1(self):
        self.stub.routes["GET /v1/host"] = Answer(f.host())
        self.stub.routes["GET /v1/vms/win11"] = Answer(f.unfit_vm())
        self.run_nestctl("status", "win11", status=1)

    def test_unknown(self):
        self.stub.routes["GET /v1/host"] = Answer(f.host())
        self.stub.routes["GET /v1/vms/nope"] = problem(
            "vm-not-found", 404, "there is no virtual machine nope", "nestctl list")
        out, err = self.run_nestctl("status", "nope", status=4)
        self.assertEqual(out, "")
        self.assertEqual(
            err, "error: there is no virtual machine nope\n  next  nestctl list\n")

    def test_json(self):
        self.serve(f.host(), f.unfit_vm())
        out, _ = self.run_nestctl("--json", "status", status=1)
        self.assertEqual(json.loads(out)["vms"][0]["name"], "win11")

    def test_verbose_asks_for_all(self):
        self.serve(f.host(checks=[f.check("host.kvm", read="/dev/kvm: opened")]),
                   f.vm("fit", checks=[f.check("vm.x", read="a"), f.check("vm.y", "warn")]),
                   f.unfit_vm())
        out, _ = self.run_nestctl("status", "--verbose", status=1)
        self.assertEqual(self.stub.requests, ["GET /v1/status?all=1"])
        self.assertIn("/dev/kvm: opened", out)
        self.assertIn("fit     running   on        hosting   4 GiB     ok, 1 warning\n", out)
        self.assertIn("win11   off       off       –         2–8 GiB   2 failed\n", out)
        self.assertIn("fit supports nested virtualization: YES\n  ✓ vm.x   message of vm.x\n"
                      "           a\n", out)

    def test_names_of_powershell(self):
        self.serve(f.host(), f.vm())
        self.stub.routes["GET /v1/host"] = Answer(f.host())
        self.stub.routes["GET /v1/vms/DemoVM"] = Answer(f.vm())
        self.run_nestctl("get-nestedvirtstatus")
        self.run_nestctl("Get-NestedVirtStatus", "-VMName", "DemoVM")
        self.assertIn("GET /v1/vms/DemoVM", self.stub.requests)

    def test_colour_only_where_it_is_wanted(self):
        self.serve(f.host(), f.unfit_vm())
        terminal = self.terminal("status")
        status, text = terminal.end()
        self.assertEqual(status, 1)
        self.assertIn("\x1b[32mYES\x1b[0m", text)
        self.assertIn("\x1b[31mNO\x1b[0m", text)
        for args, env in ((["status"], {"NO_COLOR": "1"}), (["status", "--no-color"], {}),
                          (["status"], {"TERM": "dumb"})):
            _, text = self.terminal(*args, env=env).end()
            self.assertNotIn("\x1b", text)
        out, _ = self.run_nestctl("status", status=1)
        self.assertNotIn("\x1b", out)

    def test_ascii(self):
        self.serve(f.software_host(), f.unfit_vm())
        out, _ = self.run_nestctl("status", status=1, env={"LC_ALL": "C"})
        self.assertTrue(out.isascii(), out)
        self.assertIn("  x  vm.exposed", out)
        self.assertIn("  -> nestctl enable win11", out)
        self.assertIn("2-8 GiB", out)

    def test_narrow(self):
        self.serve(f.host(), f.unfit_vm("a-name-that-is-rather-long-for-this"))
        _, text = self.terminal("status", columns=56).end()
        for line in plain(text).splitlines():
            if not line.startswith(("Supports", "The virtual machine", "  →")):
                self.assertLessEqual(len(line), 56, line)
        self.assertIn("…", text)


class List(CliTest):
    def test_table(self):
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [
            f.summary(), f.summary("b", state="off", failed=2, memory_min_kib=f.GIB)]})
        out, _ = self.run_nestctl("list")
        self.assertEqual(out, """\
VM       STATE     NESTING   BY    MEMORY    VCPUS   CHECKS
DemoVM   running   on        kvm   4 GiB     2       ok
b        off       on        kvm   1–4 GiB   2       2 failed
""")
        out, _ = self.run_nestctl("list", "--names")
        self.assertEqual(out, "DemoVM\nb\n")
        out, _ = self.run_nestctl("list", "--json")
        self.assertEqual(len(json.loads(out)["vms"]), 2)

    def test_none(self):
        self.stub.routes["GET /v1/vms"] = Answer({"vms": []})
        out, err = self.run_nestctl("list")
        self.assertEqual(out, "")
        self.assertIn("no virtual machines", err)

    def test_names_do_nothing_to_a_terminal(self):
        evil = "a\x1b[2Jb\u202ec\x07d\ne\x9bf"
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [f.summary(evil)]})
        out, _ = self.run_nestctl("list")
        self.assertIn(r"a\x1b[2Jb\u{202e}c\x07d\x0ae\u{9b}f", out)
        out, _ = self.run_nestctl("list", "--json")
        self.assertEqual(json.loads(out)["vms"][0]["name"], evil)
        for character in "\x1b\u202e\x07\x9b":
            self.assertNotIn(character, out)

    def test_many(self):
        vms = [f.summary(f"vm-{i:05}") for i in range(3000)]
        self.stub.routes["GET /v1/vms"] = Answer({"vms": vms})
        out, _ = self.run_nestctl("list")
        self.assertEqual(len(out.splitlines()), 3001)


class Show(CliTest):
    def test_all_of_it(self):
        self.stub.routes["GET /v1/vms/DemoVM"] = Answer(f.vm())
        out, _ = self.run_nestctl("show", "DemoVM")
        for line in ("name            DemoVM", "memory          4 GiB", "live            hosting: inner VMs run in it",
                     "interface       bridge br0 52:54:00:12:34:56 vnet0"):
            self.assertIn(line + "\n", out)

    def test_the_name_is_escaped_in_the_path(self):
        self.run_nestctl("show", "a/../b c?x=1&ü", status=2)
        self.assertEqual(self.stub.requests, ["GET /v1/vms/a%2F..%2Fb%20c%3Fx%3D1%26%C3%BC"])
        self.run_nestctl("show", "..", status=4)
        self.run_nestctl("show", "", status=4)
        self.assertEqual(len(self.stub.requests), 1)


class Operations(CliTest):
    def test_table(self):
        self.stub.routes["GET /v1/operations"] = Answer({"operations": [f.operation()]})
        out, _ = self.run_nestctl("operations", "--limit", "5")
        self.assertEqual(self.stub.requests, ["GET /v1/operations?limit=5"])
        self.assertIn("12   enable   DemoVM   done    2023-11-14 22:13:20   5.0 s\n", out)

    def test_one(self):
        self.stub.routes["GET /v1/operations/12"] = Answer(f.operation(
            "rolled-back", steps=[f.step("shut down", "undone"), f.step("change", "failed")],
            problem=f.problem_record()))
        out, _ = self.run_nestctl("operation", "12")
        self.assertIn("Operation 12: enable DemoVM is rolled-back\n", out)
        self.assertIn("  ↶ shut down   taken back\n  ✗ change      failed\n", out)
        self.assertIn("error: QEMU refused\n  next  look at its log\n", out)

    def test_abort(self):
        self.stub.routes["DELETE /v1/operations/12"] = Answer(f.operation("running"), 202)
        out, _ = self.run_nestctl("abort", "12")
        self.assertIn("nestctl operation 12", out)
        self.run_nestctl("abort", "twelve", status=2)


class Version(CliTest):
    def test_both(self):
        self.stub.routes["GET /v1"] = Answer(f.about())
        out, _ = self.run_nestctl("version")
        self.assertRegex(out, r"^nestctl \S+\nnestd 0\.1\.0, hypervisor open: qemu:///embed\n$")

    def test_option_needs_no_daemon(self):
        out, _ = self.run_nestctl("--version", "--socket", "/nowhere/nestd.sock")
        self.assertRegex(out, r"^nestctl \S+\n$")


class Checks(CliTest):
    HOST = f.report(f.check("host.arch"), f.check("host.smt", "info"),
                    f.check("host.is-vm", "warn", fix="go one level up", read="DMI: QEMU"))
    UNFIT = f.report(f.check("vm.exposed", "fail", fix="nestctl enable win11"),
                     f.check("net.spoof", "unknown"), uuid="u1", name="win11", supports=False)

    def setUp(self):
        super().setUp()
        self.stub.routes["GET /v1/host/checks"] = Answer(self.HOST)
        self.stub.routes["GET /v1/vms/win11/checks"] = Answer(self.UNFIT)
        self.stub.routes["GET /v1/vms/u1/checks"] = Answer(self.UNFIT)
        self.stub.routes["GET /v1/vms/gone/checks"] = problem("vm-not-found", 404, "it is gone")
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [
            f.summary("win11", uuid="u1"), f.summary("gone", uuid="gone")]})
        self.stub.routes["GET /v1/checks"] = Answer({"checks": [
            f.info("host.arch"), f.info("net.spoof", level="warn")]})

    def test_host(self):
        out, err = self.run_nestctl("check")
        self.assertEqual(err, "")
        self.assertEqual(out, """\
Host lab01: 1 warned, 1 for information, 1 passed
  ! host.is-vm   message of host.is-vm
  → go one level up
""")
        out, _ = self.run_nestctl("check", "--all")
        self.assertIn("  ✓ host.arch    message of host.arch\n", out)
        self.assertNotIn("DMI", out)
        out, _ = self.run_nestctl("check", "-v", "--scope", "host")
        self.assertIn("DMI: QEMU\n", out)
        self.assertEqual(self.stub.requests, ["GET /v1/host/checks?all=1"] * 3)

    def test_vms(self):
        out, _ = self.run_nestctl("check", "win11", status=1)
        self.assertTrue(out.startswith("Virtual machine win11: 1 failed, 1 unknown\n"), out)
        self.assertIn("  ✗ vm.exposed   message of vm.exposed\n", out)
        out, _ = self.run_nestctl("check", "win11", "--failed", status=1)
        self.assertNotIn("net.spoof", out)
        out, _ = self.run_nestctl("check", "win11", "--scope", "net")
        self.assertTrue(out.startswith("Virtual machine win11: 1 unknown\n"), out)
        self.run_nestctl("check", "gone", status=4)

    def test_every_vm(self):
        out, _ = self.run_nestctl("check", "--scope", "vm", status=1)
        self.assertEqual(out.count("Virtual machine"), 1)
        self.assertNotIn("net.spoof", out)
        self.stub.routes["GET /v1/vms"] = Answer({"vms": []})
        out, _ = self.run_nestctl("check", "--scope", "net")
        self.assertEqual(out, "There are no virtual machines.\n")

    def test_json(self):
        out, _ = self.run_nestctl("check", "--json", "win11", "--failed", status=1)
        reports = json.loads(out)["reports"]
        self.assertEqual([(r["name"], [c["id"] for c in r["checks"]]) for r in reports],
                         [("win11", ["vm.exposed"])])
        out, _ = self.run_nestctl("explain", "host.arch", "--json")
        self.assertEqual(json.loads(out)["why"], "It matters.")

    def test_usage(self):
        for args in (("check", "--scope", "all"), ("check", "win11", "--scope", "host"),
                     ("check", "--all", "--failed"), ("explain",), ("explain", "host.nope")):
            self.run_nestctl(*args, status=2)

    def test_catalogue(self):
        out, _ = self.run_nestctl("checks")
        self.assertEqual(out, """\
CHECK       WORST   PASSES WHERE
host.arch   fail    title of host.arch
net.spoof   warn    title of net.spoof
""")
        out, _ = self.run_nestctl("checks", "--names")
        self.assertEqual(out, "host.arch\nnet.spoof\n")
        out, _ = self.run_nestctl("explain", "net.spoof")
        self.assertEqual(out, """\
net.spoof passes where title of net.spoof
looks at  What net.spoof looks at.
          And where.
matters   It matters.
worst     warn
by hand   Do this.
source    a book
""")


if __name__ == "__main__":
    unittest.main()
