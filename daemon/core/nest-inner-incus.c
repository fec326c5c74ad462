/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent-shape.h"
#include "nest-inner-way.h"
#include <string.h>

/* Incus, and LXD whose words are the same. Of their instances only those that are VMs. */

#define DEFAULT_MEMORY_KIB (1024 * 1024) /* what they give a VM without limits, and one vCPU */

typedef struct {
    char *cpu, *memory;
} Limits;
static const NestField limits_fields[] = {
    ROW(Limits, cpu, "limits.cpu", STRING, OPTIONAL, NULL),
    ROW(Limits, memory, "limits.memory", STRING, OPTIONAL, NULL),
};
SHAPE(limits, Limits, "limits");

typedef struct {
    char *name, *status, *type;
    Limits *limits;
} Instance;
static const NestField instance_fields[] = {
    ROW(Instance, name, "name", STRING, REQUIRED, NULL),
    ROW(Instance, status, "status", STRING, REQUIRED, NULL),
    ROW(Instance, type, "type", STRING, REQUIRED, NULL),
    ROW(Instance, limits, "expanded_config", RECORD, OPTIONAL, &limits_record),
};
SHAPE(instance, Instance, "instance");

typedef struct {
    GPtrArray *list;
} Instances;
static const NestField instances_fields[] = {
    ROW(Instances, list, "list", RECORDS, REQUIRED, &instance_record),
};
SHAPE(instances, Instances, "list");

static NestVmState read_state(const char *status)
{
    static const struct {
        const char *status;
        NestVmState state;
    } rows[] = {{"Running", NEST_VM_RUNNING}, {"Stopped", NEST_VM_OFF}, {"Frozen", NEST_VM_PAUSED},
        {"Stopping", NEST_VM_SHUTTING_DOWN}, {"Error", NEST_VM_CRASHED}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].status, status) == 0)
            return rows[i].state;
    return NEST_VM_UNKNOWN;
}

/* "4GiB", "512MB": what is in percent or another unit is not known. */
static guint64 read_memory(const char *text)
{
    static const struct {
        const char *unit;
        guint64 bytes;
    } rows[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1000}, {"MB", 1000000},
        {"GB", 1000000000}};
    char *unit = NULL;
    guint64 number = g_ascii_strtoull(text, &unit, 10);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].unit, unit) == 0 && number < G_MAXINT64 / rows[i].bytes)
            return number * rows[i].bytes >> 10;
    return 0;
}

static NestInnerVm *make_vm(const Instance *instance, const char *by)
{
    NestInnerVm *vm = nest_inner_vm_new(instance->name, by);
    const char *cpu = instance->limits != NULL ? instance->limits->cpu : NULL;
    const char *memory = instance->limits != NULL ? instance->limits->memory : NULL;
    guint64 vcpus = 0; /* a set of CPUs, as "0-3", is not counted */
    if (cpu != NULL)
        g_ascii_string_to_unsigned(cpu, 10, 1, G_MAXUINT16, &vcpus, NULL);
    vm->state = read_state(instance->status);
    vm->vcpus = cpu != NULL ? (guint)vcpus : 1;
    vm->memory_kib = memory != NULL ? read_memory(memory) : DEFAULT_MEMORY_KIB;
    return vm;
}

static gboolean read_as(const char *by, const GString *text, GPtrArray *vms, GError **error)
{
    g_autofree char *object = g_strdup_printf("{\"list\":%s}", text->str);
    Instances *instances = nest_inner_way_decode(&instances_record, object, error);
    if (instances == NULL)
        return FALSE;
    for (guint i = 0; i < instances->list->len; i++) {
        const Instance *instance = g_ptr_array_index(instances->list, i);
        if (strcmp(instance->type, "virtual-machine") == 0)
            g_ptr_array_add(vms, make_vm(instance, by));
    }
    nest_record_free(&instances_record, instances);
    return TRUE;
}

static gboolean read_incus(const GString *text, GPtrArray *vms, GError **error)
{
    return read_as("incus", text, vms, error);
}

static gboolean read_lxd(const GString *text, GPtrArray *vms, GError **error)
{
    return read_as("lxd", text, vms, error);
}

static const char *tool_of(const NestInnerVm *vm)
{
    return strcmp(vm->by, "lxd") == 0 ? "lxc" : "incus";
}

static void start(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, tool_of(vm), "start", vm->name, NULL);
}

static void shut_down(const NestInnerVm *vm, guint seconds, NestInnerCommand *ret_command)
{
    g_autofree char *wait = g_strdup_printf("--timeout=%u", seconds);
    nest_inner_command_set(ret_command, tool_of(vm), "stop", wait, vm->name, NULL);
}

static void stop(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, tool_of(vm), "stop", "--force", vm->name, NULL);
}

static void take_away(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, tool_of(vm), "delete", vm->name, NULL);
}

static gboolean console(
    const NestInnerVm *vm, const GString *definition, NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, tool_of(vm), "console", "--show-log", vm->name, NULL);
    return TRUE;
}

static void list_incus(NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, "incus", "list", "--format", "json", NULL);
}

static void list_lxd(NestInnerCommand *ret_command)
{
    nest_inner_command_set(ret_command, "lxc", "list", "--format", "json", NULL);
}

const NestInnerWay nest_inner_incus = {"incus", "incus", list_incus, read_incus, NULL, start,
    shut_down, stop, take_away, NULL, console};
const NestInnerWay nest_inner_lxd = {
    "lxd", "lxc", list_lxd, read_lxd, NULL, start, shut_down, stop, take_away, NULL, console};
