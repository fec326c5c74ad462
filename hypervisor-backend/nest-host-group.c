/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-group.h"
#include "nest-host-file.h"
#include <string.h>

static gint64 group_in(const char *root, const char *path, const char *name)
{
    g_autofree char *text = nest_host_file_text(root, path, NEST_HOST_FILE_MAX, NULL);
    char *next = text;
    while (next != NULL) {
        g_auto(GStrv) fields = g_strsplit(strsep(&next, "\n"), ":", 4);
        guint64 gid = 0;
        if (g_strv_length(fields) >= 3 && strcmp(fields[0], name) == 0 &&
            g_ascii_string_to_unsigned(fields[2], 10, 0, G_MAXUINT32 - 1, &gid, NULL))
            return gid;
    }
    return -1;
}

/* Systems whose /etc is made of what is in /usr have groups there too. */
gint64 nest_host_group_find(const char *root, const char *name)
{
    gint64 gid = group_in(root, "etc/group", name);
    return gid >= 0 ? gid : group_in(root, "usr/lib/group", name);
}
