/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof-run.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-proof-cause.h"
#include "nest-proof-history.h"
#include "nest-proof.h"

#define TIMEOUT_MS 20000

char *nest_proof_run_setting(NestAccel accel, const char *uuid)
{
    return g_strconcat("proof-", uuid != NULL ? uuid : nest_nick(nest_accel_nicks, accel), NULL);
}

NestProof *nest_proof_run_last(NestStore *store, NestAccel accel, const char *uuid)
{
    g_autofree char *key = nest_proof_run_setting(accel, uuid);
    g_autofree char *text = NULL;
    if (!nest_store_get_setting(store, key, &text, NULL) || text == NULL)
        return NULL;
    return nest_codec_from_text(&nest_proof_record, text, -1, NEST_CODEC_LENIENT, NULL);
}

gboolean nest_proof_is_outdated(const NestProof *proof, const NestHost *host)
{
    gboolean kernel = g_strcmp0(proof->kernel, host->kernel) != 0 ||
        g_strcmp0(proof->kernel_build, host->kernel_build) != 0 ||
        g_strcmp0(proof->nested_parameter, host->nested_parameter) != 0 ||
        g_strcmp0(proof->slat_parameter, host->slat_parameter) != 0;
    return (proof->accel == NEST_ACCEL_KVM && kernel) ||
        (host->qemu_version != NULL && g_strcmp0(proof->qemu_version, host->qemu_version) != 0) ||
        (host->libvirt_version != NULL &&
            g_strcmp0(proof->libvirt_version, host->libvirt_version) != 0);
}

/* ---- on a reader ---- */

static NestProof *not_proved(const GError *error)
{
    NestProof *proof = nest_record_new(&nest_proof_record);
    proof->code = g_strdup("refused");
    proof->message = g_strdup(error->message);
    return proof;
}

/* What is not whole by then was powered off. */
static void note_timeout(NestProof *proof, gint64 begun)
{
    if (g_get_monotonic_time() - begun < (gint64)TIMEOUT_MS * G_TIME_SPAN_MILLISECOND ||
        g_strcmp0(proof->code, "incomplete") != 0)
        return;
    g_autofree char *message = g_steal_pointer(&proof->message);
    proof->message = g_strdup_printf("%s within %d s", message, TIMEOUT_MS / 1000);
}

