/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include <string.h>

const NestCommand *nest_commands_find(const char *word)
{
    for (const NestCommand *command = nest_commands; command->verb != NULL; command++)
        if (strcmp(command->verb, word) == 0 ||
            (command->alias != NULL && g_ascii_strcasecmp(command->alias, word) == 0))
            return command;
    return NULL;
}

const NestCommand *nest_commands_find_words(GStrv words, guint *ret_used)
{
    g_autofree char *both =
        words[0] != NULL && words[1] != NULL ? g_strjoin(" ", words[0], words[1], NULL) : NULL;
    const NestCommand *command = both != NULL ? nest_commands_find(both) : NULL;
    *ret_used = command != NULL ? 2 : 1;
    return command != NULL || words[0] == NULL ? command : nest_commands_find(words[0]);
}

char *nest_commands_group(const char *word)
{
    g_autofree char *start = g_strconcat(word, " ", NULL);
    g_autoptr(GString) seconds = g_string_new(NULL);
    for (const NestCommand *command = nest_commands; command->verb != NULL; command++)
        if (g_str_has_prefix(command->verb, start))
            g_string_append_printf(
                seconds, "%s%s", seconds->len > 0 ? ", " : "", command->verb + strlen(start));
    return seconds->len > 0 ? g_strdup(seconds->str) : NULL;
}

void nest_commands_refuse(GStrv words, GError **error)
{
    g_autofree char *seconds = nest_commands_group(words[0]);
    if (seconds == NULL) {
        nest_set_error(
            error, NEST_ERROR_USAGE, "nestctl help", "there is no command \"%s\"", words[0]);
    } else {
        g_autofree char *next = g_strdup_printf("nestctl help %s", words[0]);
        nest_set_error(error, NEST_ERROR_USAGE, next, "%s needs one of: %s", words[0], seconds);
    }
}

/* PowerShell's way to say the same: -VmName X, -VmName:X, -WhatIf, -Confirm:$false. */
static GStrv translate(GStrv words)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (; *words != NULL; words++) {
        if (g_ascii_strncasecmp(*words, "-VmName:", 8) == 0)
            g_strv_builder_add(builder, *words + 8);
        else if (g_ascii_strcasecmp(*words, "-WhatIf") == 0)
            g_strv_builder_add(builder, "--dry-run");
        else if (g_ascii_strcasecmp(*words, "-Confirm:$false") == 0)
            g_strv_builder_add(builder, "--yes");
        else if (g_ascii_strcasecmp(*words, "-VmName") != 0)
            g_strv_builder_add(builder, *words);
    }
    return g_strv_builder_end(builder);
}

static gboolean wrong_operands(const NestCommand *command, GError **error)
{
    g_autofree char *next = g_strdup_printf("nestctl help %s", command->verb);
    if (command->max == 0)
        nest_set_error(error, NEST_ERROR_USAGE, next, "%s takes no operands", command->verb);
    else
        nest_set_error(
            error, NEST_ERROR_USAGE, next, "%s needs %s", command->verb, command->operands);
    return FALSE;
}

/* Parses words after the verb, which takes the place of the program's name. */
static gboolean parse_command(
    const NestCommand *command, GStrv words, NestArguments *arguments, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_auto(GStrv) rest = NULL;
    if (!nest_arguments_parse(arguments, command->options, words, FALSE, &rest, &cause)) {
        g_autofree char *next = g_strdup_printf("nestctl help %s", command->verb);
        nest_set_error(error, NEST_ERROR_USAGE, next, "%s", cause->message);
        return FALSE;
    }
    guint skip = g_strv_length(rest) > 1 && strcmp(rest[1], "--") == 0 ? 2 : 1;
    arguments->operands = g_strdupv(rest + MIN(skip, g_strv_length(rest)));
    arguments->n_operands = g_strv_length(arguments->operands);
    if (arguments->help)
        return TRUE;
    if (arguments->n_operands < command->min || arguments->n_operands > command->max)
        return wrong_operands(command, error);
    return TRUE;
}

const NestCommand *nest_commands_of_program(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    const NestCommand *command = nest_commands_find(name);
    return command != NULL && command->alias != NULL &&
            g_ascii_strcasecmp(command->alias, name) == 0
        ? command
        : NULL;
}

static gboolean parse_alias(
    const NestCommand *command, GStrv words, NestArguments *arguments, GError **error)
{
    g_auto(GStrv) translated = translate(words);
    return parse_command(command, translated, arguments, error);
}

/* "guest --help" is "help guest". */
static gboolean asks_for_group(GStrv words, NestArguments *arguments)
{
    g_autofree char *seconds = nest_commands_group(words[0]);
    gboolean asks = seconds != NULL && words[1] != NULL &&
        (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
    if (asks) {
        arguments->operands = g_strdupv((char *[]){words[0], NULL});
        arguments->n_operands = 1;
    }
    return asks;
}

gboolean nest_commands_parse(
    GStrv words, NestArguments *arguments, const NestCommand **ret_command, GError **error)
{
    g_auto(GStrv) rest = NULL;
    const NestCommand *command = nest_commands_of_program(words[0]);
    if (command != NULL) {
        *ret_command = command;
        return parse_alias(command, words, arguments, error);
    }
    if (!nest_arguments_parse(arguments, NULL, words, TRUE, &rest, error))
        return FALSE;
    if (g_strv_length(rest) < 2)
        return TRUE;
    guint used = 0;
    command = nest_commands_find_words(rest + 1, &used);
    if (command == NULL && asks_for_group(rest + 1, arguments)) {
        *ret_command = nest_commands_find("help");
        return TRUE;
    }
    if (command == NULL) {
        nest_commands_refuse(rest + 1, error);
        return FALSE;
    }
    gboolean alias = used == 1 && strcmp(command->verb, rest[1]) != 0;
    *ret_command = command;
    return alias ? parse_alias(command, rest + used, arguments, error)
                 : parse_command(command, rest + used, arguments, error);
}
