/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-change.h"
#include "nest-codec.h"
#include "nest-link-setting.h"
#include <string.h>

static const char *const kind_nicks[] = {"nested", "file", "access", "link", NULL};

#define TEXT(member, flags) \
    { \
#member, NEST_FIELD_STRING, NEST_FIELD_##flags, offsetof(NestHostSetting, member), NULL, \
            NULL \
    }

static const NestField setting_fields[] = {
    TEXT(id, REQUIRED),
    TEXT(item, REQUIRED),
    {"kind", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(NestHostSetting, kind), kind_nicks,
        NULL},
    TEXT(target, REQUIRED),
    TEXT(before, OPTIONAL),
    TEXT(after, OPTIONAL),
};
static const NestRecord setting_record = {
    "setting", sizeof(NestHostSetting), setting_fields, G_N_ELEMENTS(setting_fields)};

static const NestField change_fields[] = {
    {"settings", NEST_FIELD_RECORDS, NEST_FIELD_REQUIRED, offsetof(NestHostChange, settings), NULL,
        &setting_record},
};
static const NestRecord change_record = {
    "change of the host", sizeof(NestHostChange), change_fields, G_N_ELEMENTS(change_fields)};

NestHostChange *nest_host_change_new(void)
{
    return nest_record_new(&change_record);
}

void nest_host_change_free(NestHostChange *change)
{
    nest_record_free(&change_record, change);
}

void nest_host_change_add(NestHostChange *change, const char *id, const char *item,
    NestHostSettingKind kind, const char *target, const char *before, const char *after)
{
    NestHostSetting *setting = nest_record_new(&setting_record);
    setting->id = g_strdup(id);
    setting->item = g_strdup(item);
    setting->kind = kind;
    setting->target = g_strdup(target);
    setting->before = g_strdup(before);
    setting->after = g_strdup(after);
    g_ptr_array_add(change->settings, setting);
}

const NestHostSetting *nest_host_change_find(const NestHostChange *change, const char *id)
{
    for (guint i = 0; i < change->settings->len; i++) {
        const NestHostSetting *setting = g_ptr_array_index(change->settings, i);
        if (strcmp(setting->id, id) == 0)
            return setting;
    }
    return NULL;
}

char *nest_host_change_to_text(const NestHostChange *change)
{
    return nest_codec_to_text(&change_record, change);
}

NestHostChange *nest_host_change_from_text(const char *text, GError **error)
{
    return nest_codec_from_text(&change_record, text, -1, NEST_CODEC_LENIENT, error);
}

char *nest_host_change_value_text(
    const NestHostSetting *setting, const char *value, const char *other)
{
    switch (setting->kind) {
    case NEST_HOST_NESTED:
        return value != NULL ? g_strdup_printf("nested=%s", value) : g_strdup("not loaded");
    case NEST_HOST_FILE:
        return g_strdup(value != NULL ? "there" : "not there");
    case NEST_HOST_ACCESS:
        return value != NULL ? g_strdup_printf("mode, user and group %s", value)
                             : g_strdup("not there");
    case NEST_HOST_LINK:
        return value != NULL ? nest_link_setting_difference(value, other != NULL ? other : "")
                             : g_strdup("not there");
    }
    g_assert_not_reached();
}

char *nest_host_change_target_text(const NestHostSetting *setting)
{
    if (setting->kind == NEST_HOST_LINK)
        return nest_link_setting_name(setting->target);
    return g_strconcat(setting->kind == NEST_HOST_NESTED ? "" : "/", setting->target, NULL);
}

static char *words(const NestHostSetting *setting)
{
    g_autofree char *target = nest_host_change_target_text(setting);
    if (setting->kind == NEST_HOST_FILE)
        return g_strdup_printf("%s: %s", target,
            setting->before == NULL      ? "written"
                : setting->after == NULL ? "removed"
                                         : "changed");
    g_autofree char *before = nest_host_change_value_text(setting, setting->before, setting->after);
    g_autofree char *after = nest_host_change_value_text(setting, setting->after, setting->before);
    return g_strdup_printf("%s: %s → %s", target, before, after);
}

char *nest_host_change_summary(const NestHostChange *change)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < change->settings->len; i++) {
        g_autofree char *part = words(g_ptr_array_index(change->settings, i));
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", part);
    }
    return g_strdup(text->str);
}
