/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-host-block.h"
#include "nest-link-setting.h"
#include "nest-test-view.h"

/* What of the host's network is in the way of inner VMs, with devices made by hand. */

#define U NEST_FLAG_UNKNOWN
#define N NEST_FLAG_OFF
#define Y NEST_FLAG_ON
#define BRIDGED(more) \
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>" \
    "<target dev='vnet0'/>" more "</interface>"
#define ON_NETWORK \
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lab'/>" \
    "<target dev='vnet0'/></interface>"
#define HOSTDEV "<interface type='hostdev'><mac address='52:54:00:00:00:01'/></interface>"

typedef struct {
    const char *nic, *cpu;
    NestLink port;
    NestFlag stp;
    NestVf vf;
    const char *id, *before, *after; /* NULL: no block */
} Row;

#define FLAGS(l, f, i, g, k) \
    { \
        .port = TRUE, .learning = l, .flood = f, .isolated = i, .guard = g, .locked = k \
    }
#define VF(check, trusted) \
    { \
        3, {0x52, 0x54, 0, 0, 0, 1}, check, trusted \
    }

static const Row rows[] = {
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(Y, Y, N, N, N)},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(N, N, N, N, N), .id = "port-vnet0",
        .before = "learning off, flood off", .after = "learning on, flood on"},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(N, Y, N, N, N)},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(Y, N, N, N, N)},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(U, U, U, U, U)},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(Y, Y, N, N, Y), .id = "port-vnet0", .before = "locked on",
        .after = "locked off"},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(Y, Y, Y, N, N), .id = "port-vnet0", .before = "isolated on",
        .after = "isolated off"},
    /* Of an unread network nobody knows whether it asks for that. */
    {ON_NETWORK, CPU_ON("vmx"), FLAGS(Y, Y, Y, N, N)},
    {ON_NETWORK, CPU_ON("vmx"), FLAGS(Y, Y, Y, N, Y), .id = "port-vnet0", .before = "locked on",
        .after = "locked off"},
    {BRIDGED("<port isolated='yes'/>"), CPU_ON("vmx"), FLAGS(Y, Y, Y, N, N)},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(Y, Y, N, Y, N)},
    {BRIDGED(""), CPU_ON("vmx"), FLAGS(Y, Y, N, Y, N), .stp = Y, .id = "port-vnet0",
        .before = "guard on", .after = "guard off"},
    {BRIDGED(""), CPU_OFF, FLAGS(N, N, N, N, N)},
    {BRIDGED("<virtualport type='openvswitch'/>"), CPU_ON("vmx"), FLAGS(N, N, N, N, N)},
    {HOSTDEV, CPU_ON("vmx"), .vf = VF(Y, N), .id = "function-ens1-3",
        .before = "spoofchk on, trust off", .after = "spoofchk off, trust on"},
    {HOSTDEV, CPU_ON("vmx"), .vf = VF(N, Y)},
    {HOSTDEV, CPU_ON("vmx"), .vf = VF(U, U)},
    {HOSTDEV, CPU_ON("vmx"), .vf = VF(Y, U), .id = "function-ens1-3", .before = "spoofchk on",
        .after = "spoofchk off"},
};

static NestLink *make(const NestLink *from, const char *name, const char *kind, guint index)
{
    NestLink *link = g_memdup2(from, sizeof *from);
    link->name = g_strdup(name);
    link->kind = g_strdup(kind);
    link->index = index;
    return link;
}

static NestNet *make_net(const Row *row)
{
    const NestLink bridge = {.stp = row->stp}, card = {0};
    GPtrArray *links = g_ptr_array_new_with_free_func((GDestroyNotify)nest_link_free);
    NestLink *port = make(&row->port, "vnet0", "tun", 7), *nic = make(&card, "ens1", NULL, 3);
    port->master = 2;
    nic->vfs = g_array_new(FALSE, FALSE, sizeof(NestVf));
    g_array_append_val(nic->vfs, row->vf);
    g_ptr_array_add(links, make(&bridge, "br0", "bridge", 2));
    g_ptr_array_add(links, port);
    g_ptr_array_add(links, nic);
    NestNet *net = nest_net_take("/nonexistent", NULL);
    nest_links_free(net->links);
    net->links = nest_links_new(links);
    return net;
}

static void check_row(const Row *row, gboolean runs)
{
    TestVm vm = {.cpu = row->cpu,
        .devices = row->nic,
        .live_cpu = runs ? row->cpu : NULL,
        .state = runs ? NEST_VM_RUNNING : NEST_VM_OFF};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestNet) net = make_net(row);
    g_autoptr(NestVmNet) vm_net = nest_vm_net_new(net, test->domain, test->live);
    g_autoptr(NestHostBlocks) blocks = nest_host_blocks_new();
    test->view.net = vm_net;
    nest_host_blocks_add(blocks, &test->view, "0badcafe");
    if (!runs || row->id == NULL) {
        assert_int_equal(blocks->all->len, 0);
        return;
    }
    assert_int_equal(blocks->all->len, 1);
    const NestHostBlock *block = g_ptr_array_index(blocks->all, 0);
    g_autofree char *before = nest_link_setting_difference(block->before, block->after);
    g_autofree char *after = nest_link_setting_difference(block->after, block->before);
    assert_string_equal(block->id, row->id);
    assert_true(nest_host_block_is_id(block->id));
    assert_string_equal(block->vm, "DemoVM");
    assert_string_equal(before, row->before);
    assert_string_equal(after, row->after);
    assert_string_equal(block->target,
        block->function ? "ens1 3 0badcafe 3 52:54:00:00:00:01" : "vnet0 7 0badcafe");
}

static void test_blocks(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        check_row(&rows[i], TRUE);
        check_row(&rows[i], FALSE);
    }
}

static void test_names(void **state)
{
    g_autofree char *port = nest_link_setting_name("vnet0 7 0badcafe");
    g_autofree char *function = nest_link_setting_name("ens1 3 0badcafe 3 52:54:00:00:00:01");
    assert_string_equal(port, "bridge port vnet0");
    assert_string_equal(function, "virtual function 3 of ens1");
}

/* The loopback device is no port and has no functions; whoever may not ask hears that. */
static void test_the_kernel_refuses(void **state)
{
    static const char *const targets[] = {
        "lo 1 0badcafe", "lo 1 0badcafe 3 52:54:00:00:00:01", "gone 2000000000 0badcafe"};
    static const char *const words[] = {"not supported", "not supported", "No such device"};
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autoptr(GError) error = NULL;
        const char *value = i == 1 ? "spoofchk=off trust=on" : "learning=on flood=on";
        assert_false(nest_link_setting_put(targets[i], value, &error));
        assert_int_equal(nest_error_code(error), NEST_ERROR_HOST_UNFIT);
        if (strstr(error->message, words[i]) == NULL &&
            strstr(error->message, "not permitted") == NULL)
            fail_msg("%s: %s", targets[i], error->message);
    }
    g_autoptr(GError) error = NULL;
    assert_false(nest_link_setting_put("lo", "learning=on", &error));
    assert_int_equal(nest_error_code(error), NEST_ERROR_INTERNAL);
}

static void test_another_device_is_none(void **state)
{
    static const char *const targets[] = {"lo 2 -", "gone 1 -", "lo 1 0badcafe", "lo 1 -"};
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autofree char *value = NULL;
        g_autoptr(GError) error = NULL;
        assert_true(nest_link_setting_read("/", targets[i], &value, &error));
        assert_no_error(error);
        assert_null(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_kernel_refuses),
        cmocka_unit_test(test_another_device_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
