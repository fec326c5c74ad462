# SPDX-License-Identifier: LGPL-2.1-or-later
"""Emulated machines that run the proof program: QEMU's software CPU, which has AMD-V, and Bochs,
which has VT-x and AMD-V. Each gives what came over the serial line."""

import os
import pathlib
import pty
import shutil
import signal
import subprocess
import tempfile
import threading
import time

IMAGE = os.environ["NEST_PROOF_IMAGE"]
FIRMWARE = os.environ["NEST_PROOF_FIRMWARE"]
QEMU = "qemu-system-x86_64"
DEADLINE = 30

BOCHSRC = """
plugin_ctrl: unmapped=1, biosdev=0, speaker=0, parallel=0, gameport=0, iodebug=0
config_interface: textconfig
display_library: term
cpu: model={model}, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=32, host=32
romimage: file={directory}/firmware
pci: enabled=1, chipset=i440fx
clock: sync=none, time0=utc
com1: enabled=1, mode=file, dev={directory}/serial
log: {directory}/log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
mouse: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
"""


def qemu(*arguments, words=""):
    """The serial line, and the status that QEMU ended with."""
    command = [QEMU, "-accel", "tcg", "-m", "32", "-nodefaults", "-no-user-config", "-display",
               "none", "-no-reboot", "-serial", "stdio", "-kernel", IMAGE, "-append",
               words] + list(arguments)  # fmt: skip
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    return run.stdout.decode("ascii"), run.returncode


def missing():
    """What a test of Bochs can't do without, None if all is there."""
    if not shutil.which("bochs"):
        return "bochs is not installed"
    plugins = list(pathlib.Path("/usr/lib").glob("**/bochs/plugins/libbx_term_gui.so"))
    return None if plugins else "bochs has no terminal display (Debian: bochs-term)"


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
        (directory / "bochsrc").write_text(BOCHSRC.format(model=model, directory=directory))
        (directory / "go").write_text("c\n")
        (directory / "serial").touch()
        command = ["bochs", "-q", "-f", directory / "bochsrc", "-rc", directory / "go"]
        run_on_terminal(command, lambda: is_whole((directory / "serial").read_bytes()))
        return (directory / "serial").read_text("ascii", "replace")


def is_whole(serial):
    return b"nest-proof 1 end" in serial and serial.endswith(b"\n")


def run_on_terminal(command, ended):
    """Bochs wants a terminal to show its screen on. It ends by itself where the machine is turned
    off, but where it is reset it goes on: then it is ended."""
    ours, theirs = pty.openpty()
    environment = dict(os.environ, TERM="vt100")
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs,
                               env=environment, start_new_session=True)
    os.close(theirs)
    reader = threading.Thread(target=drain, args=(ours,), daemon=True)
    reader.start()
    try:
        wait(process, ended)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join()
        os.close(ours)


def drain(terminal):
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


def wait(process, ended):
    """There is no event for "Bochs has written to its file": it is looked at now and then."""
    deadline = time.monotonic() + DEADLINE
    while not ended():
        try:
            process.wait(0.05)
            return
        except subprocess.TimeoutExpired:
            assert time.monotonic() < deadline, "Bochs does not end"
