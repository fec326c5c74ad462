/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-fact.h"

/* libvirt-guests, which saves or shuts down VMs when the host goes down.
 *
 * ret_service: "enabled" or "disabled"; missing where systemd knows no such service.
 * ret_on_shutdown: ON_SHUTDOWN in its configuration, "" where that does not set it; the path is the
 * one that the service names, else the one of the usual ones that is there, NULL where none is. */
void nest_host_guests_read(const char *root, NestFact *ret_service, NestFact *ret_on_shutdown);

/* What becomes of VMs: "shutdown", or anything else, which is "suspend" to libvirt-guests. Where
 * nothing is set, its default: "shutdown" with Debian's, whose configuration is in /etc/default,
 * else "suspend" (libvirt-guests(8)). NULL where it is not there, or could not be read. */
const char *nest_host_guests_on_shutdown(const NestFact *service, const NestFact *on_shutdown);

/* TRUE if it saves VMs: as configured or by its default, unless it is known to be disabled. */
gboolean nest_host_guests_save(const NestFact *service, const NestFact *on_shutdown);
