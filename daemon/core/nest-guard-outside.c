/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard-outside.h"
#include "nest-saved-state.h"
#include "nest-vm-trust.h"

/* The saved state of a VM that nestd knows can be thrown away; an image is just not used. */
static char *instead_of_restoring(const NestVmView *view, const NestOutside *outside)
{
    const char *name = view->facts->name;
    if (!outside->known)
        return g_strdup("define it, and let it boot");
    if (outside->state == NEST_VM_SAVED)
        return g_strdup_printf("let it boot: nestctl start --discard-saved-state %s", name);
    return g_strdup_printf("let it boot: nestctl start %s", name);
}

/* libvirt asks in the same way where the VM is off over there. */
static char *instead_of_migrating(const NestVmView *view, const NestOutside *outside)
{
    return g_strdup(
        "turn it off there, and define it here: virsh dumpxml --inactive, virsh define");
}

/* libvirt does not say which image it is about to resume: where one of its own waits, it is that.
 */
static NestGuardVerdict *judge_image(
    const NestVmView *view, const NestOutside *outside, NestParity parity)
{
    NestVmFacts facts = *view->facts;
    NestVmView saved = *view;
    facts.saved_time = outside->state == NEST_VM_SAVED ? outside->saved_time : 0;
    saved.facts = &facts;
    return nest_saved_judge(&saved, parity);
}

static NestGuardVerdict *judge_running(
    const NestVmView *view, const NestOutside *outside, NestParity parity)
{
    return nest_guard_judge(NEST_GUARD_MIGRATE_IN, view, parity);
}

static const struct {
    NestGuarded operation;
    NestGuardVerdict *(*judge)(
        const NestVmView *view, const NestOutside *outside, NestParity parity);
    char *(*instead)(const NestVmView *view, const NestOutside *outside);
} kinds[] = {
    [NEST_OUTSIDE_RESTORE] = {NEST_GUARD_RESTORE, judge_image, instead_of_restoring},
    [NEST_OUTSIDE_MIGRATE_IN] = {NEST_GUARD_MIGRATE_IN, judge_running, instead_of_migrating},
};

static NestGuardVerdict *refuse(NestOutsideKind kind, NestErrorCode code, char *reason, char *next)
{
    NestGuardVerdict *verdict = g_new0(NestGuardVerdict, 1);
    verdict->say = NEST_SAY_REFUSE;
    verdict->code = code;
    verdict->id = nest_guard_about(kinds[kind].operation)->id;
    verdict->reason = reason;
    verdict->next = next;
    return verdict;
}

static NestGuardVerdict *refuse_untrusted(NestOutsideKind kind, const GError *error)
{
    g_autoptr(NestProblem) problem = nest_problem_from_error(error);
    return refuse(kind, error->code, g_strdup(error->message), g_strdup(problem->next));
}

static NestGuardVerdict *refuse_changed(
    NestOutsideKind kind, const NestVmView *view, const NestOutside *outside)
{
    char *reason = g_strdup_printf(
        "%s can't be %s: it had the virtualization extension then, and is set up without it now",
        view->facts->name, nest_guard_about(kinds[kind].operation)->done);
    return refuse(kind, NEST_ERROR_VM_STATE, reason, kinds[kind].instead(view, outside));
}

NestGuardVerdict *nest_guard_judge_outside(
    NestOutsideKind kind, const NestVmView *view, const NestOutside *outside, NestParity parity)
{
    g_autoptr(GError) untrusted = NULL;
    if (outside->own || nest_vm_view_nesting(view) == NEST_NESTING_OFF)
        return g_new0(NestGuardVerdict, 1);
    if (nest_vm_trust_refuses(view, &untrusted))
        return refuse_untrusted(kind, untrusted);
    if (kind == NEST_OUTSIDE_RESTORE && outside->known && outside->nesting == NEST_NESTING_OFF)
        return refuse_changed(kind, view, outside);
    NestGuardVerdict *verdict = kinds[kind].judge(view, outside, parity);
    if (verdict->say >= NEST_SAY_REFUSE) {
        g_free(verdict->next);
        verdict->next = kinds[kind].instead(view, outside);
    }
    return verdict;
}
