/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Finds what is configured for parameter of module: in the folders of modprobe.d(5), where a file
 * hides those of its name in later folders, and on the command line of the kernel, which alone
 * counts for what is built in. ret_where and
 * ret_values are as long as each other, in the order in which they are found, and always set.
 * "N found", or NULL and ret_error where something could not be read. module NULL finds none. */
char *nest_host_modprobe_find(const char *root, const char *module, gboolean built_in,
    const char *parameter, GStrv *ret_where, GStrv *ret_values, char **ret_error);

/* The first file of modprobe.d that keeps module from being loaded by itself; NULL: none does. */
char *nest_host_modprobe_blacklisted(const char *root, const char *module);

/* Which of the settings found counts at the next load: the last by the names of the files, whatever
 * their folder; the kernel's command line comes after all of them (kmod). FALSE: there is none. */
gboolean nest_host_modprobe_winner(GStrv where, guint *ret_index);

/* TRUE if what is set at a counts before, and so is overruled by, what is set at b. */
gboolean nest_host_modprobe_yields(const char *a, const char *b);
