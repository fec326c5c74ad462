# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the real nestctl against the stub, plainly or on a terminal of its own."""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from stub import Stub

NESTCTL = os.environ.get("NESTCTL", "build/cli/nestctl")
SECONDS = 30


def environment(**changes):
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "NESTD_SOCKET")}
    env.update({"LC_ALL": "C.UTF-8", "TERM": "xterm", "TZ": "UTC", "G_DEBUG": "fatal-criticals"})
    env.update(changes)
    return {k: v for k, v in env.items() if v is not None}


class Terminal:
    """nestctl on a pseudo terminal."""

    def __init__(self, args, env, columns=100):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.text = ""
        self.process = subprocess.Popen(
            args, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def read(self, deadline):
        ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"nothing more came; so far: {self.text!r}")
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def expect(self, text):
        deadline = time.monotonic() + SECONDS
        while text not in self.text:
            if not self.read(deadline):
                raise AssertionError(f"{text!r} did not come: {self.text!r}")
        at = self.text.index(text) + len(text)
        before, self.text = self.text[:at], self.text[at:]
        return before

    def send(self, text):
        os.write(self.master, text.encode())

    def end(self):
        """Reads to the end; (exit status, the rest of the text)."""
        deadline = time.monotonic() + SECONDS
        while self.read(deadline):
            pass
        os.close(self.master)
        return self.process.wait(SECONDS), self.text


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*[mK]|\r", "", text)


class CliTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nestctl-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.stub = Stub(os.path.join(self.folder, "s"))
        self.addCleanup(self.stub.stop)

    def command(self, *args, socket=True):
        return [NESTCTL] + (["--socket", self.stub.path] if socket else []) + list(args)

    def run_nestctl(self, *args, status=0, stdin="", env=None, socket=True):
        """Runs to the end and checks the exit status; (stdout, stderr)."""
        ended = subprocess.run(
            self.command(*args, socket=socket), input=stdin.encode(), capture_output=True,
            timeout=SECONDS, env=environment(**(env or {})), check=False)
        out, err = ended.stdout.decode(), ended.stderr.decode()
        self.assertEqual(ended.returncode, status, f"{args}: {out}{err}")
        return out, err

    def terminal(self, *args, env=None, columns=100):
        terminal = Terminal(self.command(*args), environment(**(env or {})), columns)

        def tidy():
            if terminal.process.poll() is None:
                terminal.process.send_signal(signal.SIGKILL)
                terminal.process.wait()
        self.addCleanup(tidy)
        return terminal
