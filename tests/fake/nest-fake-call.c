/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-call.h"
#include "nest-error.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static char *shown_name(NestFake *fake, const NestFakeCall *call)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fake->lock);
    if (call->name != NULL || call->uuid == NULL)
        return g_strdup(call->name);
    const NestFakeVm *vm = nest_fake_state_get(fake->state, call->uuid);
    return vm != NULL ? g_strdup(vm->name) : NULL;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void tamper(NestFake *fake, const NestFakeCall *call, const char *change)
{
    g_auto(GStrv) parts = g_strsplit(change, "=>", 2);
    const NestFakeVm *vm = call->uuid != NULL ? nest_fake_state_get(fake->state, call->uuid) : NULL;
    if (vm == NULL)
        return;
    NestFakeVm *other = nest_fake_vm_copy(vm);
    GString *xml = g_string_new(vm->xml);
    if (g_string_replace(xml, parts[0], parts[1] != NULL ? parts[1] : "", 0) == 0)
        g_error("nothing to tamper with: no \"%s\" in the XML of %s", parts[0], vm->name);
    g_free(other->xml);
    other->xml = g_string_free(xml, FALSE);
    nest_fake_state_put(fake->state, other, NULL);
}

static void suffer_before(
    NestFake *fake, const NestFakeCall *call, const char *name, const NestFakeVerdict *verdict)
{
    if (verdict->delay_ms > 0)
        g_usleep(verdict->delay_ms * 1000UL);
    while (verdict->hang &&
        nest_fake_control_hangs(fake->control, verdict, call->slot, call->uuid, name))
        g_usleep(5000);
    if (verdict->crash_before)
        die();
}

static gboolean take_effect(NestFake *fake, NestFakeCall *call, NestFakeEffect effect,
    const NestFakeVerdict *verdict, GError **error)
{
    gboolean ok = FALSE;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fake->lock);
    if (!fake->connected && strcmp(call->slot, "open") != 0) {
        nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, NULL,
            "the connection to the fake hypervisor is gone");
        return FALSE;
    }
    nest_fake_state_hold(fake->state);
    nest_fake_state_settle(fake->state);
    ok = effect(fake, call, error);
    if (ok && verdict->tamper != NULL)
        tamper(fake, call, verdict->tamper);
    nest_fake_state_release(fake->state);
    if (verdict->crash_after)
        die();
    return ok;
}

gboolean nest_fake_call_run(
    NestFake *fake, NestFakeCall *call, NestFakeEffect effect, GError **error)
{
    gboolean ok = FALSE;
    g_autoptr(GError) local = NULL;
    g_auto(NestFakeVerdict) verdict = {0};
    g_autofree char *name = shown_name(fake, call);
    nest_fake_control_begin(fake->control, call->slot, call->uuid, name, &verdict);
    suffer_before(fake, call, name, &verdict);
    if (!verdict.fail_before)
        ok = take_effect(fake, call, effect, &verdict, &local);
    if (verdict.fail_before || (ok && verdict.fail_after))
        nest_set_error(&local, verdict.code, NULL, "%s", verdict.message);
    nest_fake_control_ended(fake->control, &verdict, call->slot, call->uuid, local);
    if (local == NULL)
        return TRUE;
    g_clear_pointer(&call->list, g_ptr_array_unref);
    g_clear_pointer(&call->facts, nest_vm_facts_free);
    g_clear_pointer(&call->caps, nest_backend_caps_free);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

gboolean nest_fake_call_check(NestFake *fake, NestFakeCall *call, GError **error)
{
    return nest_domain_schema_check(fake->schema, call->xml, error);
}
