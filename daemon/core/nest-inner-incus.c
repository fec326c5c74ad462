/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent-shape.h"
#include "nest-error.h"
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

/* A word of DNS that begins with a letter. */
static gboolean check_name(const char *name, GError **error)
{
    gsize length = strlen(name);
    gboolean good = length <= 63 && g_ascii_isalpha(*name) && name[length - 1] != '-';
    for (const char *p = name; *p != '\0'; p++)
        good = good && (g_ascii_isalnum(*p) || *p == '-');
    if (!good)
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "choose another name",
            "the name may have up to 63 letters, digits and -, a letter first and no - last");
    return good;
}

static gboolean refuse(const char *whose, const char *what, GError **error)
{
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, "choose another hypervisor with --by",
        "nestd does not give virtual machines of %s %s", whose, what);
    return FALSE;
}

static gboolean check_spec(const char *whose, const NestInnerSpec *spec, GError **error)
{
    if (spec->kernel != NULL)
        return refuse(whose, "a kernel to boot: give it an ISO", error);
    if (spec->disk != NULL)
        return refuse(whose, "an existing disk: they keep disks themselves", error);
    if (spec->accel == NEST_ACCEL_TCG)
        return refuse(whose, "a software CPU", error);
    return check_name(spec->name, error);
}

/* 1: the tool, 2: the VM, 3: an ISO or nothing, 4: its network, then more words to make it by. They
 * would read its configuration from standard input. Its profile is the default one; eth0 is the
 * network of that. */
static const char create_script[] =
    "t=$1 n=$2 iso=$3 net=$4; shift 4\n"
    "\"$t\" init \"$n\" --empty --vm \"$@\" </dev/null >&2 || exit 1\n"
    "add() { \"$t\" config device add \"$n\" \"$@\" >&2; }\n"
    "net() {\n"
    "    case $net in\n"
    "        none) add eth0 none ;;\n"
    "        bridge=*) add eth0 nic nictype=bridged \"parent=${net#*=}\" ;;\n"
    "    esac\n"
    "}\n"
    "net && { [ -z \"$iso\" ] || add install disk \"source=$iso\" boot.priority=10; } && exit 0\n"
    "\"$t\" delete \"$n\" >&2\n"
    "exit 1\n";

static void set_create(const char *tool, const NestInnerSpec *spec, NestInnerCommand *ret_command)
{
    const char *network = spec->network != NULL ? spec->network : "user";
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_strv_builder_add_many(words, "/bin/sh", "-c", create_script, "sh", tool, spec->name,
        spec->iso != NULL ? spec->iso : "", network, NULL);
    nest_inner_words_add(words, "--config", "limits.cpu=%u", MAX(spec->vcpus, 1));
    nest_inner_words_add(
        words, "--config", "limits.memory=%" G_GUINT64_FORMAT "KiB", spec->memory_kib);
    if (spec->disk_bytes > 0)
        nest_inner_words_add(words, "--device", "root,size=%" G_GUINT64_FORMAT "KiB",
            (spec->disk_bytes + 1023) >> 10);
    if (g_str_has_prefix(network, "network="))
        nest_inner_words_add(words, "--network", "%s", network + strlen("network="));
    ret_command->words = g_strv_builder_end(words);
}

static gboolean create_incus(const NestInnerSpec *spec, const NestInnerProbe *probe,
    NestInnerCommand *ret_command, GError **error)
{
    if (!check_spec("Incus", spec, error))
        return FALSE;
    set_create("incus", spec, ret_command);
    return TRUE;
}

static gboolean create_lxd(const NestInnerSpec *spec, const NestInnerProbe *probe,
    NestInnerCommand *ret_command, GError **error)
{
    if (!check_spec("LXD", spec, error))
        return FALSE;
    set_create("lxc", spec, ret_command);
    return TRUE;
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

const NestInnerWay nest_inner_incus = {"incus", "incus", list_incus, read_incus, create_incus,
    start, shut_down, stop, take_away, NULL, console};
const NestInnerWay nest_inner_lxd = {
    "lxd", "lxc", list_lxd, read_lxd, create_lxd, start, shut_down, stop, take_away, NULL, console};
