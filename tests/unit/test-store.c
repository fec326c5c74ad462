/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-test-store.h"
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void count(gpointer counter)
{
    g_atomic_int_inc((int *)counter);
}

static NestEvent *new_event(const char *kind, const char *message)
{
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup(kind);
    event->message = g_strdup(message);
    return event;
}

static GPtrArray *new_events(guint n)
{
    GPtrArray *events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(events, new_event("vm-started", "it was started"));
    return events;
}

static NestStoredVm *new_vm(const char *uuid, const char *name, const char *text)
{
    NestStoredVm *vm = g_new0(NestStoredVm, 1);
    vm->uuid = g_strdup(uuid);
    vm->name = g_strdup(name);
    vm->text = g_strdup(text);
    vm->summary = g_strdup("{}");
    vm->state = g_strdup("off");
    vm->revision = g_strdup_printf("r of %s", text);
    return vm;
}

static void assert_setting(NestStore *store, const char *key, const char *value)
{
    g_autofree char *stored = NULL;
    assert_true(nest_store_get_setting(store, key, &stored, NULL));
    assert_int_equal(g_strcmp0(stored, value), 0);
}

static void test_settings(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    assert_setting(store, "uri", NULL);
    assert_true(nest_store_set_setting(store, "uri", "a", NULL));
    assert_setting(store, "uri", "a");
    assert_true(nest_store_set_setting(store, "uri", "b'\"; DROP TABLE setting", NULL));
    assert_setting(store, "uri", "b'\"; DROP TABLE setting");
    assert_true(nest_store_set_setting(store, "uri", NULL, NULL));
    assert_setting(store, "uri", NULL);
}

static void assert_text(NestStore *store, const char *uuid, const char *text)
{
    g_autofree char *stored = NULL;
    assert_true(nest_store_vm_text(store, uuid, &stored, NULL));
    assert_string_equal(stored != NULL ? stored : "none", text);
}

static void test_vms(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) changed =
        g_ptr_array_new_with_free_func((GDestroyNotify)nest_stored_vm_free);
    g_ptr_array_add(changed, new_vm("u1", "b", "one"));
    g_ptr_array_add(changed, new_vm("u2", "a", "two"));
    g_ptr_array_add(changed, new_vm("u3", "B", "three"));
    g_autoptr(GPtrArray) events = new_events(2);
    assert_true(nest_store_sync_vms(store, changed, NULL, events, &error));
    assert_int_equal(((NestEvent *)events->pdata[1])->id, 2);
    g_autoptr(GPtrArray) vms = NULL;
    assert_true(nest_store_vms(store, &vms, &error));
    assert_int_equal(vms->len, 3);
    assert_string_equal(((NestStoredVm *)vms->pdata[0])->name, "B");
    assert_null(((NestStoredVm *)vms->pdata[2])->text);
    assert_string_equal(((NestStoredVm *)vms->pdata[2])->state, "off");
    assert_string_equal(((NestStoredVm *)vms->pdata[2])->revision, "r of one");
    assert_text(store, "u1", "one");
    assert_text(store, "u2", "two");
    g_ptr_array_set_size(changed, 0);
    /* A name can go from one VM to another in one step. */
    g_ptr_array_add(changed, new_vm("u1", "a", "one, later"));
    static const char *const gone[] = {"u2", "u3", "never there", NULL};
    assert_true(nest_store_sync_vms(store, changed, gone, NULL, &error));
    g_autoptr(GPtrArray) left = NULL;
    assert_true(nest_store_vms(store, &left, &error));
    assert_int_equal(left->len, 1);
    assert_string_equal(((NestStoredVm *)left->pdata[0])->revision, "r of one, later");
    assert_text(store, "u1", "one, later");
    assert_text(store, "u2", "none");
    assert_no_error(error);
}

