/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-job.h"
#include "nest-record.h"
#include "nest-test-view.h"

/* What becomes of an interrupted operation: every branch of recover, nothing but structs. */

/* What hiding makes of CPU_ON("vmx"). */
#define CPU_HIDDEN \
    "<cpu mode='host-passthrough' check='full'><feature policy='disable' name='vmx'/>" \
    "<feature policy='disable' name='svm'/></cpu>"
#define CPU_OTHER "<cpu mode='custom'><model>Skylake</model></cpu>"

/* The VM as it was when the operation began, and as it is found. NULL cpu: it is gone. */
typedef struct {
    const char *kind;
    TestVm before, found;
    gboolean gone;
    NestRecovery decision;
    const char *note; /* NULL: none */
    gboolean keeps; /* nested: the definition needs no change */
} Row;

static NestHostSnapshot *host_snapshot(void)
{
    g_autofree char *root = g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts/intel-ready", NULL);
    g_autoptr(NestHostFacts) facts = nest_host_probe(root);
    g_autoptr(NestBackendCaps) caps = test_caps(facts);
    g_autoptr(NestHostPlace) place = nest_host_place_new(root, NULL);
    return nest_host_snapshot_take(place, caps);
}

static NestVmReading *reading_of(const TestVm *vm)
{
    g_autoptr(TestView) test = test_view_new(vm);
    g_autoptr(NestHostSnapshot) host = host_snapshot();
    g_autoptr(GError) error = NULL;
    NestVmReading *reading = nest_vm_reading_new(g_steal_pointer(&test->facts), host, NULL, &error);
    assert_no_error(error);
    return reading;
}

/* As prepare would have left it in the store. */
static NestIntent *intent_of(const Row *row)
{
    g_autoptr(TestView) before = test_view_new(&row->before);
    g_autoptr(NestPlan) plan =
        nest_plan_make(&before->view, strcmp(row->kind, "enable") == 0, NULL);
    NestDomainWish wish = nest_plan_wish(plan, nest_vm_view_extension(&before->view));
    NestIntent *intent = g_new0(NestIntent, 1);
    intent->operation = nest_operation_new();
    intent->operation->kind = g_strdup(row->kind);
    intent->operation->uuid = g_strdup(before->facts->uuid);
    intent->before_xml = g_strdup(before->facts->xml);
    intent->after_xml = nest_domain_edit(before->facts->xml, &wish, NULL);
    if (strcmp(row->kind, "save") != 0) /* its note is of no concern here */
        intent->detail = nest_codec_to_text(&nest_plan_record, plan);
    return intent;
}

static void check_row(const Row *row, guint index)
{
    const char *note = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestJob) job = nest_job_from_intent(intent_of(row));
    g_autoptr(NestVmReading) reading = row->gone ? NULL : reading_of(&row->found);
    job->type->resume(job, &error);
    assert_no_error(error);
    gboolean keeps = g_strcmp0(job->intent->before_xml, job->intent->after_xml) == 0;
    if (strstr(row->kind, "able") != NULL && keeps != row->keeps)
        fail_msg("row %u is not about what it says", index);
    NestRecovery decision = job->type->recover(job, reading, &note);
    if (decision != row->decision)
        fail_msg("row %u (%s): %d instead of %d", index, row->kind, decision, row->decision);
    if ((note != NULL) != (row->note != NULL) || (note != NULL && !strstr(note, row->note)))
        fail_msg("row %u (%s): note %s", index, row->kind, note != NULL ? note : "none");
}

static void check_rows(const Row *rows, guint n_rows)
{
    for (guint i = 0; i < n_rows; i++)
        check_row(&rows[i], i);
}

