/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Versions as numbers that compare: major and minor, "7.2.22" and "6.1.0-37-amd64" as 7002 and
 * 6001. */
#define NEST_VERSION_NUMBER(major, minor) ((major)*1000u + (minor))

/* 0 where text (nullable) does not begin with a version. */
guint nest_version_number(const char *text);

/* A version of Linux with all its parts, as a number that compares: "7.2-rc5" is less than "7.2",
 * which is "7.2.0". What follows the version does not count. 0 where text (nullable) does not begin
 * with one. */
guint64 nest_version_linux(const char *text);

/* Compares versions of packages as dpkg does, and as rpm does: <0, 0, >0. To both, numbers are
 * numbers, and a tilde is before everything, also before the end. To rpm, a number comes after
 * letters: 570.9.el9 after 570.el9. */
int nest_version_compare_deb(const char *a, const char *b);
int nest_version_compare_rpm(const char *a, const char *b);