static void test_sync_is_one_transaction(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) changed =
        g_ptr_array_new_with_free_func((GDestroyNotify)nest_stored_vm_free);
    g_ptr_array_add(changed, new_vm("u1", "a", "one"));
    g_ptr_array_add(changed, new_vm("u2", NULL, "no name"));
    g_autoptr(GPtrArray) events = new_events(1);
    assert_false(nest_store_sync_vms(store, changed, NULL, events, &error));
    assert_nest_error(error, NEST_ERROR_STORE, "NOT NULL");
    assert_int_equal(((NestEvent *)events->pdata[0])->id, 0);
    assert_int_equal(((NestEvent *)events->pdata[0])->time, 0);
    g_autoptr(GPtrArray) vms = NULL;
    assert_true(nest_store_vms(store, &vms, NULL));
    assert_int_equal(vms->len, 0);
    assert_int_equal(last_event(store), 0);
    assert_true(nest_store_set_setting(store, "next", "write", NULL));
}

static void test_operation_life(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    int notified = 0;
    nest_store_set_notify(store, count, &notified);
    g_autoptr(NestIntent) intent = new_intent("enable", "DemoVM");
    intent->detail = g_strdup("{\"uri\":1}");
    begin_operation(store, intent);
    assert_int_equal(intent->operation->id, 1);
    assert_true(intent->operation->created > G_GINT64_CONSTANT(1600000000000));
    assert_int_equal(notified, 1);
    intent->operation->state = NEST_OP_RUNNING;
    NestStep *step = nest_record_new(&nest_step_record);
    step->id = g_strdup("define");
    step->state = NEST_STEP_RUNNING;
    g_ptr_array_add(intent->operation->steps, step);
    assert_true(nest_store_update_operation(store, intent->operation, NULL));
    assert_int_equal(notified, 1);

    g_autoptr(GPtrArray) unfinished = read_unfinished(store);
    assert_int_equal(unfinished->len, 1);
    const NestIntent *back = unfinished->pdata[0];
    g_autofree char *expected = nest_codec_to_text(&nest_operation_record, intent->operation);
    g_autofree char *got = nest_codec_to_text(&nest_operation_record, back->operation);
    assert_string_equal(got, expected);
    assert_string_equal(back->before_xml, "<domain/>");
    assert_string_equal(back->after_xml, "<domain type='kvm'/>");
    assert_string_equal(back->detail, "{\"uri\":1}");

    finish_operation(store, intent, NEST_OP_DONE);
    assert_int_equal(notified, 2);
    g_autoptr(GPtrArray) none = read_unfinished(store);
    assert_int_equal(none->len, 0);
    g_autoptr(NestOperation) ended = NULL;
    assert_true(nest_store_operation(store, 1, &ended, NULL));
    assert_int_equal(ended->state, NEST_OP_DONE);
    g_autoptr(GPtrArray) events = read_events(store, 0, 10);
    assert_int_equal(events->len, 2);
    const NestEvent *event = events->pdata[1];
    assert_string_equal(event->kind, "operation-finished");
    assert_string_equal(event->message, "enable of DemoVM is done");
    assert_int_equal(event->operation, 1);
    assert_string_equal(event->name, "DemoVM");
}

static void test_operation_ends(void **state)
{
    static const struct {
        NestOperationState state;
        const char *message;
    } rows[] = {
        {NEST_OP_DONE, "stop of a is done"},
        {NEST_OP_FAILED, "stop of a failed: no luck"},
        {NEST_OP_ROLLED_BACK, "stop of a was rolled back: no luck"},
        {NEST_OP_ABORTED, "stop of a was aborted: no luck"},
    };
    g_autoptr(NestStore) store = open_store(*state);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestIntent) intent = new_intent("stop", "a");
        begin_operation(store, intent);
        if (rows[i].state != NEST_OP_DONE) {
            intent->operation->problem = nest_record_new(&nest_problem_record);
            intent->operation->problem->kind = g_strdup("hypervisor");
            intent->operation->problem->detail = g_strdup("no luck");
        }
        finish_operation(store, intent, rows[i].state);
        g_autoptr(GPtrArray) events = read_events(store, last_event(store) - 1, 1);
        assert_string_equal(((NestEvent *)events->pdata[0])->message, rows[i].message);
    }
}

