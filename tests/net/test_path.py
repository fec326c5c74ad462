# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each setting that blocks frames of inner VMs really blocks them, the check says so, and after the
fix that it names the frame arrives and the check passes. Real bridges, taps and frames."""

import pathlib
import shutil
import struct
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import nestd  # noqa: E402
from fake import XML, Fake  # noqa: E402

import wire  # noqa: E402
from wire import INNER, OWN, PEER, Machine, Macvtap, Tap, arrives, frame, run  # noqa: E402

INTERFACE = XML[XML.index("    <interface"):XML.index("    <memballoon")]
FILTER = """<filter name='lab'>
  <filterref filter='lab-mac'/>
</filter>"""
FILTER_MAC = """<filter name='lab-mac' chain='mac'>
  <filterref filter='lab'/>
  <rule action='return' direction='out'><mac srcmacaddr='$MAC'/></rule>
  <rule action='drop' direction='out'><mac/></rule>
</filter>"""
BPDU = bytes.fromhex("0180c2000000") + wire.packed(INNER) + bytes.fromhex(
    "0026424203000000000000" + "80000000000000010000000080000000000000018001000014000200" +
    "0f00").ljust(46, b"\0")


def setUpModule():
    wire.enter()


def needs_nft(test):
    return unittest.skipUnless(shutil.which("nft"), "nftables is not installed")(test)


def packet(source, destination, mark, mac):
    """An IPv4 packet in a frame from the MAC address mac."""
    body = struct.pack("!HHHH", 9, 9, 8 + len(mark), 0) + mark
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 17, 0) + source + destination
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return wire.packed(PEER) + wire.packed(mac) + b"\x08\x00" + head[:10] + \
        struct.pack("!H", total) + head[12:] + body


class TestPath(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tap, cls.peer = Tap("vnet0"), Machine("up0")
        # As libvirt does where it keeps the table: the VM's own address is always known.
        run(f"bridge fdb add {OWN} dev vnet0 master static")
        cls.daemon = Fake({"NEST_FAKE_CAPS": "kvm=off,tcg=svm,networks=1"})
        cls.daemon.host.directory.joinpath("lab.xml").write_text(FILTER, encoding="utf-8")
        cls.daemon.host.directory.joinpath("lab-mac.xml").write_text(FILTER_MAC, encoding="utf-8")
        cls.daemon.__enter__()
        cls.define("demo", "<source bridge='br0'/><target dev='vnet0'/>")

    @classmethod
    def tearDownClass(cls):
        cls.tap.close()
        cls.peer.close()
        cls.daemon.__exit__(None, None, None)

    @classmethod
    def define(cls, name, inside, kind="bridge"):
        interface = f"<interface type='{kind}'><mac address='{OWN}'/>{inside}</interface>\n"
        cls.daemon.define(name, XML.replace(INTERFACE, interface), state="running")

    def setUp(self):
        run("ip link set br0 type bridge stp_state 0 && ip link set up0 mtu 1500")
        run("bridge link set dev vnet0 learning on flood on isolated off locked off guard off")
        self.revive()
        run(f"bridge fdb del {INNER} dev vnet0 master 2>/dev/null || true")

    @staticmethod
    def revive():
        """The port forwards at once, whatever a spanning tree left it in."""
        run("ip link set vnet0 down && ip link set vnet0 up")
        run("bridge link set dev vnet0 state 3 && bridge link set dev up0 state 3")

    def judged(self, check, verdict, vm="demo"):
        """Waits until the check says that; what it says."""
        deadline = time.monotonic() + wire.DEADLINE
        while True:
            found = {c["id"]: c for c in self.daemon.get(f"/v1/vms/{vm}/checks?all=1")["checks"]}
            if found[check]["verdict"] == verdict:
                return found[check]
            self.assertLess(time.monotonic(), deadline, found[check])

    def mend(self, check):
        """Does by hand what the check says."""
        run(check["fix"].removeprefix("nestctl host fix; by hand: "))

    def reaches(self, mark):
        """(in, out): whether frames for, and from, an inner VM get through."""
        inward = arrives(self.peer, self.tap, frame(PEER, INNER, mark + b" in"),
                         frame(PEER, OWN, mark + b" in, own"))
        outward = arrives(self.tap, self.peer, frame(INNER, PEER, mark + b" out"),
                          frame(OWN, PEER, mark + b" out, own"))
        run(f"bridge fdb del {INNER} dev vnet0 master 2>/dev/null || true")  # what was learned
        return inward, outward

    def test_nothing_blocks(self):
        self.assertEqual(self.reaches(b"free"), (True, True))
        for check in ("net.learning", "net.isolated", "net.locked", "net.bpduguard", "net.mtu"):
            self.judged(check, "pass")

    def test_learning(self):
        run("bridge link set dev vnet0 learning off flood off")
        self.assertEqual(self.reaches(b"deaf"), (False, True))
        self.mend(self.judged("net.learning", "warn"))
        self.assertEqual(self.reaches(b"hears"), (True, True))
        self.judged("net.learning", "pass")

    def test_either_flag_alone_lets_through(self):
        run("bridge link set dev vnet0 learning off")
        self.assertEqual(self.reaches(b"floods"), (True, True))
        self.judged("net.learning", "info")
        run("bridge link set dev vnet0 learning on flood off")
        self.assertEqual(self.reaches(b"not yet"), (False, True))
        self.tap.send(frame(INNER, PEER, b"I am here"))
        self.assertTrue(arrives(self.peer, self.tap, frame(PEER, INNER, b"learned"),
                                frame(PEER, OWN, b"learned, own")))
        self.mend(self.judged("net.learning", "info"))
        self.judged("net.learning", "pass")

    def test_locked(self):
        run("bridge link set dev vnet0 locked on")
        self.assertEqual(self.reaches(b"locked"), (True, False))
        self.mend(self.judged("net.locked", "warn"))
        self.assertEqual(self.reaches(b"unlocked"), (True, True))
        self.judged("net.locked", "pass")

    def test_isolated(self):
        other = Tap("vnet1")
        self.addCleanup(other.close)
        run("bridge link set dev vnet0 isolated on && bridge link set dev vnet1 isolated on")
        lost = frame(INNER, "02:aa:00:00:00:06", b"isolated")
        self.assertTrue(arrives(self.tap, self.peer, lost, frame(OWN, PEER, b"isolated, own")))
        while (got := other.receive(0)) is not None:
            self.assertNotEqual(got, lost)
        self.mend(self.judged("net.isolated", "warn"))
        self.assertTrue(arrives(self.tap, other, frame(INNER, "02:aa:00:00:00:06", b"together"),
                                frame(OWN, "ff:ff:ff:ff:ff:ff", b"together, own")))
        self.judged("net.isolated", "pass")

    def state(self):
        return pathlib.Path("/sys/class/net/vnet0/brport/state").read_text(encoding="ascii").strip()

    def test_guard(self):
        run("bridge link set dev vnet0 guard on")
        self.tap.send(BPDU)
        self.assertEqual(self.reaches(b"no tree"), (True, True))
        self.judged("net.bpduguard", "pass")
        run("ip link set br0 type bridge stp_state 1")
        check = self.judged("net.bpduguard", "warn")
        self.assertNotEqual(self.state(), "0")
        self.tap.send(BPDU)
        self.assertEqual(self.state(), "0")
        self.mend(check)
        run("ip link set vnet0 down && ip link set vnet0 up")
        self.tap.send(BPDU)
        self.assertNotEqual(self.state(), "0")
        self.judged("net.bpduguard", "pass")
        run("ip link set br0 type bridge stp_state 0")
        self.revive()
        self.assertEqual(self.reaches(b"no tree again"), (True, True))

    def test_mtu(self):
        run("ip link set up0 mtu 1400")
        large, small = frame(INNER, PEER, b"large", 1500), frame(OWN, PEER, b"small", 1400)
        self.assertFalse(arrives(self.tap, self.peer, large, small))
        self.assertIn("MTU of 1400", self.judged("net.mtu", "warn")["fix"])
        fits = frame(INNER, PEER, b"fits", 1414)
        self.assertTrue(arrives(self.tap, self.peer, fits, small))
        run("ip link set up0 mtu 1500")
        self.assertTrue(arrives(self.tap, self.peer, large, small))
        self.judged("net.mtu", "pass")

    @needs_nft
    def test_filter(self):
        """A filter of one's own, in a circle with another one, as libvirt would put it in force."""
        self.define("filtered", "<source bridge='br0'/><target dev='vnet0'/>"
                                "<filterref filter='lab'/>")
        run("nft 'add table bridge t; add chain bridge t out { type filter hook forward priority 0; };"
            f" add rule bridge t out iifname vnet0 ether saddr != {OWN} drop'")
        self.addCleanup(run, "nft delete table bridge t 2>/dev/null || true")
        self.assertEqual(self.reaches(b"filtered"), (True, False))
        self.assertIn("lab > lab-mac", self.judged("net.spoof", "warn", "filtered")["message"])
        self.daemon.host.stop("filtered")
        self.assertEqual(self.daemon.nestctl("enable", "filtered", "--yes").returncode, 0)
        self.assertNotIn("filterref", self.daemon.host.vm("filtered")["xml"])
        run("nft delete table bridge t")  # libvirt does, when the VM stops
        self.assertEqual(self.reaches(b"unfiltered"), (True, True))
        self.judged("net.spoof", "pass", "filtered")

    @needs_nft
    def test_firewall(self):
        switch = pathlib.Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
        if not switch.exists():
            self.skipTest("there is no br_netfilter")
        switch.write_text("1\n", encoding="ascii")
        run("nft 'add table ip t; add chain ip t f { type filter hook forward priority 0;"
            " policy drop; }'")
        self.addCleanup(run, "nft delete table ip t 2>/dev/null || true")
        lost = packet(bytes([10, 9, 0, 1]), bytes([10, 9, 0, 2]), b"dropped", INNER)
        free = frame(OWN, PEER, b"no IP")
        self.assertFalse(arrives(self.tap, self.peer, lost, free))
        fix = self.judged("net.brnf", "warn")["fix"]
        run(fix.split(",")[0])
        self.assertTrue(arrives(self.tap, self.peer, lost, free))
        self.judged("net.brnf", "pass")
        # A rule may do what the policy does not.
        switch.write_text("1\n", encoding="ascii")
        run("nft 'chain ip t f { policy accept; }; add rule ip t f reject'")
        self.assertFalse(arrives(self.tap, self.peer, lost, free))
        self.assertIn("t f", self.judged("net.brnf", "unknown")["message"])
        run("nft flush chain ip t f")
        self.assertTrue(arrives(self.tap, self.peer, lost, free))
        self.judged("net.brnf", "pass")

    def test_macvtap(self):
        lower = Machine("phys0", bridged=False)
        self.addCleanup(lower.close)
        for mode, through in (("private", False), ("vepa", False), ("bridge", False),
                              ("passthru", True)):
            with self.subTest(mode):
                tap = Macvtap("mv0", "phys0", mode, self.daemon.directory)
                name = mode.replace("passthru", "passthrough")
                self.define(name, f"<source dev='phys0' mode='{name}'/><target dev='mv0'/>",
                            "direct")
                self.assertEqual(arrives(lower, tap, frame(PEER, INNER, b"macvtap"),
                                         frame(PEER, OWN, b"macvtap, own")), through)
                self.judged("net.macvtap", "pass" if through else "warn", name)
                tap.close()
                run("ip link del mv0")


if __name__ == "__main__":
    nestd.main()
