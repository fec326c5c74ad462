# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stub server under test, and clients that speak raw bytes to it."""
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time

NOBODY = 65534
WAIT = 10.0


class Reply:
    """One HTTP answer, read strictly."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """A connection. uid: whose it is, as the kernel tells."""

    def __init__(self, path, uid=None, timeout=WAIT):
        self.sock = socket.socket(socket.AF_UNIX)
        self.buffer = b""
        # With a timeout of Python's own, connect would fail where it has to wait to be accepted.
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(timeout), 0))
        with as_uid(uid):
            self.sock.connect(path)
        self.sock.settimeout(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)
        return self

    def fill(self):
        """Reads some more; False at the end of the stream."""
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise EOFError(f"closed after {self.buffer!r}")
        end = self.buffer.index(mark) + len(mark)
        piece, self.buffer = self.buffer[:end], self.buffer[end:]
        return piece

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise EOFError(f"closed after {self.buffer!r}")
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def reply(self, head=False):
        lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), lines[0]
        headers = {}
        for line in lines[1:-2]:
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, line
            headers[name.lower()] = value
        length = int(headers.get("content-length", "0"))
        body = b"" if head or "transfer-encoding" in headers else self.exactly(length)
        return Reply(int(status), headers, body)

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **headers}
            headers["Content-Length"] = len(body)
        lines = [f"{method} {path} HTTP/1.1", "Host: a"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        return self.reply(head=method == "HEAD")

    def ended(self, within=WAIT):
        """Reads until the server closes; True if that comes in time."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if select.select([self.sock], [], [], deadline - time.monotonic())[0]:
                if not self.fill():
                    return True
        return False


@contextlib.contextmanager
def as_uid(uid):
    if uid is None or uid == os.geteuid():
        yield
        return
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


class Stub:
    """http-stub in a directory of its own."""

    def __init__(self, *arguments, nofile=None):
        self.directory = tempfile.TemporaryDirectory(prefix="nest-http-")
        self.path = os.path.join(self.directory.name, "s")
        self.log = open(os.path.join(self.directory.name, "log"), "w+", encoding="utf-8")
        self.killed = False
        command = [os.environ["NEST_HTTP_STUB"], self.path, *arguments]
        if nofile:
            command = ["prlimit", f"--nofile={nofile}", *command]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log,
                                        env={**os.environ, "G_DEBUG": "fatal-criticals"})
        line = self.process.stdout.readline()
        if line != b"ready\n":
            raise RuntimeError(f"http-stub did not start: {self.text()}")
        if os.geteuid() == 0:
            os.chmod(self.directory.name, 0o755)
            self.mode = os.stat(self.path).st_mode & 0o7777
            os.chmod(self.path, 0o666)
        self.quiet = self.fds()  # descriptors without any client

    def client(self, uid=None, timeout=WAIT):
        return Client(self.path, uid, timeout)

    def text(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as log:
            return log.read()

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def replace(self, *arguments):
        """The same with other arguments."""
        self.stop()
        self.__init__(*arguments)

    def kill(self):
        self.killed = True
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it in order; whatever a sanitizer or GLib has to say is a failure."""
        self.process.terminate()
        status = self.process.wait(WAIT) if not self.killed else 0
        text = self.text()
        self.process.stdout.close()
        self.log.close()
        self.directory.cleanup()
        assert status == 0, f"http-stub ended with {status}: {text[-4000:]}"
        assert "CRITICAL" not in text and "Sanitizer" not in text, text


def eventually(condition, within=WAIT):
    """Polls what has no event of its own."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


if __name__ == "__main__":
    sys.exit("this is a module")
