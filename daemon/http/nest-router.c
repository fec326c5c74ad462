/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-router.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-handlers.h"
#include "nest-reply.h"
#include <string.h>

#define REF_MAX 255 /* bytes of a VM's name; libvirt knows longer ones, no file system does */

// clang-format off
const NestRoute nest_routes[] = {
    {"GET", "/v1", NEST_RIGHT_VIEW, nest_http_about_get, NULL, {{NULL}}},
    {"GET", "/v1/host", NEST_RIGHT_VIEW, nest_http_host_get, NULL, {{NULL}}},
    {"GET", "/v1/host/proof", NEST_RIGHT_VIEW, nest_http_host_proofs, NULL,
        {{"history", 0, 1, 0}}},
    {"POST", "/v1/host/proof", NEST_RIGHT_OPERATE, nest_http_host_prove, &nest_proof_wish_record,
        {{NULL}}},
    {"GET", "/v1/host/checks", NEST_RIGHT_VIEW, nest_http_checks_host, NULL, {{"all", 0, 1, 0}}},
    {"POST", "/v1/host/fix/plan", NEST_RIGHT_VIEW, nest_http_repair_plan, &nest_host_wish_record,
        {{NULL}}},
    {"PUT", "/v1/host/fix", NEST_RIGHT_ADMIN, nest_http_repair_set, &nest_host_wish_record,
        {{NULL}}},
    {"POST", "/v1/host/undo/plan", NEST_RIGHT_VIEW, nest_http_repair_plan_undo,
        &nest_undo_wish_record, {{NULL}}},
    {"PUT", "/v1/host/undo", NEST_RIGHT_ADMIN, nest_http_repair_undo, &nest_undo_wish_record,
        {{NULL}}},
    {"GET", "/v1/host/history", NEST_RIGHT_VIEW, nest_http_undo_history, NULL,
        {{"limit", 1, 1000, 50}, {"before", 0, G_MAXINT64, 0}}},
    {"GET", "/v1/checks", NEST_RIGHT_VIEW, nest_http_checks_list, NULL, {{NULL}}},
    {"GET", "/v1/status", NEST_RIGHT_VIEW, nest_http_status_get, NULL,
        {{"all", 0, 1, 0}}},
    {"GET", "/v1/vms", NEST_RIGHT_VIEW, nest_http_vms_list, NULL,
        {{"full", 0, 1, 0}}},
    {"POST", "/v1/vms", NEST_RIGHT_MANAGE, nest_http_vms_create, &nest_vm_spec_record, {{NULL}}},
    {"GET", "/v1/vms/{vm}", NEST_RIGHT_VIEW, nest_http_vms_get, NULL, {{NULL}}},
    {"DELETE", "/v1/vms/{vm}", NEST_RIGHT_MANAGE, nest_http_vms_delete, NULL,
        {{"keep_disks", 0, 1, 0}}},
    {"GET", "/v1/vms/{vm}/checks", NEST_RIGHT_VIEW, nest_http_checks_vm, NULL,
        {{"all", 0, 1, 0}, {"guest", 0, 1, 0}}},
    {"GET", "/v1/vms/{vm}/proof", NEST_RIGHT_VIEW, nest_http_proof_get, NULL, {{NULL}}},
    {"POST", "/v1/vms/{vm}/proof", NEST_RIGHT_OPERATE, nest_http_proof_run, NULL, {{NULL}}},
    {"GET", "/v1/vms/{vm}/verification", NEST_RIGHT_VIEW, nest_http_verification_get, NULL,
        {{NULL}}},
    {"POST", "/v1/vms/{vm}/verification", NEST_RIGHT_OPERATE, nest_http_verification_run, NULL,
        {{NULL}}},
    {"PUT", "/v1/vms/{vm}/state", NEST_RIGHT_OPERATE, nest_http_vms_set_state,
        &nest_state_wish_record, {{NULL}}},
    {"POST", "/v1/vms/{vm}/restart", NEST_RIGHT_OPERATE, nest_http_vms_restart,
        &nest_restart_wish_record, {{NULL}}},
    {"PUT", "/v1/vms/{vm}/memory", NEST_RIGHT_MANAGE, nest_http_vms_set_memory,
        &nest_memory_wish_record, {{NULL}}},
    {"POST", "/v1/vms/{vm}/migration", NEST_RIGHT_MANAGE, nest_http_vms_migrate,
        &nest_migration_wish_record, {{NULL}}},
    {"PUT", "/v1/vms/{vm}/trust", NEST_RIGHT_MANAGE, nest_http_vms_set_trust,
        &nest_trust_wish_record, {{NULL}}},
    {"GET", "/v1/vms/{vm}/checkpoints", NEST_RIGHT_VIEW, nest_http_checkpoints_list, NULL,
        {{NULL}}},
    {"POST", "/v1/vms/{vm}/checkpoints", NEST_RIGHT_MANAGE, nest_http_checkpoints_create,
        &nest_checkpoint_wish_record, {{NULL}}},
    {"PUT", "/v1/vms/{vm}/checkpoints/{checkpoint}", NEST_RIGHT_MANAGE,
        nest_http_checkpoints_apply, &nest_apply_wish_record, {{NULL}}},
    {"DELETE", "/v1/vms/{vm}/checkpoints/{checkpoint}", NEST_RIGHT_MANAGE,
        nest_http_checkpoints_delete, NULL, {{NULL}}},
    {"POST", "/v1/vms/{vm}/exec", NEST_RIGHT_MANAGE, nest_http_guest_exec, &nest_exec_wish_record,
        {{NULL}}},
    {"GET", "/v1/vms/{vm}/file", NEST_RIGHT_MANAGE, nest_http_file_get, NULL,
        {{"path", 1, 4000, 0, TRUE}, {"raw", 0, 1, 0}}},
    {"PUT", "/v1/vms/{vm}/file", NEST_RIGHT_MANAGE, nest_http_file_put, NULL,
        {{"path", 1, 4000, 0, TRUE}, {"mode", 0, 4, 0, TRUE}}, FALSE, TRUE},
    {"GET", "/v1/vms/{vm}/guest", NEST_RIGHT_VIEW, nest_http_guest_get, NULL, {{NULL}}},
    {"PUT", "/v1/vms/{vm}/guest/hypervisor", NEST_RIGHT_MANAGE, nest_http_install_set,
        &nest_install_wish_record, {{NULL}}},
    {"POST", "/v1/vms/{vm}/guest/hypervisor/plan", NEST_RIGHT_MANAGE, nest_http_install_plan,
        &nest_install_wish_record, {{NULL}}},
    {"GET", "/v1/vms/{vm}/guests", NEST_RIGHT_MANAGE, nest_http_inner_list, NULL, {{NULL}}},
    {"POST", "/v1/vms/{vm}/guests", NEST_RIGHT_MANAGE, nest_http_inner_create,
        &nest_inner_spec_record, {{NULL}}},
    {"DELETE", "/v1/vms/{vm}/guests/{guest}", NEST_RIGHT_MANAGE, nest_http_inner_delete, NULL,
        {{"by", 0, 64, 0, TRUE}}},
    {"GET", "/v1/vms/{vm}/guests/{guest}/state", NEST_RIGHT_MANAGE, nest_http_inner_get_state,
        NULL, {{"by", 0, 64, 0, TRUE}}},
    {"PUT", "/v1/vms/{vm}/guests/{guest}/state", NEST_RIGHT_MANAGE, nest_http_inner_set_state,
        &nest_inner_wish_record, {{NULL}}},
    {"GET", "/v1/vms/{vm}/guests/{guest}/console", NEST_RIGHT_MANAGE, nest_http_inner_console,
        NULL, {{"by", 0, 64, 0, TRUE}}},
    {"GET", "/v1/vms/{vm}/tree", NEST_RIGHT_VIEW, nest_http_tree_get, NULL, {{NULL}}},
    {"GET", "/v1/tree", NEST_RIGHT_VIEW, nest_http_tree_get, NULL, {{NULL}}},
    {"GET", "/v1/vms/{vm}/nested", NEST_RIGHT_VIEW, nest_http_nested_get, NULL, {{NULL}}},
    {"PUT", "/v1/vms/{vm}/nested", NEST_RIGHT_MANAGE, nest_http_nested_set,
        &nest_nested_wish_record, {{NULL}}},
    {"POST", "/v1/vms/{vm}/nested/plan", NEST_RIGHT_VIEW, nest_http_nested_plan,
        &nest_nested_wish_record, {{NULL}}},
    {"GET", "/v1/vms/{vm}/history", NEST_RIGHT_VIEW, nest_http_undo_history, NULL,
        {{"limit", 1, 1000, 50}, {"before", 0, G_MAXINT64, 0}}},
    {"PUT", "/v1/vms/{vm}/undo", NEST_RIGHT_MANAGE, nest_http_undo_set, &nest_undo_wish_record,
        {{NULL}}},
    {"POST", "/v1/vms/{vm}/undo/plan", NEST_RIGHT_VIEW, nest_http_undo_plan,
        &nest_undo_wish_record, {{NULL}}},
    {"POST", "/v1/plan", NEST_RIGHT_VIEW, nest_http_plan_xml, &nest_xml_wish_record, {{NULL}},
        TRUE},
    {"POST", "/v1/guard", NEST_RIGHT_VIEW, nest_http_guard_judge, &nest_guard_wish_record, {{NULL}},
        TRUE},
    {"GET", "/v1/operations", NEST_RIGHT_VIEW, nest_http_operations_list, NULL,
        {{"limit", 1, 1000, 50}, {"before", 0, G_MAXINT64, 0}}},
    {"GET", "/v1/operations/{id}", NEST_RIGHT_VIEW, nest_http_operations_get, NULL,
        {{"wait", 0, 60, 0}}},
    {"DELETE", "/v1/operations/{id}", NEST_RIGHT_OPERATE, nest_http_operations_abort, NULL,
        {{NULL}}},
    {"GET", "/v1/events", NEST_RIGHT_VIEW, nest_http_events_get, NULL,
        {{"after", -1, G_MAXINT64, -1}, {"follow", 0, 1, 1}}},
    {"GET", "/v1/openapi.json", NEST_RIGHT_VIEW, nest_http_openapi_get, NULL, {{NULL}}},
};
// clang-format on
const guint nest_n_routes = G_N_ELEMENTS(nest_routes);

