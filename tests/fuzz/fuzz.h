/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* A fuzz target: libFuzzer calls it with what it makes up, replay.c with files. It returns 0 and
 * aborts where the code breaks its word. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
