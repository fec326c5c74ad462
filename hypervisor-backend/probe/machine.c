/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"
#include "system.h"
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/kvm.h>
#include <linux/mman.h>

#define MADV_NOHUGEPAGE 15
#define MADV_DONTNEED 4

/* What lies where in an inner VM; all of it below 1 GiB, which its tables map as it is. */
#define LOW_SIZE (1u << 20)
#define TABLES 0x1000u
#define WORK 0x8000u
#define CODE 0x10000u
#define STACK 0x80000u
#define MEMORY (16u << 20)
/* Three pages below 4 GiB where Intel CPUs without unrestricted guests keep a task state. */
#define TSS_ADDRESS 0xfffbd000UL

#define CR0_PE 0x1u
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define PAGE_PRESENT_WRITE 0x3u
#define PAGE_LARGE 0x80u
#define CPUID_ENTRIES 128

static bool fail(struct machine *machine, ProbeCode code, const char *call, long result)
{
    machine->failure = (struct machine_failure){code, call, result < 0 ? (uint64_t)-result : 0, 0};
    return false;
}

/* A negative result is a failure. */
static bool control(struct machine *machine, int fd, unsigned long request, const void *argument,
    const char *call, long *ret_result)
{
    long result = SYSTEM_CALL(__NR_ioctl, fd, request, argument);
    if (result < 0)
        return fail(machine, result == -EBUSY ? PROBE_BUSY : PROBE_CALL_FAILED, call, result);
    if (ret_result != NULL)
        *ret_result = result;
    return true;
}

