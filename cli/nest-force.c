/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-force.h"
#include "nest-error.h"

gboolean nest_force_check(const NestArguments *arguments, GError **error)
{
    if (arguments->force == (arguments->reason != NULL))
        return TRUE;
    nest_set_error(error, NEST_ERROR_USAGE, NULL, "--force and --reason TEXT go together");
    return FALSE;
}
