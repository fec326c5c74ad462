#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lets every single write to the disk fail, once and from then on, with each error that matters:
the call fails with the right kind, nothing of it is there, and writing goes on by itself."""
from store_faults import (WRITES, Directory, Found, Told, drive, expect, judge_acknowledged,
                          judge_exact, need_strace, reopen)

WORDS = ["begin", "update", "sync", "finish", "begin", "dump", "update", "finish", "begin", "dump"]
# error -> (kind, one of how many points with a single failure, the same with lasting failure)
ERRORS = {
    "EIO": ("store", 1, 4),
    "ENOSPC": ("store-full", 1, 4),
    "EDQUOT": ("store-full", 9, 19),
    "EROFS": ("store-full", 9, 19),
}


def judge_failures(told, kind, about):
    for what, got in told.failures:
        # What follows a begin that failed has nothing to work on.
        expect(got == kind or (got == "operation-not-found" and what in ("update", "finish")),
               about, what, got)


def fail_once(error, kind, call, number):
    about = f"{error} once at {call} {number}"
    with Directory() as directory:
        status, lines = drive(directory, WORDS, inject=f"{call}:error={error}:when={number}")
        told = Told(lines)
        judge_failures(told, kind, about)
        if told.opened:
            written = [failure for failure in told.failures if failure[1] == kind]
            expect(len(written) <= 1, about, "failed more than once", told.failures)
            expect(status == 0 and told.closed, about, status, lines)
            last = len(lines) - 1 - lines[::-1].index("try dump")
            judge_exact(Found(lines[last:]), told, about)
            judge_exact(reopen(directory, about), told, about)
        else:
            expect(status == 3 and told.failures == [("open", kind)], about, lines)
            judge_exact(reopen(directory, about), told, about)
        return told


def fail_on(error, kind, call, number):
    about = f"{error} from {call} {number} on"
    with Directory() as directory:
        status, lines = drive(directory, WORDS, inject=f"{call}:error={error}:when={number}+")
        told = Told(lines)
        judge_failures(told, kind, about)
        expect(status in (0, 3), about, status, lines)
        if told.opened:
            last = len(lines) - 1 - lines[::-1].index("try dump")
            judge_exact(Found(lines[last:]), told, about)
        judge_acknowledged(reopen(directory, about), told, about)


def count(call):
    """How many such calls a run makes."""
    with Directory() as directory:
        log = directory / "log"
        drive(directory, WORDS, inject=f"{call}:retval=0:when=65535", log=log)
        return len(log.read_text().splitlines())


need_strace()
points = [(call, number) for call in WRITES for number in range(1, count(call) + 1)]
for error, (kind, once, lasting) in ERRORS.items():
    failed = [fail_once(error, kind, *point).failures for point in points[::once]]
    for point in points[::lasting]:
        fail_on(error, kind, *point)
    seen = sum(1 for failures in failed if failures)
    print(f"{error}: {len(failed)} points, {seen} of them made a call fail")
    expect(seen > 0, error, "never made anything fail")
