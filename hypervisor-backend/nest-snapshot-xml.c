/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-snapshot-xml.h"
#include "nest-document.h"
#include "nest-domain-read.h"
#include <libxml/parser.h>
#include <string.h>

#define UNFINISHED "nestd: unfinished"

/* No DTD can be in what libvirt writes; one that is there is not followed. */
static xmlDoc *parse(const char *xml)
{
    gsize length = strlen(xml);
    if (length > NEST_DOMAIN_XML_MAX || strstr(xml, "<!DOCTYPE") != NULL)
        return NULL;
    return xmlReadMemory(
        xml, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

/* TRUE if the definition in a snapshot asks for either extension. Old snapshots hold none: what
 * they go back to is what is defined then. */
static gboolean asks(const xmlNode *snapshot)
{
    const xmlNode *domain = nest_element_child(snapshot, "inactiveDomain");
    if (domain == NULL)
        domain = nest_element_child(snapshot, "domain");
    const xmlNode *cpu = nest_element_child(domain, "cpu");
    gboolean found = nest_element_child(domain, "os") == NULL;
    for (const xmlNode *feature = nest_element_child(cpu, "feature"); feature != NULL;
         feature = nest_element_next(feature, "feature")) {
        NestFeaturePolicy policy = nest_domain_policy(feature);
        gboolean on = policy == NEST_POLICY_REQUIRE || policy == NEST_POLICY_FORCE;
        gboolean extension =
            nest_element_has(feature, "name", "vmx") || nest_element_has(feature, "name", "svm");
        found = found || (on && extension);
    }
    return found;
}

static void note(guint *count, char **name, const char *snapshot)
{
    if ((*count)++ == 0)
        *name = g_strdup(snapshot);
}

static gboolean has_memory(const xmlNode *snapshot)
{
    g_autofree char *memory = nest_element_get(nest_element_child(snapshot, "memory"), "snapshot");
    return memory != NULL && strcmp(memory, "no") != 0 && strcmp(memory, "none") != 0;
}

gboolean nest_snapshot_add(const char *xml, NestSnapshotFacts *facts)
{
    g_autoptr(xmlDoc) document = parse(xml);
    const xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;
    if (!nest_element_is(root, "domainsnapshot"))
        return FALSE;
    g_autofree char *name = nest_element_text(nest_element_child(root, "name"));
    const char *shown = name != NULL ? name : "(unnamed)";
    facts->read++;
    if (has_memory(root))
        note(&facts->with_memory, &facts->memory_name, shown);
    if (!asks(root))
        note(&facts->without, &facts->without_name, shown);
    return TRUE;
}

/* Snapshots of old hold only the VM's UUID. */
static char *copy_domain(xmlDoc *document, const xmlNode *domain)
{
    if (domain == NULL || nest_element_child(domain, "os") == NULL)
        return NULL;
    xmlBuffer *buffer = xmlBufferCreate();
    char *text = NULL;
    if (buffer != NULL && xmlNodeDump(buffer, document, (xmlNode *)domain, 0, 0) >= 0)
        text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

NestBackendCheckpoint *nest_snapshot_read(const char *xml)
{
    g_autoptr(xmlDoc) document = parse(xml);
    const xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;
    if (!nest_element_is(root, "domainsnapshot"))
        return NULL;
    g_autofree char *name = nest_element_text(nest_element_child(root, "name"));
    g_autofree char *time = nest_element_text(nest_element_child(root, "creationTime"));
    if (name == NULL)
        return NULL;
    NestBackendCheckpoint *checkpoint = g_new0(NestBackendCheckpoint, 1);
    checkpoint->name = g_steal_pointer(&name);
    checkpoint->time = time != NULL ? g_ascii_strtoll(time, NULL, 10) * 1000 : 0;
    checkpoint->memory = has_memory(root);
    checkpoint->description = nest_element_text(nest_element_child(root, "description"));
    checkpoint->unfinished = g_strcmp0(checkpoint->description, UNFINISHED) == 0;
    checkpoint->xml = copy_domain(document, nest_element_child(root, "domain"));
    return checkpoint;
}

char *nest_snapshot_xml(const char *name, const char *description)
{
    return g_markup_printf_escaped(
        "<domainsnapshot><name>%s</name><description>%s</description></domainsnapshot>", name,
        description);
}

char *nest_snapshot_xml_made(
    const char *name, const char *description, const char *parent, gint64 time, const char *domain)
{
    g_autofree char *after = parent != NULL
        ? g_markup_printf_escaped("<parent><name>%s</name></parent>", parent)
        : g_strdup("");
    g_autofree char *head = g_markup_printf_escaped(
        "<name>%s</name><description>%s</description><state>shutoff</state>"
        "<creationTime>%" G_GINT64_FORMAT "</creationTime><memory snapshot='no'/>",
        name, description != NULL ? description : UNFINISHED, time);
    return g_strconcat("<domainsnapshot>", head, after, domain, "</domainsnapshot>", NULL);
}
