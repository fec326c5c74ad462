/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-effect.h"
#include "nest-error.h"
#include "nest-fake-caps.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* What libvirt calls VIR_ERR_OPERATION_INVALID. */
static gboolean wrong_state(GError **error, const char *why)
{
    nest_set_error(error, NEST_ERROR_VM_STATE, NULL, "Requested operation is not valid: %s", why);
    return FALSE;
}

static const NestFakeVm *find(NestFake *fake, const NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = nest_fake_state_get(fake->state, call->uuid);
    if (vm == NULL)
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, NULL,
            "Domain not found: no domain with matching uuid '%s'", call->uuid);
    return vm;
}

static gboolean is_active(const NestFakeVm *vm)
{
    return vm->state != NEST_VM_OFF;
}

static NestBackendCaps *caps_now(NestFake *fake)
{
    g_autofree char *told = nest_fake_control_setting(fake->control, "caps");
    return nest_fake_caps_parse(told != NULL ? told : g_getenv("NEST_FAKE_CAPS"));
}

static NestVmFacts *facts_of(const NestFakeVm *vm)
{
    NestVmFacts *facts = g_new0(NestVmFacts, 1);
    facts->uuid = g_strdup(vm->uuid);
    facts->name = g_strdup(vm->name);
    facts->state = vm->state == NEST_VM_OFF && vm->saved_state ? NEST_VM_SAVED : vm->state;
    facts->saved_state = vm->saved_state;
    facts->saved_bytes = vm->saved_bytes;
    facts->saved_time = vm->saved_time;
    facts->saved_xml = vm->saved_state ? g_strdup(vm->saved_xml) : NULL;
    facts->snapshots = vm->snapshots;
    facts->autostart = vm->autostart;
    facts->xml = g_strdup(vm->xml);
    facts->live_xml = g_strdup(vm->live_xml);
    facts->run = vm->live_xml != NULL ? (int)vm->run : -1;
    facts->booted = vm->state == NEST_VM_RUNNING && !vm->carried;
    facts->start_log = vm->live_xml != NULL ? vm->start_log : NEST_START_LOG_UNREAD;
    return facts;
}

gboolean nest_fake_effect_open(NestFake *fake, NestFakeCall *call, GError **error)
{
    g_autofree char *path = g_build_filename(fake->directory, "lock", NULL);
    int fd = fake->root_fd >= 0 ? fake->root_fd : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "%s: %s", path, g_strerror(errno));
        return FALSE;
    }
    if (fake->root_fd < 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        nest_set_error(error, NEST_ERROR_ALREADY_RUNNING, "stop the other nestd",
            "Failed to acquire pid file '%s'", path);
        return FALSE;
    }
    fake->root_fd = fd;
    fake->connected = TRUE;
    return TRUE;
}

gboolean nest_fake_effect_caps(NestFake *fake, NestFakeCall *call, GError **error)
{
    call->caps = caps_now(fake);
    return TRUE;
}

gboolean nest_fake_effect_list(NestFake *fake, NestFakeCall *call, GError **error)
{
    g_autoptr(GPtrArray) vms = nest_fake_state_all(fake->state);
    call->list = g_ptr_array_new_full(vms->len, (GDestroyNotify)nest_vm_facts_free);
    for (guint i = 0; i < vms->len; i++)
        g_ptr_array_add(call->list, facts_of(g_ptr_array_index(vms, i)));
    return TRUE;
}

gboolean nest_fake_effect_read(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    if (vm == NULL)
        return FALSE;
    call->facts = facts_of(vm);
    return TRUE;
}

gboolean nest_fake_effect_define(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *named = nest_fake_state_by_name(fake->state, call->name);
    const NestFakeVm *old = nest_fake_state_get(fake->state, call->uuid);
    if ((named != NULL && named != old) || (old != NULL && named == NULL)) {
        const NestFakeVm *other = named != NULL ? named : old;
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL,
            "operation failed: domain '%s' already exists with uuid %s", other->name, other->uuid);
        return FALSE;
    }
    NestFakeVm *vm = old != NULL ? nest_fake_vm_copy(old) : g_new0(NestFakeVm, 1);
    if (old == NULL) {
        vm->uuid = g_strdup(call->uuid);
        vm->name = g_strdup(call->name);
        vm->state = NEST_VM_OFF;
    }
    g_free(vm->xml);
    vm->xml = g_strdup(call->xml);
    return nest_fake_state_put(fake->state, vm, error);
}

gboolean nest_fake_effect_redefine(NestFake *fake, NestFakeCall *call, GError **error)
{
    return find(fake, call, error) != NULL && nest_fake_effect_define(fake, call, error);
}

gboolean nest_fake_effect_undefine(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    if (vm == NULL)
        return FALSE;
    if (is_active(vm))
        return wrong_state(error, "cannot undefine running domain");
    return nest_fake_state_remove(fake->state, call->uuid, error);
}

