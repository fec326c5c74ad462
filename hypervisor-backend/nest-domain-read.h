/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-document.h"
#include "nest-domain-xml.h"

/* What the domain XML files share. */

NestDomain *nest_domain_from_document(const NestDocument *document, GError **error);

/* Fills extras, which is zeroed. */
void nest_domain_read_extras(const NestDocument *document, NestDomainExtras *extras);
void nest_domain_read_hyperv(const NestDocument *document, NestDomainHyperv *hyperv);
void nest_domain_read_parts(const NestDocument *document, NestDomainExtras *extras);

/* The interfaces in order: array of NestNic. */
GPtrArray *nest_nic_read_all(const NestDocument *document);

/* The first <cell> of <numa>, or NULL. */
xmlNode *nest_domain_numa(const NestDocument *document);

/* The policy of a <feature>: require where it names none, as in libvirt; UNSET for an unknown one.
 */
NestFeaturePolicy nest_domain_policy(const xmlNode *feature);

/* TRUE if the virtualization extensions are those of x86. No architecture counts as x86. */
gboolean nest_domain_is_x86(const NestDomain *domain);

/* The CPU model that libvirt chooses where none is named. */
const char *nest_domain_default_model(const NestDomain *domain);
