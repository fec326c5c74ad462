/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-plan.h"
#include "nest-test-view.h"
#include "nest-vm-card.h"
#include "nest-vm-drift.h"
#include <string.h>

#define CPU_LOOSE "<cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>"

/* guarded: nestd switched nesting on, and left it otherwise than it is now. */
static char *drift_of(const TestVm *vm, gboolean guarded, gboolean as_left)
{
    TestView *test = test_view_new(vm);
    test->marks.guarded = guarded;
    test->marks.left_as =
        as_left ? nest_domain_fingerprint(test->facts->xml) : g_strdup("something else");
    char *drift = nest_vm_drift(&test->view);
    g_clear_pointer(&test->marks.left_as, g_free);
    test_view_free(test);
    return drift;
}

/* What of the interfaces nestd left open, and is not any more. */
static void test_interfaces(void **state)
{
    static const char both[] = "mac-spoofing port-isolation";
    static const char filtered[] =
        "MAC spoofing is blocked on 52:54:00:00:00:01 by the filter clean-traffic";
    static const char isolated[] = "the port of 52:54:00:00:00:01 is isolated";
    static const struct {
        const char *cpu, *nics, *open, *drift;
    } rows[] = {
        {CPU_ON("vmx"), NIC("bridge", ""), both, NULL},
        {CPU_ON("vmx"), NIC("bridge", FILTER("clean-traffic")), both, filtered},
        {CPU_ON("vmx"), NIC("bridge", FILTER("clean-traffic")), "port-isolation", NULL},
        {CPU_ON("vmx"), NIC("bridge", FILTER("clean-traffic")), NULL, NULL},
        {CPU_ON("vmx"), NIC("bridge", FILTER("nobody-knows-it")), both, NULL},
        {CPU_ON("vmx"), NIC("bridge", "<port isolated='yes'/>"), both, isolated},
        {CPU_ON("vmx"), NIC("bridge", "<port isolated='no'/>"), both, NULL},
        {CPU_ON("vmx"), NIC("bridge", "<port isolated='yes'/>"), "mac-spoofing", NULL},
        {CPU_OFF, NIC("bridge", "") NIC("bridge", "<port isolated='yes'/>"), both,
            "nesting is off, the port of 52:54:00:00:00:01 is isolated"},
        {CPU_ON("vmx"),
            "<interface type='bridge'/><interface type='bridge'><port isolated='yes'/></interface>",
            both, "the port of interface 2 is isolated"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const TestVm vm = {.cpu = rows[i].cpu, .devices = rows[i].nics};
        TestView *test = test_view_new(&vm);
        test->marks.guarded = TRUE;
        test->marks.open = (char *)rows[i].open;
        g_autofree char *drift = nest_vm_drift(&test->view);
        if (g_strcmp0(drift, rows[i].drift) != 0)
            fail_msg("row %u: %s", i, drift);
        test_view_free(test);
    }
}

/* enable mends whatever has drifted; what is declined stays, and is no drift from then on. */
static void test_enable_mends(void **state)
{
    static const char *const decline[] = {"mac-spoofing", "port-isolation", NULL};
    static const struct {
        TestVm vm;
        const char *item, *declined;
    } rows[] = {
        {{.cpu = CPU_ON("vmx"), .balloon = TRUE}, "dynamic-memory", "dynamic-memory"},
        {{.cpu = CPU_LOOSE}, "extensions", "extensions"},
        {{.cpu = CPU_ON("vmx"), .devices = NIC("bridge", FILTER("clean-traffic"))}, "mac-spoofing",
            "drift"},
        {{.cpu = CPU_ON("vmx"),
             .devices = NIC("bridge", "<port isolated='yes'/>"),
             .live_cpu = CPU_ON("vmx"),
             .state = NEST_VM_RUNNING},
            "port-isolation", "drift"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        TestView *test = test_view_new(&rows[i].vm);
        char open[] = "mac-spoofing port-isolation";
        test->marks.guarded = TRUE;
        test->marks.open = open;
        g_autoptr(NestPlan) mends = nest_plan_make(&test->view, TRUE, NULL);
        g_autoptr(NestPlan) stays = nest_plan_make(&test->view, TRUE, decline);
        g_autoptr(NestPlan) off = nest_plan_make(&test->view, FALSE, NULL);
        assert_non_null(nest_plan_item(mends, rows[i].item));
        assert_null(nest_plan_item(mends, "drift"));
        assert_null(nest_plan_item(off, "drift"));
        assert_int_equal(stays->items->len, 1);
        assert_non_null(nest_plan_item(stays, rows[i].declined));
        test->marks.guarded = FALSE;
        g_autoptr(NestPlan) foreign = nest_plan_make(&test->view, TRUE, decline);
        assert_null(nest_plan_item(foreign, "drift"));
        test_view_free(test);
    }
}

static void test_drift(void **state)
{
    static const struct {
        TestVm vm;
        const char *drift;
    } rows[] = {
        {{.cpu = CPU_ON("vmx")}, NULL},
        {{.cpu = CPU_ON("vmx"), .vcpus = 8, .memory_mib = 8192}, NULL},
        {{.cpu = CPU_ON("vmx"), .devices = NIC("bridge", FILTER("clean-traffic"))}, NULL},
        {{.cpu = CPU_OFF}, "nesting is off"},
        {{.cpu = CPU_LOOSE}, "nesting is not enforced"},
        {{.cpu = CPU_MODE("host-passthrough")}, "nesting is not asked for"},
        {{.cpu = CPU_ON("vmx"), .balloon = TRUE}, "it has a balloon"},
        {{.cpu = CPU_ON("vmx"), .balloon = TRUE, .current_mib = 2048}, "memory is dynamic"},
        {{.cpu = CPU_OFF, .balloon = TRUE, .current_mib = 2048},
            "nesting is off, memory is dynamic"},
        {{.cpu = CPU_OFF, .broken = TRUE}, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *drift = drift_of(&rows[i].vm, TRUE, FALSE);
        g_autofree char *as_left = drift_of(&rows[i].vm, TRUE, TRUE);
        g_autofree char *not_ours = drift_of(&rows[i].vm, FALSE, FALSE);
        if (g_strcmp0(drift, rows[i].drift) != 0)
            fail_msg("row %u: %s", i, drift);
        assert_null(as_left);
        assert_null(not_ours);
    }
}

static gboolean tells(NestVmCard *old, NestVmCard *card)
{
    g_autoptr(NestEvent) event = nest_vm_card_drift_event(old, card);
    if (event != NULL)
        assert_string_equal(event->kind, "drift");
    return event != NULL;
}

static void test_told_once(void **state)
{
    char key[] = "k", off[] = "nesting is off", balloon[] = "it has a balloon", name[] = "DemoVM",
         drifted[] = "{\"uuid\":\"u\",\"name\":\"DemoVM\",\"drift\":true}",
         sound[] = "{\"uuid\":\"u\",\"name\":\"DemoVM\",\"drift\":false}";
    NestVmCard good = {.key = key, .name = name}, bad = {.key = key, .drift = off, .name = name},
               worse = {.key = key, .drift = balloon, .name = name},
               bad_before = {.summary = drifted}, good_before = {.summary = sound};
    assert_false(tells(NULL, &good));
    assert_false(tells(&bad, &good));
    assert_true(tells(&good, &bad));
    assert_false(tells(&bad, &bad));
    assert_true(tells(&bad, &worse));
    assert_true(tells(NULL, &bad));
    assert_false(tells(&bad_before, &bad));
    assert_true(tells(&good_before, &bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_interfaces),
        cmocka_unit_test(test_enable_mends),
        cmocka_unit_test(test_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
