/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "inner.h"
#include "proof-protocol.h"
#include "start.h"

/* What VT-x and AMD-V have in common: an inner VM is prepared, entered, and comes back. */

enum pass {
    PASS_SHADOW, /* without a second level of tables */
    PASS_NESTED, /* with one */
    PASS_REAL, /* with one, in real mode */
    N_PASSES,
};

/* Why the inner VM came back: reason as the manual numbers it, info its exit qualification or
 * EXITINFO1. The port of an EXIT_IO is in bits 16 to 31 with both vendors. */
struct exit {
    enum exit_kind kind;
    uint64_t reason, info;
};
#define EXIT_PORT(exit) ((uint16_t)((exit)->info >> 16))

/* Where the inner VM begins. */
struct entry {
    enum pass pass;
    uint64_t rip, rsp;
    enum try try;
};

/* What is told of a code that is none of success. */
struct detail {
    uint64_t error; /* VM-instruction error field, or ~0: there was no current VMCS */
    const char *name; /* of the instruction or control */
    bool has_field;
    uint32_t field; /* of the VMCS, that could not be written */
};

struct extension {
    const char *name;
    uint32_t lock_register;
    uint64_t (*read_lock)(void);
    bool (*is_locked)(uint64_t lock);
    void (*report_capabilities)(void);
    bool (*offers)(enum pass pass);
    /* PROOF_PROVED, or what went wrong. */
    ProofCode (*open)(struct detail *detail);
    ProofCode (*prepare)(const struct entry *entry, struct detail *detail);
    ProofCode (*enter)(struct registers *registers, struct exit *exit, struct detail *detail);
    void (*resume_at)(uint64_t rip);
};

extern const struct extension vmx_extension, svm_extension;

/* Segments of the inner VM, with access rights as in SDM vol. 3C, table 25-2; SVM packs them. */
struct segment {
    uint16_t selector;
    uint32_t limit, rights;
    uint64_t base;
};
enum { ES, CS, SS, DS, FS, GS, LDTR, TR, N_SEGMENTS };
#define SEGMENT_UNUSABLE 0x10000

/* Where start.S's code for real mode is put. */
#define REAL_MODE_BASE 0x20000

void extension_segments(enum pass pass, struct segment segments[N_SEGMENTS]);

/* Ends a line of capabilities, begun, with those of n that are there and those that are not. */
void extension_report_list(
    const char *key, bool wanted, unsigned n, const char *(*name)(unsigned), bool (*has)(unsigned));
