/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The form that libvirt demands of a domain definition: the RELAX NG schema that comes with it, and
 * by which it judges definitions itself when it is asked to validate them. Judging by it has no
 * effect and runs nothing that the definition names (decision 0009). */

/* More than any definition has. libxml2 takes time by the square of how many stand side by side:
 * so many of them take a second or two. */
#define NEST_DOMAIN_SCHEMA_ELEMENTS_MAX 20000

/* Where libvirt's own schema is installed. */
extern const char nest_domain_schema_file[];

typedef struct NestDomainSchema NestDomainSchema;

/* file is read at the first check, once. */
NestDomainSchema *nest_domain_schema_new(const char *file);
void nest_domain_schema_free(NestDomainSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestDomainSchema, nest_domain_schema_free)

/* INVALID_REQUEST where xml is not a domain definition by the schema, has no memory or OS type, or
 * devices that clash (nest-domain-clash.h); the message says which part of it and in which line,
 * where leaving out one element or attribute would make it one. TOO_LARGE for more elements than
 * above, HYPERVISOR where the schema can't be read. Any thread; one check at a time, others wait.
 */
gboolean nest_domain_schema_check(NestDomainSchema *schema, const char *xml, GError **error);
