/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include <string.h>

/* What the advisories say of the kernel that runs. */

/* Of a check: what its advisories came to. */
typedef struct {
    GPtrArray *open, *unproved, *mended; /* NestJudgement */
} Found;

static void find(const NestHostView *view, const NestCheck *check, Found *ret_found)
{
    ret_found->open = nest_advice_of_check(view->advice, check->id, NEST_ADVICE_AFFECTED);
    ret_found->unproved = nest_advice_of_check(view->advice, check->id, NEST_ADVICE_UNKNOWN);
    ret_found->mended = nest_advice_of_check(view->advice, check->id, NEST_ADVICE_FIXED);
}

static void clear_found(Found *found)
{
    g_ptr_array_unref(found->open);
    g_ptr_array_unref(found->unproved);
    g_ptr_array_unref(found->mended);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, clear_found)

static const NestAdvisory *advisory_at(const GPtrArray *judgements, guint i)
{
    return ((const NestJudgement *)g_ptr_array_index(judgements, i))->advisory;
}

/* Each effect once: "a VM …; an inner VM …" */
static char *effects(const GPtrArray *judgements)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < judgements->len; i++) {
        const char *effect = advisory_at(judgements, i)->effect;
        if (g_hash_table_add(seen, (gpointer)effect))
            g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", effect);
    }
    return g_string_free(text, FALSE);
}

static void append_reasons(GString *text, const GPtrArray *judgements)
{
    for (guint i = 0; i < judgements->len; i++) {
        const NestJudgement *judgement = g_ptr_array_index(judgements, i);
        g_string_append_printf(text, "; %s%s: %s", judgement->advisory->id,
            judgement->advisory->verified ? "" : " (versions not all verified)", judgement->reason);
    }
}

/* What the kernel is, and what decided. */
static void read_kernel(const NestHostView *view, const Found *found, NestCheck *check)
{
    const NestHostKernel *kernel = view->advice->kernel;
    g_autoptr(GString) text = g_string_new("/proc/version: ");
    g_string_append(text, nest_check_or_unread(kernel->release));
    if (kernel->version != NULL)
        g_string_append_printf(text, ", Linux %s", kernel->version);
    if (kernel->package != NULL)
        g_string_append_printf(text, ", package %s", kernel->package);
    if (kernel->live_patched)
        g_string_append(text, ", live patches");
    append_reasons(text, found->open);
    append_reasons(text, found->unproved);
    append_reasons(text, found->mended);
    nest_check_read(check, "%s", text->str);
}

/* FALSE, and it is said, where there is nothing to go by. */
static gboolean have_kernel(const NestHostView *view, NestCheck *check)
{
    if (view->advice != NULL && view->advice->kernel->release != NULL)
        return TRUE;
    nest_check_read(check, "/proc/sys/kernel/osrelease: %s", nest_check_or_unread(NULL));
    nest_check_say(check, NEST_VERDICT_UNKNOWN, "The version of the kernel can't be told.");
    return FALSE;
}

/* Several, as their fixes: of the first, which names the way. */
static void say_open(const NestHostView *view, const Found *found, NestCheck *check)
{
    const NestFact *nested = &view->host->nested;
    g_autofree char *ids = nest_advice_ids(found->open);
    g_autofree char *what = effects(found->open);
    if (nested->value != NULL && !nest_host_nested(view->host)) {
        nest_check_say(check, NEST_VERDICT_INFO,
            "The kernel is open to %s, which nothing reaches while nesting is off.", ids);
        return;
    }
    nest_check_fix(check, "%s", advisory_at(found->open, 0)->fix);
    nest_check_say(check, NEST_VERDICT_WARN, "The kernel is open to %s: %s%s.", ids, what,
        view->untrusted ? "; VMs that are not trusted are kept from nesting" : "");
}

static gboolean concerns_cpu(const NestHostView *view, const NestCheck *check)
{
    NestExtension vendor = nest_advice_vendor(view->host);
    const GPtrArray *entries = view->advice->advisories->entries;
    for (guint i = 0; i < entries->len; i++) {
        const NestAdvisory *advisory = g_ptr_array_index(entries, i);
        if (strcmp(advisory->check, check->id) == 0 &&
            (advisory->vendor == NEST_EXTENSION_NONE || vendor == NEST_EXTENSION_NONE ||
                advisory->vendor == vendor))
            return TRUE;
    }
    return FALSE;
}

static void check_flaws(const NestHostView *view, NestCheck *check)
{
    if (view->host->kvm_module == NULL) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "No KVM module is loaded.");
        return;
    }
    if (!have_kernel(view, check))
        return;
    if (!concerns_cpu(view, check)) {
        nest_check_say(
            check, NEST_VERDICT_NOT_APPLICABLE, "None of them concerns the CPU of this host.");
        return;
    }
    g_auto(Found) found;
    find(view, check, &found);
    read_kernel(view, &found, check);
    if (found.open->len > 0) {
        say_open(view, &found, check);
    } else if (found.unproved->len > 0) {
        g_autofree char *ids = nest_advice_ids(found.unproved);
        const NestJudgement *first = g_ptr_array_index(found.unproved, 0);
        nest_check_fix(check, "ask the distribution whether this kernel is mended of %s", ids);
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether the kernel is open to %s can't be told: %s.", ids, first->reason);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "The kernel is open to none that is known.");
    }
}

