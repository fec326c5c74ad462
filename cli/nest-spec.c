/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-spec.h"
#include "nest-error.h"
#include "nest-quantity.h"
#include "nest-record.h"
#include <string.h>

#define MAX_VCPUS 4096

/* The format is never guessed from what is in the image, for a guest writes that. */
static char *format_of_name(const char *path)
{
    if (g_str_has_suffix(path, ".qcow2"))
        return g_strdup("qcow2");
    return g_str_has_suffix(path, ".raw") ? g_strdup("raw") : NULL;
}

static gboolean set_image(NestVmSpec *spec, const char *text, GError **error)
{
    const char *option = strstr(text, ",format=");
    g_autofree char *path = option != NULL ? g_strndup(text, option - text) : g_strdup(text);
    g_autofree char *format = option != NULL ? g_strdup(option + 8) : format_of_name(path);
    if (g_strcmp0(format, "raw") != 0 && g_strcmp0(format, "qcow2") != 0) {
        nest_set_error(error, NEST_ERROR_USAGE,
            "say which it is: --disk PATH,format=raw or --disk PATH,format=qcow2",
            "the format of the disk \"%s\" is not known", path);
        return FALSE;
    }
    spec->disk = g_steal_pointer(&path);
    spec->disk_format = g_steal_pointer(&format);
    return TRUE;
}

static gboolean set_disk(NestVmSpec *spec, const char *text, GError **error)
{
    if (text == NULL)
        return TRUE;
    if (strpbrk(text, "/.,\\") != NULL)
        return set_image(spec, text, error);
    return nest_quantity_parse_size(text, &spec->disk_bytes, error);
}

static gboolean set_numbers(NestVmSpec *spec, const NestArguments *arguments, GError **error)
{
    gint64 vcpus = 0;
    if (arguments->memory == NULL) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help create", "--memory SIZE is needed");
        return FALSE;
    }
    if (!nest_quantity_parse_memory(
            arguments->memory, &spec->memory_min_kib, &spec->memory_kib, error))
        return FALSE;
    if (arguments->vcpus != NULL &&
        !nest_quantity_parse_number("--vcpus", arguments->vcpus, 1, MAX_VCPUS, &vcpus, error))
        return FALSE;
    spec->vcpus = vcpus;
    return TRUE;
}

static gboolean set_network(NestVmSpec *spec, const char *text, GError **error)
{
    if (text == NULL)
        return TRUE;
    if (strcmp(text, "none") != 0 && strcmp(text, "user") != 0 &&
        !(g_str_has_prefix(text, "bridge=") && strlen(text) > 7) &&
        !(g_str_has_prefix(text, "network=") && strlen(text) > 8)) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help create",
            "--network must be none, user, bridge=BR or network=NET, not \"%s\"", text);
        return FALSE;
    }
    spec->network = g_strdup(text);
    return TRUE;
}

static gboolean set_accel(NestVmSpec *spec, const char *text, GError **error)
{
    guint accel = NEST_ACCEL_AUTO;
    if (text != NULL && !nest_nick_parse(nest_accel_nicks, text, &accel)) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help create",
            "--accel must be auto, kvm or tcg, not \"%s\"", text);
        return FALSE;
    }
    spec->accel = accel;
    return TRUE;
}

static gboolean set_boot(NestVmSpec *spec, const NestArguments *arguments, GError **error)
{
    if (arguments->kernel == NULL && (arguments->initrd != NULL || arguments->cmdline != NULL)) {
        nest_set_error(
            error, NEST_ERROR_USAGE, "nestctl help create", "--initrd and --cmdline need --kernel");
        return FALSE;
    }
    spec->iso = g_strdup(arguments->iso);
    spec->kernel = g_strdup(arguments->kernel);
    spec->initrd = g_strdup(arguments->initrd);
    spec->cmdline = g_strdup(arguments->cmdline);
    return TRUE;
}

static NestVmSpec *read_spec(const char *name, const NestArguments *arguments, GError **error)
{
    g_autoptr(NestVmSpec) spec = nest_record_new(&nest_vm_spec_record);
    g_autoptr(GError) cause = NULL;
    if (!nest_vm_name_check(name, &cause)) {
        nest_set_error(error, NEST_ERROR_USAGE, nest_error_get_next(cause), "%s", cause->message);
        return NULL;
    }
    spec->name = g_strdup(name);
    spec->filter = g_strdup(arguments->filter);
    spec->nested = arguments->nested;
    if (!set_numbers(spec, arguments, error) || !set_disk(spec, arguments->disk, error) ||
        !set_network(spec, arguments->network, error) ||
        !set_accel(spec, arguments->accel, error) || !set_boot(spec, arguments, error))
        return NULL;
    return g_steal_pointer(&spec);
}

static void make_absolute(char **path)
{
    if (*path == NULL)
        return;
    char *absolute = g_canonicalize_filename(*path, NULL);
    g_free(*path);
    *path = absolute;
}

NestVmSpec *nest_spec_from_arguments(const NestArguments *arguments, GError **error)
{
    NestVmSpec *spec = read_spec(arguments->operands[0], arguments, error);
    if (spec == NULL)
        return NULL;
    char **const paths[] = {&spec->disk, &spec->iso, &spec->kernel, &spec->initrd};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        make_absolute(paths[i]);
    return spec;
}

NestInnerSpec *nest_spec_inner(const NestArguments *arguments, GError **error)
{
    g_autoptr(NestVmSpec) spec = read_spec(arguments->operands[1], arguments, error);
    if (spec == NULL)
        return NULL;
    if (spec->memory_min_kib != 0) {
        nest_set_error(error, NEST_ERROR_USAGE, "give one size",
            "the memory of an inner virtual machine is fixed");
        return NULL;
    }
    NestInnerSpec *inner = nest_record_new(&nest_inner_spec_record);
    *inner = (NestInnerSpec){.name = g_steal_pointer(&spec->name),
        .by = g_strdup(arguments->by),
        .memory_kib = spec->memory_kib,
        .vcpus = spec->vcpus,
        .disk_bytes = spec->disk_bytes,
        .disk = g_steal_pointer(&spec->disk),
        .disk_format = g_steal_pointer(&spec->disk_format),
        .iso = g_steal_pointer(&spec->iso),
        .kernel = g_steal_pointer(&spec->kernel),
        .initrd = g_steal_pointer(&spec->initrd),
        .cmdline = g_steal_pointer(&spec->cmdline),
        .network = g_steal_pointer(&spec->network),
        .accel = spec->accel,
        .start = arguments->start};
    return inner;
}
