/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-libvirt.h"
#include "nest-test.h"
#include <dlfcn.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>

/* libvirt's own test driver, whose calls wait where this says so: each function here stands before
 * libvirt's of the same name. */

/* Longer than any deadline of the backend's that is waited for here. */
#define LONG_US (60 * G_TIME_SPAN_SECOND)

static struct {
    GMutex lock;
    GCond changed;
    gboolean shut;
    guint waiting; /* calls that wait */
    guint calls;
} gate;

static void set_gate(gboolean shut)
{
    g_mutex_lock(&gate.lock);
    gate.shut = shut;
    gate.calls = 0;
    g_cond_broadcast(&gate.changed);
    while (!shut && gate.waiting > 0)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
}

/* That many calls have come, which may be after those who asked have gone. */
static void await_calls(guint calls)
{
    gint64 deadline = g_get_monotonic_time() + LONG_US;

    g_mutex_lock(&gate.lock);
    while (gate.calls < calls)
        assert_true(g_cond_wait_until(&gate.changed, &gate.lock, deadline));
    assert_int_equal(gate.calls, calls);
    g_mutex_unlock(&gate.lock);
}

static void pass_gate(void)
{
    g_mutex_lock(&gate.lock);
    gate.calls++;
    gate.waiting++;
    g_cond_broadcast(&gate.changed);
    while (gate.shut)
        g_cond_wait(&gate.changed, &gate.lock);
    gate.waiting--;
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.lock);
}

int virConnectListAllNetworks(
    virConnectPtr connection, virNetworkPtr **networks, unsigned int flags)
{
    int (*real)(virConnectPtr, virNetworkPtr **, unsigned int) = dlsym(RTLD_NEXT, __func__);

    pass_gate();
    return real(connection, networks, flags);
}

int virConnectNumOfNetworks(virConnectPtr connection)
{
    int (*real)(virConnectPtr) = dlsym(RTLD_NEXT, __func__);

    pass_gate();
    return real(connection);
}

/* One that this driver has, of the same name. */
virDomainPtr virDomainCreateXML(virConnectPtr connection, const char *xml, unsigned int flags)
{
    virDomainPtr (*real)(virConnectPtr, const char *, unsigned int) = dlsym(RTLD_NEXT, __func__);
    const char *name = strstr(xml, "<name>");
    g_autofree char *other = g_strdup_printf(
        "<domain type='test'>%.*s<memory>1024</memory><os><type>hvm</type></os></domain>",
        (int)(strstr(name, "</name>") + strlen("</name>") - name), name);

    pass_gate();
    return real(connection, other, flags);
}

/* It goes on until it is to stop, which is not answered. */
int virDomainMigrateToURI3(virDomainPtr domain, const char *to, virTypedParameterPtr params,
    unsigned int n, unsigned int flags)
{
    g_mutex_lock(&gate.lock);
    while (gate.shut && gate.calls == 0)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
    return -1;
}

int virDomainAbortJob(virDomainPtr domain)
{
    pass_gate();
    return 0;
}

/* Set where QEMU does not answer libvirt: to wait until libvirt is given up would take too long. */
static int probing;

char *virConnectGetDomainCapabilities(virConnectPtr connection, const char *emulator,
    const char *arch, const char *machine, const char *type, unsigned int flags)
{
    char *(*real)(virConnectPtr, const char *, const char *, const char *, const char *,
        unsigned int) = dlsym(RTLD_NEXT, __func__);

    if (g_atomic_int_get(&probing))
        pass_gate();
    return real(connection, emulator, arch, machine, type, flags);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
    gboolean (*real)(GCond *, GMutex *, gint64) = dlsym(RTLD_NEXT, __func__);
    gint64 soon = g_get_monotonic_time() + G_TIME_SPAN_SECOND / 4;

    return real(cond, mutex, g_atomic_int_get(&probing) ? MIN(end, soon) : end);
}

static NestBackend *opened(const char *run_root)
{
    const NestLibvirtOptions options = {.uri = "test:///default", .run_root = run_root};
    NestBackend *backend = nest_backend_libvirt_new(&options);
    g_autoptr(GError) error = NULL;

    backend->ops->open(backend, &error);
    assert_no_error(error);
    return backend;
}

static guint ask(NestBackend *backend, GError **error)
{
    g_autoptr(GPtrArray) texts = NULL;
    g_auto(NestUnlisted) unlisted = {0};

    if (!backend->ops->networks(backend, &texts, &unlisted, error))
        return 0;
    /* libvirt's test driver has networks, and no filters. */
    assert_null(unlisted.networks);
    assert_non_null(strstr(unlisted.filters, "Cannot list the network filters"));
    return texts->len;
}

static gpointer ask_in_thread(gpointer backend)
{
    g_autoptr(GError) error = NULL;

    assert_int_equal(ask(backend, &error), 0);
    assert_nest_error(error, NEST_ERROR_TIMEOUT, "libvirt does not answer");
    return g_strdup(error->message);
}