/* A hypervisor that will not start such a VM has answered the question. */
static gboolean boot(NestProofRun *run, NestBoot *wanted, NestProof **ret_proof, GError **error)
{
    guint32 seed = MAX(g_random_int(), 1);
    g_autofree char *cmdline = nest_proof_command_line(seed);
    g_autoptr(GBytes) kernel = nest_proof_image(), console = NULL;
    g_autoptr(GError) why = NULL;
    NestBackend *backend = run->core->backend;
    gint64 begun = g_get_monotonic_time();
    wanted->kernel = kernel;
    wanted->cmdline = cmdline;
    wanted->timeout_ms = TIMEOUT_MS;
    wanted->end = nest_proof_end();
    if (backend->ops->boot(backend, wanted, run->core->ending, &console, &why)) {
        gsize size;
        const char *text = g_bytes_get_data(console, &size);
        *ret_proof = nest_proof_read(text != NULL ? text : "", size, seed);
        note_timeout(*ret_proof, begun);
        return TRUE;
    }
    NestErrorCode code = nest_error_code(why);
    if (code == NEST_ERROR_HOST_UNFIT || code == NEST_ERROR_HYPERVISOR ||
        (code == NEST_ERROR_UNSUPPORTED && wanted->like == NULL)) {
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

static gboolean prove_host(
    NestProofRun *run, const NestBackendCaps *caps, NestProof **ret_proof, GError **error)
{
    NestBoot wanted = {.accel = run->accel,
        .extension = run->accel == NEST_ACCEL_KVM ? caps->kvm_extension : caps->tcg_extension};
    return check_accel(caps, run->accel, error) && boot(run, &wanted, ret_proof, error);
}

/* What it will be booted with counts, whatever it runs with. */
static gboolean prove_vm(NestProofRun *run, NestProof **ret_proof, GError **error)
{
    NestCore *core = run->core;
    g_autoptr(NestVmReading) reading =
        nest_vm_reading_take(core->backend, run->host, core->marks, run->uuid, error);
    if (reading == NULL)
        return FALSE;
    NestBoot wanted = {.accel = reading->domain->accel, .like = reading->facts->xml};
    run->accel = wanted.accel;
    run->name = g_strdup(reading->facts->name);
    run->hidden = nest_vm_view_nesting(&reading->view) == NEST_NESTING_OFF;
    if (!boot(run, &wanted, ret_proof, error))
        return FALSE;
    (*ret_proof)->revision = nest_domain_fingerprint(wanted.like);
    return TRUE;
}

static void date(const NestProofRun *run, NestProof *proof, const NestBackendCaps *caps,
    const NestHostFacts *facts)
{
    proof->accel = run->accel;
    proof->time = g_get_real_time() / 1000;
    proof->duration_ms = (guint64)(g_get_monotonic_time() - run->begun) / 1000;
    proof->kernel = g_strdup(facts->kernel);
    proof->kernel_build = g_strdup(facts->kernel_build);
    proof->nested_parameter = g_strdup(facts->nested.value);
    proof->slat_parameter = g_strdup(facts->slat_parameter.value);
    proof->qemu_version = g_strdup(caps->qemu_version);
    proof->libvirt_version = g_strdup(caps->libvirt_version);
}

static const NestProofExit *first_exit(const NestProof *proof)
{
    return proof->proved && proof->exits->len > 0 ? g_ptr_array_index(proof->exits, 0) : NULL;
}

/* Keeps the number, so that a kernel that makes inner VMs slower is seen. */
static NestEvent *event_of(const NestProofRun *run, const NestProof *proof)
{
    const char *accel = nest_nick(nest_accel_nicks, proof->accel);
    const NestProofExit *exit = first_exit(proof);
    NestEvent *event = nest_record_new(&nest_event_record);
    g_autofree char *where = run->name != NULL
        ? g_strdup_printf("%s with the CPU of %s", accel, run->name)
        : g_strdup(accel);
    event->kind = g_strconcat(
        run->uuid != NULL ? "vm" : "host", proof->proved ? "-proved" : "-not-proved", NULL);
    event->uuid = g_strdup(run->uuid);
    event->name = g_strdup(run->name);
    event->message = exit != NULL
        ? g_strdup_printf("an inner VM ran on %s; an exit for %s took %" G_GUINT64_FORMAT " cycles",
              where, exit->kind, exit->median_cycles)
        : g_strdup_printf("no inner VM ran on %s: %s", where, proof->message);
    return event;
}

/* That it is slower is told once. */
static NestEvent *slower_event(const NestProofRun *run, const NestProof *proof)
{
    g_autoptr(NestProof) last = nest_proof_run_last(run->core->store, run->accel, run->uuid);
    if (proof->slower == NULL || (last != NULL && last->slower != NULL))
        return NULL;
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup("host-slower");
    event->message = g_strdup(proof->slower);
    return event;
}

/* The history with proof, as it is kept. */
static char *add_to_history(const NestProofRun *run, NestProof *proof)
{
    g_autoptr(GPtrArray) history = nest_proof_history_load(run->core->store, run->accel);
    proof->slower = nest_proof_history_compare(history, proof);
    nest_proof_history_add(history, proof);
    return nest_proof_history_to_text(history);
}

/* In one commit. */
static gboolean record(const NestProofRun *run, NestProof *proof, GError **error)
{
    gboolean host = run->uuid == NULL;
    g_autofree char *history = host ? add_to_history(run, proof) : NULL;
    g_autofree char *history_key = host ? nest_proof_history_setting(run->accel) : NULL;
    g_autofree char *key = nest_proof_run_setting(run->accel, run->uuid);
    g_autofree char *text = nest_codec_to_text(&nest_proof_record, proof);
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    g_ptr_array_add(events, event_of(run, proof));
    NestEvent *slower = slower_event(run, proof);
    if (slower != NULL)
        g_ptr_array_add(events, slower);
    const NestStoreSetting settings[] = {{key, text}, {history_key, history}, {NULL, NULL}};
    return nest_store_note(run->core->store, settings, events, error);
}

/* QEMU and libvirt are asked for afresh; what is known of the host may be older. */
static gboolean is_of(const NestBackendCaps *caps, const NestHostSnapshot *host)
{
    return host->caps != NULL && g_strcmp0(caps->qemu_version, host->caps->qemu_version) == 0 &&
        g_strcmp0(caps->libvirt_version, host->caps->libvirt_version) == 0;
}

static gboolean prove(NestProofRun *run, NestProof **ret_proof, GError **error)
{
    NestCore *core = run->core;
    g_autoptr(NestBackendCaps) caps = NULL;
    g_autoptr(NestProof) proof = NULL;
    if (!core->backend->ops->caps(core->backend, &caps, error))
        return FALSE;
    /* What changes while the VM runs is not what it was proved with. */
    g_autoptr(NestHostFacts) facts = nest_host_probe_nesting(nest_host_place_root(core->place));
    if (!(run->uuid != NULL ? prove_vm(run, &proof, error) : prove_host(run, caps, &proof, error)))
        return FALSE;
    date(run, proof, caps, facts);
    nest_proof_find_cause(proof, facts, run->name, run->hidden);
    if (!record(run, proof, error))
        return FALSE;
    if (!is_of(caps, run->host))
        run->news = nest_host_snapshot_take_with(core->place, caps, run->host->net->definitions);
    *ret_proof = g_steal_pointer(&proof);
    return TRUE;
}

static void ended(gpointer data);

static void prove_work(gpointer data)
{
    NestProofRun *run = data;
    prove(run, &run->proof, &run->error);
    nest_core_post(ended, run);
}

/* ---- on the main thread ---- */

static void tell(GTask *task, const NestProofRun *run)
{
    if (run->proof == NULL)
        g_task_return_error(task, g_error_copy(run->error));
    else
        g_task_return_pointer(task, nest_record_copy(&nest_proof_record, run->proof),
            (GDestroyNotify)nest_proof_free);
}

/* Or else what was just proved would be called outdated until the next refresh. */
static void bring_news(NestProofRun *run)
{
    NestCore *core = run->core;
    if (run->news == NULL || core->state != NEST_CORE_OPEN || core->stopping ||
        is_of(run->news->caps, core->host))
        return;
    nest_core_set_host(core, g_steal_pointer(&run->news));
    nest_core_reconcile(core);
}

static void ended(gpointer data)
{
    NestProofRun *run = data;
    g_autoptr(GPtrArray) waiters = run->waiters;
    bring_news(run);
    run->ended(run);
    for (guint i = 0; i < waiters->len; i++)
        tell(g_ptr_array_index(waiters, i), run);
    nest_host_snapshot_unref(run->host);
    nest_host_snapshot_unref(run->news);
    nest_proof_free(run->proof);
    g_clear_error(&run->error);
    g_free(run->uuid);
    g_free(run->name);
    g_free(run);
}

void nest_proof_run_start(NestCore *core, NestAccel accel, const char *uuid, GPtrArray *waiters,
    NestProofEnded ended_function)
{
    NestProofRun *run = g_new0(NestProofRun, 1);
    run->core = core;
    run->accel = accel;
    run->uuid = g_strdup(uuid);
    run->host = nest_host_snapshot_ref(core->host);
    run->begun = g_get_monotonic_time();
    run->waiters = waiters;
    run->ended = ended_function;
    nest_core_push(core, core->readers, prove_work, run);
}
