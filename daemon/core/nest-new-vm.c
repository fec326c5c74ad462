/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-new-vm.h"
#include "nest-error.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MIN_KIB (16ull * 1024)
#define MEMORY_MAX_KIB (16ull * 1024 * 1024 * 1024)
#define DISK_MIN_BYTES (1024ull * 1024)
#define DISK_MAX_BYTES (1ull << 50)
#define VCPUS_MAX 1024
#define TEXT_MAX 4096

static gboolean refuse(GError **error, const char *next, const char *message)
{
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, next, "%s", message);
    return FALSE;
}

static gboolean check_sizes(NestVmSpec *spec, GError **error)
{
    if (spec->memory_kib < MEMORY_MIN_KIB || spec->memory_kib > MEMORY_MAX_KIB)
        return refuse(error, NULL, "memory must be from 16 MiB to 16 TiB");
    if (spec->memory_min_kib > spec->memory_kib)
        return refuse(error, NULL, "the least memory is more than the most");
    if (spec->memory_min_kib > 0 && spec->memory_min_kib < MEMORY_MIN_KIB)
        return refuse(error, NULL, "the least memory must be 16 MiB or more");
    if (spec->nested && spec->memory_min_kib > 0 && spec->memory_min_kib != spec->memory_kib)
        return refuse(error, "give one size", "nesting and dynamic memory don't go together");
    if (spec->vcpus > VCPUS_MAX)
        return refuse(error, NULL, "vcpus must be from 1 to 1024");
    if (spec->disk_bytes > 0 && spec->disk != NULL)
        return refuse(error, NULL, "give either the size of a new disk or an existing one");
    if (spec->disk_bytes > 0 &&
        (spec->disk_bytes < DISK_MIN_BYTES || spec->disk_bytes > DISK_MAX_BYTES))
        return refuse(error, NULL, "a new disk must be from 1 MiB to 1 PiB");
    if (spec->vcpus == 0)
        spec->vcpus = 1;
    return TRUE;
}

/* path is not opened for reading: a FIFO or a device must not be able to do anything. */
static gboolean check_file(const char *what, const char *path, gboolean device_too, GError **error)
{
    struct stat status;
    if (path == NULL)
        return TRUE;
    if (!g_path_is_absolute(path) || strlen(path) > TEXT_MAX) {
        nest_set_error(
            error, NEST_ERROR_INVALID_REQUEST, NULL, "the %s must be an absolute path", what);
        return FALSE;
    }
    int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    int problem = fd < 0 || fstat(fd, &status) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (problem != 0) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "the %s can't be used: %s", what,
            g_strerror(problem));
        return FALSE;
    }
    if (S_ISREG(status.st_mode) || (device_too && S_ISBLK(status.st_mode)))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "name the file itself, not a link to it",
        "the %s is not a regular file", what);
    return FALSE;
}

static gboolean check_files(const NestVmSpec *spec, GError **error)
{
    if (!check_file("disk", spec->disk, TRUE, error) ||
        !check_file("ISO", spec->iso, TRUE, error) ||
        !check_file("kernel", spec->kernel, FALSE, error) ||
        !check_file("initrd", spec->initrd, FALSE, error))
        return FALSE;
    if (spec->disk != NULL && g_strcmp0(spec->disk_format, "qcow2") != 0 &&
        g_strcmp0(spec->disk_format, "raw") != 0)
        return refuse(error,
            "say which of the two it is: a guess can be wrong, and a wrong one lets "
            "a guest read files of the host",
            "the format of an existing disk must be given as qcow2 or raw");
    if (spec->kernel == NULL && (spec->initrd != NULL || spec->cmdline != NULL))
        return refuse(error, NULL, "an initrd or a command line needs a kernel");
    if (spec->cmdline != NULL && strlen(spec->cmdline) > TEXT_MAX)
        return refuse(error, NULL, "the kernel command line is too long");
    return TRUE;
}

static gboolean is_plain_name(const char *name)
{
    gsize length = strlen(name);
    return length > 0 && length < 64 &&
        strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == length;
}

static gboolean check_network(NestVmSpec *spec, const NestHostSnapshot *host, GError **error)
{
    if (spec->network == NULL)
        spec->network = g_strdup("user");
    const char *network = spec->network;
    gboolean by_libvirt = g_str_has_prefix(network, "network=");
    const char *name = strchr(network, '=');
    gboolean named = by_libvirt || g_str_has_prefix(network, "bridge=");
    if (!(named && is_plain_name(name + 1)) && strcmp(network, "none") != 0 &&
        strcmp(network, "user") != 0)
        return refuse(error, NULL, "the network must be none, user, bridge=NAME or network=NAME");
    if (spec->filter != NULL && (!named || !is_plain_name(spec->filter)))
        return refuse(error, NULL, "a filter needs a bridge or a network, and a plain name");
    gboolean there = host->caps == NULL || host->caps->networks;
    if ((by_libvirt || spec->filter != NULL) && !there) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, "use user or bridge=NAME",
            "networks and filters of libvirt need a libvirt daemon; nestd runs without one");
        return FALSE;
    }
    return TRUE;
}

static gboolean choose_accel(NestVmSpec *spec, const NestHostSnapshot *host, GError **error)
{
    gboolean offered = host->caps == NULL || host->caps->kvm;
    if (spec->accel == NEST_ACCEL_AUTO)
        spec->accel =
            nest_host_hardware_kvm(host->facts) && offered ? NEST_ACCEL_KVM : NEST_ACCEL_TCG;
    if (spec->accel == NEST_ACCEL_KVM && !offered) {
        nest_set_error(error, NEST_ERROR_HOST_UNFIT, "nestctl status; or use --accel tcg",
            "KVM can't be used on this host");
        return FALSE;
    }
    if (!spec->nested)
        return TRUE;
    if (nest_policy_refuses(host->policy, spec->name, error))
        return FALSE;
    if (nest_new_vm_extension(spec, host) != NEST_EXTENSION_NONE)
        return TRUE;
    nest_set_error(error, NEST_ERROR_HOST_UNFIT, "nestctl status; or use --accel tcg",
        "this host has no virtualization extension to give to a virtual machine");
    return FALSE;
}

NestExtension nest_new_vm_extension(const NestVmSpec *spec, const NestHostSnapshot *host)
{
    return spec->accel == NEST_ACCEL_TCG ? NEST_EXTENSION_SVM : nest_host_extension(host->facts);
}

gboolean nest_new_vm_check(NestVmSpec *spec, const NestHostSnapshot *host, GError **error)
{
    return nest_vm_name_check(spec->name, error) && check_sizes(spec, error) &&
        check_files(spec, error) && check_network(spec, host, error) &&
        choose_accel(spec, host, error);
}
