# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest agent as scripted: whoever listens where the fake hypervisor asks the agent of a VM.

It speaks as QEMU's does, and carries commands and files out here, in place of a guest. instead
takes the name of a command and its arguments, and may answer in its place: bytes as they are,
anything else as JSON; None lets it be; HANG never answers.
"""

import base64
import json
import os
import socket
import subprocess
import threading

COMMANDS = ["guest-ping", "guest-info", "guest-get-osinfo", "guest-exec", "guest-exec-status",
            "guest-file-open", "guest-file-close", "guest-file-read", "guest-file-seek",
            "guest-file-write", "guest-file-flush"]
OS = {"id": "debian", "pretty-name": "Debian GNU/Linux 12 (bookworm)", "name": "Debian GNU/Linux",
      "kernel-release": "6.1.0-18-cloud-amd64", "machine": "x86_64"}
HANG = object()


class Failure(Exception):
    """The agent says no."""


class Agent:
    def __init__(self, directory, name):
        self.path = str(directory / f"{name}.agent")
        self.instead = lambda command, arguments: None
        self.blocked = set()
        self.os = OS
        self.asked = []
        self.processes, self.files, self.next_file = {}, {}, 1000
        self.ending = threading.Event()
        self.socket = socket.socket(socket.AF_UNIX)

    def __enter__(self):
        self.socket.bind(self.path)
        self.socket.listen(64)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        if os.path.exists(self.path):
            os.unlink(self.path)
        for process in list(self.processes.values()):  # nestd may ask yet
            process.kill()
            process.communicate()
        for file in list(self.files.values()):
            file.close()

    def restart(self):
        """The guest was: nothing of before is known or runs."""
        processes, self.processes = self.processes, {}
        files, self.files = self.files, {}
        for process in processes.values():
            process.kill()
            process.communicate()
        for file in files.values():
            file.close()

    def vanish(self):
        """Nobody listens any more."""
        os.unlink(self.path)

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, connection.makefile("rb") as lines:
            request = json.loads(lines.readline())
            command, arguments = request["execute"], request.get("arguments", {})
            self.asked.append(command)
            answer = self.instead(command, arguments)
            if answer is HANG:
                self.ending.wait()
                return
            if answer is None:
                answer = self._carry_out(command, arguments)
            if not isinstance(answer, bytes):
                answer = json.dumps(answer).encode() + b"\n"
            try:
                connection.sendall(answer)
            except OSError:
                pass

    def _carry_out(self, command, arguments):
        if command in self.blocked:
            return {"error": {"class": "CommandNotFound", "desc":
                              f"The command {command} has been disabled for this instance"}}
        try:
            return {"return": self.do(command, arguments)}
        except (Failure, OSError) as error:
            return {"error": {"class": "GenericError", "desc": str(error)}}

    def do(self, command, arguments):
        """What command does, and its answer."""
        return getattr(self, command.replace("-", "_"))(**{
            key.replace("-", "_"): value for key, value in arguments.items()})

    # ---- the commands ----

    def guest_ping(self):
        return {}

    def guest_info(self):
        return {"version": "7.2.22", "supported_commands": [
            {"name": name, "enabled": name not in self.blocked, "success-response": True}
            for name in COMMANDS]}

    def guest_get_osinfo(self):
        return self.os

    def guest_exec(self, path, arg=(), capture_output=False, input_data=None):
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [path, *arg], stdin=subprocess.DEVNULL if input_data is None else pipe,
            stdout=pipe if capture_output else subprocess.DEVNULL,
            stderr=pipe if capture_output else subprocess.DEVNULL)
        self.processes[process.pid] = process
        if input_data is not None:
            threading.Thread(target=self._feed, daemon=True,
                             args=(process, base64.b64decode(input_data))).start()
        return {"pid": process.pid}

    @staticmethod
    def _feed(process, data):
        try:
            process.stdin.write(data)
            process.stdin.close()
        except OSError:
            pass

    def guest_exec_status(self, pid):
        process = self.processes.get(pid)
        if process is None:
            raise Failure("Invalid parameter 'pid'")
        if process.poll() is None:
            return {"exited": False}
        del self.processes[pid]
        status = process.returncode
        answer = {"exited": True, **({"signal": -status} if status < 0 else {"exitcode": status})}
        for stream, key in [(process.stdout, "out-data"), (process.stderr, "err-data")]:
            if stream is not None:
                data = stream.read()
                stream.close()
                if data:
                    answer[key] = base64.b64encode(data).decode()
        return answer

    def guest_file_open(self, path, mode="r"):
        self.next_file += 1
        mode = mode.replace("+", "b+") if "+" in mode else mode + "b"
        self.files[self.next_file] = open(path, mode, buffering=0)
        return self.next_file

    def guest_file_read(self, handle, count=4096):
        data = self._file(handle).read(count)
        return {"count": len(data), "buf-b64": base64.b64encode(data).decode(),
                "eof": len(data) < count}

    def guest_file_write(self, handle, buf_b64, count=None):
        return {"count": self._file(handle).write(base64.b64decode(buf_b64)[:count]), "eof": False}

    def guest_file_flush(self, handle):
        self._file(handle).flush()
        return {}

    def guest_file_seek(self, handle, offset, whence):
        where = {"set": os.SEEK_SET, "cur": os.SEEK_CUR, "end": os.SEEK_END}[whence]
        return {"position": self._file(handle).seek(offset, where), "eof": False}

    def guest_file_close(self, handle):
        self._file(handle).close()
        del self.files[handle]
        return {}

    def _file(self, handle):
        if handle not in self.files:
            raise Failure(f"handle '{handle}' has not been found")
        return self.files[handle]
