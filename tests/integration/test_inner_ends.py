# SPDX-License-Identifier: LGPL-2.1-or-later
"""VMs inside VMs are shut down, turned off and deleted, by a libvirt that a scripted guest agent plays."""

import nestd
from fake import eventually
from test_inner import GUESTS, Case, Libvirt, hexed, is_probe


class Stop(Case):
    def asked(self, agent):
        """What virsh was told to do."""
        return [words[5] for words in agent.commands if words[0] == "env"
                and words[5] not in ("domstats", "dumpxml")]

    def test_stop_asks_and_waits(self):
        libvirt = Libvirt(web=[1, 1048576, 1])
        libvirt.looks = 5
        agent = self.guest(libvirt)
        done = self.daemon.nestctl("guest", "stop", "vm", "web")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("web in vm is off.", done.stdout)
        self.assertEqual(self.asked(agent), ["shutdown"])
        self.assertIn("web in vm is off already.",
                      self.daemon.nestctl("guest", "stop", "vm", "web").stdout)

    def test_force_turns_off_at_once(self):
        agent = self.guest(Libvirt(web=[1, 1048576, 1]))
        done = self.daemon.nestctl("guest", "stop", "--force", "vm", "web")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(self.asked(agent), ["destroy"])

    def test_one_that_does_not_shut_down(self):
        libvirt = Libvirt(web=[1, 1048576, 1])
        libvirt.looks = 1 << 30
        agent = self.guest(libvirt)
        failed = self.state("web", "off", timeout=1)
        self.assertEqual(failed["problem"]["kind"], "timeout", failed)
        self.assertEqual(failed["problem"]["next"], "nestctl guest stop --force vm web")
        self.assertIn("asked to shut down and still runs after 1 s", failed["problem"]["detail"])
        self.assertEqual(self.asked(agent), ["shutdown"])
        for timeout in ("0", "86401", "x"):
            said = self.daemon.nestctl("guest", "stop", "--timeout", timeout, "vm", "web")
            self.assertEqual(said.returncode, 2, said)
        self.assertEqual(self.refused("PUT", f"{GUESTS}/web/state", {
            "state": "off", "timeout": 86401})["kind"], "invalid-request")

    def test_one_that_can_not_be_asked(self):
        libvirt = Libvirt(web=[3, 1048576, 1], db=[1, 524288, 1])
        self.guest(libvirt)
        problem = self.refused("PUT", f"{GUESTS}/web/state", {"state": "off"})
        self.assertEqual(problem["kind"], "vm-state")
        self.assertIn("is paused", problem["detail"])
        self.assertEqual(self.state("web", "off", force=True)["state"], "done")
        libvirt.fails["shutdown"] = (1, b"", b"error: no agent\n")
        failed = self.state("db", "off")
        self.assertIn("no agent", failed["problem"]["detail"])
        self.assertEqual(self.listed()["db"][1], "running")

    def test_nestd_is_killed_while_it_waits(self):
        libvirt = Libvirt(web=[1, 1048576, 1])
        libvirt.looks = 1 << 30
        agent = self.guest(libvirt)
        ended = self.killed(agent, lambda: self.asked(agent), "PUT", f"{GUESTS}/web/state",
                            {"state": "off"})
        self.assertNotIn(ended["state"], ("done", "running", "pending"), ended)
        libvirt.looks = 0
        self.assertEqual(self.listed()["web"][1], "off")

    def test_the_wait_is_aborted(self):
        libvirt = Libvirt(web=[1, 1048576, 1])
        libvirt.looks = 1 << 30
        agent = self.guest(libvirt)
        operation = self.daemon.request("PUT", f"{GUESTS}/web/state", {"state": "off"}).json
        eventually(lambda: self.asked(agent))
        self.daemon.request("DELETE", f"/v1/operations/{operation['id']}")
        ended = self.daemon.wait_operation(operation["id"])
        self.assertEqual((ended["state"], ended["problem"]["kind"]), ("aborted", "aborted"), ended)
        self.assertIn("may still do so", ended["note"])

    def test_libvirt_is_down_while_it_waits(self):
        libvirt = Libvirt(web=[1, 1048576, 1])

        def play(words, given):
            ended = libvirt(words, given)
            if words[5:6] == ["shutdown"]:
                libvirt.fails["domstats"] = (1, b"", b"error: failed to connect\n")
            return ended
        self.guest(play)
        failed = self.state("web", "off")
        self.assertEqual((failed["state"], failed["problem"]["kind"]), ("failed", "not-verified"),
                         failed)