/* The next part of a path; FALSE at its end. */
static gboolean next_part(const char **path, const char **ret_part, gsize *ret_length)
{
    if (**path != '/')
        return FALSE;
    *ret_part = *path + 1;
    *ret_length = strcspn(*ret_part, "/");
    *path = *ret_part + *ret_length;
    return TRUE;
}

/* Part by part, as sent: there is one way to write each path. */
static gboolean path_matches(const char *pattern, const char *path)
{
    const char *wanted, *given;
    gsize wanted_length, given_length;
    while (next_part(&pattern, &wanted, &wanted_length)) {
        if (!next_part(&path, &given, &given_length) || given_length == 0)
            return FALSE;
        if (*wanted == '{')
            continue;
        if (wanted_length != given_length || strncmp(wanted, given, wanted_length) != 0)
            return FALSE;
    }
    return *path == '\0';
}

static char *allowed_methods(const char *path)
{
    GString *methods = g_string_new(NULL);
    for (guint i = 0; i < nest_n_routes; i++) {
        if (!path_matches(nest_routes[i].pattern, path))
            continue;
        gboolean get = strcmp(nest_routes[i].method, "GET") == 0;
        g_string_append_printf(methods, "%s%s%s", methods->len > 0 ? ", " : "",
            nest_routes[i].method, get ? ", HEAD" : "");
    }
    return g_string_free(methods, FALSE);
}

