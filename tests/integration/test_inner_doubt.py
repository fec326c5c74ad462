# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes of inner VMs that may have been carried out, though nobody heard of it: by a libvirt that a
scripted guest agent plays."""

import nestd
from fake import eventually
from test_inner import GUESTS, Case, Libvirt, is_probe

from nest_agent import HANG


class InDoubt(Case):
    """What is begun is begun, whoever hears of it."""

    def silent(self, agent, words, carry_out=True):
        """The answer to the command with words in its script is lost; carry_out: it is run."""
        def instead(command, arguments):
            if command != "guest-exec" or not any(words in word for word in arguments["arg"]):
                return None
            if carry_out:
                agent.guest_exec(**{key.replace("-", "_"): value
                                    for key, value in arguments.items()})
            return HANG
        agent.instead = instead

    def test_made_and_not_heard_of(self):
        libvirt = Libvirt()
        agent = self.guest(libvirt)
        self.silent(agent, "define /proc/self/fd/0")
        failed = self.create("in")
        self.assertEqual((failed["state"], failed["problem"]["kind"]),
                         ("rolled-back", "guest-agent"), failed)
        self.assertTrue(any("--managed-save" in words[2] for words in agent.commands))
        self.assertEqual(libvirt.vms, {})

    def test_not_there_yet(self):
        agent = self.guest(Libvirt())
        self.silent(agent, "define /proc/self/fd/0", False)
        failed = self.create("in")
        self.assertEqual(failed["state"], "failed", failed)
        self.assertIn("may still be being made", failed["note"])

    def test_how_it_ended_is_lost(self):
        libvirt = Libvirt()
        agent = self.guest(libvirt)
        agent.instead = lambda command, arguments: (
            {"error": {"class": "GenericError", "desc": "Invalid parameter 'pid'"}}
            if command == "guest-exec-status" and libvirt.xml and libvirt.xml.popitem() else None)
        failed = self.create("in")
        self.assertEqual((failed["state"], failed["problem"]["kind"]),
                         ("rolled-back", "guest-agent"), failed)
        self.assertEqual(libvirt.vms, {})

    def test_a_no_and_one_of_that_name(self):
        """It may be somebody else's."""
        libvirt = Libvirt()
        self.guest(libvirt)

        def define(xml, arguments):
            libvirt.vms["in"] = [5, 1024, 1]
            return 1, b"", b"error: it is there already\n"
        libvirt.define = define
        failed = self.create("in")
        self.assertEqual(failed["state"], "failed", failed)
        self.assertIn("one of that name is there all the same", failed["note"])
        self.assertEqual(list(libvirt.vms), ["in"])

    def test_start_stop_and_delete(self):
        libvirt = Libvirt(web=[5, 1048576, 1])
        agent = self.guest(libvirt)
        for words, change, now in [("start", lambda: self.state("web", "running"), "running"),
                                   ("destroy", lambda: self.state("web", "off", force=True), "off"),
                                   ("undefine", lambda: self.delete("web"), "gone")]:
            self.silent(agent, words)
            failed = change()
            self.assertEqual(failed["state"], "failed", failed)
            self.assertIn(f"it is {now} now", failed["note"])

    def test_a_start_that_never_ends(self):
        libvirt = Libvirt(web=[5, 1048576, 1])

        def play(words, given):
            return None if words[5:6] == ["start"] else libvirt(words, given)
        agent = self.guest(play)
        operation = self.daemon.request("PUT", f"{GUESTS}/web/state", {"state": "running"}).json
        eventually(lambda: any(words[5:6] == ["start"] for words in agent.commands))
        self.daemon.request("DELETE", f"/v1/operations/{operation['id']}")
        ended = self.daemon.wait_operation(operation["id"])
        self.assertEqual((ended["state"], ended["problem"]["kind"]), ("failed", "aborted"), ended)
        self.assertIn("may still be carried out", ended["note"])

    def test_a_no_that_changes_nothing(self):
        libvirt = Libvirt(web=[5, 1048576, 1])
        self.guest(libvirt)
        libvirt.fails["start"] = libvirt.fails["undefine"] = (1, b"", b"error: no\n")
        self.assertEqual(self.state("web", "running")["state"], "rolled-back")
        self.assertEqual(self.delete("web")["state"], "rolled-back")

    def test_nestd_is_killed_before_it_is_there(self):
        """The guest goes on by itself: that nothing is there proves nothing."""
        libvirt = Libvirt()
        agent = self.guest(libvirt)
        ended = self.killed(agent, lambda: sum(map(is_probe, agent.commands)) > 1, "POST", GUESTS,
                            {"name": "in", "memory_kib": 65536})
        self.assertEqual(ended["state"], "failed", ended)
        self.assertIn("may still be under way", ended["note"])


if __name__ == "__main__":
    nestd.main()
