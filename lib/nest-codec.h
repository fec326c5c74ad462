/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"
#include <jansson.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/* Records to JSON and back. Encoding writes every field; unset strings and records are null.
 *
 * Decoding errors are NEST_ERROR_INVALID_REQUEST and name the field. STRICT refuses unknown
 * fields (requests); LENIENT passes over them (answers of a newer daemon). A field that is absent
 * or null keeps its zero value, unless it is required. Duplicate keys are refused in text. */
typedef enum { NEST_CODEC_STRICT, NEST_CODEC_LENIENT } NestCodecMode;

json_t *nest_codec_encode(const NestRecord *record, gconstpointer value);
gpointer nest_codec_decode(
    const NestRecord *record, json_t *json, NestCodecMode mode, GError **error);

/* The same from and to compact text; length -1 where text ends with NUL. */
char *nest_codec_to_text(const NestRecord *record, gconstpointer value);
gpointer nest_codec_from_text(
    const NestRecord *record, const char *text, gssize length, NestCodecMode mode, GError **error);

/* An array of records (array of struct pointers) as JSON. */
json_t *nest_codec_encode_array(const NestRecord *record, const GPtrArray *values);

/* Parses text strictly: no duplicate keys, no trailing bytes. */
json_t *nest_codec_parse(const char *text, gssize length, GError **error);
