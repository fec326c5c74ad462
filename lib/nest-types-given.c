/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record-table.h"

const char *const nest_presence_nicks[] = {"unknown", "absent", "present", NULL};
const char *const nest_witness_nicks[] = {"none", "libvirt", "command", "log", "monitor", NULL};
const char *const nest_flaw_nicks[] = {"none", "missing", "unwanted", NULL};

static const NestField nest_given_fields[] = {
    NICKS(NestGiven, extension, OPTIONAL, nest_extension_nicks),
    NICKS(NestGiven, presence, OPTIONAL, nest_presence_nicks),
    NICKS(NestGiven, witness, OPTIONAL, nest_witness_nicks),
    NICKS(NestGiven, flaw, OPTIONAL, nest_flaw_nicks),
    FIELD(NestGiven, since, INT64, OPTIONAL),
};
RECORD(nest_given, NestGiven, "CPU that was given");
FREE(nest_given, NestGiven)