static void test_operation_misuse(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(GError) running = NULL, ended = NULL, twice = NULL, unknown = NULL, missing = NULL;
    g_autoptr(NestIntent) intent = new_intent("enable", "a");
    begin_operation(store, intent);
    assert_false(nest_store_finish_operation(store, intent, &running));
    assert_nest_error(running, NEST_ERROR_INTERNAL, "its state is pending");
    intent->operation->state = NEST_OP_FAILED;
    assert_false(nest_store_update_operation(store, intent->operation, &ended));
    assert_nest_error(ended, NEST_ERROR_INTERNAL, "its state is failed");
    assert_true(nest_store_finish_operation(store, intent, NULL));
    gint64 events = last_event(store);
    assert_false(nest_store_finish_operation(store, intent, &twice));
    assert_nest_error(twice, NEST_ERROR_STORE, "operation 1 is not under way");
    assert_int_equal(last_event(store), events);
    intent->operation->id = 99;
    intent->operation->state = NEST_OP_RUNNING;
    assert_false(nest_store_update_operation(store, intent->operation, &unknown));
    assert_nest_error(unknown, NEST_ERROR_STORE, "operation 99 is not under way");
    NestOperation *none = NULL;
    assert_false(nest_store_operation(store, 99, &none, &missing));
    assert_nest_error(missing, NEST_ERROR_OPERATION_NOT_FOUND, "99");
    assert_null(none);
}

static void test_failed_begin_leaves_nothing(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestIntent) intent = new_intent(NULL, "a");
    assert_false(nest_store_begin_operation(store, intent, &error));
    assert_nest_error(error, NEST_ERROR_STORE, "NOT NULL");
    assert_int_equal(intent->operation->id, 0);
    assert_int_equal(intent->operation->created, 0);
    g_autoptr(GPtrArray) operations = read_operations(store, 0, 10);
    assert_int_equal(operations->len, 0);
    assert_int_equal(last_event(store), 0);
}

static void test_operations_pages(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    for (guint i = 0; i < 5; i++) {
        g_autoptr(NestIntent) intent = new_intent("start", "a");
        begin_operation(store, intent);
    }
    g_autoptr(GPtrArray) newest = read_operations(store, 0, 2);
    assert_int_equal(newest->len, 2);
    assert_int_equal(((NestOperation *)newest->pdata[0])->id, 5);
    g_autoptr(GPtrArray) rest = read_operations(store, 4, 100);
    assert_int_equal(rest->len, 3);
    assert_int_equal(((NestOperation *)rest->pdata[0])->id, 3);
    g_autoptr(GPtrArray) none = read_operations(store, 0, 0);
    assert_int_equal(none->len, 0);
    g_autoptr(GPtrArray) unfinished = read_unfinished(store);
    assert_int_equal(((NestIntent *)unfinished->pdata[0])->operation->id, 1);
}

static void test_events(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    int notified = 0;
    nest_store_set_notify(store, count, &notified);
    assert_int_equal(last_event(store), 0);
    g_autoptr(GPtrArray) empty = new_events(0), three = new_events(3);
    assert_true(nest_store_add_events(store, empty, NULL));
    assert_int_equal(notified, 0);
    assert_true(nest_store_add_events(store, three, NULL));
    assert_int_equal(notified, 1);
    assert_int_equal(((NestEvent *)three->pdata[2])->id, 3);
    assert_int_equal(last_event(store), 3);
    g_autoptr(GPtrArray) some = read_events(store, 1, 1);
    assert_int_equal(some->len, 1);
    const NestEvent *event = some->pdata[0];
    assert_int_equal(event->id, 2);
    assert_int_equal(event->time, ((NestEvent *)three->pdata[1])->time);
    assert_string_equal(event->kind, "vm-started");
    assert_null(event->uuid);
    assert_string_equal(event->message, "it was started");
}

