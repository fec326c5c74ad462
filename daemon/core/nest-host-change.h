/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-setting.h"
#include "nest-types.h"

/* What a job changes on the host: settings with their values before and after, so that doing it and
 * taking it back are the same thing with the two exchanged. */

typedef struct {
    char *id; /* "nested"; unique in a change, and the id of its step */
    char *item; /* the item of the plan that it belongs to */
    NestHostSettingKind kind;
    char *target;
    char *before, *after; /* NULL is a value: nest-host-setting.h */
} NestHostSetting;

typedef struct {
    GPtrArray *settings; /* NestHostSetting, in the order in which they are applied */
} NestHostChange;

NestHostChange *nest_host_change_new(void);
void nest_host_change_free(NestHostChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostChange, nest_host_change_free)

void nest_host_change_add(NestHostChange *change, const char *id, const char *item,
    NestHostSettingKind kind, const char *target, const char *before, const char *after);

/* NULL where it has none of that id. */
const NestHostSetting *nest_host_change_find(const NestHostChange *change, const char *id);

/* As JSON and back. */
char *nest_host_change_to_text(const NestHostChange *change);
NestHostChange *nest_host_change_from_text(const char *text, GError **error);

/* What is set, in words: "kvm_intel", "/dev/kvm", "bridge port vnet0". */
char *nest_host_change_target_text(const NestHostSetting *setting);
/* One setting in words, as it is with value: "nested=N", "not loaded", "not there". Of flags those
 * that are not so in other (nullable). */
char *nest_host_change_value_text(
    const NestHostSetting *setting, const char *value, const char *other);
/* "kvm_intel: nested=N → nested=Y; /etc/modprobe.d/nestd.conf: written" */
char *nest_host_change_summary(const NestHostChange *change);
