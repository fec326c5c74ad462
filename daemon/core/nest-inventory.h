/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-card.h"

/* Every VM that nestd knows, in memory. Main thread only. */
typedef struct NestInventory NestInventory;

NestInventory *nest_inventory_new(void);
void nest_inventory_free(NestInventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInventory, nest_inventory_free)

/* By UUID, else by name; NULL where there is none. */
NestVmCard *nest_inventory_find(NestInventory *inventory, const char *ref);

/* Ordered by name; the array is the inventory's, and valid until the next change. */
const GPtrArray *nest_inventory_all(NestInventory *inventory);
guint nest_inventory_size(NestInventory *inventory);

/* Takes card over. FALSE, and card is freed, where a later reading is there already; else the card
 * is in and *ret_event (nullable) tells the difference, NULL where there is none. */
gboolean nest_inventory_put(NestInventory *inventory, NestVmCard *card, NestEvent **ret_event);

/* FALSE where it is not there. */
gboolean nest_inventory_remove(NestInventory *inventory, const char *uuid);
