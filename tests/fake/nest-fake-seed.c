/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-seed.h"

static const char head[] =
    "<domain type='kvm'>\n"
    "  <name>%s</name>\n"
    "  <uuid>%s</uuid>\n"
    "  <metadata>\n"
    "    <site:owner xmlns:site='http://example.org/site/1'>team %u</site:owner>\n"
    "  </metadata>\n"
    "  <memory unit='KiB'>%u</memory>\n"
    "  <currentMemory unit='KiB'>%u</currentMemory>\n"
    "  <vcpu placement='static'>2</vcpu>\n"
    "  <os>\n"
    "    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>\n"
    "    <boot dev='hd'/>\n"
    "  </os>\n"
    "  <features>\n"
    "    <acpi/>\n"
    "    <apic/>\n"
    "  </features>\n"
    "%s"
    "  <clock offset='utc'>\n"
    "    <timer name='rtc' tickpolicy='catchup'/>\n"
    "    <timer name='pit' tickpolicy='delay'/>\n"
    "    <timer name='hpet' present='no'/>\n"
    "  </clock>\n"
    "  <on_poweroff>destroy</on_poweroff>\n"
    "  <on_reboot>restart</on_reboot>\n"
    "  <on_crash>destroy</on_crash>\n";

static const char devices[] =
    "  <devices>\n"
    "    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n"
    "    <disk type='file' device='disk'>\n"
    "      <driver name='qemu' type='qcow2' discard='unmap'/>\n"
    "      <source file='/var/lib/nestd/disks/%s.qcow2'/>\n"
    "      <target dev='vda' bus='virtio'/>\n"
    "      <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>\n"
    "    </disk>\n"
    "    <controller type='usb' index='0' model='qemu-xhci' ports='15'>\n"
    "      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>\n"
    "    </controller>\n"
    "    <controller type='pci' index='0' model='pcie-root'/>\n"
    "    <controller type='pci' index='1' model='pcie-root-port'>\n"
    "      <model name='pcie-root-port'/>\n"
    "      <target chassis='1' port='0x8'/>\n"
    "      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>\n"
    "    </controller>\n"
    "    <controller type='virtio-serial' index='0'>\n"
    "      <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>\n"
    "    </controller>\n"
    "    <interface type='bridge'>\n"
    "      <mac address='52:54:00:%02x:%02x:%02x'/>\n"
    "      <source bridge='br0'/>\n"
    "      <model type='virtio'/>\n"
    "      <filterref filter='no-mac-spoofing'/>\n"
    "      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>\n"
    "    </interface>\n"
    "    <serial type='pty'>\n"
    "      <target type='isa-serial' port='0'>\n"
    "        <model name='isa-serial'/>\n"
    "      </target>\n"
    "    </serial>\n"
    "    <console type='pty'>\n"
    "      <target type='serial' port='0'/>\n"
    "    </console>\n"
    "    <channel type='unix'>\n"
    "      <target type='virtio' name='org.qemu.guest_agent.0'/>\n"
    "      <address type='virtio-serial' controller='0' bus='0' port='1'/>\n"
    "    </channel>\n"
    "    <controller type='pci' index='2' model='pcie-root-port'>\n"
    "      <model name='pcie-root-port'/>\n"
    "      <target chassis='2' port='0x9'/>\n"
    "      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x1'/>\n"
    "    </controller>\n"
    "    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'>\n"
    "      <listen type='address' address='127.0.0.1'/>\n"
    "    </graphics>\n"
    "    <video>\n"
    "      <model type='vga' vram='16384' heads='1' primary='yes'/>\n"
    "      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>\n"
    "    </video>\n"
    "    <input type='mouse' bus='ps2'/>\n"
    "    <input type='keyboard' bus='ps2'/>\n"
    "    <audio id='1' type='none'/>\n"
    "    <memballoon model='virtio'>\n"
    "      <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>\n"
    "    </memballoon>\n"
    "    <rng model='virtio'>\n"
    "      <backend model='random'>/dev/urandom</backend>\n"
    "      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>\n"
    "    </rng>\n"
    "  </devices>\n"
    "</domain>\n";

static const char *const cpus[] = {
    "  <cpu mode='host-passthrough' check='none' migratable='on'/>\n",
    "  <cpu mode='host-passthrough' check='full' migratable='on'>\n"
    "    <feature policy='require' name='vmx'/>\n"
    "  </cpu>\n",
    "  <cpu mode='host-passthrough' check='none' migratable='on'>\n"
    "    <feature policy='require' name='vmx'/>\n"
    "  </cpu>\n",
    "  <cpu mode='host-passthrough' check='none' migratable='on'>\n"
    "    <feature policy='disable' name='vmx'/>\n"
    "  </cpu>\n",
};

char *nest_fake_seed_uuid(guint index)
{
    return g_strdup_printf("5eed0000-0000-4000-8000-%012x", index);
}

char *nest_fake_seed_name(guint index)
{
    return g_strdup_printf("vm-%04u", index);
}

char *nest_fake_seed_xml(guint index)
{
    const guint memory = 1024 * 1024 * (1 + index % 4);
    g_autofree char *name = nest_fake_seed_name(index);
    g_autofree char *uuid = nest_fake_seed_uuid(index);
    GString *xml = g_string_new(NULL);
    g_string_append_printf(xml, head, name, uuid, index % 7, memory,
        index % 3 == 0 ? memory / 2 : memory, cpus[index % G_N_ELEMENTS(cpus)]);
    g_string_append_printf(
        xml, devices, name, (index >> 16) & 0xff, (index >> 8) & 0xff, index & 0xff);
    return g_string_free(xml, FALSE);
}
