# SPDX-License-Identifier: LGPL-2.1-or-later
"""verify in the test guest, beside what it is made of: the agent asked once, and the program run by
hand through virsh. Both VMs are alike, and idle but for that."""

import base64
import contextlib
import json
import pathlib
import shutil
import subprocess
import time
import uuid

import nestd
import peer
import test_nested
from fake import eventually
from measure import interleaved, run, times_table

PROBE = nestd.BUILD / "hypervisor-backend" / "probe" / "nest-probe"
URI = "qemu:///system"
VM = "verified"
POLL = 0.01
BOOT_DEADLINE = 400  # on a machine that others keep busy


def virsh_agent(question):
    """The agent's answer to one question."""
    out = subprocess.run(["virsh", "-q", "-c", URI, "qemu-agent-command", VM, json.dumps(question)],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)["return"]


def by_hand():
    """The program there, and what it says: as a script of virsh would have it."""
    began = time.monotonic()
    program = base64.b64encode(PROBE.read_bytes()).decode()
    line = "f=$(mktemp -p /run) && cat >$f && chmod 700 $f && $f 5eed; rm $f"
    pid = virsh_agent({"execute": "guest-exec", "arguments": {
        "path": "/bin/sh", "arg": ["-c", line], "capture-output": True,
        "input-data": program}})["pid"]
    question = {"execute": "guest-exec-status", "arguments": {"pid": pid}}
    while not (answer := virsh_agent(question))["exited"]:
        time.sleep(POLL)
    if b"end code=verified " not in base64.b64decode(answer["out-data"]):
        raise RuntimeError(base64.b64decode(answer["out-data"]))
    return (time.monotonic() - began) * 1000


def create(own):
    """A VM of nestd with the test guest and its agent, that nests."""
    built = test_nested.guest()
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(built / name, own.directory)
    cmdline = (built / "cmdline").read_text(encoding="utf-8").strip()
    body = {"name": VM, "memory_kib": 262144, "accel": "tcg", "network": "user", "nested": True,
            "kernel": str(own.directory / "vmlinuz"), "initrd": str(own.directory / "initrd.img"),
            "cmdline": f"{cmdline} nest.then=idle nest.agent=1"}
    expect_done(own.change("POST", "/v1/vms", body))
    return (own.definitions() / f"{VM}.xml").read_text(encoding="utf-8")


def expect_done(operation):
    if operation["state"] != "done":
        raise RuntimeError(operation)


def start_peer(xml, own):
    """The same VM in libvirtd."""
    definition = pathlib.Path("/run", f"{VM}.xml")
    log = own.get(f"/v1/vms/{VM}")["console_log"]
    number = own.get(f"/v1/vms/{VM}")["uuid"]
    definition.write_text(xml.replace(log, f"/tmp/{own.directory.name}.log")
                          .replace(number, str(uuid.uuid4())), encoding="utf-8")
    for words in (["define", definition], ["start", VM]):
        subprocess.run(["virsh", "-q", "-c", URI, *words], check=True, capture_output=True)


def answers():
    with contextlib.suppress(subprocess.CalledProcessError):
        virsh_agent({"execute": "guest-ping"})
        return True


def stop(own):
    subprocess.run(["virsh", "-q", "-c", URI, "destroy", VM], check=False, capture_output=True)
    pathlib.Path(f"/tmp/{own.directory.name}.log").unlink(missing_ok=True)
    own.change("PUT", f"/v1/vms/{VM}/state", {"state": "off", "force": True, "reason": "measured"})


def measure(worlds, quick):
    table = times_table("Verifying nesting inside a VM on QEMU's software CPU, ms", "")
    with worlds.open({}) as world:
        own = world.nestd
        xml = create(own)
        try:
            expect_done(own.change("PUT", f"/v1/vms/{VM}/state", {"state": "running"}))
            start_peer(xml, own)
            eventually(lambda: own.nestctl("guest", "info", VM).returncode == 0, BOOT_DEADLINE)
            eventually(answers, BOOT_DEADLINE)
            ping = ["virsh", "-q", "-c", URI, "qemu-agent-command", VM,
                    '{"execute":"guest-ping"}']
            table.add_times("", interleaved(3 if quick else 9, {
                "nestctl verify": lambda: run(own.command("verify", VM)),
                "the program by hand, by virsh": by_hand,
                "one ping of the agent, by virsh": lambda: run(ping),
            }))
        finally:
            stop(own)
    table.print()
