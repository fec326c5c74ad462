/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent.h"
#include "nest-agent-shape.h"
#include <string.h>

#define TEXT_MAX 200
#define COMMANDS_MAX 500

/* ---- the shapes of answers ---- */

typedef struct {
    char *name;
    gboolean enabled;
} Command;

static const NestField command_fields[] = {
    ROW(Command, name, "name", STRING, REQUIRED, NULL),
    ROW(Command, enabled, "enabled", BOOL, REQUIRED, NULL),
};
SHAPE(command, Command, "command of the guest agent");

typedef struct {
    char *version;
    GPtrArray *commands;
} Info;

static const NestField info_fields[] = {
    ROW(Info, version, "version", STRING, REQUIRED, NULL),
    ROW(Info, commands, "supported_commands", RECORDS, REQUIRED, &command_record),
};
SHAPE(info, Info, "guest-info");

typedef struct {
    char *id, *name, *pretty_name, *machine, *kernel, *version, *variant;
} Os;

static const NestField os_fields[] = {
    ROW(Os, id, "id", STRING, OPTIONAL, NULL),
    ROW(Os, name, "name", STRING, OPTIONAL, NULL),
    ROW(Os, pretty_name, "pretty-name", STRING, OPTIONAL, NULL),
    ROW(Os, machine, "machine", STRING, OPTIONAL, NULL),
    ROW(Os, kernel, "kernel-release", STRING, OPTIONAL, NULL),
    ROW(Os, version, "version-id", STRING, OPTIONAL, NULL),
    ROW(Os, variant, "variant-id", STRING, OPTIONAL, NULL),
};
SHAPE(os, Os, "guest-get-osinfo");

/* ---- questions and answers ---- */

char *nest_agent_ask(const char *command)
{
    return g_strdup_printf("{\"execute\":\"%s\"}", command);
}

static char *cut(const char *text)
{
    return text != NULL && *text != '\0'
        ? g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), TEXT_MAX))
        : NULL;
}

static gboolean can(const Info *info, const char *name)
{
    for (guint i = 0; i < info->commands->len; i++) {
        const Command *command = g_ptr_array_index(info->commands, i);
        if (command->enabled && strcmp(command->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

static const char *const for_exec[] = {"guest-exec", "guest-exec-status", "guest-file-open",
    "guest-file-read", "guest-file-close", NULL};
static const char *const for_write[] = {
    "guest-file-open", "guest-file-write", "guest-file-flush", "guest-file-close", NULL};

static gboolean can_all(const Info *info, const char *const *names)
{
    for (; *names != NULL; names++)
        if (!can(info, *names))
            return FALSE;
    return TRUE;
}

static GStrv blocked(const Info *info)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (guint i = 0; i < MIN(info->commands->len, COMMANDS_MAX); i++) {
        const Command *command = g_ptr_array_index(info->commands, i);
        g_autofree char *name = cut(command->name);
        if (!command->enabled && name != NULL)
            g_strv_builder_add(names, name);
    }
    return g_strv_builder_end(names);
}

gboolean nest_agent_read_info(const char *answer, NestGuest *guest, GError **error)
{
    Info *info = nest_agent_shape_read(&info_record, answer, error);
    if (info == NULL)
        return FALSE;
    guest->agent_version = cut(info->version);
    guest->exec = can_all(info, for_exec);
    guest->write = can_all(info, for_write);
    g_strfreev(guest->blocked);
    guest->blocked = blocked(info);
    nest_record_free(&info_record, info);
    return TRUE;
}

static NestGuestFamily family_of(const Os *os)
{
    static const char *const others[] = {"freebsd", "netbsd", "openbsd", "dragonfly", NULL};
    if (g_strcmp0(os->id, "mswindows") == 0)
        return NEST_GUEST_FAMILY_WINDOWS;
    if (os->id != NULL && g_strv_contains(others, os->id))
        return NEST_GUEST_FAMILY_OTHER;
    return os->kernel != NULL ? NEST_GUEST_FAMILY_LINUX : NEST_GUEST_FAMILY_UNKNOWN;
}

gboolean nest_agent_read_os(const char *answer, NestGuest *guest, GError **error)
{
    Os *os = nest_agent_shape_read(&os_record, answer, error);
    if (os == NULL)
        return FALSE;
    guest->family = family_of(os);
    guest->os_id = cut(os->id);
    guest->os = cut(os->pretty_name != NULL ? os->pretty_name : os->name);
    guest->kernel = cut(os->kernel);
    guest->machine = cut(os->machine);
    nest_record_free(&os_record, os);
    return TRUE;
}

void nest_guest_system_clear(NestGuestSystem *system)
{
    g_free(system->id);
    g_strfreev(system->like);
    g_free(system->version);
    g_free(system->variant);
    *system = (NestGuestSystem){0};
}

gboolean nest_agent_read_system(const char *answer, NestGuestSystem *system, GError **error)
{
    Os *os = nest_agent_shape_read(&os_record, answer, error);
    if (os == NULL)
        return FALSE;
    system->id = cut(os->id);
    system->version = cut(os->version);
    system->variant = cut(os->variant);
    nest_record_free(&os_record, os);
    return TRUE;
}

/* Where those who build the agent have its list: its own file, or that of its service. */
void nest_agent_name_setting(NestGuest *guest)
{
    static const char *const redhat[] = {
        "rhel", "centos", "rocky", "almalinux", "ol", "fedora", NULL};
    if (guest->blocked == NULL || *guest->blocked == NULL)
        return;
    if (guest->family == NEST_GUEST_FAMILY_WINDOWS)
        guest->blocked_setting = g_strdup("block-rpcs= or allow-rpcs= in qemu-ga.conf beside "
                                          "qemu-ga.exe, or the options of its service");
    else if (guest->os_id != NULL && g_strv_contains(redhat, guest->os_id))
        guest->blocked_setting =
            g_strdup("BLACKLIST_RPC=, BLOCK_RPCS= or FILTER_RPC_ARGS= in /etc/sysconfig/qemu-ga");
    else
        guest->blocked_setting = g_strdup(
            "blacklist=, block-rpcs= or allow-rpcs= below [general] in /etc/qemu/qemu-ga.conf");
}
