# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who follows the events misses none, whatever becomes of the daemon meanwhile."""

import signal
import unittest

import nestd
from fake import Fake


class TestEvents(unittest.TestCase):
    def all(self, daemon):
        return daemon.get("/v1/events?follow=0")["events"]

    def rest(self, daemon, after, last):
        """What the stream tells from there on, up to that id."""
        answer = []
        with nestd.Events(daemon.socket, after, nestd.OPERATION_DEADLINE) as events:
            for event in events:
                answer.append(event)
                if event["id"] >= last:
                    return answer

    def test_resume_over_restarts(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number), Fake() as daemon:
                daemon.define("one")
                with daemon.events() as events:
                    daemon.host.start("one")
                    seen = events.wait_for(kind="vm-started")["id"]
                    operation = daemon.nested("one").json["id"]
                    daemon.kill(number)
                    # Some came with the stream before it broke, some did not; some are yet to come.
                    with self.assertRaises((EOFError, ConnectionError)):
                        events.wait_for(kind="never")
                    seen = max(event["id"] for event in events.seen)
                daemon.host.stop("one")
                daemon.start()
                daemon.wait_backend()
                daemon.wait_operation(operation)
                daemon.define("two")
                everything = self.all(daemon)
                ids = [event["id"] for event in everything]
                self.assertEqual(ids, list(range(1, len(ids) + 1)))
                wanted = [event for event in everything if event["id"] > seen]
                self.assertTrue(wanted)
                self.assertEqual(self.rest(daemon, seen, ids[-1]), wanted)
                self.assertEqual(self.rest(daemon, 0, ids[-1]), everything)
                finished = [event for event in everything if event["operation"] == operation]
                self.assertEqual([event["kind"] for event in finished],
                                 ["operation-started", "operation-finished"])

    def test_header_of_browsers(self):
        with Fake() as daemon:
            for name in ("one", "two", "three"):
                daemon.define(name)
            connection = nestd.Connection(daemon.socket, nestd.REPLY_DEADLINE)
            connection.request("GET", "/v1/events", headers={"Last-Event-ID": "1"})
            response = connection.getresponse()
            told = b""
            while b"\nid: 3\n" not in told:
                told += response.readline()
            self.assertNotIn(b"id: 1\n", told)
            self.assertIn(b"id: 2\n", told)
            response.close()
            connection.close()

    def test_what_happened_while_away(self):
        """VMs that came, went and changed while nestd was not there are told when it is."""
        with Fake() as daemon:
            daemon.define("stays")
            daemon.define("goes")
            last = self.all(daemon)[-1]["id"]
            daemon.stop()
            daemon.host.delete("goes")
            daemon.host.start("stays")
            daemon.start()
            with daemon.events(after=last) as events:
                events.wait_for(kind="vm-removed", name="goes")
            with daemon.events(after=last) as events:
                events.wait_for(kind="vm-started", name="stays")

    def test_order(self):
        """Every client sees the same, in the same order."""
        with Fake() as daemon:
            with daemon.events() as one, daemon.events() as two:
                for n in range(5):
                    daemon.define(f"vm-{n}")
                last = self.all(daemon)[-1]["id"]
                for events in (one, two):
                    events.wait_for(id=last)
                self.assertEqual(one.seen, two.seen)
                self.assertEqual(one.seen, self.all(daemon))


if __name__ == "__main__":
    nestd.main()
