# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host is repaired and taken back, on a recorded host that the fake hands change."""

import http.client
import os
import shutil
import subprocess
import unittest

import nestd
import private_mounts
from fake import XML, Fake, eventually

HOSTS = nestd.SOURCE / "tests" / "data" / "hosts"
GUESTS = b"# kept\r\nexport X=1\nON_SHUTDOWN=suspend # kept too\nPARALLEL_SHUTDOWN=2"
DROP_IN = "etc/modprobe.d/nestd.conf"
RULE = "etc/udev/rules.d/99-nestd-kvm.rules"
ALL = ["nested", "nested-persist", "kvm-access", "libvirt-guests"]
KVM = (XML.replace("type='qemu'", "type='kvm'")
       .replace("mode='maximum' check='none'", "mode='host-passthrough' check='full'")
       .replace("policy='disable' name='svm'", "policy='require' name='vmx'"))
SLOTS = {"load": 1, "unload": 1, "put_file": 3, "set_access": 1}


class Host(Fake):
    """nestd on a copy of a recorded host: Intel, kernel 4.19, with everything wrong."""

    def __init__(self, name="intel-nested-off"):
        super().__init__(environment={"NEST_FAKE_CAPS": "kvm=none,tcg=svm"})
        self.root = self.directory / "host"
        shutil.copytree(HOSTS / name, self.root, symlinks=True)
        self.config["daemon"]["host-root"] = self.root
        if name == "intel-nested-off":
            self.spoil()

    def spoil(self):
        self.put("sys/module/kvm_intel/refcnt", "0\n")
        self.put("proc/modules", "kvm 1 0 - Live 0x0\nkvm_intel 1 0 - Live 0x0\n")
        self.put("proc/cmdline", "quiet\n")
        self.put("etc/group", f"root:x:0:\nkvm:x:{os.getgid() or 104}:\n")
        self.put("etc/modprobe.d/kvm.conf", "options kvm_intel nested=0\n")
        self.put("etc/udev/rules.d/README", "")
        self.put("etc/default/libvirt-guests", GUESTS)
        (self.root / "dev/kvm").chmod(0o600)

    def put(self, path, content):
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content if isinstance(content, bytes) else content.encode())

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def picture(self):
        """Everything that is there: path → mode, owner, content."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
            found[str(path.relative_to(self.root))] = (
                status.st_mode, status.st_uid, status.st_gid, content)
        return found

    def fix_plan(self, **body):
        return self.request("POST", "/v1/host/fix/plan", body).json

    def fix(self, **body):
        return self.change("PUT", "/v1/host/fix", body)

    def undo(self, **body):
        return self.change("PUT", "/v1/host/undo", body)


def ids(plan):
    return [item["id"] for item in plan["items"]]


class TestHostFix(unittest.TestCase):
    maxDiff = None

    def assert_same(self, picture, expected):
        paths = sorted(picture.keys() | expected.keys())
        self.assertEqual({p: picture.get(p) for p in paths if picture.get(p) != expected.get(p)},
                         {p: expected.get(p) for p in paths if picture.get(p) != expected.get(p)})

    def test_fixed_and_taken_back(self):
        with Host() as daemon, daemon.events() as events:
            before = daemon.picture()
            plan = daemon.fix_plan()
            self.assertEqual((plan["verdict"], plan["uuid"], plan["name"]), ("steps", None, None))
            self.assertEqual(ids(plan), ALL)
            self.assertEqual([i["optional"] for i in plan["items"]], [False, True, True, True])
            self.assertIn("it wins over /etc/modprobe.d/kvm.conf", plan["items"][1]["detail"])
            self.assert_same(daemon.picture(), before)
            operation = daemon.fix(plan=plan["hash"])
            self.assertEqual(operation["state"], "done", operation)
            self.assertEqual((operation["kind"], operation["uuid"]), ("host-fix", None))
            self.assertEqual(daemon.text("sys/module/kvm_intel/parameters/nested"), "Y\n")
            self.assertIn("\noptions kvm_intel nested=1\n", daemon.text(DROP_IN))
            self.assertIn('KERNEL=="kvm", GROUP="kvm"', daemon.text(RULE))
            self.assertEqual((daemon.root / "etc/default/libvirt-guests").read_bytes(),
                             GUESTS.replace(b"=suspend", b"=shutdown"))
            self.assertEqual(daemon.picture()["dev/kvm"][:3],
                             (0o100660, os.getuid(), os.getgid() or 104))
            self.assertEqual(daemon.text("etc/modprobe.d/kvm.conf"), "options kvm_intel nested=0\n")
            event = events.wait_for(kind="operation-finished", operation=operation["id"])
            self.assertEqual(event["message"], "fix of the host is done")
            self.assertEqual(daemon.fix_plan()["verdict"], "no-change")
            self.assertIsNone(daemon.fix())
            checks = {c["id"]: c["verdict"] for c in daemon.get("/v1/host")["checks"]}
            self.assertEqual(checks["host.kvm.nested"], "pass")
            after = daemon.picture()
            [revision] = daemon.get("/v1/host/history")["revisions"]
            self.assertIn("kvm_intel: nested=N → nested=Y", revision["summary"])
            self.assertEqual(daemon.undo()["state"], "done")
            self.assert_same(daemon.picture(), before)
            self.assertEqual(daemon.undo()["state"], "done")
            self.assert_same(daemon.picture(), after)
            self.assertEqual([r["kind"] for r in daemon.get("/v1/host/history")["revisions"]],
                             ["host-undo", "host-undo", "host-fix"])

    def test_what_libvirt_offers_is_asked_for_again(self):
        """It follows the module: who waited for the end is not told what was offered before."""
        with Host() as daemon:
            self.assertEqual(self.offered(daemon), "not-applicable")
            with daemon.holding("caps", None, 0, "set:caps:kvm=vmx,tcg=svm") as held:
                begun = daemon.request("PUT", "/v1/host/fix", {}).json
                held()
                self.assertEqual(daemon.get(f"/v1/operations/{begun['id']}")["state"], "running")
            self.assertEqual(daemon.wait_operation(begun["id"])["state"], "done")
            self.assertEqual(self.offered(daemon), "pass")

    def test_vms_are_judged_anew(self):
        """Before the end is told, not when all is read again a moment later: of the lists of VMs the
        first is the plan's, and the third comes after the end."""
        with Host() as daemon:
            daemon.define("vm", KVM)
            self.assertEqual(self.vm_host(daemon), "fail")
            with daemon.holding("list", None, 2, "set:caps:kvm=vmx,tcg=svm") as held:
                self.assertEqual(daemon.fix()["state"], "done")
                held()
                self.assertEqual(self.vm_host(daemon), "pass")

    def test_vms_can_not_be_judged_anew(self):
        with Host() as daemon:
            daemon.define("vm", KVM)
            seen = sum(call[0] == "list" for call in daemon.host.calls())
            daemon.host.control("set:caps:kvm=vmx,tcg=svm", f"list:{seen + 2}:hypervisor:no answer")
            self.assertEqual(daemon.fix()["state"], "done")
            eventually(lambda: self.vm_host(daemon) == "pass")

    def vm_host(self, daemon):
        return {c["id"]: c["verdict"] for c in daemon.get("/v1/vms/vm")["checks"]}["vm.host"]

    def test_libvirt_does_not_say_what_it_offers(self):
        with Host() as daemon:
            daemon.host.control("set:caps:kvm=vmx,tcg=svm", "caps:2:hypervisor:no answer")
            self.assertEqual(daemon.fix()["state"], "done")
            eventually(lambda: self.offered(daemon) == "pass")

    def offered(self, daemon):
        return {c["id"]: c["verdict"] for c in daemon.get("/v1/host")["checks"]}["host.domcaps"]

    def test_left_out(self):
        with Host() as daemon:
            shown = daemon.fix_plan()
            decline = ["libvirt-guests", "kvm-access"]
            self.assertEqual(ids(daemon.fix_plan(decline=decline)), ["nested", "nested-persist"])
            before = daemon.picture()
            self.assertEqual(daemon.fix(plan=shown["hash"], decline=decline)["state"], "done")
            now = daemon.picture()
            for path in ("etc/default/libvirt-guests", "dev/kvm"):
                self.assertEqual(now[path], before[path])
            self.assertNotIn(RULE, now)
            wrong = daemon.fix_plan(decline=["nested"])
            self.assertEqual((wrong["verdict"], wrong["problem"]["kind"]),
                             ("refused", "invalid-request"))

    def test_own_lines_stay(self):
        with Host() as daemon:
            daemon.put(DROP_IN, "options kvm_intel ept=1 nested=0")
            (daemon.root / DROP_IN).chmod(0o600)
            before = daemon.picture()
            self.assertEqual(daemon.fix()["state"], "done")
            self.assertEqual(daemon.text(DROP_IN),
                             "options kvm_intel ept=1 nested=0\noptions kvm_intel nested=1\n")
            self.assertEqual(daemon.fix_plan()["verdict"], "no-change")
            self.assertEqual(daemon.undo()["state"], "done")
            self.assert_same(daemon.picture(), before)

    def test_module_in_use(self):
        with Host() as daemon:
            daemon.put("sys/module/kvm_intel/refcnt", "1\n")
            daemon.put("proc/4711/comm", "qemu-system-x86\n")
            daemon.put("proc/4711/fd/README", "")
            (daemon.root / "proc/4711/fd/9").symlink_to("anon_inode:kvm-vm")
            plan = daemon.fix_plan()
            self.assertEqual(ids(plan), ALL[1:])
            self.assertIn("kvm_intel is in use by qemu-system-x86 (4711)", plan["warnings"][0])
            self.assertEqual(daemon.fix()["state"], "done")
            self.assertEqual(daemon.text("sys/module/kvm_intel/parameters/nested"), "N\n")
            plan = daemon.fix_plan()
            self.assertEqual((plan["verdict"], plan["problem"]["kind"]), ("refused", "host-busy"))
            answer = daemon.request("PUT", "/v1/host/fix", {})
            self.assertEqual((answer.status, answer.json["kind"]), (409, "host-busy"))
            self.assertEqual(answer.json["plan"]["verdict"], "refused")
            said = daemon.nestctl("host", "fix", "--yes")
            self.assertEqual(said.returncode, 6, said)
            daemon.put("sys/module/kvm_intel/refcnt", "0\n")
            self.assertEqual(ids(daemon.fix_plan()), ["nested"])

    def test_a_file_that_contradicts(self):
        with Host() as daemon:
            daemon.put("etc/modprobe.d/zz.conf", "options kvm_intel nested=0\n")
            plan = daemon.fix_plan()
            self.assertEqual(ids(plan), ["nested", "kvm-access", "libvirt-guests"])
            self.assertIn("/etc/modprobe.d/zz.conf sets nested=0 and wins over",
                          " ".join(plan["warnings"]))
            self.assertEqual(daemon.fix()["state"], "done")
            plan = daemon.fix_plan()
            self.assertEqual(plan["problem"]["kind"], "host-unfit")
            self.assertEqual(plan["problem"]["next"], "take nested=0 out of /etc/modprobe.d/zz.conf")
            self.assertEqual(daemon.text("etc/modprobe.d/zz.conf"), "options kvm_intel nested=0\n")

    def test_module_not_loaded(self):
        with Host("amd-ready") as daemon:
            shutil.rmtree(daemon.root / "sys/module/kvm_amd")
            (daemon.root / "proc/modules").write_text("kvm 1 0 - Live 0x0\n", encoding="utf-8")
            before = daemon.picture()
            self.assertEqual(ids(daemon.fix_plan())[0], "kvm-module")
            self.assertEqual(daemon.fix()["state"], "done")
            self.assertEqual(daemon.text("sys/module/kvm_amd/parameters/nested"), "1\n")
            self.assertEqual(daemon.undo()["state"], "done")
            self.assert_same(daemon.picture(), before)

    def test_refused(self):
        for name, word in (("xen-dom0", "Xen"), ("bios-locked", "firmware"),
                           ("no-extension", "VT-x"), ("software-kvm", "software"),
                           ("junk", "could not be read")):
            with self.subTest(host=name), Host(name) as daemon:
                answer = daemon.request("PUT", "/v1/host/fix", {})
                self.assertEqual((answer.status, answer.json["kind"]), (409, "host-unfit"))
                self.assertIn(word, answer.json["detail"])
                self.assertTrue(answer.json["next"])
                self.assertEqual(daemon.nestctl("host", "fix", "--yes").returncode, 10)

    def test_built_in(self):
        with Host() as daemon:
            daemon.put("proc/modules", "other 1 0 - Live 0x0\n")
            plan = daemon.fix_plan(decline=ALL[1:])
            self.assertEqual(plan["problem"]["kind"], "host-unfit")
            self.assertIn("built into the kernel", plan["problem"]["detail"])
            self.assertIn("kvm_intel.nested=1", plan["problem"]["next"])

    def test_one_at_a_time(self):
        with Host() as daemon:
            with daemon.holding("load") as held:
                first = daemon.request("PUT", "/v1/host/fix", {})
                self.assertEqual(first.status, 202)
                held()
                second = daemon.request("PUT", "/v1/host/fix", {})
                self.assertEqual((second.status, second.json["kind"]), (409, "host-busy"))
                daemon.define("meanwhile")
                self.assertEqual(daemon.nested("meanwhile").status, 202)
            self.assertEqual(daemon.wait_operation(first.json["id"])["state"], "done")
            self.assertEqual(daemon.fix_plan()["verdict"], "no-change")

    def test_outdated(self):
        with Host() as daemon:
            plan = daemon.fix_plan()
            daemon.put("etc/default/libvirt-guests", "ON_SHUTDOWN=shutdown\n")
            answer = daemon.request("PUT", "/v1/host/fix", {"plan": plan["hash"]})
            self.assertEqual((answer.status, answer.json["kind"]), (409, "plan-outdated"))
            self.assertEqual(ids(answer.json["plan"]), ALL[:3])

    def test_read_only_etc(self):
        private_mounts.enter()
        with Host() as daemon:
            etc = daemon.root / "etc"
            private_mounts.mount("--bind", etc, etc)
            private_mounts.mount("-o", "remount,bind,ro", etc)
            try:
                before = daemon.picture()
                operation = daemon.fix()
                self.assertEqual(operation["state"], "rolled-back", operation)
                self.assertIn("Read-only file system", operation["problem"]["detail"])
                self.assertTrue(operation["problem"]["next"])
                self.assert_same(daemon.picture(), before)
                operation = daemon.fix(decline=ALL[1:])
                self.assertEqual(operation["state"], "done", operation)
            finally:
                subprocess.run(["umount", etc], check=True)

    def test_files_that_are_none(self):
        with Host() as daemon:
            daemon.put("etc/modprobe.d/a.conf", b"\0\xffoptions kvm_intel nested=0\n")
            daemon.put("etc/modprobe.d/b.conf", b"options " + b"x" * 300000)
            daemon.put("etc/modprobe.d/c.conf/README", "")
            os.mkfifo(daemon.root / "etc/modprobe.d/d.conf")
            daemon.put("etc/udev/rules.d/50-x.rules", b"\xff\0KERNEL==\"kvm\", GROUP=\"kvm\"\n")
            daemon.put("etc/group", b"\xff\0" * 1000)
            plan = daemon.fix_plan()
            self.assertEqual(ids(plan), ["nested", "nested-persist", "libvirt-guests"])
            self.assertIn("can't be told for sure: /etc/modprobe.d/a.conf", plan["warnings"][0])
            self.assertIn("no group kvm", plan["warnings"][1])
            (daemon.root / "etc/default/libvirt-guests").unlink()
            (daemon.root / "etc/default/libvirt-guests").symlink_to("/etc/passwd")
            (daemon.root / DROP_IN).symlink_to("/etc/passwd")
            plan = daemon.fix_plan()
            self.assertEqual(ids(plan), ["nested"])
            self.assertIn(f"/{DROP_IN} can't be read", " ".join(plan["warnings"]))

    def test_undo_refused(self):
        with Host() as daemon:
            answer = daemon.request("PUT", "/v1/host/undo", {})
            self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-state"))
            daemon.fix()
            daemon.put(DROP_IN, "# somebody else's\n")
            before = daemon.picture()
            answer = daemon.request("PUT", "/v1/host/undo", {})
            self.assertEqual((answer.status, answer.json["kind"]), (409, "host-changed"))
            self.assertIn(DROP_IN, answer.json["detail"])
            self.assert_same(daemon.picture(), before)
            answer = daemon.request("PUT", "/v1/host/undo", {"to": 77})
            self.assertEqual(answer.status, 400)

    def test_each_failure_is_taken_back(self):
        rules = [f"{slot}:{n}:{kind}" for slot, count in SLOTS.items()
                 for n in range(1, count + 1) for kind in ("host-unfit:no space", "after")]
        for rule in rules + ["tamper:load:1"]:
            with self.subTest(rule=rule), Host() as daemon:
                before = daemon.picture()
                daemon.host.control(rule)
                operation = daemon.fix()
                self.assertTrue(daemon.host.struck())
                self.assertEqual(operation["state"], "rolled-back", operation)
                self.assertTrue(operation["problem"]["detail"])
                self.assert_same(daemon.picture(), before)
                self.assertEqual(daemon.get("/v1/host/history")["revisions"], [])
                daemon.host.control()
                self.assertEqual(daemon.fix()["state"], "done")

    def test_what_another_wrote_meanwhile_stays(self):
        with Host() as daemon:
            daemon.host.control("tamper:put_file@nestd.conf:1")
            operation = daemon.fix()
            self.assertEqual(operation["state"], "failed", operation)
            self.assertIn("changed by somebody else", operation["note"])
            self.assertEqual(daemon.text(DROP_IN), "# somebody else's\n")

    def crash(self, rule, ask):
        """Killed as rule says, started again; how the operation ended and what is there."""
        with Host() as daemon:
            if ask == "undo":
                self.assertEqual(daemon.fix()["state"], "done")
            before = daemon.picture()
            daemon.host.control(rule)
            try:
                daemon.wait_operation(daemon.request("PUT", f"/v1/host/{ask}", {}).json["id"])
            except (OSError, EOFError, http.client.HTTPException):
                pass
            self.assertEqual(len(daemon.host.struck()), 1)
            daemon.wait()
            daemon.host.control()
            daemon.start()
            daemon.wait_backend()
            [newest] = daemon.get("/v1/operations?limit=1")["operations"]
            operation = daemon.wait_operation(newest["id"])
            if operation["state"] == "done":
                self.assertNotEqual(daemon.picture(), before)
                self.assertEqual(daemon.undo()["state"], "done")
            else:
                self.assertEqual(operation["state"], "rolled-back", operation)
            self.assert_same(daemon.picture(), before)
            return operation["state"]

    def test_crash_at_each_point(self):
        ends = set()
        for slot, count in SLOTS.items():
            for n in range(1, count + 1):
                for when in ("crash-before", "crash-after"):
                    rule = f"{when}:{slot}:{n}"
                    with self.subTest(rule=rule):
                        ends.add(self.crash(rule, "fix"))
        self.assertEqual(ends, {"done", "rolled-back"})

    def test_crash_of_an_undo(self):
        for rule in ("crash-after:set_access:2", "crash-after:unload:2", "crash-before:load:2",
                     "crash-after:load:2", "crash-before:put_file:5", "crash-after:put_file:6"):
            with self.subTest(rule=rule):
                self.crash(rule, "undo")

    def test_half_a_file_is_swept(self):
        with Host() as daemon:
            before = daemon.picture()
            daemon.host.control("crash-before:put_file:1")
            try:
                daemon.request("PUT", "/v1/host/fix", {})
            except (OSError, EOFError, http.client.HTTPException):
                pass
            daemon.wait()
            daemon.host.control()
            daemon.put("etc/modprobe.d/.nestd.conf.nestd", "half")
            daemon.start()
            daemon.wait_backend()
            self.assert_same(daemon.picture(), before)


if __name__ == "__main__":
    nestd.main()
