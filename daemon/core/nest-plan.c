/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-plan.h"
#include "nest-barrier.h"
#include "nest-error.h"
#include "nest-plan-hash.h"
#include "nest-plan-refusal.h"
#include "nest-record.h"
#include "nest-size.h"
#include "nest-vm-drift.h"
#include <string.h>

typedef struct {
    const NestVmView *view;
    const char *const *decline;
    const char *target; /* the definition to come, where it is given whole */
    NestExtension extension;
    NestPlan *plan;
    GStrvBuilder *warnings;
} Planner;

static const char *const optional_ids[] = {"mac-spoofing", "memory", "port-isolation", NULL};

const NestPlanItem *nest_plan_item(const NestPlan *plan, const char *id)
{
    for (guint i = 0; i < plan->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(plan->items, i);
        if (g_strcmp0(item->id, id) == 0)
            return item;
    }
    return NULL;
}

/* Takes the strings that were made for it. */
static NestPlanItem *add(
    Planner *planner, const char *id, char *title, char *current, char *target, char *detail)
{
    NestPlanItem *item = nest_record_new(&nest_plan_item_record);
    item->id = g_strdup(id);
    item->title = title;
    item->current = current;
    item->target = target;
    item->detail = detail;
    item->optional = g_strv_contains(optional_ids, id);
    g_ptr_array_add(planner->plan->items, item);
    return item;
}

static void warn(Planner *planner, char *sentence)
{
    g_strv_builder_add(planner->warnings, sentence);
    g_free(sentence);
}

static gboolean is_declined(const Planner *planner, const char *id)
{
    return planner->decline != NULL && g_strv_contains(planner->decline, id);
}

/* "host-model", "EPYC + svm (not enforced)", "host-passthrough, vmx hidden" */
static char *cpu_text(const Planner *planner)
{
    const NestDomain *domain = planner->view->domain;
    const char *base = domain->cpu_mode == NULL                                ? "default"
        : strcmp(domain->cpu_mode, "custom") == 0 && domain->cpu_model != NULL ? domain->cpu_model
                                                                               : domain->cpu_mode;
    NestExtension extension = planner->extension;
    NestFeaturePolicy policy = extension == NEST_EXTENSION_VMX ? domain->vmx
        : extension == NEST_EXTENSION_SVM                      ? domain->svm
                                                               : NEST_POLICY_UNSET;
    const char *name = nest_gift_extension_text(extension);
    switch (policy) {
    case NEST_POLICY_DISABLE:
    case NEST_POLICY_FORBID:
        return g_strdup_printf("cpu %s, %s hidden", base, name);
    case NEST_POLICY_FORCE:
    case NEST_POLICY_REQUIRE:
    case NEST_POLICY_OPTIONAL:
        return g_strdup_printf("cpu %s + %s%s", base, name,
            nest_domain_nesting(domain, extension) == NEST_NESTING_ON ? "" : ", not enforced");
    case NEST_POLICY_UNSET:
        break;
    }
    return g_strdup_printf("cpu %s", base);
}

static void add_saved_state(Planner *planner)
{
    const NestVmFacts *facts = planner->view->facts;
    g_autofree char *size = nest_size_text(facts->saved_bytes / 1024);
    gboolean known = facts->saved_bytes > 0;
    add(planner, "saved-state", g_strdup("saved state removed"),
        known ? g_strdup_printf("%s saved", size) : g_strdup("saved"), g_strdup("none"),
        known ? g_strdup_printf("its %s of saved memory are lost", size)
              : g_strdup("its saved memory is lost"))
        ->destructive = TRUE;
}

static gboolean is_off(NestVmState state)
{
    return state == NEST_VM_OFF || state == NEST_VM_SAVED;
}

#define ONLY_ASKED \
    ", and may host other VMs: it is asked to shut down, and not powered off if it does not"

