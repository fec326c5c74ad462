# SPDX-License-Identifier: LGPL-2.1-or-later
"""A command and a file inside the real test guest, beside virsh that asks the same agent."""

import base64
import json
import os
import pathlib
import subprocess
import time
import uuid

import nestd
import peer
from measure import Table, interleaved, run, times_table

BOOT_DEADLINE = 900  # an emulated CPU, on a machine that is busy
PIECE = 64 * 1024  # what virsh takes as one argument, in base64
POLL = 0.005
XML = """<domain type='qemu'>
  <name>vm</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>256</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{folder}/vmlinuz</kernel>
    <initrd>{folder}/initrd.img</initrd>
    <cmdline>{cmdline} nest.then=idle nest.agent=1</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum' check='none'/>
  <devices>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <serial type='file'><source path='{console}'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""
QEMU = 'stdio_handler = "file"\nuser = "root"\ngroup = "root"\nremember_owner = 0\n'


def boot(directory, libvirtd):
    """Starts the test guest, and waits until it is up."""
    folder = subprocess.run([nestd.SOURCE / "tests" / "guest" / "build"], capture_output=True,
                            text=True, check=True).stdout.strip()
    console = directory / "console"
    cmdline = (pathlib.Path(folder) / "cmdline").read_text(encoding="utf-8").strip()
    xml = directory / "vm.xml"
    xml.write_text(XML.format(uuid=uuid.uuid4(), folder=folder, console=console, cmdline=cmdline),
                   encoding="utf-8")
    for words in ("define", str(xml)), ("start", "vm"):
        subprocess.run(libvirtd.command(*words), check=True, capture_output=True)
    end = time.monotonic() + BOOT_DEADLINE
    while not console.exists() or b"nest-guest: ready" not in console.read_bytes():
        if time.monotonic() > end:
            raise TimeoutError("the test guest does not come up")
        time.sleep(0.5)


class Virsh:
    """The agent, asked by a virsh for each question."""

    def __init__(self, libvirtd):
        self.libvirtd = libvirtd

    def ask(self, command, **arguments):
        question = json.dumps({"execute": command, "arguments": arguments})
        words = self.libvirtd.command("qemu-agent-command", "vm", question)
        return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)["return"]

    def command(self):
        pid = self.ask("guest-exec", path="/bin/true")["pid"]
        while not self.ask("guest-exec-status", pid=pid)["exited"]:
            time.sleep(POLL)

    def put(self, data):
        handle = self.ask("guest-file-open", path="/tmp/virsh", mode="w")
        for at in range(0, len(data), PIECE):
            text = base64.b64encode(data[at:at + PIECE]).decode()
            self.ask("guest-file-write", handle=handle, **{"buf-b64": text})
        self.ask("guest-file-close", handle=handle)


def timed(function):
    """In milliseconds."""
    began = time.monotonic()
    function()
    return (time.monotonic() - began) * 1000


def by_api(daemon):
    answer = daemon.request("POST", "/v1/vms/vm/exec", {"command": ["true"]}, timeout=300)
    if answer.status != 200 or b'"status":0' not in answer.body:
        raise RuntimeError(answer)


def commands(own, command, virsh, rounds):
    table = times_table("A command inside the emulated test guest, ms", "",
                        note="nestd's output comes while it is printed, whatever its length, and is "
                             "taken away; that of virsh has no output.")
    table.add_times("", interleaved(rounds, {
        "nestctl exec vm -- true": lambda: run(command("exec", "vm", "--", "true")),
        "nestd: POST /v1/vms/vm/exec": lambda: timed(lambda: by_api(own)),
        "virsh: guest-exec and its status": lambda: timed(virsh.command),
    }))
    table.print()


def files(command, virsh, directory, rounds, size):
    file = directory / "file"
    data = os.urandom(size)
    file.write_bytes(data)
    times = interleaved(rounds, {
        "nestctl guest push": lambda: run(command("guest", "push", "vm", file, "/tmp/nestd")),
        "virsh: guest-file-write of 64 KiB": lambda: timed(lambda: virsh.put(data)),
        "nestctl guest pull": lambda: run(command("guest", "pull", "vm", "/tmp/nestd", file)),
    })
    if file.read_bytes() != data:
        raise RuntimeError("another file came back")
    table = Table(f"A file of {size // 1024} KiB into the emulated test guest and out of it, MiB/s",
                  "", "median", "worst", "best",
                  note="nestd's is compared by SHA-256 in the guest, synced and renamed; that of "
                       "virsh is only written.")
    for name, taken in times.items():
        speeds = [size / (1 << 20) / (ms / 1000) for ms in (taken.median, max(taken.wall),
                                                          min(taken.wall))]
        table.add(name, *speeds)
    table.print()


def measure(worlds, quick):
    with peer.Libvirtd(worlds.directory, {}, QEMU) as libvirtd:
        with nestd.Daemon(config={"backend": {"uri": peer.URI}}) as own:
            own.wait_backend()
            boot(worlds.directory, libvirtd)
            virsh = Virsh(libvirtd)
            peer.wait_until(lambda: own.request("GET", "/v1/vms/vm/guest").status == 200,
                            "nestd reaches the agent")
            commands(own, lambda *words: [nestd.NESTCTL, "--socket", own.socket, *words], virsh,
                     3 if quick else 9)
            files(lambda *words: [nestd.NESTCTL, "--socket", own.socket, *words], virsh,
                  worlds.directory, 3 if quick else 5, (256 if quick else 1024) * 1024)
            subprocess.run(libvirtd.command("destroy", "vm"), check=True, capture_output=True)