/* Boots the definition, or resumes what was saved, on this host. */
static gboolean power_on(NestFake *fake, NestFakeVm *vm, GError **error)
{
    g_autoptr(NestBackendCaps) caps = caps_now(fake);
    const char *xml = vm->saved_state && vm->saved_xml != NULL ? vm->saved_xml : vm->xml;
    g_autoptr(NestDomain) domain = nest_domain_read(xml, error);
    if (domain == NULL || !nest_fake_caps_can_run(caps, domain, error))
        return FALSE;
    g_free(vm->live_xml);
    vm->live_xml = g_strdup(xml);
    vm->state = NEST_VM_RUNNING;
    vm->run++;
    vm->carried = vm->saved_state;
    vm->off_at = 0;
    vm->saved_state = FALSE;
    vm->saved_bytes = 0;
    g_clear_pointer(&vm->saved_xml, g_free);
    return TRUE;
}

gboolean nest_fake_effect_start(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    if (vm == NULL)
        return FALSE;
    if (is_active(vm))
        return wrong_state(error, "domain is already running");
    g_autoptr(NestFakeVm) on = nest_fake_vm_copy(vm);
    return power_on(fake, on, error) &&
        nest_fake_state_put(fake->state, g_steal_pointer(&on), error);
}

gboolean nest_fake_effect_shutdown(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    g_autofree char *told = nest_fake_control_setting(fake->control, "shutdown-ms");
    if (vm == NULL)
        return FALSE;
    if (!is_active(vm))
        return wrong_state(error, "domain is not running");
    if (vm->off_at != 0 || g_strcmp0(told, "never") == 0)
        return TRUE;
    NestFakeVm *leaving = nest_fake_vm_copy(vm);
    leaving->off_at = g_get_real_time() / 1000 + (told != NULL ? atoi(told) : 20);
    return nest_fake_state_put(fake->state, leaving, error);
}

gboolean nest_fake_effect_stop(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    if (vm == NULL || !is_active(vm))
        return vm != NULL;
    NestFakeVm *off = nest_fake_vm_copy(vm);
    nest_fake_vm_power_off(off);
    return nest_fake_state_put(fake->state, off, error);
}

/* Puts a VM that is in one state into another. */
static gboolean change_state(
    NestFake *fake, NestFakeCall *call, NestVmState from, NestVmState to, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    if (vm == NULL)
        return FALSE;
    if (!is_active(vm))
        return wrong_state(error, "domain is not running");
    if (vm->state != from)
        return wrong_state(error, "domain is in the wrong state");
    NestFakeVm *changed = nest_fake_vm_copy(vm);
    changed->state = to;
    return nest_fake_state_put(fake->state, changed, error);
}

gboolean nest_fake_effect_pause(NestFake *fake, NestFakeCall *call, GError **error)
{
    return change_state(fake, call, NEST_VM_RUNNING, NEST_VM_PAUSED, error);
}

gboolean nest_fake_effect_resume(NestFake *fake, NestFakeCall *call, GError **error)
{
    return change_state(fake, call, NEST_VM_PAUSED, NEST_VM_RUNNING, error);
}

/* A guest without a driver for the balloon (setting "balloon=deaf") does not hear of it. */
gboolean nest_fake_effect_set_memory(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    g_autofree char *told = nest_fake_control_setting(fake->control, "balloon");
    if (vm == NULL)
        return FALSE;
    if (!is_active(vm))
        return wrong_state(error, "domain is not running");
    g_autoptr(NestDomain) live = nest_domain_read(vm->live_xml, error);
    if (live == NULL)
        return FALSE;
    if (!live->balloon)
        return wrong_state(error,
            "Unable to change memory of active domain without the balloon "
            "device and guest OS balloon driver");
    if (call->kib > live->memory_kib)
        return wrong_state(error, "cannot set memory higher than max memory");
    if (g_strcmp0(told, "deaf") == 0)
        return TRUE;
    NestFakeVm *changed = nest_fake_vm_copy(vm);
    g_free(changed->live_xml);
    changed->live_xml = nest_domain_set_memory(vm->live_xml, call->kib, FALSE, error);
    if (changed->live_xml != NULL)
        return nest_fake_state_put(fake->state, changed, error);
    nest_fake_vm_free(changed);
    return FALSE;
}

gboolean nest_fake_effect_save(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    if (vm == NULL)
        return FALSE;
    if (!is_active(vm))
        return wrong_state(error, "domain is not running");
    NestFakeVm *saved = nest_fake_vm_copy(vm);
    g_free(saved->saved_xml);
    saved->saved_xml = g_strdup(vm->live_xml);
    saved->saved_state = TRUE;
    saved->saved_bytes = 64 * 1024 * 1024;
    saved->saved_time = g_get_real_time();
    nest_fake_vm_power_off(saved);
    return nest_fake_state_put(fake->state, saved, error);
}

gboolean nest_fake_effect_drop(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = find(fake, call, error);
    if (vm == NULL || !vm->saved_state)
        return vm != NULL;
    NestFakeVm *dropped = nest_fake_vm_copy(vm);
    dropped->saved_state = FALSE;
    dropped->saved_bytes = 0;
    g_clear_pointer(&dropped->saved_xml, g_free);
    return nest_fake_state_put(fake->state, dropped, error);
}

gboolean nest_fake_effect_find(NestFake *fake, NestFakeCall *call, GError **error)
{
    return find(fake, call, error) != NULL;
}
