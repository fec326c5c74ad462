/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-runner.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <string.h>

/* The runner with steps of the test's own; the store is real. */

typedef struct {
    NestStore *store;
    char *directory;
    GString *trace;
    const char *fails; /* id of the step that fails */
    const char *undo_fails;
    const char *cancels; /* id of the step in which the abort comes */
} Bench;

static Bench *bench;

static gboolean do_step(NestJob *job, const char *id, GError **error)
{
    g_string_append_printf(bench->trace, "%s ", id);
    if (g_strcmp0(bench->cancels, id) == 0)
        g_cancellable_cancel(job->cancellable);
    if (g_strcmp0(bench->fails, id) != 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "%s went wrong", id);
    return FALSE;
}

static gboolean undo_step(const char *id, GError **error)
{
    g_string_append_printf(bench->trace, "-%s ", id);
    if (g_strcmp0(bench->undo_fails, id) != 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "no way back from %s", id);
    return FALSE;
}

static gboolean apply_a(NestJob *job, GError **error)
{
    return do_step(job, "a", error);
}

static gboolean undo_a(NestJob *job, GError **error)
{
    return undo_step("a", error);
}

static gboolean apply_b(NestJob *job, GError **error)
{
    return do_step(job, "b", error);
}

static gboolean undo_b(NestJob *job, GError **error)
{
    return undo_step("b", error);
}

static gboolean apply_c(NestJob *job, GError **error)
{
    return do_step(job, "c", error);
}

static const NestJobStep a = {"a", "step a", apply_a, undo_a, FALSE};
static const NestJobStep b = {"b", "step b", apply_b, undo_b, FALSE};
static const NestJobStep c = {"c", "step c", apply_c, NULL, TRUE};

static int set_up(void **state)
{
    bench = g_new0(Bench, 1);
    bench->directory = g_dir_make_tmp("nest-XXXXXX", NULL);
    bench->store = nest_store_open(bench->directory, NULL);
    bench->trace = g_string_new(NULL);
    return bench->store != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    g_autofree char *command = g_strdup_printf("rm -r %s", bench->directory);
    nest_store_close(bench->store);
    g_string_free(bench->trace, TRUE);
    int status = system(command);
    g_free(bench->directory);
    g_free(bench);
    return status;
}

static NestJob *make_job(void)
{
    NestRequest *request = g_new0(NestRequest, 1);
    NestCaller caller = {0};
    request->kind = NEST_JOB_DELETE;
    NestJob *job = nest_job_new(request, "11111111-2222-3333-4444-555555555555", &caller);
    job->store = bench->store;
    nest_job_set_kind(job, "delete");
    nest_job_add_step(job, &a);
    nest_job_add_step(job, &b);
    nest_job_add_step(job, &c);
    g_autoptr(GError) error = NULL;
    assert_true(nest_store_begin_operation(bench->store, job->intent, &error));
    return job;
}

/* Runs, and asserts that the store has the same outcome. */
static NestOperationState outcome(NestJob *job)
{
    nest_runner_run(job);
    NestOperation *stored = NULL;
    assert_true(nest_store_operation(bench->store, job->intent->operation->id, &stored, NULL));
    assert_int_equal(stored->state, job->intent->operation->state);
    nest_operation_free(stored);
    return job->intent->operation->state;
}

/* ---- recovery, with a hypervisor that only tells whether it is there ---- */

typedef struct {
    gboolean unavailable;
    NestRecovery decision;
} NestRecoveryScene;

static NestRecoveryScene recovering;

static gboolean scene_read(
    NestBackend *backend, const char *uuid, NestVmFacts **ret_facts, GError **error)
{
    if (recovering.unavailable)
        nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, NULL, "it is gone");
    else
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, NULL, "there is no such VM");
    return FALSE;
}

static gboolean scene_resume(NestJob *job, GError **error)
{
    return TRUE;
}

static NestRecovery scene_recover(
    const NestJob *job, const NestVmReading *reading, const char **note)
{
    return recovering.decision;
}

static const NestBackendOps scene_ops = {.read = scene_read};
static NestBackend scene_backend = {&scene_ops};
static const NestJobType scene_type = {NULL, scene_resume, scene_recover};

static NestHostSnapshot *scene_host(void)
{
    g_autoptr(NestHostPlace) place = nest_host_place_new("/nonexistent", NULL);
    return nest_host_snapshot_take(place, NULL);
}

