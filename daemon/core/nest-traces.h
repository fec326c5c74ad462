/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-store.h"

/* What nestd has in guests while it is busy there, and would leave behind if it were killed: the
 * folder of a command with the command that runs, the part of a file. Each is in the store before
 * it is in the guest, and until it is not there any more. All functions are for any thread; traces
 * NULL keeps nothing in mind. */
typedef struct NestTraces NestTraces;

typedef struct {
    char *uuid; /* of the VM */
    char *path; /* in the guest; ends with .nestd- and a mark that no other one has */
    gboolean windows;
    gboolean command; /* a folder, of a command; else a part of a file */
} NestTrace;
void nest_trace_free(NestTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestTrace, nest_trace_free)

/* Says that something was left; any thread. */
typedef void (*NestTracesNotify)(gpointer user_data);

/* All that the store has is left from a nestd that ended. */
NestTraces *nest_traces_load(
    NestStore *store, NestTracesNotify notify, gpointer user_data, GError **error);
void nest_traces_free(NestTraces *traces);

/* Stores trace. Of a path that was begun end must be called. */
gboolean nest_traces_begin(NestTraces *traces, const NestTrace *trace, GError **error);

/* gone: nothing of it is in the guest; else it is left. */
void nest_traces_end(NestTraces *traces, const char *path, gboolean gone);

/* What is left: array of NestTrace that frees its elements. */
GPtrArray *nest_traces_left(NestTraces *traces);

/* Counts a try to take away what is left there. Memory only. */
guint nest_traces_tried(NestTraces *traces, const char *path);