const NestRoute *nest_router_find(
    const char *method, const char *path, char **ret_allow, GError **error)
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (guint i = 0; i < nest_n_routes; i++)
        if (strcmp(nest_routes[i].method, method) == 0 &&
            path_matches(nest_routes[i].pattern, path))
            return &nest_routes[i];
    g_autofree char *allow = allowed_methods(path);
    if (*allow == '\0') {
        nest_set_error(
            error, NEST_ERROR_NO_SUCH_PATH, "see GET /v1/openapi.json", "there is no such path");
        return NULL;
    }
    nest_set_error(
        error, NEST_ERROR_METHOD_NOT_ALLOWED, NULL, "this path can only be used with %s", allow);
    *ret_allow = g_steal_pointer(&allow);
    return NULL;
}

static const NestRoute *may_use(const NestHead *head, NestRight right)
{
    g_autofree char *allow = NULL;
    const NestRoute *route = nest_router_find(head->method, head->path, &allow, NULL);
    return route != NULL && right != NEST_RIGHT_NONE && right >= route->right ? route : NULL;
}

gboolean nest_router_takes_large(const NestHead *head, NestRight right)
{
    const NestRoute *route = may_use(head, right);
    return route != NULL && route->large;
}

gboolean nest_router_takes_raw(const NestHead *head, NestRight right)
{
    const NestRoute *route = may_use(head, right);
    return route != NULL && route->raw;
}

