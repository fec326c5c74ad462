# SPDX-License-Identifier: LGPL-2.1-or-later
"""VMs made by Incus, LXD and Proxmox VE: the real commands, run by a real shell with stand-ins for
their tools, which answer as their documentation says."""

import errno
import json
import os

import nestd
from fake import eventually
from test_inner import GUESTS, Case, Process, hexed, is_probe

# Keeps each call in a file, with a ! where it fails: where there is a file for its second word. Waits
# before where there is a FIFO for it, and says so.
TOOL = """#!/bin/sh
fails=
[ ! -p {directory}/wait-$1 ] || {{ : >{directory}/waits; read -r go <{directory}/wait-$1; }}
[ ! -e "{directory}/fail-$1" ] || fails=!
{{ printf '%s' "$fails${{0##*/}}"; printf '\\037%s' "$@"; echo; }} >>{directory}/calls
[ -z "$fails" ] || {{ echo "Error: $1 is refused" >&2; exit 1; }}
case "${{0##*/}} $1 $2" in
    'pvesh get /cluster/nextid') echo '"105"' ;;
    'pvesm status '*) cat {directory}/storages ;;
    'incus init '*) cat >/dev/null ;;
esac
"""
VIRSH = """#!/bin/sh
case $3 in
    define)
        [ ! -p {directory}/wait-define ] || {{
            : >{directory}/waits; read -r go <{directory}/wait-define; }}
        : >{directory}/defined ;;
    domstats) [ ! -e {directory}/defined ] || printf "Domain: 'in'\\n  state.state=5\\n" ;;
    domblklist) echo " vda  {directory}/images/in.qcow2" ;;
    undefine) rm {directory}/defined ;;
esac
"""
STORAGES = """\
Name             Type     Status           Total            Used       Available        %
backup            nfs   inactive               0               0               0    0.00%
local-lvm     lvmthin     active       832888832        99696593       733192238   11.97%
tank          zfspool     active       942669824          163532       942506292    0.02%
"""


