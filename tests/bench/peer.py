# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirtd of our own, behind mounts of our own, and nestd with the same virtual machines."""

import ctypes
import pathlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import nestd  # noqa: E402

try:
    import libvirt
except ImportError:
    libvirt = None

DEADLINE = 120
HIDDEN = ("/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt")
URI = "qemu:///system"
POLL = 0.0005

# As virt-install would make it, but for TCG. {cpu}: what is to be enabled.
REALISTIC = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <title>one of many</title>
  <memory unit='KiB'>4194304</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='maximum' check='none' migratable='on'>
    <feature policy='disable' name='svm'/>
  </cpu>
  <clock offset='utc'>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='pit' tickpolicy='delay'/>
    <timer name='hpet' present='no'/>
  </clock>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='/nowhere/{name}.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'>
      <mac address='{mac}'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'/>
    <console type='pty'/>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""

# Starts at once and does nothing.
SMALL = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <serial type='null'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def xml_of(template, name):
    number = uuid.uuid5(uuid.NAMESPACE_URL, name)
    mac = "52:54:00:" + ":".join(f"{byte:02x}" for byte in number.bytes[:3])
    return template.format(name=name, uuid=number, mac=mac)


def names_of(prefix, count):
    return [f"{prefix}{i:05}" for i in range(count)]


def wait_until(condition, what, deadline=DEADLINE, pause=0.02):
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(pause)


def hide_system(directory):
    """Mounts over what a libvirtd of this machine may have; on the same file system as directory,
    because what a commit costs is measured."""
    libc = ctypes.CDLL(None, use_errno=True)
    for at, path in enumerate(HIDDEN):
        own = pathlib.Path(directory, f"hidden{at}")
        own.mkdir()
        pathlib.Path(path).mkdir(parents=True, exist_ok=True)
        if libc.mount(str(own).encode(), path.encode(), None, 4096, None) != 0:  # MS_BIND
            raise OSError(ctypes.get_errno(), f"mount over {path}")
    if libc.mount(b"none", b"/run", b"tmpfs", 0, b"mode=0755") != 0:
        raise OSError(ctypes.get_errno(), "mount over /run")


