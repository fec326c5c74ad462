# SPDX-License-Identifier: LGPL-2.1-or-later
"""How nestd starts, refuses to start, is told to stop, and shares its places with others."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest

import nestd
from fake import Fake, eventually

ALREADY_RUNNING = 20
CONFIG = 21
STOP_SECONDS = 5

# Hands a listening socket over as the service manager does: as descriptor 3 of the same process.
ACTIVATE = """import os, socket, sys
listener = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[2]))
listener.bind(sys.argv[1])
if sys.argv[2] == "SOCK_STREAM":
    listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3], sys.argv[3:])
"""


class Case(unittest.TestCase):
    def other(self, **more):
        """Another daemon, not started; where its places are is changed before it is."""
        daemon = Fake(**more)
        self.addCleanup(daemon._clean_up)
        return daemon

    def refused(self, daemon, status, *words):
        """It does not start, says why, and ends with that status."""
        before = daemon.log()
        with self.assertRaisesRegex(AssertionError, f"nestd ended with {status}:") as caught:
            daemon.start()
        said = str(caught.exception).removeprefix(before)
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn("CRITICAL", said)
        return said


class TestSecond(Case):
    def test_same_state(self):
        with Fake() as first:
            number = first.define("kept")
            second = self.other()
            second.environment["STATE_DIRECTORY"] = str(first.state)
            self.refused(second, ALREADY_RUNNING, "next", str(first.pid))
            self.assertEqual(first.get("/v1/vms/kept")["uuid"], number)
            done = first.change("PUT", "/v1/vms/kept/nested", {"enabled": True})
            self.assertEqual(done["state"], "done", done)

    def test_same_socket(self):
        with Fake() as first:
            second = self.other(config={"daemon": {"socket": first.socket}})
            self.refused(second, ALREADY_RUNNING, "another nestd", str(first.socket))
            first.get("/v1")
            self.assertEqual(len(second.host.calls()), 0)

    def test_same_hypervisor(self):
        """It starts, says what is wrong, and changes nothing; it goes on when the other ends."""
        with Fake() as first:
            first.define("shared")
            second = self.other()
            second.environment["NEST_FAKE_DIR"] = str(first.host.directory)
            second.start()
            self.assertEqual(second.wait_backend(), "unavailable")
            self.assertEqual(second.get("/v1")["problem"]["kind"], "already-running")
            answer = second.request("POST", "/v1/vms", {"name": "x", "memory_kib": 65536})
            self.assertEqual((answer.status, answer.json["kind"]), (503, "backend-unavailable"))
            first.stop()
            second.wait_log("the hypervisor is open")
            eventually(lambda: second.request("GET", "/v1/vms/shared").status == 200)
            self.assertEqual(second.stop(), 0)


class TestSocket(Case):
    def test_stale(self):
        with Fake() as daemon:
            daemon.kill(signal.SIGKILL)
            daemon.wait() if daemon.running() else None
            self.assertTrue(daemon.socket.exists())
            daemon.start()
            daemon.get("/v1")
            self.assertEqual(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o660)
            daemon.stop()
            self.assertFalse(daemon.socket.exists())

    def test_alive(self):
        daemon = self.other()
        daemon.socket.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(daemon.socket))
            listener.listen()
            self.refused(daemon, ALREADY_RUNNING, str(daemon.socket))
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(daemon.socket))

    def test_not_a_socket(self):
        daemon = self.other()
        daemon.socket.parent.mkdir()
        daemon.socket.write_text("mine", encoding="utf-8")
        self.refused(daemon, CONFIG, "is not a socket")
        self.assertEqual(daemon.socket.read_text(encoding="utf-8"), "mine")
        daemon.socket.unlink()
        daemon.socket.symlink_to(daemon.directory / "elsewhere")
        self.refused(daemon, CONFIG, "is not a socket")
        self.assertTrue(daemon.socket.is_symlink())

    def activated(self, kind):
        daemon = self.other()
        path = daemon.directory / "given"
        daemon.wrapper = [sys.executable, "-c", ACTIVATE, path, kind]
        return daemon, path

    def test_handed_over(self):
        daemon, path = self.activated("SOCK_STREAM")
        own, daemon.socket = daemon.socket, path
        daemon.start()
        self.assertTrue(daemon.get("/v1")["version"])
        self.assertFalse(own.exists())
        self.assertEqual(daemon.stop(), 0)
        # Whose it is takes it away.
        self.assertTrue(path.exists())

    def test_handed_over_wrongly(self):
        daemon, _ = self.activated("SOCK_DGRAM")
        self.refused(daemon, CONFIG, "descriptor 3")


class TestSignals(Case):
    def test_idle(self):
        with Fake() as daemon:
            for number in (signal.SIGTERM, signal.SIGINT):
                began = time.monotonic()
                self.assertEqual(daemon.kill(number), 0)
                self.assertLess(time.monotonic() - began, STOP_SECONDS / 2)
                daemon.start()

    def test_with_clients(self):
        """Clients that do nothing and clients that wait do not hold it up."""
        with Fake() as daemon:
            with daemon.events() as events, socket.socket(socket.AF_UNIX) as idle:
                idle.connect(str(daemon.socket))
                idle.sendall(b"GET /v1 HT")
                began = time.monotonic()
                self.assertEqual(daemon.stop(), 0)
                self.assertLess(time.monotonic() - began, STOP_SECONDS / 2)
                with self.assertRaises((EOFError, ConnectionError)):
                    events.wait_for(kind="never")

    def test_while_the_hypervisor_hangs(self):
        with Fake() as daemon:
            number = daemon.define("stuck")
            before = daemon.host.vm("stuck")["xml"]
            with daemon.holding("define", number) as held:
                operation = daemon.nested("stuck").json["id"]
                held()
                began = time.monotonic()
                self.assertEqual(daemon.stop(), 0)
                self.assertLess(time.monotonic() - began, STOP_SECONDS + 2)
                self.assertIn("recovered at the next start", daemon.log())
            daemon.start()
            daemon.wait_backend()
            ended = daemon.wait_operation(operation)
            self.assertEqual(ended["state"], "rolled-back", ended)
            self.assertEqual(ended["problem"]["kind"], "interrupted")
            self.assertEqual(daemon.host.vm("stuck")["xml"], before)

    def test_while_a_guest_shuts_down(self):
        with Fake() as daemon:
            number = daemon.define("slow", state="running")
            daemon.host.control("set:shutdown-ms:never")
            operation = daemon.nested("slow").json["id"]
            eventually(lambda: any(call[:2] == ("wait_off", number)
                                   for call in daemon.host.calls()))
            self.assertEqual(daemon.stop(), 0)
            daemon.host.control()
            daemon.start()
            daemon.wait_backend()
            self.assertEqual(daemon.wait_operation(operation)["state"], "rolled-back")
            self.assertNotIn("check='full'", daemon.host.vm("slow")["xml"])

    def test_storm(self):
        with Fake() as daemon:
            for _ in range(50):
                os.kill(daemon.pid, signal.SIGTERM)
            self.assertEqual(daemon.wait(), 0)

    def test_harmless_signals(self):
        with Fake() as daemon:
            os.kill(daemon.pid, signal.SIGPIPE)
            os.kill(daemon.pid, signal.SIGXFSZ)
            daemon.get("/v1")


class TestServiceManager(Case):
    def test_notifications(self):
        daemon = self.other()
        path = daemon.directory / "conf"
        path.write_text(daemon._config_text(), encoding="utf-8")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.settimeout(nestd.START_DEADLINE)
            notify.bind(str(daemon.directory / "n"))
            process = subprocess.Popen(
                [daemon.program, "--config", path], stderr=subprocess.DEVNULL,
                env={**daemon.environment, "NOTIFY_SOCKET": str(daemon.directory / "n"),
                     "WATCHDOG_USEC": "100000"})
            try:
                self.assertEqual(notify.recv(4096), b"READY=1")
                daemon.get("/v1")  # ready means that it answers
                for _ in range(3):
                    self.assertEqual(notify.recv(4096), b"WATCHDOG=1")
                process.terminate()
                while (said := notify.recv(4096)) == b"WATCHDOG=1":
                    pass
                self.assertEqual(said, b"STOPPING=1")
                self.assertEqual(process.wait(nestd.STOP_DEADLINE), 0)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()

    def test_configuration(self):
        """Whatever is wrong: file and line are named, and nothing was made."""
        rows = {
            "[daemon]\n\ncolour=blue\n": (3, "colour"),
            "[daemon]\n# fine\n[painting]\ncolour=blue\n": (3, "painting"),
            "[limits]\noperations=0\n": (2, "from 1 to 256"),
            "[limits]\noperations=many\n": (2, "operations"),
            "[timeouts]\nreply=30\nshutdown=99999999999999999999\n": (3, "shutdown"),
            "[limits]\n#\nconnections=-1\n": (3, "connections"),
        }
        for text, (line, word) in rows.items():
            with self.subTest(text):
                daemon = self.other()
                daemon._config_text = lambda text=text: text
                self.refused(daemon, CONFIG, f"{daemon.directory}/conf:{line}: ", word)
                self.assertFalse(daemon.state.exists())

    def test_configuration_that_is_none(self):
        for text in ("colour=blue\n", "[daemon\n", "[daemon]\nno value\n", "\x00\x01",
                     "[limits]\noperations=3\n\x00[rights]\nmanage=\n"):
            with self.subTest(text):
                daemon = self.other()
                daemon._config_text = lambda text=text: text
                self.refused(daemon, CONFIG, f"{daemon.directory}/conf")

    def test_places_that_cannot_be_used(self):
        daemon = self.other()
        daemon.state.write_text("mine", encoding="utf-8")
        self.refused(daemon, CONFIG, str(daemon.state))
        self.assertEqual(daemon.state.read_text(encoding="utf-8"), "mine")
        daemon = self.other(config={"daemon": {"socket": "/tmp/" + "x" * 200}})
        self.refused(daemon, CONFIG, "shorter than 108")


if __name__ == "__main__":
    nestd.main()
