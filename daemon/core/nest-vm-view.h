/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-domain-xml.h"
#include "nest-host-probe.h"
#include "nest-types.h"

/* Everything that judging a VM needs; borrowed. domain is NULL where the definition could not be
 * read; caps and host may be NULL where unknown. */
typedef struct {
    const NestVmFacts *facts;
    const NestDomain *domain; /* of facts->xml */
    const NestDomain *live; /* of facts->live_xml, NULL where nothing runs */
    const NestHostFacts *host;
    const NestBackendCaps *caps;
} NestVmView;

/* The extension that nesting in this VM would use: svm under TCG, else what the host's CPU has;
 * NONE where that is none or unknown. */
NestExtension nest_vm_view_extension(const NestVmView *view);

/* How far the stored definition exposes an extension. Where the host has none, what it asks for
 * counts, not what its CPU mode would pass on elsewhere. */
NestNesting nest_vm_view_nesting(const NestVmView *view);

/* TRUE if domain requires (or forces) extension, enforced or not. */
gboolean nest_vm_domain_asks(const NestDomain *domain, NestExtension extension);

/* TRUE if the CPU that runs is not the one of the stored definition, as far as nesting goes. What
 * libvirt itself rewrites in a live definition does not count. */
gboolean nest_vm_view_pending(const NestVmView *view);

/* Can the host give this VM its extension? */
typedef enum {
    NEST_GIFT_YES,
    NEST_GIFT_UNKNOWN, /* it could not be found out */
    NEST_GIFT_NOT_NOW, /* it has the extension, and something switchable stands in the way */
    NEST_GIFT_NEVER /* it has none for this VM */
} NestGiftAnswer;

typedef struct {
    NestGiftAnswer answer;
    char *reason; /* why not, a clause without a full stop; NULL for YES */
    char *next; /* what to do, NULL for YES */
    char *read; /* what was read and where */
} NestGift;

NestGift *nest_vm_view_gift(const NestVmView *view);
void nest_gift_free(NestGift *gift);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestGift, nest_gift_free)

/* The same for VMs of class KVM on this host, without a VM. caps nullable. */
NestGift *nest_host_gift(const NestHostFacts *host, const NestBackendCaps *caps);

/* "modprobe …": how to switch nesting on in the module of host. */
char *nest_host_nested_fix(const NestHostFacts *host);

/* "vmx", "svm"; "VT-x or AMD-V" where there is none. */
const char *nest_extension_text(NestExtension extension);
