/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-plan-hash.h"
#include <string.h>

void nest_plan_hash_text(GChecksum *sum, const char *text)
{
    gint64 length = text != NULL ? (gint64)strlen(text) : -1;
    g_checksum_update(sum, (const guchar *)&length, sizeof length);
    if (text != NULL)
        g_checksum_update(sum, (const guchar *)text, length);
}

void nest_plan_hash_number(GChecksum *sum, guint number)
{
    g_autofree char *text = g_strdup_printf("%u", number);
    nest_plan_hash_text(sum, text);
}

void nest_plan_hash_items(GChecksum *sum, const GPtrArray *items)
{
    nest_plan_hash_number(sum, items->len);
    for (guint i = 0; i < items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(items, i);
        /* Whether it hosts others is asked again when it is turned off. */
        gboolean power = g_strcmp0(item->id, "power-off") == 0;
        const char *texts[] = {
            item->id, item->title, item->current, item->target, power ? NULL : item->detail};
        for (guint t = 0; t < G_N_ELEMENTS(texts); t++)
            nest_plan_hash_text(sum, texts[t]);
    }
}
