#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A power cut: an ext4 of its own is shut down, without flushing, under a store that works. What
was acknowledged until then has to be there after mounting it again."""
import pathlib
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


def cut(root, wait_for):
    """Runs the driver until the power goes; returns what it told."""
    words = " ".join(["begin", "update", "finish", "sync", "begin"] * 20000)
    with tempfile.TemporaryFile("w+") as script:
        script.write(words)
        script.seek(0)
        driver = subprocess.Popen([DRIVER, root / "state"], text=True, stdin=script,
                                  stdout=subprocess.PIPE)
        lines = [next(driver.stdout) for _ in range(wait_for)]
        subprocess.run(["xfs_io", "-x", "-c", "shutdown", root], check=True)
        driver.kill()
        lines += driver.stdout.readlines()
        driver.wait()
    return Told(line.strip() for line in lines)


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
