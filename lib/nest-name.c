/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-name.h"
#include "nest-error.h"
#include <string.h>

gboolean nest_name_check(const char *name, const char *of, GError **error)
{
    gsize length = strlen(name);
    const char *allowed = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-";
    if (length > 0 && length <= 63 && strspn(name, allowed) == length && g_ascii_isalnum(name[0]))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
        "use 1 to 63 of the characters A-Z a-z 0-9 . _ -, beginning with a letter or digit",
        "the name can't be used for a %s", of);
    return FALSE;
}
