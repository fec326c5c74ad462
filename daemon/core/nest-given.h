/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-view.h"

/* The CPU that a running VM really got, by what there is to tell: pure. See
 * docs/decisions/0017-the-cpu-that-a-vm-got.md. */

/* NULL where it does not run. A flaw is what is known for sure: that what runs differs from the
 * stored definition is none where the definition may have been changed since the start. */
NestGiven *nest_given_judge(const NestVmView *view);

/* The same of a VM that was started with the stored definition as it is now. */
NestGiven *nest_given_judge_start(const NestVmView *view);

/* A clause for people: "QEMU's log names it as missing"; "nothing tells" where it is unknown. */
const char *nest_given_words(const NestGiven *given);
