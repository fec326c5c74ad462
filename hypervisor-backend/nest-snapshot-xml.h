/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* The description of a snapshot as libvirt writes it; pure. Adds what it says to facts: one more is
 * read. FALSE, and facts are untouched, if xml is no <domainsnapshot>. */
gboolean nest_snapshot_add(const char *xml, NestSnapshotFacts *facts);
