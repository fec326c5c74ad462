# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proofs: asked for at once, kept, refused, gone wrong, repeated; the program itself is faked."""

import re
import shutil
import signal
import subprocess
import unittest

import nestd
from fake import XML, Fake, eventually, put

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

    def test_serial_port_that_spews(self):
        self.daemon.host.control("set:report:spew")
        proof = self.prove("tcg")
        self.assertTrue(proof["proved"], proof)

    def test_interrupted(self):
        """Ctrl-C: nestctl ends at once; the VM is not waited for, and what came of it is kept."""
        with self.daemon.holding("boot") as held:
            command = subprocess.Popen(
                [nestd.NESTCTL, "--socket", self.daemon.socket, "prove", "--accel", "tcg"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            held()
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=nestd.REPLY_DEADLINE)
            self.assertEqual((command.returncode, out), (-signal.SIGINT, b""), err)
            self.assertEqual(self.daemon.get(PROOF), {"proofs": []})
        with self.daemon.events(after=0) as events:
            events.wait_for(kind="host-proved")
        self.assertEqual(len(self.boots()), 1)

    def test_history(self):
        self.assertEqual(self.history(), [])
        self.assertIn("Nothing was proved", self.daemon.nestctl("prove", "--history").stdout)
        for _ in range(3):
            self.prove("tcg")
        self.prove()
        proofs = self.history()
        self.assertEqual([row["accel"] for row in proofs], ["kvm", "tcg", "tcg", "tcg"])
        self.assertEqual(proofs[0]["exits"][0]["min_cycles"], 2000)
        self.assertEqual(proofs[0]["passes"], [])
        shown = self.daemon.nestctl("prove", "--history").stdout
        self.assertEqual(len(shown.splitlines()), 5, shown)
        self.assertEqual(self.daemon.nestctl("prove", "--history", "--accel", "kvm").returncode, 2)
        self.assertEqual(self.daemon.nestctl("prove", "--history", "one").returncode, 2)
        self.daemon.restart()
        self.daemon.wait_backend()
        self.assertEqual(self.history(), proofs)

    def history(self):
        return self.daemon.get(f"{PROOF}?history=1")["proofs"]

    def test_slower_than_before(self):
        """Told once, where what it depends on has changed."""
        self.prove("tcg")
        self.daemon.host.control("set:cycles:4000")
        self.assertIsNone(self.prove("tcg")["slower"])
        self.daemon.environment["NEST_FAKE_CAPS"] = "qemu=9.9.9"
        self.daemon.restart()
        with self.daemon.events(after=0) as events:
            event = events.wait_for(kind="host-slower")
        self.assertIn("slower than with QEMU", event["message"])
        self.assertEqual(self.prove("tcg")["slower"], event["message"])
        self.assertIn("slower than with QEMU",
                      " ".join(self.daemon.nestctl("status").stdout.split()))
        told = [row for row in self.daemon.get("/v1/events?follow=0")["events"]
                if row["kind"] == "host-slower"]
        self.assertEqual(len(told), 1)

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


class ProveVm(unittest.TestCase):
    """With the CPU of a VM, which itself is left alone."""

    def setUp(self):
        self.daemon = self.enterContext(Fake())

    def prove(self, name, status=200):
        answer = self.daemon.request("POST", f"/v1/vms/{name}/proof")
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def proofs(self, name):
        return self.daemon.get(f"/v1/vms/{name}/proof")["proofs"]

    def test_hidden_then_enabled(self):
        number = self.daemon.define("alpha")
        self.assertEqual(self.proofs("alpha"), [])
        with self.daemon.events() as events:
            proof = self.prove("alpha")
            event = events.wait_for(kind="vm-not-proved", uuid=number)
        self.assertIn("the CPU of alpha", event["message"])
        self.assertEqual((proof["proved"], proof["code"]), (False, "not-supported"))
        self.assertEqual((proof["message"], proof["next"]),
                         ("the definition of alpha hides the extension", "nestctl enable alpha"))
        self.assertEqual(self.proofs("alpha"), [proof])
        self.assertFalse(proof["outdated"])
        operation = self.daemon.nested("alpha").json
        self.assertEqual(self.daemon.wait_operation(operation["id"])["state"], "done")
        self.assertTrue(self.proofs("alpha")[0]["outdated"])
        proof = self.prove("alpha")
        self.assertTrue(proof["proved"])
        self.assertEqual((proof["accel"], proof["extension"]), ("tcg", "svm"))
        self.daemon.restart()
        self.daemon.wait_backend()
        self.assertEqual(self.proofs("alpha"), [proof])
        self.assertEqual(self.daemon.get(PROOF), {"proofs": []})
        self.daemon.environment["NEST_FAKE_CAPS"] = "qemu=9.9.9"
        self.daemon.restart()
        self.daemon.wait_backend()
        self.assertTrue(self.proofs("alpha")[0]["outdated"])

    def test_what_kvm_does_not_pass_on(self):
        """The module's parameter is named, and not the CPU or the definition, which asks for it."""
        hosts = nestd.SOURCE / "tests" / "data" / "hosts"
        config = {"daemon": {"host-root": hosts / "intel-nested-off"}}
        with Fake(config=config, environment={"NEST_FAKE_CAPS": "kvm=vmx,tcg=svm"}) as daemon:
            for name, policy in (("asks", "require"), ("hides", "disable")):
                cpu = f"<cpu mode='host-passthrough'><feature policy='{policy}' name='vmx'/></cpu>"
                xml = re.sub("<cpu.*</cpu>", cpu, XML.replace("type='qemu'", "type='kvm'"),
                             flags=re.DOTALL)
                daemon.define(name, xml)
            daemon.host.control("set:report:not-supported")
            for path in (PROOF, "/v1/vms/asks/proof", "/v1/vms/hides/proof"):
                body = {"accel": "kvm"} if path == PROOF else None
                with daemon.events() as events:
                    proof = daemon.request("POST", path, body).json
                    message = events.wait_for(
                        kind="host-not-proved" if path == PROOF else "vm-not-proved")["message"]
                self.assertEqual((proof["code"], proof["next"]),
                                 ("not-supported", "nestctl host fix"), proof)
                self.assertIn("KVM does not pass the extension on: kvm_intel has nested=N", message)
            ended = daemon.nestctl("prove", "asks")
            self.assertEqual(ended.returncode, 1)
            self.assertNotIn("enable", ended.stdout + ended.stderr)

    def test_the_definition_is_left_alone(self):
        self.daemon.define("alpha", state="running")
        before = self.daemon.get("/v1/vms/alpha")
        self.prove("alpha")
        self.assertEqual(self.daemon.get("/v1/vms/alpha"), before)
        effects = {call[0] for call in self.daemon.host.calls()}
        self.assertFalse(effects & {"define", "redefine", "start", "stop"}, effects)

    def test_refused_is_a_result(self):
        self.daemon.define("alpha")
        self.daemon.host.control("boot:*:host_unfit:the host has no such CPU")
        proof = self.prove("alpha")
        self.assertEqual((proof["code"], proof["message"]),
                         ("refused", "the host has no such CPU"))

    def test_what_can_not_be_told(self):
        override = "<qemu:commandline><qemu:arg value='-cpu'/><qemu:arg value='max'/>" \
            "</qemu:commandline></domain>"
        xml = XML.replace("<domain ", "<domain xmlns:qemu="
                          "'http://libvirt.org/schemas/domain/qemu/1.0' ")
        self.daemon.define("own", xml.replace("</domain>", override))
        self.assertEqual(self.prove("own", 409)["kind"], "vm-unfit")
        self.assertEqual(self.proofs("own"), [])
        self.assertEqual(self.prove("nobody", 404)["kind"], "vm-not-found")
        self.assertEqual(self.daemon.request("GET", "/v1/vms/nobody/proof").status, 404)

    def test_many_at_once(self):
        """One after another; of those that wait, a VM has one turn however many ask."""
        names = [f"vm{i}" for i in range(18)]
        for name in names:
            self.daemon.define(name)
        connections = []

        def ask(name):
            connection = nestd.Connection(self.daemon.socket, nestd.REPLY_DEADLINE)
            connection.request("POST", f"/v1/vms/{name}/proof")
            connections.append(connection)

        with self.daemon.holding("boot") as held:
            ask("vm0")
            held()
            for name in [*names[1:17], "vm1", "vm1"]:
                ask(name)
            self.daemon.get("/v1")
            self.assertEqual(self.prove("vm17", 429)["kind"], "too-many")
        for connection in connections:
            self.assertFalse(nestd.Answer(connection.getresponse()).json["proved"])
            connection.close()
        self.assertEqual(len([c for c in self.daemon.host.calls() if c[0] == "boot"]), 17)

    def test_deleted_in_the_middle(self):
        """Who asked is answered; nothing is kept of a VM that is gone."""
        number = self.daemon.define("alpha")
        connection = nestd.Connection(self.daemon.socket, nestd.REPLY_DEADLINE)
        with self.daemon.holding("boot") as held, self.daemon.events() as events:
            connection.request("POST", "/v1/vms/alpha/proof")
            held()
            self.daemon.host.delete("alpha")
            events.wait_for(kind="vm-removed", uuid=number)
        answer = nestd.Answer(connection.getresponse())
        connection.close()
        self.assertEqual((answer.status, answer.json["code"]), (200, "not-supported"))
        self.assertEqual(self.daemon.request("GET", "/v1/vms/alpha/proof").status, 404)
        self.daemon.define("alpha", xml=XML.replace("{uuid}", number))
        eventually(lambda: self.proofs("alpha") == [])

    def test_deleted_meanwhile(self):
        number = self.daemon.define("alpha")
        self.prove("alpha")
        with self.daemon.events() as events:
            self.daemon.request("DELETE", "/v1/vms/alpha")
            events.wait_for(kind="vm-removed", uuid=number)
        self.assertEqual(self.daemon.request("GET", "/v1/vms/alpha/proof").status, 404)
        self.daemon.define("alpha", xml=XML.replace("{uuid}", number))
        self.assertEqual(self.proofs("alpha"), [])


class Late(unittest.TestCase):
    """A host so busy that a VM does not boot in the time that who asked is given."""

    def test_it_goes_on(self):
        with Fake(config={"timeouts": {"reply": 1}}) as daemon, daemon.events() as events:
            number = daemon.define("alpha")
            daemon.host.control("boot:1:hang", "boot:2:hang")
            command = subprocess.Popen(
                [nestd.NESTCTL, "--socket", daemon.socket, "prove", "alpha"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            answer = daemon.request("POST", PROOF, {"accel": "tcg"})
            self.assertEqual((answer.status, answer.json["kind"]), (504, "timeout"))
            self.assertIn("the proof has not ended within 5 s, and goes on", answer.json["detail"])
            self.assertIn("nestctl status", answer.json["next"])
            out, err = command.communicate(timeout=nestd.REPLY_DEADLINE)
            self.assertEqual((command.returncode, out), (12, ""), err)
            self.assertIn("goes on", err)
            self.assertIn("nestctl show alpha", err)
            self.assertEqual(daemon.get("/v1/vms/alpha/proof"), {"proofs": []})
            daemon.host.control()
            events.wait_for(kind="vm-not-proved", uuid=number)
            eventually(lambda: daemon.get(PROOF)["proofs"])
            self.assertTrue(daemon.get(PROOF)["proofs"][0]["proved"])
            proof = daemon.get("/v1/vms/alpha/proof")["proofs"][0]
            self.assertEqual(proof["code"], "not-supported")
            self.assertGreater(proof["duration_ms"], 1000)
            self.assertIn("not-supported", daemon.nestctl("--json", "prove", "alpha").stdout)


class Repeated(unittest.TestCase):
    """What a proof depends on is another: it is repeated by itself, or called outdated."""

    def on_host(self, name):
        """A nestd on a recorded host of its own, and the root of that."""
        daemon = self.enterContext(Fake())
        root = daemon.directory / "host"
        shutil.copytree(nestd.SOURCE / "tests" / "data" / "hosts" / name, root, symlinks=True)
        daemon.config["daemon"]["host-root"] = root
        daemon.restart()
        daemon.wait_backend()
        return daemon, root

    def prove_both(self, daemon):
        for accel in ("kvm", "tcg"):
            self.assertEqual(daemon.request("POST", PROOF, {"accel": accel}).status, 200)
        return daemon.get(PROOF)["proofs"]

    def boots(self, daemon):
        return sum(call[0] == "boot" for call in daemon.host.calls())

    def test_after_another_kernel(self):
        """KVM is the kernel's, QEMU's software CPU is not."""
        daemon, root = self.on_host("intel-ready")
        before = self.prove_both(daemon)
        daemon.kill(signal.SIGTERM)
        (root / "proc/sys/kernel/osrelease").write_text("9.9.9-1-amd64\n", encoding="utf-8")
        daemon.start()
        daemon.wait_backend()
        eventually(lambda: daemon.get(PROOF)["proofs"][0]["kernel"] == "9.9.9-1-amd64")
        after = daemon.get(PROOF)["proofs"]
        self.assertNotEqual(before[0]["kernel"], "9.9.9-1-amd64")
        self.assertFalse(after[0]["outdated"])
        self.assertEqual(after[1], before[1])
        self.assertEqual(self.boots(daemon), 3)
        self.assertEqual([row["kernel"] for row in daemon.get(f"{PROOF}?history=1")["proofs"]
                          if row["accel"] == "kvm"], ["9.9.9-1-amd64", before[0]["kernel"]])

    def test_after_what_changes_under_the_same_release(self):
        """A kernel that was built again, and the module's other parameter."""
        daemon, root = self.on_host("intel-ready")
        tcg = self.prove_both(daemon)[1]
        for boots, path, field, value in (
                (3, "proc/sys/kernel/version", "kernel_build", "#2 SMP Debian"),
                (4, "sys/module/kvm_intel/parameters/ept", "slat_parameter", "N")):
            daemon.kill(signal.SIGTERM)
            (root / path).write_text(value + "\n", encoding="utf-8")
            daemon.start()
            daemon.wait_backend()
            eventually(lambda: daemon.get(PROOF)["proofs"][0][field] == value)
            after = daemon.get(PROOF)["proofs"]
            self.assertEqual((after[0]["outdated"], after[1]), (False, tcg))
            self.assertEqual(self.boots(daemon), boots)

    def test_not_repeated_it_is_outdated(self):
        """The hypervisor does not answer: what was proved with the old kernel is never passed off
        as a result of the new one."""
        daemon, root = self.on_host("intel-ready")
        self.prove_both(daemon)
        daemon.kill(signal.SIGTERM)
        (root / "proc/sys/kernel/osrelease").write_text("9.9.9-1-amd64\n", encoding="utf-8")
        daemon.host.control("boot:*:timeout:it hangs")
        daemon.start()
        daemon.wait_log("the proof of kvm was not repeated: it hangs")
        proofs = daemon.get(PROOF)["proofs"]
        self.assertEqual([row["outdated"] for row in proofs], [True, False])
        self.assertEqual(daemon.get("/v1/status")["host"]["proofs"], proofs)
        self.assertIn("have changed since: nestctl prove", daemon.nestctl("status").stdout)
        daemon.host.control()
        daemon.restart()
        daemon.wait_backend()
        eventually(lambda: not daemon.get(PROOF)["proofs"][0]["outdated"])

    def test_after_another_libvirt(self):
        with Fake() as daemon:
            before = self.prove_both(daemon)
            self.assertEqual([row["libvirt_version"] for row in before], ["9.0.0"] * 2)
            daemon.environment["NEST_FAKE_CAPS"] = "libvirt=9.9.9"
            daemon.restart()
            self.all_of_libvirt(daemon, "9.9.9")

    def test_after_libvirtd_came_back_as_another(self):
        """nestd goes on running meanwhile."""
        with Fake() as daemon:
            self.prove_both(daemon)
            daemon.host.control("set:caps:libvirt=9.9.9")
            self.assertEqual({row["libvirt_version"] for row in daemon.get(PROOF)["proofs"]},
                             {"9.0.0"})
            with daemon.events() as events:
                daemon.host.lose_connection()
                for _ in range(2):
                    events.wait_for(kind="host-proved")
            self.all_of_libvirt(daemon, "9.9.9")
            # The same one again is no reason.
            daemon.host.lose_connection()
            daemon.wait_log("the connection to the hypervisor broke")
            eventually(lambda: daemon.log().count("the hypervisor is open") == 3)
            self.assertEqual(self.boots(daemon), 4)

    def test_another_qemu_that_a_proof_finds(self):
        """Between two refreshes; what was just proved is not called outdated for it."""
        with Fake() as daemon:
            self.prove_both(daemon)
            daemon.host.control("set:caps:qemu=9.9.9")
            daemon.request("POST", PROOF, {"accel": "kvm"})
            proof = daemon.get(PROOF)["proofs"][0]
            self.assertEqual((proof["qemu_version"], proof["outdated"]), ("9.9.9", False))
            eventually(lambda: [(row["qemu_version"], row["outdated"])
                                for row in daemon.get(PROOF)["proofs"]] == [("9.9.9", False)] * 2)
            self.assertEqual(self.boots(daemon), 4)

    def test_another_qemu_that_a_proof_of_a_vm_finds(self):
        with Fake() as daemon:
            daemon.define("alpha")
            daemon.host.control("set:caps:qemu=9.9.9")
            daemon.request("POST", "/v1/vms/alpha/proof")
            proof = daemon.get("/v1/vms/alpha/proof")["proofs"][0]
            self.assertEqual((proof["qemu_version"], proof["outdated"]), ("9.9.9", False))

    def all_of_libvirt(self, daemon, version):
        eventually(lambda: {row["libvirt_version"] for row in daemon.get(PROOF)["proofs"]}
                   == {version})
        self.assertEqual([row["outdated"] for row in daemon.get(PROOF)["proofs"]], [False] * 2)
        self.assertEqual(self.boots(daemon), 4)

    def test_a_change_while_one_is_under_way(self):
        """What began before the change is dated so, and repeated once it has ended."""
        daemon, root = self.on_host("intel-nested-off")
        daemon.host.control("set:caps:kvm=vmx")
        daemon.restart()
        daemon.wait_backend()
        daemon.request("POST", PROOF, {"accel": "kvm"})
        connection = nestd.Connection(daemon.socket, nestd.REPLY_DEADLINE)
        with daemon.holding("boot", None, 0, "set:caps:kvm=vmx") as held:
            connection.request("POST", PROOF, b'{"accel": "kvm"}',
                               {"Content-Type": "application/json"})
            held()
            put(root / "sys/module/kvm_intel/parameters/nested", "Y\n")
            eventually(lambda: daemon.get("/v1/host")["nested_parameter"] == "Y")
            self.assertTrue(daemon.get(PROOF)["proofs"][0]["outdated"])
        self.assertEqual(nestd.Answer(connection.getresponse()).json["nested_parameter"], "N")
        connection.close()
        eventually(lambda: daemon.get(PROOF)["proofs"][0]["nested_parameter"] == "Y")
        self.assertFalse(daemon.get(PROOF)["proofs"][0]["outdated"])
        self.assertEqual(self.boots(daemon), 3)

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

    def test_after_a_change_of_the_module(self):
        with Fake(environment={"NEST_FAKE_CAPS": "kvm=vmx,tcg=svm"}) as daemon:
            root = daemon.directory / "host"
            shutil.copytree(nestd.SOURCE / "tests/data/hosts/intel-nested-off", root, symlinks=True)
            daemon.config["daemon"]["host-root"] = root
            daemon.restart()
            daemon.wait_backend()
            for accel in ("kvm", "tcg"):
                daemon.request("POST", PROOF, {"accel": accel})
            before = daemon.get(PROOF)["proofs"]
            self.assertEqual([row["nested_parameter"] for row in before], ["N", "N"])
            put(root / "sys/module/kvm_intel/parameters/nested", "Y\n")
            with daemon.events() as events:
                eventually(lambda: daemon.get("/v1/host")["nested_parameter"] == "Y")
                events.wait_for(kind="host-proved")
            eventually(lambda: daemon.get(PROOF)["proofs"][0]["nested_parameter"] == "Y")
            after = daemon.get(PROOF)["proofs"]
            self.assertFalse(after[0]["outdated"])
            self.assertEqual(after[1], before[1])


if __name__ == "__main__":
    nestd.main()
