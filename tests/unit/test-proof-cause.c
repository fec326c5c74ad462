/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof-cause.h"
#include "nest-record.h"
#include "nest-test.h"

/* Why the CPU of a proof had no extension. */

typedef struct {
    const char *host, *vm;
    NestAccel accel;
    gboolean hidden;
    const char *message, *next; /* NULL: left as the program said it */
    const char *code;
} Row;

#define KVM_OFF "KVM does not pass the extension on: kvm_intel has nested=N"
#define CPU_HAS_NONE "KVM has no extension to pass on: the host's CPU shows neither VT-x nor AMD-V"
#define HIDDEN "the definition of DemoVM hides the extension"

static const Row rows[] = {
    {"intel-nested-off", NULL, NEST_ACCEL_KVM, FALSE, KVM_OFF, "nestctl host fix", NULL},
    {"intel-nested-off", "DemoVM", NEST_ACCEL_KVM, FALSE, KVM_OFF, "nestctl host fix", NULL},
    {"intel-nested-off", "DemoVM", NEST_ACCEL_KVM, TRUE, KVM_OFF, "nestctl host fix", NULL},
    {"no-extension", "DemoVM", NEST_ACCEL_KVM, TRUE, CPU_HAS_NONE, "nestctl status", NULL},
    {"no-extension", NULL, NEST_ACCEL_KVM, FALSE, CPU_HAS_NONE, "nestctl status", NULL},
    {"intel-ready", "DemoVM", NEST_ACCEL_KVM, TRUE, HIDDEN, "nestctl enable DemoVM", NULL},
    {"intel-ready", "DemoVM", NEST_ACCEL_KVM, FALSE, NULL, NULL, NULL},
    {"intel-ready", NULL, NEST_ACCEL_KVM, FALSE, NULL, NULL, NULL},
    /* QEMU's software CPU is not the host's. */
    {"no-extension", "DemoVM", NEST_ACCEL_TCG, TRUE, HIDDEN, "nestctl enable DemoVM", NULL},
    {"intel-nested-off", NULL, NEST_ACCEL_TCG, FALSE, NULL, NULL, NULL},
    /* What is not about the CPU. */
    {"intel-nested-off", "DemoVM", NEST_ACCEL_KVM, TRUE, NULL, NULL, "refused"},
    {"intel-nested-off", "DemoVM", NEST_ACCEL_KVM, TRUE, NULL, NULL, "proved"},
};

static void test_cause(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *root =
            g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts", rows[i].host, NULL);
        g_autoptr(NestHostFacts) facts = nest_host_probe_nesting(root);
        g_autoptr(NestProof) proof = nest_record_new(&nest_proof_record);
        const char *message = rows[i].message != NULL ? rows[i].message : "said";
        proof->accel = rows[i].accel;
        proof->code = g_strdup(rows[i].code != NULL ? rows[i].code : "not-supported");
        proof->message = g_strdup("said");
        nest_proof_find_cause(proof, facts, rows[i].vm, rows[i].hidden);
        print_message("# row %u: %s\n", i, proof->message);
        assert_string_equal(proof->message, message);
        assert_true(g_strcmp0(proof->next, rows[i].next) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
