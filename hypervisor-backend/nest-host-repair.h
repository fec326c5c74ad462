/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-probe.h"
#include "nest-host-setting.h"

/* What the repair of a host goes by, beyond NestHostFacts: the files and the device that it may
 * change, as they are, and who stands in its way. Paths have no leading slash. */

#define NEST_HOST_DROP_IN "etc/modprobe.d/nestd.conf"
#define NEST_HOST_RULE "etc/udev/rules.d/99-nestd-kvm.rules"
#define NEST_HOST_DEVICE "dev/kvm"

/* A setting as it is. error: why it could not be read, NULL where it could. */
typedef struct {
    char *value;
    char *error;
} NestSettingFact;

typedef struct {
    guint uid, gid; /* of new files */
    GStrv nested_where, nested_values; /* what is configured for the module that fits the CPU,
                                        * loaded or not: as in NestHostTuning */
    char *nested_error; /* something could not be read */
    char *blacklisted; /* the file that keeps this module from being loaded at boot; NULL: none */
    NestSettingFact drop_in; /* NEST_HOST_DROP_IN */
    NestSettingFact rule; /* NEST_HOST_RULE */
    NestSettingFact device; /* NEST_HOST_DEVICE */
    char
        *guests_path; /* of libvirt-guests' configuration, where it is or would be; NULL: neither */
    NestSettingFact guests;
    gint64 kvm_gid; /* the group kvm; -1: there is none */
    /* What udev will set for kvm, its own rule left out: the last one counts. */
    char *rule_where; /* NULL: no rule says anything */
    guint rule_mode; /* 0600 where no rule says */
    gboolean rule_group; /* it is the group kvm */
    gboolean udev; /* it is there to heed a rule */
    gboolean modules_disabled; /* the kernel takes no modules until the next boot */
    GStrv users; /* processes that have /dev/kvm or a VM open: "qemu-system-x86 (1234)" */
} NestHostRepair;

/* Never fails. Looks for users only where the module is in use. Blocks for some milliseconds. */
NestHostRepair *nest_host_repair_read(const char *root, const NestHostFacts *facts);
void nest_host_repair_free(NestHostRepair *repair);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostRepair, nest_host_repair_free)

/* The module that fits the CPU, NULL where it has no extension. */
const char *nest_host_repair_module(const NestHostFacts *facts);
