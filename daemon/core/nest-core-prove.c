/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-proof.h"

/* Proofs: one at a time of each accel. Who asks while one is under way gets the next one, together
 * with all others who ask meanwhile: what counts began after it was asked for. */

#define TIMEOUT_MS 20000

typedef struct {
    NestCore *core;
    NestAccel accel;
    gint64 begun; /* monotonic, µs */
    GPtrArray *waiters; /* GTask */
    NestProof *proof; /* NULL: failed with error */
    GError *error;
} Run;

static char *setting_of(NestAccel accel)
{
    return g_strconcat("proof-", nest_nick(nest_accel_nicks, accel), NULL);
}

/* What it depends on. KVM's own part is the kernel's, QEMU's software CPU is QEMU's. */
static gboolean is_outdated(const NestProof *proof, const NestHost *host)
{
    gboolean kernel = g_strcmp0(proof->kernel, host->kernel) != 0 ||
        g_strcmp0(proof->nested_parameter, host->nested_parameter) != 0;
    return (proof->accel == NEST_ACCEL_KVM && kernel) ||
        (host->qemu_version != NULL && g_strcmp0(proof->qemu_version, host->qemu_version) != 0) ||
        (host->libvirt_version != NULL &&
            g_strcmp0(proof->libvirt_version, host->libvirt_version) != 0);
}

void nest_core_prove_tell(NestCore *core, NestHost *host)
{
    for (guint accel = NEST_ACCEL_KVM; accel <= NEST_ACCEL_TCG; accel++) {
        NestProof *proof = nest_record_copy(&nest_proof_record, core->proving[accel].last);
        if (proof == NULL)
            continue;
        proof->outdated = is_outdated(proof, host);
        g_ptr_array_add(host->proofs, proof);
    }
}

/* ---- on a reader ---- */

static NestProof *not_proved(const GError *error)
{
    NestProof *proof = nest_record_new(&nest_proof_record);
    proof->code = g_strdup("refused");
    proof->message = g_strdup(error->message);
    return proof;
}

