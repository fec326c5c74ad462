# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every domain definition of libvirt's own tests, planned: only what the plan says is changed, a
second run changes nothing, and libvirt's schema takes what comes out."""

import collections
import difflib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import corpus  # noqa: E402
import nestd  # noqa: E402
from test_hosts import CASES, OnHost  # noqa: E402

SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
EXTENSIONS = {"vmx", "svm"}
# What Debian's libvirt refuses, and libvirt as it is published does not.
TAKEN_OUT = {"qemuxml2argvdata/net-user-passt.xml"}
# What CPUs have of svm only: features of leaf 0x8000000a.
SVM_PARTS = {"npt", "lbrv", "svm-lock", "nrip-save", "tsc-scale", "vmcb-clean", "flushbyasid",
             "decodeassists", "pause-filter", "pfthreshold", "avic", "v-vmsave-vmload", "vgif",
             "vnmi", "x2avic", "svme-addr-chk"}
# The lines that a plan may touch.
TOUCHED = re.compile(r"</?(cpu|model|vendor|feature|memory|currentMemory|memballoon|filterref"
                     r"|port|parameter|address|stats|alias|driver|devices)\b")


def is_part(name):
    return name in SVM_PARTS or name.startswith("vmx-")


def tree(text):
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True, insert_pis=True))
    return ET.fromstring(text, parser=parser)


def drop(parent, condition):
    for child in list(parent):
        if isinstance(child.tag, str) and condition(child):
            parent.remove(child)


def without_cpu(root):
    """What a plan may change in <cpu> is taken out of it."""
    for cpu in root.findall("cpu"):
        for name in ("mode", "match", "check", "migratable"):
            cpu.attrib.pop(name, None)
        drop(cpu, lambda child: child.tag in ("model", "vendor"))
        drop(cpu, lambda child: child.tag == "feature" and (
            child.get("name") in EXTENSIONS or is_part(child.get("name", ""))))
        if not cpu.attrib and len(cpu) == 0:
            root.remove(cpu)


def without_balloon(root):
    for devices in root.findall("devices"):
        drop(devices, lambda child: child.tag == "memballoon")
        if len(devices) == 0:
            root.remove(devices)


def without_amount(root, *names):
    for name in names:
        for element in root.findall(name):
            element.text = None
            element.attrib.pop("unit", None)


def without_filters(root):
    blocking = re.compile("clean-traffic|no-mac-spoofing|no-arp-mac-spoofing|no-arp-spoofing")
    for interface in root.findall("devices/interface"):
        drop(interface, lambda child: child.tag == "filterref" and
             blocking.match(child.get("filter", "")))


def without_ports(root):
    for interface in root.findall("devices/interface"):
        drop(interface, lambda child: child.tag == "port")


# What each item of a plan may change.
ALLOWED = {
    "extensions": without_cpu,
    "dynamic-memory": lambda root: (without_balloon(root), without_amount(root, "currentMemory")),
    "memory": lambda root: without_amount(root, "memory", "currentMemory"),
    "mac-spoofing": without_filters,
    "port-isolation": without_ports,
}


def canonical(text, items):
    """The definition without what the items may change, and without white space between elements."""
    root = tree(text)
    for item in items:
        ALLOWED[item](root)
    for element in root.iter():
        element.text = (element.text or "").strip()
        element.tail = (element.tail or "").strip()
    return ET.tostring(root, encoding="unicode")


