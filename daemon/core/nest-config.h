/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guard-table.h"
#include "nest-policy.h"

/* "no", "yes" */
typedef enum { NEST_SWITCH_NO, NEST_SWITCH_YES } NestSwitch;

/* What becomes of a VM that somebody else started, and that lacks the extension it asks for:
 * "flag", "stop" */
typedef enum { NEST_UNFIT_FLAG, NEST_UNFIT_STOP } NestUnfit;

/* nestd.conf: a keyfile. An unknown group or key, or a value out of range, is an error
 * (NEST_ERROR_CONFIG) that names file and line. One table in nest-config.c lists every key with
 * its default, and nestd.conf(5) is held equal to it by a test. */
typedef struct {
    char *socket; /* [daemon] socket; default: nestd.sock in the runtime directory */
    char *socket_group; /* [daemon] socket-group */
    char *state_directory; /* STATE_DIRECTORY, else /var/lib/nestd */
    char *runtime_directory; /* RUNTIME_DIRECTORY, else /run/nestd */
    char *backend_uri; /* [backend] uri: "auto", "embed" or a libvirt URI */
    char *qemu_user; /* [backend] qemu-user: "auto" or a name */
    char *qemu_group;
    guint connections; /* [limits] connections */
    guint connections_per_user;
    guint operations; /* [limits] operations: under way at once */
    guint shutdown_timeout; /* [timeouts] shutdown, seconds */
    guint boot_timeout; /* [timeouts] boot, seconds */
    guint refresh; /* [timeouts] refresh, seconds */
    guint reply_timeout; /* [timeouts] reply, seconds */
    NestParity parity; /* [guard] parity */
    guint sample; /* [guard] sample, seconds: how often running VMs are looked at */
    NestUnfit unfit; /* [guard] unfit */
    NestSwitch monitor; /* [guard] monitor: QEMU may be asked for registers */
    GStrv view, operate, manage, admin; /* [rights]: "user:NAME", "group:NAME" */
    char *host_root; /* [daemon] host-root: where the host is probed; "/" */
    NestTrust trust_default; /* [policy] trust-default: of VMs without a label */
    GStrv allow; /* [policy] allow: names or patterns of VMs that may nest */
    NestPolicy *policy; /* that, [levels] and [ignore …] */
    char *recipes; /* [policy] recipes: the folder of the administrator's */
    char *advisories; /* [policy] advisories: the folder of the administrator's */
} NestConfig;

/* path NULL: the default path, which may be absent. */
NestConfig *nest_config_load(const char *path, GError **error);

/* Every key with its default, commented out, as a file: what `nestd --print-config` shows. */
char *nest_config_describe(void);

void nest_config_free(NestConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestConfig, nest_config_free)
