# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestd as a black box: a real daemon, a real socket, and nothing of the project's own code.

    class TestSomething(unittest.TestCase):
        def test_it(self):
            with nestd.Daemon(nestd.FAKE) as daemon:
                daemon.request("GET", "/v1").json["version"]
                with daemon.events() as events:
                    operation = daemon.change("PUT", "/v1/vms/x/state", {"state": "running"})
                    events.wait_for(kind="operation-finished", operation=operation["id"])

    if __name__ == "__main__":
        nestd.main()

NEST_BUILD_DIR is the build directory, "build" beside the sources unless set.
"""

import array
import contextlib
import functools
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NEST_BUILD_DIR", SOURCE / "build"))
NESTD = BUILD / "daemon" / "nestd"
FAKE = BUILD / "tests" / "fake" / "nestd-fake"
NESTCTL = BUILD / "cli" / "nestctl"
JUDGE = BUILD / "hypervisor-backend" / "judge" / "nestd-judge"

START_DEADLINE = 30
STOP_DEADLINE = 30
REPLY_DEADLINE = 30
OPERATION_DEADLINE = 120
WAIT_MAX = 60  # what the API takes as ?wait=
ENDED = {"done", "failed", "rolled-back", "aborted"}
ALARMING = ("CRITICAL", "Sanitizer", "runtime error:", "core dumped")
LOG_TAIL = 8000


class Answer:
    """status, headers (by lower-case name), body (bytes), json (None where it is none)."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()
        is_json = "json" in self.headers.get("content-type", "") and self.body
        self.json = json.loads(self.body) if is_json else None

    def __repr__(self):
        return f"<{self.status} {self.body[:500]!r}>"


def connected(path, timeout):
    """A socket that waits, where the daemon has not accepted those before it yet: with a timeout of
    Python's own it would not, and connect would fail at once."""
    sock = socket.socket(socket.AF_UNIX)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(timeout), 0))
    try:
        sock.connect(str(path))
    except BaseException:
        sock.close()
        raise
    sock.settimeout(timeout)
    return sock


