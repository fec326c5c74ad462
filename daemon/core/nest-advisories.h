/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-advisory.h"

/* The advisories that nestd goes by: those that it was built with, and those of a folder of the
 * administrator. Immutable and counted. */
typedef struct {
    GPtrArray *entries; /* NestAdvisory, ordered by id */
    GStrv words; /* of all of them, each once */
    GStrv problems; /* a sentence for each file that was left out */
} NestAdvisories;

/* Reads every *.json of folder, in the order of the names. An entry replaces one of the same id. A
 * file that is wrong is left out as a whole. A folder that is not there is fine. Never fails. */
NestAdvisories *nest_advisories_load(const char *folder);
NestAdvisories *nest_advisories_ref(NestAdvisories *advisories);
void nest_advisories_unref(NestAdvisories *advisories);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestAdvisories, nest_advisories_unref)
