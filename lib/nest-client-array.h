/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"

/* Private to nest-client*.c: lists of records out of an answer. */

/* An empty array of VM summaries, checks, operations or events that frees its elements. */
GPtrArray *nest_client_array_new(const NestRecord *record);

/* Lists can be long: ten thousand VMs are two megabytes, and one JSON tree of all of that costs
 * more than many small trees, one after the other. So text of the form {"member":[{…},…]} is cut
 * into its elements, which are parsed as strictly as ever. NULL for any other form and for what
 * can't be decoded: then the whole of it is to be parsed, which tells what is wrong. Pure. */
GPtrArray *nest_client_array_cut(
    const NestRecord *record, const char *text, gsize length, const char *member);
