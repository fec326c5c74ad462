/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-inner-spec.h"
#include "nest-error.h"
#include "nest-size.h"
#include "nest-tree-sum.h"
#include <string.h>

#define MEMORY_MIN_KIB (16ull * 1024)
#define DISK_MIN_BYTES (1024ull * 1024)
#define DISK_MAX_BYTES (1ull << 50)
#define VCPUS_MAX 1024
#define TEXT_MAX 4096

static gboolean refuse(GError **error, const char *next, const char *message)
{
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, next, "%s", message);
    return FALSE;
}

static gboolean is_text(const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    return strlen(text) <= TEXT_MAX;
}

/* Of a guest of either kind. */
static gboolean is_absolute(const char *path)
{
    return *path == '/' ||
        (g_ascii_isalpha(path[0]) && path[1] == ':' && (path[2] == '\\' || path[2] == '/'));
}

static gboolean check_texts(const NestInnerSpec *spec, GError **error)
{
    const char *const paths[] = {spec->disk, spec->iso, spec->kernel, spec->initrd};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        if (paths[i] != NULL && (!is_absolute(paths[i]) || !is_text(paths[i])))
            return refuse(error, NULL, "files must be given by their absolute path in the guest");
    if (spec->kernel == NULL && (spec->initrd != NULL || spec->cmdline != NULL))
        return refuse(error, NULL, "initrd and cmdline need kernel");
    if (spec->cmdline != NULL && !is_text(spec->cmdline))
        return refuse(error, NULL, "the kernel command line is too long, or no text");
    return TRUE;
}

static gboolean check_disk(const NestInnerSpec *spec, GError **error)
{
    if (spec->disk_bytes > 0 && spec->disk != NULL)
        return refuse(error, NULL, "give either the size of a new disk or an existing one");
    if (spec->disk_bytes > 0 &&
        (spec->disk_bytes < DISK_MIN_BYTES || spec->disk_bytes > DISK_MAX_BYTES))
        return refuse(error, NULL, "a new disk must be from 1 MiB to 1 PiB");
    if (spec->disk != NULL && g_strcmp0(spec->disk_format, "raw") != 0 &&
        g_strcmp0(spec->disk_format, "qcow2") != 0)
        return refuse(error, NULL, "the format of an existing disk must be raw or qcow2");
    return TRUE;
}

static gboolean check_network(const char *network, GError **error)
{
    const char *source = network != NULL ? strchr(network, '=') : NULL;
    if (network == NULL || strcmp(network, "none") == 0 || strcmp(network, "user") == 0)
        return TRUE;
    if ((g_str_has_prefix(network, "bridge=") || g_str_has_prefix(network, "network=")) &&
        source[1] != '\0' && is_text(network))
        return TRUE;
    return refuse(error, NULL, "the network must be none, user, bridge=BR or network=NET");
}

static gboolean check_memory(const NestInnerSpec *spec, guint64 memory_kib, GError **error)
{
    if (spec->memory_kib < MEMORY_MIN_KIB)
        return refuse(error, NULL, "memory must be 16 MiB or more");
    if (spec->vcpus > VCPUS_MAX)
        return refuse(error, NULL, "vcpus must be from 1 to 1024");
    if (spec->memory_kib <= memory_kib)
        return TRUE;
    g_autofree char *wanted = nest_size_text(spec->memory_kib);
    g_autofree char *there = nest_size_text(memory_kib);
    nest_set_error(error, NEST_ERROR_VM_UNFIT,
        "give it less, or give the outer virtual machine more: nestctl memory",
        "an inner virtual machine with %s does not fit into one with %s", wanted, there);
    return FALSE;
}

gboolean nest_inner_spec_check(const NestInnerSpec *spec, guint64 memory_kib, GError **error)
{
    return nest_vm_name_check(spec->name, error) && check_memory(spec, memory_kib, error) &&
        check_disk(spec, error) && check_texts(spec, error) && check_network(spec->network, error);
}

GStrv nest_inner_spec_warn(
    const NestInnerSpec *spec, const NestTreeSum *all, guint64 memory_kib, guint vcpus)
{
    static const NestTreeSum none = {0};
    NestTreeSum with = *all;
    const NestTreeRoom room = {"inner VMs with this one", memory_kib, vcpus};
    nest_tree_sum_add(&with, spec->memory_kib, MAX(spec->vcpus, 1));
    return nest_tree_sum_judge(&with, &none, &room);
}
