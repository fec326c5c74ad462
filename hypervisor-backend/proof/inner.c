/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inner.h"
#include "proof-protocol.h"
#include "x86.h"

volatile struct inner_box inner_box;
static uint8_t stack[4096] __attribute__((aligned(16)));

uint64_t inner_stack(void)
{
    return x86_physical(stack) + sizeof stack - 8;
}

/* One instruction that comes back to the outer program, which goes on behind it. */
#define COME_BACK(instruction) \
    do { \
        uint64_t scratch; \
        __asm__ volatile("lea 1f(%%rip), %0\n\tmov %0, %1\n\t" instruction "\n1:" \
                         : "=&r"(scratch), "=m"(inner_box.resume) \
                         : "r"(address), "i"(INNER_PORT) \
                         : "rax", "rbx", "rcx", "rdx", "memory"); \
    } while (0)

static void come_back(enum exit_kind kind)
{
    uintptr_t address = kind == EXIT_PAGE_FAULT ? INNER_UNMAPPED : INNER_UNBACKED;
    switch (kind) {
    case EXIT_CPUID:
        COME_BACK("cpuid");
        break;
    case EXIT_IO:
        COME_BACK("outb %%al, %3");
        break;
    case EXIT_HLT:
        COME_BACK("hlt");
        break;
    default:
        COME_BACK("movb (%2), %%al");
    }
}

static void measure(enum exit_kind kind)
{
    inner_box.expected = kind;
    for (unsigned i = 0; i < INNER_SAMPLES; i++) {
        uint64_t begun = x86_rdtsc();
        come_back(kind);
        inner_box.samples[kind][i] = x86_rdtsc() - begun;
    }
}

static void misbehave(enum try try)
{
    if (try == TRY_WRONG)
        inner_box.answer ^= 1;
    if (try == TRY_CRASH)
        __asm__ volatile("ud2");
    while (try == TRY_SPIN)
        __asm__ volatile("pause");
}

_Noreturn void inner_main(void)
{
    inner_box.answer = proof_answer(inner_box.seed);
    misbehave(inner_box.try);
    for (enum exit_kind kind = 0; kind < EXIT_N_MEASURED; kind++) {
        if (kind != EXIT_NESTED_FAULT || inner_box.second_level)
            measure(kind);
    }
    inner_box.expected = EXIT_IO;
    for (;;)
        x86_out8(INNER_PORT_END, 0);
}
