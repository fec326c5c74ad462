/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-inner.h"
#include "nest-error.h"
#include "nest-guest-read.h"
#include "nest-guest-script.h"
#include "nest-tree-sum.h"
#include <string.h>

#define OUTPUT_MAX (4 * 1024 * 1024)
#define GRACE_SECONDS 10 /* for a hypervisor that waits itself to say so */

struct NestInner {
    NestBackend *backend;
    char *uuid;
    NestGuestFamily family;
    gint64 deadline; /* monotonic */
    GCancellable *cancellable; /* borrowed, NULL none */
    gboolean loose; /* what was asked for last may still be under way */
    NestInnerProbe *probe; /* of Windows: empty */
    GPtrArray *ways; /* NestInnerWay that are there */
    GPtrArray *answered; /* those that have told of their VMs */
    GPtrArray *vms; /* NestInnerVm, all, by name */
    NestTreeSum all, active;
    GPtrArray *warnings; /* texts */
};

void nest_inner_free(NestInner *inner)
{
    if (inner == NULL)
        return;
    g_free(inner->uuid);
    nest_inner_probe_free(inner->probe);
    g_clear_pointer(&inner->ways, g_ptr_array_unref);
    g_clear_pointer(&inner->answered, g_ptr_array_unref);
    g_clear_pointer(&inner->vms, g_ptr_array_unref);
    g_clear_pointer(&inner->warnings, g_ptr_array_unref);
    g_free(inner);
}

/* ---- asking ---- */

/* TRUE where it ended with status 0. Else error is HYPERVISOR with what it said; of: "libvirt". */
static gboolean check_end(const NestGuestOutcome *outcome, const char *of, GError **error)
{
    if (outcome->status == 0 && outcome->signal == 0)
        return TRUE;
    g_autofree char *said = outcome->said != NULL ? g_strstrip(g_strdup(outcome->said)) : NULL;
    if (said != NULL && *said != '\0')
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "%s in the guest says: %s", of, said);
    else if (outcome->signal != 0)
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "%s in the guest was ended by signal %u",
            of, outcome->signal);
    else
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL,
            "%s in the guest ended with status %" G_GINT64_FORMAT, of, outcome->status);
    return FALSE;
}

