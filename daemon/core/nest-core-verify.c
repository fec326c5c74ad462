/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checks.h"
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-guest-verify.h"
#include "nest-host-snapshot.h"
#include "nest-proof-run.h"

/* Inner VMs that run inside VMs: verified one at a time in each VM. Who asks while that is under
 * way gets the next one. The last of each is in the store alone. */

typedef struct {
    NestCore *core;
    char *uuid;
    NestVm *vm; /* judged, as it was when this began */
    NestHost *host;
    gint64 begun; /* monotonic, µs */
    GPtrArray *waiters, *next; /* GTask */
    NestVerification *result; /* NULL: error */
    GError *error;
} Verify;

static void verify_clear(Verify *verify)
{
    g_clear_pointer(&verify->vm, nest_vm_free);
    g_clear_pointer(&verify->host, nest_host_free);
    g_clear_pointer(&verify->result, nest_verification_free);
    g_clear_error(&verify->error);
}

static void verify_free(gpointer data)
{
    Verify *verify = data;
    verify_clear(verify);
    g_ptr_array_unref(verify->waiters);
    g_ptr_array_unref(verify->next);
    g_free(verify->uuid);
    g_free(verify);
}

static char *setting(const char *uuid)
{
    return g_strconcat("verification-", uuid, NULL);
}

/* ---- on a visitor ---- */

static void add_checks(Verify *verify, const NestGuestFacts *facts)
{
    g_autofree char *today = nest_host_snapshot_today();
    g_autoptr(GPtrArray) checks =
        nest_checks_guest(verify->vm, facts, verify->core->config->policy, today);
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (nest_check_concerns(check))
            g_ptr_array_add(verify->result->checks, nest_record_copy(&nest_check_record, check));
    }
}

static void date(Verify *verify)
{
    NestVerification *result = verify->result;
    const NestHost *host = verify->host;
    result->accel = verify->vm->accel;
    result->time = g_get_real_time() / 1000;
    result->duration_ms = (guint64)(g_get_monotonic_time() - verify->begun) / 1000;
    result->kernel = g_strdup(host->kernel);
    result->kernel_build = g_strdup(host->kernel_build);
    result->qemu_version = g_strdup(host->qemu_version);
    result->libvirt_version = g_strdup(host->libvirt_version);
    result->nested_parameter = g_strdup(host->nested_parameter);
    result->slat_parameter = g_strdup(host->slat_parameter);
    result->revision = verify->vm->pending ? NULL : g_strdup(verify->vm->revision);
}

/* Keeps a number, so that what makes inner VMs slower is seen. */
static NestEvent *event_of(const Verify *verify)
{
    const NestVerification *result = verify->result;
    const char *name = verify->vm->name;
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup(result->verified ? "vm-verified" : "vm-not-verified");
    event->uuid = g_strdup(verify->uuid);
    event->name = g_strdup(name);
    if (!result->verified) {
        event->message = g_strdup_printf("no inner VM ran inside %s: %s", name, result->message);
    } else if (result->measures->len == 0) {
        event->message = g_strdup_printf("inside %s: %s", name, result->message);
    } else {
        const NestMeasure *measure = g_ptr_array_index(result->measures, 0);
        event->message = g_strdup_printf("an inner VM ran on KVM inside %s; %s took %.2f µs each",
            name, measure->name, (double)measure->inner_ns / (double)measure->count / 1000);
    }
    return event;
}

static gboolean record(const Verify *verify, GError **error)
{
    NestStore *store = verify->core->store;
    g_autofree char *key = setting(verify->uuid);
    g_autofree char *text = nest_codec_to_text(&nest_verification_record, verify->result);
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    g_ptr_array_add(events, event_of(verify));
    const NestStoreSetting settings[] = {{key, text}, {NULL, NULL}};
    return nest_store_note(store, settings, events, error);
}

static void ended(gpointer data);

static void work(gpointer data)
{
    Verify *verify = data;
    NestCore *core = verify->core;
    g_autoptr(NestGuestFacts) facts = NULL;
    verify->result =
        nest_guest_verify(core->backend, verify->uuid, core->ending, &facts, &verify->error);
    if (verify->result != NULL) {
        add_checks(verify, facts);
        date(verify);
        if (!record(verify, &verify->error))
            g_clear_pointer(&verify->result, nest_verification_free);
    }
    nest_core_post(ended, verify);
}

/* ---- on the main thread ---- */

static void tell(const Verify *verify)
{
    for (guint i = 0; i < verify->waiters->len; i++) {
        GTask *task = g_ptr_array_index(verify->waiters, i);
        if (verify->result == NULL)
            g_task_return_error(task, g_error_copy(verify->error));
        else
            g_task_return_pointer(task, nest_record_copy(&nest_verification_record, verify->result),
                (GDestroyNotify)nest_verification_free);
    }
}

static gboolean check_runs(const NestVm *vm, GError **error)
{
    gboolean paused = vm->state == NEST_VM_PAUSED;
    g_autofree char *next = g_strdup_printf("nestctl %s %s", paused ? "resume" : "start", vm->name);
    if (vm->state == NEST_VM_RUNNING)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_STATE, next, "%s %s: nothing can be verified inside",
        vm->name, paused ? "is paused" : "does not run");
    return FALSE;
}

