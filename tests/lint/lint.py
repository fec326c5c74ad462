#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures the rules of docs/HACKING.md that can be measured.

    lint.py [DIRECTORY]

Prints each violation as file:line: message and exits 1 if there are any. A rule is a function that
takes a Tree and yields (path, line, message); RULES lists them.
"""

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import sys

import c_source

MAX_FUNCTION, MAX_FUNCTION_P95, MAX_NESTING, MAX_FILE = 60, 45, 3, 500

# System headers that only some folders may include. Tests are free.
PRIVATE_HEADERS = [
    (r"libsoup/", ["lib"]),
    (r"sqlite3\.h", ["daemon/store"]),
    (r"libvirt/", ["hypervisor-backend"]),
    (r"libxml/", ["hypervisor-backend"]),
    (r"jansson\.h", ["lib", "daemon/http", "cli"]),
]

# Whose headers each folder may include, besides its own. A name with a slash is one header.
MAY_INCLUDE = {
    "lib": [],
    "cli": ["lib"],
    "hypervisor-backend": ["lib", "hypervisor-backend/proof/proof-protocol.h",
                           "hypervisor-backend/probe/probe-protocol.h"],
    "hypervisor-backend/proof": [],
    "hypervisor-backend/probe": [],
    "daemon/store": ["lib"],
    "daemon/core": ["lib", "daemon/store/nest-store.h", "hypervisor-backend/nest-backend.h",
                    "hypervisor-backend/nest-domain-xml.h", "hypervisor-backend/nest-proof.h",
                    "hypervisor-backend/nest-probe.h",
                    "hypervisor-backend/nest-host-probe.h",
                    "hypervisor-backend/nest-host-kernel.h",
                    "hypervisor-backend/nest-host-hands.h",
                    "hypervisor-backend/nest-link-setting.h",
                    "hypervisor-backend/nest-host-modprobe.h",
                    "hypervisor-backend/nest-host-repair.h",
                    "hypervisor-backend/nest-host-setting.h",
                    "hypervisor-backend/nest-saved-file.h",
                    "hypervisor-backend/nest-net.h",
                    "hypervisor-backend/nest-vm-net.h",
                    "hypervisor-backend/nest-shell-file.h"],
    "daemon/http": ["lib", "daemon/core"],
    "daemon": ["lib", "daemon/core", "daemon/http", "daemon/store", "hypervisor-backend"],
}

# Functions whose name may begin with something else than their file's noun. Tests are free.
NAME_EXCEPTIONS = [
    ("*", "main", "the language's"),
    ("*", "nest_*_free", "of a struct that the file's header declares"),
    ("*", "nest_*_clear", "of a struct that the file's header declares"),
    ("nest-types.c", "nest_*", "the constructors of the many structs of one header"),
    ("nest-error.c", "nest_set_error", "as g_set_error"),
    ("nest-record.c", "nest_nick*", "the names of a record's enumerations"),
    ("nest-document.c", "nest_element_*", "the elements of a document"),
    ("nest-domain-nesting.c", "nest_filter_*", "what a domain's filter does to nesting"),
    ("nest-checks.c", "nest_vm_summarize", "a VM without its checks, but counted"),
    ("nest-http-events.c", "nest_event_hub_*", "who hears of events"),
    ("nest-http-*.c", "nest_handle_*", "the rows of the route table"),
    ("probe.c", "mem*", "what compilers call by themselves"),
    ("nest-libvirt-caps.c", "nest_domain_caps_*", "libvirt's name for them"),
]

UNSAFE = [
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen|alloca)\s*\(", "unsafe function"),
]
LOGGING = r"\b(g_(log\w*|message|warning|critical|info|debug|print\w*)|printf|syslog)\s*\("
SILENT = ["lib", "hypervisor-backend", "daemon/store"]


SOURCE_SUFFIXES = {".c", ".h", ".py", ".sh", ".build", ".sql", ".S", ".ld", ".js"}
TEXT_SUFFIXES = SOURCE_SUFFIXES | {
    ".md", ".scd", ".yaml", ".yml", ".json", ".conf", ".service", ".socket", ".txt", ".in", ""}


NOT_OURS = r"COPYING$|tests/data/|tests/fuzz/corpus/"


class Tree:
    """The files of a source tree, each read once."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.paths = sorted(self._list())
        self._lines = {}

    def _list(self):
        git = ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard"]
        if (self.root / ".git").exists() and shutil.which("git"):
            listed = subprocess.run(git, capture_output=True, text=True, check=True).stdout
            return [path for path in listed.splitlines() if (self.root / path).is_file()]
        return list(self._walk())

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if not re.match(r"\.|build|obj-|packages$|__py", f)]
            for file in files:
                yield os.path.relpath(os.path.join(folder, file), self.root)

    def lines(self, path):
        if path not in self._lines:
            data = (self.root / path).read_bytes()
            text = "" if b"\0" in data else data.decode("utf-8", "replace")
            self._lines[path] = text.split("\n")
        return self._lines[path]

    def matching(self, *patterns):
        return [p for p in self.paths if any(fnmatch.fnmatch(p, x) for x in patterns)]

    def c_files(self):
        return self.matching("*.c", "*.h")

    def shebang(self, path):
        first = self.lines(path)[0]
        return first if first.startswith("#!") else ""


