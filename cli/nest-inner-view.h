/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-output.h"
#include "nest-types.h"

/* "512 MiB", "?" where it is not known; the same for vCPUs. */
char *nest_inner_view_memory(guint64 kib);
char *nest_inner_view_vcpus(guint vcpus);

/* Each of texts in a line of its own, after the name of whom it is about (NULL: nobody). */
void nest_inner_view_remarks(NestOutput *output, NestStyle style, const char *about, GStrv texts);
void nest_inner_view_remark(
    NestOutput *output, NestStyle style, const char *about, const char *text);
