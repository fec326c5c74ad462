/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-record.h"
#include "nest-store-migrate.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* store-driver DIRECTORY [migrate]: does with a store what standard input says, word by word, and
 * tells every step in a line of its own, written before the next one begins:
 *     try WHAT, then ok WHAT [ID], or failed WHAT KIND: MESSAGE
 * With "migrate" the schema has one version more than this program's. */

typedef struct {
    NestStore *store;
    NestIntent *intent; /* begun last */
    guint syncs;
} Driver;

typedef gboolean (*Step)(Driver *driver, gint64 *ret_id, GError **error);

static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    if (write(STDOUT_FILENO, line, strlen(line)) < 0)
        _exit(4);
}

static gboolean begin(Driver *driver, gint64 *ret_id, GError **error)
{
    g_autoptr(NestIntent) intent = g_new0(NestIntent, 1);
    intent->operation = nest_operation_new();
    intent->operation->kind = g_strdup("enable");
    intent->operation->name = g_strdup("DemoVM");
    intent->before_xml = g_strnfill(3000, 'b');
    intent->after_xml = g_strnfill(3000, 'a');
    if (!nest_store_begin_operation(driver->store, intent, error))
        return FALSE;
    *ret_id = intent->operation->id;
    g_clear_pointer(&driver->intent, nest_intent_free);
    driver->intent = g_steal_pointer(&intent);
    return TRUE;
}

static gboolean under_way(Driver *driver, gint64 *ret_id, GError **error)
{
    if (driver->intent == NULL) {
        nest_set_error(error, NEST_ERROR_OPERATION_NOT_FOUND, NULL, "none was begun");
        return FALSE;
    }
    *ret_id = driver->intent->operation->id;
    return TRUE;
}

static gboolean update(Driver *driver, gint64 *ret_id, GError **error)
{
    if (!under_way(driver, ret_id, error))
        return FALSE;
    driver->intent->operation->state = NEST_OP_RUNNING;
    return nest_store_update_operation(driver->store, driver->intent->operation, error);
}

static gboolean finish(Driver *driver, gint64 *ret_id, GError **error)
{
    if (!under_way(driver, ret_id, error))
        return FALSE;
    driver->intent->operation->state = NEST_OP_DONE;
    if (!nest_store_finish_operation(driver->store, driver->intent, error))
        return FALSE;
    g_clear_pointer(&driver->intent, nest_intent_free);
    return TRUE;
}

static gboolean sync_vms(Driver *driver, gint64 *ret_id, GError **error)
{
    g_autofree char *text = g_strdup_printf("%u", driver->syncs + 1);
    NestStoredVm vm = {(char *)"uuid", (char *)"DemoVM", text, text, NULL, NULL};
    g_autoptr(GPtrArray) changed = g_ptr_array_new();
    g_ptr_array_add(changed, &vm);
    if (!nest_store_sync_vms(driver->store, changed, NULL, NULL, error))
        return FALSE;
    *ret_id = ++driver->syncs;
    return TRUE;
}

static gboolean trim(Driver *driver, gint64 *ret_id, GError **error)
{
    return nest_store_trim(driver->store, 1, 1, error);
}

static gboolean dump(Driver *driver, gint64 *ret_id, GError **error)
{
    g_autoptr(GPtrArray) operations = NULL, intents = NULL, vms = NULL;
    gint64 last = 0;
    if (!nest_store_operations(driver->store, 0, G_MAXUINT, &operations, error) ||
        !nest_store_unfinished(driver->store, &intents, error) ||
        !nest_store_vms(driver->store, &vms, error) ||
        !nest_store_last_event(driver->store, &last, error))
        return FALSE;
    for (guint i = 0; i < operations->len; i++) {
        const NestOperation *operation = operations->pdata[i];
        say("operation %" G_GINT64_FORMAT " %s", operation->id,
            nest_nick(nest_operation_state_nicks, operation->state));
    }
    for (guint i = 0; i < intents->len; i++) {
        const NestIntent *intent = intents->pdata[i];
        say("unfinished %" G_GINT64_FORMAT " %s", intent->operation->id,
            intent->before_xml != NULL && intent->after_xml != NULL ? "whole" : "torn");
    }
    for (guint i = 0; i < vms->len; i++)
        say("vm %s", ((NestStoredVm *)vms->pdata[i])->summary);
    say("events %" G_GINT64_FORMAT, last);
    return TRUE;
}

static void run(Driver *driver, const char *word)
{
    static const struct {
        const char *word;
        Step step;
    } steps[] = {
        {"begin", begin},
        {"update", update},
        {"finish", finish},
        {"sync", sync_vms},
        {"trim", trim},
        {"dump", dump},
    };
    g_autoptr(GError) error = NULL;
    gint64 id = 0;
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (strcmp(steps[i].word, word) != 0)
            continue;
        say("try %s", word);
        if (steps[i].step(driver, &id, &error))
            say("ok %s %" G_GINT64_FORMAT, word, id);
        else
            say("failed %s %s: %s", word, nest_error_kind(nest_error_code(error)), error->message);
    }
}

static NestStore *open_migrating(const char *directory, GError **error)
{
    g_auto(GStrv) known = nest_store_migrations(error);
    if (known == NULL)
        return NULL;
    g_autoptr(GPtrArray) more = g_ptr_array_new();
    for (char **sql = known; *sql != NULL; sql++)
        g_ptr_array_add(more, *sql);
    g_ptr_array_add(more,
        (gpointer) "ALTER TABLE vm ADD COLUMN later TEXT; CREATE TABLE later (x INTEGER) STRICT;"
                   "INSERT INTO later SELECT id FROM event");
    g_ptr_array_add(more, NULL);
    return nest_store_open_with(directory, (const char *const *)more->pdata, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Driver driver = {NULL};
    char word[16];
    say("try open");
    driver.store = argc > 2 ? open_migrating(argv[1], &error) : nest_store_open(argv[1], &error);
    if (driver.store == NULL) {
        say("failed open %s: %s", nest_error_kind(nest_error_code(error)), error->message);
        return 3;
    }
    say("ok open");
    while (scanf("%15s", word) == 1)
        run(&driver, word);
    nest_store_close(driver.store);
    nest_intent_free(driver.intent);
    say("ok close");
    return 0;
}