/* A hypervisor that will not start such a VM has answered the question. */
static gboolean boot(Run *run, NestExtension extension, NestProof **ret_proof, GError **error)
{
    guint32 seed = MAX(g_random_int(), 1);
    g_autofree char *cmdline = nest_proof_command_line(seed);
    g_autoptr(GBytes) kernel = nest_proof_image(), console = NULL;
    g_autoptr(GError) why = NULL;
    const NestBoot wanted = {run->accel, extension, kernel, cmdline, TIMEOUT_MS};
    NestBackend *backend = run->core->backend;
    if (backend->ops->boot(backend, &wanted, run->core->ending, &console, &why)) {
        gsize size;
        const char *text = g_bytes_get_data(console, &size);
        *ret_proof = nest_proof_read(text != NULL ? text : "", size, seed);
        return TRUE;
    }
    NestErrorCode code = nest_error_code(why);
    if (code == NEST_ERROR_HOST_UNFIT || code == NEST_ERROR_HYPERVISOR ||
        code == NEST_ERROR_UNSUPPORTED) {
        *ret_proof = not_proved(why);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean check_accel(const NestBackendCaps *caps, NestAccel accel, GError **error)
{
    if (accel == NEST_ACCEL_KVM ? caps->kvm : caps->tcg)
        return TRUE;
    nest_set_error(error, NEST_ERROR_UNSUPPORTED,
        accel == NEST_ACCEL_KVM ? "nestctl status says why; nestctl prove --accel tcg tries without"
                                : NULL,
        "this host offers no virtual machines of the kind %s", nest_nick(nest_accel_nicks, accel));
    return FALSE;
}

static void date(Run *run, NestProof *proof, const NestHostSnapshot *host)
{
    proof->accel = run->accel;
    proof->time = g_get_real_time() / 1000;
    proof->duration_ms = (guint64)(g_get_monotonic_time() - run->begun) / 1000;
    proof->kernel = g_strdup(host->facts->kernel);
    proof->nested_parameter = g_strdup(host->facts->nested.value);
    proof->qemu_version = g_strdup(host->caps->qemu_version);
    proof->libvirt_version = g_strdup(host->caps->libvirt_version);
}

static const NestProofExit *first_exit(const NestProof *proof)
{
    return proof->proved && proof->exits->len > 0 ? g_ptr_array_index(proof->exits, 0) : NULL;
}

/* The event keeps the number, so that a kernel that makes inner VMs slower is seen. */
static gboolean record(NestStore *store, const NestProof *proof, GError **error)
{
    g_autofree char *key = setting_of(proof->accel);
    g_autofree char *text = nest_codec_to_text(&nest_proof_record, proof);
    const char *accel = nest_nick(nest_accel_nicks, proof->accel);
    const NestProofExit *exit = first_exit(proof);
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup(proof->proved ? "host-proved" : "host-not-proved");
    event->message = exit != NULL
        ? g_strdup_printf("an inner VM ran on %s; an exit for %s took %" G_GUINT64_FORMAT " cycles",
              accel, exit->kind, exit->median_cycles)
        : g_strdup_printf("no inner VM ran on %s: %s", accel, proof->message);
    g_ptr_array_add(events, event);
    return nest_store_set_setting(store, key, text, error) &&
        nest_store_add_events(store, events, error);
}

static gboolean prove(Run *run, NestProof **ret_proof, GError **error)
{
    NestCore *core = run->core;
    g_autoptr(NestBackendCaps) caps = NULL;
    g_autoptr(NestProof) proof = NULL;
    if (!core->backend->ops->caps(core->backend, &caps, error) ||
        !check_accel(caps, run->accel, error))
        return FALSE;
    g_autoptr(NestHostSnapshot) host = nest_host_snapshot_take(core->place, caps);
    NestExtension extension =
        run->accel == NEST_ACCEL_KVM ? caps->kvm_extension : caps->tcg_extension;
    if (!boot(run, extension, &proof, error))
        return FALSE;
    date(run, proof, host);
    if (!record(core->store, proof, error))
        return FALSE;
    *ret_proof = g_steal_pointer(&proof);
    return TRUE;
}

static void ended(gpointer data);

static void prove_work(gpointer data)
{
    Run *run = data;
    prove(run, &run->proof, &run->error);
    nest_core_post(ended, run);
}

/* ---- on the main thread ---- */

static void start(NestCore *core, NestAccel accel)
{
    NestProving *proving = &core->proving[accel];
    Run *run = g_new0(Run, 1);
    run->core = core;
    run->accel = accel;
    run->begun = g_get_monotonic_time();
    run->waiters = g_steal_pointer(&proving->waiters);
    proving->waiters = g_ptr_array_new_with_free_func(g_object_unref);
    proving->running = TRUE;
    nest_core_push(core, core->readers, prove_work, run);
}

static void ended(gpointer data)
{
    g_autofree Run *run = data;
    NestProving *proving = &run->core->proving[run->accel];
    g_autoptr(GError) error = run->error;
    g_autoptr(GPtrArray) waiters = run->waiters;
    proving->running = FALSE;
    for (guint i = 0; i < waiters->len; i++) {
        GTask *task = g_ptr_array_index(waiters, i);
        if (run->proof == NULL)
            g_task_return_error(task, g_error_copy(error));
        else
            g_task_return_pointer(task, nest_record_copy(&nest_proof_record, run->proof),
                (GDestroyNotify)nest_proof_free);
    }
    if (run->proof != NULL) {
        nest_proof_free(proving->last);
        proving->last = run->proof;
    } else if (waiters->len == 0) {
        g_warning("the proof of %s was not repeated: %s", nest_nick(nest_accel_nicks, run->accel),
            error->message);
    }
    if (proving->waiters->len > 0)
        start(run->core, run->accel);
}

typedef struct {
    NestCore *core;
    NestAccel accel;
    GTask *task;
} Asking;

static void asking_free(gpointer data)
{
    Asking *asking = data;
    g_object_unref(asking->task);
    g_free(asking);
}

/* KVM where there is an extension that it should pass on, also where it is switched off: that is to
 * be found out then. */
static NestAccel accel_of(const NestHostSnapshot *host)
{
    gboolean kvm = host->caps != NULL && host->caps->kvm &&
        (host->caps->kvm_extension != NEST_EXTENSION_NONE ||
            nest_host_extension(host->facts) != NEST_EXTENSION_NONE);
    return kvm ? NEST_ACCEL_KVM : NEST_ACCEL_TCG;
}

static void ask(gpointer data)
{
    Asking *asking = data;
    NestCore *core = asking->core;
    NestAccel accel = asking->accel == NEST_ACCEL_AUTO ? accel_of(core->host) : asking->accel;
    g_ptr_array_add(core->proving[accel].waiters, g_object_ref(asking->task));
    if (!core->proving[accel].running)
        start(core, accel);
    asking_free(asking);
}

void nest_core_prove_async(
    NestCore *core, NestAccel accel, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    if (!nest_core_check_open(core, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Asking *asking = g_new(Asking, 1);
    *asking = (Asking){core, accel, g_object_ref(task)};
    nest_core_when_open(core, ask, asking, asking_free, task);
}

NestProof *nest_core_prove_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_prove_again(NestCore *core, const NestHost *host)
{
    for (guint accel = NEST_ACCEL_KVM; accel <= NEST_ACCEL_TCG; accel++) {
        const NestProving *proving = &core->proving[accel];
        if (proving->last != NULL && !proving->running && is_outdated(proving->last, host))
            start(core, accel);
    }
}

/* A result that this version does not understand is none. */
void nest_core_prove_init(NestCore *core)
{
    core->ending = g_cancellable_new();
    for (guint accel = NEST_ACCEL_AUTO; accel <= NEST_ACCEL_TCG; accel++) {
        g_autofree char *key = setting_of(accel);
        g_autofree char *text = NULL;
        core->proving[accel].waiters = g_ptr_array_new_with_free_func(g_object_unref);
        if (nest_store_get_setting(core->store, key, &text, NULL) && text != NULL)
            core->proving[accel].last =
                nest_codec_from_text(&nest_proof_record, text, -1, NEST_CODEC_LENIENT, NULL);
    }
}

void nest_core_prove_clear(NestCore *core)
{
    for (guint accel = NEST_ACCEL_AUTO; accel <= NEST_ACCEL_TCG; accel++) {
        nest_proof_free(core->proving[accel].last);
        g_ptr_array_unref(core->proving[accel].waiters);
    }
    g_object_unref(core->ending);
}
