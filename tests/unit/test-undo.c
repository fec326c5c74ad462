/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-test-view.h"
#include "nest-undo.h"

/* What an undo would do, and when it is refused. */

static NestStoredRevision *revision_between(const TestVm *before, const TestVm *after)
{
    NestStoredRevision *revision = g_new0(NestStoredRevision, 1);
    revision->id = 3;
    if (before != NULL)
        revision->before_xml = test_vm_xml(before, before->cpu);
    revision->after_xml = test_vm_xml(after, after->cpu);
    return revision;
}

static const TestVm plain = {.cpu = CPU_OFF,
    .memory_mib = 2048,
    .current_mib = 1024,
    .balloon = TRUE,
    .devices = NIC("bridge", FILTER("clean-traffic"))};
static const TestVm nested = {
    .cpu = CPU_ON("vmx"), .memory_mib = 4096, .devices = NIC("bridge", "")};
static const TestVm other = {.cpu = CPU_ON("vmx"), .memory_mib = 8192};

static NestPlan *plan_back(const TestVm *now, const GPtrArray *revisions, gint64 wanted)
{
    g_autoptr(TestView) test = test_view_new(now);
    NestPlan *plan = nest_undo_plan(&test->view, revisions, wanted);
    assert_string_equal(plan->uuid, test->facts->uuid);
    assert_true(plan->hash != NULL && plan->warnings != NULL);
    assert_int_equal(plan->problem != NULL, plan->verdict == NEST_PLAN_REFUSED);
    return plan;
}

static NestPlan *plan_of(const TestVm *now, NestStoredRevision *revision, gint64 wanted)
{
    g_autoptr(GPtrArray) revisions = g_ptr_array_new();
    if (revision != NULL)
        g_ptr_array_add(revisions, revision);
    return plan_back(now, revisions, wanted);
}

static void free_revision(gpointer revision)
{
    nest_stored_revision_free(revision);
}

/* Over several revisions, unless somebody else changed something between two of them. */
static void test_far_back(void **state)
{
    for (guint gap = 0; gap < 4; gap++) {
        const TestVm steps[] = {plain, nested, other, {.cpu = CPU_ON("vmx"), .memory_mib = 9216}};
        g_autoptr(GPtrArray) revisions = g_ptr_array_new_with_free_func(free_revision);
        for (guint i = 3; i > 0; i--) {
            TestVm before = steps[i - 1];
            before.vcpus = i == gap ? 7 : 0; /* the first of all is what is gone back to */
            NestStoredRevision *revision = revision_between(&before, &steps[i]);
            revision->id = i;
            g_ptr_array_add(revisions, revision);
        }
        g_autoptr(NestPlan) plan = plan_back(&steps[3], revisions, 1);
        assert_int_equal(plan->verdict, gap > 1 ? NEST_PLAN_REFUSED : NEST_PLAN_STEPS);
        if (gap > 1)
            assert_string_equal(plan->problem->kind, "vm-changed");
    }
}

static void test_items(void **state)
{
    g_autoptr(NestStoredRevision) revision = revision_between(&plain, &nested);
    g_autoptr(NestPlan) plan = plan_of(&nested, revision, 0);
    static const struct {
        const char *id, *current, *target;
    } rows[] = {
        {"extensions", "host-passthrough + vmx, enforced",
            "host-passthrough, vmx hidden, svm hidden"},
        {"memory", "4 GiB", "1–2 GiB"},
        {"balloon", "none", "present"},
        {"mac-spoofing", "none", "clean-traffic"},
    };
    assert_int_equal(plan->verdict, NEST_PLAN_STEPS);
    assert_false(plan->enable);
    assert_int_equal(plan->items->len, G_N_ELEMENTS(rows));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const NestPlanItem *item = plan->items->pdata[i];
        assert_string_equal(item->id, rows[i].id);
        assert_string_equal(item->current, rows[i].current);
        assert_string_equal(item->target, rows[i].target);
        assert_false(item->optional);
    }
}

