/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-config.h"

/* The files that nestd itself makes for a VM, below the state directory, named by UUID: the disk,
 * and the log of the serial console. Blocks; for workers. */
char *nest_vm_files_disk(const NestConfig *config, const char *uuid);
char *nest_vm_files_console(const NestConfig *config, const char *uuid);

/* A new, sparse qcow2 disk; none must be there. */
gboolean nest_vm_files_make_disk(
    const NestConfig *config, const char *uuid, guint64 bytes, GError **error);

/* An empty console log. */
gboolean nest_vm_files_make_console(const NestConfig *config, const char *uuid, GError **error);

/* Removes what is there. */
gboolean nest_vm_files_remove(
    const NestConfig *config, const char *uuid, gboolean keep_disk, GError **error);

/* Empties console logs of more than 16 MiB: a guest decides what it prints, not how much of the
 * host's disk that takes. */
void nest_vm_files_trim_consoles(const NestConfig *config);
