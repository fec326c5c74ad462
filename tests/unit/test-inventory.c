/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-inventory.h"
#include "nest-record.h"
#include "nest-test-view.h"

static NestVmCard *card_of(
    const char *uuid, const char *name, guint64 order, NestVmState state, const char *revision)
{
    NestVmCard *card = g_new0(NestVmCard, 1);
    card->uuid = g_strdup(uuid);
    card->name = g_strdup(name);
    card->text = g_strdup_printf("{\"uuid\":\"%s\",\"name\":\"%s\",\"state\":\"%s\","
                                 "\"revision\":\"%s\"}",
        uuid, name, nest_nick(nest_vm_state_nicks, state), revision);
    card->revision = g_strdup(revision);
    card->state = state;
    card->order = order;
    return card;
}

static NestVmCard *off_card(const char *uuid, const char *name, guint64 order)
{
    return card_of(uuid, name, order, NEST_VM_OFF, "r");
}

static void assert_vm(NestInventory *inventory, const char *ref, const char *uuid)
{
    NestVmCard *card = nest_inventory_find(inventory, ref);
    if (uuid == NULL)
        assert_null(card);
    else
        assert_string_equal(card != NULL ? card->uuid : "none", uuid);
}

static void test_older_reading_loses(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    assert_true(nest_inventory_put(inventory, off_card("1", "new", 5), NULL));
    NestEvent *event = NULL;
    assert_false(nest_inventory_put(inventory, off_card("1", "old", 4), &event));
    assert_null(event);
    assert_vm(inventory, "new", "1");
    assert_vm(inventory, "old", NULL);
    assert_true(nest_inventory_put(inventory, off_card("1", "same", 5), NULL));
    assert_vm(inventory, "same", "1");
    assert_int_equal(nest_inventory_size(inventory), 1);
}

static void test_rename(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    nest_inventory_put(inventory, off_card("1", "a", 1), NULL);
    nest_inventory_put(inventory, off_card("1", "b", 2), NULL);
    assert_vm(inventory, "a", NULL);
    assert_vm(inventory, "b", "1");
    assert_true(nest_inventory_remove(inventory, "1"));
    assert_false(nest_inventory_remove(inventory, "1"));
    assert_vm(inventory, "b", NULL);
}

/* The name goes to another VM before the first is seen to be gone. */
static void test_name_reuse(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    nest_inventory_put(inventory, off_card("1", "vm", 1), NULL);
    nest_inventory_put(inventory, off_card("2", "vm", 2), NULL);
    assert_vm(inventory, "vm", "2");
    assert_true(nest_inventory_remove(inventory, "1"));
    assert_vm(inventory, "vm", "2");
}

static void test_swapped_names(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    nest_inventory_put(inventory, off_card("1", "a", 1), NULL);
    nest_inventory_put(inventory, off_card("2", "b", 2), NULL);
    nest_inventory_put(inventory, off_card("1", "b", 3), NULL);
    nest_inventory_put(inventory, off_card("2", "a", 4), NULL);
    assert_vm(inventory, "a", "2");
    assert_vm(inventory, "b", "1");
}

static void test_uuid_goes_before_name(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    nest_inventory_put(inventory, off_card("1", "2", 1), NULL);
    nest_inventory_put(inventory, off_card("2", "x", 2), NULL);
    assert_vm(inventory, "2", "2");
}

static void test_sorted(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    nest_inventory_put(inventory, off_card("1", "b", 1), NULL);
    nest_inventory_put(inventory, off_card("2", "a", 2), NULL);
    const GPtrArray *all = nest_inventory_all(inventory);
    assert_int_equal(all->len, 2);
    assert_string_equal(((NestVmCard *)all->pdata[0])->name, "a");
    nest_inventory_put(inventory, off_card("1", "0", 3), NULL);
    all = nest_inventory_all(inventory);
    assert_string_equal(((NestVmCard *)all->pdata[0])->name, "0");
    nest_inventory_remove(inventory, "1");
    assert_int_equal(nest_inventory_all(inventory)->len, 1);
}

