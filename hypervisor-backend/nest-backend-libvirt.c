/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-libvirt.h"
#include "nest-judge.h"
#include "nest-libvirt-loop.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>
#include <string.h>

#define ANSWER_TIMEOUT_MS 10000
/* How long a power-off may take to show after libvirt said that it failed. */
#define STOPPED_TIMEOUT_MS 5000
/* How long all that were booted here may take to go. */
#define ENDINGS_TIMEOUT_US (30 * G_TIME_SPAN_SECOND)

static const char *const system_sockets[] = {
    "/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock"};

static NestLibvirt *self_of(NestBackend *backend)
{
    return (NestLibvirt *)backend;
}

/* Sets *error to libvirt's last one, as "Cannot VERB NAME: …". */
static gboolean fail(virDomainPtr domain, const char *verb, GError **error)
{
    nest_virt_error_set_domain(error, domain, verb);
    return FALSE;
}

static gboolean wrong_state(virDomainPtr domain, const char *why, GError **error)
{
    nest_set_error(error, NEST_ERROR_VM_STATE, NULL, "%s %s", virDomainGetName(domain), why);
    return FALSE;
}

static gboolean open_backend(NestBackend *backend, GError **error)
{
    return nest_libvirt_open(self_of(backend), error);
}

static void free_backend(NestBackend *backend)
{
    NestLibvirt *self = self_of(backend);

    if (!nest_libvirt_await_endings(self, 0, g_get_monotonic_time() + ENDINGS_TIMEOUT_US))
        return;
    nest_libvirt_close(self);
    g_free((char *)self->options.uri);
    g_free((char *)self->options.root);
    g_free((char *)self->options.run_root);
    g_free((char *)self->options.qemu_user);
    g_free((char *)self->options.qemu_group);
    g_atomic_rc_box_release(self->unanswered);
    g_atomic_rc_box_release(self->late);
    g_atomic_rc_box_release(self->probing);
    nest_domain_schema_free(self->schema);
    g_mutex_clear(&self->asking);
    g_mutex_clear(&self->opening);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}

static gboolean caps(NestBackend *backend, NestBackendCaps **ret_caps, GError **error)
{
    return nest_libvirt_caps(self_of(backend), ret_caps, error);
}

static gboolean networks(
    NestBackend *backend, GPtrArray **ret_texts, NestUnlisted *ret_unlisted, GError **error)
{
    return nest_libvirt_networks(self_of(backend), ret_texts, ret_unlisted, error);
}

static gboolean add_facts(
    virDomainPtr domain, const NestLibvirtFolders *folders, GPtrArray *facts, GError **error)
{
    g_autoptr(GError) why = NULL;
    NestVmFacts *row = NULL;

    if (nest_libvirt_facts(domain, folders, &row, &why)) {
        g_ptr_array_add(facts, row);
        return TRUE;
    }
    if (nest_error_code(why) == NEST_ERROR_VM_NOT_FOUND)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean list(NestBackend *backend, GPtrArray **ret_facts, GError **error)
{
    g_autoptr(GPtrArray) facts = g_ptr_array_new_with_free_func((GDestroyNotify)nest_vm_facts_free);
    g_auto(NestLibvirtFolders) folders = nest_libvirt_folders(self_of(backend));
    g_autoptr(virConnect) connection = NULL;
    virDomainPtr *domains = NULL;
    gboolean good = TRUE;
    int n;

    if (!nest_libvirt_get(self_of(backend), &connection, error))
        return FALSE;
    n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_PERSISTENT);
    if (n < 0) {
        nest_virt_error_set(error, connection, "Cannot list the virtual machines");
        return FALSE;
    }
    for (int i = 0; i < n; i++) {
        good = good && add_facts(domains[i], &folders, facts, error);
        virDomainFree(domains[i]);
    }
    free(domains);
    if (good)
        *ret_facts = g_steal_pointer(&facts);
    return good;
}

static gboolean read_vm(
    NestBackend *backend, const char *uuid, NestVmFacts **ret_facts, GError **error)
{
    g_auto(NestLibvirtFolders) folders = nest_libvirt_folders(self_of(backend));
    g_autoptr(virDomain) domain = NULL;

    return nest_libvirt_domain(self_of(backend), uuid, &domain, error) &&
        nest_libvirt_facts(domain, &folders, ret_facts, error);
}

