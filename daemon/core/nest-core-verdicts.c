/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-host-snapshot.h"
#include "nest-verdicts.h"

/* Telling of checks whose verdict changed, also while nestd was not there: what was last known of
 * VMs is in the store, and so are the last verdicts of the host. */

#define SETTING "host-verdicts"
#define TOLD_MAX 50

void nest_core_note_verdicts(
    const NestVmCard *card, const char *before, guint *told, GPtrArray *events)
{
    if (before == NULL || card->verdicts == NULL)
        return;
    g_autoptr(GArray) changes = nest_verdicts_changes(before, card->verdicts);
    guint from = *told;
    *told += changes->len;
    if (changes->len == 0 || from >= TOLD_MAX)
        return;
    g_autoptr(NestVm) vm =
        nest_codec_from_text(&nest_vm_record, card->text, -1, NEST_CODEC_LENIENT, NULL);
    for (guint i = 0; vm != NULL && i < changes->len && from + i < TOLD_MAX; i++) {
        guint place = g_array_index(changes, guint, i);
        if (place < vm->checks->len)
            g_ptr_array_add(events,
                nest_verdicts_event(
                    card->uuid, card->name, before[place], g_ptr_array_index(vm->checks, place)));
    }
}

void nest_core_sum_verdicts_up(guint told, GPtrArray *events)
{
    if (told <= TOLD_MAX)
        return;
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup("check-changed");
    event->message = g_strdup_printf(
        "%u more checks of virtual machines changed: nestctl status shows them", told - TOLD_MAX);
    g_ptr_array_add(events, event);
}

/* ---- the host ---- */

typedef struct {
    NestCore *core;
    GPtrArray *events;
    char *text;
} HostNote;

static void note_work(gpointer data)
{
    g_autofree HostNote *note = data;
    g_autoptr(GError) error = NULL;
    const NestStoreSetting settings[] = {{SETTING, note->text}, {NULL, NULL}};
    if (!nest_store_note(note->core->store, settings, note->events, &error))
        g_warning("what changed of the host is not stored: %s", error->message);
    g_ptr_array_unref(note->events);
    g_free(note->text);
}

gboolean nest_core_recall_verdicts(NestCore *core, GError **error)
{
    return nest_store_get_setting(core->store, SETTING, &core->host_verdicts, error);
}

/* While the hypervisor is not open, what it would be asked for is as it was. */
static void keep_unknown(const char *before, char *after)
{
    for (guint i = 0; before != NULL && after[i] != '\0'; i++)
        if (after[i] == 'u' && before[i] != ' ')
            after[i] = before[i];
}

void nest_core_note_host(NestCore *core, const NestHost *host)
{
    g_autofree char *before = core->host_verdicts != NULL
        ? nest_verdicts_from_text(core->host_verdicts, host->checks)
        : NULL;
    g_autofree char *after = nest_verdicts_letters(host->checks);
    if (core->host->caps == NULL)
        keep_unknown(before, after);
    g_autofree char *text = nest_verdicts_to_text(host->checks, after);
    if (g_strcmp0(text, core->host_verdicts) == 0)
        return;
    HostNote *note = g_new0(HostNote, 1);
    note->core = core;
    note->events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    if (before != NULL) {
        g_autoptr(GArray) changes = nest_verdicts_changes(before, after);
        for (guint i = 0; i < changes->len; i++) {
            guint place = g_array_index(changes, guint, i);
            g_ptr_array_add(note->events,
                nest_verdicts_event(
                    NULL, host->name, before[place], g_ptr_array_index(host->checks, place)));
        }
    }
    note->text = g_strdup(text);
    g_free(core->host_verdicts);
    core->host_verdicts = g_steal_pointer(&text);
    nest_core_push(core, core->scribe, note_work, note);
}
