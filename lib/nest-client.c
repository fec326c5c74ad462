/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client.h"
#include "nest-client-request.h"
#include <gio/gunixsocketaddress.h>

#define DEFAULT_SOCKET "/run/nestd/nestd.sock"

NestClient *nest_client_new(const char *socket)
{
    NestClient *client = g_new0(NestClient, 1);
    if (socket == NULL)
        socket = g_getenv("NESTD_SOCKET");
    client->socket = g_strdup(socket != NULL && *socket != '\0' ? socket : DEFAULT_SOCKET);
    client->text = g_string_new(NULL);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(client->socket);
    /* No proxy resolver: looking for one loads desktop modules, and there is nothing to resolve. */
    client->session = soup_session_new_with_options("remote-connectable", address, "proxy-resolver",
        NULL, "timeout", NEST_CLIENT_SILENCE, "user-agent", "libnest/" NEST_VERSION, NULL);
    soup_session_remove_feature_by_type(client->session, SOUP_TYPE_CONTENT_DECODER);
    return client;
}

void nest_client_free(NestClient *client)
{
    if (client == NULL)
        return;
    g_object_unref(client->session);
    g_string_free(client->text, TRUE);
    g_free(client->socket);
    g_free(client);
}

const char *nest_client_last_text(const NestClient *client)
{
    return client->text->str;
}

static gpointer get_record(NestClient *client, const char *path, const NestRecord *record,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(SoupMessage) message = nest_client_message("GET", path, NULL, NULL);
    g_autoptr(json_t) json = NULL;
    if (!nest_client_request(client, message, &json, cancellable, error))
        return NULL;
    return nest_client_decode(record, json, error);
}

static GPtrArray *get_array(NestClient *client, const char *path, const NestRecord *record,
    const char *member, GCancellable *cancellable, GError **error)
{
    g_autoptr(SoupMessage) message = nest_client_message("GET", path, NULL, NULL);
    return nest_client_request_array(client, message, record, member, cancellable, error);
}

NestAbout *nest_client_about(NestClient *client, GCancellable *cancellable, GError **error)
{
    return get_record(client, "/v1", &nest_about_record, cancellable, error);
}

NestStatus *nest_client_status(
    NestClient *client, gboolean all, GCancellable *cancellable, GError **error)
{
    return get_record(
        client, all ? "/v1/status?all=1" : "/v1/status", &nest_status_record, cancellable, error);
}

NestHost *nest_client_host(NestClient *client, GCancellable *cancellable, GError **error)
{
    return get_record(client, "/v1/host", &nest_host_record, cancellable, error);
}

/* Sends message, which has something run, and decodes the answer. */
static gpointer try(NestClient *client, SoupMessage *message, const NestRecord *record,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    soup_session_set_timeout(client->session, NEST_CLIENT_TRIAL);
    gboolean good = nest_client_request(client, message, &json, cancellable, error);
    soup_session_set_timeout(client->session, NEST_CLIENT_SILENCE);
    return good ? nest_client_decode(record, json, error) : NULL;
}

NestProof *nest_client_prove(
    NestClient *client, const NestProofWish *wish, GCancellable *cancellable, GError **error)
{
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", "/v1/host/proof", &nest_proof_wish_record, wish);
    return try(client, message, &nest_proof_record, cancellable, error);
}

NestGuest *nest_client_guest(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/guest", error);
    return path != NULL ? get_record(client, path, &nest_guest_record, cancellable, error) : NULL;
}

/* POST without a body to what is rest of a VM, which has something run. */
static gpointer post(NestClient *client, const char *vm, const char *rest, const NestRecord *record,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, rest, error);
    if (path == NULL)
        return NULL;
    g_autoptr(SoupMessage) message = nest_client_message("POST", path, NULL, NULL);
    return try(client, message, record, cancellable, error);
}

NestProof *nest_client_prove_vm(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    return post(client, vm, "/proof", &nest_proof_record, cancellable, error);
}

NestVerification *nest_client_verify(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    return post(client, vm, "/verification", &nest_verification_record, cancellable, error);
}

GPtrArray *nest_client_verifications(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/verification", error);
    if (path == NULL)
        return NULL;
    return get_array(client, path, &nest_verification_record, "verifications", cancellable, error);
}

GPtrArray *nest_client_proofs(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/proof", error);
    if (path == NULL)
        return NULL;
    return get_array(client, path, &nest_proof_record, "proofs", cancellable, error);
}

GPtrArray *nest_client_proof_history(NestClient *client, GCancellable *cancellable, GError **error)
{
    return get_array(
        client, "/v1/host/proof?history=1", &nest_proof_record, "proofs", cancellable, error);
}

GPtrArray *nest_client_checks(NestClient *client, GCancellable *cancellable, GError **error)
{
    return get_array(client, "/v1/checks", &nest_check_info_record, "checks", cancellable, error);
}

