/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The content of file, of standard input for "-": at most NEST_XML_MAX bytes of UTF-8. NULL:
 * INVALID_REQUEST, TOO_LARGE. */
char *nest_definition_read(const char *file, GError **error);
