/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* A small file with its mode and owner as one line of text, "0644 0 0 BASE64": equal exactly where
 * the files are, fit for JSON, and enough to put the file back byte for byte. NULL stands for no
 * file. Paths have no leading slash and are below root. */

#define NEST_SAVED_FILE_MAX (64 * 1024)

/* *ret_saved stays NULL where there is no file. Anything but a regular file, and one that is too
 * large, is an error (HOST_UNFIT). */
gboolean nest_saved_file_read(const char *root, const char *path, char **ret_saved, GError **error);

/* Puts saved, or removes the file for NULL. Whoever reads sees the file before or after, also when
 * the power fails, and never a part. The folder is made where only it is missing, and stays.
 * HOST_UNFIT with the cause. */
gboolean nest_saved_file_put(const char *root, const char *path, const char *saved, GError **error);

/* Removes what a write that a crash interrupted left beside the file. */
void nest_saved_file_sweep(const char *root, const char *path);

char *nest_saved_file_make(guint mode, guint uid, guint gid, const char *content, gsize length);

/* The bytes in saved (NUL-terminated besides); NULL where saved is none. */
char *nest_saved_file_content(const char *saved, gsize *ret_length);

/* saved with other bytes, as the same owner's with the same mode. */
char *nest_saved_file_replace(const char *saved, const char *content, gsize length);
