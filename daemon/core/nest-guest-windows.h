/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* What nestd has Windows do. Pure.
 *
 * A script for PowerShell goes as -EncodedCommand, and texts of others in it as base64: nothing of
 * them is ever read as script. A command is the program and its arguments (g_strfreev). */

/* A script, as base64 and with all around it: what it prints is the last of what it gives, and is
 * UTF-8. Where it ends with an error that is said on standard error, and the exit status is 1. In
 * it (t 'BASE64') is text. */
char *nest_guest_windows_encode(const char *script);
/* The command that runs it. */
GStrv nest_guest_windows_script(const char *script);

/* Starts wish, with both outputs sent to the files 1 and 2 of folder, which it makes, and in which
 * it says who it is. INVALID_REQUEST: what Windows can't start in this way, or too long for a
 * command line. */
GStrv nest_guest_windows_begin(const char *folder, const NestExecWish *wish, GError **error);

/* A command line that those who take it apart by Microsoft's C runtime read as words. */
char *nest_guest_windows_quote(const char *const *words);

/* The folder for files of the moment, from what "echo %SystemRoot%" printed; NULL: that is none. */
char *nest_guest_windows_temp(const char *printed);

/* Prints the folder of Windows. */
GStrv nest_guest_windows_where(void);

/* Kills pid, and all that it has started. */
GStrv nest_guest_windows_kill(gint64 pid);

/* Takes a folder away. */
GStrv nest_guest_windows_drop(const char *folder);

/* Takes a folder or the part of a file away, and ends the command of the folder where that still
 * runs. Prints something if there was anything. */
GStrv nest_guest_windows_clear(const char *path);

/* As those of nest-guest-shell.h; there are no modes, and prepare refuses a link. */
GStrv nest_guest_windows_prepare(const char *part, const char *path, guint64 size);
GStrv nest_guest_windows_finish(
    const char *part, const char *path, const char *mode, guint64 size, const char *sha256);
GStrv nest_guest_windows_sum(const char *path, guint64 size);
