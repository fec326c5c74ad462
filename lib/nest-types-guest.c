/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record-table.h"

const char *const nest_guest_family_nicks[] = {"unknown", "linux", "windows", "other", NULL};

static const NestField nest_guest_fields[] = {
    FIELD(NestGuest, agent_version, STRING, OPTIONAL),
    NICKS(NestGuest, family, OPTIONAL, nest_guest_family_nicks),
    FIELD(NestGuest, os_id, STRING, OPTIONAL),
    FIELD(NestGuest, os, STRING, OPTIONAL),
    FIELD(NestGuest, kernel, STRING, OPTIONAL),
    FIELD(NestGuest, machine, STRING, OPTIONAL),
    FIELD(NestGuest, exec, BOOL, OPTIONAL),
    FIELD(NestGuest, blocked, STRV, OPTIONAL),
    FIELD(NestGuest, blocked_setting, STRING, OPTIONAL),
};
RECORD(nest_guest, NestGuest, "guest");

FREE(nest_guest, NestGuest)
