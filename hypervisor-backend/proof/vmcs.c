/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmcs.h"

static uint32_t unwritten = UINT32_MAX;

uint64_t vmcs_read(uint32_t field)
{
    uint64_t value = 0;
    __asm__ volatile("vmread %1, %0" : "+rm"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

void vmcs_write(uint32_t field, uint64_t value)
{
    uint8_t failed;
    __asm__ volatile("vmwrite %2, %1\n\tsetbe %0"
                     : "=qm"(failed)
                     : "r"((uint64_t)field), "rm"(value)
                     : "cc", "memory");
    if (failed && unwritten == UINT32_MAX)
        unwritten = field;
}

uint32_t vmcs_unwritten(void)
{
    uint32_t field = unwritten;
    unwritten = UINT32_MAX;
    return field;
}
