# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests as scripted, for those who install something in them.

System is a Linux one: commands that the agent is asked for are carried out in a root directory of
their own, by a real shell, with package managers, systemctl and the like played by one script, which
keeps what they did in files below /state. Windows answers what PowerShell is asked.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import unittest

from nest_agent import Agent

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "guests"
PROGRAMS = ["sh", "cat", "mkdir", "rm", "rmdir", "grep", "awk", "ls", "ln", "touch",
            "sleep"]
CHROOT = shutil.which("chroot", path=os.defpath + ":/usr/sbin:/sbin")
PLAYED = ["df", "dpkg", "dpkg-query", "apt-get", "rpm", "dnf", "zypper", "pacman", "modprobe",
          "systemctl", "virsh"]
# /state/instead/NAME is read first: it may exit.
PLAYER = r"""#!/bin/sh
name=${0##*/}
echo "$name $*" >>/state/calls
[ ! -e /state/instead/$name ] || . /state/instead/$name
have() {
    for word; do
        case $word in
            -*) ;;
            *) [ -e "/state/packages/$word" ] || exit 1 ;;
        esac
    done
}
case $name in
    df) printf 'Filesystem 1024-blocks Used Available\nnone 9 9 %s\n' "$(cat /state/free)" ;;
    dpkg-query) for last; do :; done; have "$last"; printf installed ;;
    rpm) have "$@" ;;
    apt-get | dnf | zypper | pacman)
        case $* in -Q*) have "$@"; exit ;; esac
        install=no
        for word; do
            case $word in
                install | -S) install=yes ;;
                -*) ;;
                *) [ $install = no ] || touch "/state/packages/$word" ;;
            esac
        done ;;
    modprobe) mkdir -p "/sys/module/$1"; ln -f /state/device /dev/kvm ;;
    systemctl)
        for last; do :; done
        case $1 in
            is-enabled) [ -e "/state/enabled/$last" ] ;;
            cat) [ -e "/state/units/$last" ] ;;
            enable) touch "/state/enabled/$last" ;;
        esac ;;
    virsh) [ -c /dev/kvm ] && [ -n "$(ls /state/enabled)" ] ;;
esac
"""


def _copy(source, root):
    """A program with its libraries."""
    needed = subprocess.run(["ldd", source], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+) \(0x", needed):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(library, target)
    (root / "bin").mkdir(exist_ok=True)
    shutil.copy(source, root / "bin" / pathlib.Path(source).name)


class System(Agent):
    def __init__(self, directory, name, system, release="", units=()):
        super().__init__(directory, name)
        self.root = directory / f"{name}.root"
        self.os = system
        for folder in ("tmp", "proc", "dev", "etc", "var", "sys/module", "state/packages",
                       "state/enabled", "state/units", "state/instead"):
            (self.root / folder).mkdir(parents=True)
        for program in PROGRAMS:
            path = os.path.realpath(shutil.which(program))
            _copy(path, self.root)
            if pathlib.Path(path).name != program:
                (self.root / "bin" / program).symlink_to(pathlib.Path(path).name)
        (self.root / "bin" / "player").write_text(PLAYER)
        (self.root / "bin" / "player").chmod(0o755)
        for program in PLAYED:
            shutil.copy(self.root / "bin" / "player", self.root / "bin" / program)
        self.write("proc/cpuinfo", "flags\t\t: fpu svm sse\n")
        self.write("etc/os-release", release)
        self.write("state/free", "9000000\n")
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root makes a device")
        os.mknod(self.root / "state/device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        for unit in units:
            self.write(f"state/units/{unit}", "")

    def write(self, path, text):
        (self.root / path).write_text(text)

    def load_kvm(self):
        """As modprobe does."""
        (self.root / "sys/module/kvm_amd").mkdir()
        os.link(self.root / "state/device", self.root / "dev/kvm")

    def play(self, program, script):
        """What program does from now on, before anything else."""
        self.write(f"state/instead/{program}", script)

    def calls(self, program=""):
        """What was called, but for looking."""
        path = self.root / "state" / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(program)]

    def packages(self):
        return sorted(path.name for path in (self.root / "state" / "packages").iterdir())

    def enabled(self):
        return sorted(path.name for path in (self.root / "state" / "enabled").iterdir())

    def guest_exec(self, path, arg=(), capture_output=False, input_data=None):
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [CHROOT, self.root, path, *arg], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe,
            env={"PATH": "/bin"}, start_new_session=True)
        self.processes[process.pid] = process
        return {"pid": process.pid}

    def guest_file_open(self, path, mode="r"):
        return super().guest_file_open(str(self.root) + path, mode)


class Windows(Agent):
    """role: as Get-WindowsOptionalFeature says it. restarts: how often it has been restarted."""

    def __init__(self, directory, name, restarts, server=False):
        super().__init__(directory, name)
        kind = "Server 2022 Standard" if server else "11 Pro"
        self.os = {"id": "mswindows", "pretty-name": f"Windows {kind}", "kernel-release": "22631",
                   "version-id": "2022" if server else "11",
                   "variant-id": "server" if server else "client"}
        self.role, self.launch, self.free = "Disabled", True, True
        self.restarts, self.restarted = restarts, restarts()
        self.applied, self.outcomes, self.failure = [], {}, None
        self.said = json.loads((DATA / "windows-11.json").read_bytes())

    def guest_exec(self, path, arg=(), capture_output=False, input_data=None):
        if path != "powershell.exe":
            raise FileNotFoundError(path)
        pid = len(self.outcomes) + 1
        self.outcomes[pid] = self._run(base64.b64decode(arg[-1]).decode("utf-16-le"))
        return {"pid": pid}

    def guest_exec_status(self, pid):
        status, output = self.outcomes[pid]
        return {"exited": True, "exitcode": status,
                "out-data": base64.b64encode(output).decode()}

    def _run(self, script):
        if self.role == "EnablePending" and self.restarts() > self.restarted:
            self.role = "Enabled"
        if "foreach ($check in @(" in script:
            return 0, "\r\n".join(map(str, self._looks(script))).encode()
        if "Enable-WindowsOptionalFeature" in script or "bcdedit /set" in script:
            return self._apply(script)
        own = "yes" if self.role == "Enabled" else "no"
        return 0, json.dumps({**self.said, "hyperv": own, "own_hypervisor": own}).encode()

    def _looks(self, script):
        checks = re.search(r"foreach \(\$check in @\('(.*)'\)\) \{", script, re.S).group(1)
        return [self._look(check) for check in checks.split("','")]

    def _look(self, check):
        works = 0 if self.role == "Enabled" else 1
        answers = {"Get-PSDrive": 0 if self.free else 1,
                   "hypervisorlaunchtype": 0 if self.launch else 1,
                   "Microsoft-Hyper-V)": {"Enabled": 0, "EnablePending": 3}.get(self.role, 1),
                   "vmms": works, "LastBootUpTime": works}
        return next(answer for words, answer in answers.items() if words in check)

    def _apply(self, script):
        if self.failure is not None:
            return 1, self.failure
        self.applied.append("role" if "Enable-Windows" in script else "launch-type")
        if "bcdedit /set" in script:
            self.launch = True
        else:
            self.role = "EnablePending"
        return 0, b""
