/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"

typedef struct {
    char *next;
    char *check;
} NestErrorPrivate;

static void nest_error_private_init(NestErrorPrivate *priv)
{
    priv->next = priv->check = NULL;
}

static void nest_error_private_copy(const NestErrorPrivate *from, NestErrorPrivate *to)
{
    to->next = g_strdup(from->next);
    to->check = g_strdup(from->check);
}

static void nest_error_private_clear(NestErrorPrivate *priv)
{
    g_free(priv->next);
    g_free(priv->check);
}

G_DEFINE_EXTENDED_ERROR(NestError, nest_error)

typedef struct {
    const char *kind;
    guint http;
    int exit;
    const char *title;
} ErrorRow;

/* Exit status 1 is kept for "a check failed", 2 for wrong usage, as with grep and diff. */
static const ErrorRow rows[] = {
    [NEST_ERROR_INTERNAL] = {"internal", 500, 3, "Internal error"},
    [NEST_ERROR_INVALID_REQUEST] = {"invalid-request", 400, 2, "Invalid request"},
    [NEST_ERROR_USAGE] = {"usage", 400, 2, "Wrong usage"},
    [NEST_ERROR_NO_SUCH_PATH] = {"no-such-path", 404, 2, "No such resource"},
    [NEST_ERROR_METHOD_NOT_ALLOWED] = {"method-not-allowed", 405, 2, "Method not allowed"},
    [NEST_ERROR_UNSUPPORTED_MEDIA] = {"unsupported-media-type", 415, 2, "Body is not JSON"},
    [NEST_ERROR_LENGTH_REQUIRED] = {"length-required", 411, 2, "Content-Length required"},
    [NEST_ERROR_TOO_LARGE] = {"too-large", 413, 2, "Request too large"},
    [NEST_ERROR_TOO_MANY] = {"too-many", 429, 13, "Too many at once"},
    [NEST_ERROR_FORBIDDEN] = {"forbidden", 403, 9, "Not allowed"},
    [NEST_ERROR_VM_NOT_FOUND] = {"vm-not-found", 404, 4, "No such virtual machine"},
    [NEST_ERROR_OPERATION_NOT_FOUND] = {"operation-not-found", 404, 4, "No such operation"},
    [NEST_ERROR_VM_EXISTS] = {"vm-exists", 409, 5, "Virtual machine exists already"},
    [NEST_ERROR_VM_BUSY] = {"vm-busy", 409, 6, "Virtual machine is busy"},
    [NEST_ERROR_VM_STATE] = {"vm-state", 409, 7, "Not possible in this state"},
    [NEST_ERROR_VM_CHANGED] = {"vm-changed", 409, 8, "Virtual machine was changed meanwhile"},
    [NEST_ERROR_PLAN_OUTDATED] = {"plan-outdated", 409, 8, "Plan is outdated"},
    [NEST_ERROR_PRECONDITION_FAILED] = {"precondition-failed", 412, 8, "Precondition failed"},
    [NEST_ERROR_HOST_BUSY] = {"host-busy", 409, 6, "Host is busy"},
    [NEST_ERROR_HOST_CHANGED] = {"host-changed", 409, 8, "Host was changed meanwhile"},
    [NEST_ERROR_HOST_UNFIT] = {"host-unfit", 409, 10, "Host does not support it"},
    [NEST_ERROR_VM_UNFIT] = {"vm-unfit", 409, 10, "Virtual machine does not support it"},
    [NEST_ERROR_UNSUPPORTED] = {"unsupported", 409, 10, "Not supported"},
    [NEST_ERROR_BACKEND_OPENING] = {"backend-opening", 503, 11, "Hypervisor is being opened"},
    [NEST_ERROR_BACKEND_UNAVAILABLE] = {"backend-unavailable", 503, 11,
        "Hypervisor is unavailable"},
    [NEST_ERROR_HYPERVISOR] = {"hypervisor", 502, 16, "Hypervisor reported an error"},
    [NEST_ERROR_GUEST_AGENT] = {"guest-agent", 502, 22, "Guest agent does not answer"},
    [NEST_ERROR_NOT_VERIFIED] = {"not-verified", 502, 17, "Change could not be verified"},
    [NEST_ERROR_TIMEOUT] = {"timeout", 504, 12, "Deadline passed"},
    [NEST_ERROR_ABORTED] = {"aborted", 409, 14, "Operation was aborted"},
    [NEST_ERROR_INTERRUPTED] = {"interrupted", 409, 14, "Operation was interrupted"},
    [NEST_ERROR_STORE] = {"store", 500, 15, "State could not be stored"},
    [NEST_ERROR_STORE_FULL] = {"store-full", 507, 15, "No space left for state"},
    [NEST_ERROR_ALREADY_RUNNING] = {"already-running", 409, 20, "nestd is running already"},
    [NEST_ERROR_CONFIG] = {"config", 500, 21, "Configuration is wrong"},
    [NEST_ERROR_UNREACHABLE] = {"unreachable", 503, 19, "nestd can't be reached"},
    [NEST_ERROR_DECLINED] = {"declined", 409, 18, "Declined"},
    [NEST_ERROR_CHECK_FAILED] = {"check-failed", 409, 1, "A check failed"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(rows) == NEST_N_ERRORS);

static const ErrorRow *row_of(NestErrorCode code)
{
    return &rows[(guint)code < NEST_N_ERRORS ? code : NEST_ERROR_INTERNAL];
}

void nest_set_error(GError **error, NestErrorCode code, const char *next, const char *format, ...)
{
    if (error == NULL)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, NEST_ERROR, code, message);
    NestErrorPrivate *priv = nest_error_get_private(*error);
    priv->next = g_strdup(next);
}

void nest_error_set_check(GError *error, const char *check)
{
    if (error == NULL || error->domain != NEST_ERROR)
        return;
    NestErrorPrivate *priv = nest_error_get_private(error);
    g_free(priv->check);
    priv->check = g_strdup(check);
}

const char *nest_error_get_check(const GError *error)
{
    if (error == NULL || error->domain != NEST_ERROR)
        return NULL;
    return nest_error_get_private(error)->check;
}

const char *nest_error_get_next(const GError *error)
{
    if (error == NULL || error->domain != NEST_ERROR)
        return NULL;
    return nest_error_get_private(error)->next;
}

NestErrorCode nest_error_code(const GError *error)
{
    return error->domain == NEST_ERROR ? (NestErrorCode)error->code : NEST_ERROR_INTERNAL;
}

const char *nest_error_kind(NestErrorCode code)
{
    return row_of(code)->kind;
}

const char *nest_error_title(NestErrorCode code)
{
    return row_of(code)->title;
}

guint nest_error_http_status(NestErrorCode code)
{
    return row_of(code)->http;
}

int nest_error_exit_status(NestErrorCode code)
{
    return row_of(code)->exit;
}

NestErrorCode nest_error_from_kind(const char *kind)
{
    for (guint i = 0; i < NEST_N_ERRORS; i++)
        if (g_strcmp0(rows[i].kind, kind) == 0)
            return i;
    return NEST_ERROR_INTERNAL;
}
