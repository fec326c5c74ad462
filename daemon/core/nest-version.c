/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-version.h"
#include <stdio.h>

guint nest_version_number(const char *text)
{
    guint major, minor;
    if (text == NULL || sscanf(text, "%3u.%3u", &major, &minor) != 2)
        return 0;
    return NEST_VERSION_NUMBER(major, minor);
}
