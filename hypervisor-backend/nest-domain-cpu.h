/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-domain-xml.h"
#include "nest-patch.h"

/* The part of a wish that concerns <cpu>. */

/* What of it is not as wished, NULL where all is. */
const char *nest_domain_cpu_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish);

/* Adds the changes to patch; errors as nest_domain_edit(). */
gboolean nest_domain_cpu_edit(
    NestPatch *patch, const NestDomain *domain, const NestDomainWish *wish, GError **error);
