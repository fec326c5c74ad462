/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-firmware-lock.h"
#include "nest-host-file.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MAX (4 * 1024 * 1024)
#define MSR_PATH "dev/cpu/0/msr"

typedef struct {
    const char *vendor;
    guint32 msr;
    guint64 mask; /* these bits … */
    guint64 locked; /* … have this value where the extension is off and locked */
} LockRow;

static const LockRow rows[] = {
    {"GenuineIntel", NEST_MSR_FEATURE_CONTROL, 1 << 0 | 1 << 2, 1 << 0},
    {"AuthenticAMD", NEST_MSR_VM_CR, 1 << 4, 1 << 4},
    {"HygonGenuine", NEST_MSR_VM_CR, 1 << 4, 1 << 4},
};

static gboolean read_msr(const char *root, guint32 msr, guint64 *ret_value, char **ret_error)
{
    int fd = nest_host_file_open(root, MSR_PATH, ret_error);
    if (fd < 0)
        return FALSE;
    ssize_t n = pread(fd, ret_value, sizeof *ret_value, msr);
    int code = errno;
    close(fd);
    if (n == sizeof *ret_value)
        return TRUE;
    *ret_error = g_strdup(n < 0 ? g_strerror(code) : "too short");
    return FALSE;
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
    guint64 value = 0;
    g_autofree char *error = NULL;
    if (!read_msr(root, row->msr, &value, &error)) {
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