class Delete(Case):
    def test_nestd_is_killed_before_it_deletes(self):
        libvirt = Libvirt(web=[5, 1048576, 1])
        agent = self.guest(libvirt)
        begun = []

        def when():  # the second look is that of the step
            begun.extend(words for words in agent.commands if is_probe(words))
            return len(begun) > 2
        ended = self.killed(agent, when, "DELETE", f"{GUESTS}/web")
        self.assertNotEqual(ended["state"], "done", ended)
        self.assertEqual(list(libvirt.vms), ["web"])

    def test_libvirt_is_down_after_nestd_was_killed(self):
        """That it tells of no VM is no proof that there is none."""
        libvirt = Libvirt(web=[5, 1048576, 1])
        agent = self.guest(libvirt)

        def when():
            if "web" in libvirt.vms:
                return False
            libvirt.fails["domstats"] = (1, b"", b"error: failed to connect\n")
            return True
        ended = self.killed(agent, when, "DELETE", f"{GUESTS}/web")
        self.assertNotEqual(ended["state"], "done", ended)
        self.assertIn("not known", ended["note"])

    def test_delete(self):
        libvirt = Libvirt(web=[5, 1048576, 1], db=[1, 524288, 2], old=[3, 1024, 1])
        agent = self.guest(libvirt)
        done = self.delete("web")
        self.assertEqual((done["kind"], done["state"]), ("guest-delete", "done"), done)
        self.assertEqual([step["id"] for step in done["steps"]], ["delete"])
        self.assertIn("web, of libvirt", done["note"])
        words = next(words for words in agent.commands if "undefine" in words[2])
        self.assertEqual(words[4:], ["web", "/var/lib/libvirt/images/nestd/web.qcow2"])
        self.assertEqual(sorted(libvirt.vms), ["db", "old"])
        for name in ("db", "old"):
            problem = self.refused("DELETE", f"{GUESTS}/{name}")
            self.assertEqual(problem["kind"], "vm-state")
            self.assertEqual(problem["next"], f"nestctl guest stop vm {name}")
        self.assertEqual(self.refused("DELETE", f"{GUESTS}/web")["kind"], "vm-not-found")
        self.assertEqual(self.refused("DELETE", f"{GUESTS}/db?by=incus")["kind"], "vm-not-found")
        self.assertEqual(sorted(libvirt.vms), ["db", "old"])

    def test_two_of_one_name(self):
        libvirt = Libvirt()
        self.guest(libvirt)
        self.create("web", start=True)
        libvirt.tools += b"kept web " + hexed("qemu", "-m", "1G").encode() + b"\n"
        for what in "state", "console":
            problem = self.refused("GET", f"{GUESTS}/web/{what}")
            self.assertEqual(problem["kind"], "invalid-request")
            self.assertIn("--by", problem["next"])
            for by in "libvirt", "qemu":
                self.assertEqual(self.daemon.get(f"{GUESTS}/web/{what}?by={by}")["by"], by)
        self.assertEqual(self.refused("GET", f"{GUESTS}/web/state?by=incus")["kind"],
                         "vm-not-found")

    def test_a_delete_that_fails(self):
        libvirt = Libvirt(web=[5, 1048576, 1])
        self.guest(libvirt)
        libvirt.fails["undefine"] = (1, b"", b"error: it has checkpoints\n")
        failed = self.delete("web")
        self.assertIn("it has checkpoints", failed["problem"]["detail"])
        libvirt.fails["undefine"] = (0, b"", b"")
        failed = self.delete("web")
        self.assertEqual((failed["state"], failed["problem"]["kind"]), ("failed", "not-verified"),
                         failed)
        self.assertEqual(self.listed()["web"][1], "off")

    def test_deleted_all_but_its_disk(self):
        libvirt = Libvirt(web=[5, 1048576, 1])

        def play(words, given):
            ended = libvirt(words, given)
            return (1, b"", b"rm: is busy\n") if "undefine" in words[2] else ended
        self.guest(play)
        failed = self.delete("web")
        self.assertEqual((failed["state"], failed["problem"]["kind"]), ("failed", "hypervisor"),
                         failed)
        self.assertIn("it is gone now", failed["note"])

    def test_libvirt_is_down_after_it_deleted(self):
        libvirt = Libvirt(web=[5, 1048576, 1])
        agent = self.guest(libvirt)

        def play(words, given):
            if "web" not in libvirt.vms:
                libvirt.fails["domstats"] = (1, b"", b"error: failed to connect\n")
            return libvirt(words, given)
        agent.play = play
        failed = self.delete("web")
        self.assertEqual((failed["state"], failed["problem"]["kind"]), ("failed", "not-verified"),
                         failed)
        self.assertIn("can't be seen", failed["note"])
        self.assertIn("libvirt in the guest can't be asked what became of it",
                      failed["problem"]["detail"])

    def test_delete_by_nestctl(self):
        libvirt = Libvirt(web=[5, 1048576, 1])
        self.guest(libvirt)
        asked = self.daemon.nestctl("guest", "delete", "vm", "web")
        self.assertEqual(asked.returncode, 2, asked)
        self.assertIn("--yes", asked.stderr)
        self.assertEqual(list(libvirt.vms), ["web"])
        done = self.daemon.nestctl("guest", "delete", "-y", "--by", "libvirt", "vm", "web")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("web in vm has been deleted.", done.stdout)
        self.assertEqual(libvirt.vms, {})


if __name__ == "__main__":
    nestd.main()