static gboolean no_such_vm(GError **error)
{
    nest_set_error(
        error, NEST_ERROR_VM_NOT_FOUND, "see GET /v1/vms", "no virtual machine has such a name");
    return FALSE;
}

static gboolean is_plain(const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '/' || g_unichar_iscntrl(c))
            return FALSE;
    }
    return *text != '\0' && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* A name in the path: of a VM, or of something of it. */
static gboolean read_name(char **ret_name, const char *part, gsize length, GError **error)
{
    g_autofree char *name = g_uri_unescape_segment(part, part + length, NULL);
    if (name == NULL || !g_utf8_validate(name, -1, NULL)) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "the name in the path is not percent-encoded UTF-8");
        return FALSE;
    }
    if (strlen(name) > REF_MAX || !is_plain(name))
        return no_such_vm(error);
    *ret_name = g_steal_pointer(&name);
    return TRUE;
}

static gboolean read_id(NestExchange *exchange, const char *part, gsize length, GError **error)
{
    g_autofree char *text = g_strndup(part, length);
    if (g_ascii_isdigit(*text) &&
        g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, &exchange->id, NULL))
        return TRUE;
    nest_set_error(error, NEST_ERROR_OPERATION_NOT_FOUND, "see GET /v1/operations",
        "operations are numbered from 1");
    return FALSE;
}