static void test_note_is_one_transaction(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) events = new_events(2);
    NestEvent *last = events->pdata[1];
    char *kind = g_steal_pointer(&last->kind);
    const NestStoreSetting both[] = {{"one", "a"}, {"two", "b"}, {NULL, NULL}};
    const NestStoreSetting other[] = {{"one", NULL}, {"two", "c"}, {NULL, NULL}};
    assert_false(nest_store_note(store, both, events, &error));
    assert_nest_error(error, NEST_ERROR_STORE, "NOT NULL");
    assert_setting(store, "one", NULL);
    assert_int_equal(last_event(store), 0);
    last->kind = kind;
    assert_true(nest_store_note(store, both, events, NULL));
    assert_int_equal(last->id, 2);
    assert_setting(store, "two", "b");
    assert_true(nest_store_note(store, other, NULL, NULL));
    assert_setting(store, "one", NULL);
    assert_setting(store, "two", "c");
}

static void test_trim(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    for (guint i = 0; i < 6; i++) {
        g_autoptr(NestIntent) intent = new_intent("start", "a");
        g_clear_pointer(&intent->after_xml, g_free); /* what made a revision would stay */
        begin_operation(store, intent);
        if (i != 0)
            finish_operation(store, intent, NEST_OP_DONE);
    }
    assert_int_equal(last_event(store), 11);
    assert_true(nest_store_trim(store, 2, 3, NULL));
    g_autoptr(GPtrArray) operations = read_operations(store, 0, 100);
    assert_int_equal(operations->len, 3); /* 6, 5 and the unfinished 1 */
    assert_int_equal(((NestOperation *)operations->pdata[1])->id, 5);
    assert_int_equal(((NestOperation *)operations->pdata[2])->id, 1);
    g_autoptr(GPtrArray) events = read_events(store, 0, 100);
    assert_int_equal(events->len, 3);
    assert_int_equal(((NestEvent *)events->pdata[0])->id, 9);
    assert_true(nest_store_trim(store, 0, 0, NULL));
    g_autoptr(GPtrArray) left = read_operations(store, 0, 100);
    assert_int_equal(left->len, 1);
    /* Ids go on, also when nothing is left to count from. */
    assert_int_equal(last_event(store), 11);
    g_autoptr(NestIntent) next = new_intent("start", "a");
    begin_operation(store, next);
    assert_int_equal(next->operation->id, 7);
    assert_int_equal(last_event(store), 12);
}

static void test_reopen(void **state)
{
    g_autoptr(NestIntent) intent = new_intent("enable", "a");
    NestStore *first = open_store(*state);
    begin_operation(first, intent);
    nest_store_close(first);
    g_autoptr(NestStore) second = open_store(*state);
    g_autoptr(GPtrArray) unfinished = read_unfinished(second);
    assert_int_equal(unfinished->len, 1);
    finish_operation(second, intent, NEST_OP_ROLLED_BACK);
    assert_int_equal(last_event(second), 2);
}

