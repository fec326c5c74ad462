/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-inner-way.h"
#include "nest-codec.h"
#include "nest-error.h"
#include <string.h>

#define TEXT_MAX_BYTES 255

const NestInnerWay *const nest_inner_ways[] = {&nest_inner_libvirt, &nest_inner_incus,
    &nest_inner_lxd, &nest_inner_proxmox, &nest_inner_qemu, &nest_inner_hyperv, NULL};

const NestInnerWay *nest_inner_way_find(const char *id)
{
    for (const NestInnerWay *const *way = nest_inner_ways; *way != NULL; way++)
        if (g_strcmp0((*way)->id, id) == 0)
            return *way;
    return NULL;
}

void nest_inner_command_clear(NestInnerCommand *command)
{
    g_clear_pointer(&command->words, g_strfreev);
    g_clear_pointer(&command->input, g_free);
}

void nest_inner_command_set(NestInnerCommand *command, ...)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    va_list list;
    va_start(list, command);
    for (const char *word = va_arg(list, const char *); word != NULL;
         word = va_arg(list, const char *))
        g_strv_builder_add(words, word);
    va_end(list);
    command->words = g_strv_builder_end(words);
}

void nest_inner_words_add(GStrvBuilder *words, const char *option, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *value = g_strdup_vprintf(format, list);
    va_end(list);
    g_strv_builder_add_many(words, option, value, NULL);
}

void nest_inner_command_tail(NestInnerCommand *command, const char *path)
{
    nest_inner_command_set(command, "tail", "-c", NEST_INNER_CONSOLE_MAX, path, NULL);
}

gpointer nest_inner_way_decode(const NestRecord *record, const char *text, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gpointer value = nest_codec_from_text(record, text, -1, NEST_CODEC_LENIENT, &cause);
    if (value == NULL)
        nest_set_error(error, NEST_ERROR_GUEST_AGENT, NULL, "its %s can't be understood: %s",
            record->name, cause->message);
    return value;
}

char *nest_inner_way_text(const char *said)
{
    g_autofree char *cut = g_strndup(said, TEXT_MAX_BYTES);
    return g_utf8_make_valid(cut, -1);
}

NestInnerVm *nest_inner_vm_new(const char *name, const char *by)
{
    NestInnerVm *vm = nest_record_new(&nest_inner_vm_record);
    vm->name = nest_inner_way_text(name);
    vm->by = g_strdup(by);
    vm->managed = TRUE;
    return vm;
}
