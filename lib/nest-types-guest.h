/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* Part of nest-types.h, which includes it: what is inside a VM. */

typedef enum {
    NEST_GUEST_FAMILY_UNKNOWN, /* "unknown" */
    NEST_GUEST_FAMILY_LINUX, /* "linux" */
    NEST_GUEST_FAMILY_WINDOWS, /* "windows" */
    NEST_GUEST_FAMILY_OTHER /* "other" */
} NestGuestFamily;

/* What the agent inside a VM says; all of it is the guest's word. */
typedef struct {
    char *agent_version;
    NestGuestFamily family;
    char *os_id; /* "debian", "mswindows", NULL where it does not say */
    char *os; /* for people: "Debian GNU/Linux 12 (bookworm)" */
    char *kernel;
    char *machine; /* "x86_64" */
    gboolean exec; /* it may run commands and read files */
    gboolean write; /* it may write files */
    GStrv blocked; /* commands that it knows and refuses to carry out */
    char *blocked_setting; /* where in the guest that is written; NULL where none is blocked */
} NestGuest;

/* POST /v1/vms/{vm}/exec */
typedef struct {
    GStrv command; /* and its arguments */
    GStrv env; /* "NAME=VALUE", beside the agent's own */
    char *cwd; /* where it runs; NULL: where the agent does */
    char *input; /* its standard input, base64; NULL: none */
    gboolean shell; /* the words are a line for the shell there: /bin/sh, in Windows cmd.exe */
} NestExecWish;

/* A line of the answer to it. */
typedef struct {
    char *out, *err; /* what came over standard output and error, base64; NULL: nothing */
    gboolean ended; /* this is the last line, and the following hold */
    gint64 status; /* that it ended with */
    guint signal; /* that ended it, 0: none did */
    NestProblem *problem; /* why its end is not known; NULL where it is */
} NestExecOutput;

typedef enum {
    NEST_VERIFIED_NONE, /* "none": the guest could not tell */
    NEST_VERIFIED_SIZE, /* "size" */
    NEST_VERIFIED_SHA256 /* "sha256" */
} NestVerified;

/* A file as it was put into a VM or got out of it: PUT and GET /v1/vms/{vm}/file */
typedef struct {
    char *path; /* in the guest */
    guint64 size; /* bytes */
    char *sha256; /* of what nestd passed on, in hexadecimal digits */
    char *mode; /* in the guest, octal: "644"; NULL where it can't be told */
    NestVerified verified; /* how the guest was asked whether it is the same there */
} NestFile;

/* A line of the answer to GET /v1/vms/{vm}/file. */
typedef struct {
    char *data; /* what comes next of it, base64; NULL: nothing */
    guint64 total; /* bytes, 0 where that can't be told before its end */
    gboolean ended; /* this is the last line, and the following hold */
    NestFile *file; /* NULL where it broke off */
    NestProblem *problem; /* why; else NULL */
} NestFilePart;

void nest_file_free(NestFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestFile, nest_file_free)
void nest_file_part_free(NestFilePart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestFilePart, nest_file_part_free)
/* PUT /v1/vms/{vm}/guest/hypervisor */
typedef struct {
    char *plan; /* the hash of the plan that was shown; NULL: whatever is true now */
    gboolean reboot; /* the guest may be restarted, where something needs it */
    GStrv decline; /* ids of optional plan items to leave out */
} NestInstallWish;

void nest_guest_free(NestGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestGuest, nest_guest_free)
void nest_exec_wish_free(NestExecWish *wish);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestExecWish, nest_exec_wish_free)
void nest_exec_output_free(NestExecOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestExecOutput, nest_exec_output_free)
void nest_install_wish_free(NestInstallWish *wish);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInstallWish, nest_install_wish_free)
#include "nest-types-verification.h"
