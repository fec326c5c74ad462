/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Reading small text files below a root directory without trusting them: only regular files, the
 * last component never a link, never blocking, never more than a bound. Paths have no leading
 * slash. What could not be read gives NULL; ret_error (nullable) then says why. */

#define NEST_HOST_FILE_MAX (64 * 1024)

/* The first max bytes as valid UTF-8. Empty files and files with NUL bytes count as unreadable. */
char *nest_host_file_text(const char *root, const char *path, gsize max, char **ret_error);

/* The same where the last component may be a link, which is followed below root. */
char *nest_host_file_linked_text(const char *root, const char *path, gsize max, char **ret_error);

/* The first max bytes, whatever they are. */
GByteArray *nest_host_file_bytes(const char *root, const char *path, gsize max, char **ret_error);

/* The first line without surrounding blanks, at most 256 bytes, control characters replaced. */
char *nest_host_file_line(const char *root, const char *path, char **ret_error);

/* value, stripped and fit to be shown: at most 256 bytes, no control characters. NULL if empty. */
char *nest_host_file_clean(const char *value);

/* TRUE if something is there, whatever it is. */
gboolean nest_host_file_exists(const char *root, const char *path);

/* Opens path for reading, whatever it is; -1 and ret_error. Close it. */
int nest_host_file_open(const char *root, const char *path, char **ret_error);
