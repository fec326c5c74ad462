/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-checkpoint.h"
#include <string.h>

static void free_checkpoint(gpointer checkpoint)
{
    nest_backend_checkpoint_free(checkpoint);
}

static NestFakeCheckpoint *find(const NestFakeVm *vm, const char *name)
{
    for (guint i = 0; vm->checkpoints != NULL && i < vm->checkpoints->len; i++) {
        NestFakeCheckpoint *checkpoint = g_ptr_array_index(vm->checkpoints, i);
        if (strcmp(checkpoint->name, name) == 0)
            return checkpoint;
    }
    return NULL;
}

/* A copy to change; NULL and an error where there is no such VM. */
static NestFakeVm *copy_of(NestFake *fake, const NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = nest_fake_state_get(fake->state, call->uuid);
    if (vm == NULL) {
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, NULL,
            "Domain not found: no domain with matching uuid '%s'", call->uuid);
        return NULL;
    }
    NestFakeVm *copy = nest_fake_vm_copy(vm);
    if (copy->checkpoints == NULL)
        copy->checkpoints = g_ptr_array_new();
    return copy;
}

static void set_current(NestFakeVm *vm, const NestFakeCheckpoint *current)
{
    for (guint i = 0; i < vm->checkpoints->len; i++) {
        NestFakeCheckpoint *checkpoint = g_ptr_array_index(vm->checkpoints, i);
        checkpoint->current = checkpoint == current;
    }
}

static gboolean effect_checkpoints(NestFake *fake, NestFakeCall *call, GError **error)
{
    g_autoptr(NestFakeVm) vm = copy_of(fake, call, error);
    if (vm == NULL)
        return FALSE;
    call->list = g_ptr_array_new_with_free_func(free_checkpoint);
    for (guint i = 0; i < vm->checkpoints->len; i++) {
        const NestFakeCheckpoint *from = g_ptr_array_index(vm->checkpoints, i);
        NestBackendCheckpoint *to = g_new0(NestBackendCheckpoint, 1);
        to->name = g_strdup(from->name);
        to->time = from->time;
        to->memory = from->live_xml != NULL;
        to->current = from->current;
        to->unfinished = from->unfinished;
        to->description = g_strdup(from->description);
        to->xml = g_strdup(from->live_xml != NULL ? from->live_xml : from->xml);
        g_ptr_array_add(call->list, to);
    }
    return TRUE;
}

static gboolean effect_checkpoint(NestFake *fake, NestFakeCall *call, GError **error)
{
    g_autoptr(NestFakeVm) vm = copy_of(fake, call, error);
    if (vm == NULL)
        return FALSE;
    if (find(vm, call->checkpoint) != NULL) {
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL,
            "operation failed: domain snapshot %s already exists", call->checkpoint);
        return FALSE;
    }
    NestFakeCheckpoint made = {
        .name = (char *)call->checkpoint,
        .time = g_get_real_time() / 1000,
        .description = (char *)call->description,
        .xml = vm->xml,
        .live_xml = call->disk_only ? NULL : vm->live_xml,
    };
    g_ptr_array_add(vm->checkpoints, nest_fake_checkpoint_copy(&made));
    set_current(vm, find(vm, call->checkpoint));
    vm->snapshots = vm->checkpoints->len;
    return nest_fake_state_put(fake->state, g_steal_pointer(&vm), error);
}

static void put_string(char **slot, const char *text)
{
    char *copy = g_strdup(text);
    g_free(*slot);
    *slot = copy;
}

static gboolean effect_apply_checkpoint(NestFake *fake, NestFakeCall *call, GError **error)
{
    g_autoptr(NestFakeVm) vm = copy_of(fake, call, error);
    const NestFakeCheckpoint *checkpoint = vm != NULL ? find(vm, call->checkpoint) : NULL;
    if (vm == NULL)
        return FALSE;
    if (checkpoint == NULL) {
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL,
            "Domain snapshot not found: no domain snapshot with matching name '%s'",
            call->checkpoint);
        return FALSE;
    }
    put_string(&vm->xml, checkpoint->xml);
    put_string(&vm->live_xml, checkpoint->live_xml);
    vm->run++;
    vm->carried = TRUE;
    vm->state = checkpoint->live_xml != NULL ? NEST_VM_RUNNING : NEST_VM_OFF;
    set_current(vm, checkpoint);
    return nest_fake_state_put(fake->state, g_steal_pointer(&vm), error);
}

static gboolean effect_delete_checkpoint(NestFake *fake, NestFakeCall *call, GError **error)
{
    g_autoptr(NestFakeVm) vm = copy_of(fake, call, error);
    NestFakeCheckpoint *checkpoint = vm != NULL ? find(vm, call->checkpoint) : NULL;
    if (checkpoint == NULL)
        return vm != NULL;
    g_ptr_array_remove(vm->checkpoints, checkpoint);
    nest_fake_checkpoint_free(checkpoint);
    vm->snapshots = vm->checkpoints->len;
    return nest_fake_state_put(fake->state, g_steal_pointer(&vm), error);
}

static gboolean run(NestBackend *self, NestFakeCall *call, NestFakeEffect effect, GError **error)
{
    return nest_fake_call_run((NestFake *)self, call, effect, error);
}

gboolean nest_fake_checkpoints(
    NestBackend *self, const char *uuid, GPtrArray **ret_checkpoints, GError **error)
{
    NestFakeCall call = {.slot = "checkpoints", .uuid = uuid};
    if (!run(self, &call, effect_checkpoints, error))
        return FALSE;
    *ret_checkpoints = call.list;
    return TRUE;
}

gboolean nest_fake_checkpoint(NestBackend *self, const char *uuid, const char *name,
    const char *description, gboolean disk_only, GError **error)
{
    NestFakeCall call = {.slot = "checkpoint",
        .uuid = uuid,
        .checkpoint = name,
        .description = description,
        .disk_only = disk_only};
    return run(self, &call, effect_checkpoint, error);
}

gboolean nest_fake_apply_checkpoint(
    NestBackend *self, const char *uuid, const char *name, GError **error)
{
    NestFakeCall call = {.slot = "apply_checkpoint", .uuid = uuid, .checkpoint = name};
    return run(self, &call, effect_apply_checkpoint, error);
}

gboolean nest_fake_delete_checkpoint(
    NestBackend *self, const char *uuid, const char *name, GError **error)
{
    NestFakeCall call = {.slot = "delete_checkpoint", .uuid = uuid, .checkpoint = name};
    return run(self, &call, effect_delete_checkpoint, error);
}
