/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-libvirt.h"
#include "nest-qmp-disks.h"
#include "nest-snapshot-xml.h"
#include "nest-virt-error.h"
#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>

/* The disks of a VM that runs, kept without its memory. libvirt makes only external files of that,
 * QEMU can keep it within the images: so QEMU is asked, and libvirt told. It is told first, that
 * this is unfinished: whatever happens then, it can delete it. */

#define MONITOR_TIMEOUT_MS 60000

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomainSnapshot, virDomainSnapshotFree)

static gboolean fail(virDomainPtr domain, GError **error)
{
    nest_virt_error_set_domain(error, domain, "checkpoint");
    return FALSE;
}

typedef struct {
    virDomainPtr domain;
    char *command, *answer;
} Errand;

static void errand_free(gpointer data)
{
    Errand *errand = data;

    virDomainFree(errand->domain);
    g_free(errand->command);
    g_free(errand->answer);
    g_free(errand);
}

static gboolean run_errand(gpointer data, GError **error)
{
    Errand *errand = data;
    char *answer = NULL;

    if (virDomainQemuMonitorCommand(errand->domain, errand->command, &answer, 0) < 0)
        return fail(errand->domain, error);
    errand->answer = g_strdup(answer);
    free(answer);
    return TRUE;
}

/* NULL with error. */
static char *ask(virDomainPtr domain, const char *command, GError **error)
{
    g_autofree char *failure = g_strdup_printf("Cannot checkpoint %s", virDomainGetName(domain));
    Errand *errand = g_new0(Errand, 1);
    char *answer;

    virDomainRef(domain);
    errand->domain = domain;
    errand->command = g_strdup(command);
    if (!nest_libvirt_run(run_errand, errand, errand_free, MONITOR_TIMEOUT_MS, failure, error))
        return NULL;
    answer = g_steal_pointer(&errand->answer);
    errand_free(errand);
    return answer;
}

/* What libvirt is told of it, again and again. */
typedef struct {
    virDomainPtr domain;
    const char *name;
    char *definition, *parent;
    gint64 time;
} Disks;

static void disks_clear(Disks *disks)
{
    free(disks->definition);
    g_free(disks->parent);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Disks, disks_clear)

static char *current_name(virDomainPtr domain)
{
    g_autoptr(virDomainSnapshot) current = virDomainSnapshotCurrent(domain, 0);

    return current != NULL ? g_strdup(virDomainSnapshotGetName(current)) : NULL;
}

/* description NULL: unfinished. */
static gboolean tell(const Disks *disks, const char *description, GError **error)
{
    g_autofree char *xml = nest_snapshot_xml_made(
        disks->name, description, disks->parent, disks->time, disks->definition);
    unsigned int flags = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE |
        (description != NULL ? VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT : 0);
    g_autoptr(virDomainSnapshot) snapshot = virDomainSnapshotCreateXML(disks->domain, xml, flags);

    return snapshot != NULL || fail(disks->domain, error);
}

/* Telling libvirt replaces one of that name. */
static gboolean check_free(virDomainPtr domain, const char *name, GError **error)
{
    g_autoptr(virDomainSnapshot) other = virDomainSnapshotLookupByName(domain, name, 0);

    if (other == NULL)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_STATE, "choose another name",
        "%s has a checkpoint \"%s\" already", virDomainGetName(domain), name);
    return FALSE;
}

gboolean nest_libvirt_checkpoint_disks(
    virDomainPtr domain, const char *name, const char *description, GError **error)
{
    g_auto(Disks) disks = {.domain = domain, .name = name};
    g_autofree char *found = NULL, *command = NULL, *answer = NULL;

    if (!check_free(domain, name, error))
        return FALSE;
    disks.definition = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
    if (disks.definition == NULL)
        return fail(domain, error);
    disks.parent = current_name(domain);
    disks.time = g_get_real_time() / G_USEC_PER_SEC;
    if ((found = ask(domain, nest_qmp_disks_ask, error)) == NULL ||
        (command = nest_qmp_disks_keep(found, name, error)) == NULL || !tell(&disks, NULL, error) ||
        (answer = ask(domain, command, error)) == NULL)
        return FALSE;
    return nest_qmp_disks_done(answer, error) && tell(&disks, description, error);
}
