# SPDX-License-Identifier: LGPL-2.1-or-later
"""VMs inside VMs, by hypervisors that a scripted guest agent plays: libvirt, QEMU alone, Incus,
Proxmox VE and Hyper-V."""

import base64
import json
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

import nestd
from fake import Fake

from nest_agent import HANG, Agent

WINDOWS = {"id": "mswindows", "pretty-name": "Windows Server 2022 Datacenter",
           "kernel-release": "20348", "machine": "x86_64"}
GUESTS = "/v1/vms/vm/guests"


def hexed(*words):
    return b"".join(word.encode() + b"\0" for word in words).hex()


class Process:
    """One that really runs, in no session or group of its own, as the agent starts them."""

    def __init__(self, words, environment):
        self.printed = [tempfile.TemporaryFile() for _ in range(2)]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.printed[0],
                                        stderr=self.printed[1], env=environment)

    def ended(self):
        if self.process.poll() is None:
            return None
        return self.process.returncode, *map(self.read, self.printed)

    @staticmethod
    def read(file):
        with file:
            file.seek(0)
            return file.read()


class Inside(Agent):
    """A guest in which no command is run, but played: play(words, input) gives what it ends with
    and prints, or a Process; None never ends."""

    def __init__(self, directory, name, play):
        super().__init__(directory, name)
        self.play = play
        self.commands = []
        self.ended = {}
        self.killed = []

    def guest_exec(self, path, arg=(), capture_output=False, input_data=None):
        words = [path, *arg]
        pid = 1000 + len(self.commands)
        self.commands.append(words)
        if words[:2] == ["/bin/sh", "-c"] and "kill -s STOP" in words[2]:
            self.ended[pid] = self.kill(words)
        else:
            self.ended[pid] = self.play(
                words, base64.b64decode(input_data).decode() if input_data else None)
        return {"pid": pid}

    def kill(self, words):
        number = int(words[4])
        self.killed.append(number)
        if isinstance(self.ended[number], Process):
            return Process([*words[:4], str(self.ended[number].process.pid)], None)
        self.ended[number] = (-9, b"", b"")
        return 0, b"", b""

    def guest_exec_status(self, pid):
        ended = self.ended[pid]
        if isinstance(ended, Process):
            ended = ended.ended()
        if ended is None:
            return {"exited": False}
        status, out, err = ended
        return {"exited": True, "exitcode": status, "out-data": base64.b64encode(out).decode(),
                "err-data": base64.b64encode(err).decode()}


def is_probe(words):
    return words[0] == "/bin/sh" and "echo nestd-inner" in words[2]


