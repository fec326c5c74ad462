/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-store.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <string.h>

/* A directory of its own for every test, and what is often done with a store. */

static inline int test_setup(void **state)
{
    *state = g_dir_make_tmp("nest-store-XXXXXX", NULL);
    return *state == NULL;
}

static inline int test_teardown(void **state)
{
    g_autofree char *directory = *state;
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_remove(path);
    }
    return g_rmdir(directory);
}

static inline NestStore *open_store(const char *directory)
{
    g_autoptr(GError) error = NULL;
    NestStore *store = nest_store_open(directory, &error);
    assert_no_error(error);
    return store;
}

static inline NestIntent *new_intent(const char *kind, const char *name)
{
    NestIntent *intent = g_new0(NestIntent, 1);
    intent->operation = nest_operation_new();
    intent->operation->kind = g_strdup(kind);
    intent->operation->uuid = g_strdup("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    intent->operation->name = g_strdup(name);
    intent->operation->uid = 1000;
    intent->operation->pid = 4711;
    intent->before_xml = g_strdup("<domain/>");
    intent->after_xml = g_strdup("<domain type='kvm'/>");
    return intent;
}

static inline void begin_operation(NestStore *store, NestIntent *intent)
{
    g_autoptr(GError) error = NULL;
    nest_store_begin_operation(store, intent, &error);
    assert_no_error(error);
}

static inline void finish_operation(NestStore *store, NestIntent *intent, NestOperationState state)
{
    g_autoptr(GError) error = NULL;
    intent->operation->state = state;
    intent->operation->finished = intent->operation->created + 5;
    nest_store_finish_operation(store, intent, &error);
    assert_no_error(error);
}

static inline GPtrArray *read_events(NestStore *store, gint64 after, guint limit)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *events = NULL;
    nest_store_events(store, after, limit, &events, &error);
    assert_no_error(error);
    return events;
}

static inline GPtrArray *read_unfinished(NestStore *store)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *intents = NULL;
    nest_store_unfinished(store, &intents, &error);
    assert_no_error(error);
    return intents;
}

static inline GPtrArray *read_operations(NestStore *store, gint64 before, guint limit)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *operations = NULL;
    nest_store_operations(store, before, limit, &operations, &error);
    assert_no_error(error);
    return operations;
}

static inline gint64 last_event(NestStore *store)
{
    g_autoptr(GError) error = NULL;
    gint64 id = -1;
    nest_store_last_event(store, &id, &error);
    assert_no_error(error);
    return id;
}
