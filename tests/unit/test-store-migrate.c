/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-migrate.h"
#include "nest-test-store.h"
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Offsets in the first page: https://sqlite.org/fileformat2.html, section 1.3. */
#define USER_VERSION 60
#define APPLICATION_ID 68
#define FIRST_PAGE 100

static char *in(const char *directory, const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static GBytes *read_file(const char *directory, const char *name)
{
    g_autofree char *path = in(directory, name);
    char *contents = NULL;
    gsize length = 0;
    return g_file_get_contents(path, &contents, &length, NULL) ? g_bytes_new_take(contents, length)
                                                               : NULL;
}

static void write_file(const char *directory, const char *name, GBytes *bytes)
{
    g_autofree char *path = in(directory, name);
    gsize length = 0;
    const char *contents = g_bytes_get_data(bytes, &length);
    assert_true(g_file_set_contents_full(path, contents != NULL ? contents : "", length,
        G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

/* A copy of the database that a nestd with that schema left. */
static void take_old(const char *directory, const char *name)
{
    g_autofree char *stores = g_build_filename(g_getenv("NEST_TEST_DATA"), "stores", NULL);
    g_autoptr(GBytes) bytes = read_file(stores, name);
    assert_non_null(bytes);
    write_file(directory, "nestd.db", bytes);
}

static void patch(const char *directory, gsize offset, const char *bytes, gsize length)
{
    g_autoptr(GBytes) before = read_file(directory, "nestd.db");
    gsize size = 0;
    guint8 *contents = g_bytes_unref_to_data(g_steal_pointer(&before), &size);
    assert_true(offset + length <= size);
    memcpy(contents + offset, bytes, length);
    g_autoptr(GBytes) after = g_bytes_new_take(contents, size);
    write_file(directory, "nestd.db", after);
}

/* This program's migrations and one more. */
static NestStore *open_with_one_more(const char *directory, const char *sql, GError **error)
{
    g_auto(GStrv) known = nest_store_migrations(NULL);
    guint n = g_strv_length(known);
    const char *more[16] = {NULL};
    for (guint i = 0; i < n; i++)
        more[i] = known[i];
    more[n] = sql;
    return nest_store_open_with(directory, more, error);
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *digest_all(const char *directory)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *entry;
    while ((entry = g_dir_read_name(dir)) != NULL)
        /* The index of the WAL is no data, and the lock is no state. */
        if (strcmp(entry, "lock") != 0 && !g_str_has_suffix(entry, "-shm"))
            g_ptr_array_add(names, g_strdup(entry));
    g_ptr_array_sort(names, by_text);
    for (guint i = 0; i < names->len; i++) {
        g_autoptr(GBytes) bytes = read_file(directory, names->pdata[i]);
        g_checksum_update(sum, names->pdata[i], -1);
        if (bytes != NULL)
            g_checksum_update(sum, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    }
    return g_strdup(g_checksum_get_string(sum));
}

/* "has version 3, this program knows up to version 2", with so many versions beyond. */
static char *newer_by(guint versions)
{
    g_auto(GStrv) known = nest_store_migrations(NULL);
    guint newest = g_strv_length(known);
    return g_strdup_printf(
        "has version %u, this program knows up to version %u", newest + versions, newest);
}

/* Opening fails, says so with a next step, and leaves every byte as it was. */
static void assert_refused(const char *directory, const char *says, const char *next)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = digest_all(directory);
    assert_null(nest_store_open(directory, &error));
    assert_nest_error(error, NEST_ERROR_STORE, says);
    assert_non_null(strstr(error->message, directory));
    assert_non_null(nest_error_get_next(error));
    assert_non_null(strstr(nest_error_get_next(error), next));
    g_autofree char *after = digest_all(directory);
    assert_string_equal(before, after);
}

static void assert_v1_rows(NestStore *store)
{
    g_autofree char *uri = NULL;
    assert_true(nest_store_get_setting(store, "backend-uri", &uri, NULL));
    assert_string_equal(uri, "qemu:///system");
    g_autoptr(GPtrArray) vms = NULL;
    assert_true(nest_store_vms(store, &vms, NULL));
    assert_int_equal(vms->len, 1);
    assert_string_equal(((NestStoredVm *)vms->pdata[0])->name, "DemoVM");
    g_autoptr(GPtrArray) unfinished = read_unfinished(store);
    assert_int_equal(unfinished->len, 1);
    const NestIntent *intent = unfinished->pdata[0];
    assert_int_equal(intent->operation->id, 2);
    assert_int_equal(intent->operation->state, NEST_OP_RUNNING);
    assert_int_equal(intent->operation->steps->len, 1);
    assert_string_equal(intent->before_xml, "<domain/>");
    g_autoptr(GPtrArray) operations = read_operations(store, 0, 10);
    assert_int_equal(operations->len, 2);
    assert_int_equal(last_event(store), 3);
}

static void test_open_v1(void **state)
{
    take_old(*state, "v1.db");
    g_autoptr(NestStore) store = open_store(*state);
    assert_v1_rows(store);
    g_autoptr(NestIntent) next = new_intent("disable", "DemoVM");
    begin_operation(store, next);
    assert_int_equal(next->operation->id, 3);
}

/* What was known of the VM: since version 2 that somebody set it up, since 3 how it was saved,
 * since 4 what was left open. */
static void assert_mark(NestStore *store, const char *saved, const char *open)
{
    g_autoptr(GPtrArray) marks = NULL;
    assert_true(nest_store_marks(store, &marks, NULL));
    assert_int_equal(marks->len, 1);
    const NestStoredMark *mark = marks->pdata[0];
    assert_int_equal(mark->trust, NEST_TRUST_UNTRUSTED);
    assert_true(mark->guarded && mark->fresh);
    assert_string_equal(mark->left_as, "as it was left");
    if (saved != NULL)
        assert_string_equal(mark->saved, saved);
    else
        assert_null(mark->saved);
    assert_true(g_strcmp0(mark->open, open) == 0);
}

static void test_open_marks(void **state)
{
    static const struct {
        const char *name, *saved, *open;
    } rows[] = {{"v2.db", NULL, NULL}, {"v3.db", "{\"kernel\":\"6.1.0-37-amd64\"}", NULL},
        {"v4.db", "{\"kernel\":\"6.1.0-37-amd64\"}", "mac-spoofing port-isolation"},
        {"v5.db", "{\"kernel\":\"6.1.0-37-amd64\"}", "mac-spoofing port-isolation"}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        take_old(*state, rows[i].name);
        g_autoptr(NestStore) store = open_store(*state);
        assert_v1_rows(store);
        assert_mark(store, rows[i].saved, rows[i].open);
    }
}

/* A migration comes with a database of the version before it, in tests/data/stores. */
static void test_every_version_is_here(void **state)
{
    g_auto(GStrv) known = nest_store_migrations(NULL);
    for (guint version = 1; version <= g_strv_length(known); version++) {
        g_autofree char *name = g_strdup_printf("v%u.db", version);
        take_old(*state, name);
        g_autoptr(NestStore) store = open_store(*state);
        assert_v1_rows(store);
    }
}

static void test_migrate(void **state)
{
    static const char sql[] = "CREATE TABLE later (x INTEGER) STRICT; INSERT INTO later VALUES (1)";
    g_autoptr(GError) error = NULL;
    take_old(*state, "v1.db");
    for (guint i = 0; i < 2; i++) {
        g_autoptr(NestStore) store = open_with_one_more(*state, sql, &error);
        assert_no_error(error);
        assert_v1_rows(store);
    }
    g_autofree char *newer = newer_by(1);
    assert_refused(*state, newer, "use the newer nestd or restore the backup");
    /* What the advice says works. */
    g_autoptr(GBytes) backup = read_file(*state, "nestd.db.v1.bak");
    assert_non_null(backup);
    write_file(*state, "nestd.db", backup);
    g_autoptr(NestStore) restored = open_store(*state);
    assert_v1_rows(restored);
}

static void test_failed_migration(void **state)
{
    static const struct {
        const char *sql, *says;
    } rows[] = {
        {"CREATE TABLE later (x INTEGER) STRICT; CREATE TABLE", "incomplete input"},
        {"DELETE FROM vm; INSERT INTO intent (operation) VALUES (99)", "refers to nothing"},
    };
    g_auto(GStrv) known = nest_store_migrations(NULL);
    g_autofree char *left = g_strdup_printf("is left at version %u", g_strv_length(known));
    take_old(*state, "v1.db");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(open_with_one_more(*state, rows[i].sql, &error));
        assert_nest_error(error, NEST_ERROR_STORE, rows[i].says);
        assert_non_null(strstr(error->message, left));
        assert_non_null(nest_error_get_next(error));
        g_autoptr(NestStore) store = open_store(*state);
        assert_v1_rows(store);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(NestStore) store =
        open_with_one_more(*state, "CREATE TABLE later (x INTEGER) STRICT", &error);
    assert_no_error(error);
    assert_non_null(store);
}

static void test_newer(void **state)
{
    take_old(*state, "v1.db");
    g_auto(GStrv) known = nest_store_migrations(NULL);
    const char version[4] = {0, 0, 0, g_strv_length(known) + 5};
    patch(*state, USER_VERSION, version, 4);
    g_autofree char *newer = newer_by(5);
    assert_refused(*state, newer, "use the newer nestd or restore the backup");
}

/* The newer nestd was killed: that the database is newer is only in its WAL. */
static void test_newer_in_wal(void **state)
{
    take_old(*state, "v1.db");
    pid_t child = fork();
    if (child == 0) {
        NestStore *store = open_with_one_more(*state, "CREATE TABLE later (x INTEGER)", NULL);
        _exit(store != NULL ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    g_autofree char *newer = newer_by(1);
    assert_refused(*state, newer, "use the newer nestd or restore the backup");
}

static void test_foreign(void **state)
{
    take_old(*state, "v1.db");
    patch(*state, APPLICATION_ID, "\0\0\0\0", 4);
    assert_refused(*state, "is not a database of nestd", "move it aside");
    take_old(*state, "v1.db");
    patch(*state, USER_VERSION, "\0\0\0\0", 4);
    assert_refused(*state, "is not a database of nestd", "move it aside");
}

static void test_not_a_database(void **state)
{
    g_autofree char *text = g_strnfill(5000, 'a');
    const char *const contents[] = {"", "a", "SQLite format 3", text};
    for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autoptr(GBytes) bytes = g_bytes_new_static(contents[i], strlen(contents[i]));
        write_file(*state, "nestd.db", bytes);
        assert_refused(*state, "is not a database", "move it aside");
    }
}

static void test_truncated(void **state)
{
    take_old(*state, "v1.db");
    g_autoptr(GBytes) whole = read_file(*state, "nestd.db");
    for (gsize size = 4096; size < g_bytes_get_size(whole); size += 4096 * 3 + 100) {
        g_autoptr(GBytes) part = g_bytes_new_from_bytes(whole, 0, size);
        write_file(*state, "nestd.db", part);
        assert_refused(*state, "is damaged", "move it aside");
    }
}

/* One byte of every page's header, and of the schema. */
static void test_damaged(void **state)
{
    take_old(*state, "v1.db");
    g_autoptr(GBytes) whole = read_file(*state, "nestd.db");
    gsize size = g_bytes_get_size(whole);
    for (gsize page = 0; page < size; page += 4096) {
        take_old(*state, "v1.db");
        patch(*state, page == 0 ? FIRST_PAGE : page, "\xff", 1);
        assert_refused(*state, "nestd.db", "move it aside");
    }
}

static void test_odd_files(void **state)
{
    g_autofree char *path = in(*state, "nestd.db");
    g_autofree char *elsewhere = in(*state, "elsewhere");
    assert_int_equal(g_mkdir(path, 0700), 0);
    assert_refused(*state, "nestd.db", "nestd");
    assert_int_equal(g_rmdir(path), 0);
    take_old(*state, "v1.db");
    assert_int_equal(g_rename(path, elsewhere), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_refused(*state, "nestd.db", "nestd");
}

static void test_interrupted_creation(void **state)
{
    g_autoptr(GBytes) rest = g_bytes_new_static("half a database", 15);
    write_file(*state, "nestd.db.new", rest);
    write_file(*state, "nestd.db.new-journal", rest);
    g_autoptr(NestStore) store = open_store(*state);
    assert_true(nest_store_set_setting(store, "a", "b", NULL));
    g_autofree char *partial = in(*state, "nestd.db.new");
    assert_false(g_file_test(partial, G_FILE_TEST_EXISTS));
}

static void test_modes_are_tightened(void **state)
{
    take_old(*state, "v1.db");
    g_autofree char *path = in(*state, "nestd.db");
    assert_int_equal(chmod(path, 0666), 0);
    g_autoptr(NestStore) store = open_store(*state);
    assert_non_null(store);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_setup, test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_open_v1),
        TEST(test_open_marks),
        TEST(test_every_version_is_here),
        TEST(test_migrate),
        TEST(test_failed_migration),
        TEST(test_newer),
        TEST(test_newer_in_wal),
        TEST(test_foreign),
        TEST(test_not_a_database),
        TEST(test_truncated),
        TEST(test_damaged),
        TEST(test_odd_files),
        TEST(test_interrupted_creation),
        TEST(test_modes_are_tightened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
