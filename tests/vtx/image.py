# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the emulated host boots: a CD with the kernel of the test guest, and a disk with its busybox
and modules, and with this machine's QEMU, libvirt and nestd, and the libraries that they need."""

import os
import pathlib
import shutil
import subprocess

from packing import archive, copy, libraries_of

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ["NEST_BUILD_DIR"])
LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")

# What needs libraries. QEMU does not begin without accel-tcg, even if KVM runs everything.
PROGRAMS = [pathlib.Path("/usr/bin/qemu-system-x86_64"), pathlib.Path("/usr/bin/qemu-img"),
            pathlib.Path("/usr/lib/libvirt/libvirt_iohelper"),
            LIBRARIES / "libvirt/connection-driver/libvirt_driver_qemu.so",
            LIBRARIES / "qemu/accel-tcg-x86_64.so"]
OWN = {BUILD / "daemon" / "nestd": "usr/sbin/nestd", BUILD / "cli" / "nestctl": "usr/bin/nestctl"}
DATA = ["usr/share/qemu/qboot.rom", "usr/share/qemu/kvmvapic.bin",
        "usr/share/qemu/linuxboot_dma.bin", "usr/share/qemu/multiboot_dma.bin",
        "usr/share/libvirt/schemas", "usr/share/libvirt/cpu_map/index.xml",
        *(str(path)[1:] for path in pathlib.Path("/usr/share/libvirt/cpu_map").glob("x86_*.xml"))]
# QEMU's VMs get a firmware that does what booting a kernel takes, and not the one of PCs, whose work
# is most of a boot here.
FIRMWARE = {pathlib.Path("/usr/share/qemu/qboot.rom"): "usr/share/seabios/bios-256k.bin"}
BOOT = [pathlib.Path("/usr/lib/ISOLINUX/isolinux.bin"),
        pathlib.Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")]
NEEDED = [*PROGRAMS, *FIRMWARE, *BOOT, pathlib.Path("/usr/bin/xorriso"), pathlib.Path("/sbin/mke2fs")]
EARLY_MODULES = ["ata_piix", "sd_mod"]

ACCOUNTS = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n"
              "libvirt-qemu:x:64055:64055:libvirt:/var/lib/libvirt:/bin/false\n",
    "group": "root:x:0:\nkvm:x:106:libvirt-qemu\nnestd:x:107:\nlibvirt-qemu:x:64055:\n",
}
ISOLINUX_CFG = """DEFAULT host
PROMPT 0
TIMEOUT 1
LABEL host
  KERNEL /vmlinuz
  INITRD /initrd.img
  APPEND {cmdline}
"""


def missing():
    """What an image can't be made without, None if all is there."""
    for path in NEEDED:
        if not path.exists():
            return f"{path} is not there"
    return None


class Image:
    """The disk is made once, and not written to; the CD for each boot."""

    def __init__(self, directory):
        self.directory = directory
        self.guest = pathlib.Path(output_of([HERE.parent / "guest" / "build"]).strip())
        self.tree = directory / "tree"
        self.disk = directory / "disk.img"
        self._fill_tree()
        command = ["mke2fs", "-q", "-t", "ext2", "-E", "root_owner=0:0", "-d", self.tree, self.disk]
        subprocess.run([*command, "1G"], check=True, stdout=subprocess.DEVNULL)

    def make_cd(self, path, words):
        """words: what is added to the kernel's command line."""
        disc = self.directory / "disc"
        disc.mkdir()
        for file in [*BOOT, self.guest / "vmlinuz"]:
            shutil.copy(file, disc)
        self._make_initrd(disc / "initrd.img")
        cmdline = (self.guest / "cmdline").read_text(encoding="utf-8").strip()
        cmdline = cmdline.replace("ttyS0", "ttyS0,115200") + " " + words
        (disc / "isolinux.cfg").write_text(ISOLINUX_CFG.format(cmdline=cmdline), encoding="utf-8")
        subprocess.run(
            ["xorriso", "-as", "mkisofs", "-quiet", "-o", path, "-b", "isolinux.bin", "-c", "boot.cat",
             "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", disc],
            check=True, stderr=subprocess.DEVNULL)
        shutil.rmtree(disc)

    def _fill_tree(self):
        self.tree.mkdir()
        with open(self.guest / "initrd.img", "rb") as stream:
            subprocess.run(["cpio", "-i", "--quiet"], stdin=stream, cwd=self.tree, check=True)
        for program in PROGRAMS:
            copy(program, self.tree / program.relative_to("/"))
        for source, target in {**OWN, **FIRMWARE}.items():
            copy(source, self.tree / target)
        for library in libraries_of([*PROGRAMS, *OWN]):
            copy(library, self.tree / library.relative_to("/"))
        for name in DATA:
            copy(pathlib.Path("/") / name, self.tree / name)
        for name in ["vmlinuz", "initrd.img", "cmdline"]:
            copy(self.guest / name, self.tree / "guest" / name)
        copy(HERE / "host", self.tree / "host")
        copy(HERE / "host" / "init", self.tree / "init")
        for name, text in ACCOUNTS.items():
            (self.tree / "etc" / name).write_text(text, encoding="utf-8")

    def _make_initrd(self, path):
        """What finds the disk, and no more: each byte is read by the BIOS."""
        early = self.directory / "early"
        (modules,) = (self.tree / "lib" / "modules").iterdir()
        kept = early / modules.relative_to(self.tree)
        dependencies = dict(line.split(":", 1) for line in
                            (modules / "modules.dep").read_text(encoding="utf-8").splitlines())
        for name in EARLY_MODULES:
            for file in [f"{name}.ko", *dependencies[f"{name}.ko"].split()]:
                copy(modules / file, kept / file)
        copy(modules / "modules.dep", kept / "modules.dep")
        copy(self.tree / "bin" / "busybox", early / "bin" / "busybox")
        copy(HERE / "host" / "early-init", early / "init")
        for name in ["dev", "proc", "sys", "host"]:
            (early / name).mkdir()
        archive(early, path)
        shutil.rmtree(early)


def output_of(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
