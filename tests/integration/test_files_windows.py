# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files put into Windows and got out of it, over an agent that plays it: it takes nestd's scripts
for PowerShell apart, and carries out here what they are for."""

import base64
import hashlib
import os
import re
import unittest

import nestd
import test_files
from test_files import BIG

import nest_windows
from nest_windows import decode, script_of

ROOT = "C:\\Data"


class Windows(nest_windows.Windows):
    def __init__(self, agent, folder):
        super().__init__(agent, ROOT, folder)
        self.scripts = []

    def guest_exec(self, path, arg=(), capture_output=False, input_data=None):
        script = script_of(path, arg)
        self.scripts.append(script)
        try:
            said, status = self.carry_out(script), 0
        except OSError as error:
            said, status = str(error), 1
        return self.run("/bin/sh", ["-c", 'printf %s "$1" >&$2; exit $3', "sh", said,
                                    str(1 + status), str(status)], True)

    def carry_out(self, script):
        """Which one it is, is told by what only that one has."""
        texts = {name: decode(text) for name, text in
                 re.findall(r"^\$(\w)=\(t '([^']*)'\)$", script, re.MULTILINE)}
        if "Remove-Item" in script:
            return self.remove(texts["d"])
        size = int(re.search(r"^\$n=\[long\](\d+)$", script, re.MULTILINE)[1])
        if "::CreateNew" in script:
            return self.prepare(texts["p"], texts["f"], size, "::ReparsePoint" in script)
        if "::Replace(" in script:
            sha256 = re.search(r"^\$h='(\w+)'$", script, re.MULTILINE)[1]
            return self.finish(texts["p"], texts["f"], size, sha256)
        return self.sum(texts["f"], size)

    def remove(self, path):
        try:
            self.here(path).unlink()
        except FileNotFoundError:
            return ""
        return "gone"

    def prepare(self, part, path, size, looks_for_links):
        file = self.here(path)
        if looks_for_links and file.is_symlink():
            raise OSError(f"{path} is a link")
        if not file.parent.is_dir():
            raise OSError(f"there is no folder {path.rpartition(chr(92))[0]}")
        if file.is_dir():
            raise OSError(f"{path} is no ordinary file")
        if size > 1 << 30:
            raise OSError(f"it needs {size} bytes, and 1073741824 bytes are free")
        os.close(os.open(self.here(part), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return ""

    def finish(self, part, path, size, sha256):
        data = self.here(part).read_bytes()
        if len(data) != size:
            raise OSError(f"{len(data)} of {size} bytes have arrived")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise OSError("its SHA-256 is another one")
        self.here(part).replace(self.here(path))
        return "sha256 -"

    def sum(self, path, size):
        data = self.here(path).read_bytes()
        return f"{len(data)} - {hashlib.sha256(data[:size]).hexdigest()}"


class FilesInWindows(test_files.Case):
    def setUp(self):
        super().setUp()
        self.windows = Windows(self.agent, self.inside)

    def url(self, path=None):
        path = path or f"{ROOT}\\{self.file.name}"
        return f"{test_files.FILE}?path={str(path).replace(' ', '%20')}"

    def test_put_and_get(self):
        for data in b"", b"\0\xff\n" * 100, BIG:
            told = {"path": f"{ROOT}\\a file", "size": len(data), "mode": None,
                    "verified": "sha256", "sha256": hashlib.sha256(data).hexdigest()}
            self.assertEqual(self.put(data), (200, told))
            self.assertEqual(self.file.read_bytes(), data)
            self.assertEqual(self.names(), [self.file.name])
            self.assertEqual(self.get(), (data, told))
        self.assertEqual(self.agent.files, {})

    def test_nothing_of_others_is_script(self):
        path = ROOT + "\\'; calc #$(calc)`n & calc"
        self.assertEqual(self.put(b"x", path.replace("#", "%23").replace("&", "%26"))[0], 200)
        for script in self.windows.scripts:
            self.assertNotIn("calc", script)

    def test_refused(self):
        self.file.write_bytes(b"old")
        self.assert_refused(self.put(b"x", "/a"), 400, "invalid-request", "begins with a drive")
        self.assert_refused(self.put(b"x", "C:\\a:b"), 400, "invalid-request")
        self.assert_refused(self.put(b"x", query="&mode=644"), 409, "unsupported", "no mode")
        self.assert_refused(self.put(b"x", ROOT + "\\no\\file"), 409, "vm-unfit", "no folder")
        (self.inside / "folder").mkdir()
        self.assert_refused(self.put(b"x", ROOT + "\\folder"), 409, "vm-unfit", "no ordinary file")
        self.assert_refused(test_files.Files.declare(self, 2 << 30, ROOT + "\\x"), 409, "vm-unfit",
                            "are free")
        self.assertEqual(self.get("/a")[1]["kind"], "invalid-request")
        self.assertIn("No such file", self.get(ROOT + "\\none")[1]["detail"])
        self.assertEqual(self.names(), [self.file.name, "folder"])

    def test_link(self):
        """It would be replaced in place of what it leads to."""
        (self.inside / "target").write_bytes(b"old")
        self.file.symlink_to("target")
        self.assert_refused(self.put(b"x"), 409, "vm-unfit", "is a link")
        self.assertEqual(self.names(), [self.file.name, "target"])
        self.assertEqual(self.get()[0], b"old")

    def test_windows_path_elsewhere(self):
        self.agent.os = {"id": "debian", "kernel-release": "6.1"}
        self.assert_refused(self.put(b"x"), 400, "invalid-request", "begins with /")

    def test_another_in_the_guest(self):
        def instead(command, arguments):
            if command == "guest-file-write":
                self.agent.guest_file_write(arguments["handle"], base64.b64encode(bad).decode())
                return {"return": {"count": 3, "eof": False}}
            return None
        self.file.write_bytes(b"old")
        self.agent.instead = instead
        for bad, said in (b"no", "2 of 3 bytes"), (b"nay", "SHA-256"):
            self.assert_refused(self.put(b"yes"), 409, "vm-unfit", said)
            self.assertEqual((self.names(), self.file.read_bytes()), ([self.file.name], b"old"))

    def test_it_changes(self):
        def instead(command, _):
            if command == "guest-file-close":
                self.file.write_bytes(change)
        self.agent.instead = instead
        for change, kind in (b"other", "not-verified"), (b"old, grown", None):
            self.file.write_bytes(b"old")
            self.assertEqual(self.get()[1].get("kind"), kind)

    def test_nestctl(self):
        outside = self.enterContext(test_files.tempfile.TemporaryDirectory())
        with open(f"{outside}/local", "wb") as file:
            file.write(b"\0in")
        done = test_files.Files.nestctl(self, "push", "vm", f"{outside}/local", ROOT + "\\")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.inside / "local").read_bytes(), b"\0in")
        os.unlink(f"{outside}/local")
        done = test_files.Files.nestctl(self, "pull", "vm", ROOT + "\\local", outside)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.listdir(outside), ["local"])


if __name__ == "__main__":
    nestd.main()
