/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"
#include "x86.h"

/* Counter 2 of the 8254, whose output shows in bit 5 of port B. */
#define PIT_HZ 1193182
#define COUNT 5966 /* 5 ms */
#define PORT_B 0x61
#define POLLS_MAX 1000000

/* QEMU's isa-debug-exit, where libvirt or a test put one: QEMU's status is twice the value, plus
 * one. */
#define DEBUG_EXIT 0xf4
#define DEBUG_EXIT_VALUE 0x10

/* PM1 control: SLP_EN with the sleep type that is S5 on these boards (ACPI 6.4, 4.8.3.2.1). */
#define PM1_CONTROL 4
#define SLEEP_S5 0x2000

/* Where a board keeps the address of its power management (datasheets of the PIIX4, PMBA, and of
 * the ICH9, PMBASE). */
static const struct {
    uint32_t identity; /* device and vendor */
    uint8_t device, function;
    uint16_t mask;
} boards[] = {
    {0x71138086, 1, 3, 0xffc0},
    {0x29188086, 31, 0, 0xff80},
};

static uint32_t read_pci(unsigned device, unsigned function, unsigned offset)
{
    x86_out32(0xcf8, 0x80000000u | device << 11 | function << 8 | offset);
    return x86_in32(0xcfc);
}

uint32_t machine_tsc_khz(void)
{
    x86_out8(PORT_B, (x86_in8(PORT_B) & ~0x02) | 0x01); /* gate on, speaker off */
    x86_out8(0x43, 0xb0); /* counter 2, mode 0 */
    x86_out8(0x42, COUNT & 0xff);
    uint64_t begun = x86_rdtsc();
    x86_out8(0x42, COUNT >> 8);
    unsigned polls = 0;
    while (!(x86_in8(PORT_B) & 0x20) && polls < POLLS_MAX)
        polls++;
    uint64_t cycles = x86_rdtsc() - begun;
    return polls < POLLS_MAX ? (uint32_t)(cycles * PIT_HZ / COUNT / 1000) : 0;
}

static void off_by_acpi(void)
{
    for (unsigned i = 0; i < sizeof boards / sizeof boards[0]; i++) {
        if (read_pci(boards[i].device, boards[i].function, 0) != boards[i].identity)
            continue;
        uint16_t base =
            (uint16_t)read_pci(boards[i].device, boards[i].function, 0x40) & boards[i].mask;
        if (base != 0)
            x86_out16(base + PM1_CONTROL, SLEEP_S5);
    }
}

_Noreturn void machine_off(void)
{
    x86_out8(DEBUG_EXIT, DEBUG_EXIT_VALUE);
    off_by_acpi();
    x86_out8(0xcf9, 0x06); /* Reset Control Register: full reset */
    x86_out8(0x64, 0xfe); /* keyboard controller: reset */
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
