# SPDX-License-Identifier: LGPL-2.1-or-later
"""Man page and completion say what the table of commands says, and completion completes."""
import os
import re
import subprocess
import unittest

import fixtures as f
from harness import NESTCTL, SECONDS, CliTest, environment
from stub import Answer

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
GLOBAL = "-"
DAEMON_ONLY = {"NEST_ERROR_ALREADY_RUNNING", "NEST_ERROR_CONFIG"}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def table():
    """Verb to its set of options, as the program has them."""
    out = subprocess.run([NESTCTL, "help", "--commands"], capture_output=True, text=True,
                         timeout=SECONDS, env=environment(), check=True).stdout
    commands = {}
    for line in out.splitlines():
        verb, _, options, summary = line.split(";")
        assert summary
        commands[verb] = {option.split("=")[0] for option in options.split()}
    return commands


def section(page, name):
    return re.search(rf"^# {name}\n(.*?)(?=^# |\Z)", page, re.M | re.S).group(1)


class ManPage(unittest.TestCase):
    def setUp(self):
        self.page = read("docs", "nestctl.1.scd")
        self.commands = table()

    def entries(self):
        """Verb to the options that its entry has in bold."""
        text = section(self.page, "COMMANDS")
        parts = re.split(r"^\*([a-z -]+)\*(?=.*\n\t)", text, flags=re.M)
        return {verb: set(re.findall(r"\*(--?[a-z][a-z-]*)\*", body.split("*--no-wait* returns")[0]))
                for verb, body in zip(parts[1::2], parts[2::2])}

    def test_commands_and_options(self):
        entries = self.entries()
        self.assertEqual(set(entries), set(self.commands) - {GLOBAL})
        for verb, options in entries.items():
            self.assertEqual(options, self.commands[verb], verb)

    def test_global_options(self):
        found = re.findall(r"^\*(--?[a-z-]+)\*(?:, \*(--[a-z-]+)\*)?", section(
            self.page, "OPTIONS"), re.M)
        self.assertEqual({o for pair in found for o in pair if o}, self.commands[GLOBAL])

    def test_exit_statuses(self):
        rows = re.findall(r"\[(NEST_ERROR_\w+)\] = \{\"[^\"]+\", \d+, (\d+),",
                          read("lib", "nest-error.c"))
        self.assertGreater(len(rows), 30)
        expected = {int(status) for code, status in rows if code not in DAEMON_ONLY}
        found = {int(s) for s in re.findall(r"\*(\d+)\*\n", section(self.page, "EXIT STATUS"))}
        self.assertEqual(found, expected | {0, 130, 141})

    def test_the_names_of_powershell_are_named(self):
        for name in ("Enable-NestedVm", "Get-NestedVirtStatus"):
            self.assertIn(f"*{name}* is another", re.sub(r"\s+", " ", self.page))


class Completion(CliTest):
    def complete(self, *words):
        """What bash would offer for the last of words."""
        script = ("source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "
                  "compopt() { :; }; _nestctl \"$1\"; printf '%s\\n' \"${COMPREPLY[@]}\"")
        ended = subprocess.run(
            ["bash", "-c", script, "bash", os.path.join(ROOT, "packaging/completions/nestctl"),
             os.path.abspath(NESTCTL), *words], capture_output=True, text=True, timeout=SECONDS,
            cwd=self.folder, env=environment(NESTD_SOCKET=self.stub.path), check=True)
        self.assertEqual(ended.stderr, "")
        lines = ended.stdout.split("\n")
        self.assertEqual(len(lines), len(set(lines)) + (lines == ["", ""]))
        return set(lines) - {""}

    def test_verbs_and_options_are_those_of_the_table(self):
        commands = table()
        firsts = {verb.split()[0] for verb in commands if verb != GLOBAL}
        self.assertEqual(self.complete(""), firsts)
        self.assertEqual(self.complete("help", ""), firsts)
        seconds = {verb.split()[1] for verb in commands if verb.startswith("host ")}
        self.assertEqual(self.complete("host", ""), seconds)
        self.assertEqual(self.complete("--json", "host", "f"), {"fix"})
        self.assertEqual(self.complete("help", "host", ""), seconds)
        for verb, options in commands.items():
            if verb != GLOBAL:
                self.assertEqual(self.complete(*verb.split(), "-"), options | commands[GLOBAL])
        self.assertEqual(self.complete("sta"), {"status", "start"})

    def test_names(self):
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [
            f.summary("DemoVM"), f.summary("Demo2"), f.summary("other"),
            f.summary("Demo$(touch pwned)")]})
        offered = self.complete("show", "Demo")
        self.assertEqual(offered, {"DemoVM", "Demo2", r"Demo\$\(touch\ pwned\)"})
        self.assertFalse(os.path.exists(os.path.join(self.folder, "pwned")))
        self.assertEqual(self.complete("--json", "enable", "--yes", "oth"), {"other"})
        self.assertEqual(self.complete("--host", "h", "enable", "oth"), set())
        self.assertEqual(self.complete("--socket", "/nonexistent", "enable", ""), set())
        self.assertEqual(self.complete("list", ""), set())

    def test_names_of_checks(self):
        self.stub.routes["GET /v1/checks"] = Answer({"checks": [
            f.info("host.arch"), f.info("net.spoof")]})
        self.assertEqual(self.complete("explain", "h"), {"host.arch"})

    def test_values(self):
        self.assertEqual(self.complete("check", "--scope", ""), {"host", "vm", "net", "guest"})
        self.assertEqual(self.complete("create", "--accel", ""), {"auto", "kvm", "tcg"})
        self.assertEqual(self.complete("create", "--accel", "=", "t"), {"tcg"})
        self.assertEqual(self.complete("create", "--accel", "="), {"auto", "kvm", "tcg"})
        with open(os.path.join(self.folder, "a.iso"), "w", encoding="utf-8"):
            pass
        self.assertEqual(self.complete("create", "--iso", "a"), {"a.iso"})
        self.assertEqual(self.complete("plan", "--xml", ""), {"a.iso", "s"})
        self.assertEqual(self.complete("create", "--network", ""), {"none", "user"})
        self.assertEqual(self.complete("guest", "push", "--mode", ""), {"keep"})

    def test_operands_by_their_place(self):
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [f.summary("DemoVM")]})
        vm, files = {"DemoVM"}, {"s"}
        for words, offered in (
                (["guest", "push"], vm), (["guest", "push", "DemoVM"], files),
                (["guest", "push", "--mode", "0600", "DemoVM"], files),
                (["guest", "push", "DemoVM", "file"], set()),
                (["guest", "pull", "DemoVM"], set()), (["guest", "pull", "DemoVM", "/f"], files),
                (["start", "--reason", "a", "--force"], vm), (["start", "DemoVM"], set()),
                (["trust", "DemoVM"], {"trusted", "untrusted"}), (["memory", "DemoVM"], set()),
                (["status", "DemoVM"], vm), (["guard"], {"restore", "migrate-in"}), (["migrate", "DemoVM"], set()),
                (["exec"], vm), (["exec", "DemoVM", "--"], set())):
            with self.subTest(words):
                self.assertEqual(self.complete(*words, ""), offered)


if __name__ == "__main__":
    unittest.main()
