/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-repair.h"
#include "nest-host-file.h"
#include "nest-host-group.h"
#include "nest-host-modprobe.h"
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 65536
#define DESCRIPTORS_MAX 4096 /* of a process */
#define USERS_MAX 16
#define FILES_MAX 512 /* in a folder */

static void read_setting(
    const char *root, NestHostSettingKind kind, const char *target, NestSettingFact *fact)
{
    g_autoptr(GError) error = NULL;
    if (!nest_host_setting_read(root, kind, target, &fact->value, &error))
        fact->error = g_strdup(error->message);
}

/* ---- what udev will set ---- */

static char *quoted(const char *part, const char *key)
{
    if (!g_str_has_prefix(part, key))
        return NULL;
    const char *value = part + strlen(key);
    value += *value == ':';
    if (!g_str_has_prefix(value, "=\""))
        return NULL;
    return g_strndup(value + 2, strcspn(value + 2, "\""));
}

/* The parts of a rule are separated by commas; those that matter here have none within. */
static void take_rule(NestHostRepair *repair, const char *path, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, ",", -1);
    gboolean about = FALSE, says = FALSE;
    for (guint i = 0; parts[i] != NULL; i++)
        about = strcmp(g_strstrip(parts[i]), "KERNEL==\"kvm\"") == 0 || about;
    for (guint i = 0; about && parts[i] != NULL; i++) {
        g_autofree char *group = quoted(parts[i], "GROUP");
        g_autofree char *mode = quoted(parts[i], "MODE");
        says = says || group != NULL || mode != NULL;
        if (group != NULL)
            repair->rule_group = strcmp(group, "kvm") == 0;
        if (mode != NULL)
            repair->rule_mode = g_ascii_strtoull(mode, NULL, 8) & 07777;
    }
    if (!says)
        return;
    g_free(repair->rule_where);
    repair->rule_where = g_strconcat("/", path, NULL);
}

typedef struct {
    char *name, *path;
} RuleFile;

static void rule_file_free(gpointer data)
{
    RuleFile *file = data;
    g_free(file->name);
    g_free(file->path);
    g_free(file);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(RuleFile *const *)a)->name, (*(RuleFile *const *)b)->name);
}

static gboolean is_named(gconstpointer file, gconstpointer name)
{
    return strcmp(((const RuleFile *)file)->name, name) == 0;
}

static void take_folder(const char *root, const char *folder, GPtrArray *files)
{
    g_autofree char *full = g_build_filename(root, folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
    const char *name;
    for (guint i = 0; dir != NULL && i < FILES_MAX; i++) {
        if ((name = g_dir_read_name(dir)) == NULL)
            return;
        if (!g_str_has_suffix(name, ".rules") ||
            g_ptr_array_find_with_equal_func(files, name, is_named, NULL))
            continue;
        RuleFile *file = g_new0(RuleFile, 1);
        file->name = g_strdup(name);
        file->path = g_build_filename(folder, name, NULL);
        g_ptr_array_add(files, file);
    }
}

/* udev(7): files of all folders in the order of their names; the first folder hides the others. */
static void read_rules(const char *root, NestHostRepair *repair)
{
    static const char *const folders[] = {
        "etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d"};
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(rule_file_free);
    repair->rule_mode = 0600;
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++)
        take_folder(root, folders[i], files);
    g_ptr_array_sort(files, by_name);
    for (guint i = 0; i < files->len; i++) {
        const char *path = ((RuleFile *)g_ptr_array_index(files, i))->path;
        if (strcmp(path, NEST_HOST_RULE) == 0)
            continue;
        g_autofree char *text = nest_host_file_text(root, path, NEST_HOST_FILE_MAX, NULL);
        char *next = text;
        while (next != NULL)
            take_rule(repair, path, strsep(&next, "\n"));
    }
}

/* ---- who uses KVM ---- */

