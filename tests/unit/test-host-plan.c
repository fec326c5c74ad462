/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-plan.h"
#include "nest-host-undo.h"
#include "nest-saved-file.h"
#include "nest-test.h"
#include <string.h>

/* The plans for the host: facts of the test's own, no files. */

typedef struct {
    NestHostFacts host;
    NestHostRepair repair;
    NestHostBlocks *blocks;
    NestPlan *plan;
    NestHostChange *change;
} Bench;

static GStrv words(const char *text)
{
    return *text == '\0' ? g_new0(char *, 1) : g_strsplit(text, " ", -1);
}

/* An Intel host on which nothing is to be done. */
static int set_up(void **state)
{
    Bench *bench = *state = g_new0(Bench, 1);
    NestHostFacts *host = &bench->host;
    host->cpuinfo_read = host->vmx = TRUE;
    host->kernel = g_strdup("6.1.0");
    host->kvm_module = g_strdup("kvm_intel");
    host->nested.value = g_strdup("Y");
    host->nested.path = g_strdup("/sys/module/kvm_intel/parameters/nested");
    host->kvm = (NestKvmFacts){.present = TRUE, .opened = TRUE, .vm_created = TRUE};
    host->tuning.modules.value = g_strdup("loaded");
    host->tuning.facts[NEST_TUNING_USERS].value = g_strdup("0");
    bench->repair.nested_where = words("");
    bench->repair.nested_values = words("");
    bench->repair.users = words("");
    bench->repair.kvm_gid = 104;
    bench->repair.rule_mode = 0660;
    bench->repair.rule_group = TRUE;
    bench->repair.rule_where = g_strdup("/usr/lib/udev/rules.d/50.rules");
    bench->repair.udev = TRUE;
    bench->repair.device.value = g_strdup("0660 0 104");
    return 0;
}

static int tear_down(void **state)
{
    Bench *bench = *state;
    /* They free what is in them, and the struct that they are in with the first. */
    NestHostFacts *host = g_memdup2(&bench->host, sizeof bench->host);
    NestHostRepair *repair = g_memdup2(&bench->repair, sizeof bench->repair);
    nest_host_facts_free(host);
    nest_host_repair_free(repair);
    nest_host_blocks_free(bench->blocks);
    nest_plan_free(bench->plan);
    nest_host_change_free(bench->change);
    g_free(bench);
    return 0;
}

