# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree of the host, its VMs and theirs; and guests that lie about what is in them, hang, go
away, or have a hundred thousand VMs."""

import threading

import nestd
from test_inner import GUESTS, Case, Libvirt, is_probe

from nest_agent import HANG, Agent


class Tree(Case):
    def test_tree(self):
        self.daemon.define("no-agent", state="running")
        self.daemon.define("off")
        self.guest(Libvirt(web=[1, 4194304, 1], db=[5, 524288, 2]))
        tree = self.daemon.get("/v1/tree")
        self.assertEqual(tree["all"]["count"], 3)
        self.assertEqual(tree["active"], {"count": 2, "memory_kib": 4194304, "vcpus": 4})
        self.assertGreater(tree["memory_kib"], 0)
        vms = {vm["name"]: vm for vm in tree["vms"]}
        self.assertEqual([vm["name"] for vm in vms["vm"]["inner"]["vms"]], ["db", "web"])
        self.assertIn("inner VMs that run have 4 GiB, of 2 GiB",
                      vms["vm"]["inner"]["overcommitted"][0])
        self.assertIn("not connected", vms["no-agent"]["inner_unknown"])
        self.assertEqual((vms["off"]["inner"], vms["off"]["inner_unknown"]), (None, None))
        alone = self.daemon.get("/v1/vms/vm/tree")
        self.assertEqual([vm["name"] for vm in alone["vms"]], ["vm"])
        self.assertEqual(alone["all"], tree["all"])

    def test_what_was_said_is_kept_for_a_moment(self):
        agent = self.guest(Libvirt())
        first = self.daemon.get("/v1/tree")["vms"][0]["inner_time"]
        asked = len(agent.commands)
        self.assertEqual(self.daemon.get("/v1/tree")["vms"][0]["inner_time"], first)
        self.assertEqual(len(agent.commands), asked)

    def test_one_that_hangs_keeps_nobody_else(self):
        self.daemon.define("silent", state="running")
        hanging = self.enterContext(Agent(self.daemon.host.directory, "silent"))
        hanging.instead = lambda command, arguments: HANG
        self.guest(Libvirt(web=[1, 4194304, 1]))
        vms = {vm["name"]: vm for vm in self.daemon.get("/v1/tree")["vms"]}
        self.assertIn("timed out", vms["silent"]["inner_unknown"])
        self.assertEqual(vms["vm"]["inner"]["all"]["count"], 1)

    def test_nestctl(self):
        self.guest(Libvirt(web=[1, 4194304, 1], db=[5, 524288, 2]))
        self.daemon.environment["LC_ALL"] = "C.UTF-8"
        shown = self.daemon.nestctl("tree")
        self.assertRegex(shown.stdout, r"\n└─ vm +running .*4 GiB inside")
        self.assertRegex(shown.stdout, r"\n   ├─ db +off .*libvirt\n   └─ web +running")
        self.assertIn("! vm: memory: inner VMs that run have 4 GiB, of 2 GiB", shown.stdout)
        self.daemon.environment["LC_ALL"] = "C"
        shown = self.daemon.nestctl("tree", "vm")
        self.assertRegex(shown.stdout, r"\n`- vm +running .*4 GiB inside")
        self.assertRegex(shown.stdout, r"\n   \|- db +off .*libvirt\n   `- web +running")
        for i in range(7):
            self.daemon.define(f"x{i}", state="running")
        shown = self.daemon.nestctl("tree")
        self.assertIn("x0, x1, x2, x3, x4 and 2 more: what is inside is not known: QEMU guest agent "
                      "is not connected\n", shown.stdout)
        shown = self.daemon.nestctl("guest", "list", "vm")
        self.assertRegex(shown.stdout, r"web +running +4 GiB +1 +libvirt")
        done = self.daemon.nestctl("guest", "create-vm", "vm", "in", "--memory", "512M", "--start")
        self.assertIn("in has been created in vm and started.", done.stdout)
        done = self.daemon.nestctl("guest", "stop", "vm", "in")
        self.assertIn("in in vm is off.", done.stdout)
        done = self.daemon.nestctl("guest", "console", "vm", "in")
        self.assertIn("login:", done.stdout)


class BadDays(Case):
    def test_garbage(self):
        for said in (b"", b"\xff\xfe\0garbage", b"hello\nworld\n" * 1000, b"{" * 100000):
            with self.subTest(said=said[:10]):
                with self.inside(lambda words, given, said=said: (0, said, b"")):
                    self.assertEqual(self.refused("GET", GUESTS)["kind"], "guest-agent")

    def test_a_list_that_is_garbage(self):
        tools = b"nestd-inner\ntool virsh\ntool incus\n"
        for said in (b"\xff\xfe\0garbage", b"[[[[", b"Domain: x", b'{"vms":7}', b"[]]"):
            with self.subTest(said=said):
                with self.inside(lambda words, given, said=said: (
                        0, tools if is_probe(words) else said, b"")):
                    answer = self.daemon.get(GUESTS)
                self.assertEqual(answer["vms"], [])
                self.assertEqual(len(answer["warnings"]), 2, answer)

    def test_very_many(self):
        self.guest(Libvirt(**{f"v{i}": [1, 1 << 30, 4] for i in range(30000)}))
        said = self.daemon.get(GUESTS)
        self.assertEqual((len(said["vms"]), said["more"]), (1000, 29000))
        self.assertEqual(said["all"]["count"], 30000)
        vm = self.daemon.get("/v1/tree")["vms"][0]["inner"]
        self.assertEqual((len(vm["vms"]), vm["more"]), (100, 29900))

    def test_far_too_many(self):
        self.guest(Libvirt(**{f"v{i}": [1, 1 << 30, 4] for i in range(100000)}))
        said = self.daemon.get(GUESTS)
        self.assertEqual((said["vms"], len(said["warnings"])), ([], 1))

    def test_names_that_are_no_text(self):
        def play(words, given):
            if is_probe(words):
                return 0, b"nestd-inner\nprocess 7 qemu " + (
                    b"qemu\0-name\0\xff\x1b[2Jx" + b"y" * 1000 + b"\0").hex().encode() + \
                    b"\nprocess 8 qemu 0g\nkept ../../x 00\nkept\nprocess\n\xff\n", b""
            raise AssertionError(words)
        self.guest(play)
        vm, = self.daemon.get(GUESTS)["vms"]
        self.assertTrue(vm["name"].startswith("�\x1b[2Jxyyy"), vm)
        self.assertLess(len(vm["name"]), 300)

    def test_numbers_that_are_too_large(self):
        self.guest(Libvirt(a=[99, 2 ** 70, 2 ** 40], b=[1, 2 ** 62, 2 ** 31], c=[1, 2 ** 62, 1]))
        said = self.daemon.get(GUESTS)
        self.assertEqual(self.listed()["a"][1:3], ("unknown", 0))
        self.assertEqual(len(said["overcommitted"]), 2, said)

    def test_a_command_that_hangs_is_killed(self):
        libvirt = Libvirt()
        agent = self.guest(lambda words, given:
                           None if "domstats" in words else libvirt(words, given))
        said = self.daemon.get(GUESTS)
        self.assertIn("has not ended", said["warnings"][0])
        pid = 1000 + next(i for i, words in enumerate(agent.commands) if "domstats" in words)
        self.assertEqual(agent.killed, [pid])

    def test_guest_powers_off_in_the_middle(self):
        libvirt = Libvirt()

        def play(words, given):
            if "start" in words:
                self.daemon.host.change("vm", state="off", live_xml=None)
                return None
            return libvirt(words, given)
        self.guest(play)
        self.create("in")
        failed = self.state("in", "running")
        self.assertIn(failed["state"], ("failed", "rolled-back"), failed)
        self.assertEqual(failed["problem"]["kind"], "vm-state", failed)

    def test_abort(self):
        libvirt = Libvirt()
        started = threading.Event()

        def play(words, given):
            if "start" in words:
                started.set()
                return None
            return libvirt(words, given)
        agent = self.guest(play)
        self.create("in")
        operation = self.daemon.request(
            "PUT", f"{GUESTS}/in/state", {"state": "running"}).json
        self.assertTrue(started.wait(nestd.REPLY_DEADLINE))
        self.daemon.request("DELETE", f"/v1/operations/{operation['id']}")
        ended = self.daemon.wait_operation(operation["id"])
        self.assertEqual((ended["state"], ended["problem"]["kind"]), ("failed", "aborted"), ended)
        self.assertIn("may still be carried out", ended["note"])
        self.assertEqual(len(agent.killed), 1)

    def test_vm_that_is_off(self):
        self.daemon.define("off")
        problem = self.refused("POST", "/v1/vms/off/guests", {"name": "in", "memory_kib": 65536})
        self.assertEqual((problem["kind"], problem["next"]), ("vm-state", "nestctl start off"))

    def test_wishes_that_are_none(self):
        self.guest(Libvirt())
        for more in ({"iso": "relative"}, {"disk": "/a"}, {"initrd": "/a"}, {"network": "x"},
                     {"disk": "/a", "disk_format": "raw", "disk_bytes": 1 << 30},
                     {"memory_kib": 1}, {"vcpus": 5000}, {"kernel": "/a\nb"}, {"by": "nobody"},
                     {"cmdline": "x" * 5000, "kernel": "/a"}):
            body = {"name": "in", "memory_kib": 65536, **more}
            self.assertEqual(self.refused("POST", GUESTS, body)["kind"], "invalid-request", more)
        self.assertEqual(self.refused("PUT", f"{GUESTS}/in/state", {"state": "saved"})["kind"],
                         "invalid-request")


if __name__ == "__main__":
    nestd.main()
