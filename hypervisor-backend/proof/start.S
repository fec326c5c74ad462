/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that C can't say: how the program is entered, where the CPU leaves for inner code and comes
 * back, and where exceptions arrive. */

#define STACK_SIZE 8192

/* ---- Multiboot Specification 0.6.96, 3.1: where a flat image is loaded and entered ---- */
#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_ADDRESSES (1 << 16)

    .section .header, "a"
    .balign 4
header:
    .long MULTIBOOT_MAGIC, MULTIBOOT_ADDRESSES, -(MULTIBOOT_MAGIC + MULTIBOOT_ADDRESSES)
    .long header, image_begin, image_end, bss_end, start

/* ---- from 32-bit protected mode without paging to long mode (SDM vol. 3A, 10.8.5) ---- */
    .section .text.start, "ax"
    .code32
    .globl start
start:
    cli
    cld
    mov %eax, %esi
    mov $bss_begin, %edi
    mov $bss_end, %ecx
    sub %edi, %ecx
    xor %eax, %eax
    rep stosb
    mov %esi, start_magic
    mov %ebx, start_info
    mov $stack_end, %esp

    mov $0x80000000, %eax
    cpuid
    cmp $0x80000001, %eax
    jb no_long_mode
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc no_long_mode

    /* A local APIC that is on lets the 8259's interrupts through only where its LINT0 says so
     * (virtual wire mode, MultiProcessor Specification 1.4, 3.6.2.2). Not every firmware does. */
    mov $1, %eax
    cpuid
    bt $9, %edx
    jnc 1f
    mov $0x1b, %ecx             /* IA32_APIC_BASE */
    rdmsr
    bt $11, %eax
    jnc 1f
    and $0xfffff000, %eax
    movl $0x1ff, 0xf0(%eax)     /* spurious-interrupt vector, enabled */
    movl $0x700, 0x350(%eax)    /* LINT0: ExtINT */
1:
    /* The first GiB, one to one, in pages of 2 MiB. */
    movl $pdpt + 3, pml4
    movl $pd + 3, pdpt
    mov $0x83, %eax
    mov $pd, %edi
    mov $512, %ecx
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 1b

    mov %cr4, %eax
    or $1 << 5, %eax            /* PAE */
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xC0000080, %ecx       /* EFER.LME */
    rdmsr
    or $1 << 8, %eax
    wrmsr
    mov %cr0, %eax
    and $~0x6000000c, %eax      /* CD, NW, EM, TS off */
    or $0x80000001, %eax        /* PG, PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $start64

/* Too old a CPU for all that follows: the one report that is not written in C. */
no_long_mode:
    mov $0x3fb, %dx             /* as report_open() */
    mov $0x83, %al
    out %al, %dx
    mov $0x3f8, %dx
    mov $0x0001, %ax
    out %ax, %dx
    mov $0x3fb, %dx
    mov $0x03, %al
    out %al, %dx
    mov $no_long_mode_text, %esi
2:  mov $100000, %ecx
3:  mov $0x3fd, %dx
    in %dx, %al
    test $0x40, %al             /* transmitter empty */
    loopz 3b
    lodsb
    test %al, %al
    jz 4f
    mov $0x3f8, %dx
    out %al, %dx
    jmp 2b
4:  mov $6, %al                 /* Reset Control Register: resets */
    mov $0xcf9, %dx
    out %al, %dx
5:  hlt
    jmp 5b

    .code64
start64:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov $stack_end, %rsp
    xor %ebp, %ebp
    call proof_main
6:  hlt
    jmp 6b

    .section .rodata, "a"
no_long_mode_text:
    .asciz "\r\nnest-proof 1 begin\r\nnest-proof 1 end code=no-long-mode lines=2\r\n"

    .data
    .balign 16
    .globl start_gdt
start_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0 /* none, code, data, TSS: two */
gdt_pointer:
    .word . - start_gdt - 1
    .long start_gdt, 0

/* ---- exceptions: each pushes its number, then all go to C (SDM vol. 3A, 6.14) ---- */
    .text
    .globl trap_entries
    .balign 16
trap_entries:
    vector = 0
    .rept 32
    .balign 16
    .if ((0x60227d00 >> vector) & 1) == 0
    pushq $0                    /* those that bring no error code */
    .endif
    pushq $vector
    jmp trap_common
    vector = vector + 1
    .endr
