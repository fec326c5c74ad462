/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-operations.h"
#include "nest-error.h"

typedef struct {
    char *uuid;
    NestOperation *operation; /* NULL until begun */
    GCancellable *cancellable;
    GPtrArray *waiters; /* Waiter */
} Claim;

typedef struct {
    NestOperations *operations;
    GTask *task;
    gint64 id;
    guint timer;
} Waiter;

struct NestOperations {
    GHashTable *by_uuid; /* char * → Claim; owns */
    GHashTable *by_id; /* gint64 * → Claim */
    guint limit;
};

/* The host is claimed as a VM is. */
static const char *key_of(const char *uuid)
{
    return uuid != NULL ? uuid : "";
}

static void waiter_free(gpointer data)
{
    Waiter *waiter = data;
    if (waiter->timer != 0)
        g_source_remove(waiter->timer);
    g_object_unref(waiter->task);
    g_free(waiter);
}

static void answer(Waiter *waiter, const NestOperation *operation)
{
    g_task_return_pointer(
        waiter->task, nest_operation_copy(operation), (GDestroyNotify)nest_operation_free);
}

static void answer_all(Claim *claim)
{
    g_autoptr(GPtrArray) waiters = g_steal_pointer(&claim->waiters);
    claim->waiters = g_ptr_array_new_with_free_func(waiter_free);
    for (guint i = 0; i < waiters->len; i++)
        answer(g_ptr_array_index(waiters, i), claim->operation);
}

static void claim_free(gpointer data)
{
    Claim *claim = data;
    answer_all(claim);
    g_ptr_array_unref(claim->waiters);
    nest_operation_free(claim->operation);
    g_clear_object(&claim->cancellable);
    g_free(claim->uuid);
    g_free(claim);
}

NestOperations *nest_operations_new(guint limit)
{
    NestOperations *operations = g_new0(NestOperations, 1);
    operations->by_uuid = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, claim_free);
    operations->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    operations->limit = limit;
    return operations;
}

void nest_operations_free(NestOperations *operations)
{
    if (operations == NULL)
        return;
    g_hash_table_unref(operations->by_id);
    g_hash_table_unref(operations->by_uuid);
    g_free(operations);
}

gboolean nest_operations_claim(
    NestOperations *operations, const char *uuid, const char *name, GError **error)
{
    Claim *claim = g_hash_table_lookup(operations->by_uuid, key_of(uuid));
    if (claim != NULL) {
        g_autofree char *next = claim->operation != NULL
            ? g_strdup_printf(
                  "wait for it: nestctl operation %" G_GINT64_FORMAT, claim->operation->id)
            : g_strdup("try again");
        nest_set_error(error, uuid != NULL ? NEST_ERROR_VM_BUSY : NEST_ERROR_HOST_BUSY, next,
            "%s is being changed already (%s)", name,
            claim->operation != NULL ? claim->operation->kind : "about to begin");
        return FALSE;
    }
    if (g_hash_table_size(operations->by_uuid) >= operations->limit) {
        nest_set_error(error, NEST_ERROR_TOO_MANY, "try again later",
            "%u operations are under way, which is the limit", operations->limit);
        return FALSE;
    }
    claim = g_new0(Claim, 1);
    claim->uuid = g_strdup(key_of(uuid));
    claim->waiters = g_ptr_array_new_with_free_func(waiter_free);
    g_hash_table_insert(operations->by_uuid, claim->uuid, claim);
    return TRUE;
}

void nest_operations_release(NestOperations *operations, const char *uuid)
{
    Claim *claim = g_hash_table_lookup(operations->by_uuid, key_of(uuid));
    if (claim == NULL)
        return;
    if (claim->operation != NULL)
        g_hash_table_remove(operations->by_id, &claim->operation->id);
    g_hash_table_remove(operations->by_uuid, key_of(uuid));
}

void nest_operations_update(
    NestOperations *operations, const NestOperation *operation, GCancellable *cancellable)
{
    Claim *claim = g_hash_table_lookup(operations->by_uuid, key_of(operation->uuid));
    if (claim == NULL)
        return;
    if (claim->operation != NULL)
        g_hash_table_remove(operations->by_id, &claim->operation->id);
    nest_operation_free(claim->operation);
    claim->operation = nest_operation_copy(operation);
    g_hash_table_insert(operations->by_id, &claim->operation->id, claim);
    if (cancellable != NULL)
        g_set_object(&claim->cancellable, cancellable);
    if (nest_operation_ended(operation))
        answer_all(claim);
}

static Claim *find(NestOperations *operations, gint64 id)
{
    return g_hash_table_lookup(operations->by_id, &id);
}

const NestOperation *nest_operations_find(NestOperations *operations, gint64 id)
{
    Claim *claim = find(operations, id);
    return claim != NULL ? claim->operation : NULL;
}

const NestOperation *nest_operations_of_vm(NestOperations *operations, const char *uuid)
{
    Claim *claim = g_hash_table_lookup(operations->by_uuid, uuid);
    return claim != NULL ? claim->operation : NULL;
}

guint nest_operations_size(NestOperations *operations)
{
    return g_hash_table_size(operations->by_uuid);
}

static int newest_first(gconstpointer a, gconstpointer b)
{
    const NestOperation *left = *(NestOperation *const *)a, *right = *(NestOperation *const *)b;
    return left->id < right->id ? 1 : left->id > right->id ? -1 : 0;
}

GPtrArray *nest_operations_list(NestOperations *operations)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer claim;
    g_hash_table_iter_init(&iter, operations->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &claim))
        g_ptr_array_add(list, ((Claim *)claim)->operation);
    g_ptr_array_sort(list, newest_first);
    return list;
}

gboolean nest_operations_abort(NestOperations *operations, gint64 id)
{
    Claim *claim = find(operations, id);
    if (claim == NULL || claim->cancellable == NULL)
        return FALSE;
    g_cancellable_cancel(claim->cancellable);
    return TRUE;
}

static gboolean on_timer(gpointer data)
{
    Waiter *waiter = data;
    Claim *claim = find(waiter->operations, waiter->id);
    guint index;
    waiter->timer = 0;
    if (g_ptr_array_find(claim->waiters, waiter, &index))
        g_ptr_array_steal_index_fast(claim->waiters, index);
    answer(waiter, claim->operation);
    waiter_free(waiter);
    return G_SOURCE_REMOVE;
}

void nest_operations_wait(NestOperations *operations, gint64 id, guint timeout_ms, GTask *task)
{
    Claim *claim = find(operations, id);
    Waiter *waiter = g_new0(Waiter, 1);
    waiter->operations = operations;
    waiter->task = task;
    waiter->id = id;
    g_ptr_array_add(claim->waiters, waiter);
    waiter->timer = g_timeout_add(timeout_ms, on_timer, waiter);
}
