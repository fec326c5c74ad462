/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

typedef struct {
    const char *uri; /* a libvirt URI, or "embed" for the driver inside this process */
    const char *root; /* of the embedded driver: an absolute path of at most 25 bytes */
    const char *run_root; /* on tmpfs: holds what must not survive a reboot; NULL: below root */
    const char *qemu_user; /* of the embedded driver; NULL or "auto": see docs/decisions */
    const char *qemu_group;
} NestLibvirtOptions;

/* A backend over libvirt. Nothing is connected before open(). options are copied. */
NestBackend *nest_backend_libvirt_new(const NestLibvirtOptions *options);

/* TRUE if a system libvirt daemon (libvirtd or virtqemud) answers at qemu:///system within
 * timeout_ms. */
gboolean nest_backend_libvirt_system_answers(guint timeout_ms);
