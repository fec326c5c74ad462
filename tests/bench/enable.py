# SPDX-License-Identifier: LGPL-2.1-or-later
"""Enabling nesting of a stopped VM: nestctl beside what people write for it. All of them turn on
the extension, fix the memory and drop the balloon, and look at the result."""

import json
import shutil
import sys
import time

import nestd
import peer
from measure import Times, interleaved, run, times_table

sys.path.insert(0, str(nestd.SOURCE / "tests" / "integration"))
import fake  # noqa: E402

# What is strongest by hand: four virsh and sed. It breaks a definition that it has changed before.
SHELL = r"""set -e
V="virsh -q -c {uri}"
[ "$($V domstate $1)" = "shut off" ]
$V dumpxml --inactive $1 >{directory}/before.xml
sed -e "s|<feature policy='disable' name='svm'/>|<feature policy='require' name='svm'/>|" \
    -e "s|<currentMemory.*|<currentMemory unit='KiB'>4194304</currentMemory>|" \
    -e "s|<memballoon model='virtio'>|<memballoon model='none'>|" \
    -e "/<memballoon/,/<.memballoon>/{{/<address/d}}" {directory}/before.xml >{directory}/after.xml
$V define {directory}/after.xml
$V dumpxml --inactive $1 | grep -q "policy='require' name='svm'"
"""

PYTHON = """import sys, libvirt
import xml.etree.ElementTree as ET
connection = libvirt.open({uri!r})
domain = connection.lookupByName(sys.argv[1])
assert not domain.isActive()
root = ET.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
root.find("cpu/feature[@name='svm']").set("policy", "require")
root.find("currentMemory").text = root.find("memory").text
balloon = root.find("devices/memballoon")
balloon.set("model", "none")
for child in list(balloon):
    balloon.remove(child)
changed = connection.defineXML(ET.tostring(root, encoding="unicode"))
root = ET.fromstring(changed.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
assert root.find("cpu/feature[@name='svm']").get("policy") == "require"
"""

BY_HAND = (
    ("virt-host-validate", "qemu"), ("virsh", "domcapabilities"), ("virsh", "domstate", "VM"),
    ("virsh", "dominfo", "VM"), ("virsh", "dumpxml", "VM"),
    ("virt-xml", "VM", "--edit", "--cpu", "maximum,require=svm", "--define"),
    ("virt-xml", "VM", "--edit", "--memballoon", "model=none", "--define"),
    ("virt-xml", "VM", "--edit", "--memory", "4096,maxmemory=4096", "--define"),
    ("virsh", "dumpxml", "VM"))


def by_hand(name):
    wall = cpu = 0
    for program, *words in BY_HAND:
        words = [name if word == "VM" else word for word in words]
        command = [program, *words]
        if program != "virt-host-validate":
            command = [program, "--connect", peer.URI, *words]
        # virt-host-validate fails on most hosts, and says why
        taken = run(command, status=range(256) if program == "virt-host-validate" else (0,))
        wall, cpu = wall + taken[0], cpu + taken[1]
    return wall, cpu


def contenders(world, names):
    """Every round takes a VM that nobody has changed."""
    queue = {way: iter(names) for way in ("own", "shell", "python", "hand")}
    script = world.directory / "enable.sh"
    script.write_text(SHELL.format(uri=peer.URI, directory=world.directory), encoding="utf-8")
    text = PYTHON.format(uri=peer.URI)
    ways = {
        "nestctl enable VM --yes":
            lambda: run(world.nestd.command("enable", next(queue["own"]), "--yes")),
        "shell: 4 virsh and sed": lambda: run(["sh", script, "s" + next(queue["shell"])])}
    if peer.libvirt is not None:
        ways["one python3-libvirt script"] = lambda: run(
            ["/usr/bin/python3", "-c", text, "p" + next(queue["python"])])
    if shutil.which("virt-xml"):
        ways["by hand, 9 commands, typing not counted"] = lambda: by_hand("h" + next(queue["hand"]))
    return ways


def by_command(worlds, rounds):
    names = peer.names_of("vm", rounds)
    own = dict.fromkeys(names, peer.REALISTIC)
    with worlds.open(own) as world:
        world.libvirtd.stop()
        prefixed = {kind + name: peer.REALISTIC for kind in "sph" for name in names}
        world.libvirtd = peer.Libvirtd(world.directory, prefixed, world.nestd.qemu_config())
        world.libvirtd.start()
        times = interleaved(rounds, contenders(world, names))
        for name in names:
            vm = world.nestd.get(f"/v1/vms/{name}")
            if vm["nesting"] != "on":
                raise RuntimeError(f"{name} is not enabled: {vm}")
    table = times_table("Enabling nesting of a stopped VM: ms", "",
                        "Only nestctl asks whether the host can do it, keeps the change durable "
                        "with who made it, and takes it back where a step fails.")
    table.add_times("", times)
    return table


def by_api(rounds):
    times = {"plan, PUT and its end, kept connection": Times()}
    with fake.Fake() as daemon:
        names = peer.names_of("vm", rounds)
        for name in names:
            daemon.define(name)
        for name in names:
            times["plan, PUT and its end, kept connection"].add(enable_by_api(daemon, name))
    table = times_table("The same by the API, over a hypervisor that takes no time: ms", "")
    table.add_times("", times)
    return table


def enable_by_api(daemon, name):
    connection = nestd.Connection(daemon.socket, 30)
    connection.connect()
    began = time.monotonic()

    def ask(method, path, body=None):
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())

    plan = ask("POST", f"/v1/vms/{name}/nested/plan", {"enabled": True})
    operation = ask("PUT", f"/v1/vms/{name}/nested", {"enabled": True, "plan": plan["hash"]})
    ended = ask("GET", f"/v1/operations/{operation['id']}?wait=10")
    taken = (time.monotonic() - began) * 1000
    connection.close()
    if ended["state"] != "done":
        raise RuntimeError(f"not enabled: {ended}")
    return taken


def measure(worlds, quick):
    rounds = 4 if quick else 12
    return by_command(worlds, rounds), by_api(rounds * 2)
