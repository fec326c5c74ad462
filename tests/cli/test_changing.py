# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands that change something: plans, questions, progress, Ctrl-C."""
import json
import threading
import unittest

import fixtures as f
from harness import CliTest, plain
from stub import Answer, Close, problem

PLAN = "POST /v1/vms/DemoVM/nested/plan"
PUT = "PUT /v1/vms/DemoVM/nested"
OPERATION = "GET /v1/operations/12"
ASK = "numbers of optional items to leave out:"
UNCHANGED = "Nothing has been changed."

DONE = f.operation(steps=[f.step("shut down", milliseconds=4200), f.step("saved state removed"),
                          f.step("configuration changed")])

SHOWN = """\
To enable nesting, DemoVM will be changed:
  1  saved state removed                 its 812 MiB of saved memory are lost
  2  shut down                           it is running since 09:12
  3  virtualization extensions exposed   cpu host-model → host-passthrough + vmx
  4  dynamic memory off                  1–4 GiB → 4 GiB fixed
Optional:
  5  MAC spoofing allowed on vnet0       without it inner VMs have no network
  6  memory raised to 4 GiB              2 GiB → 4 GiB
                                         below that inner VMs may not start
"""


def planner(query, body):
    """Plans as the daemon does: without what is declined, and with a hash of its own."""
    declined = body.get("decline") or []
    items = [i for i in f.plan_items() if i["id"] not in declined]
    return Answer(f.plan("h-" + ",".join(declined), items, enable=body["enabled"]))


class NestedTest(CliTest):
    def setUp(self):
        super().setUp()
        self.stub.routes[PLAN] = planner
        self.stub.routes[PUT] = Answer(f.operation("pending"), 202)
        self.stub.routes[OPERATION] = Answer(DONE)

    def wish(self):
        return self.stub.bodies[PUT][-1]

    def assert_unchanged(self):
        self.assertNotIn(PUT, self.stub.requests)