static gboolean check(NestBackend *backend, const char *xml, char **ret_doubt, GError **error)
{
    return nest_domain_schema_check(self_of(backend)->schema, xml, error) &&
        nest_judge_check(nest_judge_program(), NEST_JUDGE_TIMEOUT_MS, xml, ret_doubt, error);
}

static gboolean define_with(
    NestBackend *backend, const char *xml, unsigned int flags, GError **error)
{
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(virDomain) domain = NULL;

    if (!nest_libvirt_get(self_of(backend), &connection, error))
        return FALSE;
    domain = virDomainDefineXMLFlags(connection, xml, flags);
    if (domain != NULL)
        return TRUE;
    nest_virt_error_set_define(error, connection);
    return FALSE;
}

static gboolean define(NestBackend *backend, const char *xml, GError **error)
{
    return define_with(backend, xml, VIR_DOMAIN_DEFINE_VALIDATE, error);
}

static gboolean redefine(NestBackend *backend, const char *uuid, const char *xml, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    return nest_libvirt_domain(self_of(backend), uuid, &domain, error) &&
        define_with(backend, xml, 0, error);
}

/* Drivers and daemons that do not know NVRAM or checkpoints refuse their flags. */
static gboolean remove_all_of(virDomainPtr domain)
{
    const unsigned int some =
        VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    const unsigned int all =
        some | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;

    if (virDomainUndefineFlags(domain, all) == 0)
        return TRUE;
    return virGetLastErrorCode() == VIR_ERR_INVALID_ARG &&
        virDomainUndefineFlags(domain, some) == 0;
}

static gboolean undefine(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    if (!nest_libvirt_domain(self_of(backend), uuid, &domain, error))
        return FALSE;
    if (virDomainIsActive(domain) == 1)
        return wrong_state(domain, "runs: power it off before it is removed", error);
    return remove_all_of(domain) || fail(domain, "remove", error);
}

static gboolean start(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GError) why = NULL;

    if (!nest_libvirt_domain(self_of(backend), uuid, &domain, error))
        return FALSE;
    if (virDomainIsActive(domain) == 1)
        return wrong_state(domain, "runs already", error);
    if (virDomainCreateWithFlags(domain, 0) == 0)
        return TRUE;
    nest_virt_error_set_start(&why, domain);
    /* VM_STATE: somebody else has started it meanwhile. */
    if (nest_error_code(why) != NEST_ERROR_VM_STATE && virDomainIsActive(domain) == 1)
        virDomainDestroy(domain);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* By the power button: asking the guest's agent first would let the guest decide how long this
 * takes. */
static int press_power(virDomainPtr domain)
{
    return virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
}

static gboolean shut_down(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    return nest_libvirt_domain(self_of(backend), uuid, &domain, error) &&
        nest_libvirt_call(domain, press_power, ANSWER_TIMEOUT_MS, "shut down", error);
}

static gboolean wait_off(NestBackend *backend, const char *uuid, guint timeout_ms,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    return nest_libvirt_domain(self_of(backend), uuid, &domain, error) &&
        nest_libvirt_wait_off(self_of(backend), domain, timeout_ms, cancellable, error);
}

/* What libvirt answers is not the measure: a power-off may end QEMU and still be reported as
 * failed (fact F24). */
static gboolean stop(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GError) why = NULL;

    if (!nest_libvirt_domain(self_of(backend), uuid, &domain, error))
        return FALSE;
    if (virDomainDestroy(domain) == 0)
        return TRUE;
    fail(domain, "power off", &why);
    if (nest_libvirt_wait_off(self_of(backend), domain, STOPPED_TIMEOUT_MS, NULL, NULL))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* Saving takes as long as writing the memory takes; whether QEMU answers at all is asked first. */
