/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-operations.h"
#include "nest-test.h"
#include <string.h>

#define UUID "11111111-2222-3333-4444-555555555555"

static void on_answer(GObject *source, GAsyncResult *result, gpointer user_data)
{
    NestOperation **answer = user_data;
    *answer = g_task_propagate_pointer(G_TASK(result), NULL);
}

static NestOperation *make(NestOperationState state)
{
    NestOperation *operation = nest_operation_new();
    operation->id = 5;
    operation->kind = g_strdup("enable");
    operation->uuid = g_strdup(UUID);
    operation->state = state;
    return operation;
}

static void test_one_at_a_time(void **state)
{
    g_autoptr(NestOperations) operations = nest_operations_new(2);
    g_autoptr(GError) error = NULL;
    assert_true(nest_operations_claim(operations, UUID, "a", NULL));
    assert_false(nest_operations_claim(operations, UUID, "a", &error));
    assert_nest_error(error, NEST_ERROR_VM_BUSY, "a is being changed already");
    g_clear_error(&error);
    assert_true(nest_operations_claim(operations, "u2", "b", NULL));
    assert_false(nest_operations_claim(operations, "u3", "c", &error));
    assert_nest_error(error, NEST_ERROR_TOO_MANY, "limit");
    nest_operations_release(operations, UUID);
    assert_true(nest_operations_claim(operations, "u3", "c", NULL));
}

static void test_wait_until_ended(void **state)
{
    g_autoptr(NestOperations) operations = nest_operations_new(2);
    g_autoptr(NestOperation) running = make(NEST_OP_RUNNING);
    g_autoptr(NestOperation) done = make(NEST_OP_DONE);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    NestOperation *answer = NULL;
    nest_operations_claim(operations, UUID, "a", NULL);
    nest_operations_update(operations, running, cancellable);
    nest_operations_wait(operations, 5, 60000, g_task_new(NULL, NULL, on_answer, &answer));
    assert_true(nest_operations_abort(operations, 5));
    assert_true(g_cancellable_is_cancelled(cancellable));
    nest_operations_update(operations, done, NULL);
    while (answer == NULL)
        g_main_context_iteration(NULL, TRUE);
    assert_int_equal(answer->state, NEST_OP_DONE);
    nest_operation_free(answer);
    nest_operations_release(operations, UUID);
    assert_null(nest_operations_find(operations, 5));
    assert_false(nest_operations_abort(operations, 5));
}

static void test_wait_ends_by_time(void **state)
{
    g_autoptr(NestOperations) operations = nest_operations_new(2);
    g_autoptr(NestOperation) running = make(NEST_OP_RUNNING);
    NestOperation *answer = NULL;
    nest_operations_claim(operations, UUID, "a", NULL);
    nest_operations_update(operations, running, NULL);
    nest_operations_wait(operations, 5, 1, g_task_new(NULL, NULL, on_answer, &answer));
    while (answer == NULL)
        g_main_context_iteration(NULL, TRUE);
    assert_int_equal(answer->state, NEST_OP_RUNNING);
    nest_operation_free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_wait_until_ended),
        cmocka_unit_test(test_wait_ends_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
