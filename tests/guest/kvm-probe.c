/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that KVM works here by running a guest: real-mode code that adds up 1 to 100, writes the
 * sum to a port, and then goes on writing, which is one exit each time.
 * usage: kvm-probe [run|spin|beat|hold]
 *   run   checks the sum and times 1,000 exits
 *   spin  a guest that runs for ever without an exit
 *   beat  a guest that runs for a moment, again and again, and keeps its sum
 *   hold  a VM that is open and doesn't run
 * Prints one line beginning "inner-guest"; status 0 only if the guest did what was asked. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_SIZE 0x1000
#define CODE_ADDRESS 0x1000
#define PORT 0x80
#define SUM 5050
#define EXITS 1000
#define BEAT_US 20000
/* Three pages below 4 GiB where Intel CPUs without unrestricted guests keep a task state. */
#define TSS_ADDRESS 0xfffbd000UL

static const uint8_t sum_code[] = {
    0x31, 0xc0, /* xor ax, ax */
    0xb9, 0x64, 0x00, /* mov cx, 100 */
    0x01, 0xc8, /* add ax, cx */
    0xe2, 0xfc, /* loop -4 */
    0xe7, PORT, /* out PORT, ax */
    0xeb, 0xfc, /* jmp to the out */
};

static const uint8_t spin_code[] = {
    0xb8, 0xba, 0x13, /* mov ax, 5050 */
    0xe7, PORT, /* out PORT, ax */
    0xeb, 0xfe, /* jmp to itself */
};

typedef struct {
    int vcpu;
    struct kvm_run *run;
} Machine;

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
    va_list arguments;

    printf("inner-guest FAILED ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    exit(1);
}

static int control(int fd, unsigned long request, void *argument, const char *what)
{
    int result = ioctl(fd, request, argument);

    if (result < 0)
        fail("%s: %s", what, strerror(errno));
    return result;
}

static void add_memory(int vm, const uint8_t *code, size_t size)
{
    void *memory =
        mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {.guest_phys_addr = CODE_ADDRESS,
        .memory_size = MEMORY_SIZE,
        .userspace_addr = (uintptr_t)memory};

    if (memory == MAP_FAILED)
        fail("no memory: %s", strerror(errno));
    memcpy(memory, code, size);
    control(vm, KVM_SET_USER_MEMORY_REGION, &region, "set memory");
}

/* IF is set: Bochs holds the host's interrupts back in a guest where it is not, and a guest that
 * spins would starve the host. */
static void set_registers(int vcpu)
{
    struct kvm_sregs special;
    struct kvm_regs general = {.rip = CODE_ADDRESS, .rflags = 0x202};

    control(vcpu, KVM_GET_SREGS, &special, "get registers");
    special.cs.base = 0;
    special.cs.selector = 0;
    control(vcpu, KVM_SET_SREGS, &special, "set segment registers");
    control(vcpu, KVM_SET_REGS, &general, "set registers");
}

static Machine open_machine(const uint8_t *code, size_t size)
{
    Machine machine;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm, run_size;

    if (kvm < 0)
        fail("/dev/kvm: %s", strerror(errno));
    if (control(kvm, KVM_GET_API_VERSION, NULL, "get API version") != KVM_API_VERSION)
        fail("unknown API version");
    vm = control(kvm, KVM_CREATE_VM, NULL, "create VM");
    control(vm, KVM_SET_TSS_ADDR, (void *)TSS_ADDRESS, "set TSS address");
    add_memory(vm, code, size);
    machine.vcpu = control(vm, KVM_CREATE_VCPU, NULL, "create vCPU");
    run_size = control(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "get vCPU size");
    machine.run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vcpu, 0);
    if (machine.run == MAP_FAILED)
        fail("map vCPU: %s", strerror(errno));
    set_registers(machine.vcpu);
    return machine;
}

/* Runs up to the next write to the port and returns what was written. */
static unsigned next_write(const Machine *machine)
{
    const struct kvm_run *run = machine->run;
    uint16_t value;

    control(machine->vcpu, KVM_RUN, NULL, "run");
    if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
        fail("entry refused by hardware, reason %#llx",
            (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
    if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT || run->io.size != sizeof value)
        fail("unexpected exit, reason %u", run->exit_reason);
    memcpy(&value, (const uint8_t *)run + run->io.data_offset, sizeof value);
    return value;
}

static void check_write(const Machine *machine)
{
    unsigned sum = next_write(machine);

    if (sum != SUM)
        fail("it computed %u, not %d", sum, SUM);
}

static double microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void run(void)
{
    Machine machine = open_machine(sum_code, sizeof sum_code);
    double start;

    check_write(&machine);
    start = microseconds();
    for (int i = 0; i < EXITS; i++)
        check_write(&machine);
    printf("inner-guest OK sum=%d exits=%d us_per_exit=%.1f\n", SUM, EXITS,
        (microseconds() - start) / EXITS);
}

static void spin(void)
{
    Machine machine = open_machine(spin_code, sizeof spin_code);

    check_write(&machine);
    printf("inner-guest spinning\n");
    next_write(&machine);
    fail("it left its loop");
}

static void beat(void)
{
    Machine machine = open_machine(sum_code, sizeof sum_code);

    check_write(&machine);
    printf("inner-guest beating\n");
    for (;;) {
        usleep(BEAT_US);
        check_write(&machine);
    }
}

static void hold(void)
{
    open_machine(sum_code, sizeof sum_code);
    printf("inner-guest held\n");
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "run";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "run") == 0)
        run();
    else if (strcmp(what, "spin") == 0)
        spin();
    else if (strcmp(what, "beat") == 0)
        beat();
    else if (strcmp(what, "hold") == 0)
        hold();
    else
        fail("kvm-probe: unknown argument %s", what);
    return 0;
}
