/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-document.h"
#include "nest-domain-xml.h"
#include "nest-error.h"
#include <libxml/parser.h>
#include <string.h>

void nest_document_free(NestDocument *document)
{
    if (document == NULL)
        return;
    g_clear_pointer(&document->doc, xmlFreeDoc);
    g_clear_pointer(&document->spans, g_array_unref);
    g_free(document);
}

static gboolean refuse(GError **error, const char *why)
{
    nest_set_error(
        error, NEST_ERROR_INVALID_REQUEST, NULL, "not a usable domain definition: %s", why);
    return FALSE;
}

/* The parser stops at a document type declaration before it reads what it declares. */
static void stop_at_doctype(
    void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxt *parser = context;
    parser->_private = parser;
    xmlStopParser(parser);
}

static void free_parser(xmlParserCtxt *parser)
{
    if (parser->myDoc != NULL)
        xmlFreeDoc(parser->myDoc);
    xmlFreeParserCtxt(parser);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlParserCtxt, free_parser)

static gboolean refuse_syntax(const xmlParserCtxt *parser, GError **error)
{
    if (parser->_private != NULL)
        return refuse(error, "document type declarations are not accepted");
    const char *message = parser->lastError.message;
    g_autofree char *why = g_utf8_make_valid(message != NULL ? message : "it is not XML", -1);
    g_strstrip(why);
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
        "not a usable domain definition: line %d: %.200s", parser->lastError.line, why);
    return FALSE;
}

static gboolean check_text(const char *text, GError **error)
{
    gsize length = strlen(text);
    if (length == 0)
        return refuse(error, "it is empty");
    if (length > NEST_DOMAIN_XML_MAX)
        return refuse(error, "it is larger than 8 MiB");
    return g_utf8_validate(text, length, NULL) || refuse(error, "it is not UTF-8");
}

static xmlDoc *parse(const char *text, GError **error)
{
    xmlInitParser();
    g_autoptr(xmlParserCtxt) parser = xmlNewParserCtxt();
    parser->sax->internalSubset = stop_at_doctype;
    xmlDoc *doc = xmlCtxtReadMemory(parser, text, strlen(text), NULL, NULL,
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc == NULL || parser->_private != NULL) {
        xmlFreeDoc(doc);
        refuse_syntax(parser, error);
        return NULL;
    }
    return doc;
}

static gboolean check_root(const xmlDoc *doc, const xmlNode *root, GError **error)
{
    const char *encoding = (const char *)doc->encoding;
    if (encoding != NULL && g_ascii_strcasecmp(encoding, "UTF-8") != 0)
        return refuse(error, "it is not UTF-8");
    if (!nest_element_is(root, "domain"))
        return refuse(error, "its root is not <domain>");
    g_autofree char *type = nest_element_get(root, "type");
    if (type == NULL)
        return refuse(error, "<domain> has no type");
    return TRUE;
}

static gboolean is_named(const char *text, const NestSpan *span, const xmlNode *element)
{
    const char *name = text + span->start + 1;
    gsize length = strcspn(name, " \t\r\n/>");
    const char *colon = memchr(name, ':', length);
    if (colon != NULL && element->ns != NULL && element->ns->prefix != NULL) {
        length -= colon + 1 - name;
        name = colon + 1;
    }
    return strlen((const char *)element->name) == length &&
        memcmp(name, element->name, length) == 0;
}

/* Numbers the elements in document order; FALSE where the scanner saw another one. */
static gboolean number(NestDocument *document, xmlNode *element, guint *next)
{
    if (*next >= document->spans->len ||
        !is_named(document->text, &g_array_index(document->spans, NestSpan, *next), element))
        return FALSE;
    element->_private = GUINT_TO_POINTER((*next)++);
    for (xmlNode *node = element->children; node != NULL; node = node->next)
        if (node->type == XML_ELEMENT_NODE && !number(document, node, next))
            return FALSE;
    return TRUE;
}

NestDocument *nest_document_parse(const char *text, GError **error)
{
    if (!check_text(text, error))
        return NULL;
    g_autoptr(NestDocument) document = g_new0(NestDocument, 1);
    document->text = text;
    document->spans = nest_spans_scan(text);
    if (document->spans == NULL) {
        refuse(error, "it has too many elements, attributes or namespaces");
        return NULL;
    }
    document->doc = parse(text, error);
    if (document->doc == NULL)
        return NULL;
    document->root = xmlDocGetRootElement(document->doc);
    if (!check_root(document->doc, document->root, error))
        return NULL;
    guint count = 0;
    if (!number(document, document->root, &count) || count != document->spans->len) {
        refuse(error, "its elements cannot be told apart");
        return NULL;
    }
    return g_steal_pointer(&document);
}

xmlDoc *nest_document_parse_other(const char *text, const char *root, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(xmlDoc) doc = check_text(text, &why) ? parse(text, &why) : NULL;
    if (doc != NULL && nest_element_is(xmlDocGetRootElement(doc), root))
        return g_steal_pointer(&doc);
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "not a usable <%s>: %s", root,
        why != NULL ? why->message : "its root is another one");
    return NULL;
}

const NestSpan *nest_document_span(const NestDocument *document, const xmlNode *element)
{
    return &g_array_index(document->spans, NestSpan, GPOINTER_TO_UINT(element->_private));
}

char *nest_document_indent(const NestDocument *document, const xmlNode *element)
{
    const char *end = document->text + nest_document_span(document, element)->start;
    const char *p = end;
    while (p > document->text && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    if (p == document->text || p[-1] != '\n')
        return g_strdup("");
    p -= p - 1 > document->text && p[-2] == '\r' ? 2 : 1;
    return g_strndup(p, end - p);
}

gboolean nest_element_is(const xmlNode *node, const char *name)
{
    return node != NULL && node->type == XML_ELEMENT_NODE && node->ns == NULL &&
        (name == NULL || strcmp((const char *)node->name, name) == 0);
}

static xmlNode *first_of(xmlNode *node, const char *name)
{
    while (node != NULL && !nest_element_is(node, name))
        node = node->next;
    return node;
}

xmlNode *nest_element_child(const xmlNode *parent, const char *name)
{
    return parent != NULL ? first_of(parent->children, name) : NULL;
}

xmlNode *nest_element_next(const xmlNode *element, const char *name)
{
    return first_of(element->next, name);
}

static char *own(xmlChar *value)
{
    char *copy = g_strdup((const char *)value);
    xmlFree(value);
    return copy;
}

char *nest_element_get(const xmlNode *element, const char *attribute)
{
    return element != NULL ? own(xmlGetNoNsProp(element, (const xmlChar *)attribute)) : NULL;
}

char *nest_element_text(const xmlNode *element)
{
    return element != NULL ? g_strstrip(own(xmlNodeGetContent(element))) : NULL;
}

gboolean nest_element_has(const xmlNode *element, const char *attribute, const char *value)
{
    g_autofree char *found = nest_element_get(element, attribute);
    return g_strcmp0(found, value) == 0;
}
