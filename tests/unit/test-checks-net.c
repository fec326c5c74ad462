/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-checks.h"

/* Every outcome of every check of the network, with the host's network made by hand. */

typedef struct {
    const char *name, *kind;
    guint index, mtu, master, lower;
    const char *mode;
    gboolean port;
    NestFlag learning, flood, isolated, guard, locked, promiscuous, stp;
    const char *vf; /* the address of a virtual function */
    NestFlag spoofchk, trust;
} Device;

typedef struct {
    const char *nic; /* what is stored and, where runs, what runs */
    gboolean off, no_host;
    const char *definitions; /* of libvirt; NULL: none */
    gboolean unlisted; /* neither networks nor filters could be read */
    Device devices[4];
    NestFlag calls, drops;
    const char *route; /* "192.168.122.0 br0" */
    const char *host; /* a recorded one */
    const char *model; /* of the host */
    const char *id;
    NestVerdict verdict;
    const char *says; /* in message or fix */
} Row;

#define BRIDGE \
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/>" \
    "<source bridge='br0'/><target dev='vnet0'/></interface>"
#define ON(what) \
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/>" \
    "<source bridge='br0'/><target dev='vnet0'/>" what "</interface>"
#define ON_NETWORK \
    "<interface type='network'><mac address='52:54:00:00:00:01'/>" \
    "<source network='lab'/><target dev='vnet0'/></interface>"
#define DIRECT(mode) \
    "<interface type='direct'><mac address='52:54:00:00:00:01'/>" \
    "<source dev='eth0' mode='" mode "'/><target dev='macvtap0'/></interface>"
#define HOSTDEV "<interface type='hostdev'><mac address='52:54:00:00:00:01'/></interface>"
#define USER "<interface type='user'/>"
#define LAB(more) "<network><name>lab</name>" more "</network>"
#define NAT "<forward mode='nat'/>"
#define U NEST_FLAG_UNKNOWN
#define N NEST_FLAG_OFF
#define Y NEST_FLAG_ON
#define BR0 \
    { \
        "br0", "bridge", 2, 1500, .promiscuous = N \
    }
#define PORT(...) \
    { \
        "vnet0", "tun", 3, 1500, 2, .port = TRUE, __VA_ARGS__ \
    }
#define GOOD_PORT PORT(.learning = Y, .flood = Y, .isolated = N, .guard = N, .locked = N)
#define ETH0(size) \
    { \
        "eth0", NULL, 1, size, 2, .port = TRUE, .promiscuous = N \
    }

