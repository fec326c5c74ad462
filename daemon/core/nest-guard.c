/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard.h"
#include "nest-version.h"
#include "nest-vm-trust.h"

/* What a start needs, whatever the table says. */
typedef struct {
    gboolean (*forbids)(const NestVmView *view);
    NestErrorCode code;
    const char *reason; /* %s: the VM's name */
    const char *next; /* likewise; NULL where the host's gift tells cause and way out */
} StartRow;

static gboolean asks_for_nesting(const NestDomain *domain, NestExtension extension)
{
    NestNesting nesting = nest_domain_nesting(domain, extension);
    return nesting == NEST_NESTING_ON || nesting == NEST_NESTING_UNENFORCED;
}

static gboolean stored_nesting(const NestVmView *view)
{
    return view->domain->vmx == NEST_POLICY_REQUIRE || view->domain->svm == NEST_POLICY_REQUIRE ||
        asks_for_nesting(view->domain, nest_vm_view_extension(view));
}

static gboolean dynamic_memory(const NestVmView *view)
{
    return stored_nesting(view) && nest_domain_memory_is_dynamic(view->domain);
}

static gboolean host_cannot(const NestVmView *view)
{
    g_autoptr(NestGift) gift = nest_vm_view_gift(view);
    return stored_nesting(view) &&
        (gift->answer == NEST_GIFT_NOT_NOW || gift->answer == NEST_GIFT_NEVER);
}

static gboolean wrong_extension(const NestVmView *view)
{
    NestExtension extension = nest_vm_view_extension(view);
    return (view->domain->vmx == NEST_POLICY_REQUIRE && extension == NEST_EXTENSION_SVM) ||
        (view->domain->svm == NEST_POLICY_REQUIRE && extension == NEST_EXTENSION_VMX);
}

static gboolean untrusted(const NestVmView *view)
{
    return nest_vm_view_nesting(view) != NEST_NESTING_OFF && nest_vm_trust_refuses(view, NULL);
}

static const StartRow start_rows[] = {
    {wrong_extension, NEST_ERROR_HOST_UNFIT,
        "%s asks for the virtualization extension of another CPU vendor than it would get",
        "nestctl enable %s"},
    {host_cannot, NEST_ERROR_HOST_UNFIT,
        "%s is set up for nesting, and the host can't give it the extension", NULL},
    {dynamic_memory, NEST_ERROR_VM_UNFIT,
        "%s is set up for nesting and its memory is dynamic; the two don't go together",
        "nestctl enable %s"},
    {untrusted, NEST_ERROR_HOST_UNFIT,
        "%s is untrusted, and by nesting it could reach what is open on this host",
        "nestctl check %s, whose vm.trust says what and what to do"},
};

/* ---- what is known of the VM ---- */

static NestGuardMake make_of(const NestVmView *view)
{
    if (view->domain != NULL && view->domain->accel == NEST_ACCEL_TCG)
        return NEST_GUARD_TCG;
    return nest_vm_view_extension(view) == NEST_EXTENSION_VMX ? NEST_GUARD_INTEL : NEST_GUARD_AMD;
}

static gboolean has_nsvm(const NestVmView *view, NestAdviceState state)
{
    g_autoptr(GPtrArray) found = nest_advice_of_check(view->advice, "host.kernel.cve-nsvm", state);
    return found->len > 0;
}

/* The faults of CVE-2026-45987 and others: what is not proved to be mended is not, and where none
 * of them is known nothing is proved. */
static gboolean is_nsvm_mended(const NestVmView *view)
{
    return view->advice != NULL && !has_nsvm(view, NEST_ADVICE_AFFECTED) &&
        !has_nsvm(view, NEST_ADVICE_UNKNOWN) &&
        (has_nsvm(view, NEST_ADVICE_FIXED) || has_nsvm(view, NEST_ADVICE_NOT_AFFECTED));
}

/* What KVM can hand out, and versions as docs/facts.md F6 and F7 have them. */
static NestGuardStack stack_of(const NestVmView *view, NestGuardMake make)
{
    if (view->host == NULL || view->caps == NULL || view->host->kvm.nested_state <= 0)
        return NEST_GUARD_LOSES;
    guint kernel = nest_version_number(view->host->kernel);
    guint qemu = nest_version_number(view->caps->qemu_version);
    if (make == NEST_GUARD_INTEL)
        return kernel >= NEST_VERSION_NUMBER(5, 3) && qemu >= NEST_VERSION_NUMBER(4, 2) &&
                view->host->kvm.exception_payload > 0
            ? NEST_GUARD_CARRIES_WELL
            : NEST_GUARD_LOSES;
    if (kernel < NEST_VERSION_NUMBER(5, 8) || qemu < NEST_VERSION_NUMBER(5, 1))
        return NEST_GUARD_LOSES;
    return is_nsvm_mended(view) ? NEST_GUARD_CARRIES_WELL : NEST_GUARD_CARRIES;
}

static gboolean is_unknown(const NestVmView *view)
{
    return nest_vm_view_activity(view) == NEST_ACTIVITY_UNKNOWN;
}

