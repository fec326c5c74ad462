/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* Domain capabilities as libvirt writes them; pure. */

typedef struct {
    gboolean host_passthrough;
    gboolean maximum;
    char *host_model; /* as a <cpu> element, NULL where there is none */
} NestDomainCaps;

void nest_domain_caps_clear(NestDomainCaps *caps);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestDomainCaps, nest_domain_caps_clear)

/* FALSE if xml is no <domainCapabilities>; *ret_caps is untouched then. */
gboolean nest_domain_caps_read(const char *xml, NestDomainCaps *ret_caps);

/* The extension that a <cpu> element names as a feature to have. */
NestExtension nest_domain_caps_extension(const char *cpu_xml);

/* The machines that a <capabilities> element lists for x86_64, and those of them that are
 * deprecated. FALSE if xml is none, or has no such guest; the results are untouched then. */
gboolean nest_domain_caps_machines(const char *xml, GStrv *ret_machines, GStrv *ret_old);
