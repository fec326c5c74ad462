/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend-libvirt.h"
#include <sys/stat.h>

/* The root directory of libvirt's embedded QEMU driver:
 *
 *   ROOT/etc/qemu.conf        written by us, read by libvirt
 *   ROOT/etc/qemu.local.conf  optional, a site's own settings; they win
 *   ROOT/lib, log, cache      libvirt's
 *   ROOT/run                  libvirt's, or a symbolic link to the run root */

/* Below it, sockets like ROOT/lib/qemu/channel/target/domain-N-NAME/org.qemu.guest_agent.0 must
 * stay within the 108 bytes of a sun_path. */
#define NEST_LIBVIRT_ROOT_MAX 25

/* The identity QEMU runs as. */
typedef struct {
    char *user;
    char *group;
} NestQemuUser;

void nest_qemu_user_clear(NestQemuUser *user);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestQemuUser, nest_qemu_user_clear)

/* TRUE if a process of uid and groups may open a node with the owner and mode of status for
 * reading and writing. Pure. */
gboolean nest_libvirt_embed_may_open(
    const struct stat *status, uid_t uid, const gid_t *groups, gsize n_groups);

/* The text of qemu.conf. user NULL: not privileged, libvirt leaves QEMU with our own identity.
 * local (nullable) is a site's text. Pure. */
char *nest_libvirt_embed_config(const NestQemuUser *user, const char *local);

/* CONFIG unless root is absolute and short enough. Pure. */
gboolean nest_libvirt_embed_check_root(const char *root, GError **error);

/* The identity for options: a user that is named must exist (else CONFIG); "auto" is the first of
 * nestd-qemu and libvirt-qemu that exists and can use kvm (the path of /dev/kvm; where it does
 * not exist every user will do), else root. A user that cannot open /dev/kvm would make libvirt
 * probe QEMU anew at each call, seconds every time. */
gboolean nest_libvirt_embed_choose_user(
    const NestLibvirtOptions *options, const char *kvm, NestQemuUser *ret_user, GError **error);

/* Makes the directories and writes qemu.conf where it differs. */
gboolean nest_libvirt_embed_prepare(const NestLibvirtOptions *options, GError **error);

/* The URI to open. */
char *nest_libvirt_embed_uri(const char *root);

/* The process that holds root, 0 if none does. Only to be asked while this process does not hold
 * it itself: closing a file drops the locks its process has on it. */
gint64 nest_libvirt_embed_holder(const char *root);