static void add_power_off(Planner *planner)
{
    static const struct {
        const char *title, *detail;
    } rows[] = {
        [NEST_VM_UNKNOWN] = {"power off", "its state is unknown"},
        [NEST_VM_RUNNING] = {"shut down", "it is running"},
        [NEST_VM_PAUSED] = {"power off",
            "it is paused and can't shut down by itself: unsaved work in it is lost"},
        [NEST_VM_SHUTTING_DOWN] = {"shut down", "it is shutting down already"},
        [NEST_VM_CRASHED] = {"power off", "it has crashed"},
    };
    NestVmState state = planner->view->facts->state;
    guint row = (guint)state < G_N_ELEMENTS(rows) ? state : NEST_VM_UNKNOWN;
    const char *only = nest_plan_only_asks(planner->view) ? ONLY_ASKED : "";
    add(planner, "power-off", g_strdup(rows[row].title),
        g_strdup(nest_nick(nest_vm_state_nicks, state)), g_strdup("off"),
        g_strconcat(rows[row].detail, only, NULL))
        ->destructive = TRUE;
}

static void add_exposed(Planner *planner)
{
    const NestDomain *domain = planner->view->domain;
    const char *mode = domain->accel == NEST_ACCEL_TCG ? "maximum" : "host-passthrough";
    gboolean named = g_strcmp0(domain->cpu_mode, "custom") == 0 && domain->cpu_model != NULL;
    add(planner, "extensions", g_strdup("virtualization extensions exposed"), cpu_text(planner),
        g_strdup_printf("%s + %s", mode, nest_gift_extension_text(planner->extension)),
        named ? g_strdup_printf("it will see another CPU than %s", domain->cpu_model) : NULL);
}

static void add_hidden(Planner *planner)
{
    add(planner, "extensions", g_strdup("virtualization extensions hidden"), cpu_text(planner),
        g_strdup("vmx and svm hidden"), g_strdup("inner VMs will not start any more"));
}

static void add_dynamic_memory(Planner *planner)
{
    const NestDomain *domain = planner->view->domain;
    g_autofree char *size = nest_size_text(domain->memory_kib);
    gboolean dynamic = nest_domain_memory_is_dynamic(domain);
    add(planner, "dynamic-memory", g_strdup("dynamic memory off"),
        dynamic ? nest_size_range(domain->current_memory_kib, domain->memory_kib)
                : g_strdup_printf("%s, balloon present", size),
        g_strdup_printf("%s fixed, balloon removed", size), NULL);
}

static void add_mac_spoofing(Planner *planner)
{
    const NestVmView *view = planner->view;
    const GPtrArray *interfaces = view->domain->interfaces;
    g_autoptr(NestVmNet) alone =
        view->net == NULL ? nest_vm_net_new(NULL, view->domain, view->live) : NULL;
    const NestVmNet *net = alone != NULL ? alone : view->net;
    const char *const *filters = (const char *const *)net->blocking;
    const NestInterface *first = NULL;
    guint blocked = 0;
    for (guint i = 0; interfaces != NULL && i < interfaces->len; i++) {
        const NestInterface *interface = g_ptr_array_index(interfaces, i);
        if (interface->filter == NULL || !g_strv_contains(filters, interface->filter))
            continue;
        first = first != NULL ? first : interface;
        blocked++;
    }
    if (blocked == 0)
        return;
    if (is_declined(planner, "mac-spoofing")) {
        warn(planner, g_strdup("MAC spoofing stays blocked: inner VMs have no network."));
        return;
    }
    const char *where = first->target != NULL ? first->target : first->mac;
    char *title = blocked == 1 && where != NULL
        ? g_strdup_printf("MAC spoofing allowed on %s", where)
        : g_strdup_printf(
              "MAC spoofing allowed on %u interface%s", blocked, blocked == 1 ? "" : "s");
    g_autofree char *names = g_strjoinv(", ", net->blocking);
    g_autofree char *loss = nest_barrier_loss(net);
    add(planner, "mac-spoofing", title,
        g_strdup_printf("filter%s %s", filters[1] != NULL ? "s" : "", names), g_strdup("no filter"),
        g_strconcat("without it inner VMs have no network", loss, NULL));
}