class Libvirt:
    """virsh, and the shell that calls it."""

    def __init__(self, tools=b"tool virsh\nqemu qemu-system-x86_64\nkvm\n", **vms):
        self.tools = tools
        self.vms = vms
        self.xml = {}
        self.fails = {}
        self.looks = 0

    def __call__(self, words, given):
        if is_probe(words):
            return 0, b"nestd-inner\n" + self.tools, b""
        if words[0] == "/bin/sh" and "define /proc/self/fd/0" in words[2]:
            return self.define(given, words[4:])
        if words[0] == "/bin/sh" and "undefine" in words[2]:
            if "undefine" in self.fails:
                return self.fails["undefine"]
            del self.vms[words[4]]
            return 0, b"", b""
        if words[0] == "tail":
            return 0, b"login:\x1b[2J\xff\n", b""
        assert words[:5] == ["env", "LC_ALL=C", "virsh", "-c", "qemu:///system"], words
        return self.virsh(words[5:])

    def define(self, xml, arguments):
        if "define" in self.fails:
            return self.fails["define"]
        name = xml.split("<name>")[1].split("<")[0]
        self.xml[name] = xml
        self.vms[name] = [5, int(xml.split("<memory unit=\"KiB\">")[1].split("<")[0]),
                          int(xml.split("<vcpu>")[1].split("<")[0])]
        return 0, b"Domain defined\n", b""

    def shut_down(self):
        """What was asked to takes a few looks, where it does at all."""
        self.looks -= 1
        for vm in self.vms.values():
            if vm[0] == 4 and self.looks <= 0:
                vm[0] = 5

    def virsh(self, words):
        if words[0] in self.fails:
            return self.fails[words[0]]
        if words[0] == "domstats":
            self.shut_down()
            return 0, b"".join(
                f"Domain: '{name}'\n  state.state={state}\n  state.reason=1\n  balloon.current=1\n"
                f"  balloon.maximum={memory}\n  vcpu.current={vcpus}\n  vcpu.maximum=8\n\n".encode()
                for name, (state, memory, vcpus) in self.vms.items()), b""
        assert words[1] == "--domain"
        if words[0] == "dumpxml":
            return 0, self.xml[words[2]].encode(), b""
        self.vms[words[2]][0] = {"start": 1, "destroy": 5, "shutdown": 4}[words[0]]
        return 0, b"", b""


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Fake())
        self.daemon.define("vm", state="running")  # 2 GiB, 2 vCPUs

    def inside(self, play):
        return Inside(self.daemon.host.directory, "vm", play)

    def guest(self, play):
        return self.enterContext(self.inside(play))

    def create(self, name, **more):
        return self.daemon.change("POST", GUESTS, {"name": name, "memory_kib": 524288, **more})

    def state(self, name, state, **more):
        return self.daemon.change("PUT", f"{GUESTS}/{name}/state", {"state": state, **more})

    def delete(self, name):
        return self.daemon.change("DELETE", f"{GUESTS}/{name}")

    def killed(self, agent, when, *request):
        """How the operation of request ended, for which nestd was killed once when() was true."""
        reached = threading.Event()

        def instead(command, arguments):
            if command == "guest-exec" and when():
                reached.set()
                return HANG
            return None
        agent.instead = instead
        operation = self.daemon.request(*request).json
        self.assertTrue(reached.wait(nestd.REPLY_DEADLINE))
        agent.instead = lambda command, arguments: None
        self.daemon.kill()
        self.daemon.start()
        self.daemon.wait_backend()
        return self.daemon.wait_operation(operation["id"])

    def refused(self, method, path, body=None):
        answer = self.daemon.request(method, path, body)
        self.assertGreaterEqual(answer.status, 400, answer)
        return answer.json

    def listed(self):
        return {vm["name"]: (vm["by"], vm["state"], vm["memory_kib"], vm["vcpus"])
                for vm in self.daemon.get(GUESTS)["vms"]}


