/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include "nest-error.h"
#include "nest-inner-way.h"
#include <string.h>

/* libvirt in the guest, over its virsh. */

#define VIRSH "env", "LC_ALL=C", "virsh", "-c", "qemu:///system"
#define IMAGES "/var/lib/libvirt/images/nestd" /* what is in there is nestd's */
#define LOGS "/var/log/libvirt/qemu"

/* virDomainState */
static const NestVmState states[] = {NEST_VM_UNKNOWN, NEST_VM_RUNNING, NEST_VM_RUNNING,
    NEST_VM_PAUSED, NEST_VM_SHUTTING_DOWN, NEST_VM_OFF, NEST_VM_CRASHED, NEST_VM_PAUSED};

static void list(NestInnerCommand *ret_command)
{
    nest_inner_command_set(
        ret_command, VIRSH, "domstats", "--nowait", "--state", "--balloon", "--vcpu", NULL);
}

static gboolean starts(const char *line, const char *start, guint64 *ret_number)
{
    return g_str_has_prefix(line, start) &&
        g_ascii_string_to_unsigned(line + strlen(start), 10, 0, G_MAXINT64, ret_number, NULL);
}

/* "  state.state=1", "  balloon.maximum=…" in KiB, "  vcpu.current=…". */
static void read_stat(const char *line, NestInnerVm *vm)
{
    guint64 number = 0;
    while (*line == ' ')
        line++;
    if (starts(line, "state.state=", &number))
        vm->state = number < G_N_ELEMENTS(states) ? states[number] : NEST_VM_UNKNOWN;
    else if (starts(line, "balloon.maximum=", &number))
        vm->memory_kib = number;
    else if (starts(line, "vcpu.current=", &number))
        vm->vcpus = (guint)MIN(number, G_MAXUINT16);
}

static gboolean refuse(const char *line, GError **error)
{
    g_autofree char *start = g_strndup(line, 100);
    g_autofree char *shown = g_utf8_make_valid(start, -1);
    nest_set_error(
        error, NEST_ERROR_GUEST_AGENT, NULL, "virsh's list can't be understood: %s", shown);
    return FALSE;
}

/* "Domain: 'NAME'", then its lines, then an empty one. Names have no line ends. */
static gboolean read_list(const GString *text, GPtrArray *vms, GError **error)
{
    NestInnerVm *vm = NULL;
    for (const char *line = text->str; *line != '\0';) {
        gsize length = strcspn(line, "\n");
        g_autofree char *copy = g_strndup(line, length);
        line += length + (line[length] == '\n' ? 1 : 0);
        if (g_str_has_prefix(copy, "Domain: '") && g_str_has_suffix(copy + 9, "'")) {
            copy[length - 1] = '\0';
            vm = nest_inner_vm_new(copy + 9, nest_inner_libvirt.id);
            g_ptr_array_add(vms, vm);
        } else if (vm != NULL && *copy == ' ') {
            read_stat(copy, vm);
        } else if (*copy != '\0') {
            return refuse(copy, error);
        }
    }
    return TRUE;
}

static char *disk_of(const char *name)
{
    return g_strdup_printf(IMAGES "/%s.qcow2", name);
}

static char *make_xml(const NestInnerSpec *spec, const NestInnerProbe *probe)
{
    gboolean kvm = spec->accel == NEST_ACCEL_KVM || (spec->accel == NEST_ACCEL_AUTO && probe->kvm);
    g_autofree char *log = g_strdup_printf(LOGS "/%s-console.log", spec->name);
    g_autofree char *disk = disk_of(spec->name);
    const NestVmSpec plain = {.name = spec->name,
        .memory_kib = spec->memory_kib,
        .vcpus = spec->vcpus,
        .iso = spec->iso,
        .kernel = spec->kernel,
        .initrd = spec->initrd,
        .cmdline = spec->cmdline,
        .network = (char *)(spec->network != NULL ? spec->network : "user")};
    const NestNewDomain chosen = {.accel = kvm ? NEST_ACCEL_KVM : NEST_ACCEL_TCG,
        .disk_path = spec->disk_bytes > 0 ? disk : spec->disk,
        .disk_format = spec->disk_bytes > 0 ? "qcow2" : spec->disk_format,
        .console_log = log};
    return nest_domain_new_xml(&plain, &chosen);
}

/* 1: a new disk, or nothing, 2: its size, 3: the name. A disk that is there is somebody's, but one
 * that never came so far as to get its name is what a crash left, and no VM's. */
static const char create_script[] =
    "v() { c=$1; shift; LC_ALL=C virsh -c qemu:///system \"$c\" \"$@\"; }\n"
    "if [ -n \"$1\" ]; then\n"
    "    [ ! -e \"$1\" ] || { echo \"$1 is there already\" >&2; exit 1; }\n"
    "    mkdir -p \"${1%/*}\" && rm -f \"$1.new\" &&\n"
    "        qemu-img create -q -f qcow2 \"$1.new\" \"$2\" >&2 || exit 1\n"
    "fi\n"
    "if v define /proc/self/fd/0; then\n"
    "    [ -n \"$1\" ] || exit 0\n"
    "    mv -n \"$1.new\" \"$1\" && [ ! -e \"$1.new\" ] && exit 0\n"
    "    v undefine --domain \"$3\"\n"
    "fi\n"
    "[ -z \"$1\" ] || rm -f \"$1.new\"\n"
    "exit 1\n";

static gboolean create(const NestInnerSpec *spec, const NestInnerProbe *probe,
    NestInnerCommand *ret_command, GError **error)
{
    g_autofree char *disk = spec->disk_bytes > 0 ? disk_of(spec->name) : g_strdup("");
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, spec->disk_bytes);
    nest_inner_command_set(
        ret_command, "/bin/sh", "-c", create_script, "sh", disk, size, spec->name, NULL);
    ret_command->input = make_xml(spec, probe);
    return TRUE;
}

static void start(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, VIRSH, "start", "--domain", vm->name, NULL);
}

static void shut_down(const NestInnerVm *vm, guint seconds, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, VIRSH, "shutdown", "--domain", vm->name, NULL);
}

static void stop(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, VIRSH, "destroy", "--domain", vm->name, NULL);
}

/* 2: the disk that may be nestd's; of another name it is not, nor where it is no disk of it. */
static void take_away(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    static const char script[] =
        "v() { c=$1; shift; LC_ALL=C virsh -c qemu:///system \"$c\" --domain \"$@\"; }\n"
        "disks=$(v domblklist \"$1\" --inactive) || exit 1\n"
        "v undefine \"$1\" --managed-save --nvram --snapshots-metadata --checkpoints-metadata ||\n"
        "    exit 1\n"
        "! printf '%s\\n' \"$disks\" | grep -qF \" $2\" || rm -f \"$2\" \"$2.new\"\n";
    g_autofree char *disk = disk_of(vm->name);
    nest_inner_command_set(ret_command, "/bin/sh", "-c", script, "sh", vm->name, disk, NULL);
}

static void definition(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, VIRSH, "dumpxml", "--domain", vm->name, NULL);
}

static gboolean console(const NestInnerVm *vm, const GString *xml, NestInnerCommand *ret_command)
{
    g_autoptr(NestDomain) domain = nest_domain_read(xml->str, NULL);
    if (domain == NULL || domain->console_log == NULL)
        return FALSE;
    nest_inner_command_tail(ret_command, domain->console_log);
    return TRUE;
}

const NestInnerWay nest_inner_libvirt = {"libvirt", "virsh", list, read_list, create, start,
    shut_down, stop, take_away, definition, console};