static gboolean uses_kvm(const char *root, const char *pid)
{
    g_autofree char *folder = g_build_filename(root, "proc", pid, "fd", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    for (guint i = 0; dir != NULL && i < DESCRIPTORS_MAX; i++) {
        if ((name = g_dir_read_name(dir)) == NULL)
            return FALSE;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *target = g_file_read_link(path, NULL);
        if (g_strcmp0(target, "/dev/kvm") == 0 || g_strcmp0(target, "anon_inode:kvm-vm") == 0)
            return TRUE;
    }
    return FALSE;
}

static char *describe_process(const char *root, const char *pid)
{
    g_autofree char *path = g_build_filename("proc", pid, "comm", NULL);
    g_autofree char *name = nest_host_file_line(root, path, NULL);
    return g_strdup_printf("%s (%s)", name != NULL ? name : "process", pid);
}

static GStrv find_users(const char *root)
{
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    g_autofree char *proc = g_build_filename(root, "proc", NULL);
    g_autoptr(GDir) dir = g_dir_open(proc, 0, NULL);
    const char *pid;
    guint n = 0;
    for (guint i = 0; dir != NULL && i < PROCESSES_MAX && n < USERS_MAX; i++) {
        if ((pid = g_dir_read_name(dir)) == NULL)
            break;
        if (!g_ascii_isdigit(*pid) || !uses_kvm(root, pid))
            continue;
        g_autofree char *user = describe_process(root, pid);
        g_strv_builder_add(found, user);
        n++;
    }
    return g_strv_builder_end(found);
}

/* ---- all of it ---- */

const char *nest_host_repair_module(const NestHostFacts *facts)
{
    return facts->vmx ? "kvm_intel" : facts->svm ? "kvm_amd" : NULL;
}

static gboolean is_built_in(const NestHostFacts *facts, const char *module)
{
    return g_strcmp0(facts->kvm_module, module) == 0 && nest_host_tuning_built_in(&facts->tuning);
}

static void read_guests(const char *root, const NestHostFacts *facts, NestHostRepair *repair)
{
    const NestFact *fact = &facts->tuning.on_shutdown;
    gboolean enabled = g_strcmp0(facts->tuning.guests.value, "enabled") == 0;
    if (fact->path == NULL || (fact->missing && !enabled))
        return;
    repair->guests_path = g_strdup(fact->path + 1);
    read_setting(root, NEST_HOST_FILE, repair->guests_path, &repair->guests);
}

NestHostRepair *nest_host_repair_read(const char *root, const NestHostFacts *facts)
{
    const char *users = facts->tuning.facts[NEST_TUNING_USERS].value;
    const char *module = nest_host_repair_module(facts);
    NestHostRepair *repair = g_new0(NestHostRepair, 1);
    g_autofree char *disabled = nest_host_file_line(root, "proc/sys/kernel/modules_disabled", NULL);
    G_GNUC_UNUSED g_autofree char *found =
        nest_host_modprobe_find(root, module, is_built_in(facts, module), "nested",
            &repair->nested_where, &repair->nested_values, &repair->nested_error);
    repair->blacklisted = nest_host_modprobe_blacklisted(root, module);
    repair->uid = geteuid();
    repair->gid = getegid();
    repair->udev = nest_host_file_exists(root, "etc/udev");
    repair->modules_disabled = g_strcmp0(disabled, "1") == 0;
    repair->kvm_gid = nest_host_group_find(root, "kvm");
    read_setting(root, NEST_HOST_FILE, NEST_HOST_DROP_IN, &repair->drop_in);
    read_setting(root, NEST_HOST_FILE, NEST_HOST_RULE, &repair->rule);
    read_setting(root, NEST_HOST_ACCESS, NEST_HOST_DEVICE, &repair->device);
    read_guests(root, facts, repair);
    read_rules(root, repair);
    repair->users = users != NULL && strcmp(users, "0") != 0 ? find_users(root) : g_new0(char *, 1);
    return repair;
}

static void clear(NestSettingFact *fact)
{
    g_free(fact->value);
    g_free(fact->error);
}

void nest_host_repair_free(NestHostRepair *repair)
{
    if (repair == NULL)
        return;
    clear(&repair->drop_in);
    clear(&repair->rule);
    clear(&repair->device);
    clear(&repair->guests);
    g_strfreev(repair->nested_where);
    g_strfreev(repair->nested_values);
    g_free(repair->nested_error);
    g_free(repair->blacklisted);
    g_free(repair->guests_path);
    g_free(repair->rule_where);
    g_strfreev(repair->users);
    g_free(repair);
}