class Connection(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = connected(self.path, self.timeout)


class Events:
    """The stream of events, from the moment it was made: dicts, as the API sends them."""

    def __init__(self, path, after, timeout):
        self.deadline = time.monotonic() + timeout
        self.seen = []
        self.connection = Connection(path, timeout)
        query = "" if after is None else f"&after={after}"
        self.connection.request("GET", f"/v1/events?follow=1{query}")
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise AssertionError(Answer(self.response))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()
        self.connection.close()

    def __iter__(self):
        return self

    def __next__(self):
        while True:
            fields = self._read_block()
            if "data" in fields:
                event = json.loads(fields["data"])
                if event["id"] != int(fields["id"]) or event["kind"] != fields["event"]:
                    raise AssertionError(f"an event's parts disagree: {fields}")
                self.seen.append(event)
                return event

    def wait_for(self, **wanted):
        """The next event that has these fields."""
        for event in self:
            if all(event.get(name) == value for name, value in wanted.items()):
                return event
        raise AssertionError(f"no event {wanted}, only {self.seen}")

    def _read_block(self):
        fields = {}
        while True:
            line = self._read_line()
            if not line:
                return fields
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")

    def _read_line(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no such event before the deadline, only {self.seen}")
        # http.client lets go of its socket, its reader keeps it.
        self.response.fp.raw._sock.settimeout(left)
        try:
            line = self.response.readline()
        except TimeoutError:
            raise TimeoutError(f"no such event before the deadline, only {self.seen}") from None
        if not line:
            raise EOFError(f"the daemon ended the stream after {self.seen}")
        return line.decode().rstrip("\r\n")


class Log:
    """What the daemon writes, over all its starts."""

    def __init__(self):
        self.lines = []
        self.changed = threading.Condition()
        self.reader = None

    def follow(self, fd):
        """Reads fd, in a thread, until its other end is closed."""
        self.reader = threading.Thread(target=self._read, args=[fd], daemon=True)
        self.reader.start()

    def finish(self):
        """Waits for the last lines of a process that has ended."""
        self.reader.join(REPLY_DEADLINE)

    def text(self):
        with self.changed:
            return "".join(self.lines)

    def count(self):
        with self.changed:
            return len(self.lines)

    def wait_for_more(self, count, deadline):
        """Waits until there are more lines than that; False if the deadline came first."""
        with self.changed:
            return self.changed.wait_for(
                lambda: len(self.lines) > count, max(0, deadline - time.monotonic())
            )

    def _read(self, fd):
        with open(fd, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line)
                    self.changed.notify_all()


# Children that libvirt forks, to be in a namespace or to hold a lock, go on without another program.
# The address sanitizer's allocator is not fit for that: now and then one waits for ever for a lock
# that some thread of nestd held, and nestd for the child. glibc's is, and so nestd as it is shipped.
NO_FORKS = "namespaces = []\nremember_owner = 0\n"


@functools.cache
def is_sanitized(program):
    return b"__asan_init" in pathlib.Path(program).read_bytes()


class Daemon:
    """One nestd in a short directory of its own, started on entry.

    program: NESTD or FAKE. config: {group: {key: value}}, over what is needed to run here.
    environment: added to this process's. wrapper: a command that runs it, such as strace's words.
    On exit it is stopped; then its log must not alarm, and no QEMU of it may be left.
    """

    def __init__(self, program=NESTD, config=None, environment=None, wrapper=()):
        self.program = program
        self.wrapper = [str(word) for word in wrapper]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nd.", dir="/tmp"))
        # QEMU, which may be another user, must be able to pass through.
        self.directory.chmod(0o711)
        self.state = self.directory / "s"
        self.socket = self.directory / "r" / "nestd.sock"
        self.output = Log()
        self.config = {"daemon": {"socket": self.socket}, "backend": {"uri": "embed"}}
        for group, keys in (config or {}).items():
            self.config.setdefault(group, {}).update(keys)
        self.environment = {"G_DEBUG": "fatal-criticals", "NESTD_JUDGE": str(JUDGE), **os.environ,
                            **(environment or {})}
        if wrapper:
            # The leak sanitizer can't work in a process that is traced, and ends it.
            options = self.environment.get("ASAN_OPTIONS", "")
            self.environment["ASAN_OPTIONS"] = options + ":detect_leaks=0"
        self.environment["STATE_DIRECTORY"] = str(self.state)
        self.environment["RUNTIME_DIRECTORY"] = str(self.directory / "r")
        self.process = None
        self.pid = None  # of nestd itself, not of its wrapper
        self.may_alarm = False  # set by a test that provokes it
        self.may_leave_qemu = False

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            status = self.stop() if self.running() else 0
            if kind is None:
                self._judge(status)
            else:
                sys.stderr.write(f"---- log of {self.program}\n{self.log()[-LOG_TAIL:]}----\n")
        finally:
            self._clean_up()

    # ---- its life ----

    def start(self, timeout=START_DEADLINE):
        """Starts it and waits until it says that it is ready."""
        path = self.directory / "conf"
        path.write_text(self._config_text(), encoding="utf-8")
        if self.program == NESTD and is_sanitized(NESTD):
            own = self.state / "vm" / "etc" / "qemu.local.conf"
            own.parent.mkdir(0o711, parents=True, exist_ok=True)
            own.write_text(NO_FORKS)
        ours, theirs = os.pipe()
        self.output.follow(ours)
        with self._notify_socket() as notify:
            try:
                self.process = subprocess.Popen(
                    [*self.wrapper, self.program, "--config", path],
                    stdin=subprocess.DEVNULL,
                    stdout=theirs,
                    stderr=theirs,
                    env={**self.environment, "NOTIFY_SOCKET": notify.getsockname()},
                    start_new_session=True,
                )
            finally:
                os.close(theirs)
            self._wait_until_ready(notify, time.monotonic() + timeout)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=STOP_DEADLINE):
        """Asks it to end; its exit status."""
        return self.kill(signal.SIGTERM, timeout)

    def kill(self, number=signal.SIGKILL, timeout=STOP_DEADLINE):
        """Sends it a signal and waits until it has ended; its exit status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid if self.pid is not None else self.process.pid, number)
        return self.wait(timeout)

    def wait(self, timeout=STOP_DEADLINE):
        """Waits until it has ended by itself; its exit status."""
        status = self.process.wait(timeout)
        self.output.finish()
        self.pid = None
        return status

    def restart(self, number=signal.SIGTERM):
        self.kill(number)
        self.start()

    def log(self):
        return self.output.text()

    def wait_log(self, text, timeout=REPLY_DEADLINE):
        """Waits until the log has a line with text in it, and returns that line."""
        deadline = time.monotonic() + timeout
        seen = 0
        while self.output.wait_for_more(seen, deadline):
            line = self.output.lines[seen]
            if text in line:
                return line
            seen += 1
        raise TimeoutError(f"nothing in the log has {text!r}:\n{self.log()[-LOG_TAIL:]}")

    # ---- its API ----

    def request(self, method, path, body=None, headers=None, timeout=REPLY_DEADLINE):
        """One request over a connection of its own. body: bytes, or what becomes JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = Connection(self.socket, timeout)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path):
        """The JSON of a resource that must be there."""
        return self._expect(200, self.request("GET", path))

    def change(self, method, path, body=None, headers=None):
        """A request that begins an operation; the operation, ended. None: nothing was to do."""
        answer = self.request(method, path, body, headers)
        if answer.status == 200:
            return None
        return self.wait_operation(self._expect(202, answer)["id"])

    def wait_operation(self, number, timeout=OPERATION_DEADLINE):
        """The operation once it has ended, however it did."""
        deadline = time.monotonic() + timeout
        while True:
            left = min(WAIT_MAX, int(deadline - time.monotonic()))
            if left <= 0:
                raise TimeoutError(f"operation {number} has not ended")
            path = f"/v1/operations/{number}?wait={left}"
            operation = self._expect(
                200, self.request("GET", path, timeout=left + REPLY_DEADLINE)
            )
            if operation["state"] in ENDED:
                return operation

    def wait_backend(self, timeout=START_DEADLINE):
        """Waits until the hypervisor is open or known not to be: nestd serves before. It logs
        when that changes."""
        deadline = time.monotonic() + timeout
        while True:
            seen = self.output.count()
            about = self.get("/v1")
            if about["backend"] != "opening":
                return about["backend"]
            if not self.output.wait_for_more(seen, deadline):
                raise TimeoutError(f"the hypervisor is still being opened:\n{self.log()}")

    def events(self, after=None, timeout=OPERATION_DEADLINE):
        """Events after that id; None: new ones."""
        return Events(self.socket, after, timeout)

    def nestctl(self, *words, stdin=subprocess.DEVNULL, timeout=OPERATION_DEADLINE):
        """Runs nestctl against it: a CompletedProcess with texts."""
        return subprocess.run(
            [NESTCTL, *words],
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**self.environment, "NESTD_SOCKET": str(self.socket)},
        )

    # ---- its processes ----

    def qemu_pids(self):
        """The QEMUs that work in its state directory."""
        return [pid for pid in processes() if is_qemu(pid) and self._concerns(pid)]

    def boot_files(self):
        """What transient VMs that it boots have below its directory; they may go meanwhile."""
        return [os.path.join(folder, name) for folder, folders, files in os.walk(self.directory)
                for name in (*folders, *files) if name.startswith("nest-boot-")]

    def descriptors(self):
        """How many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    # ---- within ----

    @staticmethod
    def _expect(status, answer):
        if answer.status != status:
            raise AssertionError(f"expected {status}, got {answer}")
        return answer.json

    def _config_text(self):
        lines = []
        for group, keys in self.config.items():
            lines.append(f"[{group}]")
            lines += [f"{key}={value}" for key, value in keys.items()]
        return "\n".join(lines) + "\n"

    @contextlib.contextmanager
    def _notify_socket(self):
        path = self.directory / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            notify.bind(str(path))
            yield notify

    def _wait_until_ready(self, notify, deadline):
        ended = os.pidfd_open(self.process.pid)
        try:
            while True:
                left = max(0, deadline - time.monotonic())
                ready, _, _ = select.select([notify, ended], [], [], left)
                if notify in ready:
                    text, sender = receive_with_sender(notify)
                    if "READY=1" in text.splitlines():
                        self.pid = sender
                        return
                elif ready:
                    raise AssertionError(f"nestd ended with {self.wait()}:\n{self.log()}")
                else:
                    raise AssertionError(f"nestd was not ready in time:\n{self.log()}")
        finally:
            os.close(ended)

    def _concerns(self, pid):
        with contextlib.suppress(OSError):
            return f"{self.state}/".encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        return False

    def _judge(self, status):
        log = self.log()
        alarms = [line for line in log.splitlines() if any(word in line for word in ALARMING)]
        if alarms and not self.may_alarm:
            raise AssertionError("the log alarms:\n" + log[-LOG_TAIL:])
        if status != 0 and not self.may_alarm:
            raise AssertionError(f"nestd ended with {status}:\n{log[-LOG_TAIL:]}")
        left = self.qemu_pids()
        if left and not self.may_leave_qemu:
            raise AssertionError(f"QEMU was left running: {left}\n{log[-LOG_TAIL:]}")

    def _clean_up(self):
        if self.running():
            self.kill()
        for pid in self.qemu_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)


def receive_with_sender(stream):
    """A datagram's text and the process that sent it."""
    size = struct.calcsize("3i")
    data, ancillary, _, _ = stream.recvmsg(4096, socket.CMSG_SPACE(size))
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return data.decode(), array.array("i", content[:size])[0]
    raise AssertionError("a datagram without credentials")


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def is_qemu(pid):
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")).startswith("qemu-system-")
    return False


def main():
    """unittest.main() below a process that reaps: an orphaned QEMU is else waited for by process
    1, which may be slow, and libvirt waits until it is gone."""
    tini = shutil.which("tini")
    if tini and "NEST_REAPED" not in os.environ:
        os.environ["NEST_REAPED"] = "1"
        os.execv(tini, [tini, "-s", "--", sys.executable, *sys.argv])
    unittest.main()
