/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-tuning.h"
#include "nest-host-file.h"
#include "nest-host-modprobe.h"
#include <string.h>

#define MODULES_MAX (512 * 1024)
#define VULNERABILITIES_MAX 256

static const struct {
    const char *path, *amd_path; /* the second where it is another one */
} files[] = {
    [NEST_TUNING_LOCKDOWN] = {"sys/kernel/security/lockdown", NULL},
    [NEST_TUNING_SMT] = {"sys/devices/system/cpu/smt/active", NULL},
    [NEST_TUNING_KSM] = {"sys/kernel/mm/ksm/run", NULL},
    [NEST_TUNING_SHADOW_VMCS] = {"sys/module/kvm_intel/parameters/enable_shadow_vmcs", NULL},
    [NEST_TUNING_APICV] = {"sys/module/kvm_intel/parameters/enable_apicv",
        "sys/module/kvm_amd/parameters/avic"},
    [NEST_TUNING_NX_HUGE_PAGES] = {"sys/module/kvm/parameters/nx_huge_pages", NULL},
    [NEST_TUNING_HALT_POLL] = {"sys/module/kvm/parameters/halt_poll_ns", NULL},
    [NEST_TUNING_HUGE_PAGES] = {"sys/kernel/mm/transparent_hugepage/enabled", NULL},
    [NEST_TUNING_SPLIT_LOCK] = {"proc/sys/kernel/split_lock_mitigate", NULL},
    [NEST_TUNING_IGNORE_MSRS] = {"sys/module/kvm/parameters/ignore_msrs", NULL},
    [NEST_TUNING_VIRT_AT_LOAD] = {"sys/module/kvm/parameters/enable_virt_at_load", NULL},
    [NEST_TUNING_CLOCK] = {"sys/devices/system/clocksource/clocksource0/current_clocksource", NULL},
    [NEST_TUNING_USERS] = {"sys/module/kvm_intel/refcnt", "sys/module/kvm_amd/refcnt"},
};

/* The whole file; fact gets the path and, where it could not be read, the error. */
static char *read_text(const char *root, const char *path, gsize max, NestFact *fact)
{
    fact->path = g_strconcat("/", path, NULL);
    char *text = nest_host_file_text(root, path, max, &fact->error);
    fact->missing = text == NULL && !nest_host_file_exists(root, path);
    return text;
}

/* Of a line of /proc/swaps: compressed memory that nothing is written back from. */
static gboolean is_in_memory(const char *root, const char *line)
{
    if (!g_str_has_prefix(line, "/dev/zram"))
        return FALSE;
    const char *name = line + strlen("/dev/");
    g_autofree char *device = g_strndup(name, strspn(name, "zram0123456789"));
    g_autofree char *path = g_build_filename("sys/block", device, "backing_dev", NULL);
    g_autofree char *backing = nest_host_file_line(root, path, NULL);
    return backing == NULL ? !nest_host_file_exists(root, path) : strcmp(backing, "none") == 0;
}

static void read_swaps(const char *root, NestHostTuning *tuning)
{
    g_autofree char *text = read_text(root, "proc/swaps", NEST_HOST_FILE_MAX, &tuning->swaps);
    if (text == NULL)
        return;
    guint disks = 0, memory = 0;
    char *next = strchr(text, '\n');
    while (next != NULL && *next != '\0') {
        const char *line = strsep(&next, "\n");
        if (*line != '\0' && is_in_memory(root, line))
            memory++;
        else if (*line != '\0')
            disks++;
    }
    tuning->swaps.value = disks == 0 && memory > 0 ? g_strdup_printf("%u in memory", memory)
                                                   : g_strdup_printf("%u in use", disks);
}

static void read_meminfo(const char *root, NestHostTuning *tuning)
{
    g_autofree char *text = read_text(root, "proc/meminfo", NEST_HOST_FILE_MAX, &tuning->meminfo);
    gboolean found = FALSE;
    char *next = text;
    while (next != NULL) {
        const char *line = strsep(&next, "\n");
        if (g_str_has_prefix(line, "MemAvailable:")) {
            tuning->available_kib = g_ascii_strtoull(line + strlen("MemAvailable:"), NULL, 10);
            found = TRUE;
        } else if (g_str_has_prefix(line, "MemTotal:")) {
            tuning->memory_kib = g_ascii_strtoull(line + strlen("MemTotal:"), NULL, 10);
        } else if (g_str_has_prefix(line, "HugePages_Free:")) {
            tuning->huge_pages_free = g_ascii_strtoull(line + strlen("HugePages_Free:"), NULL, 10);
        }
    }
    if (found)
        tuning->meminfo.value = g_strdup("read");
    else if (text != NULL)
        tuning->meminfo.error = g_strdup("it has no MemAvailable");
}

/* module is in /sys/module. A kernel that knows no modules has no list of them, one that has loaded
 * none an empty one. */
static void read_modules(const char *root, const char *module, NestHostTuning *tuning)
{
    NestFact *fact = &tuning->modules;
    g_autofree char *text = read_text(root, "proc/modules", MODULES_MAX, fact);
    gboolean none = text == NULL && (fact->missing || strcmp(fact->error, "empty") == 0);
    if (module == NULL || (text == NULL && !none))
        return;
    if (none) {
        g_clear_pointer(&fact->error, g_free);
        fact->missing = FALSE;
        fact->value = g_strdup("built in");
        return;
    }
    g_autofree char *start = g_strconcat(module, " ", NULL);
    g_autofree char *later = g_strconcat("\n", start, NULL);
    gboolean loaded = g_str_has_prefix(text, start) || strstr(text, later) != NULL;
    tuning->modules.value = g_strdup(loaded ? "loaded" : "built in");
}

