/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-checks.h"

/* One check: a row of a const table and what its function says. To add a check, write a function
 * that calls nest_check_say(), and add its row to the table of its scope. */

typedef enum {
    NEST_CHECK_PLAIN = 0,
    NEST_CHECK_NEEDED = 1, /* the verdict is NO while this is unknown */
    NEST_CHECK_NO_DOMAIN = 2 /* (VM) works without a readable definition */
} NestCheckFlags;

/* What is known of a check before it runs. The texts are sentences. */
typedef struct {
    const char *id; /* its scope, a dot, its name */
    const char *title; /* what holds where it passes: "nesting is allowed by the module" */
    NestCheckFlags flags;
    NestVerdict level; /* the worst that it says, but for unknown: info, warn or fail */
    const char *meaning; /* what it looks at */
    const char *why; /* why that matters */
    const char *fix; /* what to do by hand */
    const char *source; /* where the rule is from */
} NestCheckAbout;

typedef struct {
    NestCheckAbout about;
    void (*run)(const NestHostView *view, NestCheck *check);
} NestHostCheckRow;

typedef struct {
    NestCheckAbout about;
    void (*run)(const NestVmView *view, NestCheck *check);
} NestVmCheckRow;

/* What has to be known before a check of a guest can say anything. */
typedef enum {
    NEST_GUEST_NEEDS_NOTHING,
    NEST_GUEST_NEEDS_AGENT,
    NEST_GUEST_NEEDS_EXEC,
    NEST_GUEST_NEEDS_LINUX, /* and exec */
    NEST_GUEST_NEEDS_WINDOWS
} NestGuestNeeds;

typedef struct {
    const NestVm *vm; /* judged */
    const NestGuestFacts *facts; /* NULL: the guest was not asked */
} NestGuestView;

typedef struct {
    NestCheckAbout about;
    NestGuestNeeds needs;
    void (*run)(const NestGuestView *view, NestCheck *check);
} NestGuestCheckRow;

/* Each ends with a row without run. */
extern const NestHostCheckRow nest_checks_host_machine[], nest_checks_host_kernel[],
    nest_checks_host_stack[], nest_checks_host_module[], nest_checks_host_tuning[];
extern const NestVmCheckRow nest_checks_vm_definition[], nest_checks_vm_guest[],
    nest_checks_vm_network[], nest_checks_vm_windows[], nest_checks_vm_run[],
    nest_checks_vm_snapshot[], nest_checks_vm_port[], nest_checks_vm_uplink[];
extern const NestGuestCheckRow nest_checks_guest_linux[], nest_checks_guest_windows[];

/* All of them, in the order in which they run; NULL ends each list. */
extern const NestHostCheckRow *const nest_check_host_tables[];
extern const NestVmCheckRow *const nest_check_vm_tables[];
extern const NestGuestCheckRow *const nest_check_guest_tables[];

/* What was read and where. */
void nest_check_read(NestCheck *check, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What to do. */
void nest_check_fix(NestCheck *check, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The verdict, with a sentence for people. */
void nest_check_say(NestCheck *check, NestVerdict verdict, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* value, or "could not be read" for NULL. */
const char *nest_check_or_unread(const char *value);
