/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmcs.h"

static struct vmcs_failure failure = {VMCS_NO_FIELD, VMCS_NO_ERROR};

uint64_t vmcs_read(uint32_t field)
{
    uint64_t value = 0;
    __asm__ volatile("vmread %1, %0" : "+rm"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

void vmcs_write(uint32_t field, uint64_t value)
{
    uint8_t cf, zf;
    __asm__ volatile("vmwrite %3, %2"
                     : "=@ccc"(cf), "=@ccz"(zf)
                     : "r"((uint64_t)field), "rm"(value)
                     : "memory");
    if ((cf || zf) && failure.field == VMCS_NO_FIELD) {
        failure.field = field;
        failure.error = vmcs_error(zf);
    }
}

uint64_t vmcs_error(bool valid)
{
    return valid ? vmcs_read(VMCS_INSTRUCTION_ERROR) : VMCS_NO_ERROR;
}

struct vmcs_failure vmcs_failure(void)
{
    struct vmcs_failure first = failure;
    failure.field = VMCS_NO_FIELD;
    return first;
}