class Made(Case):
    def setUp(self):
        super().setUp()
        self.directory = self.daemon.host.directory / "tools"
        self.directory.mkdir()
        for name in ("incus", "lxc", "qm", "pvesh", "pvesm"):
            self.write_tool(name, TOOL.format(directory=self.directory))
        (self.directory / "storages").write_text(STORAGES, encoding="utf-8")
        self.hypervisors = b""
        self.deaf = ()

    def write_tool(self, name, script):
        tool = self.directory / name
        tool.write_text(script, encoding="utf-8")
        tool.chmod(0o755)

    def calls(self):
        """What was asked of the tools but to list."""
        path = self.directory / "calls"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line.split("\037") for line in lines]

    def refuse(self, word):
        (self.directory / f"fail-{word}").touch()

    def play(self, words, given):
        if is_probe(words):
            return 0, b"nestd-inner\n" + self.hypervisors, b""
        if words[0] in self.deaf:
            return 1, b"", b"it is not running\n"
        if words[:2] == ["pvesh", "get"]:
            return 0, json.dumps(self.of_proxmox()).encode(), b""
        if words[1] == "list":
            return 0, json.dumps(self.of_incus(words[0])).encode(), b""
        images = str(self.directory / "images")
        words = [word.replace("/var/lib/libvirt/images/nestd", images) for word in words]
        return Process(words, {"PATH": f"{self.directory}:{os.environ['PATH']}"})

    def of_incus(self, tool):
        there = {}
        for called, *words in self.calls():
            if called == tool and words[0] == "init":
                limits = dict(word.split("=") for word in words if word.startswith("limits."))
                there[words[1]] = {"name": words[1], "status": "Stopped",
                                   "type": "virtual-machine", "expanded_config": limits}
            elif called == tool and words[0] == "delete":
                del there[words[1]]
            elif called == tool and words[0] == "start":
                there[words[1]]["status"] = "Running"
        return list(there.values())

    def of_proxmox(self):
        there = {}
        for called, *words in self.calls():
            if called == "qm" and words[0] == "create":
                more = dict(zip(words[2::2], words[3::2]))
                there[words[1]] = {"vmid": int(words[1]), "name": more["--name"],
                                   "status": "stopped", "maxmem": int(more["--memory"]) << 20,
                                   "cpus": int(more["--cores"])}
            elif called == "qm" and words[0] == "destroy":
                del there[words[1]]
        return list(there.values())

    def made(self, name, **more):
        done = self.create(name, **more)
        self.assertEqual(done["state"], "done", done)
        return self.calls()

    def aborted(self, word, *request):
        """How the operation of request ended, which was aborted while the tool waited."""
        fifo = self.directory / f"wait-{word}"
        os.mkfifo(fifo)
        operation = self.daemon.request(*request).json
        eventually((self.directory / "waits").exists)
        self.daemon.request("DELETE", f"/v1/operations/{operation['id']}")
        ended = self.daemon.wait_operation(operation["id"])
        self.assertEqual(ended["problem"]["kind"], "aborted", ended)
        eventually(lambda: not self.is_read(fifo))
        return ended

    @staticmethod
    def is_read(fifo):
        try:
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            assert error.errno == errno.ENXIO, error
            return False
        return True

    def kind(self, **more):
        return self.refused("POST", GUESTS, {"name": "in", "memory_kib": 65536, **more})["kind"]

    def test_incus(self):
        self.hypervisors = b"tool incus\n"
        self.guest(self.play)
        calls = self.made("in", vcpus=2, disk_bytes=10 << 30, iso="/a b,c.iso", start=True)
        self.assertEqual(calls, [
            ["incus", "init", "in", "--empty", "--vm", "--config", "limits.cpu=2", "--config",
             "limits.memory=524288KiB", "--device", "root,size=10485760KiB"],
            ["incus", "config", "device", "add", "in", "install", "disk", "source=/a b,c.iso",
             "boot.priority=10"],
            ["incus", "start", "in"]])
        self.assertEqual(self.listed(), {"in": ("incus", "running", 524288, 2)})
        self.assertEqual(self.made("no", network="none")[-2:], [
            ["incus", "init", "no", "--empty", "--vm", "--config", "limits.cpu=1", "--config",
             "limits.memory=524288KiB"],
            ["incus", "config", "device", "add", "no", "eth0", "none"]])
        self.assertEqual(self.made("br", network="bridge=br 0")[-1], [
            "incus", "config", "device", "add", "br", "eth0", "nic", "nictype=bridged",
            "parent=br 0"])
        self.assertEqual(self.made("net", network="network=lan")[-1][-2:], ["--network", "lan"])

    def test_what_incus_does_not_take(self):
        self.hypervisors = b"tool incus\n"
        self.guest(self.play)
        self.assertEqual(self.kind(kernel="/k"), "unsupported")
        self.assertEqual(self.kind(disk="/d", disk_format="raw"), "unsupported")
        self.assertEqual(self.kind(accel="tcg"), "unsupported")
        for name in ("1a", "a_b", "a.b", "a-"):
            problem = self.refused("POST", GUESTS, {"name": name, "memory_kib": 65536})
            self.assertEqual(problem["kind"], "invalid-request", name)
            self.assertIn("a letter first", problem["detail"])
        self.assertEqual(self.calls(), [])

    def test_incus_says_no(self):
        self.hypervisors = b"tool incus\n"
        self.guest(self.play)
        self.refuse("config")
        failed = self.create("in", network="none")
        self.assertEqual(failed["state"], "rolled-back", failed)
        self.assertIn("config is refused", failed["problem"]["detail"])
        self.assertEqual(self.calls()[-1], ["incus", "delete", "in"])
        self.refuse("init")
        failed = self.create("in")
        self.assertIn("init is refused", failed["problem"]["detail"])
        self.assertEqual(self.calls()[-1][1], "init")

    def test_a_start_that_fails_takes_the_vm_away(self):
        self.hypervisors = b"tool lxc\n"
        self.guest(self.play)
        self.refuse("start")
        failed = self.create("in", start=True)
        self.assertEqual(failed["state"], "rolled-back", failed)
        self.assertEqual([call[1] for call in self.calls()], ["init", "start", "delete"])
        self.assertEqual(self.listed(), {})

    def test_an_abort_ends_all_that_was_started(self):
        self.hypervisors = b"tool incus\n"
        self.guest(self.play)
        ended = self.aborted("init", "POST", GUESTS, {"name": "in", "memory_kib": 65536})
        self.assertEqual(ended["state"], "aborted", ended)
        self.assertEqual((self.calls(), self.listed()), ([], {}))

    def test_an_abort_takes_away_what_was_made(self):
        self.hypervisors = b"tool incus\n"
        self.guest(self.play)
        ended = self.aborted("config", "POST", GUESTS, {
            "name": "in", "memory_kib": 65536, "network": "none"})
        self.assertEqual(ended["state"], "aborted", ended)
        self.assertEqual([call[1] for call in self.calls()], ["init", "delete"])

    def test_an_abort_while_incus_waits_for_a_shutdown(self):
        self.hypervisors = b"tool incus\n"
        self.guest(self.play)
        self.made("in", start=True)
        ended = self.aborted("stop", "PUT", f"{GUESTS}/in/state", {"state": "off", "timeout": 3600})
        self.assertEqual(ended["state"], "aborted", ended)
        self.assertIn("may still do so", ended["note"])

    def test_lxd(self):
        self.hypervisors = b"tool lxc\n"
        self.guest(self.play)
        self.assertEqual(self.made("in"), [
            ["lxc", "init", "in", "--empty", "--vm", "--config", "limits.cpu=1", "--config",
             "limits.memory=524288KiB"]])
        self.assertEqual(self.listed()["in"][0], "lxd")
        self.assertEqual(self.delete("in")["state"], "done")
        self.assertEqual(self.calls()[-1], ["lxc", "delete", "in"])

    def test_proxmox(self):
        self.hypervisors = b"tool pvesh\n"
        self.guest(self.play)
        calls = self.made("in.lan", vcpus=2, disk_bytes=(10 << 30) + 1, iso="/a b.iso",
                          network="bridge=vmbr0", accel="tcg")
        self.assertEqual(calls[-1], [
            "qm", "create", "105", "--name", "in.lan", "--memory", "512", "--cores", "2",
            "--scsihw", "virtio-scsi-pci", "--ide2", "/a b.iso,media=cdrom", "--net0",
            "virtio,bridge=vmbr0", "--kvm", "0", "--scsi0", "local-lvm:11"])
        self.assertEqual(self.listed(), {"in.lan": ("proxmox", "off", 524288, 2)})
        self.assertEqual(self.delete("in.lan")["state"], "done")
        calls = self.made("in", memory_kib=65537)
        self.assertEqual(calls[-1], ["qm", "create", "105", "--name", "in", "--memory", "65",
                                     "--cores", "1", "--scsihw", "virtio-scsi-pci", "--net0",
                                     "virtio"])
        self.assertEqual(self.delete("in")["state"], "done")
        self.assertNotIn("--net0", self.made("in", network="none")[-1])

    def test_what_proxmox_does_not_take(self):
        self.hypervisors = b"tool pvesh\n"
        self.guest(self.play)
        self.assertEqual(self.kind(kernel="/k"), "unsupported")
        self.assertEqual(self.kind(disk="/d", disk_format="raw"), "unsupported")
        self.assertEqual(self.kind(network="network=lan"), "unsupported")
        self.assertEqual(self.kind(iso="/a,b"), "invalid-request")
        self.assertEqual(self.kind(network="bridge=br0,firewall=0"), "invalid-request")
        for name in ("a_b", "a..b", "a-", "a-.b"):
            problem = self.refused("POST", GUESTS, {"name": name, "memory_kib": 65536})
            self.assertEqual(problem["kind"], "invalid-request", name)
        self.assertEqual(self.calls(), [])

    def test_one_of_several_is_not_gone(self):
        """Proxmox VE lets names be equal: a second one that comes is no reason to say deleted."""
        self.hypervisors = b"tool pvesh\n"
        looks = []

        def play(words, given):
            if words[:2] != ["pvesh", "get"]:
                return self.play(words, given)
            looks.append(words)
            return 0, json.dumps([{"vmid": 100 + i, "name": "in", "status": "stopped"}
                                  for i in range(min(len(looks), 2))]).encode(), b""
        self.guest(play)
        failed = self.delete("in")
        self.assertEqual((failed["state"], failed["problem"]["kind"]),
                         ("rolled-back", "invalid-request"), failed)
        self.assertIn("several inner virtual machines are called in", failed["problem"]["detail"])
        self.assertEqual(self.calls(), [])

    def test_proxmox_without_room(self):
        self.hypervisors = b"tool pvesh\n"
        self.guest(self.play)
        (self.directory / "storages").write_text(STORAGES.split("local-lvm", maxsplit=1)[0],
                                                 encoding="utf-8")
        failed = self.create("in", disk_bytes=1 << 30)
        self.assertIn("no storage that is active takes disks", failed["problem"]["detail"])
        self.refuse("create")
        failed = self.create("in")
        self.assertIn("create is refused", failed["problem"]["detail"])
        self.refuse("get")
        failed = self.create("in")
        self.assertIn("get is refused", failed["problem"]["detail"])

    def test_the_first_that_answers_and_can(self):
        self.hypervisors = b"tool incus\ntool pvesh\nqemu qemu-system-x86_64\nkept old " + hexed(
            "qemu").encode() + b"\n"
        self.guest(self.play)
        self.made("one")
        self.assertEqual(self.listed()["one"][0], "incus")
        self.made("two", accel="tcg")
        self.assertEqual(self.listed()["two"][0], "proxmox")
        self.deaf = ("incus", )
        self.assertEqual(self.delete("two")["state"], "done")
        self.made("three")
        self.assertEqual(self.listed()["three"][0], "proxmox")
        self.hypervisors = b"tool incus\n"
        problem = self.refused("POST", GUESTS, {"name": "four", "memory_kib": 65536})
        self.assertEqual(problem["kind"], "hypervisor", problem)
        self.assertIn("incus can't be asked", problem["detail"])

    def libvirt(self):
        """The folder of its disks."""
        self.hypervisors = b"tool virsh\n"
        self.write_tool("virsh", VIRSH.format(directory=self.directory))
        self.write_tool("qemu-img", '#!/bin/sh\necho new >"$5"\n')
        self.guest(self.play)
        return self.directory / "images"

    def test_a_disk_that_was_left_half_way(self):
        images = self.libvirt()
        spec = {"name": "in", "memory_kib": 65536, "disk_bytes": 1 << 30}
        ended = self.aborted("define", "POST", GUESTS, spec)
        self.assertEqual(ended["state"], "aborted", ended)
        (self.directory / "wait-define").unlink()
        self.made("in", disk_bytes=1 << 30)
        self.assertEqual([path.name for path in images.iterdir()], ["in.qcow2"])
        self.assertEqual(self.delete("in")["state"], "done")
        self.assertEqual(list(images.iterdir()), [])

    def test_a_disk_of_somebody(self):
        images = self.libvirt()
        images.mkdir()
        (images / "in.qcow2").write_text("mine", encoding="utf-8")
        failed = self.create("in", disk_bytes=1 << 30)
        self.assertIn("in.qcow2 is there already", failed["problem"]["detail"])
        self.assertEqual(self.listed(), {})
        self.write_tool("virsh", VIRSH.format(directory=self.directory).replace(
            "define)", f"define) mv {images}/mine {images}/in.qcow2\n"))
        (images / "in.qcow2").rename(images / "mine")
        failed = self.create("in", disk_bytes=1 << 30)
        self.assertEqual((failed["state"], self.listed()), ("rolled-back", {}), failed)
        self.assertEqual((images / "in.qcow2").read_text(encoding="utf-8"), "mine")


if __name__ == "__main__":
    nestd.main()
