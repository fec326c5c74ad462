/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-clash.h"

static guint number(const xmlNode *address, const char *name)
{
    g_autofree char *text = nest_element_get(address, name);
    return text != NULL ? (guint)g_ascii_strtoull(text, NULL, 0) : 0;
}

/* NULL where libvirt is to choose one: all zero is that too. A console is its serial port, told
 * twice. */
static char *pci_address(const xmlNode *device)
{
    const xmlNode *address = nest_element_child(device, "address");
    if (!nest_element_has(address, "type", "pci") || nest_element_is(device, "console"))
        return NULL;
    guint domain = number(address, "domain"), bus = number(address, "bus");
    guint slot = number(address, "slot"), function = number(address, "function");
    if (domain == 0 && bus == 0 && slot == 0 && function == 0)
        return NULL;
    return g_strdup_printf("PCI address %04x:%02x:%02x.%u", domain, bus, slot, function);
}

static char *disk_target(const xmlNode *device)
{
    g_autofree char *target = nest_element_is(device, "disk")
        ? nest_element_get(nest_element_child(device, "target"), "dev")
        : NULL;
    return target != NULL ? g_strdup_printf("target %s", target) : NULL;
}

/* Takes what over. TRUE if another device has it. */
static gboolean is_taken(GHashTable *taken, char *what)
{
    return what != NULL && !g_hash_table_add(taken, what);
}

char *nest_domain_clash(const NestDocument *document)
{
    static char *(*const kinds[])(const xmlNode *) = {disk_target, pci_address};
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const xmlNode *devices = nest_element_child(document->root, "devices");
    for (const xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL;
         node = node->next) {
        for (guint i = 0; node->type == XML_ELEMENT_NODE && i < G_N_ELEMENTS(kinds); i++) {
            g_autofree char *shown = kinds[i](node);
            if (is_taken(taken, g_strdup(shown)))
                return g_strdup_printf("line %ld: <%s> has the %s, and another device has it too",
                    xmlGetLineNo(node), (const char *)node->name, shown);
        }
    }
    return NULL;
}
