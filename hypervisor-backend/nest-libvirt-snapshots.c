/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-snapshot-xml.h"
#include <stdlib.h>

/* Each costs a call and a definition to parse; who has more knows too little of them anyway. */
#define READ_MAX 64

NestSnapshotFacts *nest_libvirt_snapshots(virDomainPtr domain)
{
    virDomainSnapshotPtr *snapshots = NULL;
    int n = virDomainListAllSnapshots(domain, &snapshots, 0);
    NestSnapshotFacts *facts = NULL;

    if (n < 0)
        return NULL;
    facts = g_new0(NestSnapshotFacts, 1);
    for (int i = 0; i < n; i++) {
        char *xml = i < READ_MAX ? virDomainSnapshotGetXMLDesc(snapshots[i], 0) : NULL;
        if (xml != NULL)
            nest_snapshot_add(xml, facts);
        free(xml);
        virDomainSnapshotFree(snapshots[i]);
    }
    free(snapshots);
    return facts;
}
