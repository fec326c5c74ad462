/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <gio/gio.h>

/* The words of QEMU's guest agent for commands and files: as nest-agent.h. */

/* guest-exec of path with arguments. input: base64, NULL none. What it prints is kept by the agent,
 * up to a bound, for its status. */
char *nest_agent_exec_ask(const char *path, const char *const *arguments, const char *input);
gboolean nest_agent_exec_read(const char *answer, gint64 *ret_pid, GError **error);

typedef struct {
    gboolean exited;
    gint64 status;
    guint signal;
    char *said; /* on standard error, for people; NULL nothing */
} NestAgentStatus;

char *nest_agent_exec_ask_status(gint64 pid);
gboolean nest_agent_exec_read_status(
    const char *answer, NestAgentStatus *ret_status, GError **error);

/* What it printed on standard output, of the same answer. More than max bytes are
 * refused, as is what the agent has cut. */
gboolean nest_agent_exec_read_printed(
    const char *answer, gsize max, GBytes **ret_printed, GError **error);

/* mode: as of fopen(). */
char *nest_agent_exec_ask_open(const char *path, const char *mode);
gboolean nest_agent_exec_read_open(const char *answer, gint64 *ret_handle, GError **error);
char *nest_agent_exec_ask_close(gint64 handle);

/* guest-file-read of count bytes at most. */
char *nest_agent_exec_ask_chunk(gint64 handle, guint count);
gboolean nest_agent_exec_read_chunk(
    const char *answer, guint count, GBytes **ret_chunk, gboolean *ret_end, GError **error);

/* guest-file-write, of which at least one byte must have been written, and guest-file-flush. */
char *nest_agent_exec_ask_write(gint64 handle, GBytes *piece);
gboolean nest_agent_exec_read_written(
    const char *answer, gsize length, gsize *ret_written, GError **error);
char *nest_agent_exec_ask_flush(gint64 handle);

/* guest-file-seek; whence: "set", "end". */
char *nest_agent_exec_ask_seek(gint64 handle, guint64 offset, const char *whence);
gboolean nest_agent_exec_read_place(const char *answer, guint64 *ret_place, GError **error);

/* Whether text is base64 as RFC 4648 has it, with its padding; empty text is. */
gboolean nest_agent_exec_is_base64(const char *text);
