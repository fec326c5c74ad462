/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* What nestd has Windows do to run a command there. Pure.
 *
 * A script for PowerShell goes as -EncodedCommand, and texts of others in it as base64: nothing of
 * them is ever read as script. It starts the command with both outputs sent to the files 1 and 2 of
 * a folder. */

/* The arguments of powershell.exe that start wish (g_strfreev); folder is nestd's. INVALID_REQUEST:
 * what Windows can't start in this way, or too long for a command line. */
GStrv nest_guest_windows_begin(const char *folder, const NestExecWish *wish, GError **error);

/* A command line that those who take it apart by Microsoft's C runtime read as words. */
char *nest_guest_windows_quote(const char *const *words);

/* The folder for files of the moment, from what "echo %SystemRoot%" printed; NULL: that is none. */
char *nest_guest_windows_temp(const char *printed);
