/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard-outside.h"
#include "nest-test-view.h"
#include <string.h>

/* What others ask of libvirt. */

typedef struct {
    NestOutsideKind kind;
    TestVm vm;
    NestGuardSay say;
    const char *reason;
    const char *next;
    NestOutside outside;
    NestParity parity;
    NestTrust trust;
    const char *note; /* of what nestd saved */
} Row;

#define RESTORE NEST_OUTSIDE_RESTORE
#define MIGRATE NEST_OUTSIDE_MIGRATE_IN
#define RUNS(text) .cpu = text, .live_cpu = text, .state = NEST_VM_RUNNING
#define KNOWN(vm_state) \
    { \
        .known = TRUE, .state = vm_state, .nesting = NEST_NESTING_ON \
    }
#define AMD "may have hosted other VMs, and their state does not come back on this host"
#define HERE "virsh define"
#define SAVED_AT(when) \
    { \
        .known = TRUE, .state = NEST_VM_SAVED, .nesting = NEST_NESTING_ON, .saved_time = when \
    }
#define NOTE(did) \
    "{\"nesting\":\"on\",\"activity\":\"" did \
    "\",\"kernel\":\"6.1.0\",\"qemu_version\":\"7.2.0\",\"time\":5}"
#define DISCARD "nestctl start --discard-saved-state DemoVM"

