# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real nestd with a real libvirtd: VMs that are there already, and a libvirtd that dies, hangs
and comes back. The libvirtd is a private one, whose directories nobody else sees."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

import nestd
import private_mounts
from fake import eventually

HIDDEN = ["/run", "/var/lib", "/var/cache", "/var/log", "/etc/libvirt"]
SYSTEM = "qemu:///system"
# Of the names of VMs: what is ended at the end are those of this process.
PREFIX = f"nested-test-{os.getpid()}-"
XML = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <cpu mode='maximum' check='full'><feature policy='{policy}' name='svm'/></cpu>
  <devices><memballoon model='none'/></devices>
</domain>
"""
SNAPSHOTS = 300
SNAPSHOT = """<domainsnapshot>
  <name>s{}</name>
  <state>shutoff</state>
  <creationTime>{}</creationTime>
  {}
</domainsnapshot>
"""

# What QEMU takes last counts: a CPU without the extension that libvirt asks for, or with the one
# that it hides.
OVERRIDE = """<qemu:commandline><qemu:arg value='-cpu'/><qemu:arg value='max,svm={svm}'/>
  </qemu:commandline></domain>"""
FRAME = """<interface type='bridge'>
    <mac address='52:54:00:11:22:33'/><source bridge='nest-none'/>{}<model type='virtio'/>
  </interface></devices>"""
NWFILTER = """<filter name='own-macs' chain='root'>
  <rule action='drop' direction='out' priority='500'><mac match='no' srcmacaddr='$MAC'/></rule>
</filter>"""
NAMESPACE = "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' "


LOGS = pathlib.Path("/var/log/libvirt/qemu")
# As nestd boots one for a proof, but for a kernel that does nothing.
PROOF = """<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>{folder}/kernel</kernel></os>
  <devices><memballoon model='none'/></devices>
</domain>
"""


class Libvirtd:
    """A libvirtd of our own, and virsh to speak to it behind nestd's back."""

    def __init__(self):
        configuration = pathlib.Path("/etc/libvirt")
        (configuration / "qemu.conf").write_text(
            'stdio_handler = "file"\nuser = "root"\ngroup = "root"\nremember_owner = 0\n')
        (configuration / "libvirtd.conf").write_text('auth_unix_rw = "none"\n')
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["libvirtd"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: subprocess.run(["virsh", "-c", SYSTEM, "list"], capture_output=True,
                                          check=False).returncode == 0)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(nestd.STOP_DEADLINE)
            self.process = None
            pathlib.Path("/run/libvirtd.pid").unlink(missing_ok=True)

    @staticmethod
    def virsh(*words, stdin=None):
        return subprocess.run(["virsh", "-q", "-c", SYSTEM, *words], check=True, text=True,
                              input=stdin, capture_output=True, timeout=60).stdout

    def define(self, name, policy="disable", running=False):
        number = str(uuid.uuid4())
        self.virsh("define", "/dev/stdin",
                   stdin=XML.format(name=name, uuid=number, policy=policy))
        if running:
            self.virsh("start", name)
        return number

    def define_override(self, name, cpu, svm):
        """A VM that gets another CPU than its definition says."""
        xml = XML.format(name=name, uuid=uuid.uuid4(), policy="require")
        old = xml[xml.index("<cpu"):xml.index("</cpu>") + len("</cpu>")]
        xml = xml.replace(old, cpu).replace("<domain ", NAMESPACE)
        self.virsh("define", "/dev/stdin",
                   stdin=xml.replace("</domain>", OVERRIDE.format(svm=svm)))

    def definition(self, name):
        return self.virsh("dumpxml", "--inactive", name)


def guests():
    """The QEMUs of VMs that were started through libvirtd."""
    for pid in nestd.processes():
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            if nestd.is_qemu(pid) and f"guest={PREFIX}".encode() in words:
                yield pid


