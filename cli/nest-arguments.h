/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>
#include <stddef.h>

/* What was given on the command line. All texts are valid UTF-8. */
typedef struct {
    char *socket, *host;
    gboolean json, no_color, help, version;

    gboolean yes, dry_run, no_wait, no_mac_spoofing, no_memory;
    gboolean verbose, follow, keep_disks, force, nested, names, commands, all, failed, close,
        disable, discard_saved_state, offline, disk_only, history, start, reboot;
    char *after, *limit, *timeout, *scope, *to, *reason, *xml, *extension;
    char *memory, *vcpus, *disk, *iso, *kernel, *initrd, *cmdline, *network, *filter, *accel, *by;

    char *input, *cwd, *mode;
    gboolean shell;
    GStrv env;

    GStrv operands; /* never NULL once parsed */
    guint n_operands;
} NestArguments;

typedef struct {
    const char *name; /* without the dashes; NULL ends a list */
    char letter; /* '\0': none */
    size_t offset; /* of a gboolean or, with value, of a char pointer in NestArguments */
    const char *value; /* "SIZE", "auto|kvm|tcg"; NULL for a flag */
    const char *help; /* NULL: not shown */
    gboolean many; /* may be given again: offset is of a GStrv */
} NestOption;

extern const NestOption nest_global_options[];

/* Parses words (words[0] is passed over) with the global options and, where not NULL, more; takes
 * over what it knows. With stop_at_word it stops before the first operand and leaves the rest.
 * *ret_rest are the words left. USAGE. */
gboolean nest_arguments_parse(NestArguments *arguments, const NestOption *more, GStrv words,
    gboolean stop_at_word, GStrv *ret_rest, GError **error);

void nest_arguments_clear(NestArguments *arguments);