static gboolean save(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    if (!nest_libvirt_domain(self_of(backend), uuid, &domain, error))
        return FALSE;
    if (virDomainIsActive(domain) == 0)
        return wrong_state(domain, "does not run", error);
    if (!nest_libvirt_call(domain, nest_libvirt_ask, ANSWER_TIMEOUT_MS, "save", error))
        return FALSE;
    return virDomainManagedSave(domain, 0) == 0 || fail(domain, "save", error);
}

static gboolean drop_saved_state(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    if (!nest_libvirt_domain(self_of(backend), uuid, &domain, error))
        return FALSE;
    return virDomainHasManagedSaveImage(domain, 0) == 0 ||
        virDomainManagedSaveRemove(domain, 0) == 0 ||
        fail(domain, "drop the saved state of", error);
}

static gboolean sample(NestBackend *backend, const char *uuid, gboolean monitor,
    GPtrArray **ret_samples, GError **error)
{
    return nest_libvirt_sample(self_of(backend), uuid, monitor, ret_samples, error);
}

static void set_handler(NestBackend *backend, NestBackendHandler handler, gpointer user_data)
{
    NestLibvirt *self = self_of(backend);

    self->handler = handler;
    self->user_data = user_data;
}

static const NestBackendOps ops = {
    .open = open_backend,
    .free = free_backend,
    .caps = caps,
    .list = list,
    .read = read_vm,
    .check = check,
    .define = define,
    .redefine = redefine,
    .undefine = undefine,
    .start = start,
    .shutdown = shut_down,
    .stop = stop,
    .pause = nest_libvirt_pause,
    .resume = nest_libvirt_resume,
    .restart = nest_libvirt_restart,
    .set_memory = nest_libvirt_set_memory,
    .checkpoints = nest_libvirt_checkpoints,
    .checkpoint = nest_libvirt_checkpoint,
    .apply_checkpoint = nest_libvirt_apply_checkpoint,
    .delete_checkpoint = nest_libvirt_delete_checkpoint,
    .migrate = nest_libvirt_migrate,
    .save = save,
    .drop_saved_state = drop_saved_state,
    .wait_off = wait_off,
    .sample = sample,
    .agent = nest_libvirt_agent,
    .boot = nest_libvirt_boot,
    .networks = networks,
    .set_handler = set_handler,
};

/* The driver within this process logs to stderr, notices included, and offers no other way to have
 * it quiet. Who wants its log sets the variable. */
static void quiet_log(void)
{
    static const char variable[] = "LIBVIRT_LOG_OUTPUTS";

    if (g_getenv(variable) != NULL)
        return;
    g_setenv(variable, "4:file:/dev/null", TRUE);
    virInitialize();
    g_unsetenv(variable);
}

NestBackend *nest_backend_libvirt_new(const NestLibvirtOptions *options)
{
    NestLibvirt *self = g_new0(NestLibvirt, 1);

    quiet_log();
    self->base.ops = &ops;
    self->options.uri = g_strdup(options->uri);
    self->options.root = g_strdup(options->root);
    self->options.run_root = g_strdup(options->run_root);
    self->options.qemu_user = g_strdup(options->qemu_user);
    self->options.qemu_group = g_strdup(options->qemu_group);
    self->embed = g_strcmp0(options->uri, "embed") == 0;
    self->schema = nest_domain_schema_new(nest_domain_schema_file);
    self->lifecycle = -1;
    self->unanswered = g_atomic_rc_box_new0(int);
    self->late = g_atomic_rc_box_new0(int);
    self->probing = g_atomic_rc_box_new0(int);
    g_mutex_init(&self->asking);
    g_mutex_init(&self->opening);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    return &self->base;
}

gboolean nest_backend_libvirt_system_answers(guint timeout_ms)
{
    g_autoptr(virConnect) connection = NULL;
    gboolean there = FALSE, answers;

    for (gsize i = 0; i < G_N_ELEMENTS(system_sockets); i++)
        there = there || g_file_test(system_sockets[i], G_FILE_TEST_EXISTS);
    if (!there)
        return FALSE;
    nest_libvirt_loop_start();
    answers = nest_libvirt_connect("qemu:///system", timeout_ms, &connection, NULL);
    g_clear_pointer(&connection, virConnectClose);
    nest_libvirt_loop_stop();
    return answers;
}