def answers_vms(path):
    """Whether a nestd answers there what VMs it has, asked in one go."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(DEADLINE)
        try:
            stream.connect(str(path))
            stream.sendall(b"GET /v1/vms HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        except OSError:
            return None
        text = bytearray()
        while data := stream.recv(1 << 20):
            text += data
        return text.startswith(b"HTTP/1.1 200 ") and len(text)


class OwnNestd(nestd.Daemon):
    """A real nestd whose embedded hypervisor has VMs, written where libvirt keeps them."""

    def __init__(self, vms, **more):
        super().__init__(nestd.NESTD, **more)
        self.environment.pop("G_DEBUG", None)
        self.vms = vms  # {name: template}
        # As installed, in memory: libvirtd has its own there, too.
        runtime = pathlib.Path("/run", self.directory.name)
        runtime.mkdir(mode=0o711)
        self.socket = runtime / "nestd.sock"
        self.config["daemon"]["socket"] = self.socket
        self.environment["RUNTIME_DIRECTORY"] = str(runtime)

    def __enter__(self):
        super().__enter__()
        try:
            self.wait_backend()
            if self.vms:
                self.stop()
                write_domains(self.definitions(), self.vms)
                self.start()
                self.wait_known(len(self.vms))
        except BaseException:
            self._clean_up()
            raise
        return self

    def wait_known(self, count):
        """Until all VMs are judged, and stored: their events are."""
        path = f"/v1/events?follow=0&after={count - 1}"
        wait_until(lambda: self.get(path)["events"], "nestd has stored its VMs")

    def definitions(self):
        found = [path for path in self.state.rglob("etc/qemu") if path.is_dir()]
        return found[0] if found else self.state / "vm" / "etc" / "qemu"

    def qemu_config(self):
        return (self.definitions().parent / "qemu.conf").read_text(encoding="utf-8")

    def command(self, *words):
        return [nestd.NESTCTL, "--socket", self.socket, *words]

    def time_start(self):
        """Stops it, and ms from exec to its answer."""
        self.stop()
        began = time.monotonic()
        self.start()
        wait_until(lambda: answers_vms(self.socket), "nestd answers", pause=POLL)
        return (time.monotonic() - began) * 1000


def write_domains(directory, vms):
    directory.mkdir(parents=True, exist_ok=True)
    for name, template in vms.items():
        path = directory / f"{name}.xml"
        path.write_text(xml_of(template, name), encoding="utf-8")
        path.chmod(0o600)


class Libvirtd:
    """qemu.conf is nestd's own, so that both run QEMU alike."""

    def __init__(self, directory, vms, qemu_config):
        self.directory = pathlib.Path(directory)
        self.process = None
        for path in ("/etc/libvirt/qemu", "/var/lib/libvirt/qemu"):
            shutil.rmtree(path, ignore_errors=True)
        write_domains(pathlib.Path("/etc/libvirt/qemu"), vms)
        pathlib.Path("/etc/libvirt/qemu.conf").write_text(qemu_config, encoding="utf-8")
        self.config = self.directory / "libvirtd.conf"
        self.config.write_text('auth_unix_rw = "none"\nlog_outputs = "4:stderr"\n',
                               encoding="ascii")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self.process = subprocess.Popen(
            ["libvirtd", "--timeout", "0", "-f", self.config], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(self.lists, "libvirtd lists its domains", pause=POLL)

    def lists(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"libvirtd ended with {self.process.returncode}")
        if not os.path.exists("/run/libvirt/libvirt-sock"):
            return False
        if libvirt is None:
            return subprocess.run(["virsh", "-c", URI, "list", "--all"], check=False,
                                  capture_output=True).returncode == 0
        try:
            connection = libvirt.open(URI)
            connection.listAllDomains()
            connection.close()
        except libvirt.libvirtError:
            return False
        return True

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def time_start(self):
        self.stop()
        began = time.monotonic()
        self.start()
        return (time.monotonic() - began) * 1000

    @staticmethod
    def command(*words):
        return ["virsh", "-q", "-c", URI, *words]


if libvirt is not None:
    libvirt.registerErrorHandler(lambda *_: None, None)


class Worlds:
    """nestd and libvirtd with the same VMs, made when they are first asked for. One at a time:
    both would else take memory and processors from each other."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nb.", dir="/tmp"))
        self.directory.chmod(0o711)
        hide_system(self.directory)
        if libvirt is not None:
            libvirt.virEventRegisterDefaultImpl()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        libc = ctypes.CDLL(None)
        for path in HIDDEN:
            libc.umount2(path.encode(), 2)  # MNT_DETACH
        shutil.rmtree(self.directory, ignore_errors=True)

    def open(self, vms):
        return World(self.directory, vms)


class World:
    def __init__(self, directory, vms):
        self.nestd = OwnNestd(vms)
        self.directory = directory
        self.vms = vms
        self.libvirtd = None

    def __enter__(self):
        self.nestd.__enter__()
        try:
            self.libvirtd = Libvirtd(self.directory, self.vms, self.nestd.qemu_config())
            self.libvirtd.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *what):
        if self.libvirtd is not None:
            self.libvirtd.stop()
        self.nestd.__exit__(*what)


def versions():
    """What is compared."""
    commands = {
        "nestd": [nestd.NESTD, "--version"], "libvirt": ["virsh", "--version"],
        "QEMU": ["qemu-system-x86_64", "--version"], "virt-xml": ["virt-xml", "--version"]}
    found = {}
    for name, words in commands.items():
        if shutil.which(str(words[0])):
            text = subprocess.run(words, capture_output=True, text=True, check=False).stdout
            match = re.search(r"\d+(\.\d+)+", text)
            found[name] = match[0] if match else text.strip()
    return found
