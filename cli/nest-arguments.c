/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-arguments.h"
#include "nest-commands.h"
#include "nest-error.h"
#include <string.h>

#define FLAG(member, name, letter, help) \
    { \
        name, letter, offsetof(NestArguments, member), NULL, help \
    }
#define VALUE(member, name, letter, value, help) \
    { \
        name, letter, offsetof(NestArguments, member), value, help \
    }

const NestOption nest_global_options[] = {
    VALUE(socket, "socket", '\0', "PATH", "the daemon's socket instead of /run/nestd/nestd.sock"),
    VALUE(host, "host", '\0', "USER@MACHINE", "run this command on another machine, over ssh"),
    FLAG(json, "json", '\0', "print the daemon's answer as JSON"),
    FLAG(no_color, "no-color", '\0', "print without colours"),
    FLAG(help, "help", 'h', "show help"),
    FLAG(version, "version", '\0', "show the versions of nestctl and nestd"),
    {NULL},
};

static guint count(const NestOption *options)
{
    guint n = 0;
    while (options != NULL && options[n].name != NULL)
        n++;
    return n;
}

static void add_entries(GArray *entries, NestArguments *arguments, const NestOption *options)
{
    for (guint i = 0; i < count(options); i++) {
        GOptionEntry entry = {.long_name = options[i].name,
            .short_name = options[i].letter,
            .arg = options[i].many         ? G_OPTION_ARG_FILENAME_ARRAY
                : options[i].value != NULL ? G_OPTION_ARG_FILENAME
                                           : G_OPTION_ARG_NONE,
            .arg_data = (char *)arguments + options[i].offset};
        g_array_append_val(entries, entry);
    }
}

static gboolean check_utf8(GStrv words, GError **error)
{
    for (guint i = 0; words[i] != NULL; i++) {
        if (g_utf8_validate(words[i], -1, NULL))
            continue;
        nest_set_error(error, NEST_ERROR_USAGE, NULL, "argument %u is not valid UTF-8", i);
        return FALSE;
    }
    return TRUE;
}

gboolean nest_arguments_parse(NestArguments *arguments, const NestOption *more, GStrv words,
    gboolean stop_at_word, GStrv *ret_rest, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GArray) entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    if (!check_utf8(words, error))
        return FALSE;
    add_entries(entries, arguments, nest_global_options);
    add_entries(entries, arguments, more);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_strict_posix(context, stop_at_word);
    g_option_context_add_main_entries(context, (const GOptionEntry *)(void *)entries->data, NULL);
    GStrv rest = g_strdupv(words);
    if (!g_option_context_parse_strv(context, &rest, &cause)) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help", "%s", cause->message);
        g_strfreev(rest);
        return FALSE;
    }
    *ret_rest = rest;
    return TRUE;
}

static void clear_options(NestArguments *arguments, const NestOption *options)
{
    for (guint i = 0; i < count(options); i++)
        if (options[i].many)
            g_clear_pointer((GStrv *)(void *)((char *)arguments + options[i].offset), g_strfreev);
        else if (options[i].value != NULL)
            g_clear_pointer((char **)(void *)((char *)arguments + options[i].offset), g_free);
}

void nest_arguments_clear(NestArguments *arguments)
{
    clear_options(arguments, nest_global_options);
    for (const NestCommand *command = nest_commands; command->verb != NULL; command++)
        clear_options(arguments, command->options);
    g_clear_pointer(&arguments->operands, g_strfreev);
}
