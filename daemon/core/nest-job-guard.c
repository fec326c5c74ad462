/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-job-guard.h"

#define REASON_MAX 200

static gboolean is_printable(const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (!g_unichar_isprint(g_utf8_get_char(p)))
            return FALSE;
    return TRUE;
}

gboolean nest_job_guard_check_force(const NestRequest *request, NestRight right, GError **error)
{
    if (!request->force && request->reason == NULL)
        return TRUE;
    glong length = request->reason != NULL ? g_utf8_strlen(request->reason, -1) : 0;
    if (!request->force || length == 0 || length > REASON_MAX || !is_printable(request->reason)) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "nestctl … --force --reason TEXT",
            "who forces what is refused gives a reason, of 1 to %u printable characters",
            REASON_MAX);
        return FALSE;
    }
    if (right >= NEST_RIGHT_ADMIN)
        return TRUE;
    nest_set_error(error, NEST_ERROR_FORBIDDEN,
        "ask an administrator for it, or see [rights] in nestd.conf(5)",
        "what is refused can be forced only with the right \"%s\"",
        nest_right_name(NEST_RIGHT_ADMIN));
    return FALSE;
}

static void append(char **text, const char *separator, const char *more)
{
    char *both = *text != NULL ? g_strconcat(*text, separator, more, NULL) : g_strdup(more);
    g_free(*text);
    *text = both;
}

static void override(NestJob *job, const NestGuardVerdict *verdict)
{
    g_autofree char *forced = g_strdup_printf("%s: %s", verdict->id, job->request->reason);
    g_autofree char *note = g_strdup_printf("%s was overridden: %s", verdict->id, verdict->reason);
    append(&job->intent->forced, ", ", forced);
    append(&job->intent->operation->note, "; ", note);
}

gboolean nest_job_guard_verdict(NestJob *job, const NestGuardVerdict *verdict, GError **error)
{
    if (verdict->say == NEST_SAY_OK)
        return TRUE;
    if (verdict->say == NEST_SAY_WARN) {
        append(&job->intent->operation->note, "; ", verdict->reason);
        return TRUE;
    }
    if (verdict->say != NEST_SAY_REFUSE || !job->request->force)
        return nest_guard_verdict_allows(verdict, error);
    override(job, verdict);
    return TRUE;
}

gboolean nest_job_guard(NestJob *job, NestGuarded operation, GError **error)
{
    nest_job_look_inside(job, job->reading);
    g_autoptr(NestGuardVerdict) verdict =
        nest_guard_judge(operation, &job->reading->view, job->config->parity);
    return nest_job_guard_verdict(job, verdict, error);
}
