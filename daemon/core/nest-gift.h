/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-host-probe.h"

/* Can the host give a VM the virtualization extension, and if not, why and what to do? */

typedef enum {
    NEST_GIFT_YES,
    NEST_GIFT_UNKNOWN, /* it could not be found out */
    NEST_GIFT_NOT_NOW, /* it has the extension, and something switchable stands in the way */
    NEST_GIFT_NEVER /* it has none for this class of VMs */
} NestGiftAnswer;

typedef struct {
    NestGiftAnswer answer;
    char *reason; /* why not, a clause without a full stop; NULL for YES */
    char *next; /* what to do, NULL for YES */
    char *read; /* what was read and where */
} NestGift;

void nest_gift_free(NestGift *gift);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestGift, nest_gift_free)

/* For VMs of class KVM. Both nullable. */
NestGift *nest_gift_of_kvm(const NestHostFacts *host, const NestBackendCaps *caps);

/* For VMs of class TCG. caps nullable. */
NestGift *nest_gift_of_tcg(const NestBackendCaps *caps);

/* How to switch nesting on in the KVM module of host, which must have one. */
char *nest_gift_nested_fix(const NestHostFacts *host);

/* "vmx", "svm"; "VT-x or AMD-V" where there is none. */
const char *nest_gift_extension_text(NestExtension extension);