NestCheckReport *nest_client_check(NestClient *client, const char *vm, gboolean all, gboolean guest,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *rest =
        g_strdup_printf("/checks?all=%d%s", all, vm != NULL && guest ? "&guest=1" : "");
    g_autofree char *path =
        vm != NULL ? nest_client_vm_path(vm, rest, error) : g_strconcat("/v1/host", rest, NULL);
    if (path == NULL)
        return NULL;
    return get_record(client, path, &nest_check_report_record, cancellable, error);
}

GPtrArray *nest_client_vms(NestClient *client, GCancellable *cancellable, GError **error)
{
    return get_array(client, "/v1/vms", &nest_vm_summary_record, "vms", cancellable, error);
}

NestVm *nest_client_vm(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "", error);
    if (path == NULL)
        return NULL;
    return get_record(client, path, &nest_vm_record, cancellable, error);
}

/* Of a VM, or of the host for NULL. */
static char *path_of(const char *vm, const char *rest, GError **error)
{
    return vm != NULL ? nest_client_vm_path(vm, rest, error) : g_strconcat("/v1/host", rest, NULL);
}

GPtrArray *nest_client_history(
    NestClient *client, const char *vm, guint limit, GCancellable *cancellable, GError **error)
{
    g_autofree char *rest = g_strdup_printf("/history?limit=%u", limit);
    g_autofree char *path = path_of(vm, rest, error);
    if (path == NULL)
        return NULL;
    return get_array(client, path, &nest_revision_record, "revisions", cancellable, error);
}

GPtrArray *nest_client_checkpoints(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/checkpoints", error);
    if (path == NULL)
        return NULL;
    return get_array(client, path, &nest_checkpoint_record, "checkpoints", cancellable, error);
}

static NestPlan *post_plan(NestClient *client, const char *path, const NestRecord *record,
    gconstpointer wish, GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    g_autoptr(SoupMessage) message = nest_client_message("POST", path, record, wish);
    if (!nest_client_request(client, message, &json, cancellable, error))
        return NULL;
    return nest_client_decode(&nest_plan_record, json, error);
}

NestPlan *nest_client_plan(NestClient *client, const char *vm, const NestNestedWish *wish,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/nested/plan", error);
    if (path == NULL)
        return NULL;
    return post_plan(client, path, &nest_nested_wish_record, wish, cancellable, error);
}

NestPlan *nest_client_plan_install(NestClient *client, const char *vm, const NestInstallWish *wish,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/guest/hypervisor/plan", error);
    if (path == NULL)
        return NULL;
    return post_plan(client, path, &nest_install_wish_record, wish, cancellable, error);
}

NestPlan *nest_client_plan_undo(NestClient *client, const char *vm, const NestUndoWish *wish,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *path = path_of(vm, "/undo/plan", error);
    if (path == NULL)
        return NULL;
    return post_plan(client, path, &nest_undo_wish_record, wish, cancellable, error);
}

NestPlan *nest_client_plan_host(
    NestClient *client, const NestHostWish *wish, GCancellable *cancellable, GError **error)
{
    return post_plan(client, "/v1/host/fix/plan", &nest_host_wish_record, wish, cancellable, error);
}

NestXmlPlan *nest_client_plan_xml(
    NestClient *client, const NestXmlWish *wish, GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", "/v1/plan", &nest_xml_wish_record, wish);
    if (!nest_client_request(client, message, &json, cancellable, error))
        return NULL;
    return nest_client_decode(&nest_xml_plan_record, json, error);
}

NestAction *nest_client_guard(
    NestClient *client, const NestGuardWish *wish, GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", "/v1/guard", &nest_guard_wish_record, wish);
    if (!nest_client_request(client, message, &json, cancellable, error))
        return NULL;
    return nest_client_decode(&nest_action_record, json, error);
}

/* The operation of a 202; any other success means that nothing was to do. */
static gboolean take_operation(
    SoupMessage *message, json_t *json, NestOperation **ret_operation, GError **error)
{
    NestOperation *operation = NULL;
    if (soup_message_get_status(message) == SOUP_STATUS_ACCEPTED) {
        operation = nest_client_decode(&nest_operation_record, json, error);
        if (operation == NULL)
            return FALSE;
    }
    *ret_operation = operation;
    return TRUE;
}

static gboolean change(NestClient *client, SoupMessage *message, NestOperation **ret_operation,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    if (!nest_client_request(client, message, &json, cancellable, error))
        return FALSE;
    return take_operation(message, json, ret_operation, error);
}

gboolean nest_client_change(NestClient *client, SoupMessage *message, NestOperation **ret_operation,
    GCancellable *cancellable, GError **error)
{
    return change(client, message, ret_operation, cancellable, error);
}

