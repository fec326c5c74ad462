/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"

/* How the tables of nest-record.h are written, for the files that have them. */

// clang-format off
#define FIELD(Type, member, type, flags) \
    {#member, NEST_FIELD_##type, NEST_FIELD_##flags, offsetof(Type, member), NULL, NULL}
#define NICKS(Type, member, flags, nicks) \
    {#member, NEST_FIELD_ENUM, NEST_FIELD_##flags, offsetof(Type, member), nicks, NULL}
#define NESTED(Type, member, type, flags, of) \
    {#member, NEST_FIELD_##type, NEST_FIELD_##flags, offsetof(Type, member), NULL, &of}
#define RECORD(symbol, Type, label) \
    const NestRecord symbol##_record = \
        {label, sizeof(Type), symbol##_fields, G_N_ELEMENTS(symbol##_fields)}
#define FREE(symbol, Type) \
    void symbol##_free(Type *value) \
    { \
        nest_record_free(&symbol##_record, value); \
    }
// clang-format on
