/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-fact.h"
#include "nest-host-file.h"

void nest_host_fact_read(const char *root, const char *path, NestFact *fact)
{
    fact->path = g_strconcat("/", path, NULL);
    fact->value = nest_host_file_line(root, path, &fact->error);
    fact->missing = fact->value == NULL && !nest_host_file_exists(root, path);
}

void nest_host_fact_clear(NestFact *fact)
{
    g_free(fact->value);
    g_free(fact->error);
    g_free(fact->path);
    *fact = (NestFact){0};
}
