/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-core.h"

/* A core of canned answers behind nest-core.h, for tests of the server in front of it. It has
 * VMs vm0, vm1, … and takes hints from the name a request names:
 *   busy   VM_BUSY                  silent   never answers
 *   idle   nothing to be done       late     answers after 100 ms
 * A NESTED wish with a plan other than "feed" is PLAN_OUTDATED. Each change adds an operation that
 * stays running until it is aborted, and an event. A spec named "flood" adds memory_kib events. */
NestCore *nest_core_stub_new(guint vms);
void nest_core_stub_free(NestCore *core);