static void test_second_process(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    pid_t child = fork();
    if (child == 0) {
        g_autoptr(GError) error = NULL;
        g_autofree char *pid = g_strdup_printf("(process %d)", getppid());
        NestStore *second = nest_store_open(*state, &error);
        _exit(second == NULL && g_error_matches(error, NEST_ERROR, NEST_ERROR_ALREADY_RUNNING) &&
                    strstr(error->message, pid) != NULL
                ? 0
                : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    g_autoptr(GError) error = NULL;
    assert_null(nest_store_open(*state, &error));
    assert_nest_error(error, NEST_ERROR_ALREADY_RUNNING, "another nestd");
    assert_true(nest_store_set_setting(store, "still", "works", NULL));
}

static guint mode_of(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

static void test_modes(void **state)
{
    static const mode_t masks[] = {0, 0777};
    static const char *const names[] = {"nestd.db", "nestd.db-wal", "nestd.db-shm", "lock"};
    for (guint i = 0; i < G_N_ELEMENTS(masks); i++) {
        g_autofree char *directory = g_build_filename(*state, "made", NULL);
        mode_t old = umask(masks[i]);
        NestStore *store = nest_store_open(directory, NULL);
        umask(old);
        assert_non_null(store);
        assert_true(nest_store_set_setting(store, "a", "b", NULL));
        assert_int_equal(mode_of(directory, "."), 0700);
        for (guint n = 0; n < G_N_ELEMENTS(names); n++)
            assert_int_equal(mode_of(directory, names[n]), 0600);
        nest_store_close(store);
        test_teardown((void *[]){g_steal_pointer(&directory)});
    }
}

static void test_unsafe_directory(void **state)
{
    g_autoptr(GError) open_to_all = NULL, not_there = NULL;
    assert_int_equal(chmod(*state, 0777), 0);
    assert_null(nest_store_open(*state, &open_to_all));
    assert_nest_error(open_to_all, NEST_ERROR_STORE, "others than nestd can write");
    assert_non_null(strstr(nest_error_get_next(open_to_all), "chmod 700"));
    assert_int_equal(chmod(*state, 0700), 0);
    assert_null(nest_store_open("/dev/null/nestd", &not_there));
    assert_nest_error(not_there, NEST_ERROR_STORE, "/dev/null/nestd");
}

typedef struct {
    NestStore *store;
    guint n;
} Worker;

static gpointer write_operations(gpointer data)
{
    Worker *worker = data;
    for (guint i = 0; i < worker->n; i++) {
        g_autoptr(NestIntent) intent = new_intent("start", "a");
        if (!nest_store_begin_operation(worker->store, intent, NULL))
            return (gpointer) "begin failed";
        g_autoptr(NestOperation) seen = NULL;
        if (!nest_store_operation(worker->store, intent->operation->id, &seen, NULL))
            return (gpointer) "an operation that was begun can't be seen";
        intent->operation->state = NEST_OP_DONE;
        if (!nest_store_finish_operation(worker->store, intent, NULL))
            return (gpointer) "finish failed";
    }
    return NULL;
}

static gpointer follow_events(gpointer data)
{
    Worker *worker = data;
    gint64 seen = 0;
    while (seen < worker->n) {
        g_autoptr(GPtrArray) events = NULL;
        if (!nest_store_events(worker->store, seen, 7, &events, NULL))
            return (gpointer) "reading failed";
        for (guint i = 0; i < events->len; i++)
            if (((NestEvent *)events->pdata[i])->id != ++seen)
                return (gpointer) "an event was skipped";
    }
    return NULL;
}

static void test_threads(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    int notified = 0;
    nest_store_set_notify(store, count, &notified);
    Worker writers = {store, 40}, reader = {store, 160};
    GThread *threads[] = {
        g_thread_new("a", write_operations, &writers),
        g_thread_new("b", write_operations, &writers),
        g_thread_new("c", follow_events, &reader),
    };
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_null(g_thread_join(threads[i]));
    assert_int_equal(notified, 160);
    assert_int_equal(last_event(store), 160);
}

/* The listener holds no lock: it may read at once. */
static void read_at_once(gpointer data)
{
    gint64 *seen = data;
    NestStore *store = *(NestStore **)(seen + 1);
    *seen = last_event(store);
    assert_true(nest_store_set_setting(store, "written", "inside", NULL));
}

static void test_notify_may_call_back(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    struct {
        gint64 seen;
        NestStore *store;
    } data = {0, store};
    nest_store_set_notify(store, read_at_once, &data);
    g_autoptr(NestIntent) intent = new_intent("start", "a");
    begin_operation(store, intent);
    assert_int_equal(data.seen, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_setup, test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_settings),
        TEST(test_vms),
        TEST(test_sync_is_one_transaction),
        TEST(test_operation_life),
        TEST(test_operation_ends),
        TEST(test_operation_misuse),
        TEST(test_failed_begin_leaves_nothing),
        TEST(test_operations_pages),
        TEST(test_events),
        TEST(test_note_is_one_transaction),
        TEST(test_trim),
        TEST(test_reopen),
        TEST(test_second_process),
        TEST(test_modes),
        TEST(test_unsafe_directory),
        TEST(test_threads),
        TEST(test_notify_may_call_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
