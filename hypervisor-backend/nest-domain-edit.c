/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-cpu.h"
#include "nest-domain-read.h"
#include "nest-domain-xml.h"
#include "nest-error.h"
#include "nest-patch.h"
#include <string.h>

/* The flaw functions say what is not as wished, NULL where all is. */
static const char *memory_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(document->root, "devices");
    const xmlNode *balloon = nest_element_child(devices, "memballoon");
    if (domain->memory_kib < wish->memory_kib || domain->current_memory_kib < wish->memory_kib)
        return "it has less memory than wished";
    if (!wish->fix_memory)
        return NULL;
    if (domain->current_memory_kib != domain->memory_kib)
        return "its memory is not fixed: currentMemory is not memory";
    return domain->balloon || nest_element_next(balloon, "memballoon") != NULL
        ? "its memory is not fixed: it has a balloon"
        : NULL;
}

static gboolean is_blocking(const xmlNode *filterref, const NestDomainWish *wish)
{
    g_autofree char *filter = nest_element_get(filterref, "filter");
    return nest_filter_blocks_foreign_macs(filter) ||
        (filter != NULL && wish->filters != NULL && g_strv_contains(wish->filters, filter));
}

/* The blocking <filterref> after previous, of any interface; the first one for NULL. */
static xmlNode *next_blocking(
    const xmlNode *devices, const xmlNode *previous, const NestDomainWish *wish)
{
    xmlNode *interface =
        previous != NULL ? previous->parent : nest_element_child(devices, "interface");
    xmlNode *filterref = previous != NULL ? nest_element_next(previous, "filterref")
                                          : nest_element_child(interface, "filterref");
    while (interface != NULL) {
        for (; filterref != NULL; filterref = nest_element_next(filterref, "filterref"))
            if (is_blocking(filterref, wish))
                return filterref;
        interface = nest_element_next(interface, "interface");
        filterref = nest_element_child(interface, "filterref");
    }
    return NULL;
}

static const char *macs_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(document->root, "devices");
    return wish->allow_macs && next_blocking(devices, NULL, wish) != NULL
        ? "a filter blocks the MAC addresses of inner VMs"
        : NULL;
}

/* The first isolated <port> of an interface from that one on. */
static xmlNode *next_isolated(const xmlNode *interface)
{
    for (; interface != NULL; interface = nest_element_next(interface, "interface")) {
        xmlNode *port = nest_element_child(interface, "port");
        if (nest_element_has(port, "isolated", "yes"))
            return port;
    }
    return NULL;
}

static const char *ports_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(document->root, "devices");
    return wish->open_ports && next_isolated(nest_element_child(devices, "interface")) != NULL
        ? "a port is isolated"
        : NULL;
}

static void set_kib(NestPatch *patch, const xmlNode *element, guint64 kib)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, kib);
    if (!nest_element_has(element, "unit", NULL))
        nest_patch_attribute(patch, element, "unit", "KiB");
    nest_patch_text(patch, element, text);
}

/* Sets <memory>, which NUMA cells and a maximum for hot-plug would contradict. */
static gboolean set_most_memory(NestPatch *patch, guint64 kib, GError **error)
{
    const xmlNode *root = patch->document->root;
    const xmlNode *memory = nest_element_child(root, "memory");
    if (nest_domain_numa(patch->document) != NULL ||
        nest_element_child(root, "maxMemory") != NULL) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT,
            "Change <memory> and the memory of the NUMA cells by hand",
            "the memory of the VM is divided into NUMA cells or hot-plugged, and cannot be changed "
            "as a whole");
        return FALSE;
    }
    set_kib(patch, memory, kib);
    return TRUE;
}

static void set_current_memory(NestPatch *patch, const NestDomain *domain, guint64 kib)
{
    const xmlNode *memory = nest_element_child(patch->document->root, "memory");
    const xmlNode *current = nest_element_child(patch->document->root, "currentMemory");
    if (current == NULL || kib == domain->current_memory_kib)
        return;
    if (memory == NULL || kib != domain->memory_kib) {
        set_kib(patch, current, kib);
        return;
    }
    g_autofree char *text = nest_element_text(memory);
    g_autofree char *unit = nest_element_get(memory, "unit");
    nest_patch_attribute(patch, current, "unit", unit);
    nest_patch_text(patch, current, text);
}

#define NO_BALLOON "<memballoon model='none'/>"