static gboolean read_path(NestExchange *exchange, GError **error)
{
    const char *pattern = exchange->route->pattern, *path = exchange->head.path;
    const char *wanted, *given;
    gsize wanted_length, given_length;
    while (
        next_part(&pattern, &wanted, &wanted_length) && next_part(&path, &given, &given_length)) {
        if (strncmp(wanted, "{vm}", 4) == 0 &&
            !read_name(&exchange->vm, given, given_length, error))
            return FALSE;
        if ((strncmp(wanted, "{checkpoint}", 12) == 0 || strncmp(wanted, "{guest}", 7) == 0) &&
            !read_name(&exchange->item, given, given_length, error))
            return FALSE;
        if (strncmp(wanted, "{id}", 4) == 0 && !read_id(exchange, given, given_length, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean bad_query(const char *name, GError **error)
{
    g_autofree char *shown = g_strndup(name, 32);
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see GET /v1/openapi.json",
        "the query parameter \"%s\" is unknown, given twice or out of range", shown);
    return FALSE;
}

static gboolean read_text(const NestParam *param, const char *value, char **ret_text)
{
    g_autofree char *text = g_uri_unescape_string(value, NULL);
    if (text == NULL || !g_utf8_validate(text, -1, NULL) || strlen(text) < (gsize)param->min ||
        strlen(text) > (gsize)param->max)
        return FALSE;
    *ret_text = g_steal_pointer(&text);
    return TRUE;
}

/* pair: "NAME=VALUE" */
static gboolean read_pair(NestExchange *exchange, char *pair, gboolean *seen, GError **error)
{
    const NestParam *params = exchange->route->params;
    char *value = strchr(pair, '=');
    guint i = 0;
    if (value == NULL)
        return bad_query(pair, error);
    *value++ = '\0';
    while (i < NEST_PARAMS_MAX && params[i].name != NULL && strcmp(params[i].name, pair) != 0)
        i++;
    if (i == NEST_PARAMS_MAX || params[i].name == NULL || seen[i])
        return bad_query(pair, error);
    seen[i] = TRUE;
    gboolean good = params[i].text ? read_text(&params[i], value, &exchange->texts[i])
                                   : g_ascii_string_to_signed(value, 10, params[i].min,
                                         params[i].max, &exchange->params[i], NULL);
    return good || bad_query(pair, error);
}

/* A text that must be given and is not. */
static gboolean check_texts(const NestExchange *exchange, GError **error)
{
    const NestParam *params = exchange->route->params;
    for (guint i = 0; i < NEST_PARAMS_MAX && params[i].name != NULL; i++) {
        if (!params[i].text || params[i].min == 0 || exchange->texts[i] != NULL)
            continue;
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see GET /v1/openapi.json",
            "the query parameter \"%s\" is missing", params[i].name);
        return FALSE;
    }
    return TRUE;
}

static gboolean read_query(NestExchange *exchange, GError **error)
{
    const NestParam *params = exchange->route->params;
    gboolean seen[NEST_PARAMS_MAX] = {FALSE};
    for (guint i = 0; i < NEST_PARAMS_MAX && params[i].name != NULL; i++)
        exchange->params[i] = params[i].initial;
    if (exchange->head.query != NULL) {
        g_auto(GStrv) pairs = g_strsplit(exchange->head.query, "&", NEST_PARAMS_MAX + 1);
        for (char **pair = pairs; *pair != NULL; pair++)
            if (!read_pair(exchange, *pair, seen, error))
                return FALSE;
    }
    return check_texts(exchange, error);
}

gboolean nest_router_read(NestExchange *exchange, GError **error)
{
    return read_path(exchange, error) && read_query(exchange, error);
}

static gboolean check_right(NestExchange *exchange, NestRight needed, GError **error)
{
    if (exchange->caller.right >= needed && exchange->caller.right != NEST_RIGHT_NONE)
        return TRUE;
    nest_set_error(error, NEST_ERROR_FORBIDDEN,
        "ask an administrator for it, or see [rights] in nestd.conf(5)",
        "the user with id %u may not do this: it needs the right \"%s\"",
        (guint)exchange->caller.uid, nest_right_name(needed));
    return FALSE;
}

static gboolean is_json(const char *type)
{
    static const char json[] = "application/json";
    gsize n = sizeof json - 1;
    return type != NULL && g_ascii_strncasecmp(type, json, n) == 0 &&
        (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static gboolean read_body(NestExchange *exchange, const char *body, gsize length, GError **error)
{
    const NestRecord *record = exchange->route->body;
    if (exchange->route->raw || (record == NULL && length == 0))
        return TRUE;
    if (record == NULL) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "this request takes no body");
        return FALSE;
    }
    if (length == 0) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see GET /v1/openapi.json",
            "the body is missing: %s as JSON", record->name);
        return FALSE;
    }
    if (!is_json(exchange->head.content_type)) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED_MEDIA, "send Content-Type: application/json",
            "the body must be JSON");
        return FALSE;
    }
    exchange->body = nest_codec_from_text(record, body, length, NEST_CODEC_STRICT, error);
    return exchange->body != NULL;
}

static gboolean prepare(NestExchange *exchange, const char *body, gsize length, GError **error)
{
    g_autofree char *allow = NULL;
    if (!check_right(exchange, NEST_RIGHT_VIEW, error))
        return FALSE;
    exchange->route = nest_router_find(exchange->head.method, exchange->head.path, &allow, error);
    if (allow != NULL)
        nest_exchange_header(exchange, "Allow", allow);
    return exchange->route != NULL && check_right(exchange, exchange->route->right, error) &&
        nest_router_read(exchange, error) && read_body(exchange, body, length, error);
}

void nest_router_run(NestExchange *exchange, const char *body, gsize length)
{
    g_autoptr(GError) error = NULL;
    if (prepare(exchange, body, length, &error))
        exchange->route->handler(exchange);
    else
        nest_reply_error(exchange, error);
}
