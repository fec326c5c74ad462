/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard-image.h"
#include "nest-version.h"
#include "nest-vm-trust.h"

typedef struct {
    NestGuardState state; /* of the VM now */
    const NestVmView *view;
    const NestCheckpoint *image;
    NestParity parity;
} Case;

static gboolean nests(const Case *c)
{
    return c->image->nesting != NEST_NESTING_OFF;
}

/* A hypervisor had switched the extension on, or nobody knows. */
static gboolean was_armed(const Case *c)
{
    return nests(c) &&
        (c->image->activity >= NEST_ACTIVITY_ARMED || c->image->activity == NEST_ACTIVITY_UNKNOWN);
}

static gboolean was_hosting(const Case *c)
{
    return was_armed(c) && c->image->activity != NEST_ACTIVITY_ARMED;
}

static gboolean software_cpu(const Case *c)
{
    return c->state.make == NEST_GUARD_TCG && was_armed(c);
}

static gboolean other_cpu(const Case *c)
{
    return nests(c) != (nest_vm_view_nesting(c->view) != NEST_NESTING_OFF);
}

static gboolean is_older(const char *now, const char *then)
{
    guint a = nest_version_number(now), b = nest_version_number(then);
    return a != 0 && b != 0 && a < b;
}

static gboolean older_host(const Case *c)
{
    return is_older(c->view->host != NULL ? c->view->host->kernel : NULL, c->image->kernel) ||
        is_older(
            c->view->caps != NULL ? c->view->caps->qemu_version : NULL, c->image->qemu_version);
}

static gboolean lost_state(const Case *c)
{
    if (c->state.make == NEST_GUARD_AMD)
        return was_hosting(c);
    return was_armed(c) && c->state.stack == NEST_GUARD_LOSES;
}

static gboolean strict_policy(const Case *c)
{
    return c->parity == NEST_PARITY_STRICT && nests(c);
}

static gboolean unknown_maker(const Case *c)
{
    return c->image->kernel == NULL || c->image->qemu_version == NULL;
}

/* The first that holds. */
static const struct {
    gboolean (*holds)(const Case *c);
    NestGuardSay say;
    const char *why;
} rules[] = {
    {software_cpu, NEST_SAY_NEVER,
        "it may have been inside an inner VM, where QEMU's software CPU can't go on"},
    {other_cpu, NEST_SAY_REFUSE, "then and now differ in whether it has the extension"},
    {older_host, NEST_SAY_REFUSE, "kernel or QEMU are older now than they were then"},
    {lost_state, NEST_SAY_REFUSE,
        "it may have hosted other VMs, and their state does not come back on this host"},
    {strict_policy, NEST_SAY_REFUSE, "it nests, and [guard] parity=strict forbids it"},
    {unknown_maker, NEST_SAY_WARN,
        "it is not known on which kernel and QEMU that was; it may not run on these"},
};

static char *next_for(NestGuarded operation, const NestVmView *view, const NestCheckpoint *image)
{
    const char *name = view->facts->name;
    return operation == NEST_GUARD_RESTORE
        ? g_strdup_printf("nestctl start --discard-saved-state %s", name)
        : g_strdup_printf(
              "make another checkpoint, and: nestctl checkpoint delete %s %s", name, image->name);
}

/* What runs on needs no start that would ask for it, and what the VM is set up for now does not
 * tell what it was. */
static gboolean refuse_untrusted(NestGuardVerdict *verdict, const Case *c)
{
    g_autoptr(GError) error = NULL;
    if (!nests(c) || !nest_vm_trust_refuses(c->view, &error))
        return FALSE;
    g_autoptr(NestProblem) problem = nest_problem_from_error(error);
    verdict->say = NEST_SAY_NEVER;
    verdict->code = error->code;
    verdict->reason = g_strdup(error->message);
    verdict->next = g_strdup(problem->next);
    return TRUE;
}

NestGuardVerdict *nest_guard_judge_image(
    NestGuarded operation, const NestVmView *view, const NestCheckpoint *image, NestParity parity)
{
    const NestGuardAbout *about = nest_guard_about(operation);
    Case c = {nest_guard_state(view), view, image, parity};
    NestGuardVerdict *verdict = g_new0(NestGuardVerdict, 1);
    verdict->id = about->id;
    verdict->code = NEST_ERROR_VM_STATE;
    if (refuse_untrusted(verdict, &c))
        return verdict;
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (!rules[i].holds(&c))
            continue;
        verdict->say = rules[i].say;
        if (verdict->say == NEST_SAY_WARN) {
            verdict->reason = g_strdup(rules[i].why);
            break;
        }
        verdict->reason =
            g_strdup_printf("%s can't be %s: %s", view->facts->name, about->done, rules[i].why);
        verdict->next = next_for(operation, view, image);
        break;
    }
    return verdict;
}

NestGuardVerdict *nest_guard_judge_disks(const NestVmView *view, const NestCheckpoint *image)
{
    const NestGuardAbout *about = nest_guard_about(NEST_GUARD_APPLY_OFF);
    Case c = {nest_guard_state(view), view, image, NEST_PARITY_HYPERV};
    NestGuardVerdict *verdict = g_new0(NestGuardVerdict, 1);
    verdict->id = about->id;
    verdict->say = other_cpu(&c) ? NEST_SAY_WARN : NEST_SAY_OK;
    verdict->reason = other_cpu(&c) ? g_strdup(about->harm) : NULL;
    return verdict;
}
