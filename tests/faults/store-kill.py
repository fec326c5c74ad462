#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills the driver before every single system call that changes files: when a store is made,
used and closed, when it is migrated, and when it is opened after it was killed."""
import itertools
import pathlib
import shutil
import signal
import os

from store_faults import (STATE_CHANGES, Directory, Found, Told, drive, expect,
                          judge_acknowledged, need_strace, reopen)

WORDS = ["begin", "update", "finish", "sync", "begin", "update", "begin", "finish", "sync"]


def every_point(prepare, words, migrate=False):
    """Yields (directory, lines, point) after a kill at each point, until none is left."""
    for call in STATE_CHANGES:
        for number in itertools.count(1):
            point = f"{call} {number}"
            with Directory() as directory:
                prepare(directory)
                status, lines = drive(directory, words, migrate=migrate,
                                      inject=f"{call}:signal=KILL:when={number}")
                if status == 0:
                    break
                expect(status in (-signal.SIGKILL, 128 + signal.SIGKILL), point, status, lines)
                yield directory, lines, point


def kill_in_use():
    points = 0
    for directory, lines, point in every_point(lambda directory: None, WORDS):
        judge_acknowledged(reopen(directory, point), Told(lines), point)
        points += 1
    return points


def kill_in_migration():
    old = pathlib.Path(os.environ["NEST_TEST_DATA"]) / "stores" / "v1.db"
    points = 0
    for directory, _, point in every_point(
            lambda directory: shutil.copy(old, directory / "nestd.db"), [], migrate=True):
        found = reopen(directory, point, migrate=True)
        expect(found.states == {1: "done", 2: "running"}, point, found.states)
        points += 1
    return points


def kill_in_recovery():
    """The WAL of a killed process is there when the next one is killed."""
    with Directory() as killed:
        words = ["begin", "update", "begin", "finish"] * 4
        status, lines = drive(killed, words, inject="fdatasync:signal=KILL:when=18")
        expect(status != 0 and (killed / "nestd.db-wal").stat().st_size > 0, status, lines)
        points = 0
        for directory, again, point in every_point(
                lambda directory: shutil.copytree(killed, directory, dirs_exist_ok=True),
                ["dump"]):
            judge_acknowledged(reopen(directory, point), Told(lines), point)
            if "ok dump 0" in again:
                judge_acknowledged(Found(again), Told(lines), point)
            points += 1
    return points


need_strace()
for scenario in (kill_in_use, kill_in_migration, kill_in_recovery):
    points = scenario()
    print(f"{scenario.__name__}: {points} points, nothing acknowledged was lost")
    expect(points > 10, scenario.__name__, points)
