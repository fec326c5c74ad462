# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files on their way into a VM or out of it, and the client, the agent, the guest or nestd goes."""

import json
import signal
import subprocess

import nestd
import test_files
from fake import eventually
from test_files import BIG

from nest_agent import HANG

PATIENCE = 90  # nestd's own with an agent, and what it tries then


class FilesAway(test_files.Case):
    def begun(self, size=len(BIG)):
        """A put of which the half is there."""
        connection = self.connect(PATIENCE)
        connection.putrequest("PUT", self.url())
        connection.putheader("Content-Length", str(size))
        connection.endheaders(BIG[:size // 2])
        eventually(lambda: any(path.stat().st_size > 0 for path in self.inside.glob(".nestd-*")))
        return connection

    def send_rest(self, connection):
        try:
            connection.send(BIG[len(BIG) // 2:])
        except OSError:  # it was answered before all was taken
            pass

    def test_hung_up(self):
        self.file.write_bytes(b"old")
        self.begun().close()
        eventually(lambda: self.names() == [self.file.name] and not self.agent.files)
        self.assertEqual(self.file.read_bytes(), b"old")

    def test_the_guest_goes_away(self):
        connection = self.begun()
        self.daemon.host.stop("vm")
        self.send_rest(connection)
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        self.assertEqual((answer.status, problem["kind"]), (409, "vm-state"), problem)
        self.assertIn("may be left in the guest", problem["detail"])

    def test_the_agent_goes_away(self):
        connection = self.begun()
        self.agent.instead = lambda command, _: HANG
        self.send_rest(connection)
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        self.assertEqual((answer.status, problem["kind"]), (502, "guest-agent"), problem)
        self.assertIn("may be left in the guest", problem["detail"])

    def test_nestd_ends(self):
        self.begun()
        self.daemon.stop()
        self.assertEqual((self.names(), self.agent.files), ([], {}))

    def test_interrupted(self):
        (self.inside / "big").write_bytes(BIG)
        self.agent.instead = lambda command, arguments: (
            HANG if command == "guest-file-write" else None)
        with subprocess.Popen([nestd.BUILD / "cli/nestctl", "--socket", self.daemon.socket, "guest",
                               "push", "vm", self.inside / "big", self.file],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            eventually(lambda: "guest-file-write" in self.agent.asked)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(nestd.REPLY_DEADLINE), 130)
        eventually(lambda: self.names() == ["big"] and not self.agent.files, 30)


if __name__ == "__main__":
    nestd.main()
