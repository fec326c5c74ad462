/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-subnet.h"
#include <arpa/inet.h>

static guint32 mask_of(guint prefix)
{
    return prefix == 0 ? 0 : ~(guint32)0 << (32 - prefix);
}

static gboolean parse_mask(const char *netmask, guint *prefix)
{
    struct in_addr mask;
    if (inet_pton(AF_INET, netmask, &mask) != 1)
        return FALSE;
    for (*prefix = 0; *prefix <= 32; (*prefix)++)
        if (mask_of(*prefix) == ntohl(mask.s_addr))
            return TRUE;
    return FALSE;
}

gboolean nest_subnet_parse(
    const char *address, guint prefix, const char *netmask, NestSubnet *ret_subnet)
{
    struct in_addr parsed;
    if (address == NULL || inet_pton(AF_INET, address, &parsed) != 1 || prefix > 32 ||
        (netmask != NULL && !parse_mask(netmask, &prefix)))
        return FALSE;
    *ret_subnet = (NestSubnet){ntohl(parsed.s_addr) & mask_of(prefix), prefix};
    return TRUE;
}

gboolean nest_subnet_overlaps(NestSubnet a, NestSubnet b)
{
    guint32 mask = mask_of(MIN(a.prefix, b.prefix));
    return (a.address & mask) == (b.address & mask);
}

char *nest_subnet_text(NestSubnet subnet)
{
    return g_strdup_printf("%u.%u.%u.%u/%u", subnet.address >> 24, subnet.address >> 16 & 255,
        subnet.address >> 8 & 255, subnet.address & 255, subnet.prefix);
}

static gboolean is_taken(NestSubnet candidate, const GArray *taken)
{
    for (guint i = 0; i < taken->len; i++)
        if (nest_subnet_overlaps(candidate, g_array_index(taken, NestSubnet, i)))
            return TRUE;
    return FALSE;
}

/* Third parts of 192.168 that something takes by default: routers, VirtualBox (56), VMware,
 * minikube (39, 49, 59, 99), vagrant-libvirt (121), libvirt and what steps aside of it (122 to
 * 124), Hyper-V and others. */
static gboolean is_default(guint part)
{
    static const guint8 parts[] = {0, 1, 2, 3, 4, 5, 8, 10, 11, 15, 16, 20, 25, 30, 31, 33, 39, 40,
        42, 43, 44, 49, 50, 55, 56, 58, 59, 60, 64, 65, 67, 70, 72, 76, 80, 86, 88, 90, 91, 99, 100,
        101, 102, 110, 111, 120, 121, 122, 123, 124, 125, 126, 127, 128, 130, 131, 137, 150, 168,
        178, 179, 188, 189, 199, 200, 205, 216, 222, 223, 240, 250, 254, 255};
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i] == part)
            return TRUE;
    return FALSE;
}

gboolean nest_subnet_pick(const GArray *taken, NestSubnet *ret_subnet)
{
    for (guint i = 0; i < 256; i++) {
        guint part = (157 + i) % 256;
        NestSubnet candidate = {0xc0a80000 | part << 8, 24};
        if (!is_default(part) && !is_taken(candidate, taken)) {
            *ret_subnet = candidate;
            return TRUE;
        }
    }
    for (guint part = 64; part < 256; part++) { /* 10.200.64.0/24 and on */
        NestSubnet candidate = {0x0ac80000 | part << 8, 24};
        if (!is_taken(candidate, taken)) {
            *ret_subnet = candidate;
            return TRUE;
        }
    }
    return FALSE;
}