def folder_of(path):
    return os.path.dirname(path)


def in_folder(path, folder):
    return folder_of(path) == folder or path.startswith(folder + "/")


# ---- the rules ----


def functions_are_short(tree):
    lengths = []
    for path in tree.c_files():
        for function in c_source.functions(tree.lines(path)):
            lengths.append((function.length, path, function))
            if function.length > MAX_FUNCTION:
                yield (path, function.line,
                       f"{function.name} has {function.length} lines, at most {MAX_FUNCTION}")
    lengths.sort(key=lambda row: row[0])
    if lengths:
        length, path, function = lengths[int(len(lengths) * 0.95)]
        if length > MAX_FUNCTION_P95:
            yield (path, function.line,
                   f"one function in twenty has {length} lines, at most {MAX_FUNCTION_P95}")


def nesting_is_shallow(tree):
    for path in tree.c_files():
        for function in c_source.functions(tree.lines(path)):
            for line, depth in function.nested(MAX_NESTING):
                yield path, line, f"{function.name} nests {depth} deep, at most {MAX_NESTING}"


def files_are_short(tree):
    for path in tree.c_files():
        length = len(tree.lines(path)) - 1
        if length > MAX_FILE:
            yield path, MAX_FILE, f"the file has {length} lines, at most {MAX_FILE}"


def noun(file):
    """nest_store of nest-store-events.c: several files may hold one noun because of its size. One
    of a plural will do: nest_right_name of nest-rights.c."""
    return re.sub(r"s$", "", "_".join(file[:-2].split("-")[:2]))


def names_follow_the_file(tree):
    for path in tree.matching("*.c"):
        file = os.path.basename(path)
        if path.startswith("tests/"):
            continue
        for function in c_source.functions(tree.lines(path)):
            excepted = any(fnmatch.fnmatch(file, where) and fnmatch.fnmatch(function.name, what)
                           for where, what, _ in NAME_EXCEPTIONS)
            fits = re.match(noun(file) + r"s?(_|$)", function.name)
            if not function.static and not fits and not excepted:
                yield path, function.line, f"{function.name} is public but not {noun(file)}_*"


def includes(tree, path):
    for number, line in enumerate(tree.lines(path), 1):
        match = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1)


def system_headers_stay_private(tree):
    for path in tree.c_files():
        if path.startswith("tests/"):
            continue
        for number, header in includes(tree, path):
            for pattern, folders in PRIVATE_HEADERS:
                if re.match(pattern, header) and not any(in_folder(path, f) for f in folders):
                    yield path, number, f"<{header}> is only for {', '.join(folders)}"


def folders_include_only_below(tree):
    homes = {}
    for path in tree.matching("*.h"):
        homes.setdefault(os.path.basename(path), []).append(path)
    for path in tree.c_files():
        folder = folder_of(path)
        if path.startswith("tests/") or folder not in MAY_INCLUDE:
            continue
        for number, header in includes(tree, path):
            candidates = homes.get(header, [])
            allowed = [home for home in candidates if folder_of(home) == folder or
                       home in MAY_INCLUDE[folder] or folder_of(home) in MAY_INCLUDE[folder]]
            if candidates and not allowed:
                yield path, number, f"{folder} may not include {candidates[0]}"


def licence_comes_first(tree):
    for path in tree.paths:
        source = pathlib.Path(path).suffix in SOURCE_SUFFIXES or tree.shebang(path)
        first = "\n".join(tree.lines(path)[:2])
        if source and "SPDX-License-Identifier: LGPL-2.1-or-later" not in first:
            yield path, 1, "no SPDX-License-Identifier: LGPL-2.1-or-later in the first two lines"


def nothing_banned(tree):
    for path in tree.c_files():
        silent = any(in_folder(path, f) for f in SILENT)
        banned = [(r"\bgoto\b", "goto")] + ([] if path.startswith("tests/") else UNSAFE)
        for number, line in enumerate(c_source.without_comments(tree.lines(path)), 1):
            for pattern, why in banned:
                if re.search(pattern, line):
                    yield path, number, f"{why}: {line.strip()}"
            if silent and re.search(LOGGING, line):
                yield path, number, "only the top logs and prints: return an error"


