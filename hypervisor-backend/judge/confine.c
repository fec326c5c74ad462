/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine.h"
#include "judge-protocol.h"
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux's "nobody", by number: looking a name up may ask the network. */
#define NOBODY 65534

#define MEMORY_MAX (512 * 1024 * 1024L)
#define SECONDS_MAX 2

/* The sanitizers reserve terabytes. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH_ is it?"
#endif

/* Memory, time, what is open, and the end. All else fails, and does not kill: a look for some file,
 * say, ends as if there were none. */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ALLOW(call) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), RETURN(SECCOMP_RET_ALLOW)
static const struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    ALLOW(read),
    ALLOW(write),
    ALLOW(brk),
    ALLOW(mmap),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(futex),
    ALLOW(clock_gettime),
    ALLOW(gettimeofday),
    ALLOW(getrandom),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(sigaltstack), /* of the sanitizers */
    ALLOW(exit_group),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
};

static int bound(int resource, rlim_t most)
{
    const struct rlimit limit = {most, most};
    return setrlimit(resource, &limit);
}

static int become_nobody(void)
{
    if (geteuid() != 0)
        return 0;
    return setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) != 0
        ? -1
        : 0;
}

const char *confine_begin(void)
{
    if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0)
        return "its descriptors stay open";
    if (become_nobody() != 0 || geteuid() == 0)
        return "it stays root";
    /* Not earlier: a change of identity undoes it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "it can't be bound";
    setsid();
    if ((!SANITIZED && bound(RLIMIT_AS, MEMORY_MAX) != 0) || bound(RLIMIT_CORE, 0) != 0 ||
        bound(RLIMIT_CPU, SECONDS_MAX) != 0)
        return "its memory or time is not bounded";
    return NULL;
}

const char *confine_finish(void)
{
    const struct sock_fprog program = {
        sizeof filter / sizeof filter[0], (struct sock_filter *)filter};
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || bound(RLIMIT_NPROC, 0) != 0 ||
        bound(RLIMIT_NOFILE, 0) != 0 || bound(RLIMIT_FSIZE, JUDGE_ANSWER_MAX) != 0)
        return "its descriptors or processes are not bounded";
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return "its system calls are not bounded";
    return NULL;
}
