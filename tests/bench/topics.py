# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured. Each topic is a function of (worlds, quick) that returns tables."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import enable
import inside
import nestd
import peer
import plans
import proving
from measure import (Table, Times, interleaved, memory_of, number, ratio_text, run, run_all,
                     settle, switches_of, switches_since, times_table)

BENCH = nestd.BUILD / "tests" / "bench"
CPU = 0
ALIKE_BYTES = 10000  # larger answers are not compared with one of two bytes


def many(count):
    return dict.fromkeys(peer.names_of("vm", count), peer.REALISTIC)


def sizes(quick):
    return (1, 100, 1000) if quick else (1, 100, 1000, 10000)


# ---- many VMs: list, status, start, memory ----

def contenders(world):
    own, libvirtd = world.nestd, world.libvirtd
    return {
        "nestctl list": lambda: run(own.command("list")),
        "nestctl status": lambda: run(own.command("status"), status=(0, 1)),
        "virsh list --all": lambda: run(libvirtd.command("list", "--all")),
        "virsh domstats": lambda: run(libvirtd.command("domstats")),
    }


def slopes(medians, fewer, more):
    """µs for each VM more."""
    table = Table(f"What each VM more costs, µs, between {fewer} and {more} VMs", "", "wall", "CPU")
    for name, few in medians[fewer].items():
        many_ = medians[more][name]
        wall = (many_.median - few.median) * 1000 / (more - fewer)
        cpu = (many_.cpu_median - few.cpu_median) * 1000 / (more - fewer)
        table.add(name, wall, cpu)
    return table


def add_starts(table, world, count, rounds):
    times = interleaved(rounds, {
        "nestd": world.nestd.time_start, "libvirtd": world.libvirtd.time_start})
    table.add_times(f"{count} VMs: ", times)


