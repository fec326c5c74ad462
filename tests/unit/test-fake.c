/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-fake.h"
#include "nest-domain-xml.h"
#include "nest-fake-seed.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define OTHER "99999999-2222-4333-8444-555555555555"

static char *definition(const char *name, const char *uuid, const char *memory)
{
    return g_strdup_printf("<domain type='kvm'><name>%s</name><uuid>%s</uuid>"
                           "<memory unit='KiB'>%s</memory><vcpu>1</vcpu>"
                           "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
                           "<cpu mode='host-passthrough' check='full'>"
                           "<feature policy='require' name='vmx'/></cpu></domain>",
        name, uuid, memory);
}

/* What the handler was told. */
typedef struct {
    GMutex lock;
    GCond cond;
    guint seen[NEST_BACKEND_LOST + 1];
} Events;

static void on_event(NestBackendEvent event, const char *uuid, gpointer user_data)
{
    Events *events = user_data;
    g_mutex_lock(&events->lock);
    events->seen[event]++;
    g_cond_broadcast(&events->cond);
    g_mutex_unlock(&events->lock);
}

static gboolean wait_event(Events *events, NestBackendEvent event)
{
    const gint64 deadline = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&events->lock);
    while (events->seen[event] == 0)
        if (!g_cond_wait_until(&events->cond, &events->lock, deadline))
            return FALSE;
    events->seen[event] = 0;
    return TRUE;
}

static NestBackend *opened(const char *directory)
{
    g_autoptr(GError) error = NULL;
    NestBackend *backend = nest_backend_fake_new(directory);
    backend->ops->open(backend, &error);
    assert_no_error(error);
    return backend;
}

static gboolean define(NestBackend *backend, const char *name, const char *uuid, GError **error)
{
    g_autofree char *xml = definition(name, uuid, "1048576");
    return backend->ops->define(backend, xml, error);
}

/* An open backend with one VM, DemoVM, that is off. */
static NestBackend *with_demo(const char *directory)
{
    g_autoptr(GError) error = NULL;
    NestBackend *backend = opened(directory);
    define(backend, "DemoVM", UUID, &error);
    assert_no_error(error);
    return backend;
}

static NestVmFacts *facts(NestBackend *backend)
{
    g_autoptr(GError) error = NULL;
    NestVmFacts *facts = NULL;
    backend->ops->read(backend, UUID, &facts, &error);
    assert_no_error(error);
    return facts;
}

static void assert_state(NestBackend *backend, NestVmState state)
{
    g_autoptr(NestVmFacts) now = facts(backend);
    assert_int_equal(now->state, state);
    assert_int_equal(now->live_xml != NULL, state == NEST_VM_RUNNING);
}

