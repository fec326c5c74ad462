/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"
#include <gio/gio.h>

/* The operations under way, and who waits for them. Main thread only. */
typedef struct NestOperations NestOperations;

NestOperations *nest_operations_new(guint limit);
void nest_operations_free(NestOperations *operations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestOperations, nest_operations_free)

/* Claims the VM of uuid (NULL: the host) for one operation. VM_BUSY or HOST_BUSY where it has one,
 * TOO_MANY at the limit. */
gboolean nest_operations_claim(
    NestOperations *operations, const char *uuid, const char *name, GError **error);

/* Gives the claim back; the operation, if it was begun, is forgotten. */
void nest_operations_release(NestOperations *operations, const char *uuid);

/* Enters the operation of a claimed VM, or what became of it; wakes those who wait if it ended.
 * Takes a copy. cancellable is kept from the first call on (nullable later). */
void nest_operations_update(
    NestOperations *operations, const NestOperation *operation, GCancellable *cancellable);

/* NULL where it is not under way. */
const NestOperation *nest_operations_find(NestOperations *operations, gint64 id);
/* The same by VM. */
const NestOperation *nest_operations_of_vm(NestOperations *operations, const char *uuid);
guint nest_operations_size(NestOperations *operations);

/* Under way, newest first: array of borrowed NestOperation. */
GPtrArray *nest_operations_list(NestOperations *operations);

/* Asks to abort. FALSE where it is not under way. */
gboolean nest_operations_abort(NestOperations *operations, gint64 id);

/* Completes task with a copy of the operation once it has ended, or as it is after timeout_ms.
 * The operation must be under way. Takes task over. */
void nest_operations_wait(NestOperations *operations, gint64 id, guint timeout_ms, GTask *task);
