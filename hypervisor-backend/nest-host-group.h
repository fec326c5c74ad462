/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The number of a group of the host below root; -1: there is none. */
gint64 nest_host_group_find(const char *root, const char *name);
