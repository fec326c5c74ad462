/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-kernel.h"
#include "nest-record.h"

/* What is known of some kernels, as data: one entry of schema/advisories.json. */

typedef enum {
    NEST_ADVISORY_FLAW, /* "flaw": in reach of a VM that nests */
    NEST_ADVISORY_KNOWN_BAD, /* "known-bad": nesting does not work with it */
    NEST_ADVISORY_GATE /* "gate": it can do less than later ones */
} NestAdvisoryKind;

/* Versions of Linux, from the first to before the last; before NULL: no end is known. */
typedef struct {
    char *from;
    char *before;
} NestAdvisoryRange;

/* The package of a distribution that mends it, for versions that begin with branch. */
typedef struct {
    char *distribution;
    char *branch;
    char *fixed;
} NestAdvisoryPackage;

typedef struct {
    char *id;
    NestAdvisoryKind kind;
    char *check; /* the check of the host that speaks of it */
    char *title;
    GStrv cves;
    NestExtension vendor; /* whose CPUs; NONE ("any"): all */
    GPtrArray *affected; /* NestAdvisoryRange */
    GPtrArray *packages; /* NestAdvisoryPackage */
    GStrv words; /* all of these in the changelog of the package: mended */
    gboolean refuses; /* where it is open, an untrusted VM must not nest */
    char *effect; /* a clause: "an inner VM can read memory of the host" */
    char *fix;
    char *source;
    gboolean verified; /* versions and effect were checked against the source */
} NestAdvisory;
extern const NestRecord nest_advisory_record; /* schema/advisories.schema.json is held equal */
void nest_advisory_free(NestAdvisory *advisory);

/* Array of NestAdvisory that frees its elements, of the text of a file, read strictly and within
 * bounds. INVALID_REQUEST: what is wrong. */
GPtrArray *nest_advisory_read(const char *text, gsize length, GError **error);

typedef enum {
    NEST_ADVICE_NOT_AFFECTED, /* another CPU, or a kernel before it came */
    NEST_ADVICE_FIXED,
    NEST_ADVICE_UNKNOWN, /* may have been mended, and nothing proves it */
    NEST_ADVICE_AFFECTED
} NestAdviceState;

/* Whether kernel, on a CPU of vendor (NONE: unknown, and all apply), is affected; pure. In this
 * order: the distribution's package, its changelog, the version of Linux. ret_reason: what decided,
 * a clause. */
NestAdviceState nest_advisory_judge(const NestAdvisory *advisory, const NestHostKernel *kernel,
    NestExtension vendor, char **ret_reason);