def nothing_left_to_do(tree):
    words = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
    for path in tree.paths:
        for number, line in enumerate(tree.lines(path), 1):
            if words.search(line):
                yield path, number, "unfinished: " + line.strip()[:60]


def no_trailing_whitespace(tree):
    for path in tree.paths:
        if pathlib.Path(path).suffix not in TEXT_SUFFIXES or re.match(NOT_OURS, path):
            continue
        lines = tree.lines(path)
        for number, line in enumerate(lines, 1):
            if line != line.rstrip():
                yield path, number, "white space at the end of the line"
        if lines[-1] != "":
            yield path, len(lines), "no newline at the end of the file"


def layout_is_clang_format(tree):
    files = tree.c_files()
    if not shutil.which("clang-format") or not files:
        return
    run = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=1"] + files, cwd=tree.root,
                         capture_output=True, text=True, check=False)
    seen = set()
    for match in re.finditer(r"^([^:\n]+):(\d+):\d+: (?:warning|error): ", run.stderr, re.M):
        if match.group(1) not in seen:
            seen.add(match.group(1))
            yield match.group(1), int(match.group(2)), "not as clang-format lays it out"


def is_listed(text, path):
    file = os.path.basename(path)
    short = re.sub(r"^(test|fuzz)-|\.c$", "", file)
    return any(f"{quote}{name}{quote}" in text for quote in "'\"" for name in (file, short))


def every_source_is_built(tree):
    """By a meson.build, or by a script beside it."""
    builds = {}
    for path in tree.matching("*meson.build", "*.py", "*.sh"):
        builds[folder_of(path)] = builds.get(folder_of(path), "") + "\n".join(tree.lines(path))
    for path in tree.matching("*.c"):
        folder, listed = folder_of(path), False
        while not listed:
            listed = is_listed(builds.get(folder, ""), path)
            if folder == "":
                break
            folder = folder_of(folder)
        if not listed:
            yield path, 1, "built by no meson.build and no script"


def shell_is_clean(tree):
    shell = re.compile(r"#! ?(/usr)?/bin/(env )?(ba|da)?sh")
    scripts = [path for path in tree.paths if shell.match(tree.shebang(path))]
    if not scripts or not shutil.which("shellcheck"):
        return
    run = subprocess.run(["shellcheck", "-f", "gcc"] + scripts, cwd=tree.root, capture_output=True,
                         text=True, check=False)
    for match in re.finditer(r"^([^:]+):(\d+):\d+: (.*)$", run.stdout, re.M):
        yield match.group(1), int(match.group(2)), match.group(3)


def links_resolve(tree):
    known = set(tree.paths)
    for path in tree.matching("*.md", "*.c", "*.h", "*.scd", "*.py"):
        for number, line in enumerate(tree.lines(path), 1):
            targets = [t for t in re.findall(r"\bdocs/[\w./-]+\.\w+", line)]
            if path.endswith(".md"):
                links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", line)
                targets += [os.path.normpath(os.path.join(folder_of(path), link))
                            for link in links if "://" not in link]
            for target in targets:
                if target not in known and not (tree.root / target).exists():
                    yield path, number, f"{target} is not there"


def decisions_are_numbered(tree):
    """None twice, and 0007-words.md begins with "# 7. "."""
    seen = set()
    for path in tree.matching("docs/decisions/*.md"):
        number = int(path.rpartition("/")[2][:4])
        if number in seen:
            yield path, 1, f"there is another decision {number}"
        seen.add(number)
        if not any(line.startswith(f"# {number}. ") for line in tree.lines(path)[:3]):
            yield path, 1, f'the heading does not begin with "# {number}. "'


def no_private_paths(tree):
    for path in tree.paths:
        for number, line in enumerate(tree.lines(path), 1):
            match = re.search(r"(?<![\w.])/(home|Users)/(?!USER\b|\$)\w+", line)
            if match:
                yield path, number, f"{match.group(0)}: a path of one machine"


RULES = [functions_are_short, nesting_is_shallow, files_are_short, names_follow_the_file,
         system_headers_stay_private, folders_include_only_below, licence_comes_first,
         nothing_banned, nothing_left_to_do, no_trailing_whitespace, layout_is_clang_format,
         every_source_is_built, shell_is_clean, links_resolve,
         decisions_are_numbered, no_private_paths]


def violations(tree, rules=None):
    for rule in rules or RULES:
        yield from rule(tree)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]
    found = 0
    for path, line, message in violations(Tree(root)):
        print(f"{path}:{line}: {message}")
        found += 1
    if found:
        print(f"{found} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
