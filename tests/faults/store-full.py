#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file system that is full: writes are refused, reads go on, and once there is space again the
next write works, in the same process."""
import errno
import pathlib
import subprocess

from store_faults import (DRIVER, Found, Told, expect, in_own_mount_namespace, judge_exact, reopen)

in_own_mount_namespace()
root = pathlib.Path("/mnt")


class Driver:
    def __init__(self, directory):
        self.lines = []
        self.process = subprocess.Popen([DRIVER, str(directory)], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answer("open")

    def answer(self, word):
        start = len(self.lines)
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.split()[:2] in (["ok", word], ["failed", word]):
                return self.lines[start:]
        raise AssertionError(f"the driver ended: {self.lines[start:]}")

    def do(self, word):
        print(word, file=self.process.stdin, flush=True)
        return self.answer(word)

    def close(self):
        self.process.stdin.close()
        self.answer("close")
        expect(self.process.wait() == 0, self.process.returncode)


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            expect(error.errno == errno.ENOSPC, error)


def full_while_running():
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "none", root], check=True)
    driver = Driver(root)
    expect(driver.do("begin")[-1].startswith("ok"), driver.lines)
    for _ in range(3):
        fill(root / "filler")
        refused = [driver.do(word)[-1] for word in ["update", "sync"] + ["begin"] * 8]
        # The log has room for some more at first; then all are refused.
        expect(all(line.split()[2] == "store-full:" for line in refused[-4:]), refused)
        judge_exact(Found(driver.do("dump")), Told(driver.lines), "full")
        (root / "filler").unlink()
        expect(driver.do("begin")[-1].startswith("ok begin"), driver.lines)
        expect(driver.do("finish")[-1].startswith("ok finish"), driver.lines)
        judge_exact(Found(driver.do("dump")), Told(driver.lines), "after")
    driver.close()
    judge_exact(reopen(root, "reopened"), Told(driver.lines), "reopened")
    subprocess.run(["umount", root], check=True)


def full_at_start():
    """Whatever the space there is: made, or refused and made at the next start."""
    refused = 0
    for pages in range(0, 40, 2):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", root],
                       check=True)
        fill(root / "filler")
        with open(root / "filler", "r+b") as file:
            file.truncate((root / "filler").stat().st_size - pages * 4096)
        done = subprocess.run([DRIVER, root], input="dump", text=True, capture_output=True)
        told = Told(done.stdout.splitlines())
        expect(told.opened or told.failures == [("open", "store-full")], pages, done.stdout)
        refused += not told.opened
        (root / "filler").unlink()
        judge_exact(reopen(root, pages), Told([]), pages)
        subprocess.run(["umount", root], check=True)
    expect(0 < refused < 20, refused)
    return refused


full_while_running()
print("full while running: refused as store-full, and went on by itself")
print(f"full at the start: refused as store-full at {full_at_start()} of 20 sizes, made later")