static void check_known_bad(const NestHostView *view, NestCheck *check)
{
    if (!have_kernel(view, check))
        return;
    g_auto(Found) found;
    find(view, check, &found);
    read_kernel(view, &found, check);
    char **problems = view->advice->advisories->problems;
    if (found.open->len > 0) {
        g_autofree char *ids = nest_advice_ids(found.open);
        g_autofree char *what = effects(found.open);
        nest_check_fix(check, "%s", advisory_at(found.open, 0)->fix);
        nest_check_say(check, NEST_VERDICT_FAIL, "Nesting fails with kernel %s: %s (%s).",
            view->advice->kernel->release, what, ids);
    } else if (problems[0] != NULL) {
        g_autofree char *all = g_strjoinv("; ", problems);
        nest_check_read(check, "%s; %s", check->read, all);
        nest_check_fix(check, "correct it, see nestd.conf(5), then: systemctl restart nestd");
        nest_check_say(check, NEST_VERDICT_WARN, "Advisories of this host are not used: %s.", all);
    } else if (found.unproved->len > 0) {
        g_autofree char *ids = nest_advice_ids(found.unproved);
        nest_check_say(
            check, NEST_VERDICT_UNKNOWN, "Whether the kernel has the fault %s can't be told.", ids);
    } else {
        nest_check_say(
            check, NEST_VERDICT_PASS, "Nothing is known against nesting with this kernel.");
    }
}

/* Where a distribution mends without raising the number, the number proves nothing, and KVM itself
 * may have been asked. */
static void say_old(const NestHostView *view, const Found *found, NestCheck *check)
{
    const NestHostKernel *kernel = view->advice->kernel;
    g_autofree char *what = effects(found->open);
    int carries = view->host->kvm.nested_state;
    if (!kernel->exact && carries > 0) {
        nest_check_say(check, NEST_VERDICT_PASS,
            "Kernel %s is old by its number, and its KVM can hand out nested state all the same.",
            kernel->release);
        return;
    }
    nest_check_fix(check, "%s", advisory_at(found->open, found->open->len - 1)->fix);
    if (!kernel->exact && carries < 0)
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Kernel %s is old by its number, which its distribution does not raise when it mends: "
            "whether %s can't be told.",
            kernel->release, what);
    else
        nest_check_say(check, NEST_VERDICT_WARN, "Kernel %s is old: %s.", kernel->release, what);
}

static void check_version(const NestHostView *view, NestCheck *check)
{
    if (!have_kernel(view, check))
        return;
    g_auto(Found) found;
    find(view, check, &found);
    read_kernel(view, &found, check);
    if (found.unproved->len > 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The version of the kernel can't be told.");
    } else if (found.open->len > 0) {
        say_old(view, &found, check);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "The kernel is recent enough.");
    }
}

// clang-format off
const NestHostCheckRow nest_checks_host_kernel[] = {
    {{"host.kernel.version", "the kernel is recent enough", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The version of Linux, against the gates among the advisories; where a distribution keeps "
         "it while it mends, what KVM says of its capabilities.",
         "Before 4.20 nesting is off by default and less complete; before 5.3 (Intel) or 5.8 "
         "(AMD) a VM that hosts others can't be saved.",
         "Update the kernel.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst; nestd: "
         "schema/advisories.json"},
        check_version},
    {{"host.kernel.cve-shadowmmu", "KVM's shadow paging is mended",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The kernel against CVE-2026-53359, CVE-2026-46113 and CVE-2026-64561: by the version of "
         "Linux, of the distribution's package, and by the package's changelog.",
         "With nesting a VM reaches code of KVM that it does not reach otherwise. By these flaws "
         "it can take the host over, on CPUs of Intel and AMD.",
         "Update the kernel and reboot. Until then load the KVM module with nested=0, or nest only "
         "in VMs that you trust.",
         "cve.org; Debian: changelog of linux; nestd: schema/advisories.json"},
        check_flaws},
    {{"host.kernel.cve-nvmx", "KVM's nesting on Intel is mended",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The kernel against CVE-2026-64562, CVE-2026-89932 and CVE-2022-2196.",
         "A VM that nests can reach memory of the host or of other VMs by these.",
         "Update the kernel and reboot. Until then load kvm_intel with nested=0, or nest only in "
         "VMs that you trust.",
         "cve.org; Debian: changelog of linux; nestd: schema/advisories.json"},
        check_flaws},
    {{"host.kernel.cve-nsvm", "KVM's nesting on AMD is mended",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The kernel against CVE-2021-3653 and CVE-2021-3656, by which an inner VM reaches memory "
         "of the host, and CVE-2026-45987, CVE-2026-46032 and CVE-2026-46071, by which its state "
         "gets wrong.",
         "The first let the host be taken over. With the others inner VMs hang, above all after "
         "their VM was saved.",
         "Update the kernel and reboot. Until then load kvm_amd with nested=0, or nest only in VMs "
         "that you trust.",
         "cve.org; Debian: changelog of linux; nestd: schema/advisories.json"},
        check_flaws},
    {{"host.kernel.knownbad", "nothing is known against this kernel",
         NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The kernel against those with which nesting is known to fail, and whether the files in "
         "/etc/nestd/advisories.d could be read.",
         "Some kernels hang or crash with inner VMs by a fault that came and went.",
         "Use another kernel.",
         "nestd: schema/advisories.json"},
        check_known_bad},
    {{NULL}, NULL},
};
// clang-format on
