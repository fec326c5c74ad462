/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-control.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum {
    ACTION_FAIL,
    ACTION_AFTER,
    ACTION_HANG,
    ACTION_CRASH_BEFORE,
    ACTION_CRASH_AFTER,
    ACTION_DELAY,
    ACTION_TAMPER
} Action;

typedef struct {
    char *line;
    char *slot; /* "define" or "define@DemoVM" */
    guint first, last;
    Action action;
    NestErrorCode code;
    char *argument;
} Rule;

struct NestFakeControl {
    GMutex lock;
    char *path;
    struct stat seen;
    GPtrArray *rules; /* Rule */
    GHashTable *settings;
    GHashTable *counts; /* slot as in a rule → number of calls */
    int calls_fd;
    guint calls;
};

static const char *const slot_names[] = {"open", "caps", "list", "read", "check", "define",
    "undefine", "start", "shutdown", "stop", "save", "drop_saved_state", "pause", "resume",
    "set_memory", "checkpoints", "checkpoint", "apply_checkpoint", "delete_checkpoint", "wait_off",
    "sample", "load", "unload", "put_file", "set_access", "set_link", "boot", "agent", "migrate",
    "restart", NULL};

/* Rules that begin with a verb; all others begin with the slot. */
static const struct {
    const char *verb;
    Action action;
    const char *argument; /* the default; NULL: none is needed */
} verbs[] = {
    {"crash-before", ACTION_CRASH_BEFORE, NULL},
    {"crash-after", ACTION_CRASH_AFTER, NULL},
    {"delay", ACTION_DELAY, "10"},
    {"tamper", ACTION_TAMPER, " check='full'=>"},
};

static void rule_free(gpointer data)
{
    Rule *rule = data;
    g_free(rule->line);
    g_free(rule->slot);
    g_free(rule->argument);
    g_free(rule);
}

void nest_fake_verdict_clear(NestFakeVerdict *verdict)
{
    g_free(verdict->message);
    g_free(verdict->tamper);
}

static gboolean parse_slot(Rule *rule, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", 2);
    rule->slot = g_strdup(text);
    return parts[0] != NULL && g_strv_contains(slot_names, parts[0]);
}

static gboolean parse_nth(Rule *rule, const char *text)
{
    char *end = NULL;
    rule->first = 1;
    rule->last = G_MAXUINT;
    if (strcmp(text, "*") == 0)
        return TRUE;
    rule->first = (guint)strtoul(text, &end, 10);
    if (strcmp(end, "+") != 0)
        rule->last = rule->first;
    return rule->first > 0 && (*end == '\0' || strcmp(end, "+") == 0);
}

static gboolean parse_code(const char *text, NestErrorCode *ret_code)
{
    g_autofree char *kind = g_ascii_strdown(text, -1);
    g_strdelimit(kind, "_", '-');
    *ret_code = nest_error_from_kind(kind);
    return strcmp(nest_error_kind(*ret_code), kind) == 0;
}

static gboolean parse_action(Rule *rule, const char *text)
{
    rule->code = NEST_ERROR_HYPERVISOR;
    if (strcmp(text, "after") == 0)
        rule->action = ACTION_AFTER;
    else if (strcmp(text, "hang") == 0)
        rule->action = ACTION_HANG;
    else
        return parse_code(text, &rule->code);
    return TRUE;
}

static gboolean parse_rule(Rule *rule)
{
    g_auto(GStrv) parts = g_strsplit(rule->line, ":", 4);
    if (g_strv_length(parts) < 3)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(parts[0], verbs[i].verb) != 0)
            continue;
        rule->action = verbs[i].action;
        rule->argument = g_strdup(parts[3] != NULL ? parts[3] : verbs[i].argument);
        return parse_slot(rule, parts[1]) && parse_nth(rule, parts[2]);
    }
    rule->argument = g_strdup(parts[3]);
    return parse_slot(rule, parts[0]) && parse_nth(rule, parts[1]) && parse_action(rule, parts[2]);
}

static void take_line(NestFakeControl *control, const char *text)
{
    g_autofree char *line = g_strstrip(g_strdup(text));
    if (*line == '\0' || *line == '#')
        return;
    if (g_str_has_prefix(line, "set:")) {
        g_auto(GStrv) parts = g_strsplit(line, ":", 3);
        g_hash_table_insert(control->settings, g_strdup(parts[1]), g_strdup(parts[2]));
        return;
    }
    Rule *rule = g_new0(Rule, 1);
    rule->line = g_steal_pointer(&line);
    if (!parse_rule(rule))
        g_error("%s: can't understand \"%s\"", control->path, rule->line);
    g_ptr_array_add(control->rules, rule);
}

/* Called with the lock held. */
static void refresh(NestFakeControl *control)
{
    struct stat now = {0};
    g_autofree char *text = NULL;
    if (control->path == NULL || (stat(control->path, &now) < 0 && control->seen.st_ino == 0))
        return;
    if (now.st_ino == control->seen.st_ino && now.st_size == control->seen.st_size &&
        memcmp(&now.st_mtim, &control->seen.st_mtim, sizeof now.st_mtim) == 0)
        return;
    control->seen = now;
    g_ptr_array_set_size(control->rules, 0);
    g_hash_table_remove_all(control->settings);
    if (!g_file_get_contents(control->path, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        take_line(control, lines[i]);
}

static guint count(NestFakeControl *control, const char *slot, const char *vm)
{
    char *key = vm != NULL ? g_strconcat(slot, "@", vm, NULL) : g_strdup(slot);
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(control->counts, key)) + 1;
    g_hash_table_insert(control->counts, key, GUINT_TO_POINTER(n));
    return n;
}

static void count_earlier_calls(NestFakeControl *control, const char *path)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", 4);
        if (g_strv_length(words) < 4 || strcmp(words[0], ">") != 0)
            continue;
        count(control, words[2], NULL);
        count(control, words[2], words[3]);
        control->calls++;
    }
}

