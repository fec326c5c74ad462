# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts that nobody else sees, and that end with the test."""

import ctypes
import os
import pathlib
import subprocess
import unittest

CLONE_NEWNS = 0x00020000


def mount(*words):
    subprocess.run(["mount", *words], check=True, capture_output=True)


def enter(hidden=()):
    """What is mounted from now on is seen by this process and its children only. hidden:
    directories that are empty from now on. Skips the test where that is not permitted."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest("mounting is not permitted here")
    try:
        mount("--make-rprivate", "/")
        mount("-t", "tmpfs", "none", "/mnt")
        for path in hidden:
            if pathlib.Path(path).is_dir():
                mount("-t", "tmpfs", "-o", "mode=0755", "none", path)
    except subprocess.CalledProcessError as error:
        raise unittest.SkipTest(f"mounting is not permitted here: {error.stderr}") from None
