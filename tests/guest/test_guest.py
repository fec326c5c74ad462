# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots the test guest in QEMU's software CPU: what it says is what other tests build on."""

import json
import os
import pathlib
import selectors
import shutil
import socket
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BOOT_DEADLINE = 60
PREFIX = "nest-guest: "
QEMU = "qemu-system-x86_64"


class Guest:
    """One QEMU with its serial line, its monitor and its agent port."""

    def __init__(self, cpu, words):
        files = pathlib.Path(build_guest())
        monitor, monitor_end = socket.socketpair()
        agent, agent_end = socket.socketpair()
        fds = [monitor_end.fileno(), agent_end.fileno()]
        command = [
            QEMU, "-accel", "tcg", "-cpu", cpu, "-m", "256",
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
            "-kernel", files / "vmlinuz", "-initrd", files / "initrd.img",
            "-append", (files / "cmdline").read_text().strip() + " " + words,
            "-chardev", f"socket,id=monitor,fd={fds[0]}", "-mon", "chardev=monitor,mode=control",
            "-device", "virtio-serial", "-chardev", f"socket,id=agent,fd={fds[1]}",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=fds
        )
        monitor_end.close()
        agent_end.close()
        self.monitor = Line(monitor)
        self.agent = Line(agent)
        self.serial = Reader(self.process.stdout.fileno())
        self.said = []
        self.deadline = time.monotonic() + BOOT_DEADLINE
        self.monitor.read(self.deadline)
        self.command("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.monitor.socket.close()
        self.agent.socket.close()

    def wait_for(self, beginning):
        """The rest of the first line the guest says that begins like this."""
        while True:
            line = self.serial.line(self.deadline)
            if line is None:
                raise AssertionError(f"the guest never said {beginning!r}, only {self.said}")
            if line.startswith(PREFIX):
                self.said.append(line.removeprefix(PREFIX))
                if self.said[-1].startswith(beginning):
                    return self.said[-1].removeprefix(beginning).strip()

    def command(self, name):
        self.monitor.write({"execute": name})
        while True:
            answer = self.monitor.read(self.deadline)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise AssertionError(answer)

    def ask_agent(self, name):
        self.agent.write({"execute": name})
        return self.agent.read(self.deadline)

    def wait_for_end(self):
        return self.process.wait(max(0, self.deadline - time.monotonic()))


class Line:
    """One JSON object a line, both ways."""

    def __init__(self, stream):
        self.socket = stream
        self.reader = Reader(stream.fileno())

    def write(self, message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def read(self, deadline):
        line = self.reader.line(deadline)
        if line is None:
            raise AssertionError("no answer before the deadline")
        return json.loads(line)


class Reader:
    """Lines of a file descriptor, each waited for until a deadline."""

    def __init__(self, fd):
        self.fd = fd
        self.buffer = b""
        self.selector = selectors.DefaultSelector()
        self.selector.register(fd, selectors.EVENT_READ)

    def line(self, deadline):
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                return None
            data = os.read(self.fd, 65536)
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").strip("\r")


def build_guest():
    return subprocess.run(
        [HERE / "build"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


class TestGuest(unittest.TestCase):
    def test_inner_guest_runs_with_svm(self):
        with Guest("EPYC,+svm", "nest.then=poweroff") as guest:
            self.assertEqual(guest.wait_for("extension"), "svm")
            self.assertEqual(guest.wait_for("kvm-module"), "kvm_amd loaded nested=1")
            self.assertRegex(
                guest.wait_for("inner-guest"), r"^OK sum=5050 exits=1000 us_per_exit=\d+\.\d$"
            )
            guest.wait_for("ready")
            self.assertEqual(guest.wait_for_end(), 0)

    def test_inner_guest_fails_without_svm(self):
        with Guest("max,svm=off", "nest.then=poweroff") as guest:
            self.assertEqual(guest.wait_for("extension"), "none")
            self.assertRegex(guest.wait_for("kvm-module"), "^none")
            self.assertRegex(guest.wait_for("inner-guest"), "^FAILED /dev/kvm")
            guest.wait_for("ready")
            self.assertEqual(guest.wait_for_end(), 0)

    def test_agent_and_power_button(self):
        with Guest("max", "nest.agent=1 nest.kvm-nested=0") as guest:
            self.assertEqual(guest.wait_for("kvm-module"), "kvm_amd loaded nested=0")
            self.assertEqual(guest.wait_for("agent"), "started")
            guest.wait_for("ready")
            self.assertEqual(guest.ask_agent("guest-ping"), {"return": {}})
            guest.command("system_powerdown")
            guest.wait_for("power button")
            self.assertEqual(guest.wait_for_end(), 0)

    def test_spins_on_ignoring_the_power_button(self):
        with Guest("max", "nest.then=spin nest.agent=1 nest.ignore-acpi=1") as guest:
            guest.wait_for("ready")
            guest.wait_for("inner-guest spinning")
            guest.command("system_powerdown")
            for _ in range(3):
                self.assertEqual(guest.ask_agent("guest-ping"), {"return": {}})
            self.assertIsNone(guest.process.poll())
            guest.agent.write({"execute": "guest-shutdown"})
            self.assertEqual(guest.wait_for_end(), 0)


if __name__ == "__main__":
    if not shutil.which(QEMU):
        sys.exit(77)
    unittest.main()
