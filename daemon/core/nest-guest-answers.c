/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-answers.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-inside-data.h"
#include <string.h>

#define FOLDER "/org/nestd/inside/"
#define FIRST_LINE "nest-guest 1"
#define TEXT_MAX 200
#define LIST_MAX 20

/* ---- the scripts ---- */

static const char *script(const char *path)
{
    g_autoptr(GBytes) bytes = g_resource_lookup_data(
        nest_inside_data_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    return g_bytes_get_data(bytes, NULL); /* ends with NUL, and is there for good */
}

const char *nest_guest_answers_script_linux(void)
{
    return script(FOLDER "linux.sh");
}

const char *nest_guest_answers_script_probe(void)
{
    return script(FOLDER "probe.sh");
}

char *nest_guest_answers_script_windows(void)
{
    gsize length = 0;
    g_autofree char *wide =
        g_convert(script(FOLDER "windows.ps1"), -1, "UTF-16LE", "UTF-8", NULL, &length, NULL);
    return g_base64_encode((const guchar *)wide, length);
}

/* ---- the shape of what they say ---- */

static const char *const answer_nicks[] = {"unread", "no", "yes", NULL};
static const char *const module_nicks[] = {"unread", "loaded", "refused", "absent", "idle", NULL};
static const char *const device_nicks[] = {"unread", "usable", "denied", "absent", NULL};

// clang-format off
#define FACT(member, type) \
    {#member, NEST_FIELD_##type, NEST_FIELD_OPTIONAL, offsetof(NestGuestFacts, member), NULL, NULL}
#define CHOICE(member, nicks) \
    {#member, NEST_FIELD_ENUM, NEST_FIELD_OPTIONAL, offsetof(NestGuestFacts, member), nicks, NULL}
#define ANSWER(member) CHOICE(member, answer_nicks)
// clang-format on

static const NestField linux_fields[] = {
    ANSWER(cpu_flag),
    CHOICE(module, module_nicks),
    CHOICE(kvm, device_nicks),
    FACT(nested, STRING),
    FACT(memory_kib, UINT64),
    FACT(disk_kib, UINT64),
    ANSWER(reboot_pending),
    ANSWER(blank_password),
    FACT(validate, STRV),
    FACT(tcg_domains, STRV),
    ANSWER(libvirt),
    ANSWER(default_net),
};

static const NestField windows_fields[] = {
    FACT(build, UINT),
    FACT(edition, STRING),
    ANSWER(hyperv),
    ANSWER(platform),
    ANSWER(wsl),
    ANSWER(hypervisor),
    ANSWER(own_hypervisor),
    FACT(launch_type, STRING),
    ANSWER(nested_refused),
    ANSWER(vbs),
    ANSWER(secure_boot),
    ANSWER(event_124),
    ANSWER(vid),
    ANSWER(reboot_pending),
    ANSWER(blank_password),
    FACT(memory_kib, UINT64),
    FACT(disk_kib, UINT64),
    FACT(inner_vms, UINT),
};
static const NestRecord windows_record = {"what Windows says of itself", sizeof(NestGuestFacts),
    windows_fields, G_N_ELEMENTS(windows_fields)};

static gboolean refuse(GError **error, const char *what, const char *shown)
{
    g_autofree char *start = g_strndup(shown, TEXT_MAX);
    g_autofree char *valid = g_utf8_make_valid(start, -1);
    nest_set_error(
        error, NEST_ERROR_GUEST_AGENT, NULL, "what the guest says of itself %s: %s", what, valid);
    return FALSE;
}

static char *cut(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), TEXT_MAX));
}

/* ---- Linux: lines ---- */

/* The first one only says that it was looked. */
static gboolean add_to_list(GStrv *list, const char *value)
{
    guint length = *list != NULL ? g_strv_length(*list) : 0;
    if ((*list == NULL) != (*value == '\0') || length >= LIST_MAX)
        return FALSE;
    *list = g_renew(char *, *list, length + 2);
    (*list)[length] = *value != '\0' ? cut(value) : NULL;
    (*list)[length + 1] = NULL;
    return TRUE;
}

static gboolean set_field(gpointer at, const NestField *field, const char *value)
{
    guint choice = 0;
    switch (field->type) {
    case NEST_FIELD_STRV:
        return add_to_list(at, value);
    case NEST_FIELD_ENUM:
        if (*(guint *)at != 0 || !nest_nick_parse(field->nicks, value, &choice))
            return FALSE;
        *(guint *)at = choice;
        return choice != 0;
    case NEST_FIELD_UINT64:
        return *(guint64 *)at == 0 &&
            g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, at, NULL);
    default:
        if (*(char **)at != NULL)
            return FALSE;
        *(char **)at = cut(value);
        return TRUE;
    }
}

static gboolean read_line(char *line, NestGuestFacts *facts, GError **error)
{
    char *value = strchr(line, '=');
    for (guint i = 0; value != NULL && i < G_N_ELEMENTS(linux_fields); i++) {
        const NestField *field = &linux_fields[i];
        gsize length = strlen(field->name);
        if ((gsize)(value - line) == length && strncmp(line, field->name, length) == 0 &&
            set_field((char *)facts + field->offset, field, value + 1))
            return TRUE;
    }
    return refuse(error, "can't be", line);
}

gboolean nest_guest_answers_read_linux(
    const char *text, gsize length, NestGuestFacts *facts, GError **error)
{
    g_autofree char *copy = g_strndup(text, MIN(length, NEST_GUEST_ANSWERS_MAX));
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    guint n = g_strv_length(lines);
    g_autofree char *end = g_strdup_printf("end=%u", n < 3 ? 0 : n - 3);
    if (n < 3 || strcmp(lines[0], FIRST_LINE) != 0 || strcmp(lines[n - 2], end) != 0 ||
        *lines[n - 1] != '\0')
        return refuse(error, "is not whole", copy);
    for (guint i = 1; i < n - 2; i++)
        if (!read_line(lines[i], facts, error))
            return FALSE;
    return TRUE;
}

/* ---- Windows: JSON ---- */

static void take_windows(NestGuestFacts *facts, const NestGuestFacts *said)
{
    for (guint i = 0; i < G_N_ELEMENTS(windows_fields); i++) {
        const NestField *field = &windows_fields[i];
        gpointer to = (char *)facts + field->offset;
        gconstpointer from = (const char *)said + field->offset;
        if (field->type == NEST_FIELD_STRING && *(char *const *)from != NULL)
            *(char **)to = cut(*(char *const *)from);
        else if (field->type == NEST_FIELD_UINT64)
            *(guint64 *)to = *(const guint64 *)from;
        else if (field->type != NEST_FIELD_STRING)
            *(guint *)to = *(const guint *)from;
    }
}

gboolean nest_guest_answers_read_windows(
    const char *text, gsize length, NestGuestFacts *facts, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *copy = g_strndup(text, MIN(length, NEST_GUEST_ANSWERS_MAX));
    NestGuestFacts *said =
        nest_codec_from_text(&windows_record, g_strstrip(copy), -1, NEST_CODEC_STRICT, &why);
    if (said == NULL)
        return refuse(error, "can't be understood", why->message);
    take_windows(facts, said);
    nest_record_free(&windows_record, said);
    return TRUE;
}