static const Row rows[] = {
    {BRIDGE, .id = "net.spoof", .verdict = NEST_VERDICT_PASS},
    {ON(FILTER("clean-traffic")), .id = "net.spoof", .verdict = NEST_VERDICT_WARN,
        .says = "network filter of vnet0: clean-traffic"},
    {ON(FILTER("lab")), .id = "net.spoof", .verdict = NEST_VERDICT_UNKNOWN},
    {ON(FILTER("lab")), .unlisted = TRUE, .id = "net.spoof", .verdict = NEST_VERDICT_UNKNOWN,
        .says = "no networks of its own"},
    {ON_NETWORK, .unlisted = TRUE, .id = "net.mactable", .verdict = NEST_VERDICT_UNKNOWN,
        .says = "no networks of its own"},
    {ON(FILTER("lab")),
        .definitions = "<filter name='lab'><filterref filter='no-mac-spoofing'/>"
                       "</filter>",
        .id = "net.spoof", .verdict = NEST_VERDICT_WARN, .says = "lab > no-mac-spoofing"},
    {ON(FILTER("lab")), .definitions = "<filter name='lab'><filterref filter='lab'/></filter>",
        .id = "net.spoof", .verdict = NEST_VERDICT_PASS},
    {ON(FILTER("no-ip-spoofing")), .id = "net.spoof", .verdict = NEST_VERDICT_WARN,
        .says = "IP addresses that it does not know"},

    {USER, .id = "net.user", .verdict = NEST_VERDICT_INFO, .says = "use 192.168."},
    {USER, .unlisted = TRUE, .id = "net.user", .verdict = NEST_VERDICT_INFO,
        .says = "libvirt's networks are not known"},
    {USER, .no_host = TRUE, .id = "net.user", .verdict = NEST_VERDICT_INFO, .says = "NAT"},
    {BRIDGE, .id = "net.user", .verdict = NEST_VERDICT_PASS},

    {BRIDGE, .id = "net.macvtap", .verdict = NEST_VERDICT_PASS},
    {DIRECT("bridge"), .id = "net.macvtap", .verdict = NEST_VERDICT_WARN, .says = "macvtap0"},
    {DIRECT("passthrough"), .id = "net.macvtap", .verdict = NEST_VERDICT_PASS},
    {"<interface type='direct'><source dev='eth0'/></interface>", .off = TRUE, .id = "net.macvtap",
        .verdict = NEST_VERDICT_WARN, .says = "mode vepa"},
    {DIRECT("bridge"), .devices = {{"macvtap0", "macvtap", 9, 1500, .mode = "passthrough"}},
        .id = "net.macvtap", .verdict = NEST_VERDICT_PASS},
    {ON_NETWORK, .id = "net.macvtap", .verdict = NEST_VERDICT_UNKNOWN},
    {ON_NETWORK, .definitions = LAB("<forward mode='private' dev='eth0'/>"), .id = "net.macvtap",
        .verdict = NEST_VERDICT_WARN, .says = "mode private"},

    {ON_NETWORK, .definitions = LAB(NAT), .id = "net.mactable", .verdict = NEST_VERDICT_PASS},
    {ON_NETWORK, .definitions = LAB(NAT "<bridge macTableManager='libvirt'/>"),
        .id = "net.mactable", .verdict = NEST_VERDICT_WARN, .says = "at the bridge"},
    {ON_NETWORK, .definitions = "<network><name>other</name></network>", .id = "net.mactable",
        .verdict = NEST_VERDICT_UNKNOWN, .says = "of that name"},
    {BRIDGE, .id = "net.mactable", .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {BRIDGE, .devices = {BR0, GOOD_PORT}, .id = "net.learning", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {BR0, PORT(.learning = N, .flood = N)}, .id = "net.learning",
        .verdict = NEST_VERDICT_WARN, .says = "at the bridge port vnet0"},
    {BRIDGE, .devices = {BR0, PORT(.learning = Y, .flood = N)}, .id = "net.learning",
        .verdict = NEST_VERDICT_INFO},
    {BRIDGE, .devices = {BR0, PORT(.learning = N, .flood = Y)}, .id = "net.learning",
        .verdict = NEST_VERDICT_INFO},
    {BRIDGE, .devices = {BR0, PORT(.learning = Y)}, .id = "net.learning",
        .verdict = NEST_VERDICT_UNKNOWN},
    {BRIDGE, .id = "net.learning", .verdict = NEST_VERDICT_UNKNOWN},
    {BRIDGE, .off = TRUE, .id = "net.learning", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {BRIDGE, .no_host = TRUE, .id = "net.learning", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {USER, .id = "net.learning", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {BRIDGE, .devices = {{"vnet0", "tun", 3, 1500}}, .id = "net.learning",
        .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {BRIDGE, .devices = {BR0, GOOD_PORT}, .id = "net.isolated", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {BR0, PORT(.isolated = Y)}, .id = "net.isolated",
        .verdict = NEST_VERDICT_WARN, .says = "isolated off"},
    {ON("<port isolated='yes'/>"), .off = TRUE, .id = "net.isolated", .verdict = NEST_VERDICT_WARN,
        .says = "nestctl enable"},
    {ON_NETWORK, .definitions = LAB(NAT "<port isolated='yes'/>"), .id = "net.isolated",
        .verdict = NEST_VERDICT_WARN, .says = "net-edit lab"},
    {BRIDGE, .id = "net.isolated", .verdict = NEST_VERDICT_UNKNOWN, .says = "no such device"},
    {BRIDGE, .devices = {BR0, PORT(.learning = Y, .flood = Y)}, .id = "net.isolated",
        .verdict = NEST_VERDICT_UNKNOWN, .says = "flag isolated of vnet0"},
    {BRIDGE, .off = TRUE, .id = "net.isolated", .verdict = NEST_VERDICT_PASS},
    {USER, .id = "net.isolated", .verdict = NEST_VERDICT_PASS},
    {ON_NETWORK, .off = TRUE, .id = "net.isolated", .verdict = NEST_VERDICT_UNKNOWN,
        .says = "of that name"},
    {ON_NETWORK, .devices = {BR0, GOOD_PORT}, .id = "net.isolated",
        .verdict = NEST_VERDICT_UNKNOWN},
    {ON_NETWORK, .devices = {BR0, PORT(.isolated = Y)}, .id = "net.isolated",
        .verdict = NEST_VERDICT_WARN, .says = "unless its network asks for it"},

    {BRIDGE, .devices = {BR0, GOOD_PORT}, .id = "net.bpduguard", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {BR0, PORT(.guard = Y)}, .id = "net.bpduguard",
        .verdict = NEST_VERDICT_WARN, .says = "guard off"},
    {BRIDGE, .devices = {{"br0", "bridge", 2, 1500, .stp = N}, PORT(.guard = Y)},
        .id = "net.bpduguard", .verdict = NEST_VERDICT_PASS, .says = "does nothing"},
    {BRIDGE, .devices = {{"br0", "bridge", 2, 1500, .stp = Y}, PORT(.guard = Y)},
        .id = "net.bpduguard", .verdict = NEST_VERDICT_WARN},
    {BRIDGE, .devices = {BR0, PORT(.guard = U)}, .id = "net.bpduguard",
        .verdict = NEST_VERDICT_UNKNOWN},
    {BRIDGE, .devices = {BR0, GOOD_PORT}, .id = "net.locked", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {BR0, PORT(.locked = Y)}, .id = "net.locked", .verdict = NEST_VERDICT_WARN,
        .says = "locked off"},
    {BRIDGE, .devices = {BR0, PORT(.locked = U)}, .id = "net.locked",
        .verdict = NEST_VERDICT_UNKNOWN},

    {BRIDGE, .id = "net.ovs", .verdict = NEST_VERDICT_PASS},
    {ON("<virtualport type='openvswitch'/>"), .id = "net.ovs", .verdict = NEST_VERDICT_PASS},
    {ON("<virtualport type='openvswitch'><parameters interfaceid='1'/></virtualport>"),
        .id = "net.ovs", .verdict = NEST_VERDICT_WARN},

    {HOSTDEV,
        .devices = {{"ens1", NULL, 1, 1500, .vf = "52:54:00:00:00:01", .spoofchk = N, .trust = Y}},
        .id = "net.sriov", .verdict = NEST_VERDICT_PASS},
    {HOSTDEV,
        .devices = {{"ens1", NULL, 1, 1500, .vf = "52:54:00:00:00:01", .spoofchk = Y, .trust = Y}},
        .id = "net.sriov", .verdict = NEST_VERDICT_WARN,
        .says = "ip link set ens1 vf 3 spoofchk off"},
    {HOSTDEV,
        .devices = {{"ens1", NULL, 1, 1500, .vf = "52:54:00:00:00:01", .spoofchk = N, .trust = N}},
        .id = "net.sriov", .verdict = NEST_VERDICT_WARN, .says = "ip link set ens1 vf 3 trust on"},
    {HOSTDEV, .devices = {{"ens1", NULL, 1, 1500, .vf = "52:54:00:00:00:01", .spoofchk = N}},
        .id = "net.sriov", .verdict = NEST_VERDICT_UNKNOWN},
    {HOSTDEV, .id = "net.sriov", .verdict = NEST_VERDICT_UNKNOWN},
    {HOSTDEV, .off = TRUE, .id = "net.sriov", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {BRIDGE, .id = "net.sriov", .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {BRIDGE, .model = "KubeVirt", .id = "net.cni", .verdict = NEST_VERDICT_WARN},
    {BRIDGE, .model = "PowerEdge", .id = "net.cni", .verdict = NEST_VERDICT_PASS},
    {USER, .model = "KubeVirt", .id = "net.cni", .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {BRIDGE, .id = "net.outer", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .host = "host-is-vm", .id = "net.outer", .verdict = NEST_VERDICT_WARN,
        .says = "one level up"},
    {BRIDGE, .host = "", .id = "net.outer", .verdict = NEST_VERDICT_UNKNOWN},
    {USER, .host = "host-is-vm", .id = "net.outer", .verdict = NEST_VERDICT_NOT_APPLICABLE},

    /* Of an unread network nobody knows whether it leads out of the host. */
    {ON_NETWORK, .host = "host-is-vm", .id = "net.outer", .verdict = NEST_VERDICT_UNKNOWN},
    {ON_NETWORK, .id = "net.outer", .verdict = NEST_VERDICT_PASS},
    {ON_NETWORK, .model = "KubeVirt", .id = "net.cni", .verdict = NEST_VERDICT_UNKNOWN},
    {ON_NETWORK, .off = TRUE, .id = "net.mtu", .verdict = NEST_VERDICT_UNKNOWN},
    {ON_NETWORK, .calls = N, .id = "net.brnf", .verdict = NEST_VERDICT_PASS},
    {ON_NETWORK, .calls = Y, .drops = Y, .id = "net.brnf", .verdict = NEST_VERDICT_UNKNOWN,
        .says = "lab"},
    {ON_NETWORK, .id = "net.promisc-cost", .verdict = NEST_VERDICT_UNKNOWN, .says = "lab"},
    {ON_NETWORK, .id = "net.sriov", .verdict = NEST_VERDICT_UNKNOWN, .says = "lab"},
    {ON_NETWORK, .off = TRUE, .id = "net.sriov", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {ON_NETWORK, .no_host = TRUE, .host = "host-is-vm", .id = "net.outer",
        .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {BRIDGE, .devices = {BR0, GOOD_PORT}, .id = "net.promisc-cost", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {{"br0", "bridge", 2, 1500, .promiscuous = Y}, GOOD_PORT},
        .id = "net.promisc-cost", .verdict = NEST_VERDICT_INFO},
    {DIRECT("bridge"), .devices = {{"eth0", NULL, 1, 1500, .promiscuous = Y}},
        .id = "net.promisc-cost", .verdict = NEST_VERDICT_INFO},
    {BRIDGE, .id = "net.promisc-cost", .verdict = NEST_VERDICT_UNKNOWN},
    {USER, .id = "net.promisc-cost", .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {USER, .id = "net.subnet", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {BR0, GOOD_PORT}, .route = "192.168.122.0 br0", .id = "net.subnet",
        .verdict = NEST_VERDICT_WARN, .says = "which is free here"},
    {BRIDGE, .devices = {BR0, GOOD_PORT}, .route = "10.7.0.0 br0", .id = "net.subnet",
        .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {BR0, GOOD_PORT}, .route = "10.7.0.0 br1", .id = "net.subnet",
        .verdict = NEST_VERDICT_UNKNOWN},
    {BRIDGE, .off = TRUE, .id = "net.subnet", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {ON_NETWORK, .off = TRUE, .definitions = LAB(NAT "<ip address='192.168.122.1' prefix='24'/>"),
        .id = "net.subnet", .verdict = NEST_VERDICT_WARN},

    {BRIDGE, .devices = {BR0, GOOD_PORT, ETH0(1500)}, .id = "net.mtu",
        .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .devices = {BR0, GOOD_PORT, ETH0(1400)}, .id = "net.mtu", .verdict = NEST_VERDICT_WARN,
        .says = "MTU of 1400 at most"},
    {ON("<mtu size='9000'/>"), .off = TRUE, .devices = {BR0, ETH0(1500)}, .id = "net.mtu",
        .verdict = NEST_VERDICT_WARN, .says = "at the uplink eth0"},
    {BRIDGE, .devices = {BR0, GOOD_PORT}, .id = "net.mtu", .verdict = NEST_VERDICT_PASS,
        .says = "no uplink"},
    {BRIDGE, .devices = {BR0, GOOD_PORT, {"vetha1", "veth", 4, 1400, 2, .port = TRUE}},
        .id = "net.mtu", .verdict = NEST_VERDICT_WARN, .says = "at the port vetha1"},
    /* All ports of Open vSwitch have one master, whatever bridge of it they are on. */
    {ON("<virtualport type='openvswitch'/>"),
        .devices = {{"ovs-system", "openvswitch", 2, 1500, .promiscuous = Y},
            {"vnet0", "tun", 3, 1500, 2}, {"eth0", NULL, 1, 1400, 2}},
        .id = "net.mtu", .verdict = NEST_VERDICT_NOT_APPLICABLE, .says = "Open vSwitch"},
    {ON("<virtualport type='openvswitch'/>"),
        .devices = {{"ovs-system", "openvswitch", 2, 1500, .promiscuous = Y},
            {"vnet0", "tun", 3, 1500, 2}},
        .id = "net.promisc-cost", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {BRIDGE, .id = "net.mtu", .verdict = NEST_VERDICT_UNKNOWN},
    {BRIDGE, .off = TRUE, .id = "net.mtu", .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {BRIDGE, .calls = N, .id = "net.brnf", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .calls = Y, .drops = N, .id = "net.brnf", .verdict = NEST_VERDICT_PASS},
    {BRIDGE, .calls = Y, .drops = Y, .id = "net.brnf", .verdict = NEST_VERDICT_WARN,
        .says = "at the bridge"},
    {BRIDGE, .calls = Y, .drops = U, .id = "net.brnf", .verdict = NEST_VERDICT_UNKNOWN},
    {BRIDGE, .calls = U, .drops = U, .id = "net.brnf", .verdict = NEST_VERDICT_UNKNOWN},
    {BRIDGE, .no_host = TRUE, .id = "net.brnf", .verdict = NEST_VERDICT_NOT_APPLICABLE},
    {USER, .calls = Y, .drops = Y, .id = "net.brnf", .verdict = NEST_VERDICT_NOT_APPLICABLE},

    {ON("<model type='virtio'/>"), .id = "net.model", .verdict = NEST_VERDICT_PASS},
    {ON("<model type='e1000'/>"), .id = "net.model", .verdict = NEST_VERDICT_INFO},

    /* The worst of several interfaces counts, and it is named. */
    {BRIDGE "<interface type='bridge'><mac address='52:54:00:00:00:02'/>"
            "<filterref filter='no-mac-spoofing'/></interface>" USER,
        .off = TRUE, .id = "net.spoof", .verdict = NEST_VERDICT_WARN, .says = "52:54:00:00:00:02"},
};

static NestLink *make_link(const Device *device)
{
    NestLink *link = g_new0(NestLink, 1);
    link->name = g_strdup(device->name);
    link->kind = g_strdup(device->kind);
    link->mode = g_strdup(device->mode);
    link->index = device->index;
    link->mtu = device->mtu;
    link->master = device->master;
    link->lower = device->lower;
    link->port = device->port;
    link->learning = device->learning;
    link->flood = device->flood;
    link->isolated = device->isolated;
    link->guard = device->guard;
    link->locked = device->locked;
    link->promiscuous = device->promiscuous;
    link->stp = device->stp;
    if (device->vf == NULL)
        return link;
    NestVf vf = {3, {0x52, 0x54, 0, 0, 0, 1}, device->spoofchk, device->trust};
    link->vfs = g_array_new(FALSE, FALSE, sizeof(NestVf));
    g_array_append_val(link->vfs, vf);
    return link;
}

static NestNetDefinitions *make_definitions(const Row *row)
{
    const NestBackendOps ops = {0};
    NestBackend none = {.ops = &ops};
    if (row->unlisted)
        return nest_net_definitions_take(&none);
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    if (row->definitions != NULL)
        g_ptr_array_add(texts, (gpointer)row->definitions);
    return nest_net_definitions_new(texts);
}

static NestNet *make_net(const Row *row)
{
    g_autoptr(NestNetDefinitions) definitions = make_definitions(row);
    NestNet *net = nest_net_take("/nonexistent", definitions);
    GPtrArray *links = g_ptr_array_new_with_free_func((GDestroyNotify)nest_link_free);
    for (guint i = 0; i < G_N_ELEMENTS(row->devices) && row->devices[i].name != NULL; i++)
        g_ptr_array_add(links, make_link(&row->devices[i]));
    nest_links_free(net->links);
    net->links = nest_links_new(links);
    nest_forwarding_clear(&net->forwarding);
    net->forwarding = (NestForwarding){.calls = row->calls, .drops = row->drops};
    net->forwarding.chain = row->drops == Y ? g_strdup("filter FORWARD") : NULL;
    net->forwarding.why = row->drops == U ? g_strdup("nobody knows") : NULL;
    g_clear_pointer(&net->routes_error, g_free);
    if (row->route != NULL) {
        NestRoute route = {0};
        g_auto(GStrv) parts = g_strsplit(row->route, " ", 2);
        assert_true(nest_subnet_parse(parts[0], 24, NULL, &route.subnet));
        g_strlcpy(route.device, parts[1], sizeof route.device);
        g_array_append_val(net->routes, route);
    }
    return net;
}

static void check_row(const Row *row, guint number)
{
    TestVm vm = {.cpu = CPU_ON("vmx"),
        .devices = row->nic,
        .host = row->host,
        .live_cpu = row->off ? NULL : CPU_ON("vmx"),
        .state = row->off ? NEST_VM_OFF : NEST_VM_RUNNING};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestNet) net = row->no_host ? NULL : make_net(row);
    g_autoptr(NestVmNet) vm_net = nest_vm_net_new(net, test->domain, test->live);
    if (row->model != NULL) {
        g_free(test->host->model);
        test->host->model = g_strdup(row->model);
    }
    test->view.net = vm_net;
    g_autoptr(NestVm) judged = nest_checks_vm(&test->view);
    g_autofree char *where = g_strdup_printf("row %u", number);
    assert_well_formed(judged->checks);
    assert_verdict(judged->checks, where, row->id, row->verdict);
    const NestCheck *check = find_check(judged->checks, row->id);
    g_autofree char *text =
        g_strconcat(check->message, " ", check->fix != NULL ? check->fix : "", NULL);
    if (row->says != NULL && strstr(text, row->says) == NULL)
        fail_msg("%s: %s does not say \"%s\": %s", where, row->id, row->says, text);
}

static void test_outcomes(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_row(&rows[i], i);
}

/* Without any network all of them are not applicable. */
static void test_no_network(void **state)
{
    TestVm vm = {.cpu = CPU_ON("vmx")};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestVm) judged = nest_checks_vm(&test->view);
    guint found = 0;
    for (guint i = 0; i < judged->checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(judged->checks, i);
        if (!g_str_has_prefix(check->id, "net."))
            continue;
        found++;
        assert_verdict(judged->checks, "none", check->id, NEST_VERDICT_NOT_APPLICABLE);
    }
    assert_int_equal(found, 17);
}

/* The plan takes out what the filter's tree blocks, and opens isolated ports, unless declined. */
static void test_plan(void **state)
{
    const Row row = {ON(FILTER("lab") "<port isolated='yes'/>") ON(FILTER("harmless")), .off = TRUE,
        .definitions = "<filter name='lab'><filterref filter='no-mac-spoofing'/></filter>"};
    TestVm vm = {.cpu = CPU_ON("vmx"), .devices = row.nic};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestNet) net = make_net(&row);
    g_autoptr(NestVmNet) vm_net = nest_vm_net_new(net, test->domain, NULL);
    const char *const both[] = {"mac-spoofing", "port-isolation", NULL};
    g_autoptr(GError) error = NULL;
    test->view.net = vm_net;
    g_autoptr(NestPlan) plan = nest_plan_make(&test->view, TRUE, NULL);
    const NestPlanItem *macs = nest_plan_item(plan, "mac-spoofing");
    const NestPlanItem *ports = nest_plan_item(plan, "port-isolation");
    assert_true(macs != NULL && macs->optional && ports != NULL && ports->optional);
    assert_string_equal(macs->current, "filter lab");
    assert_non_null(strstr(macs->detail, "all rules of that filter go with it"));
    NestDomainWish wish = nest_plan_wish_for(plan, &test->view);
    g_autofree char *after = nest_domain_edit(test->facts->xml, &wish, &error);
    assert_no_error(error);
    assert_null(strstr(after, "filter='lab'"));
    assert_null(strstr(after, "isolated"));
    assert_non_null(strstr(after, "filter='harmless'"));
    assert_false(nest_domain_satisfies(test->facts->xml, &wish, NULL));
    assert_true(nest_domain_satisfies(after, &wish, NULL));
    g_autoptr(NestPlan) declined = nest_plan_make(&test->view, TRUE, both);
    assert_int_equal(declined->verdict, NEST_PLAN_NO_CHANGE);
    assert_int_equal(g_strv_length(declined->warnings), 2);
    NestDomainWish less = nest_plan_wish_for(declined, &test->view);
    assert_false(less.allow_macs || less.open_ports);
}

/* All filters are named, and what goes with them. */
static void test_plan_of_several(void **state)
{
    static const struct {
        const char *devices, *current, *detail;
    } rows_of[] = {
        {ON(FILTER("no-mac-spoofing")), "filter no-mac-spoofing",
            "without it inner VMs have no network"},
        {ON(FILTER("clean-traffic")), "filter clean-traffic",
            "without it inner VMs have no network; protection against foreign IP addresses goes "
            "too"},
        {ON(FILTER("lab")) ON(FILTER("clean-traffic")) ON(FILTER("lab")),
            "filters lab, clean-traffic",
            "without it inner VMs have no network; all rules of these filters go with them; "
            "protection against foreign IP addresses goes too"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows_of); i++) {
        const Row row = {.definitions = "<filter name='lab'><filterref filter='no-mac-spoofing'/>"
                                        "</filter>"};
        TestVm vm = {.cpu = CPU_ON("vmx"), .devices = rows_of[i].devices};
        g_autoptr(TestView) test = test_view_new(&vm);
        g_autoptr(NestNet) net = make_net(&row);
        g_autoptr(NestVmNet) vm_net = nest_vm_net_new(net, test->domain, NULL);
        test->view.net = vm_net;
        g_autoptr(NestPlan) plan = nest_plan_make(&test->view, TRUE, NULL);
        const NestPlanItem *item = nest_plan_item(plan, "mac-spoofing");
        assert_string_equal(item->current, rows_of[i].current);
        assert_string_equal(item->detail, rows_of[i].detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_no_network),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_plan_of_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
