/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* What nestd has a guest's shell do, and what that says. Pure.
 *
 * A command is the program and its arguments (g_strfreev). Text of others is always an argument,
 * never part of a script. */

/* ---- a command ---- */

/* Starts wish, with both outputs sent to the files 1 and 2 of folder, which it makes, and in which
 * it says who it is; only what goes wrong before is said where the agent keeps it. */
GStrv nest_guest_shell_begin(const char *folder, const NestExecWish *wish);

/* Sends signal ("TERM") to the group that pid leads, or to pid alone where it leads none. */
GStrv nest_guest_shell_kill(const char *signal, gint64 pid);

/* Takes a folder or the part of a file away. */
GStrv nest_guest_shell_drop(const char *path);

/* The same, and ends the command of the folder where that still runs. Prints something if there was
 * anything. */
GStrv nest_guest_shell_clear(const char *path);

/* ---- a file is put: into a part beside it, which then takes its place ---- */

/* Whether path can be that of a file in a guest, whole from its root or drive: INVALID_REQUEST. */
gboolean nest_guest_shell_check_path(const char *path, GError **error);

/* Whether it can be in Windows; it can't be elsewhere then. */
gboolean nest_guest_shell_is_windows(const char *path);

/* Prints where path leads, if it is a link, and fails if that is nowhere: what takes its place
 * takes that of the file, and the link stays. */
GStrv nest_guest_shell_place(const char *path);

/* The path of the part of path; it ends with mark. */
char *nest_guest_shell_part(const char *path, const char *mark);

/* Makes the part, for root alone, where size bytes fit and path may become a file. */
GStrv nest_guest_shell_prepare(const char *part, const char *path, guint64 size);

/* Looks whether all has arrived, gives the part the mode (octal; NULL: that of the file that it
 * replaces, else 644) and the owner of what it replaces, and renames it. Prints how it looked, and
 * the mode. */
GStrv nest_guest_shell_finish(
    const char *part, const char *path, const char *mode, guint64 size, const char *sha256);

/* What finish printed; file->mode is NULL where the guest has none. FALSE: it is something else. */
gboolean nest_guest_shell_read_finished(const char *printed, NestFile *file);

/* ---- a file is got ---- */

/* Prints size, mode, and the SHA-256 of the first size bytes, as far as they can be told. */
GStrv nest_guest_shell_sum(const char *path, guint64 size);

/* Holds what sum printed beside what was read, file->size and file->sha256: NOT_VERIFIED where it
 * differs; else fills in the rest of file. printed NULL: nothing can be told. */
gboolean nest_guest_shell_compare(const char *printed, NestFile *file, GError **error);
