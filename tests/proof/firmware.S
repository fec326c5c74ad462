/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All the firmware that a PC with a PIIX4 needs to enter PROOF_IMAGE as a multiboot loader would:
 * a ROM of 64 KiB at 0xf0000. test_bochs.py fills in what follows "options:". */

#define ROM_BASE 0xf0000
#define MULTIBOOT_ENTRY 28 /* offset of the entry's address in the image */
#define IA32_FEATURE_CONTROL 0x3a
/* Of the PIIX4's power management, device 1, function 3 */
#define PCI_PMBA 0x80000b40
#define PCI_PMREGMISC 0x80000b80
#define PM_BASE 0x600

    .text
    .code16
rom:
    .ascii "options:"
feature_control:                /* what to write, if not 0 */
    .long 0
line:
    .skip 116

begin:
    cli
    lgdtl %cs:(gdt_pointer - rom)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $8, $ROM_BASE + (protected - rom)

    .code32
protected:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $0x92, %dx              /* A20 */
    mov $2, %al
    out %al, %dx

    mov $0xcf8, %dx
    mov $PCI_PMBA, %eax
    out %eax, %dx
    mov $0xcfc, %dx
    mov $PM_BASE + 1, %eax
    out %eax, %dx
    mov $0xcf8, %dx
    mov $PCI_PMREGMISC, %eax
    out %eax, %dx
    mov $0xcfc, %dx
    mov $1, %al
    out %al, %dx

    mov ROM_BASE + (feature_control - rom), %eax
    test %eax, %eax
    jz 1f
    mov $IA32_FEATURE_CONTROL, %ecx
    xor %edx, %edx
    wrmsr

1:  cld
    mov $ROM_BASE + (image - rom), %esi
    mov $0x100000, %edi
    mov $image_end - image, %ecx
    rep movsb
    mov $0x2BADB002, %eax
    mov $ROM_BASE + (info - rom), %ebx
    jmp *ROM_BASE + (image - rom) + MULTIBOOT_ENTRY

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word . - gdt - 1
    .long ROM_BASE + (gdt - rom)
    .balign 8
info:                           /* of multiboot: a command line, nothing else */
    .long 1 << 2, 0, 0, 0
    .long ROM_BASE + (line - rom)

image:
    .incbin PROOF_IMAGE
image_end:

    .org rom + 0xfff0
    .code16
    ljmpw $ROM_BASE >> 4, $begin - rom
    .org rom + 0x10000

    .section .note.GNU-stack, "", @progbits
