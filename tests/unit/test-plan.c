/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-plan.h"
#include "nest-record.h"
#include "nest-test-view.h"
#include <string.h>

/* "saved-state power-off! extensions memory?": the items in order, ? for optional ones. */
static char *item_list(const NestPlan *plan)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < plan->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(plan->items, i);
        g_string_append_printf(list, "%s%s%s%s", i > 0 ? " " : "", item->id,
            item->optional ? "?" : "", item->destructive ? "!" : "");
        assert_non_null(item->title);
        assert_non_null(item->current);
        assert_non_null(item->target);
    }
    return g_string_free(g_steal_pointer(&list), FALSE);
}

static NestPlan *plan_of(const TestVm *vm, gboolean enable, const char *decline)
{
    g_autoptr(TestView) test = test_view_new(vm);
    const char *const list[] = {decline, NULL};
    return nest_plan_make(&test->view, enable, list);
}

typedef struct {
    TestVm vm;
    gboolean enable;
    const char *items; /* "" for no change */
} PlanRow;

static const PlanRow plan_rows[] = {
    {{0}, TRUE, "extensions"},
    {{.cpu = CPU_ON("vmx")}, TRUE, ""},
    {{.cpu = CPU_ON("vmx")}, FALSE, "extensions"},
    {{0}, FALSE, ""},
    {{.cpu = CPU_MODE("host-model")}, TRUE, "extensions"},
    {{.cpu = CPU_MODE("host-model")}, FALSE, "extensions"},
    {{.cpu = CPU_MODE("host-passthrough")}, TRUE, "extensions"},
    {{.cpu = "<cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>"}, TRUE,
        "extensions"},
    {{.cpu = CPU_ON("svm")}, TRUE, "extensions"},
    {{.cpu = "<cpu mode='host-passthrough' check='full'><feature policy='require' name='vmx'/>"
             "<feature policy='require' name='svm'/></cpu>"},
        TRUE, "extensions"},
    {{.host = "amd-ready", .cpu = CPU_ON("svm")}, TRUE, ""},
    {{.host = "amd-ready", .cpu = CPU_ON("vmx")}, TRUE, "extensions"},
    {{.cpu = ""}, TRUE, "extensions"},
    {{.type = "qemu", .cpu = CPU_TCG_ON}, TRUE, ""},
    {{.type = "qemu", .cpu = CPU_TCG_ON}, FALSE, "extensions"},
    {{.type = "qemu", .cpu = ""}, FALSE, "extensions"},
    {{.type = "qemu", .cpu = CPU_OFF}, FALSE, ""},
    {{.type = "qemu", .cpu = CPU_OFF, .host = "software-kvm"}, TRUE, "extensions"},
    {{.type = "qemu", .cpu = CPU_OFF, .host = "no-extension"}, TRUE, "extensions"},
    {{.type = "qemu", .cpu = CPU_OFF, .host = ""}, TRUE, "extensions"},
    /* state */
    {{.state = NEST_VM_RUNNING}, TRUE, "power-off! extensions"},
    {{.state = NEST_VM_PAUSED}, TRUE, "power-off! extensions"},
    {{.state = NEST_VM_CRASHED}, TRUE, "power-off! extensions"},
    {{.state = NEST_VM_SHUTTING_DOWN}, TRUE, "power-off! extensions"},
    {{.state_unknown = TRUE}, TRUE, "power-off! extensions"},
    {{.state = NEST_VM_RUNNING, .cpu = CPU_ON("vmx")}, TRUE, ""},
    {{.state = NEST_VM_RUNNING, .cpu = CPU_ON("vmx")}, FALSE, "power-off! extensions"},
    {{.state = NEST_VM_RUNNING}, FALSE, ""},
    {{.state = NEST_VM_SAVED, .saved = TRUE}, TRUE, "saved-state! extensions"},
    {{.state = NEST_VM_SAVED, .saved = TRUE, .cpu = CPU_ON("vmx")}, TRUE, "saved-state!"},
    {{.state = NEST_VM_SAVED, .saved = TRUE, .cpu = CPU_ON("vmx")}, FALSE,
        "saved-state! extensions"},
    {{.state = NEST_VM_SAVED, .saved = TRUE}, FALSE, ""},
    {{.state = NEST_VM_RUNNING, .saved = TRUE}, TRUE, "saved-state! power-off! extensions"},
    /* memory */
    {{.balloon = TRUE}, TRUE, "extensions dynamic-memory"},
    {{.balloon = TRUE, .cpu = CPU_ON("vmx")}, TRUE, ""},
    {{.balloon = TRUE, .current_mib = 1024}, TRUE, "extensions dynamic-memory"},
    {{.balloon = TRUE, .current_mib = 1024, .cpu = CPU_ON("vmx")}, TRUE, "dynamic-memory"},
    {{.balloon = TRUE, .current_mib = 1024, .cpu = CPU_ON("vmx")}, FALSE, "extensions"},
    {{.memory_mib = 2048}, TRUE, "extensions memory?"},
    {{.memory_mib = 2048, .cpu = CPU_ON("vmx")}, TRUE, "memory?"},
    {{.memory_mib = 2048, .cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING}, TRUE,
        "power-off! memory?"},
    {{.memory_mib = 2048,
         .cpu = "<cpu mode='host-model'><numa><cell id='0' cpus='0' memory='2' unit='GiB'/>"
                "</numa></cpu>"},
        TRUE, "extensions"},
    {{.memory_mib = 2048, .cpu = CPU_ON("vmx")}, FALSE, "extensions"},
    {{.memory_mib = 2048, .current_mib = 1024, .balloon = TRUE}, TRUE,
        "extensions dynamic-memory memory?"},
    /* network */
    {{.devices = NIC("bridge", FILTER("clean-traffic"))}, TRUE, "extensions mac-spoofing?"},
    {{.devices = NIC("bridge", "")}, TRUE, "extensions"},
    {{.devices = NIC("bridge", "<port isolated='yes'/>") NIC("user", ""), .memory_mib = 2048}, TRUE,
        "extensions port-isolation? memory?"},
    {{.devices = NIC("bridge", "<port isolated='no'/>")}, TRUE, "extensions"},
    {{.devices = NIC("bridge", FILTER("clean-traffic")), .cpu = CPU_ON("vmx")}, FALSE,
        "extensions"},
    {{.devices = NIC("bridge", FILTER("no-mac-spoofing")),
         .cpu = CPU_ON("vmx"),
         .memory_mib = 512,
         .current_mib = 256,
         .balloon = TRUE,
         .saved = TRUE,
         .state = NEST_VM_RUNNING},
        TRUE, "saved-state! power-off! dynamic-memory mac-spoofing? memory?"},
};