class Enable(NestedTest):
    def test_shown_asked_done(self):
        terminal = self.terminal("enable", "DemoVM", env={"NO_COLOR": "1"})
        shown = terminal.expect(ASK)
        self.assertIn(SHOWN, plain(shown))
        terminal.send("Y\n")
        status, text = terminal.end()
        self.assertEqual(status, 0)
        self.assertIn("  ✓ shut down               4.2 s\n  ✓ saved state removed\n"
                      "  ✓ configuration changed\n"
                      "DemoVM is set up for nesting. Start it with: nestctl start DemoVM "
                      "(undo: nestctl undo DemoVM)\n",
                      plain(text))
        self.assertEqual(self.wish(), {"enabled": True, "plan": "h-", "decline": []})

    def test_no_changes_nothing(self):
        for answer in ("N\n", "no\n", "\x04"):
            terminal = self.terminal("enable", "DemoVM")
            terminal.expect(ASK)
            terminal.send(answer)
            status, text = terminal.end()
            self.assertEqual(status, 18)
            self.assertIn(UNCHANGED, text)
        self.assert_unchanged()

    def test_interrupt_at_the_question(self):
        terminal = self.terminal("enable", "DemoVM")
        terminal.expect(ASK)
        terminal.send("\x03")
        status, text = terminal.end()
        self.assertEqual(status, 130)
        self.assertIn(UNCHANGED, text)
        self.assert_unchanged()

    def test_anything_else_asks_again(self):
        terminal = self.terminal("enable", "DemoVM")
        for answer in ("maybe", "", "7", "0", "5 x", "\x1b[A", "yes please"):
            terminal.expect(ASK)
            terminal.send(answer + "\n")
            terminal.expect("Answer Y, N, or the numbers")
        self.assert_unchanged()
        terminal.expect(ASK)
        terminal.send("yes\n")
        self.assertEqual(terminal.end()[0], 0)

    def test_numbers_leave_items_out(self):
        for answer, declined in (("5", ["mac-spoofing"]), ("6", ["memory"]),
                                 (" 5, 6 ", ["mac-spoofing", "memory"])):
            terminal = self.terminal("enable", "DemoVM")
            terminal.expect(ASK)
            terminal.send(answer + "\n")
            self.assertEqual(terminal.end()[0], 0)
            self.assertEqual(self.wish(), {
                "enabled": True, "plan": "h-" + ",".join(declined), "decline": declined})

    def test_a_needed_item_cannot_be_left_out(self):
        terminal = self.terminal("enable", "DemoVM")
        terminal.expect(ASK)
        terminal.send("5 3\n")
        terminal.expect("3 (virtualization extensions exposed) is needed")
        terminal.expect(ASK)
        self.assert_unchanged()
        terminal.send("n\n")
        self.assertEqual(terminal.end()[0], 18)

    def test_options_leave_items_out(self):
        self.run_nestctl("enable", "DemoVM", "--yes", "--no-mac-spoofing", "--no-memory")
        self.assertEqual(self.wish()["decline"], ["mac-spoofing", "memory"])
        out, _ = self.run_nestctl("enable", "DemoVM", "--yes", "--no-memory")
        self.assertEqual(self.wish()["decline"], ["memory"])
        self.assertNotIn("memory raised", out)

    def test_options_for_items_that_are_not_there(self):
        self.stub.routes[PLAN] = lambda query, body: (
            problem("invalid-request", 400, "no such item") if body["decline"] else
            Answer(f.plan(items=f.plan_items()[:3])))
        self.run_nestctl("enable", "DemoVM", "--yes", "--no-mac-spoofing", "--no-memory")
        self.assertEqual(self.wish()["decline"], [])

    def test_a_plan_that_changes_with_what_is_left_out_is_shown_again(self):
        other = f.plan("h2", [f.item("power-off", "shut down")])
        self.stub.routes[PLAN] = [Answer(f.plan("h1")), Answer(other)]
        terminal = self.terminal("enable", "DemoVM")
        terminal.expect(ASK)
        terminal.send("5\n")
        terminal.expect("has changed meanwhile")
        terminal.expect("[N]o:")
        self.assert_unchanged()
        terminal.send("y\n")
        self.assertEqual(terminal.end()[0], 0)
        self.assertEqual(self.wish(), {"enabled": True, "plan": "h2",
                                       "decline": ["mac-spoofing"]})

    def test_an_outdated_plan_is_shown_and_asked_again(self):
        self.stub.routes[PLAN] = [
            Answer(f.plan("h1")), Answer(f.plan("h2", [f.item("power-off", "power is cut")]))]
        self.stub.routes[PUT] = [
            problem("plan-outdated", 409, "outdated", plan=f.plan("h2")),
            Answer(f.operation("pending"), 202)]
        terminal = self.terminal("enable", "DemoVM")
        terminal.expect(ASK)
        terminal.send("y\n")
        terminal.expect("has changed meanwhile")
        terminal.expect("power is cut")
        terminal.expect("[N]o:")
        terminal.send("y\n")
        self.assertEqual(terminal.end()[0], 0)
        self.assertEqual([b["plan"] for b in self.stub.bodies[PUT]], ["h1", "h2"])

    def test_yes_takes_a_new_plan_but_not_for_ever(self):
        outdated = problem("plan-outdated", 409, "outdated", plan=f.plan("h2"))
        self.stub.routes[PUT] = [outdated, Answer(f.operation("pending"), 202)]
        self.run_nestctl("enable", "DemoVM", "--yes")
        self.stub.routes[PUT] = outdated
        self.stub.bodies.clear()
        self.run_nestctl("enable", "DemoVM", "--yes", status=8)
        self.assertEqual(len(self.stub.bodies[PUT]), 4)

    def test_without_a_terminal_it_wants_yes(self):
        out, err = self.run_nestctl("enable", "DemoVM", stdin="Y\n", status=2)
        self.assertIn("--yes", err)
        self.assertIn("nothing has been changed", err)
        self.assertEqual(out, SHOWN)
        self.assert_unchanged()

    def test_dry_run(self):
        out, _ = self.run_nestctl("enable", "DemoVM", "--dry-run")
        self.assertEqual(out, SHOWN + "Nothing has been changed (--dry-run).\n")
        out, _ = self.run_nestctl("enable", "DemoVM", "-n", "--json")
        self.assertEqual(json.loads(out)["hash"], "h-")
        self.assert_unchanged()

    def test_nothing_to_do(self):
        self.stub.routes[PLAN] = Answer(f.plan(items=[], verdict="no-change"))
        out, _ = self.run_nestctl("enable", "DemoVM")
        self.assertEqual(out, "DemoVM is already set up for nesting.\n")
        out, _ = self.run_nestctl("enable", "DemoVM", "--json", "--yes")
        self.assertEqual(json.loads(out)["verdict"], "no-change")
        self.assert_unchanged()

    def test_nothing_to_do_but_to_know(self):
        warnings = ["It still runs with the CPU that it was started with.", "It may not start."]
        notes = "".join(f"Note: {warning}\n" for warning in warnings)
        self.stub.routes[PLAN] = Answer(f.plan(items=[], verdict="no-change", warnings=warnings))
        for verb, says in (("enable", "DemoVM is already set up for nesting.\n"),
                           ("disable", "Nesting is already off in DemoVM.\n")):
            self.assertEqual(self.run_nestctl(verb, "DemoVM")[0], says + notes)
        self.stub.routes["POST /v1/plan"] = Answer({
            **f.plan(items=[], verdict="no-change", warnings=warnings), "xml": "<domain/>"})
        out, err = self.run_nestctl("plan", "--xml", "-", stdin="<domain/>")
        self.assertEqual((out.strip(), err),
                         ("<domain/>", "DemoVM is already set up for nesting.\n" + notes))
        self.assert_unchanged()

    def test_refused(self):
        self.stub.routes[PLAN] = Answer(f.plan(
            items=[], verdict="refused",
            problem=f.problem_record("host-unfit", "nested=N in kvm_intel", "reload it",
                                     "host.kvm.nested")))
        for more in ([], ["--dry-run"], ["--yes"]):
            _, err = self.run_nestctl("enable", "DemoVM", *more, status=10)
            self.assertEqual(err, "error: nested=N in kvm_intel\n  next  reload it\n"
                                  "  more  nestctl explain host.kvm.nested\n")
        self.assert_unchanged()

    def test_json_is_the_operation_and_nothing_else(self):
        out, err = self.run_nestctl("enable", "DemoVM", "--json", "--yes")
        self.assertEqual(json.loads(out)["steps"][0]["title"], "shut down")
        self.assertIn("✓ shut down", err)
        _, err = self.run_nestctl("enable", "DemoVM", "--json", status=2)
        self.assertIn("nobody to ask", err)

    def test_no_wait(self):
        out, _ = self.run_nestctl("enable", "DemoVM", "--yes", "--no-wait")
        self.assertIn("Operation 12 has begun", out)
        self.assertNotIn(OPERATION, " ".join(self.stub.requests))
        out, _ = self.run_nestctl("enable", "DemoVM", "--yes", "--no-wait", "--json")
        self.assertEqual(json.loads(out)["id"], 12)

    def test_a_failure_says_what_was_taken_back(self):
        self.stub.routes[OPERATION] = Answer(f.operation(
            "rolled-back", steps=[f.step("shut down", "undone"),
                                  f.step("configuration changed", "failed")],
            problem=f.problem_record("not-verified", "the read-back differs", "see the log")))
        out, err = self.run_nestctl("enable", "DemoVM", "--yes", status=17)
        self.assertTrue(out.endswith("  ✗ configuration changed   failed\n"
                                     "  ↶ shut down               taken back\n"
                                     "Everything is as before.\n"), out)
        self.assertEqual(err, "error: the read-back differs\n  next  see the log\n")
        out, _ = self.run_nestctl("enable", "DemoVM", "--yes", "--json", status=17)
        self.assertEqual(json.loads(out)["state"], "rolled-back")

    def test_a_failure_that_stays_half_done_says_so(self):
        self.stub.routes[OPERATION] = Answer(f.operation(
            "failed", steps=[f.step("shut down"), f.step("configuration changed", "failed")],
            note="Its saved state is gone.", problem=f.problem_record()))
        out, _ = self.run_nestctl("enable", "DemoVM", "--yes", status=16)
        self.assertNotIn("Everything is as before", out)
        self.assertIn("has not been taken back", out)
        self.assertIn("Its saved state is gone.", out)

    def test_progress_is_shown_on_a_terminal(self):
        go = threading.Event()
        self.stub.routes[OPERATION] = [
            Answer(f.operation("running", steps=[f.step("shut down", "running")])),
            Answer(DONE, after=go)]
        terminal = self.terminal("enable", "DemoVM", "--yes")
        terminal.expect("shut down   0.")
        go.set()
        status, text = terminal.end()
        self.assertEqual(status, 0)
        self.assertIn("\r\x1b[K", text)

    def test_interrupt_while_it_works(self):
        go = threading.Event()

        def ask(query, body):
            if "DELETE /v1/operations/12" in self.stub.requests:
                return Answer(f.operation("aborted", steps=[f.step("shut down", "undone")],
                                          problem=f.problem_record("aborted", "you asked to")))
            return Answer(f.operation("running", steps=[f.step("shut down", "running")]), after=go)
        self.stub.routes[OPERATION] = ask
        self.stub.routes["DELETE /v1/operations/12"] = Answer(f.operation("running"), 202)
        terminal = self.terminal("enable", "DemoVM", "--yes")
        self.stub.wait_for(OPERATION)
        terminal.send("\x03")
        terminal.expect("waiting for how it ends")
        self.stub.wait_for("DELETE /v1/operations/12")
        status, text = terminal.end()
        go.set()
        self.assertEqual(status, 14)
        self.assertIn("taken back", text)
        self.assertIn("Everything is as before.", text)
        self.assertIn("you asked to", text)

    def test_interrupt_that_comes_too_late(self):
        go = threading.Event()
        self.stub.routes[OPERATION] = lambda query, body: (
            Answer(DONE) if "DELETE /v1/operations/12" in self.stub.requests else
            Answer(f.operation("running"), after=go))
        self.stub.routes["DELETE /v1/operations/12"] = problem("vm-state", 409, "it has ended")
        terminal = self.terminal("enable", "DemoVM", "--yes")
        self.stub.wait_for(OPERATION)
        terminal.send("\x03")
        status, text = terminal.end()
        go.set()
        self.assertEqual(status, 0)
        self.assertIn("It was too late to abort.", text)

    def test_second_interrupt_does_not_wait(self):
        go = threading.Event()
        self.stub.routes[OPERATION] = lambda query, body: Answer(f.operation("running"), after=go)
        self.stub.routes["DELETE /v1/operations/12"] = Answer(f.operation("running"), 202)
        terminal = self.terminal("enable", "DemoVM", "--yes")
        self.stub.wait_for(OPERATION)
        terminal.send("\x03")
        terminal.expect("Ctrl-C again")
        terminal.send("\x03")
        status, _ = terminal.end()
        go.set()
        self.assertEqual(status, -2)

    def test_a_restart_of_the_daemon(self):
        polled = threading.Event()

        def first(query, body):
            polled.set()
            return Close()
        self.stub.routes[OPERATION] = first
        terminal = self.terminal("enable", "DemoVM", "--yes")
        self.assertTrue(polled.wait(15))
        self.stub.stop()
        self.stub.routes[OPERATION] = Answer(DONE)
        self.stub.start()
        self.assertEqual(terminal.end()[0], 0)

    def test_a_put_is_never_repeated(self):
        self.stub.routes[PUT] = Close()
        _, err = self.run_nestctl("enable", "DemoVM", "--yes", status=19)
        self.assertEqual(self.stub.requests.count(PUT), 1)
        self.assertIn("nestctl operations", err)

    def test_names_of_powershell(self):
        for words in (["Enable-NestedVm", "-VmName", "DemoVM", "-WhatIf"],
                      ["enable-nestedvm", "-vmname:DemoVM", "-whatif"]):
            out, _ = self.run_nestctl(*words)
            self.assertIn("--dry-run", out)

    def test_disable(self):
        out, _ = self.run_nestctl("disable", "DemoVM", "--yes")
        self.assertIn("To disable nesting, DemoVM will be changed:", out)
        self.assertIn("DemoVM does not nest any more.", out)
        self.assertFalse(self.wish()["enabled"])

    def test_warnings(self):
        self.stub.routes[PLAN] = Answer(f.plan(warnings=["live migration will not work"]))
        out, _ = self.run_nestctl("enable", "DemoVM", "--dry-run")
        self.assertIn("Note: live migration will not work\n", out)

    def test_narrow(self):
        terminal = self.terminal("enable", "DemoVM", columns=44)
        shown = plain(terminal.expect("Apply?"))
        for line in shown.splitlines():
            self.assertLessEqual(len(line), 44, line)
        self.assertIn("  1  saved state removed\n       its 812 MiB", shown)

    def test_ascii(self):
        out, _ = self.run_nestctl("enable", "DemoVM", "--yes", env={"LC_ALL": "C"})
        self.assertTrue(out.isascii())
        self.assertIn("  ok shut down", out)
        self.assertIn("1-4 GiB -> 4 GiB fixed", out)