NestFakeControl *nest_fake_control_new(const char *path, const char *calls, gboolean count_all)
{
    NestFakeControl *control = g_new0(NestFakeControl, 1);
    g_mutex_init(&control->lock);
    control->path = g_strdup(path);
    control->rules = g_ptr_array_new_with_free_func(rule_free);
    control->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    control->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    control->calls_fd = -1;
    if (calls != NULL && count_all)
        count_earlier_calls(control, calls);
    if (calls != NULL)
        control->calls_fd = open(calls, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return control;
}

void nest_fake_control_free(NestFakeControl *control)
{
    g_ptr_array_unref(control->rules);
    g_hash_table_unref(control->settings);
    g_hash_table_unref(control->counts);
    if (control->calls_fd >= 0)
        close(control->calls_fd);
    g_free(control->path);
    g_mutex_clear(&control->lock);
    g_free(control);
}

G_GNUC_PRINTF(2, 3)
static void record(NestFakeControl *control, const char *format, ...)
{
    va_list arguments;
    if (control->calls_fd < 0)
        return;
    va_start(arguments, format);
    g_autofree char *line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (write(control->calls_fd, line, strlen(line)) < 0)
        g_error("the calls file can't be written: %s", g_strerror(errno));
}

static void strike(const Rule *rule, NestFakeVerdict *verdict)
{
    switch (rule->action) {
    case ACTION_FAIL:
    case ACTION_AFTER:
        if (verdict->fail_before || verdict->fail_after)
            return;
        verdict->fail_before = rule->action == ACTION_FAIL;
        verdict->fail_after = rule->action == ACTION_AFTER;
        verdict->code = rule->code;
        verdict->message = g_strdup(rule->argument ? rule->argument : "injected failure");
        break;
    case ACTION_HANG:
        verdict->hang = TRUE;
        break;
    case ACTION_CRASH_BEFORE:
        verdict->crash_before = TRUE;
        break;
    case ACTION_CRASH_AFTER:
        verdict->crash_after = TRUE;
        break;
    case ACTION_DELAY:
        verdict->delay_ms = MAX(verdict->delay_ms, (guint)strtoul(rule->argument, NULL, 10));
        break;
    case ACTION_TAMPER:
        if (verdict->tamper == NULL)
            verdict->tamper = g_strdup(rule->argument);
        break;
    }
}

/* Which call this one is for rule, from 1; 0 if rule is about others. */
static guint number_for(const Rule *rule, const NestFakeVerdict *verdict, const char *slot,
    const char *uuid, const char *name)
{
    const char *vm = strchr(rule->slot, '@');
    gsize length = vm != NULL ? (gsize)(vm - rule->slot) : strlen(rule->slot);
    if (strncmp(rule->slot, slot, length) != 0 || slot[length] != '\0')
        return 0;
    if (vm == NULL)
        return verdict->nth;
    if (g_strcmp0(vm + 1, uuid) == 0)
        return verdict->nth_of_uuid;
    return g_strcmp0(vm + 1, name) == 0 ? verdict->nth_of_name : 0;
}

static gboolean is_about(const Rule *rule, guint number)
{
    return number >= rule->first && number <= rule->last;
}

void nest_fake_control_begin(NestFakeControl *control, const char *slot, const char *uuid,
    const char *name, NestFakeVerdict *ret_verdict)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&control->lock);
    ret_verdict->nth = count(control, slot, NULL);
    if (uuid != NULL)
        ret_verdict->nth_of_uuid = count(control, slot, uuid);
    if (name != NULL)
        ret_verdict->nth_of_name = count(control, slot, name);
    ret_verdict->number = ++control->calls;
    record(control, "> %u %s %s\n", ret_verdict->number, slot, uuid != NULL ? uuid : "-");
    refresh(control); /* after that: what is not recorded yet will see rules that are there now */
    for (guint i = 0; i < control->rules->len; i++) {
        const Rule *rule = g_ptr_array_index(control->rules, i);
        if (!is_about(rule, number_for(rule, ret_verdict, slot, uuid, name)))
            continue;
        record(control, "! %s\n", rule->line);
        strike(rule, ret_verdict);
    }
}

void nest_fake_control_ended(NestFakeControl *control, const NestFakeVerdict *verdict,
    const char *slot, const char *uuid, const GError *error)
{
    record(control, "< %u %s %s %s\n", verdict->number, slot, uuid != NULL ? uuid : "-",
        error != NULL ? nest_error_kind(nest_error_code(error)) : "ok");
}

gboolean nest_fake_control_hangs(NestFakeControl *control, const NestFakeVerdict *verdict,
    const char *slot, const char *uuid, const char *name)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&control->lock);
    refresh(control);
    for (guint i = 0; i < control->rules->len; i++) {
        const Rule *rule = g_ptr_array_index(control->rules, i);
        if (rule->action == ACTION_HANG &&
            is_about(rule, number_for(rule, verdict, slot, uuid, name)))
            return TRUE;
    }
    return FALSE;
}

char *nest_fake_control_setting(NestFakeControl *control, const char *key)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&control->lock);
    refresh(control);
    return g_strdup(g_hash_table_lookup(control->settings, key));
}
