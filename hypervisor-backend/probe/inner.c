/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inner.h"
#include "probe-protocol.h"
#include "system.h"

#define INNER __attribute__((section("inner_code"), noinline))

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

INNER static uint64_t spin(uint64_t seed, uint64_t count)
{
    uint32_t x = (uint32_t)seed;
    while (count-- > 0)
        x = probe_round(x);
    return x;
}

INNER static void touch(uint64_t memory, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        *(volatile uint64_t *)(memory + i * INNER_PAGE) = i;
}

INNER static void read_and_write(uint64_t memory, uint64_t count)
{
    volatile uint64_t *words = (volatile uint64_t *)memory;
    for (uint64_t i = 0; i < count / sizeof *words; i++)
        words[i] = words[i] + 1;
}

INNER static void leave(uint64_t count)
{
    while (count-- > 0)
        system_cpuid(0);
}

INNER static void out(uint64_t count)
{
    while (count-- > 0)
        __asm__ volatile("outb %%al, %0" ::"i"(INNER_PORT));
}

INNER void inner_run(struct inner_work *work)
{
    work->result = 0;
    if (work->task == INNER_SPIN)
        work->result = spin(work->seed, work->count);
    else if (work->task == INNER_TOUCH)
        touch(work->memory, work->count);
    else if (work->task == INNER_MEMORY)
        read_and_write(work->memory, work->count);
    else if (work->task == INNER_CPUID)
        leave(work->count);
    else
        out(work->count);
}

__asm__(".pushsection inner_code, \"ax\"\n"
        ".globl inner_loop\n"
        "inner_loop:\n\t"
        "push %rdi\n\t"
        "push %rdi\n"
        "1:\tmov (%rsp), %rdi\n\t"
        "call inner_run\n\t"
        "outb %al, $" TEXT(INNER_END_PORT) "\n\t"
                                           "jmp 1b\n"
                                           ".popsection\n"
                                           ".pushsection .rodata\n"
                                           ".globl inner_real, inner_real_end\n"
                                           ".code16\n"
                                           "inner_real:\n"
                                           "1:\tmov %ebx, %eax\n\t"
                                           "shl $13, %eax\n\t"
                                           "xor %eax, %ebx\n\t"
                                           "mov %ebx, %eax\n\t"
                                           "shr $17, %eax\n\t"
                                           "xor %eax, %ebx\n\t"
                                           "mov %ebx, %eax\n\t"
                                           "shl $5, %eax\n\t"
                                           "xor %eax, %ebx\n\t"
                                           "loop 1b\n\t"
                                           "mov %ebx, %eax\n\t"
                                           "outl %eax, $" TEXT(INNER_PORT) "\n\t"
                                                                           "hlt\n"
                                                                           "inner_real_end:\n"
                                                                           ".code64\n"
                                                                           ".popsection\n");
