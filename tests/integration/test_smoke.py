# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestd starts, answers, does one thing, survives, and ends."""

import pathlib
import signal
import sys
import unittest

import nestd

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fake"))
from nest_fake import FakeHost  # noqa: E402

VM = {"name": "DemoVM", "memory_kib": 4 << 20, "network": "none", "accel": "tcg"}


class Fake(nestd.Daemon):
    """nestd over the fake hypervisor."""

    def __init__(self, **more):
        super().__init__(nestd.FAKE, **more)
        self.host = FakeHost(self.directory / "fake")
        self.environment["NEST_FAKE_DIR"] = str(self.host.directory)


class TestSmoke(unittest.TestCase):
    def test_answers(self):
        with Fake() as daemon:
            about = daemon.get("/v1")
            self.assertRegex(about["version"], r"^\d+\.\d+\.\d+$")
            answer = daemon.request("GET", "/v1/nowhere")
            self.assertEqual(answer.status, 404)
            self.assertEqual(answer.headers["content-type"], "application/problem+json")
            self.assertEqual(answer.json["kind"], "no-such-path")

    def test_enables_and_remembers(self):
        with Fake() as daemon:
            self.assertEqual(daemon.wait_backend(), "open")
            with daemon.events() as events:
                created = daemon.change("POST", "/v1/vms", VM)
                self.assertEqual(created["state"], "done", created)
                events.wait_for(kind="operation-finished", operation=created["id"])
            enabled = daemon.change("PUT", "/v1/vms/DemoVM/nested", {"enabled": True})
            self.assertEqual(enabled["state"], "done", enabled)
            self.assertEqual(daemon.get("/v1/vms/DemoVM")["nesting"], "on")
            daemon.restart(signal.SIGKILL)
            self.assertEqual(daemon.get(f"/v1/operations/{enabled['id']}"), enabled)
            # What is decided is decided on what the hypervisor has, not on what was remembered.
            self.assertIsNone(daemon.change("PUT", "/v1/vms/DemoVM/nested", {"enabled": True}))

    def test_refuses_a_wrong_configuration(self):
        daemon = Fake(config={"daemon": {"colour": "blue"}})
        with self.assertRaisesRegex(AssertionError, "colour"), daemon:
            self.fail("it started")

    def test_nestctl_speaks_to_it(self):
        with Fake() as daemon:
            said = daemon.nestctl("version")
            self.assertEqual(said.returncode, 0, said)
            self.assertIn(daemon.get("/v1")["version"], said.stdout)

    def test_harness_notices(self):
        with self.assertRaisesRegex(AssertionError, "nestd ended with -9"):
            with Fake() as daemon:
                daemon.stop = lambda: daemon.kill(signal.SIGKILL)
        with self.assertRaisesRegex(AssertionError, "the log alarms"):
            with Fake() as daemon:
                daemon.output.lines.append("** CRITICAL **\n")


if __name__ == "__main__":
    nestd.main()
