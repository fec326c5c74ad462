/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-error.h"
#include <libvirt/libvirt.h>

/* libvirt's errors as ours. */

/* The code for a virErrorNumber, by table; NEST_ERROR_HYPERVISOR where it has no row. */
NestErrorCode nest_virt_error_code(int number);

/* The same for an error of a start: NEST_ERROR_HOST_UNFIT if message (in any language) names a
 * virtualization extension, which is how libvirt says that the host cannot give it (facts F16,
 * F20). */
NestErrorCode nest_virt_error_start_code(int number, const char *message);

/* The same for an error of storing a definition: NEST_ERROR_VM_EXISTS if message (in any language)
 * names a UUID, which is that of another VM of the same name, or of the same UUID. */
NestErrorCode nest_virt_error_define_code(int number, const char *message);

/* message on one line, valid UTF-8, of at most 1,000 bytes and without a final full stop. */
char *nest_virt_error_text(const char *message);

/* Each sets *error from the calling thread's last libvirt error, which nearly every call to libvirt
 * clears, asking for a name included. The code is BACKEND_UNAVAILABLE, whatever libvirt said, if
 * the connection (nullable) is not alive any more. */

/* The message is "what: libvirt's words". */
void nest_virt_error_set(GError **error, virConnectPtr connection, const char *what);

/* The same for a connection that does not come about: BACKEND_UNAVAILABLE, but for a configuration
 * that libvirt does not understand. */
void nest_virt_error_set_open(GError **error, const char *what);

/* The message is "Cannot verb NAME: libvirt's words". */
void nest_virt_error_set_domain(GError **error, virDomainPtr domain, const char *verb);

/* The same for a start and nest_virt_error_start_code(). */
void nest_virt_error_set_start(GError **error, virDomainPtr domain);

/* "Cannot store the definition: libvirt's words", and nest_virt_error_define_code(). */
void nest_virt_error_set_define(GError **error, virConnectPtr connection);