void *machine_map(uint64_t size)
{
    long result = system_call(
        __NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (result < 0)
        return NULL;
    SYSTEM_CALL(__NR_madvise, result, size, MADV_NOHUGEPAGE);
    return (void *)result;
}

void machine_forget(void *memory, uint64_t size)
{
    SYSTEM_CALL(__NR_madvise, memory, size, MADV_DONTNEED);
}

static bool open_device(struct machine *machine)
{
    long fd = SYSTEM_CALL(__NR_open, "/dev/kvm", O_RDWR | O_CLOEXEC, 0), version = 0;
    if (fd == -EACCES || fd == -EPERM)
        return fail(machine, PROBE_NO_ACCESS, "open", fd);
    if (fd == -EBUSY)
        return fail(machine, PROBE_BUSY, "open", fd);
    if (fd < 0)
        return fail(machine, PROBE_NO_DEVICE, "open", fd);
    machine->kvm = (int)fd;
    version = SYSTEM_CALL(__NR_ioctl, fd, KVM_GET_API_VERSION, 0);
    return version == KVM_API_VERSION || fail(machine, PROBE_NO_API, "api-version", version);
}

static bool add_memory(
    struct machine *machine, uint32_t slot, uint64_t address, uint64_t size, uint8_t **ret_memory)
{
    uint8_t *memory = machine_map(size);
    const struct kvm_userspace_memory_region region = {.slot = slot,
        .guest_phys_addr = address,
        .memory_size = size,
        .userspace_addr = (uintptr_t)memory};
    if (memory == NULL)
        return fail(machine, PROBE_CALL_FAILED, "mmap", -ENOMEM);
    *ret_memory = memory;
    return control(machine, machine->vm, KVM_SET_USER_MEMORY_REGION, &region, "set-memory", NULL);
}

/* The inner CPU is what KVM offers; one that shows nothing would do as well. */
static void show_cpu(struct machine *machine)
{
    static union {
        struct kvm_cpuid2 head;
        uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
    } cpuid;
    cpuid.head.nent = CPUID_ENTRIES;
    if (SYSTEM_CALL(__NR_ioctl, machine->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) == 0)
        SYSTEM_CALL(__NR_ioctl, machine->vcpu, KVM_SET_CPUID2, &cpuid);
}

static bool add_vcpu(struct machine *machine)
{
    long fd = 0;
    if (!control(machine, machine->vm, KVM_CREATE_VCPU, NULL, "create-vcpu", &fd))
        return false;
    machine->vcpu = (int)fd;
    if (!control(
            machine, machine->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "vcpu-size", &machine->run_size))
        return false;
    long run = system_call(
        __NR_mmap, 0, machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu, 0);
    if (run < 0)
        return fail(machine, PROBE_CALL_FAILED, "map-vcpu", run);
    machine->run = (struct kvm_run *)run;
    show_cpu(machine);
    return true;
}

static bool open_machine(struct machine *machine)
{
    long vm = 0;
    *machine = (struct machine){.kvm = -1, .vm = -1, .vcpu = -1};
    if (!open_device(machine) ||
        !control(machine, machine->kvm, KVM_CREATE_VM, NULL, "create-vm", &vm))
        return false;
    machine->vm = (int)vm;
    return control(machine, machine->vm, KVM_SET_TSS_ADDR, (void *)TSS_ADDRESS, "set-tss", NULL) &&
        add_memory(machine, 0, 0, LOW_SIZE, &machine->low) && add_vcpu(machine);
}

static bool set_registers(
    struct machine *machine, const struct kvm_sregs *special, const struct kvm_regs *general)
{
    return control(machine, machine->vcpu, KVM_SET_SREGS, special, "set-sregs", NULL) &&
        control(machine, machine->vcpu, KVM_SET_REGS, general, "set-regs", NULL);
}

static void copy(uint8_t *to, const uint8_t *from, const uint8_t *end)
{
    while (from < end)
        *to++ = *from++;
}

bool machine_open_real(struct machine *machine, uint32_t seed)
{
    struct kvm_sregs special;
    const struct kvm_regs general = {
        .rip = CODE & 0xffff, .rflags = 2, .rbx = seed, .rcx = PROBE_ROUNDS};
    if (!open_machine(machine) ||
        !control(machine, machine->vcpu, KVM_GET_SREGS, &special, "get-sregs", NULL))
        return false;
    copy(machine->low + CODE, inner_real, inner_real_end);
    special.cs.base = CODE & ~0xffffu;
    special.cs.selector = CODE >> 4;
    return set_registers(machine, &special, &general);
}

/* One table of each level, and pages of 2 MiB: "AMD64 Architecture Programmer's Manual", 5.3. */
static void fill_tables(uint8_t *low)
{
    uint64_t *tables = (uint64_t *)(low + TABLES);
    tables[0] = (TABLES + INNER_PAGE) | PAGE_PRESENT_WRITE;
    tables[512] = (TABLES + 2 * INNER_PAGE) | PAGE_PRESENT_WRITE;
    for (uint64_t i = 0; i < 512; i++)
        tables[1024 + i] = i << 21 | PAGE_PRESENT_WRITE | PAGE_LARGE;
}

static void set_long_mode(struct kvm_sregs *special)
{
    const struct kvm_segment code = {
        .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    const struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
    special->cs = code;
    special->ds = special->es = special->fs = special->gs = special->ss = data;
    special->cr3 = TABLES;
    special->cr4 |= CR4_PAE;
    special->cr0 |= CR0_PE | CR0_PG;
    special->efer |= EFER_LME | EFER_LMA;
}

bool machine_open_long(struct machine *machine)
{
    struct kvm_sregs special;
    const struct kvm_regs general = {.rip = CODE + (uint64_t)(inner_loop - __start_inner_code),
        .rflags = 2,
        .rsp = STACK,
        .rdi = WORK};
    if (!open_machine(machine) ||
        !add_memory(machine, 1, MEMORY, MACHINE_MEMORY_SIZE, &machine->memory) ||
        !control(machine, machine->vcpu, KVM_GET_SREGS, &special, "get-sregs", NULL))
        return false;
    copy(machine->low + CODE, __start_inner_code, __stop_inner_code);
    fill_tables(machine->low);
    machine->work = (struct inner_work *)(machine->low + WORK);
    set_long_mode(&special);
    return set_registers(machine, &special, &general);
}

/* Passed over: a write to INNER_PORT while that to another one is waited for. */
static bool check_exit(struct machine *machine, uint16_t port, bool *ret_there)
{
    const struct kvm_run *run = machine->run;
    *ret_there = run->exit_reason == KVM_EXIT_IO && run->io.port == port;
    if (*ret_there || (run->exit_reason == KVM_EXIT_IO && run->io.port == INNER_PORT))
        return true;
    if (run->exit_reason == KVM_EXIT_FAIL_ENTRY) {
        fail(machine, PROBE_ENTRY_FAILED, NULL, 0);
        machine->failure.reason = run->fail_entry.hardware_entry_failure_reason;
        return false;
    }
    fail(machine, PROBE_WRONG_EXIT, NULL, 0);
    machine->failure.reason = run->exit_reason;
    return false;
}

bool machine_run(struct machine *machine, uint16_t port, uint32_t *ret_value)
{
    const struct kvm_run *run = machine->run;
    bool there = false;
    while (!there) {
        long result = SYSTEM_CALL(__NR_ioctl, machine->vcpu, KVM_RUN, 0);
        if (result < 0 && result != -EINTR)
            return fail(machine, PROBE_CALL_FAILED, "run", result);
        if (result == 0 && !check_exit(machine, port, &there))
            return false;
    }
    if (ret_value != NULL)
        *ret_value = *(const uint32_t *)((const uint8_t *)run + run->io.data_offset);
    return true;
}

bool machine_work(struct machine *machine, struct inner_work *work)
{
    *machine->work = *work;
    machine->work->memory = MEMORY;
    if (!machine_run(machine, INNER_END_PORT, NULL))
        return false;
    work->result = machine->work->result;
    return true;
}

void machine_close(struct machine *machine)
{
    const int fds[] = {machine->vcpu, machine->vm, machine->kvm};
    if (machine->run != NULL)
        SYSTEM_CALL(__NR_munmap, machine->run, machine->run_size, 0);
    for (unsigned i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            SYSTEM_CALL(__NR_close, fds[i], 0, 0);
    if (machine->low != NULL)
        SYSTEM_CALL(__NR_munmap, machine->low, LOW_SIZE, 0);
    if (machine->memory != NULL)
        SYSTEM_CALL(__NR_munmap, machine->memory, MACHINE_MEMORY_SIZE, 0);
}