static void test_items(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(plan_rows); i++) {
        g_autoptr(NestPlan) plan = plan_of(&plan_rows[i].vm, plan_rows[i].enable, NULL);
        g_autofree char *items = item_list(plan);
        if (strcmp(items, plan_rows[i].items) != 0)
            fail_msg("row %u: \"%s\" instead of \"%s\"", i, items, plan_rows[i].items);
        assert_int_equal(
            plan->verdict, *plan_rows[i].items != '\0' ? NEST_PLAN_STEPS : NEST_PLAN_NO_CHANGE);
        assert_null(plan->problem);
        assert_int_equal(strlen(plan->hash), 64);
        assert_string_equal(plan->name, "DemoVM");
        assert_int_equal(plan->enable, plan_rows[i].enable);
    }
}

/* What a plan does is what it says: applied, the definition is as wished and nothing is left. */
static void test_applied_plan_leaves_nothing(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(plan_rows); i++) {
        g_autoptr(TestView) test = test_view_new(&plan_rows[i].vm);
        g_autoptr(NestPlan) plan = nest_plan_make(&test->view, plan_rows[i].enable, NULL);
        NestDomainWish wish = nest_plan_wish(plan, nest_vm_view_extension(&test->view));
        g_autoptr(GError) error = NULL;
        char *after = nest_domain_edit(test->facts->xml, &wish, &error);
        assert_no_error(error);
        assert_true(nest_domain_satisfies(after, &wish, NULL));
        gboolean redefines = nest_plan_item(plan, "extensions") != NULL ||
            nest_plan_item(plan, "dynamic-memory") != NULL ||
            nest_plan_item(plan, "mac-spoofing") != NULL ||
            nest_plan_item(plan, "port-isolation") != NULL ||
            nest_plan_item(plan, "memory") != NULL;
        assert_int_equal(strcmp(after, test->facts->xml) != 0, redefines);
        g_free(test->facts->xml);
        test->facts->xml = after;
        nest_domain_free(test->domain);
        test->domain = test_read(after);
        test->facts->saved_state = FALSE;
        test_view_refresh(test);
        g_autoptr(NestPlan) again = nest_plan_make(&test->view, plan_rows[i].enable, NULL);
        if (again->verdict != NEST_PLAN_NO_CHANGE)
            fail_msg("row %u: something is left to do", i);
    }
}

