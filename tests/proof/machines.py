# SPDX-License-Identifier: LGPL-2.1-or-later
"""Emulated machines that run the proof program: QEMU's software CPU, which has AMD-V, and Bochs,
which has VT-x and AMD-V. Each gives what came over the serial line."""

import os
import pathlib
import subprocess
import tempfile

import emulator

IMAGE = os.environ["NEST_PROOF_IMAGE"]
FIRMWARE = os.environ["NEST_PROOF_FIRMWARE"]
QEMU = "qemu-system-x86_64"
DEADLINE = 30

BOCHSRC = """
plugin_ctrl: unmapped=1, biosdev=0, speaker=0, parallel=0, gameport=0, iodebug=0
cpu: model={model}, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=32, host=32
romimage: file={directory}/firmware
"""


def qemu(*arguments, words=""):
    """The serial line, and the status that QEMU ended with."""
    command = [QEMU, "-accel", "tcg", "-m", "32", "-nodefaults", "-no-user-config", "-display",
               "none", "-no-reboot", "-serial", "stdio", "-kernel", IMAGE, "-append",
               words] + list(arguments)  # fmt: skip
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    return run.stdout.decode("ascii"), run.returncode


def firmware_for(words, feature_control):
    """The test firmware with its options: see firmware.S."""
    rom = bytearray(pathlib.Path(FIRMWARE).read_bytes())
    at = rom.index(b"options:") + len("options:")
    line = words.encode("ascii")
    assert len(line) < 116
    rom[at : at + 4] = feature_control.to_bytes(4, "little")
    rom[at + 4 : at + 4 + len(line)] = line
    return rom


def bochs(model, words="", feature_control=5):
    """The serial line. feature_control is what the firmware writes to IA32_FEATURE_CONTROL; a CPU
    without VMX has none, and gets 0: not to be written."""
    with tempfile.TemporaryDirectory(prefix="nb.") as name:
        directory = pathlib.Path(name)
        (directory / "firmware").write_bytes(firmware_for(words, feature_control))
        configuration = BOCHSRC.format(model=model, directory=directory)
        return emulator.run(directory, configuration, is_whole, DEADLINE)


def is_whole(serial):
    return b"nest-proof 1 end" in serial and serial.endswith(b"\n")
