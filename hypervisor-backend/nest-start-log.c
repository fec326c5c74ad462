/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-start-log.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_MAX (256 * 1024)

/* The text behind the last line that libvirt writes at a start; NULL where there is none. */
static const char *last_start(const char *text)
{
    static const char mark[] = ": starting up libvirt version";
    const char *found = NULL;
    for (const char *next = strstr(text, mark); next != NULL; next = strstr(next + 1, mark))
        found = next;
    return found;
}

/* QEMU: "host doesn't support requested feature: CPUID.01H:ECX.vmx [bit 5]". */
static gboolean misses(const char *line, const char *extension)
{
    const char *feature = strstr(line, " support requested feature: ");
    return feature != NULL && strstr(feature, extension) != NULL;
}

NestStartLog nest_start_log_judge(const char *text)
{
    const char *start = last_start(text);
    if (start == NULL)
        return NEST_START_LOG_UNREAD;
    g_auto(GStrv) lines = g_strsplit(start, "\n", -1);
    gboolean vmx = FALSE, svm = FALSE;
    for (guint i = 0; lines[i] != NULL; i++) {
        vmx |= misses(lines[i], ".vmx ");
        svm |= misses(lines[i], ".svm ");
    }
    if (vmx && svm)
        return NEST_START_LOG_MISSES_BOTH;
    return vmx ? NEST_START_LOG_MISSES_VMX : svm ? NEST_START_LOG_MISSES_SVM : NEST_START_LOG_CLEAN;
}

/* The end of fd, at most TAIL_MAX bytes; guests' output may be in it. */
static char *read_tail(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    gsize length = MIN(status.st_size, TAIL_MAX);
    g_autofree char *text = g_malloc0(length + 1);
    ssize_t got = pread(fd, text, length, status.st_size - (off_t)length);
    for (ssize_t i = 0; i < got; i++)
        if (text[i] == '\0')
            text[i] = '?';
    return got == (ssize_t)length ? g_steal_pointer(&text) : NULL;
}

NestStartLog nest_start_log_read(const char *directory, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".log", NULL);
    g_autofree char *path = g_build_filename(directory, file, NULL);
    int fd = strchr(name, '/') == NULL
        ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        : -1;
    if (fd < 0)
        return NEST_START_LOG_UNREAD;
    g_autofree char *text = read_tail(fd);
    close(fd);
    return text != NULL ? nest_start_log_judge(text) : NEST_START_LOG_UNREAD;
}
