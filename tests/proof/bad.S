/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images that take the place of the proof program, and do what it must not: one for each BAD_…. */

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_ADDRESSES (1 << 16)

    .section .header, "a"
    .balign 4
header:
    .long MULTIBOOT_MAGIC, MULTIBOOT_ADDRESSES, -(MULTIBOOT_MAGIC + MULTIBOOT_ADDRESSES)
    .long header, image_begin, image_end, bss_end, start

/* Writes the byte in BL to COM1 once that takes it. */
.macro put
1:  mov $0x3fd, %dx
    in %dx, %al
    test $0x20, %al             /* transmitter holding register empty */
    jz 1b
    mov %bl, %al
    mov $0x3f8, %dx
    out %al, %dx
.endm

    .section .text.start, "ax"
    .code32
    .globl start
start:
    cli
    cld
#if defined(BAD_TRIPLE)         /* no exception can be delivered */
    lidt nothing
    int3
#elif defined(BAD_SPEW)         /* a line without an end */
    mov $'x', %bl
2:  put
    jmp 2b
#elif defined(BAD_HALF) || defined(BAD_LIE)
    mov $text, %esi
2:  mov (%esi), %bl
    inc %esi
    test %bl, %bl
    jz 3f
    put
    jmp 2b
3:
#ifdef BAD_HALF                 /* ACPI's sleep state 5, where firmware puts it; else a reset */
    mov $0x604, %dx
    mov $0x2000, %ax
    out %ax, %dx
    mov $6, %al
    mov $0xcf9, %dx
    out %al, %dx
#endif
#elif !defined(BAD_SILENT)
#error "which one?"
#endif
4:  hlt
    jmp 4b

    .data
nothing:
    .word 0
    .long 0
#ifdef BAD_HALF
text:
    .ascii "\r\nnest-proof 1 begin seed=0x1\r\n"
    .asciz "nest-proof 1 cpu vendor=AuthenticAMD extension=svm\r\nnest-proof 1 capab"
#elif defined(BAD_LIE)          /* and does not turn itself off */
text:
    .asciz "\r\nnest-proof 1 begin seed=0x1\r\nnest-proof 1 end code=proved lines=2\r\n"
#endif

    .section .note.GNU-stack, "", @progbits