trap_common:
    mov %rsp, %rdi              /* vector, error code, RIP, … */
    and $-16, %rsp
    call trap_fault

    .globl trap_tick, trap_spurious
trap_tick:                      /* IRQ 0 */
    push %rax
    incl trap_ticks
    mov $0x20, %al
    out %al, $0x20
    pop %rax
trap_spurious:
    iretq

/* ---- to inner code and back ---- */
.macro push_saved
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
.endm
.macro pop_saved
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
.endm
/* All of struct registers but RAX, where RDI points; RDI itself last. */
.macro load_registers
    mov 8(%rdi), %rbx
    mov 16(%rdi), %rcx
    mov 24(%rdi), %rdx
    mov 32(%rdi), %rsi
    mov 48(%rdi), %rbp
    mov 56(%rdi), %r8
    mov 64(%rdi), %r9
    mov 72(%rdi), %r10
    mov 80(%rdi), %r11
    mov 88(%rdi), %r12
    mov 96(%rdi), %r13
    mov 104(%rdi), %r14
    mov 112(%rdi), %r15
    mov 40(%rdi), %rdi
.endm
/* The other way round; the top of the stack has the pointer. */
.macro store_registers
    xchg %rdi, (%rsp)
    mov %rbx, 8(%rdi)
    mov %rcx, 16(%rdi)
    mov %rdx, 24(%rdi)
    mov %rsi, 32(%rdi)
    mov %rbp, 48(%rdi)
    mov %r8, 56(%rdi)
    mov %r9, 64(%rdi)
    mov %r10, 72(%rdi)
    mov %r11, 80(%rdi)
    mov %r12, 88(%rdi)
    mov %r13, 96(%rdi)
    mov %r14, 104(%rdi)
    mov %r15, 112(%rdi)
    popq 40(%rdi)
.endm

/* unsigned vmx_enter(struct registers *, bool launched): 0 after an exit, 1 VMfailInvalid,
 * 2 VMfailValid (SDM vol. 3C, 31.2). */
    .globl vmx_enter, vmx_exit
vmx_enter:
    push_saved
    push %rdi
    mov $0x6C14, %eax           /* Host RSP */
    vmwrite %rsp, %rax
    test %esi, %esi
    mov (%rdi), %rax
    load_registers
    jnz 1f
    vmlaunch
    jmp 2f
1:  vmresume
2:  setz %al
    movzbl %al, %eax
    inc %eax
    pop %rdi
    jmp 3f
vmx_exit:
    store_registers
    mov %rax, (%rdi)
    xor %eax, %eax
3:  pop_saved
    ret

/* void svm_enter(struct registers *, uint64_t vmcb): RAX is in the VMCB (APM vol. 2, 15.5.1). With
 * GIF clear, interrupts are held back here, and only here, though IF is set for inner code. */
    .globl svm_enter
svm_enter:
    push_saved
    push %rdi
    mov %rsi, %rax
    clgi
    load_registers
    sti
    vmrun %rax
    cli
    store_registers
    stgi
    pop_saved
    ret

/* ---- inner code for real mode: proof_answer() of EAX, in ECX rounds ---- */
    .section .rodata, "a"
    .globl inner_real_begin, inner_real_end
    .code16
inner_real_begin:
    mov %eax, %edx
    shl $13, %edx
    xor %edx, %eax
    mov %eax, %edx
    shr $17, %edx
    xor %edx, %eax
    mov %eax, %edx
    shl $5, %edx
    xor %edx, %eax
    dec %ecx
    jnz inner_real_begin
    hlt
inner_real_end:
    .code64

/* ---- what a compiler may call though the program has no library ---- */
    .text
    .globl memset, memcpy
memset:
    mov %rdi, %r8
    mov %esi, %eax
    mov %rdx, %rcx
    rep stosb
    mov %r8, %rax
    ret
memcpy:
    mov %rdi, %rax
    mov %rdx, %rcx
    rep movsb
    ret

    .bss
    .balign 4096
pml4:
    .skip 4096
pdpt:
    .skip 4096
pd:
    .skip 4096
    .skip STACK_SIZE
stack_end:
    .globl start_magic, start_info
start_magic:
    .skip 4
start_info:
    .skip 4

    .section .note.GNU-stack, "", @progbits
