/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "nest-codec.h"
#include "nest-probe.h"
#include <string.h>

#define SEED 0x1234
#define PASSES_MAX 8
#define MEASURES_MAX 16

static gboolean contains(const char *text, size_t size, const char *part)
{
    return memmem(text, size, part, strlen(part)) != NULL;
}

static void check(const NestVerification *result, const char *text, size_t size)
{
    g_assert(result->code != NULL && result->message != NULL);
    g_assert(g_utf8_validate(result->message, -1, NULL));
    g_assert(result->verified == g_str_equal(result->code, "verified"));
    g_assert(!result->verified || contains(text, size, "code=verified"));
    g_assert(!result->verified || contains(text, size, "seed="));
    g_assert(!result->verified || result->passes->len >= 2);
    g_assert(result->passes->len <= PASSES_MAX && result->measures->len <= MEASURES_MAX);
}

/* Only who computed the answer is believed, and whatever was said can be passed on. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *copy = g_memdup2(data, size);
    const char *text = copy != NULL ? copy : "";
    g_autoptr(NestVerification) result = nest_probe_read(text, size, SEED);
    g_autoptr(NestVerification) other = nest_probe_read(text, size, SEED + 1);
    check(result, text, size);
    g_assert(!result->verified || !other->verified);
    g_autofree char *json = nest_codec_to_text(&nest_verification_record, result);
    g_autoptr(NestVerification) again =
        nest_codec_from_text(&nest_verification_record, json, -1, NEST_CODEC_STRICT, NULL);
    g_assert(again != NULL && again->measures->len == result->measures->len);
    return 0;
}