static NestGuardPhase phase_of(const NestVmView *view)
{
    switch (nest_vm_view_activity(view)) {
    case NEST_ACTIVITY_NONE:
    case NEST_ACTIVITY_OFF:
        return NEST_GUARD_ALONE;
    case NEST_ACTIVITY_EXPOSED:
        return NEST_GUARD_EXPOSED;
    case NEST_ACTIVITY_ARMED:
        return NEST_GUARD_ARMED;
    case NEST_ACTIVITY_HOSTING:
    case NEST_ACTIVITY_UNKNOWN:
        break;
    }
    return NEST_GUARD_HOSTING;
}

NestGuardState nest_guard_state(const NestVmView *view)
{
    NestGuardMake make = make_of(view);
    return (NestGuardState){phase_of(view), make, stack_of(view, make)};
}

/* ---- what is said ---- */

void nest_guard_verdict_free(NestGuardVerdict *verdict)
{
    if (verdict == NULL)
        return;
    g_free(verdict->reason);
    g_free(verdict->next);
    g_free(verdict);
}

static char *fill_in(const char *text, const char *name)
{
    if (text == NULL)
        return NULL;
    g_auto(GStrv) parts = g_strsplit(text, "%s", -1);
    return g_strjoinv(name, parts);
}

static void refuse_start(NestGuardVerdict *verdict, const StartRow *row, const NestVmView *view)
{
    g_autofree char *reason = fill_in(row->reason, view->facts->name);
    verdict->say = NEST_SAY_NEVER;
    verdict->code = row->code;
    if (row->next != NULL) {
        verdict->reason = g_steal_pointer(&reason);
        verdict->next = fill_in(row->next, view->facts->name);
        return;
    }
    g_autoptr(NestGift) gift = nest_vm_view_gift(view);
    verdict->reason = g_strdup_printf("%s: %s", reason, gift->reason);
    verdict->next = g_strdup(gift->next);
}

static const char *phase_text(const NestGuardState *state, gboolean unknown)
{
    switch (state->phase) {
    case NEST_GUARD_EXPOSED:
        return "it has the virtualization extension";
    case NEST_GUARD_ARMED:
        return "a hypervisor is ready in it";
    case NEST_GUARD_HOSTING:
        return unknown ? "it may host other VMs" : "it hosts other VMs";
    default:
        return "it runs";
    }
}

static void speak(NestGuardVerdict *verdict, NestGuarded operation, const NestVmView *view,
    const NestGuardState *state, NestParity parity)
{
    const NestGuardAbout *about = nest_guard_about(operation);
    const char *name = view->facts->name;
    const char *phase = phase_text(state, is_unknown(view));
    if (verdict->say == NEST_SAY_WARN) {
        verdict->reason = state->phase == NEST_GUARD_HOSTING
            ? g_strdup_printf("%s: %s", phase, about->harm)
            : g_strdup_printf("%s; should it host other VMs after all, %s", phase, about->harm);
        return;
    }
    if (nest_guard_table_by_policy(operation, state, parity))
        verdict->reason = g_strdup_printf(
            "%s can't be %s while %s: [guard] parity=%s forbids it, though this host could do it",
            name, about->done, phase, nest_parity_nicks[parity]);
    else
        verdict->reason =
            g_strdup_printf("%s can't be %s while %s: %s", name, about->done, phase, about->harm);
    verdict->next = fill_in(about->next, name);
}

/* Where it can't be told what a VM does, it can't be told for as long as it runs, and disable would
 * be refused for ever. It need not be: it cuts nothing off, since such a VM is only asked to shut
 * down, which people see and accept first, and undo takes it back. */
static gboolean is_told_first(NestGuarded operation, const NestVmView *view)
{
    return operation == NEST_GUARD_DISABLE && is_unknown(view);
}

NestGuardVerdict *nest_guard_judge(NestGuarded operation, const NestVmView *view, NestParity parity)
{
    NestGuardVerdict *verdict = g_new0(NestGuardVerdict, 1);
    verdict->id = nest_guard_about(operation)->id;
    verdict->code = NEST_ERROR_VM_STATE;
    for (guint i = 0; operation == NEST_GUARD_START && i < G_N_ELEMENTS(start_rows); i++) {
        if (view->domain == NULL || !start_rows[i].forbids(view))
            continue;
        refuse_start(verdict, &start_rows[i], view);
        return verdict;
    }
    NestGuardState state = nest_guard_state(view);
    verdict->say = nest_guard_table_say(operation, &state, parity);
    if (is_told_first(operation, view))
        verdict->say = MIN(verdict->say, NEST_SAY_WARN);
    if (verdict->say != NEST_SAY_OK)
        speak(verdict, operation, view, &state, parity);
    return verdict;
}

gboolean nest_guard_verdict_allows(const NestGuardVerdict *verdict, GError **error)
{
    if (verdict->say < NEST_SAY_REFUSE)
        return TRUE;
    nest_set_error(error, verdict->code, verdict->next, "%s", verdict->reason);
    if (error != NULL)
        nest_error_set_check(*error, verdict->id);
    return FALSE;
}

gboolean nest_guard_allows(
    NestGuarded operation, const NestVmView *view, NestParity parity, GError **error)
{
    g_autoptr(NestGuardVerdict) verdict = nest_guard_judge(operation, view, parity);
    return nest_guard_verdict_allows(verdict, error);
}
