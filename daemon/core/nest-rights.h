/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-config.h"
#include <sys/types.h>

/* What a caller may do; each right includes those before it. */
typedef enum {
    NEST_RIGHT_NONE,
    NEST_RIGHT_VIEW, /* read everything but secrets */
    NEST_RIGHT_OPERATE, /* start, shut down, stop, save */
    NEST_RIGHT_MANAGE, /* create, delete, enable, disable: as good as root on this host */
    NEST_RIGHT_ADMIN /* change the host and what guards forbid */
} NestRight;

/* Who asks, as the kernel told when the connection was made. */
typedef struct {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    NestRight right;
} NestCaller;

const char *nest_right_name(NestRight right); /* "manage" */

/* The right of uid with primary group gid and its supplementary groups (looked up by name service:
 * may block a little; done once per connection). root has ADMIN. What can't be looked up counts
 * as not granted. */
NestRight nest_rights_of(const NestConfig *config, uid_t uid, gid_t gid);
