# SPDX-License-Identifier: LGPL-2.1-or-later
"""The test data of libvirt itself: fetched as the distribution's source package, never committed.

It lies in corpus/ of the build directory afterwards, and is fetched once.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tarfile

import nestd

PLACE = nestd.BUILD / "corpus"
FOLDERS = ("tests/qemuxml2argvdata", "tests/genericxml2xmlindata", "tests/cputestdata")
PARSING = "tests/genericxml2xmltest.c"
DEADLINE = 120


class Unavailable(Exception):
    """Why the corpus can't be had."""


def source_lists():
    """What apt fetches packages from, as places to fetch sources from."""
    folder = pathlib.Path("/etc/apt/sources.list.d")
    files = [pathlib.Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list"))]
    lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    old = "".join(re.sub(r"^deb(-src)? ", "deb-src ", line) + "\n"
                  for line in lines if line.startswith("deb"))
    new = "\n\n".join(re.sub(r"(?m)^Types:.*$", "Types: deb-src", file.read_text())
                      for file in sorted(folder.glob("*.sources")))
    return old, new


def apt(state, *words):
    """apt-get with lists of its own: nothing of this machine's is touched."""
    options = {"Dir::Etc::SourceList": state / "none", "Dir::Etc::SourceParts": state / "parts",
               "Dir::State::Lists": state / "lists", "Dir::Cache": state / "cache",
               "APT::Sandbox::User": "", "Acquire::Retries": "1", "Acquire::http::Timeout": "20"}
    command = ["apt-get", "-q"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    try:
        ended = subprocess.run([*command, *words], cwd=state, capture_output=True, text=True,
                               timeout=DEADLINE, check=False)
    except FileNotFoundError:
        raise Unavailable("there is no apt-get") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"apt-get {words[0]} takes longer than {DEADLINE} s") from None
    if ended.returncode != 0:
        raise Unavailable((ended.stderr.strip().splitlines() or ["apt-get failed"])[-1])


def download(state):
    """The path of the source archive."""
    for folder in ("parts", "lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    old, new = source_lists()
    (state / "parts" / "old.list").write_text(old)
    (state / "parts" / "new.sources").write_text(new)
    apt(state, "update")
    apt(state, "source", "--download-only", "libvirt")
    archives = sorted(state.glob("libvirt_*.orig.tar.*[!c]"))
    if not archives:
        raise Unavailable("libvirt's source package has no archive")
    return archives[-1]


def wanted(members):
    for member in members:
        member.name = member.name.partition("/")[2]
        if member.isfile() and member.name.startswith((*FOLDERS, PARSING)):
            yield member


def fetch():
    """The folder with the corpus."""
    if (PLACE / PARSING).exists():
        return PLACE
    shutil.rmtree(PLACE, ignore_errors=True)
    part = PLACE.with_name(f"corpus.part.{os.getpid()}")
    try:
        (part / "apt").mkdir(parents=True)
        archive = download(part / "apt")
        with tarfile.open(archive) as tar:
            tar.extractall(part, wanted(tar))
        shutil.rmtree(part / "apt")
        part.rename(PLACE)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return PLACE


def domains():
    """The domain definitions: {"folder/name": text}."""
    place = fetch()
    files = [file for folder in FOLDERS[:2] for file in sorted((place / folder).glob("*.xml"))]
    return {f"{file.parent.name}/{file.name}": file.read_text() for file in files}


def expected_failures():
    """The names of the files of which libvirt's own tests expect that they are refused."""
    generic = re.findall(r'DO_TEST_FAIL_\w+\("([^"]+)"\)', (fetch() / PARSING).read_text())
    return {*(f"{file.parent.name}/{file.name.partition('.')[0]}.xml"
              for file in (fetch() / FOLDERS[0]).glob("*.err")),
            *(f"{pathlib.Path(FOLDERS[1]).name}/{name}.xml" for name in generic)}


def cpus():
    """The CPUID of real CPUs: {name: {(leaf, subleaf): {register: value}}}."""
    found = {}
    for file in sorted((fetch() / FOLDERS[2]).glob("x86_64-cpuid-*.xml")):
        if re.search(r"-(guest|host|json|enabled|disabled)\.xml$", file.name):
            continue
        leaves = {}
        for line in re.findall(r"<cpuid ([^>]*)/>", file.read_text()):
            values = {name: int(value, 16)
                      for name, value in re.findall(r"(\w+)='(0x[0-9a-f]+)'", line)}
            leaves[values.pop("eax_in"), values.pop("ecx_in", 0)] = values
        if (0, 0) in leaves:
            found[file.name.removeprefix("x86_64-cpuid-").removesuffix(".xml")] = leaves
    return found
