# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes from this machine into a guest: files, the libraries of programs, and an archive of them."""

import pathlib
import re
import shutil
import subprocess


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def libraries_of(programs):
    told = subprocess.run(["ldd", *programs], check=True, stdout=subprocess.PIPE, text=True).stdout
    return sorted({pathlib.Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(", told, re.M)})


def archive(directory, path):
    """What is in directory is added to path, for a kernel to unpack."""
    names = "\n".join(str(entry.relative_to(directory)) for entry in sorted(directory.rglob("*")))
    with open(path, "ab") as stream:
        subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=directory,
                       input=names.encode(), stdout=stream, check=True)
