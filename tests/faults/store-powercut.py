#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A power cut: an ext4 of its own is shut down, without flushing, under a store that works. What
was acknowledged until then has to be there after mounting it again."""
import os
import re
import shutil
import subprocess
import tempfile

from store_faults import (DRIVER, Directory, Told, expect, in_own_mount_namespace,
                          judge_acknowledged, reopen, skip)

LINES = [4, 400, 1000]  # to wait for before the cut; after 4 the first operation was begun

for tool in ("mkfs.ext4", "xfs_io"):
    if shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        skip(f"{tool} is not installed")
in_own_mount_namespace()


def mount(image, root):
    done = subprocess.run(["mount", "-o", "loop", image, root], capture_output=True, text=True)
    if done.returncode != 0:
        skip(f"a loop device can't be mounted: {done.stderr.strip()}")


def read_lines(pipe, wait_for):
    """Reads at least so many lines, and whatever more is there."""
    text = b""
    while text.count(b"\n") < wait_for:
        text += os.read(pipe.fileno(), 1 << 16)
    os.set_blocking(pipe.fileno(), False)
    text += pipe.read() or b""
    os.set_blocking(pipe.fileno(), True)
    return text


def cut(root, wait_for):
    """Runs the driver until the power goes; returns what it told until then. What it tells while
    the file system is being shut down is in doubt: Linux lets an fdatasync that meets the shutdown
    return 0 for data that is lost, with a plain file too. A process without power tells nothing."""
    with tempfile.TemporaryFile("w+") as script:
        script.write(" ".join(["begin", "update", "finish", "sync", "begin"] * 20000))
        script.seek(0)
        driver = subprocess.Popen([DRIVER, root / "state"], stdin=script, bufsize=0,
                                  stdout=subprocess.PIPE)
        before = read_lines(driver.stdout, wait_for)
        subprocess.run(["xfs_io", "-x", "-c", "shutdown", root], check=True)
        driver.kill()
        after = driver.stdout.read()
        driver.wait()
    told = Told(before.decode().splitlines())
    told.doubtful += re.findall(r"^try (\w+)$", after.decode(), re.MULTILINE)
    return told


total = 0
with Directory(in_memory=False) as directory:
    image, root = directory / "image", directory / "root"
    root.mkdir()
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True,
                   env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})
    for number, wait_for in enumerate(LINES):
        mount(image, root)
        shutil.rmtree(root / "state", ignore_errors=True)
        told = cut(root, wait_for)
        subprocess.run(["umount", root], check=True)
        mount(image, root)
        judge_acknowledged(reopen(root / "state", number), told, number)
        subprocess.run(["umount", root], check=True)
        total += len(told.states)
        expect(len(told.states) > wait_for // 10, "too few operations", told.states)
print(f"{len(LINES)} power cuts, {total} operations acknowledged before them, none lost")
