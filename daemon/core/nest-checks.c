/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checks.h"
#include "nest-check.h"
#include "nest-given.h"
#include "nest-record.h"
#include "nest-vm-drift.h"

const NestHostCheckRow *const nest_check_host_tables[] = {nest_checks_host_machine,
    nest_checks_host_kernel, nest_checks_host_stack, nest_checks_host_module,
    nest_checks_host_tuning, NULL};
const NestVmCheckRow *const nest_check_vm_tables[] = {nest_checks_vm_definition,
    nest_checks_vm_guest, nest_checks_vm_windows, nest_checks_vm_run, nest_checks_vm_snapshot,
    nest_checks_vm_network, nest_checks_vm_port, nest_checks_vm_uplink, NULL};
const NestGuestCheckRow *const nest_check_guest_tables[] = {
    nest_checks_guest_linux, nest_checks_guest_windows, NULL};

/* What was in the slot may be among what is formatted. */
#define FORMAT_INTO(slot, format) \
    do { \
        va_list args; \
        va_start(args, format); \
        char *formatted = g_strdup_vprintf(format, args); \
        va_end(args); \
        g_free(slot); \
        slot = formatted; \
    } while (0)

void nest_check_read(NestCheck *check, const char *format, ...)
{
    FORMAT_INTO(check->read, format);
}

void nest_check_fix(NestCheck *check, const char *format, ...)
{
    FORMAT_INTO(check->fix, format);
}

void nest_check_say(NestCheck *check, NestVerdict verdict, const char *format, ...)
{
    check->verdict = verdict;
    FORMAT_INTO(check->message, format);
}

const char *nest_check_or_unread(const char *value)
{
    return value != NULL ? value : "could not be read";
}

static NestCheck *new_check(const NestCheckAbout *about)
{
    NestCheck *check = nest_record_new(&nest_check_record);
    check->id = g_strdup(about->id);
    check->title = g_strdup(about->title);
    check->verdict = NEST_VERDICT_UNKNOWN;
    return check;
}

/* TRUE if the verdict may still be YES after this check. */
static gboolean allows_yes(const NestCheck *check, NestCheckFlags flags)
{
    if (check->ignored != NULL)
        return TRUE;
    gboolean missing = check->verdict == NEST_VERDICT_UNKNOWN && (flags & NEST_CHECK_NEEDED) != 0;
    return check->verdict != NEST_VERDICT_FAIL && !missing;
}

/* Each of these returns TRUE if the verdict may still be YES after the checks of its scope. */
static gboolean run_host_checks(const NestHostView *view, GPtrArray *checks)
{
    gboolean yes = TRUE;
    for (guint i = 0; nest_check_host_tables[i] != NULL; i++) {
        for (const NestHostCheckRow *row = nest_check_host_tables[i]; row->run != NULL; row++) {
            NestCheck *check = new_check(&row->about);
            row->run(view, check);
            nest_policy_judge(view->policy, view->today, NULL, row->about.level, check);
            yes = allows_yes(check, row->about.flags) && yes;
            g_ptr_array_add(checks, check);
        }
    }
    return yes;
}

static NestCheck *run_vm_check(const NestVmCheckRow *row, const NestVmView *view)
{
    NestCheck *check = new_check(&row->about);
    if (view->domain != NULL || (row->about.flags & NEST_CHECK_NO_DOMAIN) != 0)
        row->run(view, check);
    else
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The definition could not be read.");
    return check;
}

static gboolean run_vm_checks(const NestVmView *view, GPtrArray *checks)
{
    gboolean yes = TRUE;
    for (guint i = 0; nest_check_vm_tables[i] != NULL; i++) {
        for (const NestVmCheckRow *row = nest_check_vm_tables[i]; row->run != NULL; row++) {
            NestCheck *check = run_vm_check(row, view);
            nest_policy_judge(
                view->policy, view->today, view->facts->name, row->about.level, check);
            yes = allows_yes(check, row->about.flags) && yes;
            g_ptr_array_add(checks, check);
        }
    }
    return yes;
}

static gboolean lacks_channel(const NestVm *vm)
{
    for (guint i = 0; i < vm->checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(vm->checks, i);
        if (g_str_equal(check->id, "vm.agent") && check->verdict != NEST_VERDICT_PASS)
            return TRUE;
    }
    return FALSE;
}

/* Why a guest can't be looked into from here, NULL where it can. */
static const char *guest_closed(const NestVm *vm, const NestGuestFacts *facts)
{
    if (vm->state != NEST_VM_RUNNING)
        return "It does not run.";
    if (facts == NULL && lacks_channel(vm))
        return "It has no channel for the guest agent: see vm.agent.";
    return facts == NULL
        ? "The guest has not been asked: that is done on demand, and takes the right operate."
        : NULL;
}

