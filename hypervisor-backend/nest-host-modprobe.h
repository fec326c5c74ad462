/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Finds what is configured for parameter of module: in the folders of modprobe.d(5), where a file
 * hides those of its name in later folders, and on the command line of the kernel. ret_where and
 * ret_values are as long as each other, in the order in which they are found, and always set.
 * "N found", or NULL and ret_error where something could not be read. module NULL finds none. */
char *nest_host_modprobe_find(const char *root, const char *module, const char *parameter,
    GStrv *ret_where, GStrv *ret_values, char **ret_error);