class WithLibvirt(Case):
    def test_list(self):
        self.guest(Libvirt(web=[1, 1048576, 1], db=[5, 524288, 2], old=[3, 1024, 1]))
        said = self.daemon.get(GUESTS)
        self.assertEqual([vm["name"] for vm in said["vms"]], ["db", "old", "web"])
        self.assertEqual(self.listed()["web"], ("libvirt", "running", 1048576, 1))
        self.assertEqual(self.listed()["db"], ("libvirt", "off", 524288, 2))
        self.assertEqual(self.listed()["old"][1], "paused")
        self.assertEqual(said["hypervisors"], ["libvirt", "qemu"])
        self.assertEqual(said["all"], {"count": 3, "memory_kib": 1573888, "vcpus": 4})
        self.assertEqual(said["active"], {"count": 2, "memory_kib": 1049600, "vcpus": 2})
        self.assertEqual(len(said["overcommitted"]), 1, said)
        self.assertIn("4 vCPUs, 2.0 for each of 2", said["overcommitted"][0])

    def test_create_start_console_stop(self):
        libvirt = Libvirt()
        self.guest(libvirt)
        done = self.create("in", vcpus=2, start=True, kernel="/boot/k", cmdline="a <b> 'c'")
        self.assertEqual((done["kind"], done["state"]), ("guest-create", "done"), done)
        self.assertEqual([step["id"] for step in done["steps"]], ["make", "start"])
        self.assertIn("in, of libvirt", done["note"])
        self.assertIn("type=\"kvm\"", libvirt.xml["in"])
        self.assertIn("a &lt;b&gt; 'c'", libvirt.xml["in"])
        self.assertEqual(self.daemon.get(f"{GUESTS}/in/state")["state"], "running")
        self.assertEqual(self.daemon.get(f"{GUESTS}/in/console")["text"], "login:\x1b[2J�\n")
        self.assertEqual(self.daemon.request("PUT", f"{GUESTS}/in/state",
                                             {"state": "running"}).status, 200)
        done = self.state("in", "off")
        self.assertEqual((done["kind"], done["state"]), ("guest-stop", "done"), done)
        self.assertEqual(self.listed()["in"][1], "off")

    def test_a_new_disk(self):
        libvirt = Libvirt()
        agent = self.guest(libvirt)
        self.create("in", disk_bytes=1 << 30)
        words = next(words for words in agent.commands if "define" in words[2])
        self.assertEqual(words[4:], ["/var/lib/libvirt/images/nestd/in.qcow2", str(1 << 30), "in"])
        self.assertIn("/var/lib/libvirt/images/nestd/in.qcow2", libvirt.xml["in"])

    def test_too_much_is_told_or_refused(self):
        self.guest(Libvirt(web=[1, 1048576, 1]))
        problem = self.refused("POST", GUESTS, {"name": "in", "memory_kib": 4 << 20})
        self.assertEqual(problem["kind"], "vm-unfit")
        self.assertIn("4 GiB does not fit into one with 2 GiB", problem["detail"])
        done = self.create("in", memory_kib=1572864, vcpus=3)
        self.assertIn("all inner VMs with this one would need 2.5 GiB, of 2 GiB", done["note"])
        self.assertIn("4 vCPUs, 2.0 for each of 2", done["note"])

    def test_a_name_that_is_taken(self):
        self.guest(Libvirt(web=[1, 1048576, 1]))
        self.assertEqual(self.refused("POST", GUESTS, {"name": "WEB", "memory_kib": 65536})["kind"],
                         "vm-exists")
        for name in ("a b", "$(reboot)", "../x", "-c", "a'b", "", "a" * 64):
            problem = self.refused("POST", GUESTS, {"name": name, "memory_kib": 65536})
            self.assertEqual(problem["kind"], "invalid-request", name)

    def test_unknown_inner_vm(self):
        self.guest(Libvirt())
        for name in ("no", urllib.parse.quote("$(x) '"), "-c"):
            self.assertEqual(self.refused("PUT", f"{GUESTS}/{name}/state",
                                          {"state": "off"})["kind"], "vm-not-found")
            self.assertEqual(self.refused("GET", f"{GUESTS}/{name}/console")["kind"],
                             "vm-not-found")

    def test_it_says_no(self):
        libvirt = Libvirt()
        agent = self.guest(libvirt)
        libvirt.fails["define"] = (1, b"", b"error: no space left\n")
        failed = self.create("in")
        self.assertEqual(failed["state"], "rolled-back", failed)
        self.assertIn("no space left", failed["problem"]["detail"])
        self.assertFalse(any("--managed-save" in words[2] for words in agent.commands))

    def test_a_start_that_fails_takes_the_vm_away(self):
        libvirt = Libvirt()
        self.guest(libvirt)
        libvirt.fails["start"] = (1, b"", b"error: KVM is not available\n")
        failed = self.create("in", start=True)
        self.assertEqual(failed["state"], "rolled-back", failed)
        self.assertIn("KVM is not available", failed["problem"]["detail"])
        self.assertEqual(libvirt.vms, {})

    def test_not_there_though_it_said_so(self):
        libvirt = Libvirt()
        self.guest(libvirt)
        libvirt.fails["define"] = (0, b"", b"")
        failed = self.create("in")
        self.assertEqual((failed["state"], failed["problem"]["kind"]),
                         ("rolled-back", "not-verified"), failed)

    def test_libvirt_is_down(self):
        libvirt = Libvirt(b"tool virsh\nqemu qemu-kvm\nkept alone "
                          + hexed("qemu", "-m", "1G", "-smp", "2").encode() + b"\n")
        self.guest(libvirt)
        libvirt.fails["domstats"] = (1, b"", b"error: failed to connect to the hypervisor\n")
        said = self.daemon.get(GUESTS)
        self.assertIn("failed to connect", said["warnings"][0])
        self.assertEqual(self.listed(), {"alone": ("qemu", "off", 1048576, 2)})

    def test_a_process_of_a_libvirt_that_is_down(self):
        """It is not taken for one that nobody manages, nor what libvirt has for not there."""
        libvirt = Libvirt(b"tool virsh\nprocess 7 qemu "
                          + hexed("qemu", "-name", "guest=web").encode() + b"\n")
        self.guest(libvirt)
        libvirt.fails["domstats"] = (1, b"", b"error: failed to connect\n")
        for method, path, body in (("PUT", "web/state", {"state": "off"}), ("DELETE", "web", None),
                                   ("GET", "db/state", None)):
            problem = self.refused(method, f"{GUESTS}/{path}", body)
            self.assertEqual(problem["kind"], "hypervisor", problem)
            self.assertIn("libvirt can't be asked: libvirt in the guest says: error: failed",
                          problem["detail"])

    def test_nestd_is_killed(self):
        libvirt = Libvirt()
        agent = self.guest(libvirt)
        ended = self.killed(agent, lambda: "in" in libvirt.vms, "POST", GUESTS,
                            {"name": "in", "memory_kib": 65536})
        self.assertEqual(ended["state"], "done", ended)
        ended = self.killed(agent, lambda: "in" not in libvirt.vms, "DELETE", f"{GUESTS}/in")
        self.assertEqual((ended["kind"], ended["state"]), ("guest-delete", "done"), ended)


