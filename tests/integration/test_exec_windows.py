# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands inside Windows, over an agent that plays it: it takes nestd's script apart, and the
command line as Microsoft's C runtime does, and carries out here what comes of that."""

import base64
import os
import re
import subprocess
import tempfile
import unittest

import nestd
import test_exec

import nest_windows
from nest_windows import decode, script_of

ROOT = "C:\\Windows"


def split(line):
    """The words of a command line; source: Microsoft, "Parsing C command-line arguments"."""
    words, word, quoted, i = [], None, False, 0
    while i < len(line):
        slashes = len(line[i:]) - len(line[i:].lstrip("\\"))
        i += slashes
        if line[i:i + 1] == '"':
            word = (word or "") + "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted = not quoted
        elif line[i:i + 1] in " \t" and line[i:] and not quoted:
            word = word + "\\" * slashes if word is not None or not slashes else "\\" * slashes
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + "\\" * slashes + line[i:i + 1]
        i += 1
    return words + ([word] if word is not None else [])


class Windows(nest_windows.Windows):
    """What is said to be run is run here, with its files below folder."""

    def __init__(self, agent, folder):
        super().__init__(agent, ROOT, folder)
        self.killed, self.programs = [], []

    def guest_exec(self, path, arg=(), capture_output=False, input_data=None):
        self.programs.append(path)
        if path == "cmd.exe" and arg[2] == "echo":
            return self.run("/bin/echo", [arg[3].replace("%SystemRoot%", ROOT) + "\r"], True)
        if path == "cmd.exe" and arg[2:5] == ["rd", "/s", "/q"]:
            return self.run("/bin/rm", ["-r", str(self.here(arg[5]))], True)
        if path == "taskkill.exe":
            self.killed.append(arg)
            return self.run("/bin/kill", ["-s", "KILL", arg[-1]], True)
        return self.start(script_of(path, arg), input_data)

    def start(self, script, data):
        members = {name: decode(text) for name, text in
                   re.findall(r"^\$m\.(\w+)=\(t '([^']*)'\)$", script, re.MULTILINE)}
        place = self.here(decode(re.search(r"^\$d=\(t '([^']*)'\)$", script, re.MULTILINE)[1]))
        environment = {decode(name): decode(text) for name, text in re.findall(
            r"SetEnvironmentVariable\(\(t '([^']*)'\),\(t '([^']*)'\)\)", script)}
        line = members.get("ArgumentList", "")
        if members["FilePath"] == "cmd.exe":
            words = ["/bin/sh", "-c", re.fullmatch(r'/d /s /c "(.*)"', line, re.DOTALL)[1]]
        else:
            words = [members["FilePath"], *split(line)]
        os.makedirs(place)
        with open(f"{place}/1", "wb") as out, open(f"{place}/2", "wb") as err:
            process = subprocess.Popen(
                words, stdout=out, stderr=err, cwd=members.get("WorkingDirectory"),
                env={**os.environ, **environment},
                stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL)
        self.agent.processes[process.pid] = process
        if data is not None:
            process.stdin.write(base64.b64decode(data))
            process.stdin.close()
        return {"pid": process.pid}


class ExecWindows(test_exec.Case):
    def setUp(self):
        super().setUp()
        self.inside = self.enterContext(tempfile.TemporaryDirectory())
        os.mkdir(f"{self.inside}/Temp")
        self.windows = Windows(self.agent, self.inside)

    def test_words(self):
        for words in [["a"], [""], ["a b", ""], ['"'], ["\\"], ["a\\"], ["a b\\"], ['a\\"b'],
                      ['a \\\\"'], ["a\\b c\\\\"], ["%PATH%", "^&|<>"], ["ä\n\tö"], ["$x", "`n"]]:
            status, out, _ = self.run_it("printf", "%s|", *words)
            self.assertEqual((status, out), (0, ("|".join(words) + "|").encode()), words)
        self.assertEqual(os.listdir(f"{self.inside}/Temp"), [])

    def test_all_else(self):
        self.assertEqual(
            self.run_it("sh", "-c", 'echo "$A|$PWD"; cat; echo e >&2; exit 7', cwd="/usr",
                        env=["A='\"$x\" ;=1"], input=base64.b64encode(b"\0in").decode()),
            (7, b"'\"$x\" ;=1|/usr\n\0in", b"e\n"))
        self.assertEqual(self.run_it("echo", '"a  b"', "&&", "exit", "3", shell=True),
                         (3, b"a  b\n", b""))
        self.assertEqual(self.run_it("sh", "-c", "seq 100000")[1],
                         b"".join(b"%d\n" % n for n in range(1, 100001)))

    def test_refused(self):
        self.assertEqual(self.run_it("C:\\x.BAT", "&calc")[0]["kind"], "invalid-request")
        self.assertEqual(self.run_it("a", "x" * 20000)[0]["kind"], "too-large")
        self.agent.guest_exec = lambda **_: (_ for _ in ()).throw(OSError("no such program"))
        self.assertEqual(self.run_it("a")[0]["kind"], "vm-unfit")

    def test_aborted(self):
        with self.asked("sleep", "1000"):
            test_exec.eventually(lambda: "powershell.exe" in self.windows.programs)
            test_exec.eventually(lambda: self.agent.processes)
        test_exec.eventually(lambda: self.windows.killed and not self.agent.processes)
        self.assertEqual(self.windows.killed[0][:3], ["/f", "/t", "/pid"])
        test_exec.eventually(lambda: not os.listdir(f"{self.inside}/Temp"))

    def test_an_exception(self):
        self.agent.instead = lambda command, arguments: (
            {"return": {"exited": True, "signal": 0xC0000005}}
            if command == "guest-exec-status" and "powershell.exe" in self.windows.programs
            else None)
        self.assertEqual(self.run_it("true")[0], 0xC0000005)


class ShellInLinux(test_exec.Case):
    def test_shell(self):
        self.assertEqual(self.run_it("echo", '"a  b"', "&&", "exit", "3", shell=True),
                         (3, b"a  b\n", b""))
        self.assertEqual(self.run_it("echo $A", env=["A=1"], shell=True), (0, b"1\n", b""))


if __name__ == "__main__":
    nestd.main()
