/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof-history.h"
#include "nest-codec.h"
#include "nest-record-table.h"
#include <string.h>

#define SLOWER 2

typedef struct {
    GPtrArray *proofs;
} History;

static const NestField history_fields[] = {
    NESTED(History, proofs, RECORDS, OPTIONAL, nest_proof_record),
};
static RECORD(history, History, "history of proofs");

static void free_proof(gpointer proof)
{
    nest_proof_free(proof);
}

char *nest_proof_history_setting(NestAccel accel)
{
    return g_strconcat("proofs-", nest_nick(nest_accel_nicks, accel), NULL);
}

GPtrArray *nest_proof_history_load(NestStore *store, NestAccel accel)
{
    g_autofree char *key = nest_proof_history_setting(accel);
    g_autofree char *text = NULL;
    GPtrArray *proofs = g_ptr_array_new_with_free_func(free_proof);
    if (!nest_store_get_setting(store, key, &text, NULL) || text == NULL)
        return proofs;
    History *history = nest_codec_from_text(&history_record, text, -1, NEST_CODEC_LENIENT, NULL);
    for (guint i = 0; history != NULL && i < history->proofs->len; i++)
        g_ptr_array_add(
            proofs, nest_record_copy(&nest_proof_record, g_ptr_array_index(history->proofs, i)));
    nest_record_free(&history_record, history);
    return proofs;
}

char *nest_proof_history_to_text(const GPtrArray *proofs)
{
    const History history = {(GPtrArray *)proofs};
    return nest_codec_to_text(&history_record, &history);
}

/* What the cost depends on is the same. What was kept before builds were is of any. */
static gboolean same_base(const NestProof *a, const NestProof *b)
{
    if (a->accel == NEST_ACCEL_TCG)
        return g_strcmp0(a->qemu_version, b->qemu_version) == 0;
    return g_strcmp0(a->kernel, b->kernel) == 0 &&
        (a->kernel_build == NULL || b->kernel_build == NULL ||
            g_str_equal(a->kernel_build, b->kernel_build));
}

static guint count_base(const GPtrArray *proofs, const NestProof *like)
{
    guint n = 0;
    for (guint i = 0; i < proofs->len; i++)
        n += same_base(g_ptr_array_index(proofs, i), like);
    return n;
}

static guint find_superfluous(const GPtrArray *proofs)
{
    guint at = 0, most = 0;
    for (guint i = 0; i < proofs->len; i++) {
        guint n = count_base(proofs, g_ptr_array_index(proofs, i));
        at = n > most ? i : at;
        most = MAX(most, n);
    }
    return at;
}

void nest_proof_history_add(GPtrArray *proofs, const NestProof *proof)
{
    NestProof *kept = nest_record_copy(&nest_proof_record, proof);
    g_clear_pointer(&kept->capabilities, g_strfreev);
    g_clear_pointer(&kept->missing, g_strfreev);
    for (guint i = kept->passes->len; i > 0; i--)
        nest_proof_pass_free(g_ptr_array_remove_index(kept->passes, i - 1));
    g_ptr_array_add(proofs, kept);
    while (proofs->len > NEST_PROOF_HISTORY_MAX)
        g_ptr_array_remove_index(proofs, find_superfluous(proofs));
}

static guint64 cost_of(const NestProof *proof, const NestProofExit *like)
{
    for (guint i = 0; proof->proved && i < proof->exits->len; i++) {
        const NestProofExit *exit = g_ptr_array_index(proof->exits, i);
        if (g_strcmp0(exit->pass, like->pass) == 0 && g_strcmp0(exit->kind, like->kind) == 0)
            return exit->min_cycles;
    }
    return 0;
}

/* The least of those with the base of another, 0 where there are none. */
static guint64 least_with(const GPtrArray *proofs, const NestProof *base, const NestProofExit *like)
{
    guint64 least = 0;
    for (guint i = 0; i < proofs->len; i++) {
        const NestProof *proof = g_ptr_array_index(proofs, i);
        guint64 cost = same_base(proof, base) ? cost_of(proof, like) : 0;
        least = cost != 0 && (least == 0 || cost < least) ? cost : least;
    }
    return least;
}

/* The newest proof that had another base, and proved something. */
static const NestProof *proof_before(const GPtrArray *proofs, const NestProof *now)
{
    for (guint i = proofs->len; i > 0; i--) {
        const NestProof *proof = g_ptr_array_index(proofs, i - 1);
        const char *base = proof->accel == NEST_ACCEL_TCG ? proof->qemu_version : proof->kernel;
        if (proof->proved && base != NULL && !same_base(proof, now))
            return proof;
    }
    return NULL;
}

static char *base_text(const NestProof *before, const NestProof *now)
{
    if (now->accel == NEST_ACCEL_TCG)
        return g_strconcat("QEMU ", before->qemu_version, NULL);
    if (g_strcmp0(before->kernel, now->kernel) == 0)
        return g_strdup_printf("kernel %s, %s", before->kernel, before->kernel_build);
    return g_strconcat("kernel ", before->kernel, NULL);
}

/* What an exit costs now, and did before. */
typedef struct {
    const NestProofExit *exit;
    guint64 now, then;
} Change;

static Change change_of(const GPtrArray *proofs, const NestProof *proof, const NestProof *before,
    const NestProofExit *exit)
{
    guint64 other = least_with(proofs, proof, exit);
    guint64 now = other != 0 ? MIN(other, exit->min_cycles) : exit->min_cycles;
    return (Change){exit, now, least_with(proofs, before, exit)};
}

static gboolean is_worse(const Change *a, const Change *b)
{
    return b->exit == NULL || (double)a->now / (double)a->then > (double)b->now / (double)b->then;
}

char *nest_proof_history_compare(const GPtrArray *proofs, const NestProof *proof)
{
    const NestProof *before = proof_before(proofs, proof);
    Change worst = {NULL, 0, 0};
    for (guint i = 0; proof->proved && before != NULL && i < proof->exits->len; i++) {
        Change change = change_of(proofs, proof, before, g_ptr_array_index(proof->exits, i));
        if (change.then != 0 && change.now / SLOWER >= change.then && is_worse(&change, &worst))
            worst = change;
    }
    if (worst.exit == NULL)
        return NULL;
    g_autofree char *base = base_text(before, proof);
    return g_strdup_printf("inner VMs are slower than with %s: an exit for %s (%s) takes at least "
                           "%" G_GUINT64_FORMAT " cycles, and took %" G_GUINT64_FORMAT,
        base, worst.exit->kind, worst.exit->pass, worst.now, worst.then);
}
