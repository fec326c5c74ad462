/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-policy.h"
#include "nest-test-checks.h"

/* What the administrator makes of checks. */

#define TODAY "2026-07-01"

static NestCheck *check_of(const char *id, NestVerdict verdict)
{
    NestCheck *check = nest_record_new(&nest_check_record);
    check->id = g_strdup(id);
    check->verdict = verdict;
    check->message = g_strdup("It is so.");
    return check;
}

static void test_levels(void **state)
{
    static const struct {
        const char *level;
        NestVerdict own, before, after;
    } rows[] = {
        {"info", NEST_VERDICT_FAIL, NEST_VERDICT_FAIL, NEST_VERDICT_INFO},
        {"info", NEST_VERDICT_FAIL, NEST_VERDICT_WARN, NEST_VERDICT_INFO},
        {"warn", NEST_VERDICT_FAIL, NEST_VERDICT_FAIL, NEST_VERDICT_WARN},
        {"warn", NEST_VERDICT_FAIL, NEST_VERDICT_WARN, NEST_VERDICT_WARN},
        {"warn", NEST_VERDICT_FAIL, NEST_VERDICT_INFO, NEST_VERDICT_INFO},
        {"fail", NEST_VERDICT_FAIL, NEST_VERDICT_WARN, NEST_VERDICT_WARN},
        {"fail", NEST_VERDICT_WARN, NEST_VERDICT_WARN, NEST_VERDICT_FAIL},
        {"fail", NEST_VERDICT_WARN, NEST_VERDICT_INFO, NEST_VERDICT_INFO},
        {"fail", NEST_VERDICT_INFO, NEST_VERDICT_INFO, NEST_VERDICT_FAIL},
        {"warn", NEST_VERDICT_INFO, NEST_VERDICT_INFO, NEST_VERDICT_WARN},
        {"info", NEST_VERDICT_FAIL, NEST_VERDICT_UNKNOWN, NEST_VERDICT_UNKNOWN},
        {"fail", NEST_VERDICT_INFO, NEST_VERDICT_UNKNOWN, NEST_VERDICT_UNKNOWN},
        {"fail", NEST_VERDICT_INFO, NEST_VERDICT_PASS, NEST_VERDICT_PASS},
        {"fail", NEST_VERDICT_INFO, NEST_VERDICT_NOT_APPLICABLE, NEST_VERDICT_NOT_APPLICABLE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestPolicy) policy = nest_policy_new();
        g_autoptr(NestCheck) check = check_of("vm.saved", rows[i].before);
        assert_null(nest_policy_set_level(policy, "vm.saved", rows[i].level));
        nest_policy_judge(policy, TODAY, "DemoVM", rows[i].own, check);
        print_message("# row %u\n", i);
        assert_int_equal(check->verdict, rows[i].after);
        assert_null(check->ignored);
    }
}

static void test_ignored(void **state)
{
    static const struct {
        const char *group, *value, *vm, *id;
        NestVerdict verdict;
        const char *ignored, *message;
    } rows[] = {
        {"ignore vm DemoVM", "small", "DemoVM", "vm.mem.min", NEST_VERDICT_WARN, "small", NULL},
        {"ignore vm DemoVM", "small", "DemoVM", "vm.mem.min", NEST_VERDICT_UNKNOWN, "small", NULL},
        {"ignore vm DemoVM", "small", "DemoVM", "vm.mem.min", NEST_VERDICT_PASS, NULL, NULL},
        {"ignore vm DemoVM", "small", "DemoVM", "vm.saved", NEST_VERDICT_FAIL, NULL, NULL},
        {"ignore vm DemoVM", "small", "Other", "vm.mem.min", NEST_VERDICT_WARN, NULL, NULL},
        {"ignore vm Demo*", "small", "DemoVM", "vm.mem.min", NEST_VERDICT_WARN, "small", NULL},
        {"ignore vm DemoVM", "a; b; until " TODAY, "DemoVM", "vm.mem.min", NEST_VERDICT_WARN,
            "a; b", NULL},
        {"ignore vm DemoVM", "small; until 2026-06-30", "DemoVM", "vm.mem.min", NEST_VERDICT_WARN,
            NULL, "It is so. It was ignored until 2026-06-30: small."},
        {"ignore host", "old", NULL, "host.swap", NEST_VERDICT_FAIL, "old", NULL},
        {"ignore host", "old", NULL, "host.ksm", NEST_VERDICT_FAIL, NULL, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestPolicy) policy = nest_policy_new();
        g_autoptr(NestCheck) check = check_of(rows[i].id, rows[i].verdict);
        const char *id = rows[i].vm != NULL ? "vm.mem.min" : "host.swap";
        assert_null(nest_policy_set_ignore(policy, rows[i].group, id, rows[i].value));
        nest_policy_judge(policy, TODAY, rows[i].vm, NEST_VERDICT_FAIL, check);
        print_message("# row %u\n", i);
        assert_int_equal(check->verdict, rows[i].verdict);
        assert_true(g_strcmp0(check->ignored, rows[i].ignored) == 0);
        assert_string_equal(
            check->message, rows[i].message != NULL ? rows[i].message : "It is so.");
    }
}

