/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-links.h"
#include "nest-netlink.h"

/* A handler for the messages in which the kernel tells of a device: adds it to user_data, a
 * GPtrArray of NestLink. linux/rtnetlink.h, linux/if_link.h. */
void nest_links_read_message(
    const struct nlmsghdr *header, const guint8 *payload, gsize length, gpointer user_data);