/* FALSE, and the verdict is said, where the guest has to be heard first. */
static gboolean guest_answers(const NestGuestFacts *facts, NestGuestNeeds needs, NestCheck *check)
{
    if (needs < NEST_GUEST_NEEDS_AGENT || facts->agent == NEST_AGENT_ANSWERS ||
        (facts->agent == NEST_AGENT_FAILED && needs == NEST_GUEST_NEEDS_AGENT))
        return TRUE;
    if (facts->agent == NEST_AGENT_ABSENT)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "The guest agent does not answer: see guest.agent.");
    else
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell: see guest.agent.");
    return FALSE;
}

/* FALSE, and the verdict is said, where what the check needs is not there. */
static gboolean guest_allows(const NestGuestFacts *facts, NestGuestNeeds needs, NestCheck *check)
{
    const char *why = NULL;
    if (!guest_answers(facts, needs, check))
        return FALSE;
    if (needs >= NEST_GUEST_NEEDS_EXEC && facts->exec == NEST_ANSWER_NO)
        why = "The guest agent runs no commands: see guest.exec.";
    else if (needs == NEST_GUEST_NEEDS_LINUX && facts->kind > NEST_GUEST_LINUX)
        why = "The guest does not run Linux.";
    else if (needs == NEST_GUEST_NEEDS_WINDOWS && facts->kind != NEST_GUEST_UNREAD &&
        facts->kind != NEST_GUEST_WINDOWS)
        why = "The guest does not run Windows.";
    if (why != NULL) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "%s", why);
        return FALSE;
    }
    gboolean system = needs == NEST_GUEST_NEEDS_LINUX || needs == NEST_GUEST_NEEDS_WINDOWS;
    if (system && facts->kind == NEST_GUEST_UNREAD) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "What the guest runs could not be read.");
        return FALSE;
    }
    return TRUE;
}

gboolean nest_checks_guest_is_open(const NestVm *vm)
{
    return vm->state == NEST_VM_RUNNING && !lacks_channel(vm);
}

GPtrArray *nest_checks_guest(
    const NestVm *vm, const NestGuestFacts *facts, const NestPolicy *policy, const char *today)
{
    const NestGuestView view = {vm, facts};
    const char *closed = guest_closed(vm, facts);
    GPtrArray *checks = g_ptr_array_new_with_free_func((GDestroyNotify)nest_check_free);
    for (guint i = 0; nest_check_guest_tables[i] != NULL; i++) {
        for (const NestGuestCheckRow *row = nest_check_guest_tables[i]; row->run != NULL; row++) {
            NestCheck *check = new_check(&row->about);
            g_ptr_array_add(checks, check);
            if (closed != NULL)
                nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "%s", closed);
            else if (guest_allows(facts, row->needs, check))
                row->run(&view, check);
            nest_policy_judge(policy, today, vm->name, row->about.level, check);
        }
    }
    return checks;
}

static const char *extension_owner(const NestHostFacts *facts)
{
    if (facts->xen_control)
        return "xen";
    if (facts->mshv && !nest_host_hardware_kvm(facts))
        return "mshv";
    return facts->other_modules != NULL ? facts->other_modules[0] : NULL;
}

static void fill_hardware(const NestHostFacts *facts, NestHost *host)
{
    host->name = g_strdup(facts->hostname);
    host->manufacturer = g_strdup(facts->manufacturer);
    host->model = g_strdup(facts->model);
    host->os = g_strdup(facts->os);
    host->kernel = g_strdup(facts->kernel);
    host->kernel_build = g_strdup(facts->kernel_build);
    host->arch = g_strdup(facts->arch);
    host->cpu_vendor = g_strdup(facts->cpu_vendor);
    host->cpu_model = g_strdup(facts->cpu_model);
    host->cpus = facts->cpus;
    host->extension = nest_host_extension(facts);
    host->slat = nest_host_slat(facts);
    host->firmware_locked = facts->firmware_locked;
    host->kvm_module = g_strdup(facts->kvm_module);
    host->nested_parameter = g_strdup(facts->nested.value);
    host->slat_parameter = g_strdup(facts->slat_parameter.value);
    host->kvm_usable = facts->kvm.vm_created;
    host->kvm_error = facts->kvm.vm_created ? NULL : g_strdup(facts->kvm.error);
    host->hypervisor_present = facts->hypervisor;
    host->outer_hypervisor = g_strdup(facts->outer_hypervisor);
    host->extension_owner = g_strdup(extension_owner(facts));
}

