/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"

/* How the shapes of the agent's answers are written, for the nest-agent*.c files. */

// clang-format off
#define ROW(Type, member, name, type, flags, of) \
    {name, NEST_FIELD_##type, NEST_FIELD_##flags, offsetof(Type, member), NULL, of}
#define SHAPE(symbol, Type, label) \
    static const NestRecord symbol##_record = \
        {label, sizeof(Type), symbol##_fields, G_N_ELEMENTS(symbol##_fields)}
// clang-format on

/* The value of shape below "return". GUEST_AGENT where there is none. */
gpointer nest_agent_shape_read(const NestRecord *shape, const char *answer, GError **error);

/* The number that "return" is. */
gboolean nest_agent_shape_number(
    const char *label, const char *answer, gint64 *ret_number, GError **error);