/* Whole seconds until the deadline; with half of them one that hangs leaves others some. */
static guint seconds_left(const NestInner *inner, gboolean half)
{
    gint64 left = (inner->deadline - g_get_monotonic_time()) / (half ? 2 : 1);
    return (guint)MAX((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, 0);
}

/* What it printed, NULL where it did not end well. */
static GString *run(NestInner *inner, const NestInnerCommand *command, gboolean half,
    const char *of, GError **error)
{
    g_autofree char *input = command->input != NULL
        ? g_base64_encode((const guchar *)command->input, strlen(command->input))
        : NULL;
    const NestGuestScript script = {command->words[0], (const char *const *)command->words + 1,
        input, seconds_left(inner, half), OUTPUT_MAX};
    g_auto(NestGuestOutcome) outcome = {0};
    gsize length = 0;
    gboolean ended = nest_guest_script_run(
        inner->backend, inner->uuid, &script, inner->cancellable, &outcome, error);
    inner->loose = outcome.loose || outcome.signal != 0;
    if (!ended || !check_end(&outcome, of, error))
        return NULL;
    const char *data = g_bytes_get_data(outcome.output, &length);
    return g_string_new_len(data, (gssize)length);
}

static gboolean carry_out(
    NestInner *inner, const NestInnerCommand *command, const char *of, GError **error)
{
    g_autoptr(GString) printed = run(inner, command, FALSE, of, error);
    return printed != NULL;
}

static NestInnerProbe *probe(NestInner *inner, GError **error)
{
    static const char *const nothing[] = {"nestd-inner\nkvm", NULL};
    if (inner->family == NEST_GUEST_FAMILY_WINDOWS) {
        g_autoptr(GString) text = g_string_new(*nothing);
        return nest_inner_probe_read(text, error);
    }
    const NestInnerCommand command = {(char **)nest_inner_probe_words, NULL};
    g_autoptr(GString) printed = run(inner, &command, FALSE, "the shell", error);
    return printed != NULL ? nest_inner_probe_read(printed, error) : NULL;
}

static gboolean is_there(const NestInner *inner, const NestInnerWay *way)
{
    gboolean windows = inner->family == NEST_GUEST_FAMILY_WINDOWS;
    return way->tool == NULL ? windows : nest_inner_probe_has(inner->probe, way->tool);
}

/* ---- listing ---- */

static gboolean ask_way(NestInner *inner, const NestInnerWay *way, GPtrArray *vms, GError **error)
{
    g_auto(NestInnerCommand) command = {0};
    way->list(&command);
    g_autoptr(GString) printed = run(inner, &command, TRUE, way->id, error);
    return printed != NULL && way->read(printed, vms, error);
}

/* TRUE: the guest itself is still there, and others may be asked. */
static gboolean is_of_way(const GError *error)
{
    switch (nest_error_code(error)) {
    case NEST_ERROR_HYPERVISOR:
    case NEST_ERROR_GUEST_AGENT:
    case NEST_ERROR_TIMEOUT:
    case NEST_ERROR_VM_UNFIT:
        return TRUE;
    default:
        return FALSE;
    }
}

static void take_answer(NestInner *inner, const NestInnerWay *way, GPtrArray *vms)
{
    g_ptr_array_extend_and_steal(inner->vms, g_ptr_array_ref(vms));
    g_ptr_array_add(inner->answered, (gpointer)way);
}

static gboolean list_way(NestInner *inner, const NestInnerWay *way, GError **error)
{
    g_autoptr(GPtrArray) vms = g_ptr_array_new_with_free_func((GDestroyNotify)nest_inner_vm_free);
    g_autoptr(GError) cause = NULL;
    if (way->list == NULL) {
        take_answer(inner, way, inner->probe->kept);
    } else if (ask_way(inner, way, vms, &cause)) {
        take_answer(inner, way, vms);
    } else if (is_of_way(cause)) {
        g_ptr_array_add(
            inner->warnings, g_strdup_printf("%s can't be asked: %s", way->id, cause->message));
        if (way->tool == NULL && nest_error_code(cause) == NEST_ERROR_VM_UNFIT)
            return TRUE;
    } else {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    g_ptr_array_add(inner->ways, (gpointer)way);
    return TRUE;
}

/* Processes of VMs that a hypervisor has told of are theirs. */
static void add_processes(NestInner *inner)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < inner->vms->len; i++)
        g_hash_table_add(names, ((NestInnerVm *)g_ptr_array_index(inner->vms, i))->name);
    for (guint i = 0; i < inner->probe->processes->len; i++) {
        const NestInnerVm *vm = g_ptr_array_index(inner->probe->processes, i);
        if (!g_hash_table_contains(names, vm->name))
            g_ptr_array_add(inner->vms, nest_record_copy(&nest_inner_vm_record, vm));
    }
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const NestInnerVm *left = *(const NestInnerVm *const *)a;
    const NestInnerVm *right = *(const NestInnerVm *const *)b;
    return strcmp(left->name, right->name);
}

static void add_up(NestInner *inner)
{
    inner->all = inner->active = (NestTreeSum){0};
    for (guint i = 0; i < inner->vms->len; i++) {
        const NestInnerVm *vm = g_ptr_array_index(inner->vms, i);
        nest_tree_sum_add(&inner->all, vm->memory_kib, vm->vcpus);
        if (nest_tree_sum_is_active(vm->state))
            nest_tree_sum_add(&inner->active, vm->memory_kib, vm->vcpus);
    }
}

