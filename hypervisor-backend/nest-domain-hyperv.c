/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-hyperv.h"
#include "nest-domain-read.h"
#include <string.h>

/* sub: an element in element. */
static const struct {
    const char *name, *element, *sub;
} rows[NEST_HYPERV_N] = {
    [NEST_HYPERV_RELAXED] = {"relaxed", "relaxed", NULL},
    [NEST_HYPERV_VAPIC] = {"vapic", "vapic", NULL},
    [NEST_HYPERV_SPINLOCKS] = {"spinlocks", "spinlocks", NULL},
    [NEST_HYPERV_VPINDEX] = {"vpindex", "vpindex", NULL},
    [NEST_HYPERV_RUNTIME] = {"runtime", "runtime", NULL},
    [NEST_HYPERV_SYNIC] = {"synic", "synic", NULL},
    [NEST_HYPERV_STIMER] = {"stimer", "stimer", NULL},
    [NEST_HYPERV_STIMER_DIRECT] = {"stimer direct", "stimer", "direct"},
    [NEST_HYPERV_FREQUENCIES] = {"frequencies", "frequencies", NULL},
    [NEST_HYPERV_REENLIGHTENMENT] = {"reenlightenment", "reenlightenment", NULL},
    [NEST_HYPERV_TLBFLUSH] = {"tlbflush", "tlbflush", NULL},
    [NEST_HYPERV_IPI] = {"ipi", "ipi", NULL},
    [NEST_HYPERV_CLOCK] = {"the timer hypervclock", NULL, NULL},
    [NEST_HYPERV_EVMCS] = {"evmcs", "evmcs", NULL},
    [NEST_HYPERV_EMSR_BITMAP] = {"emsr_bitmap", "emsr_bitmap", NULL},
    [NEST_HYPERV_TLBFLUSH_DIRECT] = {"tlbflush direct", "tlbflush", "direct"},
};

const char *nest_domain_hyperv_name(NestHypervFeature feature)
{
    return rows[feature].name;
}

gboolean nest_domain_hyperv_has(const NestDomainHyperv *hyperv, NestHypervFeature feature)
{
    gboolean left = hyperv->host_decides && rows[feature].element != NULL;
    return left || hyperv->passthrough || (hyperv->on & (1u << feature)) != 0;
}

void nest_domain_hyperv_clear(NestDomainHyperv *hyperv)
{
    g_free(hyperv->os);
    g_free(hyperv->debug);
    *hyperv = (NestDomainHyperv){0};
}

static gboolean is_on(const xmlNode *element)
{
    return element != NULL && nest_element_has(element, "state", "on");
}

static void read_features(const xmlNode *root, NestDomainHyperv *hyperv)
{
    const xmlNode *features = nest_element_child(root, "features");
    const xmlNode *element = nest_element_child(features, "hyperv");
    g_autofree char *mode = nest_element_get(element, "mode");
    hyperv->passthrough = g_strcmp0(mode, "passthrough") == 0;
    hyperv->host_decides = hyperv->passthrough || g_strcmp0(mode, "host-model") == 0;
    for (guint i = 0; i < NEST_HYPERV_N; i++) {
        const xmlNode *feature =
            rows[i].element != NULL ? nest_element_child(element, rows[i].element) : NULL;
        gboolean on = is_on(feature);
        if (on && rows[i].sub != NULL)
            on = is_on(nest_element_child(feature, rows[i].sub));
        hyperv->on |= on ? 1u << i : 0;
    }
}

static void read_clock(const xmlNode *root, NestDomainHyperv *hyperv)
{
    const xmlNode *clock = nest_element_child(root, "clock");
    for (const xmlNode *timer = nest_element_child(clock, "timer"); timer != NULL;
         timer = nest_element_next(timer, "timer")) {
        gboolean present = !nest_element_has(timer, "present", "no");
        if (nest_element_has(timer, "name", "hypervclock") && present)
            hyperv->on |= 1u << NEST_HYPERV_CLOCK;
        if (nest_element_has(timer, "name", "hpet") && !present)
            hyperv->hpet_off = TRUE;
    }
}

/* The first element called name below node of the namespace that starts with uri, at most two
 * levels down. */
static const xmlNode *find_foreign(const xmlNode *node, const char *uri, const char *name)
{
    for (const xmlNode *child = node != NULL ? node->children : NULL; child != NULL;
         child = child->next) {
        if (child->type != XML_ELEMENT_NODE || child->ns == NULL || child->ns->href == NULL ||
            !g_str_has_prefix((const char *)child->ns->href, uri))
            continue;
        if (strcmp((const char *)child->name, name) == 0)
            return child;
        const xmlNode *below = find_foreign(child, uri, name);
        if (below != NULL)
            return below;
    }
    return NULL;
}

static gboolean is_argument(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, "arg") == 0;
}

/* libvirt has no words for most of it: whoever wants it hands it to QEMU. */
static void read_debug(const xmlNode *root, NestDomainHyperv *hyperv)
{
    static const char *const flags[] = {"syndbg", "enforce-cpuid", "enforce_cpuid"};
    const xmlNode *line =
        find_foreign(root, "http://libvirt.org/schemas/domain/qemu/", "commandline");
    for (const xmlNode *arg = line != NULL ? line->children : NULL; arg != NULL; arg = arg->next) {
        g_autofree char *value = is_argument(arg) ? nest_element_get(arg, "value") : NULL;
        for (guint i = 0; value != NULL && i < G_N_ELEMENTS(flags); i++)
            if (strstr(value, flags[i]) != NULL && hyperv->debug == NULL)
                hyperv->debug = g_strconcat("hv-", flags[i], NULL);
    }
    const xmlNode *devices = nest_element_child(root, "devices");
    for (const xmlNode *panic = nest_element_child(devices, "panic"); panic != NULL;
         panic = nest_element_next(panic, "panic"))
        if (nest_element_has(panic, "model", "hyperv") && hyperv->debug == NULL)
            hyperv->debug = g_strdup("the panic device of model hyperv");
}

void nest_domain_read_hyperv(const NestDocument *document, NestDomainHyperv *hyperv)
{
    const xmlNode *root = document->root;
    const xmlNode *metadata = nest_element_child(root, "metadata");
    hyperv->os = nest_element_get(find_foreign(metadata, "http://libosinfo.org/", "os"), "id");
    read_features(root, hyperv);
    read_clock(root, hyperv);
    read_debug(root, hyperv);
    hyperv->windows = hyperv->os != NULL ? strstr(hyperv->os, "microsoft.com/win") != NULL
                                         : hyperv->host_decides || hyperv->on != 0;
}
