/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* libvirt's network filters: what a tree of them does to frames of inner VMs, whose MAC address is
 * not that of the interface. Pure. https://libvirt.org/formatnwfilter.html */

/* A rule of its own that lets only the interface's address pass, as two halves that may stand in
 * different filters of one tree: what accepts the own address, and what drops the rest. */
typedef enum {
    NEST_NWFILTER_DROPS_MAC = 1 << 0, /* other MAC addresses, by itself */
    NEST_NWFILTER_DROPS_IP = 1 << 1, /* other IP addresses, by itself */
    /* Of what the VM sends: */
    NEST_NWFILTER_ACCEPTS_MAC = 1 << 2,
    NEST_NWFILTER_DROPS_REST = 1 << 3,
    NEST_NWFILTER_DROPS_SOME = 1 << 4, /* frames of some kind, whosever they are */
    NEST_NWFILTER_RANGE = 1 << 5, /* MAC addresses by a mask, which may be those of inner VMs */
} NestNwfilterRules;

/* The same of what it is sent are shifted by so much. */
#define NEST_NWFILTER_IN 4

typedef struct {
    char *name;
    GPtrArray *includes; /* names of filters */
    guint rules; /* NestNwfilterRules */
} NestNwfilter;

void nest_nwfilter_free(NestNwfilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestNwfilter, nest_nwfilter_free)

NestNwfilter *nest_nwfilter_read(const char *xml, GError **error);

typedef enum {
    NEST_FILTER_PASSES,
    NEST_FILTER_BLOCKS, /* frames with a foreign MAC address are dropped */
    NEST_FILTER_UNKNOWN
} NestFilterAnswer;

typedef struct {
    NestFilterAnswer answer;
    gboolean blocks_ip; /* packets with a foreign IP address are dropped */
    char
        *path; /* "our-own > clean-traffic > no-mac-spoofing", to what decided; NULL: nothing did */
    char *why; /* of UNKNOWN, a part of a sentence */
} NestFilterVerdict;

void nest_filter_verdict_clear(NestFilterVerdict *verdict);

/* Follows name through filters (name → NestNwfilter; NULL: none could be read, and libvirt's own
 * are judged by their names). Each filter is looked at once, so that circles end; trees of more
 * than NEST_NWFILTER_TREE_MAX filters are unknown. name NULL passes. */
#define NEST_NWFILTER_TREE_MAX 500
void nest_nwfilter_judge(GHashTable *filters, const char *name, NestFilterVerdict *ret_verdict);