def add_memory(table, world, count, seconds):
    pids = {"nestd": world.nestd.pid, "libvirtd": world.libvirtd.pid}
    for pid in pids.values():
        settle(pid)
    memory = {name: memory_of(pid) for name, pid in pids.items()}
    before = {name: switches_of(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    for name, pid in pids.items():
        rss, pss = memory[name]
        woken = switches_since(pid, before[name]) / seconds
        ratio = "" if name == "nestd" else ratio_text(memory["nestd"][0], rss)
        table.add(f"{count} VMs: {name}", rss, pss, woken, ratio)


def growth(worlds, quick, wanted):
    listing = times_table("list and status: ms of the command", "")
    starting = times_table("From exec until the VMs are listed, all of them known before: ms", "",
                           "libvirtd's capabilities are cached; nestd answers from its store, and "
                           "opens the hypervisor meanwhile.")
    memory = Table("Memory and wake-ups, idle after a start", "", "RSS MiB", "PSS MiB",
                   "switches/s", "RSS peer / nestd")
    medians = {}
    for count in sizes(quick):
        with worlds.open(many(count)) as world:
            rounds = 3 if count == 10000 else 5 if quick else 9
            if "list" in wanted:
                medians[count] = interleaved(rounds, contenders(world))
                listing.add_times(f"{count} VMs: ", medians[count])
            if "start" in wanted:
                add_starts(starting, world, count, 3 if quick or count == 10000 else 5)
            if "memory" in wanted:
                world.nestd.wait_backend()
                add_memory(memory, world, count, 3 if quick else 10)
    if "list" in wanted:
        listing.print()
        slopes(medians, *sizes(quick)[-2:]).print()
    for name, table in (("start", starting), ("memory", memory)):
        if name in wanted:
            table.print()


# ---- one request ----

def get(worlds, quick):
    with peer.OwnNestd(many(1), wrapper=["taskset", "-c", str(CPU)]) as own:
        text = subprocess.run(
            ["taskset", "-c", str(CPU), BENCH / "bench-http", "4000" if quick else "20000",
             own.socket, "/v1/vms/vm00000"], check=True, capture_output=True, text=True).stdout
    table = Table("One GET on a kept connection, both ends on one processor", "", "p50 µs",
                  "p99 µs", "requests/s", "bytes", "SoupServer / nestd",
                  note="SoupServer is a handler that answers two bytes; nestd was asked for a VM. "
                       "The last two are nestd's server over canned answers.")
    rows = [line.split("\t") for line in text.splitlines()]
    base = next(float(row[1]) for row in rows if row[0].startswith("SoupServer"))
    for name, median, p99, rate, size in rows:
        alike = not name.startswith("SoupServer") and int(size) < ALIKE_BYTES
        ratio = ratio_text(float(median), base) if alike else ""
        table.add(name, float(median), float(p99), float(rate), size, ratio)
    table.print()


# ---- reads while VMs start ----

class Reader:
    """The C client, until it is told to end: its lines "what, p50, p99, max, requests"."""

    def __init__(self, socket):
        self.process = subprocess.Popen([BENCH / "bench-reads", socket, "/v1/vms"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end(self):
        out, _ = self.process.communicate("\n", timeout=30)
        return out.split("\t")


class LibvirtReader:
    """Lists domains again and again on one connection."""

    def __init__(self):
        self.times = Times()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        connection = peer.libvirt.open(peer.URI)
        while not self.ending.is_set():
            began = time.monotonic()
            connection.listAllDomains()
            self.times.add((time.monotonic() - began) * 1000)
            time.sleep(0.001)
        connection.close()

    def end(self):
        self.ending.set()
        self.thread.join()
        return [str(value) for value in (
            self.times.median, self.times.quantile(0.99), max(self.times.wall),
            len(self.times.wall))]


def power(world, name, own, on):
    if own:
        word = "start" if on else "stop"
        return run(world.nestd.command(word, name))[0]
    return run(world.libvirtd.command("start" if on else "destroy", name))[0]


def reads(worlds, quick):
    table = Table("Reads while VMs start and stop, one a millisecond: ms", "", "p50", "p99", "max",
                  "reads")
    with worlds.open(dict.fromkeys(peer.names_of("small", 2), peer.SMALL)) as world:
        for own in (True, False):
            if not own and peer.libvirt is None:
                continue
            for busy in (False, True):
                reader = Reader(world.nestd.socket) if own else LibvirtReader()
                for _ in range(3 if quick else 8):
                    if busy:
                        power(world, "small00000", own, True)
                        power(world, "small00000", own, False)
                    else:
                        time.sleep(0.5)
                what = "GET /v1/vms of nestd" if own else "listAllDomains of libvirtd"
                p50, p99, most, count = (float(cell) for cell in reader.end())
                table.add(f"{what}, {'starting' if busy else 'idle'}", p50, p99, most,
                          f"{count:.0f}")
    table.print()


# ---- start and stop ----

def power_times(world, names, on):
    """Of all names at once."""
    verbs = {True: ("start", "start"), False: ("stop", "destroy")}[on]
    own = [world.nestd.command(verbs[0], name) for name in names]
    peers = [world.libvirtd.command(verbs[1], name) for name in names]
    return lambda: run_all(own), lambda: run_all(peers)


def alternate(rounds, world, names):
    """Starts and stops names with each of the two, in turn: ({…: Times} of starts, of stops)"""
    on, off = power_times(world, names, True), power_times(world, names, False)
    starts = {"nestctl start": Times(), "virsh start": Times()}
    stops = {"nestctl stop": Times(), "virsh destroy": Times()}
    for turn in range(rounds):
        for at in ((0, 1), (1, 0))[turn % 2]:
            starts[list(starts)[at]].add(on[at]())
            stops[list(stops)[at]].add(off[at]())
    return starts, stops


def powers(worlds, quick):
    table = times_table("Starting and stopping VMs of 64 MiB by TCG: ms", "",
                        "A tie by construction: both wait for the same libvirt code, which waits "
                        "for QEMU.")
    names = peer.names_of("small", 10)
    with worlds.open(dict.fromkeys(names, peer.SMALL)) as world:
        for count, rounds in ((1, 3 if quick else 8), (10, 2 if quick else 4)):
            for times in alternate(rounds, world, names[:count]):
                table.add_times(f"{count} at once: ", times)
    table.print()


# ---- the store ----

def store(worlds, quick):
    directory = worlds.directory / "store"
    directory.mkdir()
    text = subprocess.run([BENCH / "bench-store", directory], check=True, capture_output=True,
                          text=True).stdout
    shutil.rmtree(directory)
    print("\n## The store alone\n")
    print("```\n" + text + "```")


# ---- looking at running VMs ----

def looking(worlds, quick):
    """VMs of KVM, which software KVM runs too: without KVM there are no statistics to read."""
    table = Table("One look at all running VMs, of two virtual CPUs each", "VMs", "ms, median",
                  "ms, longest", "ms of nestd's processor time", "µs to judge them")
    directory = tempfile.mkdtemp(prefix="nl.", dir="/tmp")
    counts = ("1", "20") if quick else ("1", "20", "200")
    try:
        lines = subprocess.run([BENCH / "bench-sample", directory, *counts], check=True,
                               capture_output=True, text=True).stdout
        for line in lines.splitlines():
            table.add(*line.split("\t"))
    finally:
        shutil.rmtree(directory)
    table.print()


def checks(worlds, quick):
    data = pathlib.Path(__file__).resolve().parents[1] / "data"
    text = subprocess.run([BENCH / "bench-checks"], check=True, capture_output=True, text=True,
                          env={**os.environ, "NEST_TEST_DATA": str(data)}).stdout
    print("\n## All checks\n")
    print("```\n" + text + "```")


def enabling(worlds, quick):
    for table in enable.measure(worlds, quick):
        table.print()


def environment():
    """What it ran on."""
    cpu = next((line.split(":")[1].strip() for line in
                pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                if line.startswith("model name")), "unknown")
    stat = subprocess.run(["stat", "-f", "-c", "%T", "/tmp"], capture_output=True, text=True,
                          check=False).stdout.strip()
    parts = [f"{os.cpu_count()} processors ({cpu})", f"kernel {os.uname().release}",
             f"{stat} below /tmp", f"load {number(os.getloadavg()[0])}"]
    parts += [f"{name} {version}" for name, version in peer.versions().items()]
    return " · ".join(parts)


GROWTH = ("list", "start", "memory")
TOPICS = {
    "list": "nestctl list and status with 1 to 10,000 VMs, beside virsh",
    "start": "from exec until the VMs are listed, beside libvirtd",
    "memory": "RSS, PSS and wake-ups, beside libvirtd",
    "get": "one GET, beside a SoupServer",
    "enable": "enabling nesting, beside scripts of virsh, python3-libvirt and virt-xml",
    "reads": "reads while VMs start, beside libvirtd",
    "power": "one and ten starts and stops, beside virsh",
    "plans": "plans for definitions in files, beside xmllint",
    "prove": "proving nesting, beside the bare QEMU",
    "inside": "a command and a file inside a guest, beside virsh that asks the same agent",
    "looking": "one look at 1, 20 and 200 running VMs",
    "checks": "all checks of a host and of 100 to 4,000 VMs",
    "store": "durable changes and loads of the store, beside raw SQLite",
}
FUNCTIONS = {"get": get, "enable": enabling, "reads": reads, "power": powers,
             "looking": looking, "inside": inside.measure,
             "plans": lambda worlds, quick: plans.measure(quick), "store": store,
             "prove": lambda worlds, quick: proving.measure(quick), "checks": checks}
