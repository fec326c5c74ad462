/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-config.h"
#include "nest-error.h"
#include "nest-record.h"
#include <stddef.h>
#include <string.h>

#define DEFAULT_PATH NEST_SYSCONFDIR "/nestd/nestd.conf"

typedef enum { KEY_STRING, KEY_UINT, KEY_LIST, KEY_CHOICE } KeyType;

typedef struct {
    const char *group, *key;
    KeyType type;
    size_t offset;
    const char *value; /* the default, as it is written in the file */
    guint min, max;
    const char *const *choices; /* nicks of an enumeration */
} KeyRow;

#define STRING(group, key, member, value) \
    { \
        group, key, KEY_STRING, offsetof(NestConfig, member), value, 0, 0, NULL \
    }
#define UINT(group, key, member, value, min, max) \
    { \
        group, key, KEY_UINT, offsetof(NestConfig, member), value, min, max, NULL \
    }
#define LIST(group, key, member, value) \
    { \
        group, key, KEY_LIST, offsetof(NestConfig, member), value, 0, 0, NULL \
    }
#define CHOICE(group, key, member, value, choices) \
    { \
        group, key, KEY_CHOICE, offsetof(NestConfig, member), value, 0, 0, choices \
    }

static const char *const switch_nicks[] = {"no", "yes", NULL};
static const char *const unfit_nicks[] = {"flag", "stop", NULL};

static const KeyRow keys[] = {
    STRING("daemon", "socket", socket, ""),
    STRING("daemon", "socket-group", socket_group, "nestd"),
    STRING("daemon", "host-root", host_root, "/"),
    STRING("backend", "uri", backend_uri, "auto"),
    STRING("backend", "qemu-user", qemu_user, "auto"),
    STRING("backend", "qemu-group", qemu_group, "auto"),
    UINT("limits", "connections", connections, "256", 4, 4096),
    UINT("limits", "connections-per-user", connections_per_user, "32", 1, 4096),
    UINT("limits", "operations", operations, "16", 1, 256),
    UINT("timeouts", "shutdown", shutdown_timeout, "90", 1, 3600),
    UINT("timeouts", "boot", boot_timeout, "600", 1, 3600),
    UINT("timeouts", "refresh", refresh, "300", 1, 86400),
    UINT("timeouts", "reply", reply_timeout, "30", 1, 600),
    CHOICE("guard", "parity", parity, "hyperv", nest_parity_nicks),
    UINT("guard", "sample", sample, "5", 1, 300),
    CHOICE("guard", "unfit", unfit, "flag", unfit_nicks),
    CHOICE("guard", "monitor", monitor, "no", switch_nicks),
    CHOICE("policy", "trust-default", trust_default, "trusted", nest_trust_nicks),
    LIST("policy", "allow", allow, "*"),
    STRING("policy", "advisories", advisories, NEST_SYSCONFDIR "/nestd/advisories.d"),
    STRING("policy", "recipes", recipes, NEST_SYSCONFDIR "/nestd/recipes.d"),
    LIST("rights", "view", view, ""),
    LIST("rights", "operate", operate, ""),
    LIST("rights", "manage", manage, "group:nestd"),
    LIST("rights", "admin", admin, "user:root"),
};

static gpointer slot(NestConfig *config, const KeyRow *row)
{
    return (char *)config + row->offset;
}

static void set_string(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static void set_list(GStrv *field, const char *value)
{
    g_strfreev(*field);
    g_auto(GStrv) parts = g_strsplit(value, ";", -1);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; parts[i] != NULL; i++)
        if (*g_strstrip(parts[i]) != '\0')
            g_strv_builder_add(builder, parts[i]);
    *field = g_strv_builder_end(builder);
}

static char *set_choice(guint *field, const char *const *choices, const char *value)
{
    if (nest_nick_parse(choices, value, field))
        return NULL;
    g_autofree char *all = g_strjoinv(", ", (GStrv)choices);
    return g_strdup_printf("one of %s", all);
}

