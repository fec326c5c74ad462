/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-help.h"
#include "nest-codec.h"
#include "nest-error.h"
#include <string.h>

#define OPTION_COLUMN 28
#define COMMAND_COLUMN 22

static char *option_text(const NestOption *option)
{
    g_autofree char *value =
        option->value != NULL ? g_strconcat(" ", option->value, NULL) : g_strdup("");
    if (option->letter != '\0')
        return g_strdup_printf("-%c, --%s%s", option->letter, option->name, value);
    return g_strdup_printf("    --%s%s", option->name, value);
}

/* A name and what it means, in two columns, or below each other where the name is too long. */
static void print_pair(NestOutput *output, guint column, const char *name, const char *meaning)
{
    nest_output_text(output, NEST_STYLE_PLAIN, "  ");
    if (nest_output_measure(output, name) + 4 > column) {
        nest_output_line(output, "%s", name);
        nest_output_cell(output, NEST_STYLE_PLAIN, column, "");
    } else {
        nest_output_cell(output, NEST_STYLE_BOLD, column - 2, name);
    }
    nest_output_wrapped(output, NEST_STYLE_PLAIN, column, meaning);
}

static void print_options(NestOutput *output, const NestOption *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        g_autofree char *text = option_text(options);
        print_pair(output, OPTION_COLUMN, text, options->help);
    }
}

static void print_command(NestOutput *output, const NestCommand *command)
{
    g_autofree char *name = g_strjoin(" ", command->verb, command->operands, NULL);
    print_pair(output, COMMAND_COLUMN, g_strchomp(name), command->summary);
}

gboolean nest_help_group(NestOutput *output, const char *word)
{
    g_autofree char *start = g_strconcat(word, " ", NULL), *seconds = nest_commands_group(word);
    if (seconds == NULL || nest_commands_find(word) != NULL)
        return FALSE;
    nest_output_line(output, "nestctl %s COMMAND [OPERAND…]", word);
    nest_output_end(output);
    for (const NestCommand *command = nest_commands; command->verb != NULL; command++)
        if (g_str_has_prefix(command->verb, start))
            print_command(output, command);
    nest_output_end(output);
    nest_output_line(output, "More: nestctl help %s COMMAND, man nestctl", word);
    return TRUE;
}

void nest_help_overview(NestOutput *output)
{
    nest_output_line(output, "nestctl [OPTION…] COMMAND [OPERAND…]");
    nest_output_line(output, "Nested virtualization on KVM: see it, switch it on, prove it.");
    nest_output_end(output);
    for (const NestCommand *command = nest_commands; command->verb != NULL; command++)
        print_command(output, command);
    nest_output_end(output);
    print_options(output, nest_global_options);
    nest_output_end(output);
    nest_output_line(output, "More: nestctl help COMMAND, man nestctl");
}

void nest_help_command(NestOutput *output, const NestCommand *command)
{
    g_auto(GStrv) paragraphs = g_strsplit(command->help, "\n", -1);
    nest_output_text(output, NEST_STYLE_BOLD, "nestctl %s", command->verb);
    nest_output_line(output, "%s%s%s", command->options != NULL ? " [OPTION…]" : "",
        *command->operands != '\0' ? " " : "", command->operands);
    if (command->alias != NULL)
        nest_output_line(output, "Also: %s -VmName VM", command->alias);
    nest_output_end(output);
    for (guint i = 0; paragraphs[i] != NULL; i++)
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, paragraphs[i]);
    if (command->options != NULL) {
        nest_output_end(output);
        print_options(output, command->options);
    }
}

static void list_options(NestOutput *output, const NestOption *options)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (; options != NULL && options->name != NULL; options++) {
        g_string_append_printf(text, "%s--%s", text->len > 0 ? " " : "", options->name);
        if (options->value != NULL)
            g_string_append_printf(text, "=%s", options->value);
        if (options->letter != '\0')
            g_string_append_printf(text, " -%c", options->letter);
    }
    nest_output_text(output, NEST_STYLE_PLAIN, "%s", text->str);
}

void nest_help_commands(NestOutput *output)
{
    nest_output_text(output, NEST_STYLE_PLAIN, "-;;");
    list_options(output, nest_global_options);
    nest_output_line(output, ";nestctl");
    for (const NestCommand *command = nest_commands; command->verb != NULL; command++) {
        nest_output_text(output, NEST_STYLE_PLAIN, "%s;%s;", command->verb, command->operands);
        list_options(output, command->options);
        nest_output_line(output, ";%s", command->summary);
    }
}

static void print_problem_json(NestOutput *output, const GError *error)
{
    g_autoptr(NestProblem) problem = nest_problem_from_error(error);
    g_autoptr(json_t) json =
        json_pack("{s:o}", "problem", nest_codec_encode(&nest_problem_record, problem));
    char *text = json_dumps(json, JSON_COMPACT);
    nest_output_json(output, text);
    free(text);
}

void nest_help_error(NestOutput *output, const GError *error)
{
    NestErrorCode code = nest_error_code(error);
    if (nest_output_is_json(output) && !nest_output_with_json(output))
        print_problem_json(output, error);
    if (code == NEST_ERROR_DECLINED)
        nest_output_note(output, "%s", error->message);
    else if (code != NEST_ERROR_CHECK_FAILED)
        nest_output_error(output, error);
}
