/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-schema.h"
#include "nest-domain-clash.h"
#include "nest-domain-read.h"
#include "nest-error.h"
#include <glib/gstdio.h>
#include <libxml/relaxng.h>
#include <unistd.h>

/* How long the culprit is searched for. */
#define SEARCH_MAX_US (200 * 1000)

const char nest_domain_schema_file[] = NEST_LIBVIRT_SCHEMA;

struct NestDomainSchema {
    char *file;
    GMutex lock; /* of what follows: libxml2 completes a schema while it is used */
    xmlRelaxNG *rng;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

NestDomainSchema *nest_domain_schema_new(const char *file)
{
    NestDomainSchema *schema = g_new0(NestDomainSchema, 1);
    schema->file = g_strdup(file);
    g_mutex_init(&schema->lock);
    return schema;
}

void nest_domain_schema_free(NestDomainSchema *schema)
{
    if (schema == NULL)
        return;
    g_clear_pointer(&schema->rng, xmlRelaxNGFree);
    g_mutex_clear(&schema->lock);
    g_free(schema->file);
    g_free(schema);
}

/* Without a handler libxml2 prints to stderr. */
static void say_nothing(void *data, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say_nothing(void *data, const char *format, ...)
{
}

static gboolean load(NestDomainSchema *schema, GError **error)
{
    if (schema->rng != NULL)
        return TRUE;
    g_autoptr(xmlRelaxNGParserCtxt) parser = xmlRelaxNGNewParserCtxt(schema->file);
    if (parser != NULL && g_access(schema->file, R_OK) == 0) {
        xmlRelaxNGSetParserErrors(parser, say_nothing, say_nothing, NULL);
        schema->rng = xmlRelaxNGParse(parser);
    }
    if (schema->rng == NULL)
        nest_set_error(error, NEST_ERROR_HYPERVISOR, "install libvirt's library with its schemas",
            "libvirt's schema of domain definitions can't be read: %s", schema->file);
    return schema->rng != NULL;
}

static gboolean is_valid(const NestDomainSchema *schema, xmlDoc *doc)
{
    g_autoptr(xmlRelaxNGValidCtxt) context = xmlRelaxNGNewValidCtxt(schema->rng);
    xmlRelaxNGSetValidErrors(context, say_nothing, say_nothing, NULL);
    return xmlRelaxNGValidateDoc(context, doc) == 0;
}

typedef struct {
    const NestDomainSchema *schema;
    xmlDoc *doc;
    gint64 deadline;
} Search;

/* TRUE if without the element the definition is a valid one. It is put back. */
static gboolean valid_without_element(const Search *search, xmlNode *element)
{
    xmlNode *parent = element->parent, *next = element->next;
    xmlUnlinkNode(element);
    gboolean valid = is_valid(search->schema, search->doc);
    if (next != NULL)
        xmlAddPrevSibling(next, element);
    else
        xmlAddChild(parent, element);
    return valid;
}

static gboolean valid_without_attribute(const Search *search, xmlAttr *attribute)
{
    xmlAttr **link =
        attribute->prev != NULL ? &attribute->prev->next : &attribute->parent->properties;
    *link = attribute->next;
    gboolean valid = is_valid(search->schema, search->doc);
    *link = attribute;
    return valid;
}

/* The child without which all is well, NULL where there is none. */
static xmlNode *guilty_child(const Search *search, const xmlNode *parent)
{
    for (xmlNode *node = parent->children; node != NULL; node = node->next) {
        if (g_get_monotonic_time() > search->deadline)
            return NULL;
        if (node->type == XML_ELEMENT_NODE && valid_without_element(search, node))
            return node;
    }
    return NULL;
}

static const char *guilty_attribute(const Search *search, const xmlNode *element)
{
    for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
        if (g_get_monotonic_time() > search->deadline)
            return NULL;
        if (valid_without_attribute(search, attribute))
            return (const char *)attribute->name;
    }
    return NULL;
}

/* libxml2's own words name a whole section of the definition, and no more; so what is wrong is
 * searched for: what does a valid definition have to do without? */
static char *find_culprit(const NestDomainSchema *schema, xmlDoc *doc)
{
    Search search = {schema, doc, g_get_monotonic_time() + SEARCH_MAX_US};
    const xmlNode *found = xmlDocGetRootElement(doc), *child = NULL;
    while ((child = guilty_child(&search, found)) != NULL)
        found = child;
    const char *attribute = guilty_attribute(&search, found);
    const char *name = (const char *)found->name;
    if (attribute != NULL)
        return g_strdup_printf("line %ld: %s of <%s> is unknown, misplaced or has a wrong value",
            xmlGetLineNo(found), attribute, name);
    if (found->parent->type != XML_ELEMENT_NODE)
        return g_strdup("something in it is missing or has a wrong value");
    return g_strdup_printf("line %ld: <%s> in <%s> is unknown, incomplete or has a wrong value",
        xmlGetLineNo(found), name, found->parent->name);
}

/* What the schema leaves open, and libvirt's parser does not. */
static char *missing(const NestDocument *document, const NestDomain *domain)
{
    const xmlNode *os = nest_element_child(document->root, "os");
    g_autofree char *type = nest_element_text(nest_element_child(os, "type"));
    if (type == NULL || *type == '\0')
        return g_strdup("<os> with a <type> is missing");
    return domain->memory_kib == 0 ? g_strdup("<memory> is missing") : nest_domain_clash(document);
}

static gboolean check_complete(const NestDocument *document, GError **error)
{
    g_autoptr(NestDomain) domain = nest_domain_from_document(document, error);
    g_autofree char *what = domain != NULL ? missing(document, domain) : NULL;
    if (what != NULL)
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "libvirt would refuse this definition: %s", what);
    return domain != NULL && what == NULL;
}

static gboolean judge(const NestDomainSchema *schema, const NestDocument *document, GError **error)
{
    if (is_valid(schema, document->doc))
        return TRUE;
    g_autofree char *culprit = find_culprit(schema, document->doc);
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
        "compare it with https://libvirt.org/formatdomain.html",
        "libvirt would refuse this definition: %s", culprit);
    return FALSE;
}

gboolean nest_domain_schema_check(NestDomainSchema *schema, const char *xml, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    if (document == NULL)
        return FALSE;
    if (document->spans->len > NEST_DOMAIN_SCHEMA_ELEMENTS_MAX) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL,
            "a definition with more than %d elements is not looked at",
            NEST_DOMAIN_SCHEMA_ELEMENTS_MAX);
        return FALSE;
    }
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&schema->lock);
    return load(schema, error) && judge(schema, document, error) && check_complete(document, error);
}
