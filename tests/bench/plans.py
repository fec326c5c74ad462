# SPDX-License-Identifier: LGPL-2.1-or-later
"""Planning for definitions in files: every one of libvirt's own tests."""

import json
import pathlib
import subprocess
import sys
import time

import nestd
import peer
from measure import Table

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "corpus"))
import corpus  # noqa: E402

SCHEMA = "/usr/share/libvirt/schemas/domain.rng"


def over_one_connection(own, texts):
    """Every text, by the API."""
    connection = nestd.Connection(own.socket, nestd.REPLY_DEADLINE)
    for text in texts:
        body = json.dumps({"xml": text, "enabled": True})
        connection.request("POST", "/v1/plan", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    connection.close()


def one_by_one(words, files):
    for file in files:
        subprocess.run([*words, file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=False)


def measure(quick):
    try:
        texts = list(corpus.domains().values())
    except corpus.Unavailable as reason:
        print(f"\nNo plans: the corpus can't be fetched: {reason}")
        return
    folder = corpus.fetch() / corpus.FOLDERS[0]
    files = sorted(folder.glob("*.xml"))[::20 if quick else 5]
    table = Table("Plans for definitions in files, files per second", "", "files", "files/s")
    with peer.OwnNestd({}) as own:
        own.wait_backend()
        for name, count, work in (
                ("POST /v1/plan, one connection", len(texts),
                 lambda: over_one_connection(own, texts)),
                ("nestctl plan --xml, a process each", len(files),
                 lambda: one_by_one(own.command("plan", "--xml"), files)),
                ("xmllint --relaxng, a process each", len(files),
                 lambda: one_by_one(["xmllint", "--noout", "--relaxng", SCHEMA], files))):
            began = time.monotonic()
            work()
            table.add(name, count, count / (time.monotonic() - began))
    table.print()