class WithOthers(Case):
    def test_qemu_alone(self):
        folder = "/var/lib/nestd-inner"
        kept = {}
        running = set()

        def play(words, given):
            if is_probe(words):
                lines = ["nestd-inner", "qemu qemu-system-x86_64", "kvm"]
                lines += [f"kept {name} {hexed(*argv)}" for name, argv in kept.items()]
                lines += [f"process {40 + i} qemu {hexed(*kept[name])}"
                          for i, name in enumerate(sorted(running))]
                lines.append("process 99 qemu " + hexed("qemu-system-x86_64", "-m", "size=2097152k",
                                                        "-name", "guest=foreign,debug-threads=on",
                                                        "-smp", "sockets=2,cores=2"))
                lines.append("process 100 firecracker " + hexed("firecracker", "--id", "x"))
                return 0, "\n".join(lines).encode(), b""
            if words[0] == "tail":
                return 0, f"of {words[3]}\n".encode(), b""
            name = words[4].removeprefix(folder + "/")
            if "qemu-img" in words[2]:
                kept[name] = words[6:]
            elif "xargs" in words[2]:
                running.add(name)
            elif "rm -f" in words[2]:
                del kept[name]
            else:
                running.discard(name)
            return 0, b"", b""
        agent = self.guest(play)
        self.create("in", vcpus=2, start=True, iso="/a,b.iso", network="none")
        self.assertIn("file=/a,,b.iso,media=cdrom,format=raw,readonly=on", kept["in"])
        self.assertEqual(self.listed(), {
            "in": ("qemu", "running", 524288, 2),
            "foreign": ("qemu", "running", 2097152, 4),
            "process 100": ("firecracker", "running", 0, 0)})
        self.assertEqual(self.daemon.get(f"{GUESTS}/in/console")["text"],
                         f"of {folder}/in/console.log\n")
        self.assertEqual(self.state("in", "off")["state"], "done")
        self.assertTrue(any("system_powerdown" in words[2] for words in agent.commands[:-1]))
        self.assertEqual(running, set())
        self.assertEqual(self.state("in", "running", by="qemu")["state"], "done")
        self.assertEqual(self.refused("PUT", f"{GUESTS}/foreign/state",
                                      {"state": "off"})["kind"], "unsupported")
        self.assertEqual(self.refused("DELETE", f"{GUESTS}/foreign")["kind"], "unsupported")
        self.assertEqual(self.refused("DELETE", f"{GUESTS}/in")["kind"], "vm-state")
        self.assertEqual(self.state("in", "off")["state"], "done")
        self.assertEqual(self.delete("in")["state"], "done")
        self.assertEqual(kept, {})

    def test_incus_and_proxmox(self):
        vms = [{"name": "box", "status": "Running", "type": "virtual-machine",
                "expanded_config": {"limits.cpu": "2", "limits.memory": "4GiB", "x": "y"}},
               {"name": "plain", "status": "Stopped", "type": "virtual-machine",
                "expanded_config": {}},
               {"name": "odd", "status": "Frozen", "type": "virtual-machine",
                "expanded_config": {"limits.cpu": "0-3", "limits.memory": "50%"}},
               {"name": "no-vm", "status": "Running", "type": "container"}]
        more = [{"vmid": 100, "name": "pve", "status": "running", "maxmem": 1 << 30, "cpus": 3}]
        asked = []

        def play(words, given):
            if is_probe(words):
                return 0, b"nestd-inner\ntool incus\ntool pvesh\n", b""
            asked.append(words)
            if words[0] == "pvesh":
                return 0, json.dumps(more).encode(), b""
            if words[1] == "list":
                return 0, json.dumps(vms).encode(), b""
            if words[1] in ("delete", "destroy"):
                (vms if words[0] == "incus" else more).pop(0)
                return 0, b"", b""
            (vms[0] if words[0] == "incus" else more[0])["status"] = \
                "Stopped" if words[0] == "incus" else "stopped"
            return 0, b"", b""
        self.guest(play)
        self.assertEqual(self.listed(), {
            "box": ("incus", "running", 4194304, 2), "plain": ("incus", "off", 1048576, 1),
            "odd": ("incus", "paused", 0, 0), "pve": ("proxmox", "running", 1048576, 3)})
        self.assertEqual(self.state("box", "off")["state"], "done")
        self.assertEqual(self.state("pve", "off")["state"], "done")
        self.assertIn(["incus", "stop", "--timeout=90", "box"], asked)
        self.assertIn(["qm", "shutdown", "100", "--timeout", "90"], asked)
        vms[0]["status"], more[0]["status"] = "Running", "running"
        self.assertEqual(self.state("box", "off", force=True)["state"], "done")
        self.assertEqual(self.state("pve", "off", force=True)["state"], "done")
        self.assertIn(["incus", "stop", "--force", "box"], asked)
        self.assertIn(["qm", "stop", "100"], asked)
        self.assertEqual(self.delete("box")["state"], "done")
        self.assertEqual(self.delete("pve")["state"], "done")
        self.assertIn(["incus", "delete", "box"], asked)
        self.assertIn(["qm", "destroy", "100"], asked)
        self.assertEqual(self.refused("POST", GUESTS, {
            "name": "a", "memory_kib": 65536, "by": "lxd"})["kind"], "vm-unfit")

    def test_hyper_v(self):
        vms = []

        def play(words, given):
            self.assertEqual(words[0], "powershell.exe")
            script = base64.b64decode(words[-1]).decode("utf-16-le")
            arguments = json.loads(base64.b64decode(
                script.split("FromBase64String('")[1].split("'")[0]))
            if "New-VM" in script:
                vms.append({"name": arguments["name"], "id": "6f9619ff", "state": "Off",
                            "memory": arguments["memory_kib"] << 10, "vcpus": arguments["vcpus"]})
            elif "Remove-VM -VM $v -Force\n$d" in script:
                self.assertEqual(arguments["id"], "6f9619ff")
                vms.clear()
            elif "Start-VM" in script or "Stop-VM" in script:
                self.assertEqual(arguments["id"], "6f9619ff")
                vms[0]["state"] = "Running" if "Start-VM" in script else "Off"
            else:
                return 0, json.dumps({"vms": vms}).encode(), b""
            return 0, b"", b""
        self.guest(play).os = WINDOWS
        self.assertEqual(self.daemon.get(GUESTS)["hypervisors"], ["hyper-v"])
        self.assertEqual(self.create("in", vcpus=2, start=True)["state"], "done")
        self.assertEqual(self.listed(), {"in": ("hyper-v", "running", 524288, 2)})
        self.assertEqual(self.state("in", "off")["state"], "done")
        self.assertEqual(self.refused("GET", f"{GUESTS}/in/console")["kind"], "unsupported")
        self.assertEqual(self.delete("in")["state"], "done")
        self.assertEqual(vms, [])
        self.assertEqual(self.refused("POST", GUESTS, {
            "name": "b", "memory_kib": 65536, "kernel": "C:\\k"})["kind"], "unsupported")

    def test_windows_without_hyper_v(self):
        self.guest(lambda words, given: (0, b'{"absent":true}', b"")).os = WINDOWS
        said = self.daemon.get(GUESTS)
        self.assertEqual((said["hypervisors"], said["vms"]), ([], []))
        self.assertIn("not installed", said["warnings"][0])


if __name__ == "__main__":
    nestd.main()
