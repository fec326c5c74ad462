/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* What start.S has. */

/* General registers of inner code, in the order that start.S knows. */
struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

extern uint32_t start_magic, start_info; /* EAX and EBX at entry */
extern uint64_t start_gdt[5];
#define START_CODE 0x08 /* selectors in it */
#define START_DATA 0x10
#define START_TSS 0x18

extern const uint8_t trap_entries[32][16];
extern const uint8_t trap_tick[], trap_spurious[];
extern const uint8_t vmx_exit[];
extern const uint8_t inner_real_begin[], inner_real_end[];

unsigned vmx_enter(struct registers *registers, bool launched);
void svm_enter(struct registers *registers, uint64_t vmcb);
