/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-verdicts.h"
#include "nest-record.h"
#include <string.h>

#define LETTERS "pi-uwf" /* by NestVerdict */
#define IGNORED 'x'
#define ABSENT ' '

static char letter_of(const NestCheck *check)
{
    return check->ignored != NULL ? IGNORED : LETTERS[check->verdict];
}

char *nest_verdicts_letters(const GPtrArray *checks)
{
    char *letters = g_malloc0(checks->len + 1);
    for (guint i = 0; i < checks->len; i++)
        letters[i] = letter_of(g_ptr_array_index(checks, i));
    return letters;
}

/* known: id → letter */
static char *arrange(GHashTable *known, const GPtrArray *checks)
{
    char *letters = g_malloc0(checks->len + 1);
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        int letter = GPOINTER_TO_INT(g_hash_table_lookup(known, check->id));
        letters[i] = letter != 0 ? (char)letter : ABSENT;
    }
    return letters;
}

char *nest_verdicts_align(const GPtrArray *old, const GPtrArray *checks)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < old->len; i++) {
        const NestCheck *check = g_ptr_array_index(old, i);
        g_hash_table_insert(known, check->id, GINT_TO_POINTER(letter_of(check)));
    }
    return arrange(known, checks);
}

static gboolean is_of_concern(char letter)
{
    return letter == LETTERS[NEST_VERDICT_UNKNOWN] || letter == LETTERS[NEST_VERDICT_WARN] ||
        letter == LETTERS[NEST_VERDICT_FAIL];
}

static gboolean counts(char letter)
{
    return letter != IGNORED && letter != ABSENT;
}

GArray *nest_verdicts_changes(const char *before, const char *after)
{
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; before[i] != '\0' && after[i] != '\0'; i++)
        if (before[i] != after[i] && counts(before[i]) && counts(after[i]) &&
            (is_of_concern(before[i]) || is_of_concern(after[i])))
            g_array_append_val(changes, i);
    return changes;
}

static const char *word_of(char letter)
{
    const char *place = letter != '\0' ? strchr(LETTERS, letter) : NULL;
    return place != NULL ? nest_nick(nest_verdict_nicks, place - LETTERS) : "ignored";
}

NestEvent *nest_verdicts_event(
    const char *uuid, const char *name, char before, const NestCheck *check)
{
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup("check-changed");
    event->uuid = g_strdup(uuid);
    event->name = g_strdup(name);
    event->message = g_strdup_printf("%s%s%s went from %s to %s: %s", name != NULL ? name : "",
        name != NULL ? ": " : "", check->id, word_of(before), word_of(letter_of(check)),
        check->message != NULL ? check->message : check->title);
    return event;
}

char *nest_verdicts_to_text(const GPtrArray *checks, const char *letters)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < checks->len && letters[i] != '\0'; i++)
        g_string_append_printf(
            text, "%s %c\n", ((const NestCheck *)g_ptr_array_index(checks, i))->id, letters[i]);
    return g_strdup(text->str);
}

char *nest_verdicts_from_text(const char *text, const GPtrArray *checks)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *blank = strchr(lines[i], ' ');
        if (blank != NULL && blank[1] != '\0')
            g_hash_table_replace(
                known, g_strndup(lines[i], blank - lines[i]), GINT_TO_POINTER(blank[1]));
    }
    return arrange(known, checks);
}
