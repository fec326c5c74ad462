/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The changelog of a Debian package: entries, the newest first, each begun by a line
 * "NAME (VERSION) SUITE; …" (deb-changelog(5)). */

/* Those of words that stand in it, each as a word of its own, in the entry of version and those
 * below. Entries above are of builds that don't run. Gzip or plain text, at most 16 MiB of file and
 * 64 MiB of text: what is beyond is not read. NULL and ret_error: it can't be read, or has no entry
 * of version. */
GStrv nest_changelog_find(const char *root, const char *path, const char *version,
    const char *const *words, char **ret_error);
