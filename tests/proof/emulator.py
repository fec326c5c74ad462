# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bochs: a machine with VT-x or AMD-V, all of it emulated. What it says on its serial line is what
there is to judge."""

import os
import pathlib
import pty
import shutil
import signal
import subprocess
import threading
import time

# What every machine has. Sound: without these it wants a device of this machine.
COMMON = """
config_interface: textconfig
display_library: term
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


def missing():
    """What a test of Bochs can't do without, None if all is there."""
    if not shutil.which("bochs"):
        return "bochs is not installed"
    plugins = list(pathlib.Path("/usr/lib").glob("**/bochs/plugins/libbx_term_gui.so"))
    return None if plugins else "bochs has no terminal display (Debian: bochs-term)"


def run(directory, configuration, ended, deadline):
    """The serial line of a machine that ran until it was turned off, or until ended(serial line so
    far). Its files are in directory. TimeoutError after deadline seconds."""
    common = COMMON.format(directory=directory)
    (directory / "bochsrc").write_text(configuration + common)
    (directory / "go").write_text("c\n")
    serial = directory / "serial"
    serial.write_bytes(b"")
    # It must not outlive a test that is killed: it would compute for ever.
    command = ["setpriv", "--pdeathsig", "KILL", "bochs", "-q", "-f", directory / "bochsrc",
               "-rc", directory / "go"]
    run_on_terminal(command, lambda: ended(serial.read_bytes()), deadline)
    return serial.read_text("ascii", "replace")


def run_on_terminal(command, ended, deadline):
    """Bochs wants a terminal to show its screen on. It ends by itself where the machine is turned
    off, but where it is reset it goes on: then it is ended. It ignores SIGTERM."""
    ours, theirs = pty.openpty()
    environment = dict(os.environ, TERM="vt100")
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs,
                               env=environment, start_new_session=True)
    os.close(theirs)
    reader = threading.Thread(target=drain, args=(ours,), daemon=True)
    reader.start()
    try:
        wait(process, ended, time.monotonic() + deadline)
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


def wait(process, ended, deadline):
    """There is no event for "Bochs has written to its file": it is looked at now and then."""
    while not ended():
        try:
            process.wait(0.05)
            ended()
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise TimeoutError("Bochs does not end") from None