def changed_lines(before, after):
    """The lines that are not in both."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind != "equal":
            yield from before[start:end]
            yield from after[new_start:new_end]


class TestCorpus(unittest.TestCase):
    host = "intel-ready"

    @classmethod
    def setUpClass(cls):
        try:
            cls.domains = corpus.domains()
        except corpus.Unavailable as reason:
            raise unittest.SkipTest(f"the corpus can't be fetched: {reason}") from None
        cls.failing = corpus.expected_failures()
        caps = CASES[cls.host][0]
        cls.daemon = cls.enterClassContext(OnHost(cls.host, caps))
        cls.judging = cls.connect(cls.daemon)
        # What comes of a definition is asked for again and again, and it is the schema's business.
        cls.connection = cls.connect(
            cls.enterClassContext(OnHost(cls.host, caps, NESTD_JUDGE="/bin/false")))

    @classmethod
    def connect(cls, daemon):
        connection = nestd.Connection(daemon.socket, nestd.REPLY_DEADLINE)
        cls.addClassCleanup(connection.close)
        return connection

    def ask(self, xml, enabled, connection=None):
        body = json.dumps({"xml": xml, "enabled": enabled})
        connection = connection or self.connection
        connection.request("POST", "/v1/plan", body, {"Content-Type": "application/json"})
        answer = nestd.Answer(connection.getresponse())
        self.assertIn(answer.status, (200, 400), answer)
        return answer.json

    def check_result(self, xml, plan, enabled):
        """A plan with a result does what it says and no more, once."""
        items = [item["id"] for item in plan["items"]]
        after = plan["xml"]
        self.assertEqual(after == xml, items == [])
        self.assertEqual(canonical(after, items), canonical(xml, items))
        for line in changed_lines(xml.splitlines(), after.splitlines()):
            self.assertRegex(line, TOUCHED)
        again = self.ask(after, enabled)
        self.assertEqual((again["verdict"], again["xml"]), ("no-change", after), again)
        return after

    def check_enabled(self, xml):
        root = tree(xml)
        name = "vmx" if root.get("type") == "kvm" else "svm"
        cpu = root.find("cpu")
        policies = [feature.get("policy") for feature in cpu.findall("feature")
                    if feature.get("name") == name]
        self.assertEqual((cpu.get("check"), policies), ("full", ["require"]))
        self.assertIn(cpu.get("mode"), ("host-passthrough", "maximum"))

    def check_disabled(self, xml):
        for feature in tree(xml).findall("cpu/feature"):
            if feature.get("name") in EXTENSIONS:
                self.assertIn(feature.get("policy"), ("disable", "forbid"))

    def check_refused(self, xml, plan):
        root = tree(xml)
        arch = root.find("os/type").get("arch", "x86_64") if root.find("os/type") is not None else ""
        detail = plan["problem"]["detail"]
        if arch not in ("", "x86_64"):
            self.assertIn(f"architecture {arch}", detail)
        elif root.get("type") not in ("kvm", "qemu"):
            self.assertIn(f"of type {root.get('type')}", detail)
        else:
            self.assertIn("on the command line", detail)

    def one(self, name, xml):
        """What becomes of one file, in a word."""
        plan = self.ask(xml, True, self.judging)
        if "verdict" not in plan:
            self.assertEqual(plan["kind"], "invalid-request", plan)
            self.assertTrue(name in self.failing or name in TAKEN_OUT or "-invalid" in name or
                            "is missing" in plan["detail"])
            said = plan["detail"].removeprefix("libvirt would refuse this definition: ")
            self.assertNotIn(said, ("", plan["detail"]))
            return "invalid" if re.match(r"line \d+|<\w+>|something in it", said) else "unparsed"
        if plan["verdict"] == "refused":
            self.check_refused(xml, plan)
            return "refused"
        hidden = self.check_result(xml, self.ask(xml, False), False)
        self.check_disabled(hidden)
        enabled = self.check_result(xml, plan, True)
        self.check_enabled(enabled)
        self.check_disabled(self.ask(enabled, False)["xml"])
        self.check_enabled(self.ask(hidden, True)["xml"])
        self.results[name] = (enabled, hidden)
        return plan["verdict"]

    def test_all(self):
        self.results = {}
        count = collections.Counter()
        for name, xml in self.domains.items():
            with self.subTest(name=name):
                count[self.one(name, xml)] += 1
        self.assertGreater(count["steps"], 500, count)
        self.assertGreater(count["refused"], 200, count)
        self.assertGreater(count["invalid"], 20, count)
        self.assertGreater(count["unparsed"], 40, count)
        doubts = [line for line in self.daemon.log().splitlines() if "was not asked" in line]
        self.assertEqual(doubts, [])
        self.check_schema()

    def check_schema(self):
        """libvirt's own tool takes all that came out."""
        with tempfile.TemporaryDirectory() as folder:
            for name, results in self.results.items():
                for number, result in enumerate(results):
                    file = pathlib.Path(folder, f"{number}-{name.replace('/', '-')}")
                    file.write_text(result)
            ended = subprocess.run(["xmllint", "--noout", "--relaxng", SCHEMA,
                                    *pathlib.Path(folder).glob("*.xml")], capture_output=True,
                                   text=True, timeout=nestd.OPERATION_DEADLINE, check=False)
        self.assertEqual(ended.returncode, 0, ended.stderr[-2000:])


if __name__ == "__main__":
    nestd.main()
