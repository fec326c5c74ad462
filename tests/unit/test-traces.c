/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-store.h"
#include "nest-traces.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

static void on_left(gpointer count)
{
    (*(guint *)count)++;
}

static NestTraces *load(NestStore *store, guint *told)
{
    g_autoptr(GError) error = NULL;
    NestTraces *traces = nest_traces_load(store, on_left, told, &error);
    assert_no_error(error);
    return traces;
}

static void begin(NestTraces *traces, const char *path, gboolean command)
{
    const NestTrace trace = {(char *)UUID, (char *)path, FALSE, command};
    assert_true(nest_traces_begin(traces, &trace, NULL));
}

static guint count_left(NestTraces *traces)
{
    g_autoptr(GPtrArray) left = nest_traces_left(traces);
    return left->len;
}

static void test_life(void **state)
{
    guint told = 0;
    g_autoptr(NestStore) store = open_store(*state);
    NestTraces *traces = load(store, &told);
    begin(traces, "/tmp/.nestd-1", TRUE);
    begin(traces, "/root/a - b/.nestd-2", FALSE);
    begin(traces, "/tmp/.nestd-3", TRUE);
    assert_int_equal(count_left(traces), 0);
    nest_traces_end(traces, "/tmp/.nestd-1", TRUE);
    nest_traces_end(traces, "/root/a - b/.nestd-2", FALSE);
    assert_int_equal(told, 1);
    assert_int_equal(count_left(traces), 1);
    assert_int_equal(nest_traces_tried(traces, "/root/a - b/.nestd-2"), 1);
    assert_int_equal(nest_traces_tried(traces, "/root/a - b/.nestd-2"), 2);
    assert_int_equal(nest_traces_tried(traces, "/tmp/.nestd-1"), 0);
    nest_traces_free(traces);

    traces = load(store, &told);
    g_autoptr(GPtrArray) left = nest_traces_left(traces);
    assert_int_equal(left->len, 2);
    for (guint i = 0; i < left->len; i++) {
        const NestTrace *trace = g_ptr_array_index(left, i);
        assert_string_equal(trace->uuid, UUID);
        assert_int_equal(trace->command, g_str_has_suffix(trace->path, "3"));
        nest_traces_end(traces, trace->path, TRUE);
    }
    nest_traces_free(traces);

    traces = load(store, &told);
    assert_int_equal(count_left(traces), 0);
    nest_traces_free(traces);
}

/* What another version has written, or nobody, is no reason not to start. */
static void test_strange(void **state)
{
    static const char *const texts[] = {"", "{}", "[", "{\"uuid\":1}"};
    guint told = 0;
    g_autoptr(NestStore) store = open_store(*state);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *key = g_strdup_printf("trace-%u", i);
        assert_true(nest_store_set_setting(store, key, texts[i], NULL));
    }
    assert_true(nest_store_set_setting(store, "Trace-a", "other", NULL));
    NestTraces *traces = load(store, &told);
    assert_int_equal(count_left(traces), 0);
    nest_traces_free(traces);
}

static void test_nobody_keeps_it(void **state)
{
    const NestTrace trace = {(char *)UUID, (char *)"/a/.nestd-1", FALSE, FALSE};
    assert_true(nest_traces_begin(NULL, &trace, NULL));
    nest_traces_end(NULL, trace.path, FALSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_strange, test_setup, test_teardown),
        cmocka_unit_test(test_nobody_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
