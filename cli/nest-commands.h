/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-cli.h"

/* The table of commands. Parsing, help, completion and the check of the man page come from it. */

typedef gboolean (*NestCommandFunc)(NestCli *cli, GError **error);

typedef enum {
    NEST_COMMAND_PLAIN = 0,
    NEST_COMMAND_CHANGES = 1, /* Ctrl-C is told to it instead of ending nestctl */
    NEST_COMMAND_LOCAL = 2 /* --host does not apply */
} NestCommandFlags;

typedef struct {
    const char *verb; /* one word or two, "host fix"; NULL ends the table */
    const char *alias; /* what people from Hyper-V call it; any case; also as argv[0] */
    const char *operands; /* "VM", "[VM…]", "" */
    guint min, max; /* operands */
    const NestOption *options; /* NULL: none of its own */
    NestCommandFlags flags;
    NestCommandFunc run;
    const char *summary;
    const char *help; /* paragraphs, separated by new lines */
} NestCommand;

extern const NestCommand nest_commands[];

/* By verb, else by alias; NULL where there is none. */
const NestCommand *nest_commands_find(const char *word);

/* The command that words begin with, of one word or two; *ret_used: of how many. NULL where there
 * is none. */
const NestCommand *nest_commands_find_words(GStrv words, guint *ret_used);

/* "fix, history, undo" for "host"; NULL where no verb of two words begins with word. */
char *nest_commands_group(const char *word);

/* Sets error to why words begin with no command. */
void nest_commands_refuse(GStrv words, GError **error);

/* The command whose alias is the name of the program at path, else NULL. */
const NestCommand *nest_commands_of_program(const char *path);

/* Finds the command in words (words[0]: the program) and parses the rest into arguments.
 * *ret_command stays as it is where none is given. USAGE. */
gboolean nest_commands_parse(
    GStrv words, NestArguments *arguments, const NestCommand **ret_command, GError **error);

gboolean nest_command_status(NestCli *cli, GError **error);
gboolean nest_command_check(NestCli *cli, GError **error);
gboolean nest_command_checks(NestCli *cli, GError **error);
gboolean nest_command_explain(NestCli *cli, GError **error);
gboolean nest_command_prove(NestCli *cli, GError **error);
gboolean nest_command_verify(NestCli *cli, GError **error);
gboolean nest_command_list(NestCli *cli, GError **error);
gboolean nest_command_show(NestCli *cli, GError **error);
gboolean nest_command_create(NestCli *cli, GError **error);
gboolean nest_command_start(NestCli *cli, GError **error);
gboolean nest_command_restore(NestCli *cli, GError **error);
gboolean nest_command_shutdown(NestCli *cli, GError **error);
gboolean nest_command_stop(NestCli *cli, GError **error);
gboolean nest_command_reboot(NestCli *cli, GError **error);
gboolean nest_command_reset(NestCli *cli, GError **error);
gboolean nest_command_save(NestCli *cli, GError **error);
gboolean nest_command_pause(NestCli *cli, GError **error);
gboolean nest_command_resume(NestCli *cli, GError **error);
gboolean nest_command_memory(NestCli *cli, GError **error);
gboolean nest_command_checkpoint_create(NestCli *cli, GError **error);
gboolean nest_command_checkpoint_list(NestCli *cli, GError **error);
gboolean nest_command_checkpoint_apply(NestCli *cli, GError **error);
gboolean nest_command_checkpoint_delete(NestCli *cli, GError **error);
gboolean nest_command_exec(NestCli *cli, GError **error);
gboolean nest_command_guest_install(NestCli *cli, GError **error);
gboolean nest_command_guest_info(NestCli *cli, GError **error);
gboolean nest_command_guest_push(NestCli *cli, GError **error);
gboolean nest_command_guest_pull(NestCli *cli, GError **error);
gboolean nest_command_guest_list(NestCli *cli, GError **error);
gboolean nest_command_guest_create_vm(NestCli *cli, GError **error);
gboolean nest_command_guest_start(NestCli *cli, GError **error);
gboolean nest_command_guest_stop(NestCli *cli, GError **error);
gboolean nest_command_guest_delete(NestCli *cli, GError **error);
gboolean nest_command_guest_console(NestCli *cli, GError **error);
gboolean nest_command_tree(NestCli *cli, GError **error);
gboolean nest_command_migrate(NestCli *cli, GError **error);
gboolean nest_command_trust(NestCli *cli, GError **error);
gboolean nest_command_delete(NestCli *cli, GError **error);
gboolean nest_command_enable(NestCli *cli, GError **error);
gboolean nest_command_disable(NestCli *cli, GError **error);
gboolean nest_command_plan(NestCli *cli, GError **error);
gboolean nest_command_guard(NestCli *cli, GError **error);
gboolean nest_command_audit(NestCli *cli, GError **error);
gboolean nest_command_host_fix(NestCli *cli, GError **error);
gboolean nest_command_host_undo(NestCli *cli, GError **error);
gboolean nest_command_host_history(NestCli *cli, GError **error);
gboolean nest_command_history(NestCli *cli, GError **error);
gboolean nest_command_undo(NestCli *cli, GError **error);
gboolean nest_command_operations(NestCli *cli, GError **error);
gboolean nest_command_operation(NestCli *cli, GError **error);
gboolean nest_command_abort(NestCli *cli, GError **error);
gboolean nest_command_events(NestCli *cli, GError **error);
gboolean nest_command_version(NestCli *cli, GError **error);
gboolean nest_command_help(NestCli *cli, GError **error);