/* Without <memballoon> libvirt would add one. */
static void remove_balloon(NestPatch *patch)
{
    const xmlNode *devices = nest_element_child(patch->document->root, "devices");
    const xmlNode *balloon = nest_element_child(devices, "memballoon");
    if (devices == NULL) {
        nest_patch_append(patch, patch->document->root,
            (const char *const[]){"<devices>", "\t" NO_BALLOON, "</devices>", NULL});
        return;
    }
    if (balloon == NULL) {
        nest_patch_append(patch, devices, (const char *const[]){NO_BALLOON, NULL});
        return;
    }
    if (!nest_element_has(balloon, "model", "none"))
        nest_patch_replace(patch, balloon, NO_BALLOON);
    while ((balloon = nest_element_next(balloon, "memballoon")) != NULL)
        nest_patch_remove(patch, balloon);
}

static gboolean edit_memory(
    NestPatch *patch, const NestDomain *domain, const NestDomainWish *wish, GError **error)
{
    if (memory_flaw(patch->document, domain, wish) == NULL)
        return TRUE;
    if (domain->memory_kib == 0) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "not a usable domain definition: it has no memory");
        return FALSE;
    }
    guint64 current = MAX(domain->current_memory_kib, wish->memory_kib);
    if (wish->memory_kib > domain->memory_kib && !set_most_memory(patch, wish->memory_kib, error))
        return FALSE;
    if (wish->fix_memory)
        current = MAX(domain->memory_kib, wish->memory_kib);
    set_current_memory(patch, domain, current);
    if (wish->fix_memory)
        remove_balloon(patch);
    return TRUE;
}

static void edit_macs(NestPatch *patch, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(patch->document->root, "devices");
    const xmlNode *filterref = wish->allow_macs ? next_blocking(devices, NULL, wish) : NULL;
    for (; filterref != NULL; filterref = next_blocking(devices, filterref, wish))
        nest_patch_remove(patch, filterref);
}

static void edit_ports(NestPatch *patch, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(patch->document->root, "devices");
    const xmlNode *first = wish->open_ports ? nest_element_child(devices, "interface") : NULL;
    for (const xmlNode *port = next_isolated(first); port != NULL;
         port = next_isolated(nest_element_next(port->parent, "interface")))
        nest_patch_remove(patch, port);
}

char *nest_domain_edit(const char *xml, const NestDomainWish *wish, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    g_autoptr(NestDomain) domain =
        document != NULL ? nest_domain_from_document(document, error) : NULL;
    if (domain == NULL)
        return NULL;
    g_autoptr(NestPatch) patch = nest_patch_new(document);
    if (!nest_domain_cpu_edit(patch, domain, wish, error) ||
        !edit_memory(patch, domain, wish, error))
        return NULL;
    edit_macs(patch, wish);
    edit_ports(patch, wish);
    g_autofree char *edited = nest_patch_apply(patch);
    if (!nest_domain_satisfies(edited, wish, error)) {
        g_prefix_error(error, "the edited definition is not as wished: ");
        return NULL;
    }
    return g_steal_pointer(&edited);
}

/* A definition without <currentMemory> has all of it now. */
static void set_memory_now(NestPatch *patch, guint64 kib)
{
    const xmlNode *root = patch->document->root;
    const xmlNode *current = nest_element_child(root, "currentMemory");
    g_autofree char *added =
        g_strdup_printf("<currentMemory unit='KiB'>%" G_GUINT64_FORMAT "</currentMemory>", kib);
    if (current != NULL)
        set_kib(patch, current, kib);
    else
        nest_patch_append(patch, root, (const char *const[]){added, NULL});
}

char *nest_domain_set_memory(const char *xml, guint64 kib, gboolean most, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    g_autoptr(NestDomain) domain =
        document != NULL ? nest_domain_from_document(document, error) : NULL;
    if (domain == NULL)
        return NULL;
    g_autoptr(NestPatch) patch = nest_patch_new(document);
    if (most && kib != domain->memory_kib && !set_most_memory(patch, kib, error))
        return NULL;
    gboolean has_now = nest_element_child(document->root, "currentMemory") != NULL;
    if (kib != domain->current_memory_kib && (has_now || !most))
        set_memory_now(patch, kib);
    return nest_patch_apply(patch);
}

gboolean nest_domain_satisfies(const char *xml, const NestDomainWish *wish, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    g_autoptr(NestDomain) domain =
        document != NULL ? nest_domain_from_document(document, error) : NULL;
    if (domain == NULL)
        return FALSE;
    const char *flaw = nest_domain_cpu_flaw(document, domain, wish);
    flaw = flaw != NULL ? flaw : memory_flaw(document, domain, wish);
    flaw = flaw != NULL ? flaw : macs_flaw(document, domain, wish);
    flaw = flaw != NULL ? flaw : ports_flaw(document, domain, wish);
    if (flaw != NULL)
        nest_set_error(
            error, NEST_ERROR_NOT_VERIFIED, NULL, "the definition is not as wished: %s", flaw);
    return flaw == NULL;
}