static void test_declined_items_are_left_out(void **state)
{
    TestVm vm = {.memory_mib = 2048, .devices = NIC("bridge", FILTER("clean-traffic"))};
    static const struct {
        const char *decline, *items, *warns;
    } rows[] = {
        {"memory", "extensions mac-spoofing?", "Memory stays at 2 GiB"},
        {"mac-spoofing", "extensions memory?", "MAC spoofing stays blocked"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestPlan) plan = plan_of(&vm, TRUE, rows[i].decline);
        g_autofree char *items = item_list(plan);
        assert_string_equal(items, rows[i].items);
        assert_non_null(strstr(plan->warnings[0], rows[i].warns));
        NestDomainWish wish = nest_plan_wish(plan, NEST_EXTENSION_VMX);
        assert_int_equal(wish.memory_kib != 0, strcmp(rows[i].decline, "memory") != 0);
        assert_int_equal(wish.allow_macs, strcmp(rows[i].decline, "mac-spoofing") != 0);
    }
    g_autoptr(TestView) test = test_view_new(&vm);
    const char *const both[] = {"memory", "mac-spoofing", NULL};
    g_autoptr(NestPlan) plan = nest_plan_make(&test->view, TRUE, both);
    g_autofree char *items = item_list(plan);
    assert_string_equal(items, "extensions");
}

static void test_declining_all_that_is_left_is_no_change(void **state)
{
    TestVm vm = {.memory_mib = 2048, .cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING};
    g_autoptr(NestPlan) plan = plan_of(&vm, TRUE, "memory");
    assert_int_equal(plan->verdict, NEST_PLAN_NO_CHANGE);
    assert_int_equal(plan->items->len, 0);
    TestVm fine = {.cpu = CPU_ON("vmx")};
    g_autoptr(NestPlan) idle = plan_of(&fine, TRUE, "mac-spoofing");
    assert_int_equal(idle->verdict, NEST_PLAN_NO_CHANGE);
    g_autoptr(NestPlan) off = plan_of(&fine, FALSE, "memory");
    assert_int_equal(off->verdict, NEST_PLAN_STEPS);
}

