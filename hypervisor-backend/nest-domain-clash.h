/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-document.h"

/* What two devices of a definition can't both have, which no schema sees and libvirt's parser
 * refuses: disks one target, devices one PCI address. A clause, NULL where there is none. Pure. */
char *nest_domain_clash(const NestDocument *document);
