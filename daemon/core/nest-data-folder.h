/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The files in which an administrator adds to the data that nestd was built with. */

/* Takes the text of one file. FALSE: it is wrong, and is left out as a whole. */
typedef gboolean (*NestDataFolderFunc)(
    const char *text, gsize length, gpointer user_data, GError **error);

/* Reads every *.json of folder, in the order of the names, at most 64 files of 256 KiB. A folder
 * that is not there is fine. Never fails: a sentence for each file that was left out. */
GStrv nest_data_folder_read(const char *folder, NestDataFolderFunc func, gpointer user_data);
