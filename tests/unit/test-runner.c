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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
