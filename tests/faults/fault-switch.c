/* SPDX-License-Identifier: LGPL-2.1-or-later */
#undef _FILE_OFFSET_BITS /* both names of each call are wanted, as they are */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Preloaded into a daemon: counts its calls that change files below a directory, in all threads
 * together (strace counts each thread by itself), and kills it before the Nth, or lets that fail.
 * The switch is a file that the test has mapped too: NEST_FAULTS names it. */

enum { OFF, KILL, FAIL_ONCE, FAIL_ON };

enum {
    CALL_WRITE = 1,
    CALL_SYNC = 2,
    CALL_RENAME = 4,
    CALL_UNLINK = 8,
    CALL_TRUNCATE = 16,
    CALL_CREATE = 32,
};

/* As Switch in daemon_faults.py has it. */
typedef struct {
    int32_t mode;
    int32_t left; /* calls until it strikes */
    int32_t error; /* errno to fail with */
    int32_t pid; /* to kill; 0: who makes the call */
    int32_t calls; /* mask of those that count */
    int32_t struck; /* how often */
    int32_t reserved[2];
    char below[480]; /* part of the path of what counts */
    char what[512]; /* that struck first */
} Switch;

static Switch *control;

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("NEST_FAULTS");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map =
        fd >= 0 ? mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : NULL;
    if (fd >= 0)
        close(fd);
    control = map != MAP_FAILED ? map : NULL;
}

static void tell(const char *call, const char *path)
{
    if (__atomic_fetch_add(&control->struck, 1, __ATOMIC_SEQ_CST) == 0)
        snprintf(control->what, sizeof control->what, "%s %s", call, path);
}

/* 0: the call may go on; else it fails with that errno. */
static int strike(int kind, const char *call, const char *path)
{
    if (control == NULL || control->mode == OFF || (control->calls & kind) == 0 ||
        strstr(path, control->below) == NULL)
        return 0;
    int mode = control->mode;
    int32_t left = __atomic_sub_fetch(&control->left, 1, __ATOMIC_SEQ_CST);
    if (left > 0 || (left < 0 && mode != FAIL_ON))
        return 0;
    tell(call, path);
    if (mode != KILL)
        return control->error;
    pid_t pid = control->pid != 0 ? control->pid : getpid();
    kill(pid, SIGKILL);
    while (pid == getpid())
        pause();
    return 0;
}

static int strike_fd(int kind, const char *call, int fd)
{
    char link[32], path[PATH_MAX];
    if (control == NULL || control->mode == OFF)
        return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0)
        return 0;
    path[length] = '\0';
    return strike(kind, call, path);
}

#define WRAP(result, call, parameters, arguments, check) \
    result call parameters; \
    result call parameters \
    { \
        static result(*real) parameters; \
        if (real == NULL) \
            *(void **)&real = dlsym(RTLD_NEXT, #call); \
        int problem = check; \
        if (problem != 0) { \
            errno = problem; \
            return -1; \
        } \
        return real arguments; \
    }

#define ON_FD(kind, call) strike_fd(kind, #call, fd)
#define ON_PATH(kind, call) strike(kind, #call, path)

WRAP(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size),
    ON_FD(CALL_WRITE, write))
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at),
    ON_FD(CALL_WRITE, pwrite))
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at),
    ON_FD(CALL_WRITE, pwrite64))
WRAP(int, fsync, (int fd), (fd), ON_FD(CALL_SYNC, fsync))
WRAP(int, fdatasync, (int fd), (fd), ON_FD(CALL_SYNC, fdatasync))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), ON_FD(CALL_TRUNCATE, ftruncate))
WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size), ON_FD(CALL_TRUNCATE, ftruncate64))
WRAP(int, rename, (const char *path, const char *to), (path, to), ON_PATH(CALL_RENAME, rename))
WRAP(int, unlink, (const char *path), (path), ON_PATH(CALL_UNLINK, unlink))
WRAP(int, unlinkat, (int at, const char *path, int flags), (at, path, flags),
    ON_PATH(CALL_UNLINK, unlinkat))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), ON_PATH(CALL_CREATE, mkdir))

static int strike_open(const char *call, const char *path, int flags)
{
    return (flags & O_CREAT) != 0 ? strike(CALL_CREATE, call, path) : 0;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
}

#define WRAP_OPEN(call, parameters, arguments) \
    int call parameters; \
    int call parameters \
    { \
        static int(*real) parameters; \
        va_list args; \
        va_start(args, flags); \
        mode_t mode = mode_of(flags, args); \
        va_end(args); \
        if (real == NULL) \
            *(void **)&real = dlsym(RTLD_NEXT, #call); \
        int problem = strike_open(#call, path, flags); \
        if (problem != 0) { \
            errno = problem; \
            return -1; \
        } \
        return real arguments; \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
WRAP_OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))
