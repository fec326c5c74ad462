/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trap.h"
#include "machine.h"
#include "report.h"
#include "start.h"
#include "x86.h"

#define TIMER_VECTOR 0x20
#define N_VECTORS 0x30

/* Interrupt gate and descriptor of a TSS in 64-bit mode: SDM vol. 3A, 6.14.1 and 8.2.3. */
#define GATE_INTERRUPT 0x8E00
#define TSS_AVAILABLE 0x89

struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, reserved;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

volatile uint32_t trap_ticks;
uint8_t trap_tss[104];
static struct gate gates[N_VECTORS];

_Noreturn void trap_fault(const struct trap_frame *frame)
{
    report_begin("fault");
    report_hex("cr2", x86_read_cr2());
    report_hex("rip", frame->rip);
    report_hex("rsp", frame->rsp);
    report_end();
    report_begin("end");
    report_word("code", report_code(PROOF_FAULT));
    report_number("lines", report_lines() + 1);
    report_number("vector", frame->vector);
    report_hex("error", frame->error);
    report_end();
    report_flush();
    machine_off();
}

static void set_gate(unsigned vector, const void *entry)
{
    uint64_t offset = x86_physical(entry);
    gates[vector] = (struct gate){.offset_low = (uint16_t)offset,
        .selector = START_CODE,
        .attributes = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(offset >> 16),
        .offset_high = (uint32_t)(offset >> 32)};
}

static void load_tables(void)
{
    uint64_t base = x86_physical(trap_tss);
    start_gdt[START_TSS / 8] = (base & 0xffffff) << 16 | (uint64_t)TSS_AVAILABLE << 40 |
        (base >> 24 & 0xff) << 56 | (sizeof trap_tss - 1);
    start_gdt[START_TSS / 8 + 1] = base >> 32;
    struct table_pointer idt = {sizeof gates - 1, x86_physical(gates)};
    __asm__ volatile("lidt %0" : : "m"(idt));
    __asm__ volatile("ltr %w0" : : "r"(START_TSS) : "memory");
}

/* Both 8259 begin again, with vectors from 0x20 on; all but the timer is masked. */
static void open_interrupts(void)
{
    static const uint8_t words[][2] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, TIMER_VECTOR},
        {0xa1, TIMER_VECTOR + 8}, {0x21, 0x04}, {0xa1, 0x02}, {0x21, 0x01}, {0xa1, 0x01},
        {0x21, 0xfe}, {0xa1, 0xff}};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        x86_out8(words[i][0], words[i][1]);
}

/* Counter 0 of the 8254, mode 2, as slow as it goes: 18.2 Hz. */
static void open_timer(void)
{
    x86_out8(0x43, 0x34);
    x86_out8(0x40, 0);
    x86_out8(0x40, 0);
}

void trap_open(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++)
        set_gate(i, i < 32 ? trap_entries[i] : trap_spurious);
    set_gate(TIMER_VECTOR, trap_tick);
    load_tables();
    open_interrupts();
    open_timer();
}

void trap_window(void)
{
    __asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
}

uint64_t trap_table(void)
{
    return x86_physical(gates);
}