static void forget(NestInner *inner)
{
    g_clear_pointer(&inner->probe, nest_inner_probe_free);
    g_clear_pointer(&inner->ways, g_ptr_array_unref);
    g_clear_pointer(&inner->answered, g_ptr_array_unref);
    g_clear_pointer(&inner->vms, g_ptr_array_unref);
    g_clear_pointer(&inner->warnings, g_ptr_array_unref);
    inner->ways = g_ptr_array_new();
    inner->answered = g_ptr_array_new();
    inner->vms = g_ptr_array_new_with_free_func((GDestroyNotify)nest_inner_vm_free);
    inner->warnings = g_ptr_array_new_with_free_func(g_free);
}

gboolean nest_inner_look(NestInner *inner, guint seconds, GCancellable *cancellable, GError **error)
{
    inner->deadline = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    inner->cancellable = cancellable;
    forget(inner);
    inner->probe = probe(inner, error);
    if (inner->probe == NULL)
        return FALSE;
    for (const NestInnerWay *const *way = nest_inner_ways; *way != NULL; way++)
        if (is_there(inner, *way) && !list_way(inner, *way, error))
            return FALSE;
    add_processes(inner);
    g_ptr_array_sort(inner->vms, compare);
    add_up(inner);
    return TRUE;
}

static gboolean check_guest(NestInner *inner, GError **error)
{
    g_autoptr(NestGuest) guest = nest_guest_read(inner->backend, inner->uuid, error);
    if (guest == NULL)
        return FALSE;
    inner->family = guest->family;
    if (!guest->exec) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, guest->blocked_setting,
            "the guest agent may not run commands, or not read files");
        return FALSE;
    }
    return TRUE;
}

NestInner *nest_inner_visit(NestBackend *backend, const char *uuid, guint seconds,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(NestInner) inner = g_new0(NestInner, 1);
    inner->uuid = g_strdup(uuid);
    inner->backend = backend;
    return check_guest(inner, error) && nest_inner_look(inner, seconds, cancellable, error)
        ? g_steal_pointer(&inner)
        : NULL;
}

/* ---- showing ---- */

static GStrv copy_texts(const GPtrArray *texts)
{
    g_autoptr(GStrvBuilder) copy = g_strv_builder_new();
    for (guint i = 0; i < texts->len; i++)
        g_strv_builder_add(copy, g_ptr_array_index(texts, i));
    return g_strv_builder_end(copy);
}

static GStrv names_of_ways(const NestInner *inner)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (guint i = 0; i < inner->ways->len; i++)
        g_strv_builder_add(names, ((const NestInnerWay *)g_ptr_array_index(inner->ways, i))->id);
    return g_strv_builder_end(names);
}

NestInnerVms *nest_inner_show(const NestInner *inner, guint max, guint64 memory_kib, guint vcpus)
{
    const NestTreeRoom room = {"inner VMs", memory_kib, vcpus};
    NestInnerVms *shown = nest_record_new(&nest_inner_vms_record);
    shown->hypervisors = names_of_ways(inner);
    shown->kvm = inner->probe->kvm;
    for (guint i = 0; i < inner->vms->len && i < max; i++)
        g_ptr_array_add(shown->vms, nest_record_copy(&nest_inner_vm_record, inner->vms->pdata[i]));
    shown->more = inner->vms->len - shown->vms->len;
    shown->all = nest_record_copy(&nest_tree_sum_record, &inner->all);
    shown->active = nest_record_copy(&nest_tree_sum_record, &inner->active);
    shown->overcommitted = nest_tree_sum_judge(&inner->all, &inner->active, &room);
    shown->warnings = copy_texts(inner->warnings);
    return shown;
}

const NestTreeSum *nest_inner_sum(const NestInner *inner)
{
    return &inner->all;
}

/* ---- finding ---- */

gboolean nest_inner_answered(const NestInner *inner, const char *by)
{
    return g_ptr_array_find(inner->answered, nest_inner_way_find(by), NULL);
}