class TestLibvirtd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not all(map(shutil.which, ("libvirtd", "virsh", "qemu-system-x86_64"))):
            raise unittest.SkipTest("there is no libvirtd, virsh or QEMU")
        if not pathlib.Path("/etc/libvirt").is_dir():
            raise unittest.SkipTest("libvirt is not configured here")
        private_mounts.enter(HIDDEN)

    def setUp(self):
        self.libvirtd = Libvirtd()
        self.addCleanup(self.clean_up)

    def clean_up(self):
        if self.libvirtd.process is not None:
            self.libvirtd.signal(signal.SIGCONT)
        self.libvirtd.kill()
        for pid in guests():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for path in ("/var/lib/libvirt", "/run/libvirt", "/etc/libvirt/qemu"):
            shutil.rmtree(path, ignore_errors=True)

    def daemon(self, uri=SYSTEM, shutdown=1, **guard):
        config = {"backend": {"uri": uri}, "timeouts": {"shutdown": shutdown, "reply": 5},
                  "guard": guard}
        return nestd.Daemon(nestd.NESTD, config)

    def quick(self, daemon, name):
        for path in ("/v1", "/v1/vms", f"/v1/vms/{name}", "/v1/status", "/v1/host"):
            began = time.monotonic()
            daemon.get(path)
            self.assertLess(time.monotonic() - began, 1.5, path)

    def test_what_is_there(self):
        """VMs of libvirtd are managed where they are."""
        self.libvirtd.start()
        name = PREFIX + "a"
        number = self.libvirtd.define(name, running=True)
        before = self.libvirtd.definition(name)
        with self.daemon(shutdown=600) as daemon:
            self.assertEqual(daemon.wait_backend(), "open")
            self.assertEqual(daemon.get("/v1")["backend_uri"], SYSTEM)
            eventually(lambda: daemon.request("GET", f"/v1/vms/{name}").status == 200)
            self.assertEqual(daemon.get(f"/v1/vms/{name}")["uuid"], number)
            # Aborted while the guest, which has no system and hosts nothing, is asked to shut down.
            answer = daemon.request("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
            self.assertEqual(answer.status, 202, answer)
            operation = f"/v1/operations/{answer.json['id']}"
            eventually(lambda: daemon.get(operation)["steps"][0]["state"] == "done")
            daemon.request("DELETE", operation)
            ended = daemon.wait_operation(answer.json["id"])
            self.assertEqual(ended["state"], "aborted", ended)
            self.assertEqual(self.libvirtd.definition(name), before)
            self.assertEqual(self.libvirtd.virsh("domstate", name).strip(), "running")
            # Now it is not waited for long, and powered off.
            daemon.config["timeouts"]["shutdown"] = 1
            daemon.restart()
            self.assertEqual(daemon.wait_backend(), "open")
            done = daemon.change("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
            self.assertEqual(done["state"], "done", done)
            self.assertRegex(self.libvirtd.definition(name), "policy='require' name='svm'")
            self.assertEqual(self.libvirtd.virsh("domstate", name).strip(), "shut off")
            # What others do is seen.
            with daemon.events() as events:
                self.libvirtd.virsh("start", name)
                events.wait_for(kind="vm-started", uuid=number)
                self.libvirtd.virsh("destroy", name)
                events.wait_for(kind="vm-stopped", uuid=number)
                self.libvirtd.virsh("undefine", name)
                events.wait_for(kind="vm-removed", uuid=number)

    def test_hundreds_of_snapshots(self):
        """All are listed; the checks, which would have to read each, say how many they left."""
        self.libvirtd.start()
        name = PREFIX + "s"
        self.libvirtd.define(name, "require")
        definition = self.libvirtd.definition(name)
        with tempfile.TemporaryDirectory() as folder:
            for n in range(SNAPSHOTS):
                pathlib.Path(folder, f"{n}.xml").write_text(SNAPSHOT.format(n, 1000 + n, definition))
            self.libvirtd.virsh("; ".join(
                f"snapshot-create {name} {folder}/{n}.xml --redefine" for n in range(SNAPSHOTS)))
        with self.daemon() as daemon:
            daemon.wait_backend()
            eventually(lambda: daemon.request("GET", f"/v1/vms/{name}").status == 200)
            vm = daemon.get(f"/v1/vms/{name}")
            self.assertEqual(vm["snapshots"], SNAPSHOTS)
            memory = next(check for check in vm["checks"] if check["id"] == "vm.snap.memory")
            self.assertEqual(memory["verdict"], "unknown", memory)
            listed = daemon.get(f"/v1/vms/{name}/checkpoints")["checkpoints"]
            self.assertEqual({one["name"] for one in listed},
                             {f"s{n}" for n in range(SNAPSHOTS)})
            done = daemon.change("DELETE", f"/v1/vms/{name}/checkpoints/s7")
            self.assertEqual(done["state"], "done", done)
            self.assertEqual(len(daemon.get(f"/v1/vms/{name}/checkpoints")["checkpoints"]),
                             SNAPSHOTS - 1)
            self.assertEqual(daemon.change("DELETE", f"/v1/vms/{name}")["state"], "done")
            self.assertNotIn(name, self.libvirtd.virsh("list", "--all", "--name").split())

    def test_a_filter_of_their_own_comes_back(self):
        """Judged by its rules, taken out, put back by virsh, and taken out once more."""
        self.libvirtd.start()
        name, number = PREFIX + "f", str(uuid.uuid4())
        self.libvirtd.virsh("nwfilter-define", "/dev/stdin", stdin=NWFILTER)
        xml = XML.format(name=name, uuid=number, policy="disable")
        filtered = FRAME.format("<filterref filter='own-macs'/>")
        self.libvirtd.virsh("define", "/dev/stdin", stdin=xml.replace("</devices>", filtered))
        with self.daemon() as daemon, daemon.events() as events:
            eventually(lambda: daemon.request("GET", f"/v1/vms/{name}").status == 200)
            for _ in range(2):
                done = daemon.change("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
                self.assertEqual(done["state"], "done", done)
                self.assertFalse(daemon.get(f"/v1/vms/{name}")["drift"])
                fixed = self.libvirtd.definition(name)
                self.assertNotIn("filterref", fixed)
                model = "<model type='virtio'/>"
                self.libvirtd.virsh("define", "/dev/stdin", stdin=fixed.replace(
                    model, model + "<filterref filter='own-macs'/>"))
                self.assertIn("MAC spoofing is blocked on 52:54:00:11:22:33 by the filter own-macs",
                              events.wait_for(kind="drift", name=name)["message"])
                self.assertTrue(daemon.get(f"/v1/vms/{name}")["drift"])

    def starts(self, events, name, kind):
        self.libvirtd.virsh("start", name)
        return events.wait_for(kind=kind, name=name)["message"]

    def given(self, daemon, name):
        given = daemon.get(f"/v1/vms/{name}")["given"]
        self.assertGreater(given["since"], 0)
        return given["extension"], given["presence"], given["witness"], given["flaw"]

    def test_cpu_that_it_got(self):
        """By virsh: compared by libvirt, noted by libvirt, asked of QEMU, and powered off."""
        self.libvirtd.start()
        fine, lost, hidden = (f"{PREFIX}{name}" for name in ("fine", "lost", "hidden"))
        self.libvirtd.define(fine, policy="require")
        self.libvirtd.define_override(
            lost, "<cpu mode='custom' match='exact' check='none'><model>qemu64</model>"
            "<feature policy='require' name='svm'/></cpu>", "off")
        self.libvirtd.define_override(
            hidden, "<cpu mode='maximum'><feature policy='disable' name='svm'/></cpu>", "on")
        with self.daemon(monitor="yes", sample=1) as daemon, daemon.events() as events:
            eventually(lambda: len(daemon.get("/v1/vms")["vms"]) == 3)
            self.assertIn("libvirt compared", self.starts(events, fine, "extension-proved"))
            self.starts(events, lost, "extension-missing")
            self.assertEqual(self.given(daemon, lost)[3], "missing")
            self.starts(events, hidden, "extension-unwanted")
            self.assertEqual(self.given(daemon, hidden), ("svm", "present", "monitor", "unwanted"))
            eventually(lambda: self.given(daemon, fine) == ("svm", "present", "monitor", "none"))
            eventually(lambda: self.given(daemon, lost)[2] == "monitor")
        with self.daemon(unfit="stop") as daemon, daemon.events() as events:
            eventually(lambda: len(daemon.get("/v1/vms")["vms"]) == 3)
            self.assertEqual(self.given(daemon, lost)[1:3], ("absent", "libvirt"))
            self.assertEqual(self.libvirtd.virsh("domstate", lost).strip(), "running")
            self.libvirtd.virsh("destroy", lost)
            events.wait_for(kind="vm-stopped", name=lost)
            message = self.starts(events, lost, "extension-missing")
            self.assertIn("libvirt found its CPU without", message)
            events.wait_for(kind="operation-finished", name=lost)
            self.assertEqual(self.libvirtd.virsh("domstate", lost).strip(), "shut off")
            row = daemon.get("/v1/operations")["operations"][0]
            self.assertEqual((row["kind"], row["state"]), ("stop-unfit", "done"), row)

    def install_hook(self, daemon):
        """The hook, which is called without this process's environment."""
        directory = pathlib.Path("/etc/libvirt/hooks/qemu.d")
        directory.mkdir(parents=True, exist_ok=True)
        self.addCleanup(shutil.rmtree, directory.parent)
        hook = directory / "nestd"
        hook.write_text(f"#!/bin/sh\nNESTD_SOCKET={daemon.socket} PATH={nestd.NESTCTL.parent}:$PATH "
                        f'exec {nestd.SOURCE}/packaging/hooks/nestd "$@"\n')
        hook.chmod(0o755)

    def vetoed(self, *words):
        """virsh's words, which must fail soon and because of the hook."""
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            self.libvirtd.virsh(*words)
        self.assertIn("Hook script execution failed", caught.exception.stderr)
        return caught.exception.stderr

    def test_hook(self):
        """What virsh is asked to restore is judged, also while libvirtd holds the VM for it."""
        daemon = self.daemon()
        self.install_hook(daemon)
        self.libvirtd.start()  # which looks for hooks when it starts
        nests, plain = PREFIX + "n", PREFIX + "p"
        image = "/var/lib/libvirt/image"
        for name, policy in ((nests, "require"), (plain, "disable")):
            self.libvirtd.define(name, policy)
        with daemon:
            daemon.wait_backend()
            for name in (nests, plain):
                self.libvirtd.virsh("start", name)
                self.libvirtd.virsh("save", name, f"{image}-{name}")
            said = self.vetoed("restore", f"{image}-{nests}")
            self.assertIn(f"{nests} can't be resumed from its saved state: it may have been", said)
            self.assertEqual(self.libvirtd.virsh("domstate", nests).strip(), "shut off")
            self.libvirtd.virsh("restore", f"{image}-{plain}")
            self.assertEqual(self.libvirtd.virsh("domstate", plain).strip(), "running")
            self.libvirtd.virsh("start", nests)
            self.libvirtd.virsh("managedsave", nests)
            self.assertIn("can't be resumed", self.vetoed("start", nests))

    def test_dies_and_comes_back(self):
        self.libvirtd.start()
        name = PREFIX + "b"
        self.libvirtd.define(name, running=True)
        with self.daemon() as daemon:
            daemon.wait_backend()
            eventually(lambda: daemon.request("GET", f"/v1/vms/{name}").status == 200)
            self.libvirtd.kill()
            daemon.wait_log("the hypervisor is unavailable")
            self.quick(daemon, name)
            answer = daemon.request("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
            self.assertEqual(answer.status, 503, answer)
            self.assertTrue(answer.json["next"])
            self.libvirtd.start()
            eventually(lambda: daemon.get("/v1")["backend"] == "open")
            self.assertEqual(daemon.get(f"/v1/vms/{name}")["state"], "running")
            done = daemon.change("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
            self.assertEqual(done["state"], "done", done)

    def test_hangs(self):
        self.libvirtd.start()
        name = PREFIX + "c"
        self.libvirtd.define(name)
        with self.daemon() as daemon:
            daemon.wait_backend()
            eventually(lambda: daemon.request("GET", f"/v1/vms/{name}").status == 200)
            self.libvirtd.signal(signal.SIGSTOP)
            for _ in range(2):
                answer = daemon.request("POST", f"/v1/vms/{name}/nested/plan", {"enabled": True})
                self.assertIn(answer.status, (503, 504), answer)
                self.quick(daemon, name)
            self.libvirtd.signal(signal.SIGCONT)
            eventually(lambda: daemon.get("/v1")["backend"] == "open")
            eventually(lambda: daemon.request(
                "POST", f"/v1/vms/{name}/nested/plan", {"enabled": True}).status == 200)

    def running(self):
        return self.libvirtd.virsh("list", "--name").split()

    def test_proof_leaves_nothing(self):
        self.libvirtd.start()
        with self.daemon() as daemon:
            daemon.wait_backend()
            run = daemon.nestctl("prove", "--accel", "tcg")
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            eventually(lambda: not self.running())
            eventually(lambda: not daemon.boot_files())
            eventually(lambda: not list(LOGS.glob("nest-boot-*")))

    def left_by_one(self, folder):
        """A VM of a proof that was killed, where libvirtd does not end it, and its files."""
        folder.mkdir(parents=True)
        shutil.copy(nestd.BUILD / "tests" / "proof" / "bad-silent.bin", folder / "kernel")
        self.libvirtd.virsh("create", "/dev/stdin",
                            stdin=PROOF.format(name=folder.name, folder=folder))
        self.assertTrue((LOGS / f"{folder.name}.log").exists())
        return folder.name

    def test_proof_of_one_that_was_killed(self):
        """Its own are ended; those of another nestd, and of one that lives, are not."""
        self.libvirtd.start()
        daemon = self.daemon()
        own = daemon.directory / "r" / "vm"
        self.left_by_one(own / "nest-boot-killed")
        bare = self.left_by_one(own / "nest-boot-bare")
        shutil.rmtree(own / bare)
        (own / "nest-boot-empty").mkdir()
        lives = self.left_by_one(own / "nest-boot-lives")
        others = self.left_by_one(daemon.directory / "other" / "nest-boot-others")
        lock = os.open(own / lives, os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with daemon:
            self.assertEqual(daemon.wait_backend(), "open")
            self.assertEqual(set(self.running()), {lives, others})
            self.assertEqual([path.name for path in own.iterdir()], [lives])
            self.assertEqual({path.stem for path in LOGS.glob("nest-boot-*")}, {lives, others})
            for name in (lives, others):
                self.libvirtd.virsh("destroy", name)

    def test_chosen_once(self):
        """What was found at the first start stays, so that no VMs vanish."""
        self.libvirtd.start()
        with self.daemon("auto") as daemon:
            self.assertEqual(daemon.wait_backend(), "open")
            self.assertEqual(daemon.get("/v1")["backend_uri"], SYSTEM)
            self.libvirtd.kill()
            daemon.restart()
            self.assertEqual(daemon.wait_backend(), "unavailable")
            self.libvirtd.start()
            eventually(lambda: daemon.get("/v1")["backend"] == "open")
            self.assertEqual(daemon.get("/v1")["backend_uri"], SYSTEM)

    def test_own_chosen_once(self):
        with self.daemon("auto") as daemon:
            self.assertEqual(daemon.wait_backend(), "open")
            own = daemon.get("/v1")["backend_uri"]
            self.assertIn("embed", own)
            daemon.stop()
            self.libvirtd.start()
            daemon.start()
            self.assertEqual(daemon.wait_backend(), "open")
            self.assertEqual(daemon.get("/v1")["backend_uri"], own)


if __name__ == "__main__":
    nestd.main()
