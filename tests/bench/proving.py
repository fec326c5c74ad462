# SPDX-License-Identifier: LGPL-2.1-or-later
"""prove end to end, beside the bare QEMU that boots the same image."""

import pathlib
import tempfile
import time

import nestd
import peer
from measure import interleaved, run, times_table

IMAGE = nestd.BUILD / "hypervisor-backend" / "proof" / "nest-proof.bin"
END = "nest-proof 1 end code=proved "


QBOOT = pathlib.Path("/usr/share/qemu/qboot.rom")


def by_hand(accel, cpu, *more):
    """QEMU alone, with nothing in the VM that the program does not need."""
    with tempfile.TemporaryDirectory(prefix="nl.", dir="/tmp") as directory:
        console = pathlib.Path(directory) / "console"
        taken = run(["qemu-system-x86_64", "-machine", f"q35,accel={accel}", "-cpu", cpu, "-m", "32",
                     "-display", "none", "-nodefaults", "-no-reboot", "-serial", f"file:{console}",
                     "-kernel", IMAGE, "-append", "seed=5eed", *more])
        if END not in console.read_text(encoding="utf-8", errors="replace"):
            raise RuntimeError("the program did not end as it should")
    return taken


def by_api(daemon):
    answer = daemon.request("POST", "/v1/host/proof", {"accel": "tcg"})
    if answer.status != 200 or not answer.json["proved"]:
        raise RuntimeError(answer)


def timed(function):
    """In milliseconds."""
    began = time.monotonic()
    function()
    return (time.monotonic() - began) * 1000


def measure(quick):
    table = times_table("Proving nesting on QEMU's software CPU, ms", "",
                        note="CPU is that of the process that was run, and of what it ran.")
    with peer.OwnNestd({}) as own:
        own.wait_backend()
        by_api(own)
        contenders = {
            "nestctl prove": lambda: run(own.command("prove", "--accel", "tcg")),
            "nestd: POST /v1/host/proof": lambda: timed(lambda: by_api(own)),
            "QEMU alone": lambda: by_hand("tcg", "max"),
        }
        if QBOOT.exists():
            contenders["QEMU alone, with qboot"] = lambda: by_hand("tcg", "max", "-bios", QBOOT)
        table.add_times("", interleaved(5 if quick else 15, contenders))
    table.print()
