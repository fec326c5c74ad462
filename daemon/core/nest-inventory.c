/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-inventory.h"

struct NestInventory {
    GHashTable *by_uuid; /* owns the cards */
    GHashTable *by_name;
    GPtrArray *sorted; /* NULL: to be made */
};

NestInventory *nest_inventory_new(void)
{
    NestInventory *inventory = g_new0(NestInventory, 1);
    inventory->by_uuid =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)nest_vm_card_free);
    inventory->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return inventory;
}

static void forget_order(NestInventory *inventory)
{
    g_clear_pointer(&inventory->sorted, g_ptr_array_unref);
}

void nest_inventory_free(NestInventory *inventory)
{
    if (inventory == NULL)
        return;
    forget_order(inventory);
    g_hash_table_unref(inventory->by_name);
    g_hash_table_unref(inventory->by_uuid);
    g_free(inventory);
}

NestVmCard *nest_inventory_find(NestInventory *inventory, const char *ref)
{
    NestVmCard *card = g_hash_table_lookup(inventory->by_uuid, ref);
    return card != NULL ? card : g_hash_table_lookup(inventory->by_name, ref);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    const NestVmCard *left = *(NestVmCard *const *)a, *right = *(NestVmCard *const *)b;
    return g_strcmp0(left->name, right->name);
}

const GPtrArray *nest_inventory_all(NestInventory *inventory)
{
    if (inventory->sorted == NULL) {
        GHashTableIter iter;
        gpointer card;
        inventory->sorted = g_ptr_array_sized_new(g_hash_table_size(inventory->by_uuid));
        g_hash_table_iter_init(&iter, inventory->by_uuid);
        while (g_hash_table_iter_next(&iter, NULL, &card))
            g_ptr_array_add(inventory->sorted, card);
        g_ptr_array_sort(inventory->sorted, by_name);
    }
    return inventory->sorted;
}

guint nest_inventory_size(NestInventory *inventory)
{
    return g_hash_table_size(inventory->by_uuid);
}

static void unname(NestInventory *inventory, NestVmCard *card)
{
    if (g_hash_table_lookup(inventory->by_name, card->name) == card)
        g_hash_table_remove(inventory->by_name, card->name);
}

gboolean nest_inventory_put(NestInventory *inventory, NestVmCard *card, NestEvent **ret_event)
{
    NestVmCard *old = g_hash_table_lookup(inventory->by_uuid, card->uuid);
    if (old != NULL && old->order > card->order) {
        nest_vm_card_free(card);
        return FALSE;
    }
    if (ret_event != NULL)
        *ret_event = nest_vm_card_event(old, card);
    if (old != NULL)
        unname(inventory, old);
    g_hash_table_replace(inventory->by_uuid, card->uuid, card);
    g_hash_table_replace(inventory->by_name, card->name, card);
    forget_order(inventory);
    return TRUE;
}

gboolean nest_inventory_remove(NestInventory *inventory, const char *uuid)
{
    NestVmCard *card = g_hash_table_lookup(inventory->by_uuid, uuid);
    if (card == NULL)
        return FALSE;
    unname(inventory, card);
    forget_order(inventory);
    return g_hash_table_remove(inventory->by_uuid, uuid);
}
