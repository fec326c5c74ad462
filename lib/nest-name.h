/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* TRUE if name can be the name of a new thing: 1 to 63 characters of A-Z a-z 0-9 . _ -, the first
 * one a letter or digit. of: "virtual machine", "checkpoint". Else error is INVALID_REQUEST. */
gboolean nest_name_check(const char *name, const char *of, GError **error);
