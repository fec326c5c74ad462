/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-plan.h"
#include "nest-test-view.h"
#include <string.h>

/* What a plan says of a VM that hosts others, or may, and of checks that refuse it. */

#define RUNS .cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING
#define PAUSED .cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_PAUSED
#define DID(what) .activity = NEST_ACTIVITY_##what
#define ONLY_ASKED "and may host other VMs: it is asked to shut down, and not powered off"
#define RESUME "nestctl resume DemoVM, then try again"

typedef struct {
    TestVm vm;
    gboolean enable;
    const char *power_off; /* in the detail of that item; NULL: it is refused */
    gboolean only_asked;
    const char *why, *next, *check; /* of the refusal */
} Row;

static const Row rows[] = {
    {{RUNS, DID(EXPOSED)}, FALSE, "it is running"},
    {{RUNS, DID(ARMED)}, FALSE, "it is running"},
    {{RUNS, DID(UNKNOWN)}, FALSE, "it is running", TRUE},
    {{RUNS, DID(HOSTING)}, FALSE, NULL, FALSE, "can't be disabled for nesting while it hosts",
        "nestctl shutdown DemoVM", "guard.disable"},
    /* nesting stays, but the VM has to be off */
    {{RUNS, DID(HOSTING), .memory_mib = 2048}, TRUE, "it is running", TRUE},
    {{RUNS, DID(EXPOSED), .memory_mib = 2048}, TRUE, "it is running"},
    {{PAUSED, DID(EXPOSED)}, FALSE, "it is paused"},
    {{PAUSED, DID(HOSTING), .memory_mib = 2048}, TRUE, NULL, FALSE,
        "is paused and may host other VMs", RESUME, "guard.stop"},
    {{PAUSED, DID(UNKNOWN)}, FALSE, NULL, FALSE, "is paused and may host other VMs", RESUME,
        "guard.stop"},
    {{.cpu = CPU_OFF, .live_cpu = CPU_OFF, .state = NEST_VM_PAUSED}, TRUE, "it is paused"},
    /* by a check */
    {{.type = "xen"}, TRUE, NULL, FALSE, "is of type xen", NULL, "vm.type"},
    {{.host = "no-extension"}, TRUE, NULL, FALSE, "can't nest", NULL, "host.cpu.virt"},
};

static void check_refused(guint i, const Row *row, const NestPlan *plan)
{
    if (plan->verdict != NEST_PLAN_REFUSED)
        fail_msg("row %u is not refused", i);
    assert_int_equal(plan->items->len, 0);
    if (strstr(plan->problem->detail, row->why) == NULL)
        fail_msg("row %u: %s", i, plan->problem->detail);
    if (row->next != NULL)
        assert_string_equal(plan->problem->next, row->next);
    assert_string_equal(plan->problem->check, row->check);
}

static void test_rows(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *row = &rows[i];
        g_autoptr(TestView) test = test_view_new(&row->vm);
        g_autoptr(NestPlan) plan = nest_plan_make(&test->view, row->enable, NULL);
        const NestPlanItem *item = nest_plan_item(plan, "power-off");
        if (row->power_off == NULL) {
            check_refused(i, row, plan);
            continue;
        }
        if (item == NULL || strstr(item->detail, row->power_off) == NULL ||
            (strstr(item->detail, ONLY_ASKED) != NULL) != row->only_asked)
            fail_msg("row %u: %s", i, item != NULL ? item->detail : plan->problem->detail);
    }
}

/* Whether it hosts is asked again when it is turned off: a plan does not expire by that. */
static void test_hash(void **state)
{
    const TestVm unknown = {RUNS, DID(UNKNOWN)}, armed = {RUNS, DID(ARMED)};
    g_autoptr(TestView) a = test_view_new(&unknown), b = test_view_new(&armed);
    g_autoptr(NestPlan) first = nest_plan_make(&a->view, FALSE, NULL);
    g_autoptr(NestPlan) second = nest_plan_make(&b->view, FALSE, NULL);
    assert_string_equal(first->hash, second->hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
