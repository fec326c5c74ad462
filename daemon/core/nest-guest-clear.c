/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-clear.h"
#include "nest-error.h"
#include "nest-guest-script.h"
#include "nest-guest-shell.h"
#include "nest-guest-windows.h"

#define SECONDS 20
#define WORDS_MAX 1000 /* bytes */

gboolean nest_guest_clear(NestBackend *backend, const NestTrace *trace, GCancellable *cancellable,
    gboolean *ret_found, GError **error)
{
    g_auto(NestGuestOutcome) outcome = {NULL};
    g_auto(GStrv) command = trace->windows ? nest_guest_windows_clear(trace->path)
                                           : nest_guest_shell_clear(trace->path);
    const NestGuestScript script = {.path = command[0],
        .arguments = (const char *const *)command + 1,
        .seconds = SECONDS,
        .output_max = WORDS_MAX};
    if (!nest_guest_script_run(backend, trace->uuid, &script, cancellable, &outcome, error))
        return FALSE;
    *ret_found = g_bytes_get_size(outcome.output) > 0;
    if (outcome.status == 0 && outcome.signal == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL, "the guest refuses: %s",
        outcome.said != NULL && *outcome.said != '\0' ? g_strchomp(outcome.said)
                                                      : "it does not say why");
    return FALSE;
}
