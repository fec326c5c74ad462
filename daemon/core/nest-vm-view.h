/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-advice.h"
#include "nest-backend.h"
#include "nest-domain-xml.h"
#include "nest-gift.h"
#include "nest-host-probe.h"
#include "nest-policy.h"
#include "nest-types.h"
#include "nest-vm-marks.h"
#include "nest-vm-net.h"

/* Everything that judging a VM needs; borrowed. domain is NULL where the definition could not be
 * read; caps and host may be NULL where unknown. */
typedef struct {
    const NestVmFacts *facts;
    const NestDomain *domain; /* of facts->xml */
    const NestDomain *live; /* of facts->live_xml, NULL where nothing runs */
    const NestHostFacts *host;
    const NestBackendCaps *caps;
    const NestVmMarks *marks; /* NULL: all defaults */
    const NestAdvice *advice; /* NULL: nothing is known of the kernel */
    const NestVmNet *net; /* NULL: nobody looked, only the definition is known */
    const NestPolicy *policy; /* NULL: none */
    const char *today; /* "2027-01-31", for the policy */
} NestVmView;

/* The extension that nesting in this VM would use: svm under TCG, else what the host's CPU has;
 * NONE where that is none or unknown. */
NestExtension nest_vm_view_extension(const NestVmView *view);

/* How far the stored definition exposes an extension. Where the host has none, what it asks for
 * counts, not what its CPU mode would pass on elsewhere. */
NestNesting nest_vm_view_nesting(const NestVmView *view);

/* The same for what another definition of the VM exposes; one that is not there, or can't be read,
 * may have anything. */
NestNesting nest_vm_view_nesting_by(const NestVmView *view, const char *xml);

/* TRUE if domain requires (or forces) extension, enforced or not. */
gboolean nest_vm_domain_asks(const NestDomain *domain, NestExtension extension);

/* TRUE if domain hides extension by name. */
gboolean nest_vm_domain_hides(const NestDomain *domain, NestExtension extension);

/* TRUE if its CPU is all that the host, or QEMU's software CPU, has. */
gboolean nest_vm_domain_of_host(const NestDomain *domain);

/* TRUE if the CPU that runs is not the one of the stored definition, as far as nesting goes. What
 * libvirt itself rewrites in a live definition does not count. */
gboolean nest_vm_view_pending(const NestVmView *view);

/* TRUE if the CPU that runs may have an extension, by its definition; also where that can't be
 * read. What the host has is what it has now, not what it had when the VM was started. */
gboolean nest_vm_view_exposed(const NestVmView *view);

/* What was last sampled of what runs; UNKNOWN where it runs and was not, but OFF where its
 * definition says that it has no extension and no sample says otherwise. */
NestActivity nest_vm_view_activity(const NestVmView *view);

/* Whether the host can give this VM its extension. */
NestGift *nest_vm_view_gift(const NestVmView *view);