/* They are there, if silent; all else is told. */
static gpointer caps_in_thread(gpointer data)
{
    NestBackend *backend = data;
    g_autoptr(NestBackendCaps) caps = NULL;
    g_autoptr(GError) error = NULL;

    assert_true(backend->ops->caps(backend, &caps, &error));
    assert_true(caps->networks);
    return NULL;
}

/* Who asks is told so, in the same words, however many ask; one question is waited for. */
static void test_networks(void **state)
{
    g_autoptr(NestBackend) backend = opened(NULL);
    g_autoptr(GError) error = NULL;
    GThread *threads[8], *caps;
    gint64 begun = g_get_monotonic_time();

    assert_int_equal(ask(backend, &error), 1);
    set_gate(TRUE);
    caps = g_thread_new("caps", caps_in_thread, backend);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("ask", ask_in_thread, backend);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autofree char *said = g_thread_join(threads[i]);
        assert_string_equal(
            said, "Cannot read the virtual networks and network filters: libvirt does not answer");
    }
    g_thread_join(caps);
    await_calls(1);
    assert_true(g_get_monotonic_time() - begun < LONG_US);
    set_gate(FALSE);
    /* The one that was waited for is gone a moment later. */
    while (ask(backend, &error) == 0) {
        assert_nest_error(error, NEST_ERROR_TIMEOUT, "libvirt does not answer");
        assert_true(g_get_monotonic_time() - begun < 2 * LONG_US);
        g_clear_error(&error);
        g_thread_yield();
    }
}

static gboolean boot(NestBackend *backend, guint timeout_ms, GError **error)
{
    g_autoptr(GBytes) kernel = g_bytes_new_static("kernel", 6), console = NULL;
    const NestBoot wanted = {NEST_ACCEL_TCG, NEST_EXTENSION_NONE, kernel, "", timeout_ms, "end"};

    return backend->ops->boot(backend, &wanted, NULL, &console, error);
}

static void assert_nothing_left(virConnectPtr connection, const char *run_root)
{
    g_autoptr(GDir) directory = g_dir_open(run_root, 0, NULL);

    assert_null(g_dir_read_name(directory));
    assert_int_equal(virConnectNumOfDomains(connection), 1); /* the driver's own */
}

/* A VM that comes when nobody waits for it any more is ended nevertheless. */
static void test_boot(void **state)
{
    g_autofree char *run_root = g_dir_make_tmp("nest-hangs-XXXXXX", NULL);
    virConnectPtr connection = virConnectOpen("test:///default");
    NestBackend *backend = opened(run_root);
    g_autoptr(GError) error = NULL;
    gint64 begun = g_get_monotonic_time();

    set_gate(TRUE);
    assert_false(boot(backend, 300, &error));
    assert_nest_error(error, NEST_ERROR_TIMEOUT, "its QEMU did not answer");
    assert_true(g_get_monotonic_time() - begun < LONG_US);
    await_calls(1);
    set_gate(FALSE);
    nest_backend_free(backend);
    assert_nothing_left(connection, run_root);
    virConnectClose(connection);
    g_rmdir(run_root);
}

/* A migration that stops without a word is seen to have stopped. */
static void test_migrate(void **state)
{
    g_autoptr(NestBackend) backend = opened(NULL);
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;
    const NestVmFacts *vm;

    backend->ops->list(backend, &all, &error);
    assert_no_error(error);
    vm = g_ptr_array_index(all, 0);
    set_gate(TRUE);
    assert_false(
        backend->ops->migrate(backend, vm->uuid, "test:///default", TRUE, 100, NULL, &error));
    assert_nest_error(error, NEST_ERROR_TIMEOUT, "was not there in time");
    await_calls(1);
    set_gate(FALSE);
}

/* Who asks while it hangs is told at once, and all is well once it does not. */
static void test_caps(void **state)
{
    g_autoptr(NestBackend) backend = opened(NULL);
    g_autoptr(NestBackendCaps) caps = NULL;
    gint64 begun = g_get_monotonic_time();

    set_gate(TRUE);
    g_atomic_int_set(&probing, TRUE);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        assert_false(backend->ops->caps(backend, &caps, &error));
        assert_nest_error(error, NEST_ERROR_TIMEOUT, "Cannot ask what QEMU can do");
    }
    assert_int_equal(gate.calls, 1);
    g_atomic_int_set(&probing, FALSE);
    set_gate(FALSE);
    while (!backend->ops->caps(backend, &caps, NULL)) {
        assert_true(g_get_monotonic_time() - begun < LONG_US);
        g_thread_yield();
    }
    assert_string_equal(caps->uri, "test:///default");
    assert_non_null(caps->libvirt_version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_boot),
        cmocka_unit_test(test_migrate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