class State(CliTest):
    def setUp(self):
        super().setUp()
        self.stub.routes["PUT /v1/vms/DemoVM/state"] = Answer(f.operation("pending", "start"), 202)
        self.stub.routes[OPERATION] = Answer(f.operation(kind="start", steps=[f.step("start")]))

    def test_verbs(self):
        for words, wish, said in (
                (["start"], {"state": "running", "force": False, "timeout": 0, "reason": None}, "is running."),
                (["start", "--discard-saved-state"],
                 {"state": "running", "force": False, "timeout": 0, "reason": None,
                  "discard_saved_state": True}, "is running."),
                (["restore"], {"state": "running", "force": False, "timeout": 0, "reason": None,
                               "restore": True}, "is running."),
                (["shutdown", "--timeout", "90"],
                 {"state": "off", "force": False, "timeout": 90, "reason": None}, "is off."),
                (["stop"], {"state": "off", "force": True, "timeout": 0, "reason": None}, "is off."),
                (["save"], {"state": "saved", "force": False, "timeout": 0, "reason": None}, "is saved."),
                (["pause"], {"state": "paused", "force": False, "timeout": 0, "reason": None},
                 "is paused."),
                (["resume"], {"state": "running", "force": False, "timeout": 0, "reason": None},
                 "is running."),
                (["save", "--force", "--reason", "rack moves"],
                 {"state": "saved", "force": True, "timeout": 0, "reason": "rack moves"},
                 "is saved.")):
            out, _ = self.run_nestctl(*words, "DemoVM")
            self.assertEqual(self.stub.bodies["PUT /v1/vms/DemoVM/state"][-1],
                             {"discard_saved_state": False, "restore": False, **wish})
            self.assertIn(f"DemoVM {said}", out)

    def test_restart(self):
        path = "POST /v1/vms/DemoVM/restart"
        self.stub.routes[path] = Answer(f.operation("pending", "reboot"), 202)
        for words, wish, said in (
                (["reboot", "--timeout", "9"],
                 {"reset": False, "force": False, "timeout": 9, "reason": None}, "has rebooted."),
                (["reset"], {"reset": True, "force": False, "timeout": 0, "reason": None},
                 "has been reset.")):
            out, _ = self.run_nestctl(*words, "DemoVM")
            self.assertEqual(self.stub.bodies[path][-1], wish)
            self.assertIn(f"DemoVM {said}", out)

    def test_memory(self):
        self.stub.routes["PUT /v1/vms/DemoVM/memory"] = Answer(
            f.operation("pending", "memory"), 202)
        out, _ = self.run_nestctl("memory", "DemoVM", "3G")
        self.assertEqual(self.stub.bodies["PUT /v1/vms/DemoVM/memory"][-1],
                         {"memory_kib": 3 << 20, "force": False, "reason": None})
        self.assertIn("DemoVM has that memory now.", out)

    def test_force_needs_a_reason(self):
        for words in (["save", "--force"], ["stop", "--reason", "x"],
                      ["memory", "--force", "DemoVM", "1G"]):
            _, err = self.run_nestctl(*words, *([] if "DemoVM" in words else ["DemoVM"]), status=2)
            self.assertIn("--force and --reason TEXT go together", err)
        self.assertEqual(self.stub.bodies, {})

    def test_nothing_to_do(self):
        self.stub.routes["PUT /v1/vms/DemoVM/state"] = Answer(f.vm())
        out, _ = self.run_nestctl("start", "DemoVM")
        self.assertEqual(out, "DemoVM is running already.\n")

    def test_refused(self):
        self.stub.routes["PUT /v1/vms/DemoVM/state"] = problem(
            "vm-unfit", 409, "dynamic memory is on", "nestctl enable DemoVM")
        _, err = self.run_nestctl("start", "DemoVM", status=10)
        self.assertIn("error: dynamic memory is on\n  next  nestctl enable DemoVM\n", err)