static void test_refusals(void **state)
{
    static const struct {
        TestVm vm;
        gboolean enable;
        const char *decline;
        NestErrorCode code;
        const char *detail, *next;
    } rows[] = {
        {{0}, TRUE, "extensions", NEST_ERROR_INVALID_REQUEST, "\"extensions\" can't be declined",
            "mac-spoofing, memory"},
        {{0}, FALSE, "nonsense", NEST_ERROR_INVALID_REQUEST, "\"nonsense\" can't be declined",
            "mac-spoofing"},
        {{.broken = TRUE}, TRUE, NULL, NEST_ERROR_VM_UNFIT, "could not be read", "virsh"},
        {{.arch = "aarch64"}, TRUE, NULL, NEST_ERROR_VM_UNFIT, "architecture aarch64", "x86_64"},
        {{.arch = "aarch64"}, FALSE, NULL, NEST_ERROR_VM_UNFIT, "architecture aarch64", "x86_64"},
        {{.type = "xen"}, TRUE, NULL, NEST_ERROR_VM_UNFIT, "of type xen", "kvm or qemu"},
        {{.host = "software-kvm"}, TRUE, NULL, NEST_ERROR_HOST_UNFIT, "KVM is software (kvm_pvm)",
            "--accel tcg"},
        {{.host = "software-kvm", .tcg_offers_none = TRUE}, TRUE, NULL, NEST_ERROR_HOST_UNFIT,
            "KVM is software (kvm_pvm)", "use a host with VT-x or AMD-V"},
        {{.host = "no-extension"}, TRUE, NULL, NEST_ERROR_HOST_UNFIT, "neither VT-x nor AMD-V",
            "firmware"},
        {{.host = "bios-locked"}, TRUE, NULL, NEST_ERROR_HOST_UNFIT, "firmware has locked",
            "firmware setup"},
        {{.host = "xen-dom0"}, TRUE, NULL, NEST_ERROR_HOST_UNFIT, "Xen owns", "without Xen"},
        {{.host = ""}, TRUE, NULL, NEST_ERROR_HOST_UNFIT, "could not be read", "/proc/cpuinfo"},
        {{.host = "junk", .no_caps = TRUE}, TRUE, NULL, NEST_ERROR_HOST_UNFIT, "could not be read",
            "/proc/cpuinfo"},
        {{.type = "qemu", .tcg_offers_none = TRUE}, TRUE, NULL, NEST_ERROR_HOST_UNFIT,
            "software CPU offers no svm", "install a QEMU"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestPlan) plan = plan_of(&rows[i].vm, rows[i].enable, rows[i].decline);
        print_message("# row %u\n", i);
        assert_int_equal(plan->verdict, NEST_PLAN_REFUSED);
        assert_int_equal(plan->items->len, 0);
        assert_non_null(plan->problem);
        assert_string_equal(plan->problem->kind, nest_error_kind(rows[i].code));
        assert_non_null(strstr(plan->problem->detail, rows[i].detail));
        assert_non_null(strstr(plan->problem->next, rows[i].next));
        assert_int_equal(strlen(plan->hash), 64);
    }
}

static void test_own_cpu_line_is_refused(void **state)
{
    TestVm vm = {0};
    g_autoptr(TestView) test = test_view_new(&vm);
    test->domain->cpu_override = TRUE;
    g_autoptr(NestPlan) plan = nest_plan_make(&test->view, TRUE, NULL);
    assert_int_equal(plan->verdict, NEST_PLAN_REFUSED);
    assert_non_null(strstr(plan->problem->next, "qemu:commandline"));
}

/* Hiding needs nothing of the host. */
static void test_disable_works_on_any_host(void **state)
{
    static const char *const hosts[] = {
        "software-kvm", "no-extension", "bios-locked", "junk", "empty", "xen-dom0", ""};
    for (guint i = 0; i < G_N_ELEMENTS(hosts); i++) {
        TestVm vm = {.host = hosts[i], .cpu = CPU_ON("vmx"), .no_caps = i % 2 == 0};
        g_autoptr(NestPlan) plan = plan_of(&vm, FALSE, NULL);
        g_autofree char *items = item_list(plan);
        assert_string_equal(items, "extensions");
    }
}