static void set(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static void configure(Bench *bench, const char *where, const char *values)
{
    g_strfreev(bench->repair.nested_where);
    g_strfreev(bench->repair.nested_values);
    bench->repair.nested_where = words(where);
    bench->repair.nested_values = words(values);
}

static void make(Bench *bench, const char *declined)
{
    g_auto(GStrv) decline = words(declined);
    nest_plan_free(bench->plan);
    nest_host_change_free(bench->change);
    bench->change = NULL;
    bench->plan = nest_host_plan_make(
        &bench->host, &bench->repair, bench->blocks, (const char *const *)decline, &bench->change);
}

/* Plans, and asserts that the items are those, in words separated by blanks. */
static void assert_items(Bench *bench, const char *declined, const char *expected)
{
    g_autoptr(GString) ids = g_string_new(NULL);
    make(bench, declined);
    for (guint i = 0; i < bench->plan->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(bench->plan->items, i);
        g_string_append_printf(ids, "%s%s", i > 0 ? " " : "", item->id);
    }
    assert_string_equal(ids->str, expected);
    assert_int_equal(bench->plan->verdict,
        *expected != '\0'                  ? NEST_PLAN_STEPS
            : bench->plan->problem != NULL ? NEST_PLAN_REFUSED
                                           : NEST_PLAN_NO_CHANGE);
    assert_int_equal(bench->change->settings->len > 0, *expected != '\0');
}

static void assert_refused(Bench *bench, NestErrorCode code, const char *text)
{
    assert_items(bench, "nested-persist kvm-access libvirt-guests", "");
    assert_non_null(bench->plan->problem);
    assert_string_equal(bench->plan->problem->kind, nest_error_kind(code));
    assert_non_null(strstr(bench->plan->problem->detail, text));
    assert_non_null(bench->plan->problem->next);
}

static void assert_warned(Bench *bench, const char *text)
{
    g_autofree char *all = g_strjoinv("\n", bench->plan->warnings);
    if (strstr(all, text) == NULL)
        fail_msg("no warning \"%s\": %s", text, all);
}

static char *content_of(Bench *bench, const char *id)
{
    gsize length = 0;
    const NestHostSetting *setting = nest_host_change_find(bench->change, id);
    assert_non_null(setting);
    return nest_saved_file_content(setting->after, &length);
}

static void test_nothing_to_do(void **state)
{
    assert_items(*state, "", "");
    assert_null(((Bench *)*state)->plan->problem);
    assert_true(((Bench *)*state)->plan->enable);
}

static void test_switch_on(void **state)
{
    Bench *bench = *state;
    set(&bench->host.nested.value, "N");
    assert_items(bench, "", "nested nested-persist");
    assert_true(bench->plan->enable);
    const NestHostSetting *first = g_ptr_array_index(bench->change->settings, 0);
    assert_string_equal(first->id, "drop-in");
    const NestHostSetting *module = nest_host_change_find(bench->change, "module");
    assert_string_equal(module->before, "N");
    assert_string_equal(module->after, "Y");
    g_autofree char *text = content_of(bench, "drop-in");
    assert_non_null(strstr(text, "\noptions kvm_intel nested=1\n"));
    g_autofree char *hash = g_strdup(bench->plan->hash);
    assert_items(bench, "", "nested nested-persist");
    assert_string_equal(bench->plan->hash, hash);
    assert_items(bench, "nested-persist", "nested");
    assert_string_not_equal(bench->plan->hash, hash);
    assert_warned(bench, "next boot decides anew");
}

static void test_load(void **state)
{
    Bench *bench = *state;
    bench->host.vmx = FALSE;
    bench->host.svm = TRUE;
    g_clear_pointer(&bench->host.kvm_module, g_free);
    g_clear_pointer(&bench->host.nested.value, g_free);
    bench->host.kvm.vm_created = FALSE;
    set(&bench->repair.device.value, NULL);
    assert_items(bench, "", "kvm-module nested-persist");
    const NestHostSetting *module = nest_host_change_find(bench->change, "module");
    assert_string_equal(module->target, "kvm_amd");
    assert_null(module->before);
    assert_string_equal(module->after, "1");
    set(&bench->repair.blacklisted, "/etc/modprobe.d/no-kvm.conf");
    assert_items(bench, "", "kvm-module nested-persist");
    assert_warned(bench, "/etc/modprobe.d/no-kvm.conf keeps kvm_amd from being loaded");
    bench->repair.modules_disabled = TRUE;
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "locked until the next boot");
}

static void test_what_stands_in_the_way(void **state)
{
    Bench *bench = *state;
    NestFact *users = &bench->host.tuning.facts[NEST_TUNING_USERS];
    set(&bench->host.nested.value, "0");
    set(&users->value, "2");
    assert_refused(bench, NEST_ERROR_HOST_BUSY, "in use by something (2 times)");
    g_strfreev(bench->repair.users);
    bench->repair.users = words("qemu(1) qemu(2)");
    assert_refused(bench, NEST_ERROR_HOST_BUSY, "in use by qemu(1), qemu(2)");
    set(&users->value, NULL);
    set(&users->error, "Permission denied");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "could not be read: Permission denied");
    users->missing = TRUE;
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "unloads no modules");
    set(&bench->host.tuning.modules.value, "built in");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "built into the kernel");
    set(&bench->host.nested.value, NULL);
    set(&bench->host.nested.error, "Input/output error");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "Input/output error");
    /* What can be done all the same is done, with the rest told. */
    set(&bench->repair.device.value, "0600 0 0");
    assert_items(bench, "", "kvm-access");
    assert_false(bench->plan->enable);
    assert_warned(bench, "Input/output error");
}

static void test_hopeless_hosts(void **state)
{
    Bench *bench = *state;
    bench->host.xen_control = TRUE;
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "Xen");
    bench->host.xen_control = FALSE;
    bench->host.firmware_locked = TRUE;
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "firmware");
    bench->host.firmware_locked = bench->host.vmx = FALSE;
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "neither VT-x nor AMD-V");
    bench->host.cpuinfo_read = FALSE;
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "could not be read");
    make(bench, "nested");
    assert_string_equal(bench->plan->problem->kind, "invalid-request");
}

