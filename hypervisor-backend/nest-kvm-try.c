/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-kvm-try.h"
#include "nest-host-file.h"
#include "nest-host-group.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int ioctl_retry(int fd, unsigned long request, unsigned long argument)
{
    int result;
    do {
        result = ioctl(fd, request, argument);
    } while (result < 0 && errno == EINTR);
    return result;
}

/* Numbers are part of the kernel's interface; older headers lack some of the names. */
static const struct {
    const char *key; /* of the record */
    size_t offset; /* of an int in NestKvmFacts */
    unsigned long number;
} capabilities[] = {
    {"nested-state", offsetof(NestKvmFacts, nested_state), 157},
    {"enlightened-vmcs", offsetof(NestKvmFacts, evmcs), 163},
    {"exception-payload", offsetof(NestKvmFacts, exception_payload), 164},
    {"binary-stats", offsetof(NestKvmFacts, binary_stats), 203},
};

static int *capability_of(NestKvmFacts *kvm, guint i)
{
    return (int *)(void *)((char *)kvm + capabilities[i].offset);
}

static char *try_open_device(int fd, NestKvmFacts *kvm)
{
    kvm->api_version = ioctl_retry(fd, KVM_GET_API_VERSION, 0);
    if (kvm->api_version < 0)
        return g_strdup_printf("KVM_GET_API_VERSION: %s", g_strerror(errno));
    if (kvm->api_version != NEST_KVM_API_VERSION)
        return g_strdup_printf(
            "its API version is %d, not %d", kvm->api_version, NEST_KVM_API_VERSION);
    int vm = ioctl_retry(fd, KVM_CREATE_VM, 0);
    if (vm < 0)
        return g_strdup_printf("KVM_CREATE_VM: %s", g_strerror(errno));
    close(vm);
    kvm->vm_created = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(capabilities); i++)
        *capability_of(kvm, i) = ioctl_retry(fd, KVM_CHECK_EXTENSION, capabilities[i].number);
    return NULL;
}

static char *try_device(const char *path, NestKvmFacts *kvm)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0)
        return g_strdup_printf("open: %s", g_strerror(errno));
    kvm->opened = TRUE;
    char *error = try_open_device(fd, kvm);
    close(fd);
    return error;
}

static int recorded_number(GKeyFile *record, const char *key)
{
    g_autoptr(GError) error = NULL;
    int number = g_key_file_get_integer(record, "kvm", key, &error);
    return error == NULL ? number : -1;
}

static char *replay(const char *root, NestKvmFacts *kvm)
{
    char *reason = NULL;
    g_autofree char *text = nest_host_file_text(root, "dev/kvm", NEST_HOST_FILE_MAX, &reason);
    if (text == NULL)
        return reason;
    g_autoptr(GKeyFile) record = g_key_file_new();
    if (!g_key_file_load_from_data(record, text, -1, G_KEY_FILE_NONE, NULL) ||
        !g_key_file_has_group(record, "kvm"))
        return g_strdup("not a device");
    kvm->api_version = recorded_number(record, "api-version");
    kvm->opened = kvm->api_version >= 0;
    kvm->vm_created = g_key_file_get_boolean(record, "kvm", "vm-created", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(capabilities); i++)
        *capability_of(kvm, i) = recorded_number(record, capabilities[i].key);
    kvm->access = g_key_file_get_string(record, "kvm", "access", NULL);
    char *error = g_key_file_get_string(record, "kvm", "error", NULL);
    if (error == NULL && !kvm->vm_created)
        error = g_strdup("no VM could be created");
    return error;
}

void nest_kvm_try(const char *root, NestKvmFacts *ret_kvm)
{
    *ret_kvm = (NestKvmFacts){.api_version = -1, .group = nest_host_group_find(root, "kvm")};
    for (guint i = 0; i < G_N_ELEMENTS(capabilities); i++)
        *capability_of(ret_kvm, i) = -1;
    g_autofree char *path = g_build_filename(root, "dev/kvm", NULL);
    struct stat status;
    if (lstat(path, &status) != 0) {
        ret_kvm->error = g_strdup(g_strerror(errno));
        ret_kvm->present = errno != ENOENT && errno != ENOTDIR;
        return;
    }
    ret_kvm->present = TRUE;
    if (S_ISCHR(status.st_mode))
        ret_kvm->access = g_strdup_printf("%04o %u %u", (guint)(status.st_mode & 07777),
            (guint)status.st_uid, (guint)status.st_gid);
    if (S_ISCHR(status.st_mode))
        ret_kvm->error = try_device(path, ret_kvm);
    else if (S_ISREG(status.st_mode))
        ret_kvm->error = replay(root, ret_kvm);
    else
        ret_kvm->error = g_strdup("not a device");
}
