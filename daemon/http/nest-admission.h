/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>
#include <sys/types.h>

/* Who may have one more connection. Pure counting. */

/* Places beyond both caps that only root can take, so that an administrator always gets in. */
#define NEST_ROOT_RESERVE 4

typedef struct NestAdmission NestAdmission;

NestAdmission *nest_admission_new(guint connections, guint connections_per_user);
void nest_admission_free(NestAdmission *admission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestAdmission, nest_admission_free)

/* Takes a place for uid; FALSE where none is left. */
gboolean nest_admission_enter(NestAdmission *admission, uid_t uid);

/* Gives back a place that was taken. */
void nest_admission_leave(NestAdmission *admission, uid_t uid);

guint nest_admission_total(const NestAdmission *admission);