/* The first that is in force counts; a day later another key says that VMs are to be judged anew.
 */
static void test_several(void **state)
{
    g_autoptr(NestPolicy) policy = nest_policy_new();
    assert_null(
        nest_policy_set_ignore(policy, "ignore vm *", "vm.mem.min", "one; until 2026-06-30"));
    assert_null(
        nest_policy_set_ignore(policy, "ignore vm *", "vm.mem.min", "two; until 2026-07-01"));
    g_autoptr(NestCheck) check = check_of("vm.mem.min", NEST_VERDICT_WARN);
    nest_policy_judge(policy, TODAY, "DemoVM", NEST_VERDICT_WARN, check);
    assert_string_equal(check->ignored, "two");
    assert_string_equal(check->ignored_until, "2026-07-01");
    g_autoptr(NestCheck) later = check_of("vm.mem.min", NEST_VERDICT_WARN);
    nest_policy_judge(policy, "2026-07-02", "DemoVM", NEST_VERDICT_WARN, later);
    assert_null(later->ignored);
    assert_non_null(strstr(later->message, "until 2026-07-01: two."));
    g_autofree char *today = nest_policy_key(policy, TODAY);
    g_autofree char *same = nest_policy_key(policy, "2026-07-01");
    g_autofree char *tomorrow = nest_policy_key(policy, "2026-07-02");
    assert_string_equal(today, same);
    assert_string_not_equal(today, tomorrow);
}

/* Ignored checks count neither for the verdict nor as failed or warned. */
static void test_verdict(void **state)
{
    TestVm row = {.cpu = CPU_OFF, .vcpus = 1};
    g_autoptr(TestView) test = test_view_new(&row);
    g_autoptr(NestPolicy) policy = nest_policy_new();
    g_autoptr(NestVm) plain = nest_checks_vm(&test->view);
    g_autoptr(NestVmSummary) before = nest_vm_summarize(plain);
    assert_false(before->supports);
    assert_null(nest_policy_set_ignore(policy, "ignore vm DemoVM", "vm.exposed", "not yet"));
    assert_null(nest_policy_set_ignore(policy, "ignore vm DemoVM", "vm.vcpus", "enough"));
    test->view.policy = policy;
    test->view.today = TODAY;
    g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
    g_autoptr(NestVmSummary) after = nest_vm_summarize(vm);
    assert_true(after->supports);
    assert_int_equal(after->failed, before->failed - 1);
    assert_int_equal(after->warnings, before->warnings - 1);
    assert_string_equal(find_check(vm->checks, "vm.vcpus")->ignored, "enough");
    assert_null(nest_policy_set_level(policy, "vm.cpu.portable", "fail"));
    g_autoptr(NestVm) strict = nest_checks_vm(&test->view);
    assert_false(strict->supports);
}

static NestVerdict host_policy(const NestPolicy *policy, gboolean *ret_supports)
{
    g_autoptr(NestHostFacts) facts = test_host("intel-ready");
    g_autoptr(NestBackendCaps) caps = test_caps(facts);
    NestHostView view = {facts, caps, NULL, FALSE, policy, TODAY};
    g_autoptr(NestHost) host = nest_checks_host(&view);
    *ret_supports = host->supports;
    return find_check(host->checks, "host.policy")->verdict;
}

static void test_who_may_nest(void **state)
{
    static const char *const all[] = {"web1", "*", NULL}, *const some[] = {"web?", NULL},
                             *const none[] = {NULL};
    static const struct {
        const char *const *allow;
        NestVerdict verdict;
        gboolean web, other;
    } rows[] = {
        {all, NEST_VERDICT_PASS, TRUE, TRUE},
        {some, NEST_VERDICT_INFO, TRUE, FALSE},
        {none, NEST_VERDICT_FAIL, FALSE, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestPolicy) policy = nest_policy_new();
        gboolean supports = FALSE;
        nest_policy_set_allow(policy, rows[i].allow);
        assert_int_equal(nest_policy_allows(policy, "web1"), rows[i].web);
        assert_int_equal(nest_policy_allows(policy, "DemoVM"), rows[i].other);
        assert_int_equal(host_policy(policy, &supports), rows[i].verdict);
        assert_int_equal(supports, rows[i].verdict != NEST_VERDICT_FAIL);
    }
    assert_true(nest_policy_allows(NULL, "DemoVM"));
}

static void test_plan(void **state)
{
    TestVm row = {0};
    g_autoptr(TestView) test = test_view_new(&row);
    g_autoptr(NestPolicy) policy = nest_policy_new();
    static const char *const some[] = {"web?", NULL};
    nest_policy_set_allow(policy, some);
    test->view.policy = policy;
    test->view.today = TODAY;
    g_autoptr(NestPlan) enable = nest_plan_make(&test->view, TRUE, NULL);
    assert_int_equal(enable->verdict, NEST_PLAN_REFUSED);
    assert_non_null(strstr(enable->problem->detail, "only web? may"));
    g_autoptr(NestPlan) disable = nest_plan_make(&test->view, FALSE, NULL);
    assert_int_not_equal(disable->verdict, NEST_PLAN_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_who_may_nest),
        cmocka_unit_test(test_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
