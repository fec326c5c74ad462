/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Errors as a person and a program meet them. One table (nest-error.c) holds, for every code, the
 * stable kind string of the API, the HTTP status, the exit status of nestctl and a title.
 *
 * An error's message says what happened and why, for a person, in one sentence without a final
 * full stop; nest_error_get_next() says what to do next, or is NULL. */
typedef enum {
    NEST_ERROR_INTERNAL,
    NEST_ERROR_INVALID_REQUEST,
    NEST_ERROR_USAGE,
    NEST_ERROR_NO_SUCH_PATH,
    NEST_ERROR_METHOD_NOT_ALLOWED,
    NEST_ERROR_UNSUPPORTED_MEDIA,
    NEST_ERROR_LENGTH_REQUIRED,
    NEST_ERROR_TOO_LARGE,
    NEST_ERROR_TOO_MANY,
    NEST_ERROR_FORBIDDEN,
    NEST_ERROR_VM_NOT_FOUND,
    NEST_ERROR_OPERATION_NOT_FOUND,
    NEST_ERROR_VM_EXISTS,
    NEST_ERROR_VM_BUSY,
    NEST_ERROR_VM_STATE,
    NEST_ERROR_VM_CHANGED,
    NEST_ERROR_PLAN_OUTDATED,
    NEST_ERROR_PRECONDITION_FAILED,
    NEST_ERROR_HOST_BUSY,
    NEST_ERROR_HOST_CHANGED,
    NEST_ERROR_HOST_UNFIT,
    NEST_ERROR_VM_UNFIT,
    NEST_ERROR_UNSUPPORTED,
    NEST_ERROR_BACKEND_OPENING,
    NEST_ERROR_BACKEND_UNAVAILABLE,
    NEST_ERROR_HYPERVISOR,
    NEST_ERROR_GUEST_AGENT,
    NEST_ERROR_NOT_VERIFIED,
    NEST_ERROR_TIMEOUT,
    NEST_ERROR_ABORTED,
    NEST_ERROR_INTERRUPTED,
    NEST_ERROR_STORE,
    NEST_ERROR_STORE_FULL,
    NEST_ERROR_ALREADY_RUNNING,
    NEST_ERROR_CONFIG,
    NEST_ERROR_UNREACHABLE,
    NEST_ERROR_DECLINED,
    NEST_ERROR_CHECK_FAILED,
    NEST_N_ERRORS
} NestErrorCode;

#define NEST_ERROR (nest_error_quark())
GQuark nest_error_quark(void);

/* Sets *error to code with a formatted message; next (nullable) is copied. */
void nest_set_error(GError **error, NestErrorCode code, const char *next, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Names the check or guard that error comes from, "guard.save"; copied. Nothing happens where error
 * is NULL or of a foreign domain. */
void nest_error_set_check(GError *error, const char *check);

/* That check, or NULL. Valid as long as error. Any domain is accepted. */
const char *nest_error_get_check(const GError *error);

/* What to do next, or NULL. Valid as long as error. Any domain is accepted. */
const char *nest_error_get_next(const GError *error);

/* The code of error; errors of foreign domains count as NEST_ERROR_INTERNAL. */
NestErrorCode nest_error_code(const GError *error);

/* The row of a code. Never NULL; code out of range gives that of NEST_ERROR_INTERNAL. */
const char *nest_error_kind(NestErrorCode code); /* "vm-not-found" */
const char *nest_error_title(NestErrorCode code); /* "No such virtual machine" */
guint nest_error_http_status(NestErrorCode code); /* 404 */
int nest_error_exit_status(NestErrorCode code); /* 4 */

/* The code of a kind string; NEST_ERROR_INTERNAL where it is unknown (a newer peer). */
NestErrorCode nest_error_from_kind(const char *kind);