static void test_enable(void **state)
{
    static const Row rows[] = {
        {"enable", .gone = TRUE, .decision = NEST_RECOVERY_LEAVE, .note = "is gone"},
        {"enable", .decision = NEST_RECOVERY_UNTOUCHED},
        {"enable", .found = {.live_cpu = CPU_OFF, .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_UNTOUCHED},
        {"enable", .found = {.cpu = CPU_ON("vmx")}, .decision = NEST_RECOVERY_DONE},
        {"enable", .found = {.cpu = CPU_OTHER}, .decision = NEST_RECOVERY_LEAVE,
            .note = "by somebody else"},
        {"enable", .found = {.cpu = CPU_ON("svm")}, .decision = NEST_RECOVERY_LEAVE,
            .note = "by somebody else"},
        {"enable", .found = {.cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF, .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_UNDO},
        {"enable",
            .found = {.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_DONE, .note = "started with the new"},
        {"enable", .before = {.cpu = CPU_ON("vmx")}, .keeps = TRUE,
            .found = {.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_DONE},
        {"enable", .found = {.cpu = CPU_ON("vmx"), .saved = TRUE, .state = NEST_VM_SAVED},
            .decision = NEST_RECOVERY_UNDO},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_disable(void **state)
{
    static const Row rows[] = {
        {"disable", .before = {.cpu = CPU_ON("vmx")}, .gone = TRUE, .decision = NEST_RECOVERY_LEAVE,
            .note = "is gone"},
        {"disable", .before = {.cpu = CPU_ON("vmx")}, .found = {.cpu = CPU_ON("vmx")},
            .decision = NEST_RECOVERY_UNTOUCHED},
        {"disable", .before = {.cpu = CPU_ON("vmx")}, .decision = NEST_RECOVERY_DONE},
        {"disable", .before = {.cpu = CPU_ON("vmx")}, .found = {.cpu = CPU_OTHER},
            .decision = NEST_RECOVERY_LEAVE, .note = "by somebody else"},
        {"disable", .before = {.cpu = CPU_ON("vmx")},
            .found = {.live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_UNDO},
        {"disable", .before = {.cpu = CPU_ON("vmx")},
            .found = {.live_cpu = CPU_OFF, .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_DONE, .note = "started with the new"},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

/* Only a saved state was to go: nothing can be put back, and nothing is destroyed. */
static void test_enable_without_redefining(void **state)
{
    const TestVm saved = {.cpu = CPU_ON("vmx"), .saved = TRUE, .state = NEST_VM_SAVED};
    const TestVm off = {.cpu = CPU_ON("vmx")};
    const Row rows[] = {
        {"enable", saved, saved, .decision = NEST_RECOVERY_UNTOUCHED, .keeps = TRUE},
        {"enable", saved, off, .decision = NEST_RECOVERY_DONE, .keeps = TRUE},
        {"enable", saved, {.cpu = CPU_OFF}, .decision = NEST_RECOVERY_DONE, .keeps = TRUE},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_states(void **state)
{
    static const char *const kinds[] = {"start", "shutdown", "stop", "save"};
    static const struct {
        NestVmState state;
        gboolean saved;
        gboolean done[4]; /* per kind */
    } rows[] = {
        {NEST_VM_OFF, FALSE, {FALSE, TRUE, TRUE, FALSE}},
        {NEST_VM_SAVED, TRUE, {FALSE, TRUE, TRUE, TRUE}},
        {NEST_VM_RUNNING, FALSE, {TRUE, FALSE, FALSE, FALSE}},
        {NEST_VM_PAUSED, FALSE, {TRUE, FALSE, FALSE, FALSE}},
        {NEST_VM_SHUTTING_DOWN, FALSE, {TRUE, FALSE, FALSE, FALSE}},
        {NEST_VM_CRASHED, FALSE, {TRUE, FALSE, FALSE, FALSE}}, /* its QEMU is there, preserved */
    };
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
        const Row gone = {
            kinds[k], .gone = TRUE, .decision = NEST_RECOVERY_LEAVE, .note = "is gone"};
        check_row(&gone, 100 + k);
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
            gboolean done = rows[i].done[k];
            const Row row = {kinds[k], .found = {.state = rows[i].state, .saved = rows[i].saved},
                .decision = done ? NEST_RECOVERY_DONE : NEST_RECOVERY_UNTOUCHED,
                .note = done ? NULL : "not carried out"};
            check_row(&row, i);
        }
    }
}

/* Its read-back, which stops such a VM, did not happen; recovery stops nothing. */
static void test_start_without_the_extension(void **state)
{
    static const Row rows[] = {
        {"start", .found = {.cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF, .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_LEAVE, .note = "without the virtualization extension"},
        {"start",
            .found = {.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_DONE},
        {"save", .found = {.cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF, .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_UNTOUCHED, .note = "not carried out"},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_create_and_delete(void **state)
{
    static const Row rows[] = {
        {"create", .gone = TRUE, .decision = NEST_RECOVERY_UNDO},
        {"create", .decision = NEST_RECOVERY_DONE},
        {"delete", .gone = TRUE, .decision = NEST_RECOVERY_FINISH},
        {"delete", .decision = NEST_RECOVERY_UNTOUCHED},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_undo(void **state)
{
    static const Row rows[] = {
        {"undo", .before = {.cpu = CPU_ON("vmx")}, .gone = TRUE, .decision = NEST_RECOVERY_LEAVE,
            .note = "is gone"},
        {"undo", .before = {.cpu = CPU_ON("vmx")}, .found = {.cpu = CPU_ON("vmx")},
            .decision = NEST_RECOVERY_UNTOUCHED},
        {"undo", .before = {.cpu = CPU_ON("vmx")}, .found = {.cpu = CPU_HIDDEN},
            .decision = NEST_RECOVERY_DONE},
        {"undo", .before = {.cpu = CPU_ON("vmx")}, .found = {.cpu = CPU_OTHER},
            .decision = NEST_RECOVERY_LEAVE, .note = "by somebody else"},
        {"undo", .before = {.cpu = CPU_ON("vmx")},
            .found = {.cpu = CPU_HIDDEN, .live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING},
            .decision = NEST_RECOVERY_UNDO},
        {"undo", .before = {.cpu = CPU_ON("vmx")},
            .found = {.cpu = CPU_HIDDEN, .saved = TRUE, .state = NEST_VM_SAVED},
            .decision = NEST_RECOVERY_UNDO},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

/* Only what it wished itself does a resumed job take back. */
static void test_wish_of_what_is_resumed(void **state)
{
    static const char *const kinds[] = {"enable", "disable"};
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
        const Row row = {kinds[k], .before = {.cpu = k > 0 ? CPU_ON("vmx") : CPU_OFF}};
        const TestVm other = {.cpu = CPU_OTHER};
        g_autoptr(NestVmReading) found = reading_of(&other);
        g_autoptr(NestJob) job = nest_job_from_intent(intent_of(&row));
        job->reading = reading_of(&row.found);
        assert_true(job->type->resume(job, NULL));
        assert_true(job->type->reached(job, job->intent->after_xml, NULL));
        assert_false(job->type->reached(job, found->facts->xml, NULL));
    }
}

static void test_unknown_kind(void **state)
{
    const Row row = {"teleport"};
    assert_null(nest_job_from_intent(intent_of(&row)));
}

static void test_unreadable_plan(void **state)
{
    const Row row = {"enable"};
    g_autoptr(GError) error = NULL;
    NestIntent *intent = intent_of(&row);
    intent->detail[0] = '\0';
    g_autoptr(NestJob) job = nest_job_from_intent(intent);
    assert_false(job->type->resume(job, &error));
    assert_non_null(error);
    assert_int_equal(job->n_steps, 0);
}

/* Recovery never does what can't be taken back, except to finish a delete. */
static void test_steps_that_are_resumed(void **state)
{
    static const char *const kinds[] = {
        "enable", "disable", "undo", "start", "shutdown", "stop", "save", "create", "delete"};
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
        const Row row = {kinds[k]};
        g_autoptr(NestJob) job = nest_job_from_intent(intent_of(&row));
        assert_true(job->type->resume(job, NULL));
        for (guint i = 0; i < job->n_steps; i++)
            assert_true(!job->steps[i]->destructive || strcmp(kinds[k], "delete") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enable),
        cmocka_unit_test(test_disable),
        cmocka_unit_test(test_enable_without_redefining),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_start_without_the_extension),
        cmocka_unit_test(test_undo),
        cmocka_unit_test(test_create_and_delete),
        cmocka_unit_test(test_wish_of_what_is_resumed),
        cmocka_unit_test(test_unknown_kind),
        cmocka_unit_test(test_unreadable_plan),
        cmocka_unit_test(test_steps_that_are_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