static void test_the_next_boot(void **state)
{
    Bench *bench = *state;
    configure(bench, "/etc/modprobe.d/kvm.conf", "0");
    assert_items(bench, "", "nested-persist");
    const NestPlanItem *item = g_ptr_array_index(bench->plan->items, 0);
    assert_non_null(strstr(item->detail, "wins over /etc/modprobe.d/kvm.conf"));
    configure(bench, "/etc/modprobe.d/kvm.conf /etc/modprobe.d/nestd.conf", "0 1");
    assert_items(bench, "", "");
    assert_null(bench->plan->problem);
    configure(bench, "/etc/modprobe.d/nestd.conf /usr/lib/modprobe.d/zz.conf", "1 0");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "/usr/lib/modprobe.d/zz.conf sets nested=0");
    assert_string_equal(
        bench->plan->problem->next, "take nested=0 out of /usr/lib/modprobe.d/zz.conf");
    configure(bench, "/proc/cmdline", "N");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "/proc/cmdline sets nested=N");
    configure(bench, "", "");
    set(&bench->host.kernel, "4.19.0");
    assert_items(bench, "", "nested-persist");
    set(&bench->host.kernel, "4.20.1");
    set(&bench->repair.nested_error, "/etc/modprobe.d/x.conf: not a text");
    assert_items(bench, "", "");
    assert_warned(bench, "x.conf: not a text");
}

/* Only the command line of the kernel counts for what is built in: no drop-in is planned. */
static void test_built_in(void **state)
{
    Bench *bench = *state;
    set(&bench->host.tuning.modules.value, "built in");
    set(&bench->host.kernel, "4.19.0");
    assert_items(bench, "", "");
    assert_null(bench->plan->problem);
    set(&bench->host.nested.value, "N");
    assert_items(bench, "", "");
    assert_string_equal(bench->plan->problem->next,
        "put kvm_intel.nested=1 on the kernel's command line, and reboot");
    configure(bench, "/proc/cmdline", "0");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "built into the kernel");
}

static void test_own_file(void **state)
{
    Bench *bench = *state;
    configure(bench, "/etc/modprobe.d/nestd.conf", "0");
    g_autofree char *saved = nest_saved_file_make(0600, 7, 8, "options x y=1", 13);
    set(&bench->repair.drop_in.value, saved);
    assert_items(bench, "", "nested-persist");
    g_autofree char *text = content_of(bench, "drop-in");
    assert_string_equal(text, "options x y=1\noptions kvm_intel nested=1\n");
    assert_true(
        g_str_has_prefix(nest_host_change_find(bench->change, "drop-in")->after, "0600 7 8 "));
    set(&bench->repair.drop_in.error, "/etc/modprobe.d/nestd.conf is not a regular file");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "not a regular file");
}

static void test_access(void **state)
{
    static const struct {
        const char *access;
        gint64 gid;
        gboolean enough;
    } rows[] = {{"0660 0 104", 104, TRUE}, {"0666 0 0", -1, TRUE}, {"0660 0 0", 104, FALSE},
        {"0640 0 104", 104, FALSE}, {"0600 0 0", 104, FALSE}, {"0662 0 0", 104, FALSE},
        {"what", 104, FALSE}};
    Bench *bench = *state;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(
            nest_host_plan_access_is_enough(rows[i].access, rows[i].gid), rows[i].enough);
    set(&bench->repair.device.value, "0604 5 0");
    assert_items(bench, "", "kvm-access");
    assert_int_equal(bench->change->settings->len, 1);
    assert_string_equal(nest_host_change_find(bench->change, "access")->after, "0664 5 104");
    bench->repair.rule_mode = 0600;
    assert_items(bench, "", "kvm-access");
    g_autofree char *rule = content_of(bench, "rule");
    assert_non_null(strstr(rule, "KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\""));
    bench->repair.udev = FALSE;
    assert_items(bench, "", "kvm-access");
    assert_null(nest_host_change_find(bench->change, "rule"));
    assert_items(bench, "kvm-access", "");
    assert_warned(bench, "stays as it is");
    bench->repair.kvm_gid = -1;
    assert_items(bench, "", "");
    assert_null(bench->plan->problem);
    assert_warned(bench, "no group kvm");
}