/* What can't be taken back comes with it, as with enable. */
static void test_preparations(void **state)
{
    TestVm now = nested;
    now.state = NEST_VM_RUNNING;
    now.saved = TRUE;
    g_autoptr(NestStoredRevision) revision = revision_between(&plain, &nested);
    g_autoptr(NestPlan) plan = plan_of(&now, revision, 3);
    g_autoptr(NestPlan) off = plan_of(&nested, revision, 3);
    assert_true(nest_plan_item(plan, "power-off")->destructive);
    assert_true(nest_plan_item(plan, "saved-state")->destructive);
    assert_string_not_equal(plan->hash, off->hash);
}

static void test_undo_of_an_undo(void **state)
{
    g_autoptr(NestStoredRevision) undo = revision_between(&nested, &plain);
    g_autoptr(NestPlan) plan = plan_of(&plain, undo, 0);
    assert_int_equal(plan->verdict, NEST_PLAN_STEPS);
    assert_true(plan->enable);
}

static void test_nothing_to_do(void **state)
{
    g_autoptr(NestStoredRevision) revision = revision_between(&plain, &nested);
    g_autoptr(NestPlan) plan = plan_of(&plain, revision, 0);
    assert_int_equal(plan->verdict, NEST_PLAN_NO_CHANGE);
    assert_int_equal(plan->items->len, 0);
}

static void test_refusals(void **state)
{
    static const struct {
        const TestVm *before, *after;
        gboolean none;
        gint64 wanted;
        const char *kind, *detail, *next;
    } rows[] = {
        {.none = TRUE, .kind = "vm-state", .detail = "nothing to undo"},
        {.none = TRUE,
            .wanted = 9,
            .kind = "invalid-request",
            .detail = "no revision 9",
            .next = "nestctl history DemoVM"},
        {NULL, &other, .kind = "vm-state", .detail = "revision 3 created DemoVM",
            .next = "nestctl delete DemoVM"},
        {&plain, &nested, .kind = "vm-changed", .detail = "since revision 3", .next = "disable"},
        {&plain, &nested, .wanted = 3, .kind = "vm-changed", .detail = "since revision 3",
            .next = "disable"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestStoredRevision) revision =
            rows[i].none ? NULL : revision_between(rows[i].before, rows[i].after);
        g_autoptr(NestPlan) plan = plan_of(&other, revision, rows[i].wanted);
        assert_int_equal(plan->verdict, NEST_PLAN_REFUSED);
        assert_string_equal(plan->problem->kind, rows[i].kind);
        assert_non_null(strstr(plan->problem->detail, rows[i].detail));
        assert_true(rows[i].next == NULL ? plan->problem->next == NULL
                                         : strstr(plan->problem->next, rows[i].next) != NULL);
    }
}

/* Two targets that differ in what no item tells must not look like the same plan. */
static void test_hash_covers_the_target(void **state)
{
    TestVm one = nested, two = nested;
    one.vcpus = 3;
    two.vcpus = 4;
    g_autoptr(NestStoredRevision) first = revision_between(&one, &nested);
    g_autoptr(NestStoredRevision) second = revision_between(&two, &nested);
    g_autoptr(NestPlan) a = plan_of(&nested, first, 0), b = plan_of(&nested, second, 0);
    assert_string_equal(((NestPlanItem *)a->items->pdata[0])->id, "definition");
    assert_string_not_equal(a->hash, b->hash);
}

static void test_summary(void **state)
{
    g_autoptr(NestStoredRevision) revision = revision_between(&plain, &nested);
    g_autoptr(NestStoredRevision) created = revision_between(NULL, &nested);
    g_autoptr(NestStoredRevision) same = revision_between(&nested, &nested);
    g_autofree char *all = nest_undo_summary(revision), *new = nest_undo_summary(created);
    g_autofree char *nothing = nest_undo_summary(same);
    assert_string_equal(all,
        "cpu: host-passthrough, vmx hidden, svm hidden → host-passthrough + vmx, enforced; "
        "memory: 1–2 GiB → 4 GiB; memory balloon: present → none; "
        "network filters: clean-traffic → none");
    assert_string_equal(new, "created");
    assert_string_equal(nothing, "nothing in the definition");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_far_back),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_preparations),
        cmocka_unit_test(test_undo_of_an_undo),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_hash_covers_the_target),
        cmocka_unit_test(test_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
