/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-remote.h"
#include "nest-commands.h"
#include "nest-error.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ssh gives one line to a shell over there, so each word is quoted for it. */
static char *command_line(GStrv words, gboolean color)
{
    g_autoptr(GString) line = g_string_new("nestctl");
    const NestCommand *command = nest_commands_of_program(words[0]);
    gboolean options = TRUE;
    if (!color)
        g_string_append(line, " --no-color");
    if (command != NULL)
        g_string_append_printf(line, " %s", command->alias);
    for (guint i = 1; words[i] != NULL; i++) {
        options = options && strcmp(words[i], "--") != 0;
        if (options && strcmp(words[i], "--host") == 0 && words[i + 1] != NULL) {
            i++;
            continue;
        }
        if (options && g_str_has_prefix(words[i], "--host="))
            continue;
        g_autofree char *quoted = g_shell_quote(words[i]);
        g_string_append_printf(line, " %s", quoted);
    }
    return g_strdup(line->str);
}

char **nest_remote_command(const char *host, GStrv words, gboolean terminal, gboolean color)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autofree char *line = command_line(words, color);
    g_strv_builder_add(builder, "ssh");
    g_strv_builder_add(builder, terminal ? "-t" : "-T");
    g_strv_builder_add(builder, "--");
    g_strv_builder_add(builder, host);
    g_strv_builder_add(builder, line);
    return g_strv_builder_end(builder);
}

void nest_remote_run(const char *host, GStrv words, gboolean color, GError **error)
{
    if (*host == '\0' || *host == '-') {
        nest_set_error(error, NEST_ERROR_USAGE, "write it like --host user@machine",
            "\"%s\" is no machine", host);
        return;
    }
    gboolean terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    g_auto(GStrv) command = nest_remote_command(host, words, terminal, color);
    execvp(command[0], command);
    nest_set_error(error, NEST_ERROR_UNREACHABLE, "install an ssh client", "ssh can't be run: %s",
        g_strerror(errno));
}