/* Killed in its second of three steps. */
static void recovered_as(NestJob *job, NestRecovery decision)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHostSnapshot) host = scene_host();
    GPtrArray *steps = job->intent->operation->steps;
    recovering = (NestRecoveryScene){.decision = decision};
    job->backend = &scene_backend;
    job->type = &scene_type;
    ((NestStep *)steps->pdata[0])->state = NEST_STEP_DONE;
    ((NestStep *)steps->pdata[1])->state = NEST_STEP_RUNNING;
    if (decision == NEST_RECOVERY_UNDO)
        job->n_steps = 2;
    assert_true(nest_runner_recover(job, host, &error));
    assert_no_error(error);
}

static void test_done(void **state)
{
    g_autoptr(NestJob) job = make_job();
    assert_int_equal(outcome(job), NEST_OP_DONE);
    assert_string_equal(bench->trace->str, "a b c ");
}

static void test_failure_is_rolled_back(void **state)
{
    bench->fails = "b";
    g_autoptr(NestJob) job = make_job();
    assert_int_equal(outcome(job), NEST_OP_ROLLED_BACK);
    assert_string_equal(bench->trace->str, "a b -b -a ");
    assert_string_equal(job->intent->operation->problem->detail, "b went wrong");
    NestStep *last = g_ptr_array_index(job->intent->operation->steps, 2);
    assert_int_equal(last->state, NEST_STEP_SKIPPED);
}

static void test_failed_undo_is_told(void **state)
{
    bench->fails = "b";
    bench->undo_fails = "a";
    g_autoptr(NestJob) job = make_job();
    assert_int_equal(outcome(job), NEST_OP_FAILED);
    assert_non_null(strstr(job->intent->operation->note, "no way back from a"));
}

static void test_failed_destructive_step_takes_the_rest_back(void **state)
{
    bench->fails = "c";
    g_autoptr(NestJob) job = make_job();
    assert_int_equal(outcome(job), NEST_OP_ROLLED_BACK);
    assert_string_equal(bench->trace->str, "a b c -b -a ");
}

/* Of what was interrupted no step is told to be under way, or done where it is not. */
static void test_steps_of_what_was_interrupted(void **state)
{
    static const struct {
        NestRecovery decision;
        NestOperationState outcome;
        NestStepState steps[3];
    } rows[] = {
        {NEST_RECOVERY_DONE, NEST_OP_DONE, {NEST_STEP_DONE, NEST_STEP_DONE, NEST_STEP_DONE}},
        {NEST_RECOVERY_FINISH, NEST_OP_DONE, {NEST_STEP_DONE, NEST_STEP_DONE, NEST_STEP_DONE}},
        {NEST_RECOVERY_UNTOUCHED, NEST_OP_ROLLED_BACK,
            {NEST_STEP_UNDONE, NEST_STEP_FAILED, NEST_STEP_SKIPPED}},
        {NEST_RECOVERY_UNDO, NEST_OP_ROLLED_BACK,
            {NEST_STEP_UNDONE, NEST_STEP_UNDONE, NEST_STEP_SKIPPED}},
        {NEST_RECOVERY_LEAVE, NEST_OP_FAILED,
            {NEST_STEP_DONE, NEST_STEP_FAILED, NEST_STEP_SKIPPED}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestJob) job = make_job();
        recovered_as(job, rows[i].decision);
        assert_int_equal(job->intent->operation->state, rows[i].outcome);
        for (guint s = 0; s < 3; s++) {
            const NestStep *step = g_ptr_array_index(job->intent->operation->steps, s);
            if (step->state != rows[i].steps[s])
                fail_msg("row %u, step %u: %d", i, s, step->state);
        }
    }
}

static void test_recovery_waits_for_the_hypervisor(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestJob) job = make_job();
    recovering = (NestRecoveryScene){.unavailable = TRUE};
    g_autoptr(NestHostSnapshot) host = scene_host();
    job->backend = &scene_backend;
    assert_false(nest_runner_recover(job, host, &error));
    assert_nest_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, "gone");
    assert_false(nest_operation_ended(job->intent->operation));
}

static void test_abort_between_steps(void **state)
{
    bench->cancels = "a";
    g_autoptr(NestJob) job = make_job();
    assert_int_equal(outcome(job), NEST_OP_ABORTED);
    assert_string_equal(bench->trace->str, "a -b -a ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_is_rolled_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_undo_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_failed_destructive_step_takes_the_rest_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_abort_between_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_steps_of_what_was_interrupted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recovery_waits_for_the_hypervisor, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