class Create(CliTest):
    def setUp(self):
        super().setUp()
        self.stub.routes["POST /v1/vms"] = Answer(f.operation("pending", "create"), 202)
        self.stub.routes[OPERATION] = Answer(f.operation(kind="create"))

    def test_everything(self):
        out, _ = self.run_nestctl(
            "create", "DemoVM", "--memory", "1-4G", "--vcpus", "2", "--disk", "20G", "--iso",
            "/a.iso", "--kernel", "/k", "--initrd", "/i", "--cmdline", "quiet x=1", "--network",
            "bridge=br0", "--filter", "clean", "--accel", "tcg", "--nested")
        self.assertIn("DemoVM has been created. Start it with: nestctl start DemoVM\n", out)
        self.assertEqual(self.stub.bodies["POST /v1/vms"][0], {
            "name": "DemoVM", "memory_kib": 4 * f.GIB, "memory_min_kib": f.GIB, "vcpus": 2,
            "disk_bytes": 20 << 30, "disk": None, "disk_format": None, "iso": "/a.iso",
            "kernel": "/k", "initrd": "/i", "cmdline": "quiet x=1", "network": "bridge=br0",
            "filter": "clean", "accel": "tcg", "nested": True})

    def test_an_image(self):
        self.run_nestctl("create", "DemoVM", "--memory", "512M", "--disk", "/v/a,format=raw")
        body = self.stub.bodies["POST /v1/vms"][0]
        self.assertEqual((body["disk"], body["disk_format"], body["disk_bytes"]),
                         ("/v/a", "raw", 0))
        self.run_nestctl("create", "DemoVM", "--memory", "512", "--disk", "./b.qcow2")
        body = self.stub.bodies["POST /v1/vms"][1]
        self.assertTrue(body["disk"].startswith("/") and body["disk"].endswith("/b.qcow2"))
        self.assertEqual((body["disk_format"], body["memory_kib"]), ("qcow2", 512 * 1024))

    def test_nonsense(self):
        for words in (["--memory", "lots"], [], ["--memory", "4GB"], ["--memory", "4G-1G"],
                      ["--memory", "1G", "--vcpus", "0"], ["--memory", "1G", "--disk", "/x.img"],
                      ["--memory", "1G", "--network", "tap"], ["--memory", "1G", "--accel", "xen"],
                      ["--memory", "1G", "--initrd", "/i"], ["--memory", "-1"],
                      ["--memory", "1G", "--disk", "0"]):
            _, err = self.run_nestctl("create", "DemoVM", *words, status=2)
            self.assertIn("error: ", err)
        self.run_nestctl("create", "../evil", "--memory", "1G", status=2)
        self.assertEqual(self.stub.requests, [])


