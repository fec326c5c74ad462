# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times, tables and ratios."""

import os
import statistics
import time

TIE = 0.10  # medians so close, relative to the smaller one, are told as a tie
OUTPUT_BYTES = 1 << 20


class Times:
    """Samples of one contender, in milliseconds."""

    def __init__(self):
        self.wall = []
        self.cpu = []

    def add(self, wall, cpu=None):
        self.wall.append(wall)
        if cpu is not None:
            self.cpu.append(cpu)

    @property
    def median(self):
        return statistics.median(self.wall)

    @property
    def cpu_median(self):
        return statistics.median(self.cpu) if self.cpu else None

    def quantile(self, part):
        ordered = sorted(self.wall)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def run(words, environment=None, status=(0,)):
    """Runs a program with its output thrown away: (wall ms, CPU ms of it and what it ran)."""
    environment = os.environ if environment is None else environment
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)]
    words = [str(word) for word in words]
    began = time.monotonic()
    pid = os.posix_spawnp(words[0], words, environment, file_actions=actions)
    _, ended, usage = os.wait4(pid, 0)
    wall = (time.monotonic() - began) * 1000
    os.close(null)
    if os.waitstatus_to_exitcode(ended) not in status:
        raise RuntimeError(f"{words} ended with {os.waitstatus_to_exitcode(ended)}")
    return wall, (usage.ru_utime + usage.ru_stime) * 1000


def run_all(commands, environment=None):
    """Runs programs at once: ms until the last one has ended."""
    environment = os.environ if environment is None else environment
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)]
    began = time.monotonic()
    pids = [os.posix_spawnp(words[0], words, environment, file_actions=actions)
            for words in ([str(word) for word in command] for command in commands)]
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    wall = (time.monotonic() - began) * 1000
    os.close(null)
    if any(ends):
        raise RuntimeError(f"{commands[0]} and the like ended with {ends}")
    return wall


def interleaved(rounds, contenders):
    """contenders: {name: function that returns (wall, cpu) or wall}. A, B, A, B, …: what disturbs
    the machine disturbs all of them. {name: Times}"""
    times = {name: Times() for name in contenders}
    for _ in range(rounds):
        for name, function in contenders.items():
            taken = function()
            times[name].add(*(taken if isinstance(taken, tuple) else (taken,)))
    return times


def ratio_text(own, peer):
    """How many times what nestd takes the peer takes."""
    ratio = peer / own if own else float("inf")
    if max(ratio, 1 / ratio) < 1 + TIE:
        return f"{ratio:.2f} tie"
    return f"{ratio:.2f}" + ("" if ratio > 1 else " slower")


def number(value):
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Table:
    """Rows of text, right aligned but for the first column, as Markdown."""

    def __init__(self, title, *headers, note=None):
        self.title = title
        self.headers = headers
        self.note = note
        self.rows = []

    def add(self, *cells):
        self.rows.append([cell if isinstance(cell, str) else number(cell) for cell in cells])

    def add_times(self, group, times):
        """Those that begin with "nest" are nestd's, the others' ratio is to the first of them."""
        own = next(iter(times.values()))
        for name, taken in times.items():
            peer = taken is not own and not name.startswith("nest")
            ratio = ratio_text(own.median, taken.median) if peer else ""
            self.add(f"{group}{name}", taken.median, min(taken.wall), max(taken.wall),
                     taken.cpu_median, ratio)

    def print(self):
        rows = [list(self.headers), *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.headers))]
        print(f"\n## {self.title}\n")
        for at, row in enumerate(rows):
            cells = [row[0].ljust(widths[0]),
                     *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
            print("| " + " | ".join(cells) + " |")
            if at == 0:
                print("|" + "|".join(["-" * (widths[0] + 2),
                                      *("-" * (width + 1) + ":" for width in widths[1:])]) + "|")
        if self.note:
            print(f"\n{self.note}")


TIMES = ("median", "min", "max", "CPU", "peer / nestd")


def times_table(title, first, note=None):
    return Table(title, first, *TIMES, note=note)


# ---- of a process ----

def memory_of(pid):
    """(RSS, PSS) in MiB"""
    fields = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as stream:
        for line in stream:
            name, _, rest = line.partition(":")
            if rest.strip().endswith("kB"):
                fields[name] = int(rest.split()[0]) / 1024
    return fields["Rss"], fields["Pss"]


def switches_of(pid):
    """{thread: context switches so far}"""
    counts = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as stream:
            counts[thread] = sum(int(line.split()[1]) for line in stream if "ctxt_switches" in line)
    return counts


def switches_since(pid, before):
    """Of all threads that were there before; those of a pool that idles end."""
    now = switches_of(pid)
    return sum(now[thread] - before[thread] for thread in before if thread in now)


def settle(pid, deadline=120):
    """Waits until it has done next to nothing for a second."""
    end = time.monotonic() + deadline
    before = -1.0
    while time.monotonic() < end:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
            fields = stream.read().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if used - before < 0.02:
            return
        before = used
        time.sleep(1)
    raise TimeoutError(f"process {pid} does not come to rest")
