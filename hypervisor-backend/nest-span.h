/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Where an element stands in an XML text, in bytes. */
typedef struct {
    gsize start; /* '<' */
    gsize tag_end; /* the '>' or '/>' that ends its start tag */
    gsize content; /* behind it */
    gsize content_end; /* '<' of the end tag; content where there is none */
    gsize end; /* behind the element */
    gboolean empty; /* closed by '/>' */
} NestSpan;

/* More than any definition has, and little enough for libxml2: some of its versions take minutes
 * for one megabyte of attributes. */
#define NEST_SPANS_MAX 100000
#define NEST_SPAN_ATTRIBUTES_MAX 100
#define NEST_SPAN_NAMESPACES_MAX 1000

/* The elements of text in the order of their start tags. What the text is, only a parser can
 * tell: of a well-formed text without a DTD the spans are right, of any other they are harmless.
 * NULL where there are too many elements, namespaces, or attributes of one element. */
GArray *nest_spans_scan(const char *text);
