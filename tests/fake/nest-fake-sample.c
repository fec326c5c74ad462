/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-sample.h"
#include "nest-error.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    NestVmSample sample;
    guint64 grow;
    gboolean silent;
} Telling;

static void hear_run(Telling *telling, guint64 number)
{
    telling->sample.run = (int)number;
}

static void hear_nested_run(Telling *telling, guint64 number)
{
    telling->sample.counted = TRUE;
    telling->sample.nested_run = number;
}

static void hear_grow(Telling *telling, guint64 number)
{
    telling->sample.counted = TRUE;
    telling->grow = number;
}

static void hear_guest(Telling *telling, guint64 number)
{
    telling->sample.guest_mode = telling->sample.counted = TRUE;
}

static void hear_counted(Telling *telling, guint64 number)
{
    telling->sample.counted = TRUE;
}

static void hear_carried(Telling *telling, guint64 number)
{
    telling->sample.carried = TRUE;
    telling->sample.booted = FALSE;
}

static void hear_resumed(Telling *telling, guint64 number)
{
    telling->sample.booted = FALSE;
}

static void hear_paused(Telling *telling, guint64 number)
{
    telling->sample.paused = TRUE;
    telling->sample.booted = FALSE;
}

static void hear_armed(Telling *telling, guint64 number)
{
    telling->sample.switched_on = NEST_ANSWER_YES;
}

static void hear_hidden(Telling *telling, guint64 number)
{
    telling->sample.exposed = NEST_ANSWER_NO;
}

static void hear_silent(Telling *telling, guint64 number)
{
    telling->silent = TRUE;
}

static const struct {
    const char *word;
    void (*hear)(Telling *telling, guint64 number);
} words[] = {
    {"run", hear_run},
    {"nested_run", hear_nested_run},
    {"grow", hear_grow},
    {"guest", hear_guest},
    {"counted", hear_counted},
    {"carried", hear_carried},
    {"resumed", hear_resumed},
    {"paused", hear_paused},
    {"armed", hear_armed},
    {"hidden", hear_hidden},
    {"silent", hear_silent},
};

static void hear(Telling *telling, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "=", 2);
    const guint64 number = parts[1] != NULL ? g_ascii_strtoull(parts[1], NULL, 10) : 0;
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_strcmp0(words[i].word, parts[0]) != 0)
            continue;
        words[i].hear(telling, number);
        return;
    }
    g_error("a sample of the fake hypervisor can't be \"%s\"", text);
}

static void tell_told(NestFake *fake, const NestFakeVm *vm, Telling *telling)
{
    g_autofree char *key = g_strconcat("sample@", vm->name, NULL);
    g_autofree char *told = nest_fake_control_setting(fake->control, key);
    g_auto(GStrv) parts = g_strsplit(told != NULL ? told : "", ",", -1);
    for (guint i = 0; parts[i] != NULL; i++)
        hear(telling, parts[i]);
}

static guint look(NestFake *fake, const char *uuid)
{
    guint looks = GPOINTER_TO_UINT(g_hash_table_lookup(fake->sampled, uuid)) + 1;
    g_hash_table_insert(fake->sampled, g_strdup(uuid), GUINT_TO_POINTER(looks));
    return looks;
}

static NestVmSample *sample_of(NestFake *fake, const NestFakeVm *vm, gboolean monitor)
{
    Telling telling = {
        .sample = {.run = (int)vm->run, .time = g_get_monotonic_time(), .booted = TRUE}};
    g_strlcpy(telling.sample.uuid, vm->uuid, sizeof telling.sample.uuid);
    telling.sample.paused = vm->state == NEST_VM_PAUSED;
    telling.sample.exposed = NEST_ANSWER_YES;
    telling.sample.switched_on = NEST_ANSWER_NO;
    tell_told(fake, vm, &telling);
    telling.sample.nested_run += telling.grow * look(fake, vm->uuid);
    telling.sample.asked = monitor;
    if (!monitor || telling.silent)
        telling.sample.exposed = telling.sample.switched_on = NEST_ANSWER_UNREAD;
    return g_memdup2(&telling.sample, sizeof telling.sample);
}

static gboolean take_one(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = nest_fake_state_get(fake->state, call->uuid);
    if (vm == NULL || vm->state == NEST_VM_OFF) {
        nest_set_error(error, vm == NULL ? NEST_ERROR_VM_NOT_FOUND : NEST_ERROR_VM_STATE, NULL,
            "Requested operation is not valid: domain is not running");
        return FALSE;
    }
    call->list = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(call->list, sample_of(fake, vm, call->monitor));
    return TRUE;
}

static gboolean take(NestFake *fake, NestFakeCall *call, GError **error)
{
    if (call->uuid != NULL)
        return take_one(fake, call, error);
    g_autoptr(GPtrArray) vms = nest_fake_state_all(fake->state);
    call->list = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < vms->len; i++) {
        const NestFakeVm *vm = g_ptr_array_index(vms, i);
        if (vm->state != NEST_VM_OFF)
            g_ptr_array_add(call->list, sample_of(fake, vm, FALSE));
    }
    return TRUE;
}

gboolean nest_fake_sample(
    NestBackend *self, const char *uuid, gboolean monitor, GPtrArray **ret_samples, GError **error)
{
    NestFakeCall call = {.slot = "sample", .uuid = uuid, .monitor = monitor};
    if (!nest_fake_call_run((NestFake *)self, &call, take, error))
        return FALSE;
    *ret_samples = call.list;
    return TRUE;
}