/* One that is there, of that name if by is not NULL, could not be asked. */
static gboolean is_silent(const NestInner *inner, const char *by)
{
    for (guint i = 0; i < inner->ways->len; i++) {
        const NestInnerWay *way = g_ptr_array_index(inner->ways, i);
        if ((by == NULL || strcmp(by, way->id) == 0) &&
            !g_ptr_array_find(inner->answered, way, NULL))
            return TRUE;
    }
    return FALSE;
}

const NestInnerVm *nest_inner_find(
    const NestInner *inner, const char *name, const char *by, GError **error)
{
    const NestInnerVm *found = NULL;
    for (guint i = 0; i < inner->vms->len; i++) {
        const NestInnerVm *vm = g_ptr_array_index(inner->vms, i);
        if (strcmp(vm->name, name) != 0 || (by != NULL && strcmp(vm->by, by) != 0))
            continue;
        if (found != NULL) {
            nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "say whose: --by HYPERVISOR",
                "several inner virtual machines are called %s: of %s and of %s", name, found->by,
                vm->by);
            return NULL;
        }
        found = vm;
    }
    if ((found == NULL || !found->managed) && is_silent(inner, by)) {
        nest_set_error(error, NEST_ERROR_HYPERVISOR, "try again once it answers", "%s",
            (const char *)g_ptr_array_index(inner->warnings, 0));
        return NULL;
    }
    if (found == NULL)
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND,
            "nestctl guest list shows those that are there",
            "there is no inner virtual machine %s%s%s", name, by != NULL ? " of " : "",
            by != NULL ? by : "");
    return found;
}

static gboolean can_create(
    const NestInner *inner, const NestInnerWay *way, const NestInnerSpec *spec, GError **error)
{
    g_auto(NestInnerCommand) command = {0};
    return way->create(spec, inner->probe, &command, error);
}

/* The first that answers and can; what the first one says where none can. */
static const NestInnerWay *choose_any(
    const NestInner *inner, const NestInnerSpec *spec, GError **error)
{
    g_autoptr(GError) first = NULL;
    for (guint i = 0; i < inner->answered->len; i++) {
        const NestInnerWay *way = g_ptr_array_index(inner->answered, i);
        if (can_create(inner, way, spec, first == NULL ? &first : NULL))
            return way;
    }
    if (first != NULL)
        g_propagate_error(error, g_steal_pointer(&first));
    else if (inner->ways->len > 0)
        nest_set_error(error, NEST_ERROR_HYPERVISOR, "try again once it answers", "%s",
            (const char *)g_ptr_array_index(inner->warnings, 0));
    else
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "install libvirt or QEMU in the guest",
            "there is no hypervisor that nestd can ask in the guest");
    return NULL;
}

static const NestInnerWay *choose_way(
    const NestInner *inner, const NestInnerSpec *spec, GError **error)
{
    const NestInnerWay *known = nest_inner_way_find(spec->by);
    if (spec->by == NULL)
        return choose_any(inner, spec, error);
    if (known == NULL)
        nest_set_error(
            error, NEST_ERROR_INVALID_REQUEST, NULL, "no hypervisor is called %s", spec->by);
    else if (!g_ptr_array_find(inner->ways, known, NULL))
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "nestctl guest list shows what is there",
            "there is no %s in the guest", spec->by);
    else if (can_create(inner, known, spec, error))
        return known;
    return NULL;
}

const NestInnerWay *nest_inner_choose(
    const NestInner *inner, const NestInnerSpec *spec, GError **error)
{
    for (guint i = 0; i < inner->vms->len; i++) {
        const NestInnerVm *vm = g_ptr_array_index(inner->vms, i);
        if (g_ascii_strcasecmp(vm->name, spec->name) != 0)
            continue;
        nest_set_error(error, NEST_ERROR_VM_EXISTS, "choose another name",
            "there is an inner virtual machine %s already, of %s", vm->name, vm->by);
        return NULL;
    }
    return choose_way(inner, spec, error);
}

/* ---- doing ---- */

