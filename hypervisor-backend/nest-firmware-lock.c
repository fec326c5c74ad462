/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-firmware-lock.h"
#include "nest-host-file.h"
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MAX (4 * 1024 * 1024)
#define MSR_PATH "dev/cpu/0/msr"
#define CPUID_PATH "dev/cpu/0/cpuid"

typedef struct {
    const char *vendor;
    guint32 msr;
    guint64 mask; /* these bits … */
    guint64 locked; /* … have this value where the extension is off and locked */
    guint32 leaf, feature; /* the bit of ECX that says that the CPU has the extension */
} LockRow;

static const LockRow rows[] = {
    {"GenuineIntel", NEST_MSR_FEATURE_CONTROL, 1 << 0 | 1 << 2, 1 << 0, 0x1, 1 << 5},
    {"AuthenticAMD", NEST_MSR_VM_CR, 1 << 4, 1 << 4, 0x80000001, 1 << 2},
    {"HygonGenuine", NEST_MSR_VM_CR, 1 << 4, 1 << 4, 0x80000001, 1 << 2},
};

/* What the device at path has at a place, which is the number of a register or leaf. */
static gboolean read_device(const char *root, const char *path, guint32 place, void *ret_value,
    gsize size, char **ret_error)
{
    int fd = nest_host_file_open(root, path, ret_error);
    if (fd < 0)
        return FALSE;
    ssize_t n = pread(fd, ret_value, size, place);
    int code = errno;
    close(fd);
    if (n == (ssize_t)size)
        return TRUE;
    *ret_error = g_strdup(n < 0 ? g_strerror(code) : "too short");
    return FALSE;
}

/* ECX of a leaf of CPUID: of the host below root, or of the CPU that this runs on. */
static gboolean read_cpuid(const char *root, guint32 leaf, guint32 *ret_ecx)
{
    g_autofree char *error = NULL;
    guint32 registers[4];
    if (read_device(root, CPUID_PATH, leaf, registers, sizeof registers, &error)) {
        *ret_ecx = registers[2];
        return TRUE;
    }
    return strcmp(root, "/") == 0 &&
        __get_cpuid(leaf, &registers[0], &registers[1], ret_ecx, &registers[3]);
}

/* The kernel hides the flag of an extension that is locked, and CPUID does not: where it says that
 * there is none, the lock of the register means other features. */
static gboolean has_no_extension(const char *root, const LockRow *row, NestFirmwareLock *lock)
{
    guint32 ecx = 0;
    if (!read_cpuid(root, row->leaf, &ecx) || (ecx & row->feature) != 0)
        return FALSE;
    lock->known = TRUE;
    lock->read = g_strdup_printf(
        "CPUID leaf 0x%x: ECX is 0x%x, the CPU has no extension to lock", row->leaf, ecx);
    return TRUE;
}

static gboolean ask_msr(const char *root, const char *vendor, NestFirmwareLock *lock)
{
    const LockRow *row = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(rows) && row == NULL; i++)
        row = g_strcmp0(rows[i].vendor, vendor) == 0 ? &rows[i] : NULL;
    if (row == NULL) {
        lock->read = g_strdup("/" MSR_PATH ": not read, the vendor of the CPU is unknown");
        return FALSE;
    }
    if (has_no_extension(root, row, lock))
        return TRUE;
    guint64 value = 0;
    g_autofree char *error = NULL;
    if (!read_device(root, MSR_PATH, row->msr, &value, sizeof value, &error)) {
        lock->read = g_strdup_printf("/" MSR_PATH ": %s", error);
        return FALSE;
    }
    lock->known = TRUE;
    lock->locked = (value & row->mask) == row->locked;
    lock->read = g_strdup_printf(
        "/" MSR_PATH ": register 0x%x is 0x%" G_GINT64_MODIFIER "x", row->msr, value);
    return TRUE;
}

/* The kernel's own words: "VMX (outside TXT) disabled by BIOS" (5.6 and later), "kvm: disabled by
 * bios" (before), "SVM disabled (by BIOS) in MSR_VM_CR". */
static gboolean line_tells_lock(const char *line)
{
    g_autofree char *lower = g_ascii_strdown(line, -1);
    gboolean about_us = strstr(lower, "kvm") != NULL || strstr(lower, "vmx") != NULL ||
        strstr(lower, "svm") != NULL;
    return about_us &&
        (strstr(lower, "disabled by bios") != NULL || strstr(lower, "disabled (by bios)") != NULL);
}

/* A read of the log device gives one record and never blocks: EAGAIN is the end, EPIPE a record
 * that was overwritten meanwhile. */
static char *read_log_device(int fd)
{
    GString *text = g_string_new(NULL);
    char record[8192];
    for (gsize records = 0; text->len < LOG_MAX && records < LOG_MAX; records++) {
        ssize_t n = read(fd, record, sizeof record - 1);
        if (n < 0 && (errno == EPIPE || errno == EINTR))
            continue;
        if (n <= 0)
            break;
        g_string_append_len(text, record, n);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static char *read_log(const char *root, gboolean old_counts, const char **ret_path)
{
    *ret_path = "dev/kmsg";
    int fd = nest_host_file_open(root, *ret_path, NULL);
    struct stat status;
    char *text = NULL;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISCHR(status.st_mode))
        text = read_log_device(fd);
    if (fd >= 0)
        close(fd);
    if (text == NULL)
        text = nest_host_file_text(root, *ret_path, LOG_MAX, NULL);
    if (text != NULL && *text != '\0')
        return text;
    g_free(text);
    *ret_path = "var/log/dmesg";
    return old_counts ? nest_host_file_text(root, *ret_path, LOG_MAX, NULL) : NULL;
}

static void ask_log(const char *root, gboolean old_counts, NestFirmwareLock *lock)
{
    const char *path = NULL;
    g_autofree char *text = read_log(root, old_counts, &path);
    char *next = text;
    while (next != NULL && !lock->locked) {
        char *line = strsep(&next, "\n");
        if (!line_tells_lock(line))
            continue;
        lock->known = lock->locked = TRUE;
        g_free(lock->read);
        g_autofree char *shown = nest_host_file_clean(line);
        lock->read = g_strdup_printf("/%s: %s", path, shown);
    }
}

void nest_firmware_lock_read(
    const char *root, const NestHostFacts *facts, NestFirmwareLock *ret_lock)
{
    *ret_lock = (NestFirmwareLock){0};
    if (facts->hypervisor)
        ret_lock->read = g_strdup("/" MSR_PATH ": not read, this host is itself a VM");
    else if (ask_msr(root, facts->cpu_vendor, ret_lock))
        return;
    ask_log(root, !facts->vmx && !facts->svm, ret_lock);
}