static void add_port_isolation(Planner *planner)
{
    const GPtrArray *nics = planner->view->domain->extras.nics;
    const NestNic *first = NULL;
    guint isolated = 0;
    for (guint i = 0; i < nics->len; i++) {
        const NestNic *nic = g_ptr_array_index(nics, i);
        if (!nic->isolated)
            continue;
        first = first != NULL ? first : nic;
        isolated++;
    }
    if (isolated == 0)
        return;
    if (is_declined(planner, "port-isolation")) {
        warn(planner,
            g_strdup("Its port stays isolated: inner VMs do not see those on other isolated "
                     "ports."));
        return;
    }
    add(planner, "port-isolation",
        isolated == 1 && first->mac != NULL
            ? g_strdup_printf("port of %s no longer isolated", first->mac)
            : g_strdup_printf("%u port%s no longer isolated", isolated, isolated == 1 ? "" : "s"),
        g_strdup("isolated"), g_strdup("not isolated"),
        g_strdup("inner VMs, and the VM, see those on other isolated ports"));
}

static void add_memory(Planner *planner)
{
    guint64 memory = planner->view->domain->memory_kib;
    if (memory == 0 || memory >= NEST_MEMORY_WANTED_KIB)
        return;
    g_autofree char *size = nest_size_text(memory);
    g_autofree char *wanted = nest_size_text(NEST_MEMORY_WANTED_KIB);
    if (is_declined(planner, "memory")) {
        warn(planner, g_strdup_printf("Memory stays at %s: inner VMs may not start.", size));
        return;
    }
    if (planner->view->domain->memory_divided) {
        warn(planner,
            g_strdup_printf("Memory stays at %s, for it is divided into NUMA cells or hot-plugged: "
                            "inner VMs may not start before it is raised by hand.",
                size));
        return;
    }
    add(planner, "memory", g_strdup_printf("memory raised to %s", wanted), g_steal_pointer(&size),
        g_strdup(wanted), g_strdup("below that inner VMs may not start"));
}

static gboolean is_exposed_somehow(const NestDomain *domain)
{
    return nest_domain_nesting(domain, NEST_EXTENSION_VMX) != NEST_NESTING_OFF ||
        nest_domain_nesting(domain, NEST_EXTENSION_SVM) != NEST_NESTING_OFF;
}

static NestExtension other_extension(NestExtension extension)
{
    return extension == NEST_EXTENSION_VMX ? NEST_EXTENSION_SVM : NEST_EXTENSION_VMX;
}

/* What changes in the definition, in the order shown. */
static void add_changes(Planner *planner)
{
    const NestDomain *domain = planner->view->domain;
    if (!planner->plan->enable) {
        if (is_exposed_somehow(domain))
            add_hidden(planner);
        return;
    }
    gboolean exposes = nest_domain_nesting(domain, planner->extension) != NEST_NESTING_ON ||
        nest_vm_domain_asks(domain, other_extension(planner->extension));
    if (exposes)
        add_exposed(planner);
    g_autofree char *drift = nest_vm_drift(planner->view);
    if (nest_domain_memory_is_dynamic(domain) || (domain->balloon && (exposes || drift != NULL)))
        add_dynamic_memory(planner);
    add_mac_spoofing(planner);
    add_port_isolation(planner);
    add_memory(planner);
}

/* What must be given up before, put in front of the changes. */
static void add_preparations(Planner *planner)
{
    const NestVmFacts *facts = planner->view->facts;
    GPtrArray *changes = planner->plan->items;
    gboolean redefines = changes->len > 0;
    planner->plan->items = g_ptr_array_new();
    if (facts->saved_state && (redefines || planner->plan->enable))
        add_saved_state(planner);
    if (!is_off(facts->state) && redefines)
        add_power_off(planner);
    g_ptr_array_extend_and_steal(planner->plan->items, changes);
}

