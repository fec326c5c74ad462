/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Versions as numbers that compare: major and minor, "7.2.22" and "6.1.0-37-amd64" as 7002 and
 * 6001. */
#define NEST_VERSION_NUMBER(major, minor) ((major)*1000u + (minor))

/* 0 where text (nullable) does not begin with a version. */
guint nest_version_number(const char *text);