/* NULL if value is fine for row and was set, else what is expected. */
static char *set_value(NestConfig *config, const KeyRow *row, const char *value)
{
    guint64 number;
    switch (row->type) {
    case KEY_STRING:
        set_string(slot(config, row), value);
        return NULL;
    case KEY_LIST:
        set_list(slot(config, row), value);
        return NULL;
    case KEY_UINT:
        if (!g_ascii_string_to_unsigned(value, 10, row->min, row->max, &number, NULL))
            return g_strdup_printf("a number from %u to %u", row->min, row->max);
        *(guint *)slot(config, row) = number;
        return NULL;
    case KEY_CHOICE:
        return set_choice(slot(config, row), row->choices, value);
    }
    return NULL;
}

static const KeyRow *find_key(const char *group, const char *key)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].group, group) == 0 && (key == NULL || strcmp(keys[i].key, key) == 0))
            return &keys[i];
    return NULL;
}

/* The line of text on which [group] (key NULL) or its key stands, 0 where it is not found. */
static guint line_of(const char *text, const char *group, const char *key)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *header = g_strdup_printf("[%s]", group);
    gboolean inside = FALSE;
    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);
        if (*line == '[')
            inside = strcmp(line, header) == 0;
        if (inside && key == NULL)
            return i + 1;
        gsize length = key != NULL ? strlen(key) : 0;
        if (inside && strncmp(line, key, length) == 0 && strspn(line + length, " \t=") > 0)
            return i + 1;
    }
    return 0;
}

typedef struct {
    NestConfig *config;
    const char *path;
    const char *text;
} Reading;

static gboolean refuse(
    const Reading *reading, const char *group, const char *key, const char *reason, GError **error)
{
    nest_set_error(error, NEST_ERROR_CONFIG, "see nestd.conf(5)", "%s:%u: %s", reading->path,
        line_of(reading->text, group, key), reason);
    return FALSE;
}

static gboolean read_key(
    const Reading *reading, GKeyFile *file, const char *group, const char *key, GError **error)
{
    const KeyRow *row = find_key(group, key);
    if (row == NULL) {
        g_autofree char *reason = g_strdup_printf("unknown key \"%s\" in [%s]", key, group);
        return refuse(reading, group, key, reason, error);
    }
    g_autoptr(GError) problem = NULL;
    g_autofree char *value = g_key_file_get_string(file, group, key, &problem);
    if (value == NULL)
        return refuse(reading, group, key, problem->message, error);
    g_autofree char *expected = set_value(reading->config, row, g_strstrip(value));
    if (expected == NULL)
        return TRUE;
    g_autofree char *reason = g_strdup_printf("\"%s\" must be %s", key, expected);
    return refuse(reading, group, key, reason, error);
}

/* A key of [levels] or [ignore …]: the name of a check. */
static gboolean read_judgement(
    const Reading *reading, GKeyFile *file, const char *group, const char *id, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *value = g_key_file_get_string(file, group, id, &problem);
    if (value == NULL)
        return refuse(reading, group, id, problem->message, error);
    NestPolicy *policy = reading->config->policy;
    g_autofree char *wrong = strcmp(group, "levels") == 0
        ? nest_policy_set_level(policy, id, g_strstrip(value))
        : nest_policy_set_ignore(policy, group, id, g_strstrip(value));
    return wrong == NULL || refuse(reading, group, id, wrong, error);
}

static gboolean is_judgement(const char *group)
{
    return strcmp(group, "levels") == 0 || strcmp(group, "ignore") == 0 ||
        g_str_has_prefix(group, "ignore ");
}

static gboolean read_judgements(
    const Reading *reading, GKeyFile *file, const char *group, GError **error)
{
    g_auto(GStrv) ids = g_key_file_get_keys(file, group, NULL, NULL);
    for (guint i = 0; ids != NULL && ids[i] != NULL; i++)
        if (!read_judgement(reading, file, group, ids[i], error))
            return FALSE;
    return TRUE;
}

static gboolean read_group(
    const Reading *reading, GKeyFile *file, const char *group, GError **error)
{
    if (is_judgement(group))
        return read_judgements(reading, file, group, error);
    if (find_key(group, NULL) == NULL) {
        g_autofree char *reason = g_strdup_printf("unknown group [%s]", group);
        return refuse(reading, group, NULL, reason, error);
    }
    g_auto(GStrv) names = g_key_file_get_keys(file, group, NULL, NULL);
    for (guint i = 0; names != NULL && names[i] != NULL; i++)
        if (!read_key(reading, file, group, names[i], error))
            return FALSE;
    return TRUE;
}

