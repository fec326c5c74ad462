/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "inner.h"
#include "probe-protocol.h"
#include <stdbool.h>
#include <stddef.h>

/* An inner VM of the guest's KVM, with one virtual CPU. */

/* Why something went wrong; code VERIFIED: nothing did. */
struct machine_failure {
    ProbeCode code;
    const char *call; /* of KVM, NULL none */
    uint64_t error; /* errno of the call */
    uint64_t reason; /* of an exit, or hardware's for refusing an entry */
};

struct machine {
    int kvm, vm, vcpu;
    struct kvm_run *run;
    long run_size;
    uint8_t *low; /* its first memory */
    uint8_t *memory; /* what is measured */
    struct inner_work *work; /* in low */
    struct machine_failure failure;
};

#define MACHINE_MEMORY_SIZE (4u << 20)

/* Each returns false with machine->failure. */
bool machine_open_real(struct machine *machine, uint32_t seed);
bool machine_open_long(struct machine *machine);
/* Runs what was prepared up to a write to port; other writes before that are passed over. */
bool machine_run(struct machine *machine, uint16_t port, uint32_t *ret_value);
/* Runs work in 64-bit mode; the address of what is measured is filled in. */
bool machine_work(struct machine *machine, struct inner_work *work);
void machine_close(struct machine *machine);

/* Memory of size bytes in pages of 4 KiB; NULL where there is none. */
void *machine_map(uint64_t size);
/* Gives what was written back, so that it is new memory at the next write. */
void machine_forget(void *memory, uint64_t size);
