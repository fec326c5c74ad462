/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-domain-xml.h"
#include "nest-test.h"

/* The definition tests/data/domains/NAME. */
static inline char *load_domain(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "domains", name, NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    assert_no_error(error);
    return text;
}

/* What tests wish for; all of them, over all definitions. */
static const NestDomainWish wishes[] = {
    {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX},
    {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_SVM},
    {.nesting = NEST_WISH_HIDE},
    {.fix_memory = TRUE},
    {.memory_kib = 1536 * 1024},
    {.memory_kib = 64 * 1024 * 1024, .fix_memory = TRUE},
    {.allow_macs = TRUE},
    {.nesting = NEST_WISH_EXPOSE,
        .extension = NEST_EXTENSION_SVM,
        .fix_memory = TRUE,
        .memory_kib = 4 * 1024 * 1024,
        .allow_macs = TRUE},
    {.nesting = NEST_WISH_HIDE, .fix_memory = TRUE, .allow_macs = TRUE},
};
enum { WISH_VMX, WISH_SVM, WISH_HIDE, WISH_FIX, WISH_RAISE, WISH_RAISE_MUCH, WISH_MACS, WISH_ALL };
