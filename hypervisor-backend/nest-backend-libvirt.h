/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

typedef struct {
    const char *uri; /* a libvirt URI, or "embed" for the driver inside this process */
    const char *root; /* of the embedded driver: an absolute path of at most 25 bytes */
    const char *run_root; /* on tmpfs: holds what must not survive a reboot; NULL: below root */
    const char *qemu_user; /* of the embedded driver; NULL or "auto": see docs/decisions/0010 */
    const char *qemu_group;
} NestLibvirtOptions;

/* A backend over libvirt. Nothing is connected before open(). options are copied. To be called
 * before the process has other threads: libvirt's log is silenced through the environment, unless
 * LIBVIRT_LOG_OUTPUTS is set.
 *
 * A process serves one root, for ever. free() must not be called from the handler. */
NestBackend *nest_backend_libvirt_new(const NestLibvirtOptions *options);

/* TRUE if a system libvirt daemon (libvirtd or virtqemud) answers at qemu:///system within
 * timeout_ms. */
gboolean nest_backend_libvirt_system_answers(guint timeout_ms);