static void test_events(void **state)
{
    static const struct {
        NestVmState from, to;
        const char *revision;
        const char *kind; /* NULL: no event */
    } rows[] = {
        {NEST_VM_OFF, NEST_VM_OFF, "r", NULL},
        {NEST_VM_OFF, NEST_VM_OFF, "s", "vm-changed"},
        {NEST_VM_OFF, NEST_VM_RUNNING, "s", "vm-started"},
        {NEST_VM_RUNNING, NEST_VM_OFF, "r", "vm-stopped"},
        {NEST_VM_RUNNING, NEST_VM_SAVED, "r", "vm-saved"},
        {NEST_VM_RUNNING, NEST_VM_PAUSED, "r", "vm-paused"},
        {NEST_VM_RUNNING, NEST_VM_CRASHED, "r", "vm-crashed"},
        {NEST_VM_RUNNING, NEST_VM_SHUTTING_DOWN, "r", "vm-changed"},
        {NEST_VM_RUNNING, NEST_VM_UNKNOWN, "r", "vm-changed"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestVmCard) old = card_of("1", "vm", 1, rows[i].from, "r");
        g_autoptr(NestVmCard) card = card_of("1", "vm", 2, rows[i].to, rows[i].revision);
        g_autoptr(NestEvent) event = nest_vm_card_event(old, card);
        assert_string_equal(
            event != NULL ? event->kind : "", rows[i].kind != NULL ? rows[i].kind : "");
    }
    g_autoptr(NestVmCard) card = off_card("1", "vm", 1);
    g_autoptr(NestEvent) event = nest_vm_card_event(NULL, card);
    assert_string_equal(event->kind, "vm-added");
    assert_string_equal(event->name, "vm");
}

/* As it is listed: without its text. */
static NestVmCard *stored_card(const NestVmCard *model)
{
    g_autoptr(NestStoredVm) stored = nest_vm_card_to_store(model);
    g_clear_pointer(&stored->text, g_free);
    return nest_vm_card_from_store(stored);
}

/* What was stored before a restart is told apart from what is read after it. */
static void test_card_from_the_store(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    g_autoptr(NestVmCard) model = card_of("1", "vm", 0, NEST_VM_RUNNING, "r");
    nest_inventory_put(inventory, stored_card(model), NULL);
    g_autoptr(NestEvent) event = NULL;
    nest_inventory_put(inventory, card_of("1", "vm", 1, NEST_VM_RUNNING, "r"), &event);
    assert_null(event);
    nest_inventory_put(inventory, stored_card(model), NULL);
    assert_int_equal(nest_inventory_find(inventory, "vm")->order, 1);
}

static void test_stopped_while_nobody_looked(void **state)
{
    g_autoptr(NestInventory) inventory = nest_inventory_new();
    g_autoptr(NestVmCard) model = card_of("1", "vm", 0, NEST_VM_RUNNING, "r");
    g_autoptr(NestEvent) event = NULL;
    nest_inventory_put(inventory, stored_card(model), NULL);
    nest_inventory_put(inventory, off_card("1", "vm", 1), &event);
    assert_string_equal(event->kind, "vm-stopped");
}

static void test_unreadable_text_in_the_store(void **state)
{
    g_autoptr(NestStoredVm) stored = g_new0(NestStoredVm, 1);
    stored->uuid = g_strdup("1");
    stored->name = g_strdup("vm");
    stored->text = g_strdup("not JSON");
    stored->summary = g_strdup("{}");
    g_autoptr(NestVmCard) card = nest_vm_card_from_store(stored);
    assert_string_equal(card->revision, "");
    assert_int_equal(card->state, NEST_VM_UNKNOWN);
    nest_vm_card_set_operation(card, 7);
    assert_non_null(strstr(card->text, "\"operation\":7"));
}

static void test_card_of_a_reading(void **state)
{
    const TestVm vm = {.cpu = CPU_ON("vmx")};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestHostPlace) place = nest_host_place_new("/nonexistent", NULL);
    g_autoptr(NestHostSnapshot) host = nest_host_snapshot_take(place, NULL);
    g_autoptr(NestVmReading) reading =
        nest_vm_reading_new(g_steal_pointer(&test->facts), host, NULL, NULL);
    g_autoptr(NestVmCard) card = nest_vm_card_make(reading, NEST_PARITY_HYPERV);
    g_autofree char *before = g_strdup(card->text);
    assert_string_equal(card->name, "DemoVM");
    assert_int_equal(card->state, NEST_VM_OFF);
    assert_true(strlen(card->brief) < strlen(card->text));
    g_autoptr(NestStoredVm) stored = nest_vm_card_to_store(card);
    assert_string_equal(stored->text, card->text);
    nest_vm_card_set_operation(card, 0);
    assert_string_equal(card->text, before);
    nest_vm_card_set_operation(card, 9);
    assert_non_null(strstr(card->text, "\"operation\":9"));
    assert_non_null(strstr(card->brief, "\"operation\":9"));
    nest_vm_card_set_operation(card, 0);
    assert_string_equal(card->text, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_older_reading_loses),
        cmocka_unit_test(test_rename),
        cmocka_unit_test(test_name_reuse),
        cmocka_unit_test(test_swapped_names),
        cmocka_unit_test(test_uuid_goes_before_name),
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_card_from_the_store),
        cmocka_unit_test(test_stopped_while_nobody_looked),
        cmocka_unit_test(test_unreadable_text_in_the_store),
        cmocka_unit_test(test_card_of_a_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
