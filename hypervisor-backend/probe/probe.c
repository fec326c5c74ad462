/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"
#include "report.h"
#include "system.h"
#include <asm/unistd.h>
#include <linux/time.h>

/* Runs an inner VM on the guest's KVM, checks what it computed, and measures what it costs beside
 * the same code in the guest itself. */

#define RUNS_MAX 15
#define BUDGET_NS 100000000u /* for the runs of each measure; one is always made */
#define RUN_NS 4000000u /* what a run shall take at least */
#define CPUS_MAX 8192

__asm__(".globl _start\n"
        "_start:\n\t"
        "mov %rsp, %rdi\n\t"
        "and $-16, %rsp\n\t"
        "call probe_main\n\t"
        "ud2\n");

/* The compiler may call them. */
void *memset(void *to, int value, unsigned long n);
void *memcpy(void *to, const void *from, unsigned long n);
void probe_main(const long *stack) __attribute__((noreturn, used));

__attribute__((used)) void *memset(void *to, int value, unsigned long n)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(value) : "memory");
    return to;
}

__attribute__((used)) void *memcpy(void *to, const void *from, unsigned long n)
{
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n)::"memory");
    return to;
}

static uint64_t now_ns(void)
{
    struct timespec now = {0, 0};
    SYSTEM_CALL(__NR_clock_gettime, CLOCK_MONOTONIC, &now, 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* On the CPU that it is on: the time stamp counters of others may differ. */
static void stay_here(void)
{
    static uint64_t mask[CPUS_MAX / 64];
    uint32_t cpu = 0;
    if (SYSTEM_CALL(__NR_getcpu, &cpu, 0, 0) != 0 || cpu >= CPUS_MAX)
        return;
    mask[cpu / 64] |= 1ull << cpu % 64;
    SYSTEM_CALL(__NR_sched_setaffinity, 0, sizeof mask, mask);
}

/* ---- what is measured ---- */

struct measure {
    const char *name;
    enum inner_task task;
    uint64_t count, most; /* to begin with; at most */
    bool own; /* the guest itself can do it, too */
    bool fresh; /* memory is to be new each time */
};

static bool run_inner(struct machine *machine, const struct measure *measure, uint64_t seed,
    struct inner_work *ret_work, uint64_t *ret_ns)
{
    struct inner_work work = {.task = measure->task, .count = measure->count, .seed = seed};
    if (measure->fresh)
        machine_forget(machine->memory, MACHINE_MEMORY_SIZE);
    uint64_t begun = now_ns();
    bool good = machine_work(machine, &work);
    *ret_ns = now_ns() - begun;
    *ret_work = work;
    return good;
}

static uint64_t run_own(
    void *memory, const struct measure *measure, uint64_t seed, struct inner_work *ret_work)
{
    struct inner_work work = {
        .task = measure->task, .count = measure->count, .seed = seed, .memory = (uintptr_t)memory};
    if (measure->fresh)
        machine_forget(memory, MACHINE_MEMORY_SIZE);
    uint64_t begun = now_ns();
    inner_run(&work);
    *ret_work = work;
    return now_ns() - begun;
}

static uint64_t median(uint64_t *values, unsigned n)
{
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = i; j > 0 && values[j - 1] > values[j]; j--) {
            uint64_t value = values[j];
            values[j] = values[j - 1];
            values[j - 1] = value;
        }
    return values[n / 2];
}

/* So many that the clock can tell; no more, for an inner CPU may be slow beyond all measure. */
static bool calibrate(struct machine *machine, struct measure *measure, uint64_t seed)
{
    struct inner_work work;
    uint64_t ns = 0;
    while (run_inner(machine, measure, seed, &work, &ns)) {
        if (ns >= RUN_NS || measure->count >= measure->most)
            return true;
        measure->count *= 2;
    }
    return false;
}

static void report_measure(const struct measure *measure, uint64_t own_ns, uint64_t inner_ns)
{
    report_begin("measure");
    report_word("name", measure->name);
    report_number("count", measure->count);
    report_number("own-ns", own_ns);
    report_number("inner-ns", inner_ns);
    report_end();
}

static bool take_measure(
    struct machine *machine, void *memory, const struct measure *measure, uint64_t seed)
{
    uint64_t own[RUNS_MAX], inner[RUNS_MAX], begun = now_ns();
    unsigned n = 0;
    while (n == 0 || (n < RUNS_MAX && now_ns() - begun < BUDGET_NS)) {
        struct inner_work mine = {0}, its = {0};
        own[n] = measure->own ? run_own(memory, measure, seed, &mine) : 0;
        if (!run_inner(machine, measure, seed, &its, &inner[n]))
            return false;
        n++;
        if (measure->own && mine.result != its.result) {
            machine->failure = (struct machine_failure){.code = PROBE_WRONG_ANSWER};
            return false;
        }
    }
    report_measure(measure, median(own, n), median(inner, n));
    return true;
}

static bool take_measures(struct machine *machine, uint64_t seed)
{
    const uint64_t pages = MACHINE_MEMORY_SIZE / INNER_PAGE;
    struct measure measures[] = {
        {"exit-cpuid", INNER_CPUID, 8, 4096, true, false},
        {"exit-io", INNER_OUT, 8, 4096, false, false},
        {"cpu", INNER_SPIN, 4096, 1u << 26, true, false},
        {"fault", INNER_TOUCH, 16, pages, true, true},
        {"memory", INNER_MEMORY, 16 * INNER_PAGE, MACHINE_MEMORY_SIZE, true, false},
    };
    void *memory = machine_map(MACHINE_MEMORY_SIZE);
    if (memory == NULL) {
        machine->failure = (struct machine_failure){.code = PROBE_CALL_FAILED, .call = "mmap"};
        return false;
    }
    for (unsigned i = 0; i < sizeof measures / sizeof measures[0]; i++)
        if (!calibrate(machine, &measures[i], seed) ||
            !take_measure(machine, memory, &measures[i], seed))
            return false;
    return true;
}

/* ---- the passes ---- */

static bool end_pass(
    struct machine *machine, const char *name, bool good, uint32_t answer, uint32_t right)
{
    if (good && answer != right)
        machine->failure = (struct machine_failure){.code = PROBE_WRONG_ANSWER};
    good = good && answer == right;
    report_begin("pass");
    report_word("name", name);
    report_word("result", good ? "ok" : report_code(machine->failure.code));
    report_hex("answer", answer);
    report_end();
    return good;
}

static bool pass_real(struct machine *machine, uint32_t seed, uint32_t right)
{
    uint32_t answer = 0;
    bool good = machine_open_real(machine, seed) && machine_run(machine, INNER_PORT, &answer);
    return end_pass(machine, "real", good, answer, right);
}

static bool pass_long(struct machine *machine, uint32_t seed, uint32_t right)
{
    struct inner_work work = {.task = INNER_SPIN, .count = PROBE_ROUNDS, .seed = seed};
    bool good = machine_open_long(machine) && machine_work(machine, &work);
    return end_pass(machine, "long", good, (uint32_t)work.result, right) &&
        take_measures(machine, seed);
}

/* ---- the report ---- */

static const char *extension(void)
{
    if (system_cpuid(1).c & 1u << 5) /* "Intel 64 and IA-32 SDM", volume 2, CPUID: VMX */
        return "vmx";
    if (system_cpuid(0x80000000).a >= 0x80000001 && (system_cpuid(0x80000001).c & 1u << 2))
        return "svm"; /* "AMD64 APM", volume 3, E.4.2: SVM */
    return "none";
}

static void report_cpu(void)
{
    struct system_cpuid id = system_cpuid(0), above = {0};
    const uint32_t vendor[] = {id.b, id.d, id.c};
    if (system_cpuid(1).c & 1u << 31)
        above = system_cpuid(0x40000000);
    const uint32_t hypervisor[] = {above.b, above.c, above.d};
    report_begin("cpu");
    report_bytes("vendor", (const char *)vendor, sizeof vendor);
    report_word("extension", extension());
    report_bytes("hypervisor", (const char *)hypervisor, sizeof hypervisor);
    report_end();
}

static void report_clock(uint64_t begun_tsc, uint64_t begun_ns)
{
    uint64_t ns = now_ns() - begun_ns, tsc = system_tsc() - begun_tsc;
    report_begin("clock");
    report_number("tsc-khz", ns >= 1000 ? tsc * 1000 / (ns / 1000) : 0);
    report_end();
}

static void report_last(const struct machine_failure *failure)
{
    report_begin("end");
    report_word("code", report_code(failure->code));
    report_number("lines", report_lines() + 1);
    if (failure->call != NULL) {
        report_word("call", failure->call);
        report_number("errno", failure->error);
    }
    if (failure->code == PROBE_ENTRY_FAILED || failure->code == PROBE_WRONG_EXIT)
        report_hex("reason", failure->reason);
    report_end();
}

static uint32_t read_hex(const char *text)
{
    uint32_t value = 0;
    for (; *text != '\0'; text++)
        value = value << 4 | (uint32_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

/* stack: the number of arguments, then the arguments, as a program of Linux finds it. */
void probe_main(const long *stack)
{
    static struct machine real, full;
    uint32_t seed = stack[0] > 1 ? read_hex((const char *)stack[2]) : 1, right = seed;
    uint64_t begun_tsc = system_tsc(), begun_ns = now_ns();
    SYSTEM_CALL(__NR_alarm, PROBE_SECONDS, 0, 0);
    for (unsigned i = 0; i < PROBE_ROUNDS; i++)
        right = probe_round(right);
    report_begin("begin");
    report_hex("seed", seed);
    report_end();
    report_cpu();
    stay_here();
    bool good = pass_real(&real, seed, right);
    machine_close(&real);
    good = good && pass_long(&full, seed, right);
    report_clock(begun_tsc, begun_ns);
    report_last(good || real.failure.code != PROBE_VERIFIED ? &real.failure : &full.failure);
    for (;;)
        SYSTEM_CALL(__NR_exit_group, good ? 0 : 1, 0, 0);
}
