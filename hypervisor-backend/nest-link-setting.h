/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-links.h"

/* What nestd can change at the devices of the host's network, as text: the flags of a bridge port,
 * and what a network card lets a virtual function do. Flags that the kernel does not tell are left
 * out of a value: "learning=off flood=off isolated=off guard=off locked=off", "spoofchk=on
 * trust=off". A target says which device is meant, so that another one that was made later and has
 * its name is none: "vnet0 7 BOOT", and "eth0 2 BOOT 3 52:54:00:00:00:01" for the function 3. */

/* This boot of the host below root, as targets have it. */
char *nest_link_setting_boot(const char *root);

/* vf is NULL for a bridge port. */
char *nest_link_setting_target(const NestLink *link, const NestVf *vf, const char *boot);
char *nest_link_setting_value(const NestLink *link, const NestVf *vf);

/* value with one of its flags on or off; one that it does not have stays out. */
char *nest_link_setting_with(const char *value, const char *flag, gboolean on);

/* The flags of value that are not so in other: "learning off, flood off". */
char *nest_link_setting_difference(const char *value, const char *other);

/* "bridge port vnet0", "virtual function 3 of eth0" */
char *nest_link_setting_name(const char *target);

/* *ret_value stays NULL where that device is not there any more. */
gboolean nest_link_setting_read(
    const char *root, const char *target, char **ret_value, GError **error);

/* Changes the running host, which must have it. HOST_UNFIT with the kernel's words. */
gboolean nest_link_setting_put(const char *target, const char *value, GError **error);
