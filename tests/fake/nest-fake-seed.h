/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* VMs for benchmarks, the same in every process: names vm-0001 …, realistic XML of 3.5 kB. By
 * turns nesting is implicit, on, unenforced and off, and memory dynamic or fixed. */
char *nest_fake_seed_uuid(guint index);
char *nest_fake_seed_name(guint index);
char *nest_fake_seed_xml(guint index);
