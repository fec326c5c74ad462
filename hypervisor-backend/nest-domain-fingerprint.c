/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-document.h"
#include "nest-domain-xml.h"
#include <string.h>

/* Everything goes into the hash with its length before it, so that no two trees look the same. */
static void add(GChecksum *sum, const char *kind, const char *text)
{
    gsize length = text != NULL ? strlen(text) : 0;
    g_autofree char *head = g_strdup_printf("%s%" G_GSIZE_FORMAT ":", kind, length);
    g_checksum_update(sum, (const guchar *)head, -1);
    g_checksum_update(sum, (const guchar *)(text != NULL ? text : ""), length);
}

static void add_name(GChecksum *sum, const char *kind, const xmlNs *ns, const xmlChar *name)
{
    add(sum, kind, ns != NULL ? (const char *)ns->href : "");
    add(sum, "n", (const char *)name);
}

static gint compare_attributes(gconstpointer left, gconstpointer right)
{
    const xmlAttr *a = *(xmlAttr *const *)left, *b = *(xmlAttr *const *)right;
    int order = xmlStrcmp(a->name, b->name);
    return order != 0
        ? order
        : xmlStrcmp(a->ns != NULL ? a->ns->href : NULL, b->ns != NULL ? b->ns->href : NULL);
}

static void add_attributes(GChecksum *sum, const xmlNode *element)
{
    g_autoptr(GPtrArray) attributes = g_ptr_array_new();
    for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
        g_ptr_array_add(attributes, attribute);
    g_ptr_array_sort(attributes, compare_attributes);
    for (guint i = 0; i < attributes->len; i++) {
        const xmlAttr *attribute = attributes->pdata[i];
        xmlChar *value = xmlNodeGetContent((const xmlNode *)attribute);
        add_name(sum, "a", attribute->ns, attribute->name);
        add(sum, "v", (const char *)value);
        xmlFree(value);
    }
}

/* Text counts, but not white space between elements. */
static void flush_text(GChecksum *sum, GString *text, gboolean is_leaf)
{
    gboolean is_space = strspn(text->str, " \t\r\n") == text->len;
    if (text->len > 0 && (is_leaf || !is_space))
        add(sum, "t", text->str);
    g_string_truncate(text, 0);
}

/* The order of controllers means nothing, and libvirt changes it: one that it adds to a definition
 * comes last, and elsewhere once that was read from the disk again. */
static gboolean is_controller(const xmlNode *node)
{
    return xmlStrcmp(node->name, BAD_CAST "controller") == 0 &&
        xmlStrcmp(node->parent->name, BAD_CAST "devices") == 0;
}

static char *attribute_of(const xmlNode *element, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(element, BAD_CAST name);
    char *text = g_strdup((const char *)value);
    xmlFree(value);
    return text;
}

static gint compare_controllers(gconstpointer left, gconstpointer right)
{
    const xmlNode *a = *(xmlNode *const *)left, *b = *(xmlNode *const *)right;
    static const char *const names[] = {"type", "index"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *one = attribute_of(a, names[i]), *other = attribute_of(b, names[i]);
        int order = g_strcmp0(one, other);
        if (order != 0)
            return order;
    }
    return 0;
}

static void add_element(GChecksum *sum, const xmlNode *element);

static void add_controllers(GChecksum *sum, GPtrArray *controllers)
{
    g_ptr_array_sort(controllers, compare_controllers);
    for (guint i = 0; i < controllers->len; i++)
        add_element(sum, controllers->pdata[i]);
}

static void add_element(GChecksum *sum, const xmlNode *element)
{
    g_autoptr(GPtrArray) controllers = g_ptr_array_new();
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean is_leaf = xmlFirstElementChild((xmlNode *)element) == NULL;
    add_name(sum, "<", element->ns, element->name);
    add_attributes(sum, element);
    for (const xmlNode *node = element->children; node != NULL; node = node->next) {
        if (node->type == XML_ELEMENT_NODE) {
            flush_text(sum, text, is_leaf);
            if (is_controller(node))
                g_ptr_array_add(controllers, (gpointer)node);
            else
                add_element(sum, node);
        } else if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
            g_string_append(text, (const char *)node->content);
        }
    }
    flush_text(sum, text, is_leaf);
    add_controllers(sum, controllers);
    add(sum, ">", "");
}

char *nest_domain_fingerprint(const char *xml)
{
    if (xml == NULL)
        return NULL;
    g_autoptr(NestDocument) document = nest_document_parse(xml, NULL);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    if (document != NULL)
        add_element(sum, document->root);
    else
        add(sum, "raw", xml);
    return g_strdup(g_checksum_get_string(sum));
}

gboolean nest_domain_same(const char *a, const char *b)
{
    g_autofree char *left = nest_domain_fingerprint(a);
    g_autofree char *right = nest_domain_fingerprint(b);
    return g_strcmp0(left, right) == 0;
}