/* A refusal: the error, and the plan that came with it. */
static void refused(json_t *json, guint status, NestPlan **ret_plan, GError **error)
{
    json_t *plan = json_object_get(json, "plan");
    nest_client_problem(json, status, error);
    if (json_is_object(plan))
        *ret_plan = nest_codec_decode(&nest_plan_record, plan, NEST_CODEC_LENIENT, NULL);
}

/* A change that is planned first. */
static gboolean change_by_plan(NestClient *client, SoupMessage *message,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    if (!nest_client_exchange(client, message, &json, cancellable, error))
        return FALSE;
    guint status = soup_message_get_status(message);
    if (!SOUP_STATUS_IS_SUCCESSFUL(status)) {
        refused(json, status, ret_plan, error);
        return FALSE;
    }
    if (!take_operation(message, json, ret_operation, error))
        return FALSE;
    if (*ret_operation == NULL)
        *ret_plan = nest_codec_decode(&nest_plan_record, json, NEST_CODEC_LENIENT, NULL);
    return TRUE;
}

gboolean nest_client_set_nested(NestClient *client, const char *vm, const NestNestedWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/nested", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", path, &nest_nested_wish_record, wish);
    return change_by_plan(client, message, ret_operation, ret_plan, cancellable, error);
}

gboolean nest_client_undo(NestClient *client, const char *vm, const NestUndoWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = path_of(vm, "/undo", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message = nest_client_message("PUT", path, &nest_undo_wish_record, wish);
    return change_by_plan(client, message, ret_operation, ret_plan, cancellable, error);
}

gboolean nest_client_install(NestClient *client, const char *vm, const NestInstallWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/guest/hypervisor", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", path, &nest_install_wish_record, wish);
    return change_by_plan(client, message, ret_operation, ret_plan, cancellable, error);
}

gboolean nest_client_fix_host(NestClient *client, const NestHostWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error)
{
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", "/v1/host/fix", &nest_host_wish_record, wish);
    return change_by_plan(client, message, ret_operation, ret_plan, cancellable, error);
}

gboolean nest_client_set_state(NestClient *client, const char *vm, const NestStateWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/state", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", path, &nest_state_wish_record, wish);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_restart(NestClient *client, const char *vm, const NestRestartWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/restart", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", path, &nest_restart_wish_record, wish);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_set_memory(NestClient *client, const char *vm, const NestMemoryWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/memory", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", path, &nest_memory_wish_record, wish);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_set_trust(NestClient *client, const char *vm, const NestTrustWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/trust", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", path, &nest_trust_wish_record, wish);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_checkpoint(NestClient *client, const char *vm, const NestCheckpointWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/checkpoints", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", path, &nest_checkpoint_wish_record, wish);
    return change(client, message, ret_operation, cancellable, error);
}

static char *checkpoint_path(const char *vm, const char *checkpoint, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(checkpoint, NULL, FALSE);
    g_autofree char *rest = g_strconcat("/checkpoints/", escaped, NULL);
    return nest_client_vm_path(vm, rest, error);
}

gboolean nest_client_apply_checkpoint(NestClient *client, const char *vm, const char *checkpoint,
    const NestApplyWish *wish, NestOperation **ret_operation, GCancellable *cancellable,
    GError **error)
{
    g_autofree char *path = checkpoint_path(vm, checkpoint, error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", path, &nest_apply_wish_record, wish);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_delete_checkpoint(NestClient *client, const char *vm, const char *checkpoint,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = checkpoint_path(vm, checkpoint, error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message = nest_client_message("DELETE", path, NULL, NULL);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_migrate(NestClient *client, const char *vm, const NestMigrationWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/migration", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", path, &nest_migration_wish_record, wish);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_create(NestClient *client, const NestVmSpec *spec,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", "/v1/vms", &nest_vm_spec_record, spec);
    return change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_delete(NestClient *client, const char *vm, gboolean keep_disks,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, keep_disks ? "?keep_disks=1" : "", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message = nest_client_message("DELETE", path, NULL, NULL);
    return change(client, message, ret_operation, cancellable, error);
}

GPtrArray *nest_client_operations(
    NestClient *client, guint limit, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = g_strdup_printf("/v1/operations?limit=%u", limit);
    return get_array(client, path, &nest_operation_record, "operations", cancellable, error);
}

NestOperation *nest_client_operation(
    NestClient *client, gint64 id, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = g_strdup_printf("/v1/operations/%" G_GINT64_FORMAT, id);
    return get_record(client, path, &nest_operation_record, cancellable, error);
}

gboolean nest_client_abort(NestClient *client, gint64 id, GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    g_autofree char *path = g_strdup_printf("/v1/operations/%" G_GINT64_FORMAT, id);
    g_autoptr(SoupMessage) message = nest_client_message("DELETE", path, NULL, NULL);
    return nest_client_request(client, message, &json, cancellable, error);
}