static void test_life(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    assert_state(b, NEST_VM_OFF);
    assert_true(b->ops->start(b, UUID, &error));
    assert_state(b, NEST_VM_RUNNING);
    assert_false(b->ops->start(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_VM_STATE, "already running");
    g_clear_error(&error);
    assert_false(b->ops->undefine(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_VM_STATE, "undefine running");
    g_clear_error(&error);
    assert_true(b->ops->stop(b, UUID, &error));
    assert_true(b->ops->stop(b, UUID, &error));
    assert_false(b->ops->shutdown(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_VM_STATE, "not running");
    g_clear_error(&error);
    assert_false(b->ops->save(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_VM_STATE, "not running");
    g_clear_error(&error);
    assert_true(b->ops->undefine(b, UUID, &error));
    assert_false(b->ops->undefine(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_VM_NOT_FOUND, UUID);
}

static NestVmSample sampled(NestBackend *backend, const char *uuid, gboolean monitor)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) samples = NULL;
    assert_true(backend->ops->sample(backend, uuid, monitor, &samples, &error));
    assert_int_equal(samples->len, 1);
    return *(NestVmSample *)g_ptr_array_index(samples, 0);
}

static void test_sample(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) none = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    assert_true(b->ops->sample(b, NULL, FALSE, &none, &error));
    assert_int_equal(none->len, 0);
    assert_false(b->ops->sample(b, UUID, FALSE, &none, &error));
    assert_nest_error(error, NEST_ERROR_VM_STATE, "not running");
    assert_true(b->ops->start(b, UUID, NULL));
    NestVmSample sample = sampled(b, NULL, FALSE);
    assert_string_equal(sample.uuid, UUID);
    assert_true(!sample.counted && sample.booted && !sample.asked);
    assert_int_equal(sample.switched_on, NEST_ANSWER_UNREAD);
    assert_int_equal(sampled(b, UUID, TRUE).switched_on, NEST_ANSWER_NO);
    nest_backend_fake_control(b, "set:sample@DemoVM:run=3,nested_run=10,grow=5,guest,armed\n");
    const NestVmSample first = sampled(b, UUID, TRUE), second = sampled(b, UUID, FALSE);
    assert_int_equal(first.run, 3);
    assert_true(first.guest_mode);
    assert_int_equal(first.switched_on, NEST_ANSWER_YES);
    assert_int_equal(second.nested_run, first.nested_run + 5);
    nest_backend_fake_control(b, "set:sample@DemoVM:counted,silent\n");
    sample = sampled(b, UUID, TRUE);
    assert_true(sample.asked && sample.counted && sample.switched_on == NEST_ANSWER_UNREAD);
}

static void test_define_refusals(void **state)
{
    static const struct {
        const char *name, *uuid, *says;
    } rows[] = {
        {"DemoVM", OTHER, "domain 'DemoVM' already exists with uuid " UUID},
        {"Renamed", UUID, "domain 'DemoVM' already exists with uuid " UUID},
    };
    g_autoptr(NestBackend) b = with_demo(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(define(b, rows[i].name, rows[i].uuid, &error));
        assert_nest_error(error, NEST_ERROR_HYPERVISOR, rows[i].says);
    }
    g_autoptr(GError) error = NULL;
    assert_false(b->ops->define(b, "<network/>", &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "");
}

static void test_saved_state_keeps_what_ran(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    g_autofree char *smaller = definition("DemoVM", UUID, "524288");
    assert_true(b->ops->start(b, UUID, &error) && b->ops->save(b, UUID, &error));
    assert_true(b->ops->define(b, smaller, &error));
    g_autoptr(NestVmFacts) saved = facts(b);
    assert_int_equal(saved->state, NEST_VM_SAVED);
    assert_true(saved->saved_state && saved->saved_bytes > 0);
    assert_true(b->ops->start(b, UUID, &error));
    g_autoptr(NestVmFacts) resumed = facts(b);
    assert_false(resumed->saved_state);
    assert_string_equal(resumed->xml, smaller);
    assert_non_null(strstr(resumed->live_xml, "1048576"));
    assert_true(b->ops->save(b, UUID, &error));
    assert_true(b->ops->drop_saved_state(b, UUID, &error));
    assert_state(b, NEST_VM_OFF);
}

static void test_host_that_lacks_the_extension(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    g_autoptr(NestBackendCaps) caps = NULL;
    nest_backend_fake_control(b, "set:caps:kvm=none,networks=1\n");
    assert_true(b->ops->caps(b, &caps, &error));
    assert_true(caps->kvm && caps->networks);
    assert_int_equal(caps->kvm_extension, NEST_EXTENSION_NONE);
    assert_int_equal(caps->tcg_extension, NEST_EXTENSION_SVM);
    assert_false(b->ops->start(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_HOST_UNFIT, "missing features: vmx");
    g_clear_error(&error);
    assert_state(b, NEST_VM_OFF);
    nest_backend_fake_control(b, "set:caps:kvm=off\n");
    assert_false(b->ops->start(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_UNSUPPORTED, "virt type 'kvm'");
}

static void test_shutdown(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    g_cancellable_cancel(cancelled);
    nest_backend_fake_control(b, "set:shutdown-ms:never\n");
    assert_true(b->ops->start(b, UUID, &error) && b->ops->shutdown(b, UUID, &error));
    assert_false(b->ops->wait_off(b, UUID, 20, NULL, &error));
    assert_nest_error(error, NEST_ERROR_TIMEOUT, "20 ms");
    g_clear_error(&error);
    assert_false(b->ops->wait_off(b, UUID, 60000, cancelled, &error));
    assert_nest_error(error, NEST_ERROR_ABORTED, "cancelled");
    g_clear_error(&error);
    nest_backend_fake_control(b, "set:shutdown-ms:30\n");
    assert_true(b->ops->shutdown(b, UUID, &error));
    assert_state(b, NEST_VM_RUNNING);
    assert_true(b->ops->wait_off(b, UUID, 60000, NULL, &error));
    assert_state(b, NEST_VM_OFF);
    assert_true(b->ops->wait_off(b, UUID, 0, NULL, &error));
}

static void test_failures(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) again = NULL;
    g_autoptr(GError) unavailable = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    GPtrArray *list = NULL;
    nest_backend_fake_control(b,
        "# comment\nstart:1:VM_BUSY:not now\n"
        "start:2:after\nlist:*:backend-unavailable\n"
        "stop@" OTHER ":*:HYPERVISOR\nstop@DemoVM:2+:HYPERVISOR:no\n");
    assert_false(b->ops->start(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_VM_BUSY, "not now");
    assert_state(b, NEST_VM_OFF);
    assert_false(b->ops->start(b, UUID, &again));
    assert_nest_error(again, NEST_ERROR_HYPERVISOR, "injected failure");
    assert_state(b, NEST_VM_RUNNING);
    assert_false(b->ops->list(b, &list, &unavailable));
    assert_nest_error(unavailable, NEST_ERROR_BACKEND_UNAVAILABLE, "");
    assert_null(list);
    g_clear_error(&error);
    assert_true(b->ops->stop(b, UUID, &error));
    assert_false(b->ops->stop(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_HYPERVISOR, "no");
}

static void test_tamper(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackend) b = opened(NULL);
    nest_backend_fake_control(b, "tamper:define:1\ntamper:define:2:require=>optional\n");
    assert_true(define(b, "DemoVM", UUID, &error));
    g_autoptr(NestVmFacts) first = facts(b);
    assert_null(strstr(first->xml, "check="));
    assert_true(define(b, "DemoVM", UUID, &error));
    g_autoptr(NestVmFacts) second = facts(b);
    assert_non_null(strstr(second->xml, "optional"));
}

static gpointer start_in_thread(gpointer data)
{
    NestBackend *b = data;
    return GINT_TO_POINTER(b->ops->start(b, UUID, NULL));
}

static void test_hang(void **state)
{
    g_autoptr(NestBackend) b = with_demo(NULL);
    nest_backend_fake_control(b, "start:*:hang\n");
    GThread *thread = g_thread_new("start", start_in_thread, b);
    assert_state(b, NEST_VM_OFF);
    nest_backend_fake_control(b, "");
    assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
    assert_state(b, NEST_VM_RUNNING);
}

static gpointer list_in_thread(gpointer backend)
{
    NestBackend *b = backend;
    g_autoptr(GPtrArray) list = NULL;
    return GINT_TO_POINTER(b->ops->list(b, &list, NULL));
}

static guint calls_held(NestBackend *b)
{
    g_autofree char *path = g_build_filename(nest_backend_fake_directory(b), "calls", NULL);
    g_autofree char *calls = NULL;
    assert_true(g_file_get_contents(path, &calls, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(calls, "! list:1+:hang\n", -1);
    return g_strv_length(parts) - 1;
}

/* Of two that are held the first goes, and the later one does not. */
static void test_hang_of_one(void **state)
{
    GThread *threads[2];
    g_autoptr(NestBackend) b = with_demo(NULL);
    nest_backend_fake_control(b, "list:1+:hang\n");
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("list", list_in_thread, b);
        while (calls_held(b) <= i)
            g_thread_yield();
    }
    nest_backend_fake_control(b, "list:2+:hang\n");
    assert_true(GPOINTER_TO_INT(g_thread_join(threads[0])));
    nest_backend_fake_control(b, "");
    assert_true(GPOINTER_TO_INT(g_thread_join(threads[1])));
}

static void test_outlives_a_kill(void **state)
{
    static const struct {
        const char *rule;
        NestVmState then;
    } rows[] = {
        {"crash-before:start:1", NEST_VM_OFF},
        {"crash-after:start:1", NEST_VM_RUNNING},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        int status = 0;
        g_autofree char *directory = g_dir_make_tmp("nest-XXXXXX", NULL);
        pid_t child = fork();
        if (child == 0) {
            NestBackend *b = with_demo(directory);
            nest_backend_fake_control(b, rows[i].rule);
            b->ops->start(b, UUID, NULL);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        g_autofree char *control = g_build_filename(directory, "control", NULL);
        assert_int_equal(unlink(control), 0);
        g_autoptr(NestBackend) b = opened(directory);
        assert_state(b, rows[i].then);
        g_autofree char *clean = g_strdup_printf("rm -r '%s'", directory);
        assert_true(g_spawn_command_line_sync(clean, NULL, NULL, NULL, NULL));
    }
}

static void test_one_process_per_directory(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackend) first = opened(NULL);
    g_autoptr(NestBackend) second = nest_backend_fake_new(nest_backend_fake_directory(first));
    assert_false(second->ops->open(second, &error));
    assert_nest_error(error, NEST_ERROR_ALREADY_RUNNING, "Failed to acquire");
}

static void put_file(NestBackend *backend, const char *name)
{
    g_autofree char *path = g_build_filename(nest_backend_fake_directory(backend), name, NULL);
    g_autofree char *next = g_build_filename(nest_backend_fake_directory(backend), ".put", NULL);
    assert_true(g_file_set_contents(next, "", 0, NULL));
    assert_int_equal(g_rename(next, path), 0);
}

static void test_events(void **state)
{
    Events events = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackend) b = nest_backend_fake_new(NULL);
    b->ops->set_handler(b, on_event, &events);
    assert_false(b->ops->start(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, "gone");
    g_clear_error(&error);
    assert_true(b->ops->open(b, &error));
    assert_true(define(b, "DemoVM", UUID, &error));
    assert_true(wait_event(&events, NEST_BACKEND_VM_CHANGED));
    nest_backend_fake_control(b, "set:shutdown-ms:40\n");
    assert_true(b->ops->start(b, UUID, &error) && b->ops->shutdown(b, UUID, &error));
    assert_true(b->ops->wait_off(b, UUID, 10000, NULL, &error));
    assert_true(wait_event(&events, NEST_BACKEND_VM_CHANGED));
    assert_true(b->ops->undefine(b, UUID, &error));
    assert_true(wait_event(&events, NEST_BACKEND_VM_GONE));
    put_file(b, "lost");
    assert_true(wait_event(&events, NEST_BACKEND_LOST));
    assert_false(b->ops->stop(b, UUID, &error));
    assert_nest_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, "gone");
    g_clear_error(&error);
    assert_true(b->ops->open(b, &error));
}

/* Another program behind nestd's back: nest_fake.py. */
static void test_changes_from_outside(void **state)
{
    static const char script[] =
        "import sys; sys.path.insert(0, sys.argv[1]); sys.dont_write_bytecode = True\n"
        "from nest_fake import FakeHost\n"
        "host = FakeHost(sys.argv[2]); host.start('DemoVM'); host.change('DemoVM', snapshots=2)\n"
        "host.define(sys.argv[3]); host.delete('Doomed')\n"
        "assert ('open', '-', 'ok') in host.calls(), host.calls()\n";
    Events events = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    g_autofree char *added = definition("Added", "22222222-2222-4333-8444-555555555555", "4096");
    g_autofree char *tools = g_build_filename(g_getenv("NEST_TEST_DATA"), "../fake", NULL);
    const char *argv[] = {
        "/usr/bin/python3", "-B", "-c", script, tools, nest_backend_fake_directory(b), added, NULL};
    int status = -1;
    assert_true(define(b, "Doomed", OTHER, &error));
    b->ops->set_handler(b, on_event, &events);
    assert_true(g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, NULL, NULL, &status, NULL));
    assert_int_equal(status, 0);
    assert_true(wait_event(&events, NEST_BACKEND_VM_CHANGED));
    assert_true(wait_event(&events, NEST_BACKEND_VM_GONE));
    assert_state(b, NEST_VM_RUNNING);
    assert_true(b->ops->list(b, &list, &error));
    assert_int_equal(list->len, 2);
}

static void test_seeds(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GPtrArray) fewer = NULL;
    g_autofree char *uuid = nest_fake_seed_uuid(7);
    g_setenv("NEST_FAKE_VMS", "1000", TRUE);
    g_autoptr(NestBackend) b = opened(NULL);
    g_unsetenv("NEST_FAKE_VMS");
    assert_true(b->ops->list(b, &list, &error));
    assert_int_equal(list->len, 1000);
    const NestVmFacts *any = g_ptr_array_index(list, 0);
    assert_in_range(strlen(any->xml), 3300, 3900);
    g_autoptr(NestDomain) domain = nest_domain_read(any->xml, &error);
    assert_no_error(error);
    assert_int_equal(domain->interfaces->len, 1);
    assert_true(b->ops->undefine(b, uuid, &error));
    assert_true(b->ops->list(b, &fewer, &error));
    assert_int_equal(fewer->len, 999);
}

static void test_calls_are_recorded(void **state)
{
    g_autofree char *text = NULL;
    g_autoptr(NestBackend) b = with_demo(NULL);
    g_autofree char *path = g_build_filename(nest_backend_fake_directory(b), "calls", NULL);
    nest_backend_fake_control(b, "start:*:HYPERVISOR\n");
    assert_false(b->ops->start(b, UUID, NULL));
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text,
        "> 1 open -\n< 1 open - ok\n> 2 define " UUID "\n< 2 define " UUID " ok\n> 3 start " UUID
        "\n! start:*:HYPERVISOR\n< 3 start " UUID " hypervisor\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_define_refusals),
        cmocka_unit_test(test_saved_state_keeps_what_ran),
        cmocka_unit_test(test_host_that_lacks_the_extension),
        cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_tamper),
        cmocka_unit_test(test_hang),
        cmocka_unit_test(test_hang_of_one),
        cmocka_unit_test(test_outlives_a_kill),
        cmocka_unit_test(test_one_process_per_directory),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_changes_from_outside),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_calls_are_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