static void test_guests(void **state)
{
    Bench *bench = *state;
    NestFact *fact = &bench->host.tuning.on_shutdown;
    set(&fact->path, "/etc/default/libvirt-guests");
    set(&bench->repair.guests_path, "etc/default/libvirt-guests");
    g_autofree char *saved = nest_saved_file_make(0644, 0, 0, "ON_SHUTDOWN=suspend\n", 20);
    set(&bench->repair.guests.value, saved);
    set(&fact->value, "shutdown");
    assert_items(bench, "", "");
    set(&fact->value, "");
    assert_items(bench, "", "");
    set(&fact->value, "suspend");
    assert_items(bench, "", "libvirt-guests");
    g_autofree char *text = content_of(bench, "libvirt-guests");
    assert_string_equal(text, "ON_SHUTDOWN=shutdown\n");
    assert_items(bench, "libvirt-guests", "");
    assert_warned(bench, "still saves VMs");
    set(&fact->value, "");
    set(&fact->path, "/etc/sysconfig/libvirt-guests");
    assert_items(bench, "", "libvirt-guests");
    set(&bench->host.tuning.guests.value, "disabled");
    assert_items(bench, "", "");
    /* Enabled, and nothing configured: the file is made. */
    set(&bench->host.tuning.guests.value, "enabled");
    set(&bench->repair.guests_path, "etc/sysconfig/libvirt-guests");
    set(&bench->repair.guests.value, NULL);
    set(&fact->value, NULL);
    fact->missing = TRUE;
    assert_items(bench, "", "libvirt-guests");
    g_autofree char *made = content_of(bench, "libvirt-guests");
    assert_string_equal(made, "# Written by nestd; see libvirt-guests(8).\nON_SHUTDOWN=shutdown\n");
    assert_null(nest_host_change_find(bench->change, "libvirt-guests")->before);
    fact->missing = FALSE;
    set(&fact->value, "");
    set(&bench->repair.guests.value, NULL);
    set(&bench->repair.guests.error, "/etc/sysconfig/libvirt-guests can't be read: loop");
    assert_refused(bench, NEST_ERROR_HOST_UNFIT, "loop");
}

/* ---- the way of frames ---- */

static void block(Bench *bench, const char *id, const char *target)
{
    if (bench->blocks == NULL)
        bench->blocks = nest_host_blocks_new();
    NestHostBlock *block = g_new0(NestHostBlock, 1);
    *block = (NestHostBlock){g_strdup(id), g_strdup("DemoVM"), g_strdup(target),
        g_strdup("learning=off flood=off locked=off"), g_strdup("learning=on flood=on locked=off"),
        FALSE};
    g_ptr_array_add(bench->blocks->all, block);
}

static void test_blocks(void **state)
{
    Bench *bench = *state;
    block(bench, "port-vnet0", "vnet0 7 0badcafe");
    block(bench, "port-vnet1", "vnet1 8 0badcafe");
    set(&bench->host.nested.value, "N");
    assert_items(bench, "", "nested nested-persist port-vnet0 port-vnet1");
    const NestHostSetting *last = g_ptr_array_index(bench->change->settings, 3);
    assert_int_equal(last->kind, NEST_HOST_NESTED); /* after what can be taken back at once */
    assert_items(bench, "port-vnet0", "nested nested-persist port-vnet1");
    assert_warned(bench, "Frames of inner VMs of DemoVM still end at bridge port vnet0.");
    /* A host that can't nest by KVM still has a network. */
    bench->host.vmx = FALSE;
    assert_items(bench, "", "port-vnet0 port-vnet1");
    assert_false(bench->plan->enable);
    assert_warned(bench, "what to do");
    g_autofree char *summary = nest_host_change_summary(bench->change);
    assert_string_equal(summary,
        "bridge port vnet0: learning off, flood off → learning on, flood on; "
        "bridge port vnet1: learning off, flood off → learning on, flood on");
    bench->blocks->error = g_strdup("nobody answers");
    assert_items(bench, "port-vnet0 port-vnet1", "");
    assert_warned(bench, "could not be looked at: nobody answers");
}

