# SPDX-License-Identifier: LGPL-2.1-or-later
"""The test guest with this machine's libvirt and QEMU in it: an initrd that is unpacked over that of
the guest."""

import pathlib

from packing import archive, copy, libraries_of

LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")

# What needs libraries. libvirt asks QEMU what it can without KVM, too: that is accel-tcg.
PROGRAMS = [pathlib.Path(path) for path in (
    "/usr/sbin/libvirtd", "/usr/sbin/virtlogd", "/usr/bin/virsh", "/usr/bin/qemu-img",
    "/usr/bin/qemu-system-x86_64")] + [
        LIBRARIES / "libvirt/connection-driver/libvirt_driver_qemu.so",
        LIBRARIES / "qemu/accel-tcg-x86_64.so"]
DATA = [pathlib.Path(path) for path in (
    "/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/kvmvapic.bin",
    "/usr/share/qemu/linuxboot_dma.bin", "/usr/share/qemu/multiboot_dma.bin",
    "/usr/share/libvirt/schemas", "/usr/share/libvirt/cpu_map")]
FOLDERS = ["var/log/libvirt/qemu", "var/lib/libvirt/images", "var/cache/libvirt"]
FILES = {
    # It does not begin without its own user, whoever runs VMs.
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\nlibvirt-qemu:x:64055:106::/:/bin/false\n",
    "etc/group": "root:x:0:\nkvm:x:106:\nlibvirt-qemu:x:64055:\n",
    "etc/libvirt/libvirtd.conf": 'unix_sock_group = "root"\nauth_unix_rw = "none"\n',
    "etc/libvirt/qemu.conf": 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\n'
                             "namespaces = []\n",
}


def missing():
    """What is not on this machine, None if all is there."""
    return next((path for path in PROGRAMS + DATA if not path.exists()), None)


def add_to(initrd, directory):
    """directory: an empty one to work in."""
    for folder in FOLDERS:
        (directory / folder).mkdir(parents=True)
    for path in PROGRAMS + DATA + libraries_of(PROGRAMS):
        copy(path, directory / path.relative_to("/"))
    for name, text in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    archive(directory, initrd)