static const Row rows[] = {
    /* without the extension */
    {RESTORE, {.cpu = CPU_OFF}, NEST_SAY_OK},
    {RESTORE, {.cpu = CPU_MODE("host-passthrough"), .host = "no-extension"}, NEST_SAY_OK},
    {MIGRATE, {RUNS(CPU_OFF)}, NEST_SAY_OK},
    {MIGRATE, {RUNS(CPU_OFF), .host = "amd-ready"}, NEST_SAY_OK},
    /* a saved state */
    {RESTORE, {.cpu = CPU_ON("vmx")}, NEST_SAY_WARN, "not known on which kernel and QEMU"},
    {RESTORE, {.cpu = CPU_ON("vmx")}, NEST_SAY_REFUSE, "parity=strict",
        "define it, and let it boot", {0}, NEST_PARITY_STRICT},
    {RESTORE, {.cpu = CPU_ON("svm"), .host = "amd-ready"}, NEST_SAY_REFUSE, AMD,
        "define it, and let it boot"},
    /* nobody asked for the extension, and it has it */
    {RESTORE, {.cpu = CPU_MODE("host-passthrough"), .host = "amd-ready"}, NEST_SAY_REFUSE, AMD,
        "let it boot: nestctl start DemoVM", KNOWN(NEST_VM_OFF)},
    {RESTORE, {.cpu = CPU_ON("svm"), .host = "amd-ready"}, NEST_SAY_REFUSE, AMD,
        "let it boot: nestctl start --discard-saved-state DemoVM", KNOWN(NEST_VM_SAVED)},
    {RESTORE, {.type = "qemu", .cpu = CPU_TCG_ON}, NEST_SAY_NEVER, "software CPU can't go on",
        "define it, and let it boot"},
    {RESTORE, {.type = "qemu", .cpu = CPU_MODE("maximum")}, NEST_SAY_NEVER,
        "software CPU can't go on", "define it, and let it boot"},
    {RESTORE, {.cpu = CPU_ON("vmx")}, NEST_SAY_REFUSE, "is set up without it now",
        "let it boot: nestctl start DemoVM", {.known = TRUE, .state = NEST_VM_OFF}},
    /* what nestd saved itself, and what was saved in its place */
    {RESTORE, {.cpu = CPU_ON("svm"), .host = "amd-ready"}, NEST_SAY_OK, NULL, NULL, SAVED_AT(5),
        .note = NOTE("exposed")},
    {RESTORE, {.type = "qemu", .cpu = CPU_TCG_ON}, NEST_SAY_OK, NULL, NULL, SAVED_AT(5),
        .note = NOTE("exposed")},
    {RESTORE, {.cpu = CPU_ON("svm"), .host = "amd-ready"}, NEST_SAY_REFUSE, AMD, DISCARD,
        SAVED_AT(5), .note = NOTE("hosting")},
    {RESTORE, {.cpu = CPU_ON("svm"), .host = "amd-ready"}, NEST_SAY_REFUSE, AMD, DISCARD,
        SAVED_AT(6), .note = NOTE("exposed")},
    {RESTORE, {.cpu = CPU_ON("svm"), .host = "amd-ready"}, NEST_SAY_REFUSE, AMD, DISCARD,
        SAVED_AT(5)},
    {RESTORE, {.cpu = CPU_ON("svm"), .host = "amd-ready"}, NEST_SAY_REFUSE, AMD,
        "nestctl start DemoVM",
        {.known = TRUE, .state = NEST_VM_OFF, .saved_time = 5, .nesting = NEST_NESTING_ON},
        .note = NOTE("exposed")},
    /* a VM that runs elsewhere */
    {MIGRATE, {RUNS(CPU_ON("vmx"))}, NEST_SAY_REFUSE, "may host other VMs", HERE},
    {MIGRATE, {RUNS(CPU_MODE("host-passthrough"))}, NEST_SAY_REFUSE, "may host other VMs", HERE},
    {MIGRATE, {RUNS(CPU_ON("svm")), .host = "amd-ready"}, NEST_SAY_NEVER, "may host other VMs",
        HERE},
    {MIGRATE, {.type = "qemu", RUNS(CPU_TCG_ON)}, NEST_SAY_NEVER, "may host other VMs", HERE},
    {MIGRATE, {RUNS(CPU_ON("vmx"))}, NEST_SAY_REFUSE, "may host other VMs", HERE, {.known = TRUE}},
    /* nestd does it itself, whatever it is */
    {RESTORE, {.type = "qemu", .cpu = CPU_TCG_ON}, NEST_SAY_OK, NULL, NULL, {.own = TRUE}},
    {MIGRATE, {RUNS(CPU_ON("svm")), .host = "amd-ready"}, NEST_SAY_OK, NULL, NULL,
        {.known = TRUE, .own = TRUE}},
    /* who is not trusted, where something is open */
    {RESTORE, {.cpu = CPU_ON("vmx"), .host = "debian-open"}, NEST_SAY_REFUSE, "is untrusted",
        "nestctl trust DemoVM trusted", {0}, NEST_PARITY_KVM, NEST_TRUST_UNTRUSTED},
    {RESTORE, {.cpu = CPU_OFF, .host = "debian-open"}, NEST_SAY_OK, NULL, NULL, {0},
        NEST_PARITY_KVM, NEST_TRUST_UNTRUSTED},
};

static void check(guint i, const char *what, const char *said, const char *wanted)
{
    if ((said != NULL) != (wanted != NULL) || (said != NULL && strstr(said, wanted) == NULL))
        fail_msg("row %u: %s: %s", i, what, said != NULL ? said : "nothing");
}

static void test_rows(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *row = &rows[i];
        g_autoptr(TestView) test = test_view_new(&row->vm);
        g_autoptr(NestAdvice) advice = test->host != NULL && row->trust == NEST_TRUST_UNTRUSTED
            ? test_advice(row->vm.host, test->host)
            : NULL;
        test->marks.trust = row->trust;
        test->marks.saved = (char *)row->note;
        test->view.advice = advice;
        g_autoptr(NestGuardVerdict) verdict =
            nest_guard_judge_outside(row->kind, &test->view, &row->outside, row->parity);
        if (verdict->say != row->say)
            fail_msg("row %u says %u: %s", i, verdict->say,
                verdict->reason != NULL ? verdict->reason : "nothing");
        check(i, "reason", verdict->reason, row->reason);
        check(i, "next", verdict->next, row->next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