class Delete(CliTest):
    def setUp(self):
        super().setUp()
        self.key = f"DELETE /v1/vms/{f.UUID}"
        self.stub.routes["GET /v1/vms/DemoVM"] = Answer(f.vm())
        self.stub.routes[self.key] = Answer(f.operation("pending", "delete"), 202)
        self.stub.routes[OPERATION] = Answer(f.operation(kind="delete"))

    def test_asks(self):
        for answer, status in (("5\nn\n", 18), ("y\n", 0)):
            self.assertNotIn(self.key, self.stub.requests)
            terminal = self.terminal("delete", "DemoVM")
            terminal.expect("[Y]es, [N]o:")
            terminal.send(answer)
            self.assertEqual(terminal.end()[0], status)
        self.assertIn(self.key, self.stub.requests)

    def test_yes(self):
        self.run_nestctl("delete", "DemoVM", status=2)
        self.assertNotIn(self.key, self.stub.requests)
        out, _ = self.run_nestctl("delete", "DemoVM", "--yes", "--keep-disks")
        self.assertIn("DemoVM has been deleted.", out)
        self.assertIn(self.key + "?keep_disks=1", self.stub.requests)


class Trust(CliTest):
    def test_shown(self):
        self.stub.routes["GET /v1/vms/DemoVM"] = Answer(f.vm(trust="untrusted"))
        self.assertEqual(self.run_nestctl("trust", "DemoVM")[0], "DemoVM is untrusted.\n")

    def test_set(self):
        put = "PUT /v1/vms/DemoVM/trust"
        self.stub.routes[put] = Answer(f.operation("pending", "trust"), 202)
        self.stub.routes[OPERATION] = Answer(
            f.operation(kind="trust", steps=[f.step("label changed")]))
        self.assertIn("DemoVM is untrusted.\n",
                      self.run_nestctl("trust", "DemoVM", "untrusted")[0])
        self.assertEqual(self.stub.bodies[put], [{"trust": "untrusted"}])

    def test_nothing_to_do(self):
        self.stub.routes["PUT /v1/vms/DemoVM/trust"] = Answer(f.vm(trust="trusted"))
        self.assertEqual(self.run_nestctl("trust", "DemoVM", "trusted")[0],
                         "DemoVM is trusted already.\n")

    def test_what_is_no_label(self):
        _, err = self.run_nestctl("trust", "DemoVM", "perhaps", status=2)
        self.assertIn('a label is trusted or untrusted, not "perhaps"', err)


if __name__ == "__main__":
    unittest.main()