static void test_warnings(void **state)
{
    static const struct {
        TestVm vm;
        gboolean enable;
        const char *says; /* NULL: no warning */
    } rows[] = {
        {{0}, TRUE, NULL},
        {{.host = "intel-nested-off"}, TRUE, "refuse to start: kvm_intel does not allow nesting"},
        {{.host = "intel-nested-off"}, TRUE, "modprobe kvm_intel nested=1"},
        {{.host = "intel-nested-off", .cpu = CPU_ON("vmx")}, FALSE, NULL},
        {{.host = "vbox-running"}, TRUE, "stop what else runs VMs here: VBoxHeadless"},
        {{.host = "nested-unreadable"}, TRUE, "may refuse to start"},
        {{.host = "", .kvm_extension = NEST_EXTENSION_VMX}, TRUE, "may refuse to start"},
        {{.kvm_offers_none = TRUE}, TRUE, "libvirt does not offer vmx"},
        {{.type = "qemu", .no_caps = TRUE}, TRUE, "may refuse to start"},
        {{.snapshots = 1}, TRUE, "its snapshot"},
        {{.snapshots = 2}, TRUE, "one of its snapshots"},
        {{.snapshots = 2, .cpu = CPU_ON("vmx")}, TRUE, NULL},
        {{.state = NEST_VM_RUNNING, .cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF}, TRUE,
            "still runs with the CPU"},
        {{.state = NEST_VM_RUNNING, .cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx")}, TRUE, NULL},
        {{.state = NEST_VM_RUNNING, .live_cpu = CPU_ON("vmx")}, FALSE, "still runs with the CPU"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestPlan) plan = plan_of(&rows[i].vm, rows[i].enable, NULL);
        g_autofree char *all = g_strjoinv("\n", plan->warnings);
        assert_int_not_equal(plan->verdict, NEST_PLAN_REFUSED);
        if (rows[i].says == NULL ? *all != '\0' : strstr(all, rows[i].says) == NULL)
            fail_msg("row %u: \"%s\"", i, all);
    }
}

static void assert_item(const NestPlan *plan, const char *id, const char *title,
    const char *current, const char *target, const char *detail)
{
    const NestPlanItem *item = nest_plan_item(plan, id);
    assert_non_null(item);
    assert_string_equal(item->title, title);
    assert_string_equal(item->current, current);
    assert_string_equal(item->target, target);
    assert_true(g_strcmp0(item->detail, detail) == 0);
}

static void test_wording(void **state)
{
    TestVm vm = {.cpu = CPU_MODE("host-model"),
        .memory_mib = 3072,
        .current_mib = 512,
        .balloon = TRUE,
        .state = NEST_VM_RUNNING,
        .saved = TRUE,
        .saved_bytes = 812ull << 20,
        .devices = NIC("bridge", "<target dev='vnet0'/>" FILTER("clean-traffic"))};
    g_autoptr(NestPlan) plan = plan_of(&vm, TRUE, NULL);
    assert_item(plan, "saved-state", "saved state removed", "812 MiB saved", "none",
        "its 812 MiB of saved memory are lost");
    assert_item(plan, "power-off", "shut down", "running", "off", "it is running");
    assert_item(plan, "extensions", "virtualization extensions exposed", "cpu host-model",
        "host-passthrough + vmx", NULL);
    assert_item(plan, "dynamic-memory", "dynamic memory off", "512 MiB–3 GiB",
        "3 GiB fixed, balloon removed", NULL);
    assert_item(plan, "mac-spoofing", "MAC spoofing allowed on vnet0", "filter clean-traffic",
        "no filter",
        "without it inner VMs have no network; protection against foreign IP addresses goes too");
    assert_item(plan, "memory", "memory raised to 4 GiB", "3 GiB", "4 GiB",
        "below that inner VMs may not start");
}

static void test_wording_of_cpus(void **state)
{
    static const struct {
        TestVm vm;
        gboolean enable;
        const char *current, *target;
    } rows[] = {
        {{.cpu = ""}, TRUE, "cpu default", "host-passthrough + vmx"},
        {{.cpu = CPU_OFF}, TRUE, "cpu host-passthrough, vmx hidden", "host-passthrough + vmx"},
        {{.cpu = "<cpu mode='host-model'><feature policy='require' name='vmx'/></cpu>"}, TRUE,
            "cpu host-model + vmx, not enforced", "host-passthrough + vmx"},
        {{.cpu = CPU_ON("vmx")}, FALSE, "cpu host-passthrough + vmx", "vmx and svm hidden"},
        {{.type = "qemu", .cpu = ""}, TRUE, "cpu default", "maximum + svm"},
        {{.cpu = "<cpu mode='custom'><model>EPYC</model></cpu>", .host = "amd-ready"}, TRUE,
            "cpu EPYC", "host-passthrough + svm"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestPlan) plan = plan_of(&rows[i].vm, rows[i].enable, NULL);
        const NestPlanItem *item = nest_plan_item(plan, "extensions");
        assert_non_null(item);
        assert_string_equal(item->current, rows[i].current);
        assert_string_equal(item->target, rows[i].target);
    }
    TestVm balloon = {.balloon = TRUE,
        .devices = NIC("bridge", FILTER("clean-traffic")) NIC("bridge", FILTER("no-mac-spoofing")),
        .saved = TRUE};
    g_autoptr(NestPlan) plan = plan_of(&balloon, TRUE, NULL);
    assert_string_equal(nest_plan_item(plan, "dynamic-memory")->current, "4 GiB, balloon present");
    assert_string_equal(
        nest_plan_item(plan, "mac-spoofing")->title, "MAC spoofing allowed on 2 interfaces");
    assert_string_equal(nest_plan_item(plan, "saved-state")->detail, "its saved memory is lost");
    assert_null(nest_plan_item(plan, "memory"));
}

static void test_wish(void **state)
{
    TestVm all = {.memory_mib = 512,
        .current_mib = 256,
        .balloon = TRUE,
        .devices = NIC("bridge", FILTER("clean-traffic"))};
    g_autoptr(NestPlan) plan = plan_of(&all, TRUE, NULL);
    NestDomainWish wish = nest_plan_wish(plan, NEST_EXTENSION_VMX);
    assert_int_equal(wish.nesting, NEST_WISH_EXPOSE);
    assert_int_equal(wish.extension, NEST_EXTENSION_VMX);
    assert_true(wish.fix_memory);
    assert_true(wish.allow_macs);
    assert_int_equal(wish.memory_kib, NEST_MEMORY_WANTED_KIB);
    TestVm on = {.cpu = CPU_ON("vmx")};
    g_autoptr(NestPlan) hide = plan_of(&on, FALSE, NULL);
    assert_int_equal(nest_plan_wish(hide, NEST_EXTENSION_VMX).nesting, NEST_WISH_HIDE);
    g_autoptr(NestPlan) idle = plan_of(&on, TRUE, NULL);
    NestDomainWish none = nest_plan_wish(idle, NEST_EXTENSION_VMX);
    assert_int_equal(none.nesting, NEST_WISH_KEEP);
    assert_false(none.fix_memory);
    assert_int_equal(none.memory_kib, 0);
}

static char *hash_of(const TestVm *vm, gboolean enable, const char *decline)
{
    g_autoptr(NestPlan) plan = plan_of(vm, enable, decline);
    return g_strdup(plan->hash);
}

static void test_hash_tells_what_matters(void **state)
{
    static const struct {
        TestVm vm;
        gboolean enable;
        const char *decline;
    } rows[] = {
        {{.memory_mib = 2048}, TRUE, NULL},
        {{.memory_mib = 2048}, FALSE, NULL},
        {{.memory_mib = 2048}, TRUE, "memory"},
        {{.memory_mib = 2048}, TRUE, "mac-spoofing"},
        {{.memory_mib = 2049}, TRUE, NULL},
        {{.memory_mib = 2048, .vcpus = 3}, TRUE, NULL},
        {{.memory_mib = 2048, .state = NEST_VM_RUNNING}, TRUE, NULL},
        {{.memory_mib = 2048, .state = NEST_VM_PAUSED}, TRUE, NULL},
        {{.memory_mib = 2048, .saved = TRUE}, TRUE, NULL},
        {{.memory_mib = 2048, .saved = TRUE, .saved_bytes = 1 << 20}, TRUE, NULL},
        {{.memory_mib = 2048, .host = "amd-ready"}, TRUE, NULL},
        {{.memory_mib = 2048, .host = "no-extension"}, TRUE, NULL},
        {{.memory_mib = 2048, .host = "bios-locked"}, TRUE, NULL},
        /* nothing to do, so only the facts differ */
        {{.cpu = CPU_ON("vmx")}, TRUE, NULL},
        {{.cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING}, TRUE, NULL},
        {{.vcpus = 5}, FALSE, NULL},
        {{.vcpus = 5, .saved = TRUE}, FALSE, NULL},
    };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *hash = hash_of(&rows[i].vm, rows[i].enable, rows[i].decline);
        if (!g_hash_table_add(seen, hash))
            fail_msg("row %u hashes like another one", i);
    }
}

static void test_hash_ignores_what_passes(void **state)
{
    TestVm vm = {.memory_mib = 2048};
    g_autofree char *hash = hash_of(&vm, TRUE, NULL);
    static const TestVm same[] = {
        {.memory_mib = 2048},
        {.memory_mib = 2048, .snapshots = 3},
        {.memory_mib = 2048, .host = "intel-nested-off"},
        {.memory_mib = 2048, .no_caps = TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *other = hash_of(&same[i], TRUE, NULL);
        assert_string_equal(hash, other);
    }
    g_autoptr(TestView) test = test_view_new(&vm);
    const char *const forth[] = {"memory", "mac-spoofing", NULL};
    const char *const back[] = {"mac-spoofing", "memory", "memory", NULL};
    g_autoptr(NestPlan) a = nest_plan_make(&test->view, TRUE, forth);
    g_autoptr(NestPlan) b = nest_plan_make(&test->view, TRUE, back);
    assert_string_equal(a->hash, b->hash);
}

static void test_no_definition_no_crash(void **state)
{
    TestVm vm = {.broken = TRUE};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_clear_pointer(&test->facts->xml, g_free);
    g_autoptr(NestPlan) plan = nest_plan_make(&test->view, TRUE, NULL);
    assert_int_equal(plan->verdict, NEST_PLAN_REFUSED);
}

static void test_hyper_v_owns_the_host(void **state)
{
    TestVm vm = {0};
    g_autoptr(TestView) test = test_view_new(&vm);
    test->host->mshv = TRUE;
    g_autoptr(NestPlan) beside = nest_plan_make(&test->view, TRUE, NULL);
    assert_int_equal(beside->verdict, NEST_PLAN_STEPS);
    test->host->kvm.vm_created = FALSE;
    g_autoptr(NestPlan) owned = nest_plan_make(&test->view, TRUE, NULL);
    assert_int_equal(owned->verdict, NEST_PLAN_REFUSED);
    assert_non_null(strstr(owned->problem->detail, "Hyper-V owns"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_applied_plan_leaves_nothing),
        cmocka_unit_test(test_declined_items_are_left_out),
        cmocka_unit_test(test_declining_all_that_is_left_is_no_change),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_own_cpu_line_is_refused),
        cmocka_unit_test(test_disable_works_on_any_host),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_wording),
        cmocka_unit_test(test_wording_of_cpus),
        cmocka_unit_test(test_wish),
        cmocka_unit_test(test_hash_tells_what_matters),
        cmocka_unit_test(test_hash_ignores_what_passes),
        cmocka_unit_test(test_no_definition_no_crash),
        cmocka_unit_test(test_hyper_v_owns_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
