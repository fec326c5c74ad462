# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bridge, the port of a VM and a machine behind the uplink, in a network namespace of our own.

Whether a frame is dropped shows without waiting: another one that is sent after it, and that
nothing stops, has arrived. For that all of it happens on one CPU.
"""

import ctypes
import fcntl
import os
import select
import shutil
import socket
import struct
import subprocess
import unittest

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
ETHERTYPE = 0x88B5  # for local experiments
DEADLINE = 30

OWN, INNER = "52:54:00:00:00:01", "02:aa:00:00:00:05"
PEER = "02:bb:00:00:00:09"


def run(command):
    subprocess.run(command, shell=True, check=True, capture_output=True, text=True)


def enter():
    """A network of our own from now on, with its /sys. Skips the tests where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not shutil.which("ip") or not shutil.which("bridge"):
        raise unittest.SkipTest("iproute2 is not installed")
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        raise unittest.SkipTest("network namespaces are not permitted here")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    try:
        run("mount --make-rprivate / && mount -t sysfs none /sys && ip link set lo up")
        run("ip link add br0 type bridge forward_delay 200 && ip link set br0 up")
    except subprocess.CalledProcessError as error:
        raise unittest.SkipTest(f"bridges are not permitted here: {error.stderr}") from None


def packed(mac):
    return bytes.fromhex(mac.replace(":", ""))


def frame(source, destination, mark, size=60):
    return packed(destination) + packed(source) + struct.pack("!H", ETHERTYPE) + \
        mark.ljust(size - 14, b".")


class Tap:
    """The end of a tap device that is QEMU's."""

    def __init__(self, name):
        self.name = name
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF,
                    struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI))
        run(f"ip link set {name} master br0 up")

    def send(self, data):
        os.write(self.fd, data)

    def receive(self, timeout):
        ready, _, _ = select.select([self.fd], [], [], timeout)
        return os.read(self.fd, 65536) if ready else None

    def close(self):
        os.close(self.fd)


class Macvtap(Tap):
    """The same of a macvtap device, whose character device is made here."""

    def __init__(self, name, lower, mode, directory):
        run(f"ip link add link {lower} name {name} address {OWN} type macvtap mode {mode}")
        run(f"ip link set {name} up")
        with open(f"/sys/class/net/{name}/ifindex", encoding="ascii") as file:
            index = file.read().strip()
        with open(f"/sys/class/net/{name}/macvtap/tap{index}/dev", encoding="ascii") as file:
            major, minor = file.read().split(":")
        node = os.path.join(directory, f"tap{index}")
        os.mknod(node, 0o20600, os.makedev(int(major), int(minor)))
        self.name = name
        self.fd = os.open(node, os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF,
                    struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI))


class Machine:
    """Another machine, at the other end of a cable to the device name."""

    def __init__(self, name, bridged=True):
        run(f"ip link add {name} type veth peer name {name}x")
        if bridged:
            run(f"ip link set {name} master br0")
        run(f"ip link set {name} up && ip link set {name}x address {PEER} up")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((name + "x", 0))
        self.socket.setblocking(False)

    def send(self, data):
        self.socket.send(data)

    def receive(self, timeout):
        ready, _, _ = select.select([self.socket], [], [], timeout)
        return self.socket.recv(65536) if ready else None

    def close(self):
        self.socket.close()


def arrives(sender, receiver, data, control):
    """TRUE if data reaches receiver; control, which is sent after it, must."""
    sender.send(data)
    sender.send(control)
    found = False
    while True:
        got = receiver.receive(DEADLINE)
        if got is None:
            raise AssertionError("the frame that nothing stops did not arrive")
        found = found or got == data
        if got == control:
            return found
