/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-store.h"
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* What a commit and a start cost: bench-store [DIRECTORY]. The directory should be on the file
 * system that /var/lib is on; the default is one below the current directory. */

#define COMMITS 300
#define VMS 10000
#define ROUNDS 7

static void require(gboolean done, GError *error)
{
    if (!done)
        g_error("%s", error != NULL ? error->message : "raw SQLite failed");
}

static double since(gint64 start)
{
    return (g_get_monotonic_time() - start) / 1000.0;
}

static void report(const char *what, double value, const char *unit)
{
    printf("%-58s %10.2f %s\n", what, value, unit);
}

/* The floor: one row of the same size a commit, same durability. */
static void bench_raw(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "raw.db", NULL);
    g_autofree char *xml = g_strnfill(6000, 'x');
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    gboolean ready = sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_exec(db,
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x TEXT)", NULL, NULL,
            NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?)", -1, &insert, NULL) == SQLITE_OK &&
        sqlite3_bind_text(insert, 1, xml, -1, SQLITE_STATIC) == SQLITE_OK;
    require(ready, NULL);
    gint64 start = g_get_monotonic_time();
    for (guint i = 0; i < COMMITS; i++) {
        require(sqlite3_step(insert) == SQLITE_DONE, NULL);
        sqlite3_reset(insert);
    }
    report("raw SQLite, one insert of 6 kB a commit", COMMITS * 1000 / since(start), "commits/s");
    sqlite3_finalize(insert);
    sqlite3_close(db);
}

static void bench_operations(NestStore *store)
{
    g_autofree char *xml = g_strnfill(3000, 'x');
    g_autoptr(GError) error = NULL;
    double spent[3] = {0};
    for (guint i = 0; i < COMMITS; i++) {
        g_autoptr(NestIntent) intent = g_new0(NestIntent, 1);
        intent->operation = nest_operation_new();
        intent->operation->kind = g_strdup("enable");
        intent->operation->name = g_strdup("DemoVM");
        intent->operation->uuid = g_uuid_string_random();
        intent->before_xml = g_strdup(xml);
        intent->after_xml = g_strdup(xml);
        gint64 start = g_get_monotonic_time();
        require(nest_store_begin_operation(store, intent, &error), error);
        spent[0] += since(start);
        intent->operation->state = NEST_OP_RUNNING;
        start = g_get_monotonic_time();
        require(nest_store_update_operation(store, intent->operation, &error), error);
        spent[1] += since(start);
        intent->operation->state = NEST_OP_DONE;
        start = g_get_monotonic_time();
        require(nest_store_finish_operation(store, intent, &error), error);
        spent[2] += since(start);
    }
    report(
        "begin (operation, intent of 6 kB, audit, event)", COMMITS * 1000 / spent[0], "commits/s");
    report("update (state and steps)", COMMITS * 1000 / spent[1], "commits/s");
    report("finish (operation, revision of 6 kB, event)", COMMITS * 1000 / spent[2], "commits/s");
}

static NestStoredVm *new_vm(guint number, guint checks)
{
    g_autoptr(NestVm) vm = nest_vm_new();
    vm->uuid = g_uuid_string_random();
    vm->name = g_strdup_printf("vm-%u", number * 7919 % VMS);
    vm->memory_kib = 4 << 20;
    vm->cpu_mode = g_strdup("host-passthrough");
    vm->machine = g_strdup("pc-q35-7.2");
    vm->revision = g_strdup("2f3a6a5c9d1e4b7f");
    for (guint i = 0; i < checks; i++) {
        NestCheck *check = nest_record_new(&nest_check_record);
        check->id = g_strdup("vm.memory.dynamic");
        check->title = g_strdup("the virtual machine has all of its memory at once");
        check->message = g_strdup("it starts with 1 GiB of 4 GiB and has a balloon");
        check->read = g_strdup("domain XML, memory and currentMemory: 4194304, 1048576 KiB");
        g_ptr_array_add(vm->checks, check);
    }
    NestStoredVm *stored = g_new0(NestStoredVm, 1);
    stored->uuid = g_strdup(vm->uuid);
    stored->name = g_strdup(vm->name);
    stored->text = nest_codec_to_text(&nest_vm_record, vm);
    stored->state = g_strdup("running");
    stored->revision = g_strdup(vm->revision);
    stored->summary = g_strdup_printf("{\"uuid\":\"%s\",\"name\":\"%s\",\"state\":\"running\","
                                      "\"accel\":\"kvm\",\"nesting\":\"on\",\"supports\":true}",
        vm->uuid, vm->name);
    return stored;
}

static void bench_load(const char *directory, NestStore **store, guint checks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) vms = g_ptr_array_new_with_free_func((GDestroyNotify)nest_stored_vm_free);
    for (guint i = 0; i < VMS; i++)
        g_ptr_array_add(vms, new_vm(i, checks));
    gsize size = strlen(((NestStoredVm *)vms->pdata[0])->text);
    printf("-- %u VMs of %" G_GSIZE_FORMAT " bytes\n", VMS, size);
    gint64 start = g_get_monotonic_time();
    require(nest_store_sync_vms(*store, vms, NULL, NULL, &error), error);
    report("put all in one transaction", since(start), "ms");
    start = g_get_monotonic_time();
    nest_store_close(*store);
    report("close", since(start), "ms");
    double best = G_MAXDOUBLE, first = 0;
    for (guint i = 0; i < ROUNDS; i++) {
        g_autoptr(GPtrArray) loaded = NULL;
        start = g_get_monotonic_time();
        *store = nest_store_open(directory, &error);
        require(*store != NULL, error);
        double opened = since(start);
        require(nest_store_vms(*store, &loaded, &error), error);
        first = MAX(first, since(start));
        best = MIN(best, since(start) - opened);
        if (i + 1 < ROUNDS)
            nest_store_close(*store);
    }
    report("load all, just opened (best of 7)", best, "ms");
    report("open and load all (worst of 7)", first, "ms");
}

static void clear(const char *directory)
{
    static const char *const names[] = {"lock", "nestd.db", "raw.db"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(directory, names[i], NULL);
        g_remove(path);
    }
    g_rmdir(directory);
}

static void bench(const char *parent, guint checks, gboolean commits)
{
    g_autofree char *directory = g_build_filename(parent, "bench-store-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    require(g_mkdtemp(directory) != NULL, NULL);
    NestStore *store = nest_store_open(directory, &error);
    require(store != NULL, error);
    if (commits) {
        bench_raw(directory);
        bench_operations(store);
    }
    bench_load(directory, &store, checks);
    nest_store_close(store);
    clear(directory);
}

int main(int argc, char **argv)
{
    const char *parent = argc > 1 ? argv[1] : ".";
    bench(parent, 0, TRUE);
    bench(parent, 5, FALSE);
    bench(parent, 16, FALSE);
    return 0;
}
