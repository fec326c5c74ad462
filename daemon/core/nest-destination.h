/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* TRUE if uri can be where a VM is migrated to: the system's libvirt of another host, as
 * qemu+ssh://[USER@]HOST[:PORT]/system, likewise with libssh, libssh2, tls or tcp, or one behind
 * another socket of this host, as qemu+unix:///system?socket=PATH. Of the parameters that libvirt
 * knows (https://libvirt.org/uri.html) only those that name no program are taken. Pure.
 * INVALID_REQUEST. */
gboolean nest_destination_check(const char *uri, GError **error);