static gboolean begin(Verify *verify, GError **error)
{
    NestVmEntry entry;
    if (!nest_core_check_open(verify->core, error) ||
        !nest_core_vm(verify->core, verify->uuid, &entry, error))
        return FALSE;
    verify->vm = nest_codec_from_text(&nest_vm_record, entry.text, -1, NEST_CODEC_LENIENT, error);
    if (verify->vm == NULL)
        return FALSE;
    if (!check_runs(verify->vm, error))
        return FALSE;
    verify->host = nest_core_show_host(verify->core);
    verify->begun = g_get_monotonic_time();
    nest_core_push(verify->core, verify->core->visitors, work, verify);
    return TRUE;
}

static void forget_work(gpointer data)
{
    Verify *verify = data;
    nest_core_forget_proofs(verify->core->store, (const char *const[]){verify->uuid, NULL});
    verify_free(verify);
}

/* Those who have asked meanwhile are next. */
static gboolean go_on(Verify *verify)
{
    if (verify->next->len == 0)
        return FALSE;
    verify_clear(verify);
    g_ptr_array_unref(verify->waiters);
    verify->waiters = verify->next;
    verify->next = g_ptr_array_new_with_free_func(g_object_unref);
    if (begin(verify, &verify->error))
        return TRUE;
    tell(verify);
    return FALSE;
}

static void ended(gpointer data)
{
    Verify *verify = data;
    NestCore *core = verify->core;
    gboolean gone = nest_inventory_find(core->inventory, verify->uuid) == NULL;
    tell(verify);
    if (go_on(verify))
        return;
    g_hash_table_remove(core->verifying, verify->uuid);
    if (gone)
        nest_core_push(core, core->scribe, forget_work, verify);
    else
        verify_free(verify);
}

typedef struct {
    NestCore *core;
    GTask *task;
    char *uuid;
} Asking;

static void asking_free(gpointer data)
{
    Asking *asking = data;
    g_object_unref(asking->task);
    g_free(asking->uuid);
    g_free(asking);
}

static gboolean begin_new(const Asking *asking, GError **error)
{
    NestCore *core = asking->core;
    if (g_hash_table_size(core->verifying) >= NEST_VISITORS / 2) {
        nest_set_error(error, NEST_ERROR_TOO_MANY, "try again",
            "%u virtual machines are being verified", NEST_VISITORS / 2);
        return FALSE;
    }
    Verify *verify = g_new0(Verify, 1);
    verify->core = core;
    verify->uuid = g_strdup(asking->uuid);
    verify->waiters = g_ptr_array_new_with_free_func(g_object_unref);
    verify->next = g_ptr_array_new_with_free_func(g_object_unref);
    if (!begin(verify, error)) {
        verify_free(verify);
        return FALSE;
    }
    g_ptr_array_add(verify->waiters, g_object_ref(asking->task));
    g_hash_table_insert(core->verifying, verify->uuid, verify);
    return TRUE;
}

static void ask(gpointer data)
{
    Asking *asking = data;
    Verify *under_way = g_hash_table_lookup(asking->core->verifying, asking->uuid);
    GError *error = NULL;
    if (under_way != NULL)
        g_ptr_array_add(under_way->next, g_object_ref(asking->task));
    else if (!begin_new(asking, &error))
        g_task_return_error(asking->task, error);
    asking_free(asking);
}

void nest_core_verify_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) || !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Asking *asking = g_new(Asking, 1);
    *asking = (Asking){core, g_object_ref(task), uuid};
    nest_core_when_open(core, ask, asking, asking_free, task);
}

NestVerification *nest_core_verify_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- what is kept ---- */

void nest_core_forget_verification(NestStore *store, const char *uuid)
{
    g_autofree char *key = setting(uuid);
    g_autoptr(GError) error = NULL;
    if (!nest_store_set_setting(store, key, NULL, &error))
        g_warning("what was verified in a virtual machine is not forgotten: %s", error->message);
}

static NestVerification *last(NestStore *store, const char *uuid)
{
    g_autofree char *key = setting(uuid);
    g_autofree char *text = NULL;
    if (!nest_store_get_setting(store, key, &text, NULL) || text == NULL)
        return NULL;
    return nest_codec_from_text(&nest_verification_record, text, -1, NEST_CODEC_LENIENT, NULL);
}

gboolean nest_core_verification(
    NestCore *core, const char *vm, NestVerification **ret_result, GError **error)
{
    NestVmEntry entry;
    if (!nest_core_vm(core, vm, &entry, error))
        return FALSE;
    NestVerification *result = last(core->store, entry.uuid);
    if (result != NULL && core->host != NULL) {
        g_autoptr(NestHost) host = nest_core_show_host(core);
        const NestProof proof = {.accel = result->accel,
            .kernel = result->kernel,
            .kernel_build = result->kernel_build,
            .nested_parameter = result->nested_parameter,
            .slat_parameter = result->slat_parameter,
            .qemu_version = result->qemu_version,
            .libvirt_version = result->libvirt_version};
        result->outdated = nest_proof_is_outdated(&proof, host) ||
            g_strcmp0(result->revision, entry.revision) != 0;
    }
    *ret_result = result;
    return TRUE;
}