NestHost *nest_checks_host(const NestHostView *view)
{
    const NestBackendCaps *caps = view->caps;
    NestHost *host = nest_host_new();
    fill_hardware(view->host, host);
    if (caps != NULL) {
        host->qemu_version = g_strdup(caps->qemu_version);
        host->libvirt_version = g_strdup(caps->libvirt_version);
        host->backend_uri = g_strdup(caps->uri);
        host->tcg_supports = caps->tcg && caps->tcg_extension != NEST_EXTENSION_NONE;
    }
    gboolean yes = run_host_checks(view, host->checks);
    host->supports = yes && nest_host_kvm_nests(view->host);
    return host;
}

static gboolean spoofing_allowed(const NestVmView *view)
{
    const NestDomain *domain = view->domain;
    if (view->net != NULL)
        return view->net->blocking[0] == NULL;
    for (guint i = 0; domain->interfaces != NULL && i < domain->interfaces->len; i++) {
        const NestInterface *interface = g_ptr_array_index(domain->interfaces, i);
        if (nest_filter_blocks_foreign_macs(interface->filter))
            return FALSE;
    }
    return TRUE;
}

static void copy_interfaces(const NestVmView *view, NestVm *vm)
{
    /* What runs knows the tap devices. */
    const NestDomain *from = view->live != NULL ? view->live : view->domain;
    for (guint i = 0; from->interfaces != NULL && i < from->interfaces->len; i++)
        g_ptr_array_add(vm->interfaces,
            nest_record_copy(&nest_interface_record, g_ptr_array_index(from->interfaces, i)));
}

static void fill_definition(const NestVmView *view, NestVm *vm)
{
    const NestDomain *domain = view->domain;
    vm->accel = domain->accel;
    vm->memory_kib = domain->memory_kib;
    vm->dynamic_memory = nest_domain_memory_is_dynamic(domain);
    vm->memory_min_kib = vm->dynamic_memory ? domain->current_memory_kib : domain->memory_kib;
    vm->mac_spoofing = spoofing_allowed(view);
    vm->vcpus = domain->vcpus;
    vm->cpu_mode = g_strdup(domain->cpu_mode);
    vm->cpu_model = g_strdup(domain->cpu_model);
    vm->machine = g_strdup(domain->machine);
    vm->console_log = g_strdup(domain->console_log);
    copy_interfaces(view, vm);
}

NestVm *nest_checks_vm(const NestVmView *view)
{
    const NestVmFacts *facts = view->facts;
    g_autofree char *drift = nest_vm_drift(view);
    NestVm *vm = nest_vm_new();
    vm->uuid = g_strdup(facts->uuid);
    vm->name = g_strdup(facts->name);
    vm->state = facts->state;
    vm->saved_state = facts->saved_state;
    vm->saved_bytes = facts->saved_bytes;
    vm->snapshots = facts->snapshots;
    vm->autostart = facts->autostart;
    vm->nesting = nest_vm_view_nesting(view);
    vm->activity = nest_vm_view_activity(view);
    vm->trust = view->marks != NULL ? view->marks->trust : NEST_TRUST_TRUSTED;
    vm->extension = nest_vm_view_extension(view);
    vm->pending = nest_vm_view_pending(view);
    vm->given = nest_given_judge(view);
    vm->drift = drift != NULL;
    vm->asked = view->marks != NULL && view->marks->guarded;
    vm->accel = NEST_ACCEL_KVM;
    vm->revision = facts->xml != NULL ? nest_domain_fingerprint(facts->xml) : NULL;
    if (view->domain != NULL)
        fill_definition(view, vm);
    g_autoptr(NestVmNet) net = NULL;
    NestVmView whole = *view;
    if (view->net == NULL && view->domain != NULL)
        whole.net = net = nest_vm_net_new(NULL, view->domain, view->live);
    gboolean yes = run_vm_checks(&whole, vm->checks);
    vm->supports = yes && view->domain != NULL;
    return vm;
}

NestVmSummary *nest_vm_summarize(const NestVm *vm)
{
    NestVmSummary *summary = nest_record_new(&nest_vm_summary_record);
    g_autoptr(GStrvBuilder) errors = g_strv_builder_new();
    summary->uuid = g_strdup(vm->uuid);
    summary->name = g_strdup(vm->name);
    summary->state = vm->state;
    summary->accel = vm->accel;
    summary->nesting = vm->nesting;
    summary->activity = vm->activity;
    summary->drift = vm->drift;
    summary->asked = vm->asked;
    summary->supports = vm->supports;
    summary->memory_kib = vm->memory_kib;
    summary->memory_min_kib = vm->memory_min_kib;
    summary->vcpus = vm->vcpus;
    for (guint i = 0; i < vm->checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(vm->checks, i);
        if (nest_check_failed(check)) {
            summary->failed++;
            g_strv_builder_add(errors, check->id);
        } else if (nest_check_concerns(check))
            summary->warnings++;
    }
    summary->errors = g_strv_builder_end(errors);
    return summary;
}
