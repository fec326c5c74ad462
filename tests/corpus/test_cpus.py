# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the CPUID of real CPUs means: which extension a VM on such a host gets, or that it gets none.
One nestd looks at a host whose /proc/cpuinfo is that of one CPU after the other."""

import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import corpus  # noqa: E402
import nestd  # noqa: E402
from fake import Fake  # noqa: E402
from test_hosts import HOSTS, KVM  # noqa: E402

# As Linux names them: (leaf, register, bit).
FLAGS = {"fpu": (0x1, "edx", 0), "sse2": (0x1, "edx", 26), "vmx": (0x1, "ecx", 5),
         "x2apic": (0x1, "ecx", 21), "hypervisor": (0x1, "ecx", 31),
         "lm": (0x80000001, "edx", 29), "svm": (0x80000001, "ecx", 2),
         "npt": (0x8000000a, "edx", 0), "nrip_save": (0x8000000a, "edx", 3)}
EXTENSIONS = {"GenuineIntel": "vmx", "AuthenticAMD": "svm", "HygonGenuine": "svm",
            "CentaurHauls": "vmx", "  Shanghai  ": "vmx"}


def registers(leaves, leaf):
    return leaves.get((leaf, 0), dict.fromkeys(("eax", "ebx", "ecx", "edx"), 0))


def vendor_of(leaves):
    values = registers(leaves, 0)
    return struct.pack("<3I", values["ebx"], values["edx"], values["ecx"]).decode()


def flags_of(leaves):
    return [name for name, (leaf, register, bit) in FLAGS.items()
            if registers(leaves, leaf)[register] >> bit & 1]


def cpuinfo(name, leaves):
    return (f"processor\t: 0\nvendor_id\t: {vendor_of(leaves)}\nmodel name\t: {name}\n"
            f"flags\t\t: {' '.join(flags_of(leaves))}\n\n")


class TestCpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            cls.cpus = corpus.cpus()
        except corpus.Unavailable as reason:
            raise unittest.SkipTest(f"the corpus can't be fetched: {reason}") from None
        root = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()), "root")
        shutil.copytree(HOSTS / "intel-ready", root, symlinks=True)
        cls.file = root / "proc" / "cpuinfo"
        cls.daemon = cls.enterClassContext(Fake(
            config={"daemon": {"host-root": root}}, environment={"NEST_FAKE_CAPS": "tcg=svm"}))
        cls.connection = nestd.Connection(cls.daemon.socket, nestd.REPLY_DEADLINE)

    def plan(self, name, leaves):
        self.file.write_text(cpuinfo(name, leaves))
        xml = KVM.format(name="x", uuid="1cd6d0bd-1b0a-4d4c-9b1c-5b0f6a5a0a01")
        answer = self.daemon.request("POST", "/v1/plan", {"xml": xml, "enabled": True})
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_extension(self):
        seen = set()
        for name, leaves in self.cpus.items():
            with self.subTest(cpu=name):
                flags = flags_of(leaves)
                expected = next((flag for flag in ("vmx", "svm") if flag in flags), None)
                plan = self.plan(name, leaves)
                seen.add(expected)
                if expected is None:
                    self.assertEqual(plan["problem"]["kind"], "host-unfit", plan)
                    continue
                self.assertEqual(EXTENSIONS[vendor_of(leaves)], expected)
                self.assertEqual(plan["verdict"], "steps", plan)
                self.assertEqual(plan["items"][0]["target"], f"host-passthrough + {expected}")
                self.assertIn(f"policy='require' name='{expected}'", plan["xml"])
        self.assertEqual(seen, {"vmx", "svm", None})
        self.assertGreater(len(self.cpus), 60)


if __name__ == "__main__":
    nestd.main()