gboolean nest_inner_is_refused(const NestInner *inner, const GError *error)
{
    NestErrorCode code = nest_error_code(error);
    return !inner->loose &&
        (code == NEST_ERROR_HYPERVISOR || code == NEST_ERROR_UNSUPPORTED ||
            code == NEST_ERROR_INVALID_REQUEST);
}

gboolean nest_inner_is_loose(const NestInner *inner)
{
    return inner->loose;
}

gboolean nest_inner_create(
    NestInner *inner, const NestInnerWay *way, const NestInnerSpec *spec, GError **error)
{
    g_auto(NestInnerCommand) command = {0};
    return way->create(spec, inner->probe, &command, error) &&
        carry_out(inner, &command, way->id, error);
}

static gboolean refuse_foreign(const NestInnerVm *vm, const char *what, GError **error)
{
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, "ask who started it in the guest",
        "%s is a process that no hypervisor manages: it has %s", vm->name, what);
    return FALSE;
}

gboolean nest_inner_check_managed(const NestInnerVm *vm, GError **error)
{
    return vm->managed || refuse_foreign(vm, "nobody who starts, stops and deletes it", error);
}

gboolean nest_inner_power(NestInner *inner, const NestInnerVm *vm, gboolean on, GError **error)
{
    const NestInnerWay *way = nest_inner_way_find(vm->by);
    g_auto(NestInnerCommand) command = {0};
    if (!nest_inner_check_managed(vm, error))
        return FALSE;
    (on ? way->start : way->stop)(vm, &command);
    return carry_out(inner, &command, way->id, error);
}

gboolean nest_inner_shut_down(NestInner *inner, const NestInnerVm *vm, guint seconds,
    GCancellable *cancellable, GError **error)
{
    const NestInnerWay *way = nest_inner_way_find(vm->by);
    g_auto(NestInnerCommand) command = {0};
    if (!nest_inner_check_managed(vm, error))
        return FALSE;
    inner->deadline = g_get_monotonic_time() + (seconds + GRACE_SECONDS) * G_USEC_PER_SEC;
    inner->cancellable = cancellable;
    way->shut_down(vm, seconds, &command);
    return carry_out(inner, &command, way->id, error);
}

gboolean nest_inner_remove(NestInner *inner, const NestInnerVm *vm, GError **error)
{
    const NestInnerWay *way = nest_inner_way_find(vm->by);
    g_auto(NestInnerCommand) command = {0};
    if (!nest_inner_check_managed(vm, error))
        return FALSE;
    way->remove(vm, &command);
    return carry_out(inner, &command, way->id, error);
}

static gboolean ask_console(
    NestInner *inner, const NestInnerVm *vm, NestInnerCommand *ret_command, GError **error)
{
    const NestInnerWay *way = nest_inner_way_find(vm->by);
    g_auto(NestInnerCommand) command = {0};
    g_autoptr(GString) definition = NULL;
    if (way == NULL || !vm->managed)
        return refuse_foreign(vm, "no console that is known", error);
    if (way->definition != NULL) {
        way->definition(vm, &command);
        definition = run(inner, &command, FALSE, way->id, error);
        if (definition == NULL)
            return FALSE;
    }
    if (way->console != NULL && way->console(vm, definition, ret_command))
        return TRUE;
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
        "%s keeps nothing of what %s prints on its console", vm->by, vm->name);
    return FALSE;
}

NestInnerConsole *nest_inner_console(NestInner *inner, const NestInnerVm *vm, GError **error)
{
    g_auto(NestInnerCommand) command = {0};
    if (!ask_console(inner, vm, &command, error))
        return NULL;
    g_autoptr(GString) printed = run(inner, &command, FALSE, vm->by, error);
    if (printed == NULL)
        return NULL;
    NestInnerConsole *console = nest_record_new(&nest_inner_console_record);
    console->name = g_strdup(vm->name);
    console->by = g_strdup(vm->by);
    console->text = g_utf8_make_valid(printed->str, (gssize)printed->len);
    return console;
}
