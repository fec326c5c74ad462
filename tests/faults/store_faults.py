# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the fault tests of the store share: running the driver, and judging what it left."""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

DRIVER = sys.argv[1]
# strace counts each call by itself, so that every loop is one over these and one over when=.
WRITES = ["pwrite64", "fdatasync", "fsync"]
STATE_CHANGES = WRITES + ["unlink", "ftruncate", "rename", "openat"]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


# The leak sanitizer can't work in a process that is traced, and ends it.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"


def need_strace():
    if shutil.which("strace") is None:
        skip("strace is not installed")
    probe = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"],
                           capture_output=True, text=True)
    if probe.returncode != 0:
        skip(f"strace is not permitted here: {probe.stderr.strip()}")


def in_own_mount_namespace():
    """Starts the script anew where its mounts are seen by nobody and vanish with it."""
    if os.environ.get("NEST_OWN_MOUNTS") == "1":
        return
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                           capture_output=True, text=True)
    if probe.returncode != 0:
        skip(f"mounting is not permitted here: {probe.stderr.strip()}")
    os.environ["NEST_OWN_MOUNTS"] = "1"
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


class Directory:
    """An empty directory for a store, gone at the end; in memory where that makes no difference
    but in time."""

    def __init__(self, in_memory=True):
        self.parent = "/dev/shm" if in_memory and os.access("/dev/shm", os.W_OK) else None

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="nest-faults-", dir=self.parent))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def drive(directory, words, inject=None, migrate=False, log="/dev/null"):
    """Runs the driver; inject is what follows strace's -e inject=, log gets the calls it is
    about. Returns (exit status, lines); the status is negative where a signal ended it."""
    command = [DRIVER, str(directory)] + (["migrate"] if migrate else [])
    if inject is not None:
        call = inject.partition(":")[0]
        command = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}",
                   "-e", "signal=none", "-e", f"inject={inject}"] + command
    done = subprocess.run(command, input=" ".join(words), capture_output=True, text=True,
                          timeout=30)
    if "CRITICAL" in done.stderr or "ERROR" in done.stderr:
        raise AssertionError(done.stderr)
    return done.returncode, done.stdout.splitlines()


class Told:
    """What the lines of a run acknowledge."""

    def __init__(self, lines):
        self.states = {}  # id of operation -> state
        self.synced = 0
        self.failures = []  # (what, kind)
        self.doubtful = []  # what was tried and not acknowledged, also after a failure
        self.opened = self.closed = False
        doing = None
        for line in lines:
            verb, _, rest = line.partition(" ")
            if verb == "try":
                doing = rest
            elif verb == "ok":
                self.acknowledge(rest.split())
                doing = None
            elif verb == "failed":
                what, kind = rest.split(":")[0].split()
                self.failures.append((what, kind))
                self.doubtful.append(what)
                doing = None
        if doing is not None:
            self.doubtful.append(doing)

    def acknowledge(self, words):
        what, number = words[0], int(words[1]) if len(words) > 1 else 0
        states = {"begin": "pending", "update": "running", "finish": "done"}
        if what in states:
            self.states[number] = states[what]
        elif what == "sync":
            self.synced = number
        elif what == "open":
            self.opened = True
        elif what == "close":
            self.closed = True


class Found:
    """What a dump shows."""

    def __init__(self, lines):
        rows = [line.split() for line in lines]
        self.states = {int(row[1]): row[2] for row in rows if row[0] == "operation"}
        self.unfinished = [int(row[1]) for row in rows if row[0] == "unfinished"]
        self.torn = [row for row in rows if row[0] == "unfinished" and row[2] != "whole"]
        self.synced = max([int(row[1]) for row in rows if row[0] == "vm" and row[1].isdigit()],
                          default=0)


def expect(condition, *about):
    if not condition:
        raise AssertionError(" | ".join(str(item) for item in about))


def judge_whole(found, about):
    """What has to hold whatever happened."""
    open_ones = sorted(i for i, state in found.states.items() if state in ("pending", "running"))
    expect(found.unfinished == open_ones, about, "unfinished", found.unfinished, found.states)
    expect(not found.torn, about, "torn intents", found.torn)


def judge_exact(found, told, about):
    expect(found.states == told.states, about, "found", found.states, "told", told.states)
    expect(found.synced == told.synced, about, "synced", found.synced, told.synced)
    judge_whole(found, about)


def judge_acknowledged(found, told, about):
    """All that was acknowledged is there; beyond that only what was tried."""
    order = ["pending", "running", "done"]
    for number, state in told.states.items():
        expect(number in found.states, about, f"operation {number} is lost", found.states)
        later = order.index(found.states[number]) - order.index(state)
        allowed = [later == 0, later > 0 and {"update", "finish"} & set(told.doubtful)]
        expect(any(allowed), about, f"operation {number}", found.states[number], state)
    more = set(found.states) - set(told.states)
    expect(len(more) <= told.doubtful.count("begin"), about, "operations nobody began", more)
    expect(told.synced <= found.synced <= told.synced + told.doubtful.count("sync"), about,
           "synced", found.synced, told.synced)
    judge_whole(found, about)


def reopen(directory, about, migrate=False):
    """Opens without faults, and looks at the file with other eyes too."""
    status, lines = drive(directory, ["dump", "begin", "finish"], migrate=migrate)
    expect(status == 0 and not Told(lines).failures, about, "reopened", lines)
    database = sqlite3.connect(directory / "nestd.db")
    for check in ("integrity_check", "foreign_key_check"):
        rows = database.execute(f"PRAGMA {check}").fetchall()
        expect(rows in ([], [("ok",)]), about, check, rows)
    database.close()
    return Found(lines)
