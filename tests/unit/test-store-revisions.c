/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-store.h"
#include <sqlite3.h>

static NestStoredRevision *read_revision(NestStore *store, const char *uuid, gint64 id)
{
    g_autoptr(GError) error = NULL;
    NestStoredRevision *revision = NULL;
    nest_store_revision(store, uuid, id, &revision, &error);
    assert_no_error(error);
    return revision;
}

static void test_revisions(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    const char *uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    assert_null(read_revision(store, uuid, 0));
    static const NestOperationState ends[] = {
        NEST_OP_DONE, NEST_OP_ROLLED_BACK, NEST_OP_DONE, NEST_OP_FAILED};
    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autoptr(NestIntent) intent = new_intent(i == 0 ? "enable" : "disable", "DemoVM");
        begin_operation(store, intent);
        finish_operation(store, intent, ends[i]);
    }
    assert_true(nest_store_trim(store, 2, 100, NULL)); /* the second is forgotten */
    g_autoptr(NestOperation) gone = NULL, kept = NULL;
    assert_false(nest_store_operation(store, 2, &gone, NULL));
    assert_true(nest_store_operation(store, 1, &kept, NULL));
    g_autoptr(GPtrArray) all = NULL, one = NULL, older = NULL, none = NULL;
    assert_true(nest_store_revisions(store, uuid, 0, 10, &all, NULL));
    assert_int_equal(all->len, 2);
    const NestStoredRevision *newest = all->pdata[0], *oldest = all->pdata[1];
    assert_int_equal(newest->operation, 3);
    assert_string_equal(newest->kind, "disable");
    assert_int_equal(newest->uid, 1000);
    assert_string_equal(newest->before_xml, "<domain/>");
    assert_string_equal(newest->after_xml, "<domain type='kvm'/>");
    assert_true(newest->time > 0);
    assert_int_equal(oldest->operation, 1);
    assert_string_equal(oldest->kind, "enable");
    assert_int_equal(oldest->uid, 1000);
    assert_true(nest_store_revisions(store, uuid, 0, 1, &one, NULL));
    assert_int_equal(one->len, 1);
    assert_true(nest_store_revisions(store, uuid, newest->id, 10, &older, NULL));
    assert_int_equal(older->len, 1);
    assert_int_equal(((const NestStoredRevision *)older->pdata[0])->id, oldest->id);
    assert_true(nest_store_revisions(store, "another", 0, 10, &none, NULL));
    assert_int_equal(none->len, 0);
    g_autoptr(NestStoredRevision) last = read_revision(store, uuid, 0);
    g_autoptr(NestStoredRevision) first = read_revision(store, uuid, oldest->id);
    assert_int_equal(last->id, newest->id);
    assert_int_equal(first->operation, 1);
    assert_null(read_revision(store, uuid, newest->id + 1));
    assert_null(read_revision(store, "another", first->id));
}

/* What was forced has a second row of audit, and is one revision all the same. */
static void test_forced(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(NestIntent) intent = new_intent("apply-checkpoint", "DemoVM");
    g_autoptr(GPtrArray) all = NULL;
    intent->forced = g_strdup("guard.apply: the end");
    begin_operation(store, intent);
    finish_operation(store, intent, NEST_OP_DONE);
    assert_true(nest_store_revisions(store, intent->operation->uuid, 0, 10, &all, NULL));
    assert_int_equal(all->len, 1);
    g_autoptr(NestStoredRevision) last = read_revision(store, intent->operation->uuid, 0);
    assert_string_equal(last->kind, "apply-checkpoint");
}

static int count_rows(const char *directory, const char *from)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    g_autofree char *path = g_build_filename(directory, "nestd.db", NULL);
    g_autofree char *sql = g_strconcat("SELECT count(*) FROM ", from, NULL);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int count = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return count;
}

/* Who forced a guard, and why, outlives the many operations after it, also where no revision came
 * of it. */
static void test_forced_stays(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    static const char *const forced[] = {"guard.stop: the end", NULL, NULL};
    for (guint i = 0; i < G_N_ELEMENTS(forced); i++) {
        g_autoptr(NestIntent) intent = new_intent("stop", "DemoVM");
        g_clear_pointer(&intent->after_xml, g_free);
        intent->forced = g_strdup(forced[i]);
        begin_operation(store, intent);
        if (i < 2)
            finish_operation(store, intent, NEST_OP_DONE);
    }
    assert_true(nest_store_trim(store, 0, 100, NULL));
    assert_int_equal(count_rows(*state, "audit WHERE action = 'force guard.stop: the end'"), 1);
    assert_int_equal(count_rows(*state, "operation"), 2);
    /* what recovery needs of the unfinished one stays too */
    assert_int_equal(count_rows(*state, "intent WHERE operation = 3"), 1);
    assert_int_equal(count_rows(*state, "intent"), 1);
}

/* An operation may leave the definition as it was: that is none, and undo finds the one before. */
static void test_unchanged(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(NestIntent) first = new_intent("enable", "DemoVM");
    g_autoptr(NestIntent) intent = new_intent("enable", "DemoVM");
    begin_operation(store, first);
    finish_operation(store, first, NEST_OP_DONE);
    g_free(intent->after_xml);
    intent->after_xml = g_strdup(intent->before_xml);
    begin_operation(store, intent);
    finish_operation(store, intent, NEST_OP_DONE);
    g_autoptr(NestStoredRevision) last = read_revision(store, intent->operation->uuid, 0);
    assert_int_equal(last->operation, first->operation->id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_revisions, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_forced, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_forced_stays, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_unchanged, test_setup, test_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
