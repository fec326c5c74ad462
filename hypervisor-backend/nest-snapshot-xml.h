/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* The description of a snapshot as libvirt writes it; pure. Adds what it says to facts: one more is
 * read. FALSE, and facts are untouched, if xml is no <domainsnapshot>. */
gboolean nest_snapshot_add(const char *xml, NestSnapshotFacts *facts);

/* The same as a checkpoint, whose current is left FALSE. NULL if xml is no <domainsnapshot> with a
 * name. */
NestBackendCheckpoint *nest_snapshot_read(const char *xml);

/* What libvirt makes a snapshot of. */
char *nest_snapshot_xml(const char *name, const char *description);

/* The same for one of disks alone that libvirt did not make, and is to know of: of a VM with the
 * definition domain, after the snapshot parent (nullable). description NULL: it is unfinished.
 * time: seconds of the epoch. */
char *nest_snapshot_xml_made(
    const char *name, const char *description, const char *parent, gint64 time, const char *domain);
