/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-hands.h"

/* What nestd can change on the host, each as a value that is text: NULL is a value too. */
typedef enum {
    NEST_HOST_NESTED, /* target: the KVM module; value: its parameter nested, NULL: not loaded */
    NEST_HOST_FILE, /* target: a path; value: nest-saved-file.h, NULL: no such file */
    NEST_HOST_ACCESS, /* target: the path of a device; value: "0660 0 104", NULL: not there */
    NEST_HOST_LINK /* target, value: nest-link-setting.h, NULL: not there any more */
} NestHostSettingKind;

/* Targets that are paths are below root and have no leading slash. */
gboolean nest_host_setting_read(const char *root, NestHostSettingKind kind, const char *target,
    char **ret_value, GError **error);

/* Changes it to value, without reading it back; a module that is loaded is unloaded first. Waits
 * a little where it is in use: nestd itself tries /dev/kvm now and then; and at most two seconds
 * until /dev/kvm may be opened by the same users as before. On failure the module may be
 * unloaded. */
gboolean nest_host_setting_put(NestHostHands *hands, const char *root, NestHostSettingKind kind,
    const char *target, const char *value, GError **error);

/* TRUE if the two are the same setting: Y is 1. */
gboolean nest_host_setting_same(NestHostSettingKind kind, const char *a, const char *b);