/* ---- undo ---- */

static NestHostChange *make_done(void)
{
    NestHostChange *done = nest_host_change_new();
    nest_host_change_add(
        done, "drop-in", "nested-persist", NEST_HOST_FILE, "etc/modprobe.d/nestd.conf", NULL, "f");
    nest_host_change_add(done, "module", "nested", NEST_HOST_NESTED, "kvm_intel", "N", "Y");
    nest_host_change_add(
        done, "access", "kvm-access", NEST_HOST_ACCESS, "dev/kvm", "0600 0 0", "0660 0 104");
    return done;
}

/* Plans the undo where file, module and access are that now. */
static void make_undo(
    Bench *bench, const char *file, const char *module, const char *access, gboolean any)
{
    g_autoptr(NestHostChange) done = any ? make_done() : NULL;
    g_autoptr(GPtrArray) values = g_ptr_array_new();
    const char *now[] = {file, module, access};
    for (guint i = 0; i < G_N_ELEMENTS(now); i++)
        g_ptr_array_add(values, (gpointer)now[i]);
    g_autoptr(NestHostPlanning) planning = nest_host_planning_new(&bench->host, &bench->repair);
    nest_plan_free(bench->plan);
    g_clear_pointer(&bench->change, nest_host_change_free);
    bench->plan = nest_host_undo_plan(planning, done, values, 0, &bench->change);
}

static void test_undo(void **state)
{
    Bench *bench = *state;
    make_undo(bench, "f", "Y", "0660 0 104", TRUE);
    assert_int_equal(bench->plan->items->len, 3);
    assert_false(bench->plan->enable);
    const NestHostSetting *first = g_ptr_array_index(bench->change->settings, 0);
    assert_string_equal(first->id, "access");
    assert_string_equal(first->after, "0600 0 0");
    g_autofree char *summary = nest_host_change_summary(bench->change);
    assert_non_null(strstr(summary,
        "kvm_intel: nested=Y → nested=N; /etc/modprobe.d/nestd.conf: "
        "removed"));
    make_undo(bench, NULL, "N", "0600 0 0", TRUE);
    assert_int_equal(bench->plan->verdict, NEST_PLAN_NO_CHANGE);
    make_undo(bench, "f", "Y", "0666 0 0", TRUE);
    assert_int_equal(bench->plan->items->len, 2);
    assert_warned(bench, "/dev/kvm is not as nestd left it");
    set(&bench->host.tuning.facts[NEST_TUNING_USERS].value, "1");
    make_undo(bench, "f", "Y", "0666 0 0", TRUE);
    assert_int_equal(bench->plan->items->len, 1);
    assert_true(bench->plan->enable);
    assert_warned(bench, "in use");
}

static void test_undo_refused(void **state)
{
    Bench *bench = *state;
    make_undo(bench, "other", "Y", "0660 0 104", TRUE);
    assert_string_equal(bench->plan->problem->kind, "host-changed");
    assert_int_equal(bench->change->settings->len, 0);
    make_undo(bench, NULL, NULL, NULL, FALSE);
    assert_string_equal(bench->plan->problem->kind, "vm-state");
}

static void test_change_as_text(void **state)
{
    g_autoptr(NestHostChange) done = make_done();
    g_autofree char *text = nest_host_change_to_text(done);
    g_autoptr(NestHostChange) again = nest_host_change_from_text(text, NULL);
    g_autofree char *same = nest_host_change_to_text(again);
    assert_string_equal(same, text);
    g_autoptr(GError) error = NULL;
    assert_null(nest_host_change_from_text("{}", &error));
    assert_non_null(error);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_to_do),
        TEST(test_switch_on),
        TEST(test_load),
        TEST(test_what_stands_in_the_way),
        TEST(test_hopeless_hosts),
        TEST(test_the_next_boot),
        TEST(test_built_in),
        TEST(test_own_file),
        TEST(test_access),
        TEST(test_guests),
        TEST(test_blocks),
        TEST(test_undo),
        TEST(test_undo_refused),
        TEST(test_change_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
