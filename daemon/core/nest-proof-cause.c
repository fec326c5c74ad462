/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof-cause.h"

/* Both are taken over. */
static void say(NestProof *proof, char *message, char *next)
{
    g_free(proof->message);
    g_free(proof->next);
    proof->message = message;
    proof->next = next;
}

/* Before the definition is looked at: a VM that asks for what KVM does not give does not start. */
void nest_proof_find_cause(
    NestProof *proof, const NestHostFacts *facts, const char *vm, gboolean hidden)
{
    gboolean kvm = proof->accel == NEST_ACCEL_KVM;
    if (g_strcmp0(proof->code, "not-supported") != 0)
        return;
    if (kvm && facts->cpuinfo_read && !facts->vmx && !facts->svm)
        say(proof,
            g_strdup("KVM has no extension to pass on: the host's CPU shows neither VT-x nor "
                     "AMD-V"),
            g_strdup("nestctl status"));
    else if (kvm && facts->nested.value != NULL && !nest_host_nested(facts))
        say(proof,
            g_strdup_printf("KVM does not pass the extension on: %s has nested=%s",
                facts->kvm_module, facts->nested.value),
            g_strdup("nestctl host fix"));
    else if (vm != NULL && hidden)
        say(proof, g_strdup_printf("the definition of %s hides the extension", vm),
            g_strdup_printf("nestctl enable %s", vm));
}
