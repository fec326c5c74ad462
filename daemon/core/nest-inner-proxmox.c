/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent-shape.h"
#include "nest-error.h"
#include "nest-inner-way.h"
#include <string.h>

/* Proxmox VE, over its own tools. Its VMs go by numbers; names may be equal. */

typedef struct {
    gint64 vmid;
    char *name, *status;
    guint64 maxmem;
    guint cpus;
} Vm;
static const NestField vm_fields[] = {
    ROW(Vm, vmid, "vmid", INT64, REQUIRED, NULL),
    ROW(Vm, name, "name", STRING, OPTIONAL, NULL),
    ROW(Vm, status, "status", STRING, REQUIRED, NULL),
    ROW(Vm, maxmem, "maxmem", UINT64, OPTIONAL, NULL),
    ROW(Vm, cpus, "cpus", UINT, OPTIONAL, NULL),
};
SHAPE(vm, Vm, "virtual machine");

typedef struct {
    GPtrArray *list;
} Vms;
static const NestField vms_fields[] = {
    ROW(Vms, list, "list", RECORDS, REQUIRED, &vm_record),
};
SHAPE(vms, Vms, "list");

static void list(NestInnerCommand *ret_command)
{
    nest_inner_command_set(
        ret_command, "pvesh", "get", "/nodes/localhost/qemu", "--output-format", "json", NULL);
}

static NestVmState read_state(const char *status)
{
    if (strcmp(status, "running") == 0)
        return NEST_VM_RUNNING;
    if (strcmp(status, "paused") == 0 || strcmp(status, "suspended") == 0)
        return NEST_VM_PAUSED;
    return strcmp(status, "stopped") == 0 ? NEST_VM_OFF : NEST_VM_UNKNOWN;
}

static gboolean read_list(const GString *text, GPtrArray *vms, GError **error)
{
    g_autofree char *object = g_strdup_printf("{\"list\":%s}", text->str);
    Vms *found = nest_inner_way_decode(&vms_record, object, error);
    if (found == NULL)
        return FALSE;
    for (guint i = 0; i < found->list->len; i++) {
        const Vm *one = g_ptr_array_index(found->list, i);
        g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, one->vmid);
        NestInnerVm *vm =
            nest_inner_vm_new(one->name != NULL ? one->name : id, nest_inner_proxmox.id);
        vm->id = g_steal_pointer(&id);
        vm->state = read_state(one->status);
        vm->memory_kib = one->maxmem >> 10;
        vm->vcpus = one->cpus;
        g_ptr_array_add(vms, vm);
    }
    nest_record_free(&vms_record, found);
    return TRUE;
}

/* Words of DNS. */
static gboolean check_name(const char *name, GError **error)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    gboolean good = TRUE;
    for (char **label = labels; *label != NULL; label++) {
        gsize length = strlen(*label);
        good = good && length > 0 && **label != '-' && (*label)[length - 1] != '-';
        for (const char *p = *label; *p != '\0'; p++)
            good = good && (g_ascii_isalnum(*p) || *p == '-');
    }
    if (!good)
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "choose another name",
            "the name may have letters, digits and - with dots between, and no - first or last");
    return good;
}

static gboolean refuse(const char *what, GError **error)
{
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, "choose another hypervisor with --by",
        "nestd does not give virtual machines of Proxmox VE %s", what);
    return FALSE;
}

/* It takes lists of values in one word, with commas between. */
static gboolean check_comma(const char *text, GError **error)
{
    if (text == NULL || strchr(text, ',') == NULL)
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
        "Proxmox VE takes no comma in the name of a file or a bridge");
    return FALSE;
}

static gboolean check_spec(const NestInnerSpec *spec, GError **error)
{
    if (spec->kernel != NULL)
        return refuse("a kernel to boot: give it an ISO", error);
    if (spec->disk != NULL)
        return refuse("an existing disk: import it with qm disk import", error);
    if (spec->network != NULL && g_str_has_prefix(spec->network, "network="))
        return refuse("a network by its name: name its bridge with bridge=BR", error);
    return check_name(spec->name, error) && check_comma(spec->iso, error) &&
        check_comma(spec->network, error);
}

/* 1: GiB of a new disk or 0, then the words to make it by. The disk goes where the first storage is
 * that takes such. */
static const char create_script[] =
    "gib=$1; shift\n"
    "id=$(pvesh get /cluster/nextid --output-format json | tr -dc 0-9)\n"
    "[ -n \"$id\" ] || exit 1\n"
    "if [ \"$gib\" != 0 ]; then\n"
    "    s=$(pvesm status --content images | awk '$3 == \"active\" { print $1; exit }')\n"
    "    [ -n \"$s\" ] || { echo 'no storage that is active takes disks' >&2; exit 1; }\n"
    "    set -- \"$@\" --scsi0 \"$s:$gib\"\n"
    "fi\n"
    "exec qm create \"$id\" \"$@\"\n";

/* A network without bridge is that of QEMU alone. */
static void add_words(GStrvBuilder *words, const NestInnerSpec *spec)
{
    const char *network = spec->network != NULL ? spec->network : "user";
    nest_inner_words_add(words, "--name", "%s", spec->name);
    nest_inner_words_add(words, "--memory", "%" G_GUINT64_FORMAT, (spec->memory_kib + 1023) >> 10);
    nest_inner_words_add(words, "--cores", "%u", MAX(spec->vcpus, 1));
    nest_inner_words_add(words, "--scsihw", "virtio-scsi-pci");
    if (spec->iso != NULL)
        nest_inner_words_add(words, "--ide2", "%s,media=cdrom", spec->iso);
    if (strcmp(network, "user") == 0)
        nest_inner_words_add(words, "--net0", "virtio");
    else if (strcmp(network, "none") != 0)
        nest_inner_words_add(words, "--net0", "virtio,%s", network);
    if (spec->accel == NEST_ACCEL_TCG)
        nest_inner_words_add(words, "--kvm", "0");
}

static gboolean create(const NestInnerSpec *spec, const NestInnerProbe *probe,
    NestInnerCommand *ret_command, GError **error)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *gib = g_strdup_printf(
        "%" G_GUINT64_FORMAT, (spec->disk_bytes + G_GUINT64_CONSTANT(0x3fffffff)) >> 30);
    if (!check_spec(spec, error))
        return FALSE;
    g_strv_builder_add_many(words, "/bin/sh", "-c", create_script, "sh", gib, NULL);
    add_words(words, spec);
    ret_command->words = g_strv_builder_end(words);
    return TRUE;
}

static void start(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, "qm", "start", vm->id, NULL);
}

static void shut_down(const NestInnerVm *vm, guint seconds, NestInnerCommand *ret_command)
{
    g_autofree char *wait = g_strdup_printf("%u", seconds);
    nest_inner_command_set(ret_command, "qm", "shutdown", vm->id, "--timeout", wait, NULL);
}

static void stop(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, "qm", "stop", vm->id, NULL);
}

static void take_away(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, "qm", "destroy", vm->id, NULL);
}

const NestInnerWay nest_inner_proxmox = {
    "proxmox", "pvesh", list, read_list, create, start, shut_down, stop, take_away, NULL, NULL};