/* Only what was declined keeps it from being mended. */
static void add_drift(Planner *planner)
{
    g_autofree char *drift = nest_vm_drift(planner->view);
    if (planner->plan->enable && planner->plan->items->len == 0 && drift != NULL)
        add(planner, "drift", g_strdup("change by somebody else accepted"), g_steal_pointer(&drift),
            g_strdup("stays so"), g_strdup("nestd tells of it no more"));
}

static void add_warnings(Planner *planner)
{
    const NestVmFacts *facts = planner->view->facts;
    gboolean changes = nest_plan_item(planner->plan, "extensions") != NULL;
    if (changes && facts->snapshots > 0)
        warn(planner,
            g_strdup_printf("Reverting to %s brings the CPU of that time back.",
                facts->snapshots == 1 ? "its snapshot" : "one of its snapshots"));
    if (!changes && nest_vm_view_pending(planner->view))
        warn(planner,
            g_strdup("It still runs with the CPU that it was started with: shut it down and start "
                     "it again, a reboot is not enough."));
    if (!planner->plan->enable)
        return;
    g_autoptr(NestGift) gift = nest_vm_view_gift(planner->view);
    if (gift->answer == NEST_GIFT_NOT_NOW)
        warn(planner,
            g_strdup_printf(
                "The VM will refuse to start: %s; what to do: %s.", gift->reason, gift->next));
    if (gift->answer == NEST_GIFT_UNKNOWN)
        warn(planner, g_strdup_printf("The VM may refuse to start: %s.", gift->reason));
}

static gboolean refuse_decline(const Planner *planner, GError **error)
{
    for (guint i = 0; planner->decline != NULL && planner->decline[i] != NULL; i++) {
        if (g_strv_contains(optional_ids, planner->decline[i]))
            continue;
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
            "what can be declined: mac-spoofing, memory, port-isolation",
            "\"%s\" can't be declined", planner->decline[i]);
        return TRUE;
    }
    return FALSE;
}

static void hash_target(GChecksum *sum, const char *target)
{
    g_autofree char *definition = nest_domain_fingerprint(target);
    if (definition != NULL)
        nest_plan_hash_text(sum, definition);
}

static char *hash_plan(const Planner *planner)
{
    const NestVmFacts *facts = planner->view->facts;
    const NestPlan *plan = planner->plan;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *definition = facts->xml != NULL ? nest_domain_fingerprint(facts->xml) : NULL;
    nest_plan_hash_text(sum, plan->uuid);
    nest_plan_hash_text(sum, definition);
    nest_plan_hash_number(sum, facts->state);
    nest_plan_hash_number(sum, facts->saved_state);
    nest_plan_hash_number(sum, plan->enable);
    nest_plan_hash_number(sum, plan->verdict);
    for (guint i = 0; optional_ids[i] != NULL; i++)
        nest_plan_hash_number(sum, is_declined(planner, optional_ids[i]));
    nest_plan_hash_items(sum, plan->items);
    nest_plan_hash_text(sum, plan->problem != NULL ? plan->problem->detail : NULL);
    hash_target(sum, planner->target);
    return g_strdup(g_checksum_get_string(sum));
}

static void refuse(Planner *planner, const GError *error)
{
    planner->plan->verdict = NEST_PLAN_REFUSED;
    planner->plan->problem = nest_problem_from_error(error);
    for (guint i = 0; i < planner->plan->items->len; i++)
        nest_plan_item_free(g_ptr_array_index(planner->plan->items, i));
    g_ptr_array_set_size(planner->plan->items, 0);
}

