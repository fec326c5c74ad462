/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Which kernel runs, and what its package says that it mends: what is needed to tell whether a flaw
 * is open that distributions mend without changing the version. Immutable and counted. */

typedef struct {
    char *release; /* "6.1.0-37-amd64" */
    char *version; /* of Linux that it is made of, as far as known: "6.1.187" */
    gboolean exact; /* version tells what is mended: nobody mends without raising it */
    char *distribution; /* "debian", "ubuntu", …: what the kernel says, else ID of os-release */
    char *package; /* the version of the package that runs: "6.1.187-1" */
    gboolean live_patched; /* live patches are loaded */
    char *changelog; /* what was read, NULL where nothing */
    char *changelog_error; /* why not */
    GStrv mentioned; /* which of the words stand in it, up to the build that runs */
    char *key; /* equal where reading again would find the same */
} NestHostKernel;

/* Reads below root, and only where previous (nullable) is outdated, as a changelog is long; else
 * gives previous. words: what to look for in the changelog. Never fails. Blocks for some
 * milliseconds, with a changelog for some tens of them. */
NestHostKernel *nest_host_kernel_read(
    const char *root, const char *const *words, NestHostKernel *previous);
NestHostKernel *nest_host_kernel_ref(NestHostKernel *kernel);
void nest_host_kernel_unref(NestHostKernel *kernel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostKernel, nest_host_kernel_unref)
