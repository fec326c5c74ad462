/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent-shape.h"
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
    "proxmox", "pvesh", list, read_list, NULL, start, shut_down, stop, take_away, NULL, NULL};
