/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>
#include <linux/netlink.h>

/* Asking the kernel for a list over netlink, and for changes.
 * https://docs.kernel.org/userspace-api/netlink */

/* Called for each message of the answer; payload is behind its header. */
typedef void (*NestNetlinkHandler)(
    const struct nlmsghdr *header, const guint8 *payload, gsize length, gpointer user_data);

/* Sends request (header included, its flags and length set here) to the family protocol and hands
 * every message of the answer to handler. The answer has 2 seconds for each of its parts and 64
 * MiB in all. ret_error (nullable) says why there is none. */
gboolean nest_netlink_dump(int protocol, struct nlmsghdr *request, gsize length,
    NestNetlinkHandler handler, gpointer user_data, char **ret_error);

/* Sends request, which changes something, and waits for what the kernel says, 2 seconds at most: 0,
 * or the number of the error. */
int nest_netlink_change(int protocol, struct nlmsghdr *request, gsize length);

/* The messages of one part; FALSE after the last one, or where ret_error is set. */
gboolean nest_netlink_walk(const guint8 *bytes, gsize length, NestNetlinkHandler handler,
    gpointer user_data, char **ret_error);

/* An attribute within a message. */
typedef struct {
    guint type; /* without the flags */
    const guint8 *data;
    gsize length;
} NestAttribute;

/* Takes the next attribute off bytes; FALSE where there is none, or a broken one. */
gboolean nest_netlink_next(const guint8 **bytes, gsize *length, NestAttribute *ret_attribute);

/* The first one of a type. */
gboolean nest_netlink_find(
    const guint8 *bytes, gsize length, guint type, NestAttribute *ret_attribute);

/* Its value, as far as it is long enough; 0, and NULL, otherwise. */
guint8 nest_netlink_u8(const NestAttribute *attribute);
guint32 nest_netlink_u32(const NestAttribute *attribute);
char *nest_netlink_text(const NestAttribute *attribute);
