/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* What QEMU's command line says of a VM. Pure. Options and their defaults: qemu(1). */

typedef struct {
    char *name; /* NULL: it has none */
    char *pidfile; /* likewise */
    guint64 memory_kib;
    guint vcpus; /* 0: can't be told */
} NestQemuWords;

/* words: the program and its arguments. */
void nest_qemu_words_read(char *const *words, NestQemuWords *ret_said);
void nest_qemu_words_clear(NestQemuWords *said);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestQemuWords, nest_qemu_words_clear)
