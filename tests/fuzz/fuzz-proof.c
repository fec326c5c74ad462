/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "nest-codec.h"
#include "nest-proof.h"
#include "proof/proof-protocol.h"
#include <string.h>

#define SEED 0x1234

static gboolean contains(const char *text, size_t size, const char *part)
{
    return memmem(text, size, part, strlen(part)) != NULL;
}

/* Only who computed the answer is believed, and whatever was said can be passed on. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_memdup2(data, size);
    g_autoptr(NestProof) proof = nest_proof_read(text != NULL ? text : "", size, SEED);
    g_assert(proof->code != NULL && proof->message != NULL);
    g_assert(proof->proved == g_str_equal(proof->code, "proved"));
    g_assert(!proof->proved || proof->extension != NEST_EXTENSION_NONE);
    g_assert(!proof->proved || contains(text, size, "code=proved"));
    g_assert(!proof->proved || contains(text, size, "seed="));
    g_assert(g_utf8_validate(proof->message, -1, NULL));
    g_autoptr(NestProof) other = nest_proof_read(text != NULL ? text : "", size, SEED + 1);
    g_assert(!proof->proved || !other->proved);
    g_autofree char *json = nest_codec_to_text(&nest_proof_record, proof);
    g_assert(json != NULL);
    return 0;
}
