/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-prompt.h"
#include "nest-error.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define MAX_ANSWER 1024
#define UNCHANGED "Nothing has been changed."

/* FALSE if Ctrl-C came first. */
static gboolean wait_for_input(GCancellable *cancellable)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = g_cancellable_get_fd(cancellable), .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        continue;
    g_cancellable_release_fd(cancellable);
    return !g_cancellable_is_cancelled(cancellable);
}

/* A line, without buffering what comes after it. FALSE at end of input or Ctrl-C. */
static gboolean read_line(GCancellable *cancellable, GString *line)
{
    char c = '\0';
    while (c != '\n') {
        if (!wait_for_input(cancellable))
            return FALSE;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return FALSE;
        if (line->len < MAX_ANSWER && c != '\0')
            g_string_append_c(line, c);
    }
    return TRUE;
}

char *nest_prompt_ask(NestCli *cli, const char *question, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    if (!nest_output_can_ask(cli->output)) {
        nest_set_error(error, NEST_ERROR_USAGE, "give --yes to do it without asking",
            "there is no terminal to ask on; nothing has been changed");
        return NULL;
    }
    nest_output_text(cli->output, NEST_STYLE_BOLD, "%s", question);
    nest_output_text(cli->output, NEST_STYLE_PLAIN, " ");
    nest_output_flush(cli->output);
    if (!read_line(cli->cancellable, line)) {
        nest_output_end(cli->output);
        nest_set_error(error, NEST_ERROR_DECLINED, NULL, UNCHANGED);
        return NULL;
    }
    return g_strdup(g_strstrip(line->str));
}

static gboolean is_one_of(const char *text, const char *letter, const char *word)
{
    return g_ascii_strcasecmp(text, letter) == 0 || g_ascii_strcasecmp(text, word) == 0;
}

NestAnswer nest_prompt_parse(const char *text, guint n, GArray **ret_numbers)
{
    if (is_one_of(text, "y", "yes"))
        return NEST_ANSWER_YES;
    if (is_one_of(text, "n", "no"))
        return NEST_ANSWER_NO;
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    g_auto(GStrv) words = g_strsplit_set(text, " ,\t", -1);
    for (guint i = 0; words[i] != NULL; i++) {
        guint64 value = 0;
        if (*words[i] == '\0')
            continue;
        if (n == 0 || !g_ascii_string_to_unsigned(words[i], 10, 1, n, &value, NULL))
            return NEST_ANSWER_OTHER;
        guint number = value;
        g_array_append_val(numbers, number);
    }
    if (numbers->len == 0)
        return NEST_ANSWER_OTHER;
    *ret_numbers = g_steal_pointer(&numbers);
    return NEST_ANSWER_NUMBERS;
}

gboolean nest_prompt_confirm(NestCli *cli, const char *question, GError **error)
{
    for (;;) {
        g_autoptr(GArray) numbers = NULL;
        g_autofree char *answer = nest_prompt_ask(cli, question, error);
        if (answer == NULL)
            return FALSE;
        switch (nest_prompt_parse(answer, 0, &numbers)) {
        case NEST_ANSWER_YES:
            return TRUE;
        case NEST_ANSWER_NO:
            nest_set_error(error, NEST_ERROR_DECLINED, NULL, UNCHANGED);
            return FALSE;
        default:
            nest_output_line(cli->output, "Answer Y or N.");
        }
    }
}
