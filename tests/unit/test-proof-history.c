/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof-history.h"
#include "nest-record.h"
#include "nest-test.h"
#include <string.h>

/* What an exit cost over time, and whether that became worse. */

static NestProof *proof_of(NestAccel accel, const char *kernel, const char *qemu, guint64 cycles)
{
    NestProof *proof = nest_record_new(&nest_proof_record);
    proof->accel = accel;
    proof->code = g_strdup(cycles > 0 ? "proved" : "timeout");
    proof->proved = cycles > 0;
    proof->kernel = g_strdup(kernel);
    proof->qemu_version = g_strdup(qemu);
    if (cycles == 0)
        return proof;
    NestProofExit *exit = nest_record_new(&nest_proof_exit_record);
    exit->pass = g_strdup("shadow");
    exit->kind = g_strdup("cpuid");
    exit->min_cycles = cycles;
    exit->median_cycles = cycles * 10; /* a busy machine */
    g_ptr_array_add(proof->exits, exit);
    return proof;
}

static void free_proof(gpointer proof)
{
    nest_proof_free(proof);
}

static void add(GPtrArray *history, const char *kernel, guint64 cycles)
{
    g_autoptr(NestProof) proof = proof_of(NEST_ACCEL_KVM, kernel, "7.2", cycles);
    nest_proof_history_add(history, proof);
}

static void assert_compared(
    const GPtrArray *history, const char *kernel, guint64 cycles, const char *words)
{
    g_autoptr(NestProof) now = proof_of(NEST_ACCEL_KVM, kernel, "7.2", cycles);
    g_autofree char *slower = nest_proof_history_compare(history, now);
    if (words == NULL)
        assert_null(slower);
    else if (slower == NULL || strstr(slower, words) == NULL)
        fail_msg("%s", slower);
}

static void test_compare(void **state)
{
    g_autoptr(GPtrArray) history = g_ptr_array_new_with_free_func(free_proof);
    assert_compared(history, "6.1", 1000, NULL);
    add(history, "6.1", 1100);
    add(history, "6.1", 1000);
    add(history, "6.1", 5000);
    assert_compared(history, "6.1", 9000, NULL);
    assert_compared(history, "6.2", 1999, NULL);
    assert_compared(history, "6.2", 2000, "than with kernel 6.1: an exit for cpuid");
    assert_compared(history, "6.2", 0, NULL);
    /* One good run with the new kernel tells that it was only a busy machine. */
    add(history, "6.2", 1200);
    assert_compared(history, "6.2", 4000, NULL);
    /* It is the kernel before that counts, and not one that proved nothing. */
    add(history, "6.3", 0);
    assert_compared(history, "6.4", 2400, "than with kernel 6.2");
}

static void add_exit(NestProof *proof, const char *pass, const char *kind, guint64 cycles)
{
    NestProofExit *exit = nest_record_new(&nest_proof_exit_record);
    exit->pass = g_strdup(pass);
    exit->kind = g_strdup(kind);
    exit->min_cycles = exit->median_cycles = cycles;
    g_ptr_array_add(proof->exits, exit);
}

/* Hypervisors use other exits and passes than the first: the worst counts. */
static void test_any_exit(void **state)
{
    g_autoptr(GPtrArray) history = g_ptr_array_new_with_free_func(free_proof);
    g_autoptr(NestProof) old = proof_of(NEST_ACCEL_KVM, "6.1", "7.2", 1000);
    add_exit(old, "nested-paging", "cpuid", 500);
    add_exit(old, "nested-paging", "nested-fault", 3000);
    nest_proof_history_add(history, old);
    g_autoptr(NestProof) now = proof_of(NEST_ACCEL_KVM, "6.2", "7.2", 1000);
    add_exit(now, "nested-paging", "io", 9000); /* was not measured before */
    add_exit(now, "nested-paging", "nested-fault", 5999);
    assert_null(nest_proof_history_compare(history, now));
    add_exit(now, "nested-paging", "cpuid", 1500);
    g_autofree char *slower = nest_proof_history_compare(history, now);
    assert_non_null(strstr(slower, "an exit for cpuid (nested-paging) takes at least 1500"));
    /* A proof that was made with it before, and was not slowed down, tells the same. */
    nest_proof_history_add(history, now);
    g_autoptr(NestProof) again = proof_of(NEST_ACCEL_KVM, "6.2", "7.2", 4000);
    add_exit(again, "nested-paging", "cpuid", 900);
    assert_null(nest_proof_history_compare(history, again));
}

/* Distributions rebuild a kernel under the same release. */
static void test_build(void **state)
{
    g_autoptr(GPtrArray) history = g_ptr_array_new_with_free_func(free_proof);
    g_autoptr(NestProof) old = proof_of(NEST_ACCEL_KVM, "6.1", "7.2", 1000);
    g_autoptr(NestProof) now = proof_of(NEST_ACCEL_KVM, "6.1", "7.2", 4000);
    now->kernel_build = g_strdup("#2 SMP");
    nest_proof_history_add(history, old);
    assert_null(nest_proof_history_compare(history, now));
    old->kernel_build = g_strdup("#1 SMP");
    g_ptr_array_set_size(history, 0);
    nest_proof_history_add(history, old);
    g_autofree char *slower = nest_proof_history_compare(history, now);
    assert_non_null(strstr(slower, "than with kernel 6.1, #1 SMP: an exit for cpuid"));
}

/* The software CPU is QEMU's, whatever the kernel. */
static void test_tcg(void **state)
{
    g_autoptr(GPtrArray) history = g_ptr_array_new_with_free_func(free_proof);
    g_autoptr(NestProof) old = proof_of(NEST_ACCEL_TCG, "6.1", "7.2", 1000);
    g_autoptr(NestProof) kernel = proof_of(NEST_ACCEL_TCG, "6.2", "7.2", 4000);
    g_autoptr(NestProof) qemu = proof_of(NEST_ACCEL_TCG, "6.2", "8.0", 4000);
    nest_proof_history_add(history, old);
    assert_null(nest_proof_history_compare(history, kernel));
    g_autofree char *slower = nest_proof_history_compare(history, qemu);
    assert_non_null(strstr(slower, "than with QEMU 7.2"));
}

/* However often it is proved, what there was before stays to be compared with. */
static void test_bound(void **state)
{
    g_autoptr(GPtrArray) history = g_ptr_array_new_with_free_func(free_proof);
    add(history, "6.1", 1000);
    for (guint i = 0; i < 3 * NEST_PROOF_HISTORY_MAX; i++)
        add(history, "6.2", 2000 + i);
    assert_int_equal(history->len, NEST_PROOF_HISTORY_MAX);
    const NestProof *first = g_ptr_array_index(history, 0);
    const NestProof *last = g_ptr_array_index(history, history->len - 1);
    assert_string_equal(first->kernel, "6.1");
    const NestProofExit *exit = g_ptr_array_index(last->exits, 0);
    assert_int_equal(exit->min_cycles, 2000 + 3 * NEST_PROOF_HISTORY_MAX - 1);
    assert_compared(history, "6.2", 2500, "than with kernel 6.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_any_exit),
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_tcg),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
