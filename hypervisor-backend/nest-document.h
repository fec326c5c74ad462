/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-span.h"
#include <libxml/tree.h>

/* A domain definition, parsed for being looked at and patched. Private to the domain XML files.
 *
 * libxml2 judges and understands the text; a small scanner of our own (nest-span.h) remembers
 * where in it each element stands, so that an edit can change these bytes and no others. Both
 * must have seen the same elements in the same order. No DTD, no entities but the predefined ones,
 * no network, UTF-8 only, NEST_DOMAIN_XML_MAX bytes, elements nested 256 deep at most (libxml2's
 * limit). */

typedef struct {
    const char *text; /* the caller's */
    xmlDoc *doc;
    xmlNode *root; /* <domain> */
    GArray *spans; /* NestSpan, in document order */
} NestDocument;

/* text must outlive the document. */
NestDocument *nest_document_parse(const char *text, GError **error);
void nest_document_free(NestDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestDocument, nest_document_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* An XML text of another kind, whose root is an element called root: the same bounds, no spans.
 * Free with xmlFreeDoc(). */
xmlDoc *nest_document_parse_other(const char *text, const char *root, GError **error);

const NestSpan *nest_document_span(const NestDocument *document, const xmlNode *element);

/* The white space that indents element: from the last line break before it, "" where something
 * else stands in its line. */
char *nest_document_indent(const NestDocument *document, const xmlNode *element);

/* TRUE if node is an element called name, of no namespace; any name for NULL. */
gboolean nest_element_is(const xmlNode *node, const char *name);

/* The first child element called name (any for NULL), and the next one after element. */
xmlNode *nest_element_child(const xmlNode *parent, const char *name);
xmlNode *nest_element_next(const xmlNode *element, const char *name);

/* The value of an attribute, NULL where there is none, and the text in an element without white
 * space around, NULL for no element. */
char *nest_element_get(const xmlNode *element, const char *attribute);
char *nest_element_text(const xmlNode *element);

/* TRUE if the attribute is there and has this value. */
gboolean nest_element_has(const xmlNode *element, const char *attribute, const char *value);
