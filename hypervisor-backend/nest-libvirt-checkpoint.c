/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-libvirt.h"
#include "nest-snapshot-xml.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_TIMEOUT_MS 10000

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomainSnapshot, virDomainSnapshotFree)

static void free_checkpoint(gpointer checkpoint)
{
    nest_backend_checkpoint_free(checkpoint);
}

static gboolean fail(virDomainPtr domain, const char *verb, GError **error)
{
    nest_virt_error_set_domain(error, domain, verb);
    return FALSE;
}

/* One that goes meanwhile is left out. */
static void add(virDomainSnapshotPtr snapshot, GPtrArray *checkpoints)
{
    char *xml = virDomainSnapshotGetXMLDesc(snapshot, 0);
    NestBackendCheckpoint *checkpoint = xml != NULL ? nest_snapshot_read(xml) : NULL;

    free(xml);
    if (checkpoint == NULL)
        return;
    checkpoint->current = virDomainSnapshotIsCurrent(snapshot, 0) == 1;
    g_ptr_array_add(checkpoints, checkpoint);
}

static int by_time(gconstpointer a, gconstpointer b)
{
    const NestBackendCheckpoint *left = *(NestBackendCheckpoint *const *)a,
                                *right = *(NestBackendCheckpoint *const *)b;
    if (left->time != right->time)
        return left->time < right->time ? -1 : 1;
    return strcmp(left->name, right->name);
}

gboolean nest_libvirt_checkpoints(
    NestBackend *backend, const char *uuid, GPtrArray **ret_checkpoints, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    virDomainSnapshotPtr *snapshots = NULL;
    int n;

    if (!nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error))
        return FALSE;
    n = virDomainListAllSnapshots(domain, &snapshots, 0);
    if (n < 0)
        return fail(domain, "list the checkpoints of", error);
    *ret_checkpoints = g_ptr_array_new_with_free_func(free_checkpoint);
    for (int i = 0; i < n; i++) {
        if (i < NEST_BACKEND_CHECKPOINTS_MAX)
            add(snapshots[i], *ret_checkpoints);
        virDomainSnapshotFree(snapshots[i]);
    }
    free(snapshots);
    g_ptr_array_sort(*ret_checkpoints, by_time);
    return TRUE;
}

/* Writing memory takes as long as it takes; whether QEMU answers at all is asked first. */
static gboolean ask_first(virDomainPtr domain, const char *verb, GError **error)
{
    return virDomainIsActive(domain) != 1 ||
        nest_libvirt_call(domain, nest_libvirt_ask, ANSWER_TIMEOUT_MS, verb, error);
}

gboolean nest_libvirt_checkpoint(NestBackend *backend, const char *uuid, const char *name,
    const char *description, gboolean disk_only, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(virDomainSnapshot) snapshot = NULL;
    g_autofree char *xml = nest_snapshot_xml(name, description);

    if (!nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error) ||
        !ask_first(domain, "checkpoint", error))
        return FALSE;
    if (disk_only && virDomainIsActive(domain) == 1)
        return nest_libvirt_checkpoint_disks(domain, name, description, error);
    snapshot = virDomainSnapshotCreateXML(domain, xml, 0);
    return snapshot != NULL || fail(domain, "checkpoint", error);
}

static gboolean find(
    virDomainPtr domain, const char *name, virDomainSnapshotPtr *ret_snapshot, GError **error)
{
    *ret_snapshot = virDomainSnapshotLookupByName(domain, name, 0);
    return *ret_snapshot != NULL || fail(domain, "find the checkpoint of", error);
}

gboolean nest_libvirt_apply_checkpoint(
    NestBackend *backend, const char *uuid, const char *name, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(virDomainSnapshot) snapshot = NULL;

    if (!nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error) ||
        !ask_first(domain, "put back", error) || !find(domain, name, &snapshot, error))
        return FALSE;
    return virDomainRevertToSnapshot(snapshot, 0) == 0 || fail(domain, "put back", error);
}

gboolean nest_libvirt_delete_checkpoint(
    NestBackend *backend, const char *uuid, const char *name, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(virDomainSnapshot) snapshot = NULL;
    g_autoptr(GError) why = NULL;

    if (!nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error) ||
        !ask_first(domain, "delete the checkpoint of", error))
        return FALSE;
    if (!find(domain, name, &snapshot, &why)) {
        if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_SNAPSHOT)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    return virDomainSnapshotDelete(snapshot, 0) == 0 ||
        fail(domain, "delete the checkpoint of", error);
}
