# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans for definitions that are defined nowhere: the API, nestctl plan, and bad input."""

import itertools
import json
import subprocess
import tempfile
import unittest

import nestd
from fake import Fake

PLAIN = """<?xml version="1.0" encoding="UTF-8"?>
<!-- kept in git -->
<domain type="qemu" xmlns:x="urn:example">
\t<name>from-git</name>
\t<memory unit='MiB'>2048</memory>
\t<vcpu>2</vcpu>
\t<metadata><x:note a="&lt;1&gt;"><![CDATA[<cpu mode="x"/> & more]]></x:note></metadata>
\t<os><type arch="x86_64">hvm</type></os>
\t<devices>
\t\t<interface type="bridge">
\t\t\t<source bridge="br0"/>
\t\t\t<filterref filter="clean-traffic"/>
\t\t</interface>
\t</devices>
</domain>
"""
LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE domain [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<domain type="kvm"><name>&d;</name><memory>1</memory></domain>"""
MIB = 1024 * 1024


class TestPlan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def ask(self, xml, enabled=True, **more):
        return self.daemon.request("POST", "/v1/plan", {"xml": xml, "enabled": enabled, **more})

    def plan(self, xml, verdict, enabled=True, **more):
        answer = self.ask(xml, enabled, **more)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["verdict"], verdict, answer)
        self.assertEqual(answer.json["xml"] is None, verdict == "refused")
        return answer.json

    def refused(self, xml, status, kind, words):
        answer = self.ask(xml)
        self.assertEqual((answer.status, answer.json["kind"]), (status, kind), answer)
        self.assertIn(words, answer.json["detail"])

    def test_only_what_the_plan_says(self):
        plan = self.plan(PLAIN, "steps")
        self.assertEqual([item["id"] for item in plan["items"]],
                         ["extensions", "dynamic-memory", "mac-spoofing", "memory"])
        self.assertEqual((plan["name"], plan["uuid"]), ("from-git", None))
        expected = PLAIN
        for old, new in (
                ("<memory unit='MiB'>2048<", "<memory unit='MiB'>4194304<"),
                ("</os>\n", "</os>\n\t<cpu mode='maximum' check='full' migratable='on'>\n"
                 "\t\t<feature policy='require' name='svm'/>\n\t</cpu>\n"),
                ("\n\t\t\t<filterref filter=\"clean-traffic\"/>", ""),
                ("\t</devices>", "\t\t<memballoon model='none'/>\n\t</devices>")):
            self.assertIn(old, expected)
            expected = expected.replace(old, new)
        got = plan["xml"].replace("<memory unit='KiB'>", "<memory unit='MiB'>")
        self.assertEqual(got, expected)

    def test_twice_is_once_and_back(self):
        made = self.plan(PLAIN, "steps")["xml"]
        again = self.plan(made, "no-change")
        self.assertEqual((again["xml"], again["items"]), (made, []))
        hidden = self.plan(made, "steps", enabled=False)["xml"]
        self.assertEqual(self.plan(hidden, "no-change", enabled=False)["xml"], hidden)
        self.assertEqual(self.plan(hidden, "steps")["xml"].count("policy='require' name='svm'"), 1)

    def test_declined(self):
        plan = self.plan(PLAIN, "steps", decline=["memory", "mac-spoofing"])
        self.assertEqual([item["id"] for item in plan["items"]], ["extensions", "dynamic-memory"])
        self.assertEqual(len(plan["warnings"]), 2)
        self.assertIn("clean-traffic", plan["xml"])
        self.assertIn(">2048<", plan["xml"])
        self.plan(PLAIN, "refused", decline=["extensions"])

    def test_nothing_is_defined(self):
        before = self.daemon.get("/v1/vms")
        calls = len(self.daemon.host.calls())
        self.plan(PLAIN, "steps")
        made = {call[0] for call in self.daemon.host.calls()[calls:]}
        self.assertIn("check", made)
        self.assertFalse(made & {"define", "redefine", "undefine", "start", "stop", "boot"}, made)
        self.assertEqual(self.daemon.get("/v1/vms"), before)

    def test_for_another_host(self):
        """What keeps this host from nesting does not matter there."""
        kvm = PLAIN.replace('"qemu"', '"kvm"')
        for extension in ("vmx", "svm"):
            plan = self.plan(kvm, "steps", extension=extension)
            self.assertIn(f"name='{extension}'", plan["xml"])
            self.assertEqual(self.plan(plan["xml"], "no-change", extension=extension)["xml"],
                             plan["xml"])
            back = self.plan(plan["xml"], "steps", False, extension=extension)
            self.assertNotIn("policy='require'", back["xml"])
        self.assertIn("name='svm'", self.plan(PLAIN, "steps", extension="vmx")["xml"])
        self.assertEqual(self.ask(kvm, extension="ept").json["kind"], "invalid-request")

    def test_other_machines(self):
        for old, new, words in (("x86_64", "aarch64", "architecture aarch64"),
                                ('type="qemu"', 'type="xen"', "type xen"),
                                ('type="qemu"', 'type="hvf"', "type hvf")):
            plan = self.plan(PLAIN.replace(old, new), "refused")
            self.assertIn(words, plan["problem"]["detail"])
            self.assertIn("from-git", plan["problem"]["detail"])
        self.plan(PLAIN.replace(' arch="x86_64"', ""), "steps")

    def test_what_libvirt_would_refuse(self):
        for old, new, words in (
                ('bridge="br0"', 'brdige="br0"', "line 11: <source> in <interface>"),
                ('type="bridge"', 'type="bridged"', "line 10: <interface> in <devices>"),
                ("<devices>", "<devices><disc/>", "line 9: <disc> in <devices>"),
                ("<name>from-git</name>", "", "something in it is missing"),
                ("</domain>", "", "line "), ("2048", "lots", "<memory>"),
                ("2048", "99999999999999999999", "<memory>")):
            with self.subTest(new=new):
                self.refused(PLAIN.replace(old, new, 1), 400, "invalid-request", words)
        self.refused("<network/>", 400, "invalid-request", "root is not <domain>")
        self.refused("", 400, "invalid-request", "it is empty")
        self.refused("nonsense", 400, "invalid-request", "not a usable domain definition")

    def test_laughs(self):
        self.refused(LAUGHS, 400, "invalid-request", "document type declarations")

    def test_no_xml_or_no_json(self):
        for body in ({"enabled": True}, {"xml": 1, "enabled": True}, {"xml": PLAIN},
                     {"xml": PLAIN, "enabled": True, "plan": "x"}):
            answer = self.daemon.request("POST", "/v1/plan", body)
            self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"))

    def test_large(self):
        """5 MiB come through, one byte more does not, and other routes take no more than before."""
        for filler in ("x", "é", "\n"):
            comment = "<!--%s-->" % (filler * ((5 * MIB - len(PLAIN) - 7) // len(filler.encode())))
            plan = self.plan(PLAIN + comment, "steps")
            self.assertTrue(plan["xml"].endswith(comment))
        self.refused(PLAIN + "<!--%s-->" % ("x" * 5 * MIB), 413, "too-large", "5 MiB")
        body = b'{"xml":"' + b"x" * 15 * MIB + b'"}'
        answer = self.daemon.request("POST", "/v1/plan", body)
        self.assertEqual(answer.status, 413, answer)
        answer = self.daemon.request("PUT", "/v1/vms/x/nested", b"x" * (MIB + 1))
        self.assertEqual(answer.status, 413, answer)

    def test_many_elements(self):
        disks = ["<disk type='block'><source dev='/x'/><target dev='vd%s'/></disk>" % "".join(name)
                 for name in itertools.product("abcdefghijklmnopqrst", repeat=3)]
        self.plan(PLAIN.replace("<devices>", "<devices>" + "".join(disks[:1000])), "steps")
        self.refused(PLAIN.replace("<devices>", "<devices>" + "".join(disks[:7000])), 413,
                     "too-large",
                     "20000 elements")

    def test_clash(self):
        disk = "<disk type='block'><source dev='/x'/><target dev='vda'/></disk>"
        self.refused(PLAIN.replace("<devices>", "<devices>" + disk * 2), 400, "invalid-request",
                     "another device has it too")

    def test_schema_unreadable(self):
        self.daemon.host.control("check:*:HYPERVISOR:no schema")
        answer = self.ask(PLAIN)
        self.daemon.host.control()
        self.assertEqual((answer.status, answer.json["kind"]), (502, "hypervisor"), answer)


class TestCommand(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def plan(self, content, *words):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content.encode())
            file.flush()
            by_name = self.daemon.nestctl("plan", "--xml", file.name, *words)
            with open(file.name) as stdin:
                piped = self.daemon.nestctl("plan", "--xml", "-", *words, stdin=stdin)
        self.assertEqual((by_name.returncode, by_name.stdout), (piped.returncode, piped.stdout))
        return by_name

    def test_pipe(self):
        ended = self.plan(PLAIN)
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("To enable nesting, from-git will be changed:", ended.stderr)
        self.assertTrue(ended.stdout.startswith("<?xml version"), ended.stdout)
        again = self.plan(ended.stdout)
        self.assertEqual((again.returncode, again.stdout), (0, ended.stdout))
        self.assertIn("from-git is already set up for nesting.", again.stderr)
        hidden = self.plan(ended.stdout, "--disable")
        self.assertIn("policy='disable' name='svm'", hidden.stdout)
        left = self.plan(PLAIN, "--no-memory", "--no-mac-spoofing")
        self.assertIn("clean-traffic", left.stdout)
        self.assertIn(">2048<", left.stdout)

    def test_bytes(self):
        """What is not changed is not touched: no new line is added, no carriage return lost."""
        odd = PLAIN.replace("\n", "\r\n").strip() + "<!-- é \U0001f600 -->"
        made = self.plan(odd, "--json")
        xml = json.loads(made.stdout)["xml"]
        with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryFile() as out:
            file.write(xml.encode())
            file.flush()
            subprocess.run([nestd.NESTCTL, "plan", "--xml", file.name], stdout=out, check=True,
                           timeout=nestd.REPLY_DEADLINE, stderr=subprocess.DEVNULL,
                           env={"NESTD_SOCKET": str(self.daemon.socket)})
            out.seek(0)
            self.assertEqual(out.read(), xml.encode())

    def test_json(self):
        ended = self.plan(PLAIN, "--json")
        plan = json.loads(ended.stdout)
        self.assertEqual(len(plan["items"]), 4)
        self.assertIn("maximum", plan["xml"])

    def test_failures(self):
        ended = self.plan(PLAIN.replace("x86_64", "aarch64"))
        self.assertEqual((ended.returncode, ended.stdout), (10, ""), ended)
        ended = self.plan(PLAIN.replace("hvm", "wrong"))
        self.assertEqual((ended.returncode, ended.stdout), (2, ""), ended)
        self.assertIn("libvirt would refuse this definition", ended.stderr)
        for words, text in ((("--xml", "/does/not/exist"), "can't be read"),
                            (("--xml", "/"), "can't be read"),
                            (("--xml", ""), "a file without a name can't be read"),
                            (("--xml", "/dev/zero"), "more than 5 MiB"),
                            ((), "needs --xml"), (("--xml", "-", "x"), "no operands")):
            ended = self.daemon.nestctl("plan", *words)
            self.assertEqual((ended.returncode, ended.stdout), (2, ""), ended)
            self.assertIn(text, ended.stderr)


if __name__ == "__main__":
    nestd.main()