/* "Mitigation: …; SMT vulnerable" is about hyper-threads, which is another check. */
static gboolean is_vulnerable(const char *value)
{
    return g_str_has_prefix(value, "Vulnerable") || strstr(value, ": Vulnerable") != NULL ||
        strstr(value, "VMX: vulnerable") != NULL;
}

/* What a file of the folder says of its flaw; fact keeps the first error. */
static char *read_flaw(const char *root, const char *folder, const char *name, NestFact *fact)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *error = NULL;
    char *value = nest_host_file_line(root, path, &error);
    if (value == NULL && fact->error == NULL)
        fact->error = g_strdup_printf("%s: %s", name, error);
    return value;
}

static void read_vulnerabilities(const char *root, NestHostTuning *tuning)
{
    const char *folder = "sys/devices/system/cpu/vulnerabilities";
    g_autofree char *full = g_build_filename(root, folder, NULL);
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    g_autoptr(GStrvBuilder) unknown = g_strv_builder_new();
    g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
    const char *name;
    guint known = 0;
    NestFact *fact = &tuning->vulnerabilities;
    fact->path = g_strconcat("/", folder, NULL);
    while (dir != NULL && known < VULNERABILITIES_MAX && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *value = read_flaw(root, folder, name, fact);
        if (value == NULL)
            continue;
        known++;
        g_autofree char *line = g_strconcat(name, ": ", value, NULL);
        if (is_vulnerable(value))
            g_strv_builder_add(found, line);
        else if (g_str_has_prefix(value, "Unknown"))
            g_strv_builder_add(unknown, line);
    }
    tuning->vulnerable = g_strv_builder_end(found);
    tuning->flaws_unknown = g_strv_builder_end(unknown);
    if (dir == NULL)
        fact->error = g_strdup("the folder can't be read");
    else if (fact->error == NULL)
        fact->value = g_strdup_printf("%u known", known);
}

/* A line of qemu.conf that sets name: its value, else NULL. */
static char *config_value(const char *line, const char *name)
{
    gsize length = strlen(name);
    line += strspn(line, " \t");
    if (strncmp(line, name, length) != 0)
        return NULL;
    line += length + strspn(line + length, " \t");
    if (*line != '=')
        return NULL;
    line += 1 + strspn(line + 1, " \t\"'");
    return g_strndup(line, strcspn(line, " \t\"'#"));
}

/* The first of two settings is the one that libvirt takes. */
static void read_sched_core(const char *root, const char *path, NestFact *fact)
{
    g_autofree char *text = read_text(root, path, NEST_HOST_FILE_MAX, fact);
    if (text == NULL)
        return;
    char *next = text;
    while (next != NULL && fact->value == NULL)
        fact->value = config_value(strsep(&next, "\n"), "sched_core");
    if (fact->value == NULL)
        fact->value = g_strdup("");
}

gboolean nest_host_tuning_built_in(const NestHostTuning *tuning)
{
    return g_strcmp0(tuning->modules.value, "built in") == 0;
}

void nest_host_tuning_read(const char *root, const char *module, NestHostTuning *ret_tuning)
{
    gboolean amd = g_strcmp0(module, "kvm_amd") == 0;
    for (guint i = 0; i < NEST_N_TUNINGS; i++)
        nest_host_fact_read(root,
            amd && files[i].amd_path != NULL ? files[i].amd_path : files[i].path,
            &ret_tuning->facts[i]);
    read_swaps(root, ret_tuning);
    read_meminfo(root, ret_tuning);
    read_modules(root, module, ret_tuning);
    read_vulnerabilities(root, ret_tuning);
    nest_host_guests_read(root, &ret_tuning->guests, &ret_tuning->on_shutdown);
    read_sched_core(root, "etc/libvirt/qemu.conf", &ret_tuning->sched_core);
    read_sched_core(root, NEST_HOST_OWN_QEMU_CONF, &ret_tuning->own_sched_core);
    ret_tuning->nested_config.value = nest_host_modprobe_find(root, module,
        nest_host_tuning_built_in(ret_tuning), "nested", &ret_tuning->nested_where,
        &ret_tuning->nested_values, &ret_tuning->nested_config.error);
}

void nest_host_tuning_clear(NestHostTuning *tuning)
{
    NestFact *facts[] = {&tuning->swaps, &tuning->meminfo, &tuning->modules,
        &tuning->vulnerabilities, &tuning->nested_config, &tuning->guests, &tuning->on_shutdown,
        &tuning->sched_core, &tuning->own_sched_core};
    for (guint i = 0; i < NEST_N_TUNINGS; i++)
        nest_host_fact_clear(&tuning->facts[i]);
    for (guint i = 0; i < G_N_ELEMENTS(facts); i++)
        nest_host_fact_clear(facts[i]);
    g_strfreev(tuning->vulnerable);
    g_strfreev(tuning->flaws_unknown);
    g_strfreev(tuning->nested_where);
    g_strfreev(tuning->nested_values);
}