/* With all changes known: what they need, and whether that can be done now. */
static void complete(Planner *planner)
{
    NestPlan *plan = planner->plan;
    g_autoptr(GError) error = NULL;
    const NestDomain *domain = planner->view->domain;
    gboolean hides =
        !plan->enable && plan->items->len > 0 && domain != NULL && is_exposed_somehow(domain);
    add_preparations(planner);
    add_drift(planner);
    if (nest_plan_item(plan, "power-off") != NULL &&
        nest_plan_refuses_now(planner->view, hides, &error)) {
        refuse(planner, error);
        return;
    }
    add_warnings(planner);
    plan->verdict = plan->items->len > 0 ? NEST_PLAN_STEPS : NEST_PLAN_NO_CHANGE;
}

static void decide(Planner *planner)
{
    g_autoptr(GError) error = NULL;
    if (refuse_decline(planner, &error) ||
        nest_plan_refuses(planner->view, planner->plan->enable, &error)) {
        refuse(planner, error);
        return;
    }
    add_changes(planner);
    complete(planner);
}

static NestPlan *new_plan(const NestVmView *view, gboolean enable)
{
    NestPlan *plan = nest_plan_new();
    plan->uuid = g_strdup(view->facts->uuid);
    plan->name = g_strdup(view->facts->name);
    plan->enable = enable;
    return plan;
}

NestPlan *nest_plan_make(const NestVmView *view, gboolean enable, const char *const *decline)
{
    NestPlan *plan = new_plan(view, enable);
    g_autoptr(GStrvBuilder) warnings = g_strv_builder_new();
    Planner planner = {view, decline, NULL, nest_vm_view_extension(view), plan, warnings};
    decide(&planner);
    plan->warnings = g_strv_builder_end(warnings);
    plan->hash = hash_plan(&planner);
    return plan;
}

NestPlan *nest_plan_replace(
    const NestVmView *view, const char *xml, GPtrArray *changes, gboolean enable)
{
    NestPlan *plan = new_plan(view, enable);
    g_autoptr(GStrvBuilder) warnings = g_strv_builder_new();
    Planner planner = {view, NULL, xml, nest_vm_view_extension(view), plan, warnings};
    g_ptr_array_extend_and_steal(plan->items, changes);
    complete(&planner);
    plan->warnings = g_strv_builder_end(warnings);
    plan->hash = hash_plan(&planner);
    return plan;
}

NestPlan *nest_plan_nothing(const NestVmView *view, NestProblem *problem)
{
    NestPlan *plan = new_plan(view, nest_vm_view_nesting(view) == NEST_NESTING_ON);
    Planner planner = {view, NULL, NULL, NEST_EXTENSION_NONE, plan, NULL};
    plan->verdict = problem != NULL ? NEST_PLAN_REFUSED : NEST_PLAN_NO_CHANGE;
    plan->problem = problem;
    plan->warnings = g_new0(char *, 1);
    plan->hash = hash_plan(&planner);
    return plan;
}

NestDomainWish nest_plan_wish(const NestPlan *plan, NestExtension extension)
{
    NestDomainWish wish = {0};
    if (nest_plan_item(plan, "extensions") != NULL)
        wish.nesting = plan->enable ? NEST_WISH_EXPOSE : NEST_WISH_HIDE;
    wish.extension = extension;
    wish.fix_memory = nest_plan_item(plan, "dynamic-memory") != NULL;
    wish.allow_macs = nest_plan_item(plan, "mac-spoofing") != NULL;
    wish.open_ports = nest_plan_item(plan, "port-isolation") != NULL;
    if (nest_plan_item(plan, "memory") != NULL)
        wish.memory_kib = NEST_MEMORY_WANTED_KIB;
    return wish;
}

NestDomainWish nest_plan_wish_for(const NestPlan *plan, const NestVmView *view)
{
    NestDomainWish wish = nest_plan_wish(plan, nest_vm_view_extension(view));
    wish.filters = view->net != NULL ? (const char *const *)view->net->blocking : NULL;
    return wish;
}
