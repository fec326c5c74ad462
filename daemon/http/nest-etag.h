/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Entity tags of VMs: "REVISION+HASH" in quotes, where the hash is that of the whole text: state
 * and checks change it as well. If-Match looks at the revision alone, that is, at the definition:
 * a VM that was started meanwhile is still the one that was seen. */

char *nest_etag_make(const char *revision, const char *text);

/* The revision of an If-Match header: an ETag of ours, a bare revision in quotes, or "*" and NULL,
 * which give NULL. Anything else is INVALID_REQUEST. */
gboolean nest_etag_if_match(const char *header, char **ret_revision, GError **error);