static gboolean read_file(NestConfig *config, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) problem = NULL;
    if (!g_file_get_contents(path, &text, &length, &problem)) {
        nest_set_error(error, NEST_ERROR_CONFIG, "give an existing file with --config", "%s",
            problem->message);
        return FALSE;
    }
    if (strlen(text) != length) {
        nest_set_error(error, NEST_ERROR_CONFIG, "see nestd.conf(5)", "%s: not a text", path);
        return FALSE;
    }
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_data(file, text, -1, G_KEY_FILE_NONE, &problem)) {
        nest_set_error(
            error, NEST_ERROR_CONFIG, "see nestd.conf(5)", "%s: %s", path, problem->message);
        return FALSE;
    }
    Reading reading = {config, path, text};
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
    for (guint i = 0; groups[i] != NULL; i++)
        if (!read_group(&reading, file, groups[i], error))
            return FALSE;
    return TRUE;
}

/* systemd may give several directories, separated by colons; the first one is ours. */
static char *directory(const char *variable, const char *otherwise)
{
    const char *value = g_getenv(variable);
    if (value == NULL || *value == '\0')
        return g_strdup(otherwise);
    g_auto(GStrv) parts = g_strsplit(value, ":", 2);
    return g_strdup(parts[0]);
}

static void set_defaults(NestConfig *config)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        g_free(set_value(config, &keys[i], keys[i].value));
    config->state_directory = directory("STATE_DIRECTORY", "/var/lib/nestd");
    config->runtime_directory = directory("RUNTIME_DIRECTORY", "/run/nestd");
}

static gboolean check_absolute(const char *name, const char *path, GError **error)
{
    if (g_path_is_absolute(path))
        return TRUE;
    nest_set_error(
        error, NEST_ERROR_CONFIG, NULL, "%s must be an absolute path, not \"%s\"", name, path);
    return FALSE;
}

NestConfig *nest_config_load(const char *path, GError **error)
{
    g_autoptr(NestConfig) config = g_new0(NestConfig, 1);
    set_defaults(config);
    config->policy = nest_policy_new();
    gboolean given = path != NULL;
    if (!given)
        path = DEFAULT_PATH;
    if ((given || g_file_test(path, G_FILE_TEST_EXISTS)) && !read_file(config, path, error))
        return NULL;
    nest_policy_set_allow(config->policy, (const char *const *)config->allow);
    if (*config->socket == '\0') {
        g_free(config->socket);
        config->socket = g_build_filename(config->runtime_directory, "nestd.sock", NULL);
    }
    if (!check_absolute("socket", config->socket, error) ||
        !check_absolute("host-root", config->host_root, error) ||
        !check_absolute("advisories", config->advisories, error) ||
        !check_absolute("recipes", config->recipes, error) ||
        !check_absolute("STATE_DIRECTORY", config->state_directory, error) ||
        !check_absolute("RUNTIME_DIRECTORY", config->runtime_directory, error))
        return NULL;
    return g_steal_pointer(&config);
}

char *nest_config_describe(void)
{
    GString *text = g_string_new(NULL);
    const char *group = "";
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(group, keys[i].group) != 0)
            g_string_append_printf(text, "%s[%s]\n", i > 0 ? "\n" : "", keys[i].group);
        group = keys[i].group;
        g_string_append_printf(text, "#%s=%s\n", keys[i].key, keys[i].value);
    }
    return g_string_free(text, FALSE);
}

void nest_config_free(NestConfig *config)
{
    if (config == NULL)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].type == KEY_STRING)
            g_free(*(char **)slot(config, &keys[i]));
        if (keys[i].type == KEY_LIST)
            g_strfreev(*(GStrv *)slot(config, &keys[i]));
    }
    nest_policy_free(config->policy);
    g_free(config->state_directory);
    g_free(config->runtime_directory);
    g_free(config);
}
