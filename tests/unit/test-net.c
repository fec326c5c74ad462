/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-links-kernel.h"
#include "nest-net.h"
#include "nest-test.h"
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

/* ---- subnets, networks, routes ---- */

static NestSubnet subnet(const char *text)
{
    NestSubnet parsed = {0};
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    assert_true(
        nest_subnet_parse(parts[0], (guint)g_ascii_strtoull(parts[1], NULL, 10), NULL, &parsed));
    return parsed;
}

static void test_subnets(void **state)
{
    NestSubnet parsed;
    assert_true(nest_subnet_parse("10.1.2.3", 0, "255.255.0.0", &parsed));
    g_autofree char *text = nest_subnet_text(parsed);
    assert_string_equal(text, "10.1.0.0/16");
    assert_false(nest_subnet_parse("10.1.2.3", 33, NULL, &parsed));
    assert_false(nest_subnet_parse("fe80::1", 24, NULL, &parsed));
    assert_false(nest_subnet_parse("10.1.2.3", 0, "255.0.255.0", &parsed));
    assert_false(nest_subnet_parse(NULL, 24, NULL, &parsed));
    assert_true(nest_subnet_overlaps(subnet("10.0.0.0/8"), subnet("10.1.2.0/24")));
    assert_true(nest_subnet_overlaps(subnet("10.1.2.0/24"), subnet("0.0.0.0/0")));
    assert_false(nest_subnet_overlaps(subnet("10.1.2.0/24"), subnet("10.1.3.0/24")));
    assert_true(nest_subnet_overlaps(NEST_SUBNET_LIBVIRT, subnet("192.168.122.0/24")));
}

static void test_picking(void **state)
{
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(NestSubnet));
    NestSubnet first, second, third, none;
    assert_true(nest_subnet_pick(taken, &first));
    g_array_append_val(taken, first);
    assert_true(nest_subnet_pick(taken, &second));
    assert_false(nest_subnet_overlaps(first, second));
    assert_int_equal(second.prefix, 24);
    NestSubnet all = subnet("192.168.0.0/16");
    g_array_append_val(taken, all);
    assert_true(nest_subnet_pick(taken, &third));
    assert_false(nest_subnet_overlaps(all, third));
    NestSubnet ten = subnet("10.0.0.0/8");
    g_array_append_val(taken, ten);
    assert_false(nest_subnet_pick(taken, &none));
}

static void test_networks(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestNetwork) own = nest_network_read(
        "<network><name>lab</name><forward mode='nat'/>"
        "<bridge name='virbr7' macTableManager='libvirt'/><port isolated='yes'/>"
        "<ip address='192.168.122.1' netmask='255.255.255.0'/>"
        "<ip family='ipv6' address='fd00::1' prefix='64'/><ip address='10.9.0.1' prefix='16'/>"
        "</network>",
        &error);
    assert_no_error(error);
    assert_string_equal(own->name, "lab");
    assert_true(own->fixed_table && own->isolated && nest_network_is_own(own));
    assert_int_equal(own->subnets->len, 2);
    g_autofree char *text = nest_subnet_text(g_array_index(own->subnets, NestSubnet, 1));
    assert_string_equal(text, "10.9.0.0/16");
    g_autoptr(NestNetwork) bridged =
        nest_network_read("<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/>"
                          "<virtualport type='openvswitch'/></network>",
            NULL);
    assert_false(nest_network_is_own(bridged) || bridged->fixed_table);
    assert_true(bridged->ovs);
    g_autoptr(NestNetwork) direct =
        nest_network_read("<network><name>d</name><forward mode='private'><interface "
                          "dev='eth1'/></forward></network>",
            NULL);
    assert_string_equal(direct->device, "eth1");
    assert_null(nest_network_read("<domain/>", &error));
    assert_non_null(error);
}

static void test_routes(void **state)
{
    g_autoptr(GArray) routes = nest_net_read_routes(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "virbr0\t007AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "eth0\t0102A8C0\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"
        "nonsense\n");
    assert_int_equal(routes->len, 1);
    const NestRoute *route = &g_array_index(routes, NestRoute, 0);
    assert_string_equal(route->device, "virbr0");
    assert_true(nest_subnet_overlaps(route->subnet, NEST_SUBNET_LIBVIRT));
    assert_int_equal(route->subnet.prefix, 24);
}

/* ---- what libvirt has, as far as it says so ---- */

static const char *networks_fail, *filters_fail;

static gboolean list(
    NestBackend *backend, GPtrArray **ret_texts, NestUnlisted *ret_unlisted, GError **error)
{
    *ret_texts = g_ptr_array_new_with_free_func(g_free);
    if (networks_fail == NULL)
        g_ptr_array_add(*ret_texts, g_strdup("<network><name>lab</name></network>"));
    if (filters_fail == NULL)
        g_ptr_array_add(*ret_texts, g_strdup("<filter name='lab'/>"));
    ret_unlisted->networks = g_strdup(networks_fail);
    ret_unlisted->filters = g_strdup(filters_fail);
    return TRUE;
}

/* One list that could not be read is not an empty one. */
static void test_one_list(void **state)
{
    const NestBackendOps ops = {.networks = list};
    NestBackend backend = {.ops = &ops};
    g_autoptr(NestNetDefinitions) both = nest_net_definitions_take(&backend);
    networks_fail = "no virtnetworkd";
    g_autoptr(NestNetDefinitions) filters = nest_net_definitions_take(&backend);
    networks_fail = NULL;
    filters_fail = "no virtnwfilterd";
    g_autoptr(NestNetDefinitions) networks = nest_net_definitions_take(&backend);
    filters_fail = NULL;
    assert_true(both->networks != NULL && both->filters != NULL);
    assert_true(both->networks_why == NULL && both->filters_why == NULL);
    assert_true(filters->networks == NULL && filters->filters != NULL);
    assert_string_equal(filters->networks_why, "no virtnetworkd");
    assert_null(filters->filters_why);
    assert_true(networks->networks != NULL && networks->filters == NULL);
    assert_string_equal(networks->filters_why, "no virtnwfilterd");
    assert_string_not_equal(both->key, filters->key);
    assert_string_not_equal(filters->key, networks->key);
}

/* ---- files ---- */

static void put(const char *root, const char *path, const char *text)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *parent = g_path_get_dirname(full);
    assert_int_equal(g_mkdir_with_parents(parent, 0700), 0);
    assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void remove_tree(const char *root)
{
    const char *const words[] = {"rm", "-rf", root, NULL};
    assert_true(g_spawn_sync(
        NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

static void test_files(void **state)
{
    g_autofree char *root = g_dir_make_tmp("nest-net-XXXXXX", NULL);
    put(root, "sys/class/net/br0/ifindex", "7\n");
    put(root, "sys/class/net/br0/iflink", "7\n");
    put(root, "sys/class/net/br0/mtu", "1500\n");
    put(root, "sys/class/net/br0/bridge/stp_state", "0\n");
    put(root, "sys/class/net/br0/bridge/nf_call_iptables", "1\n");
    put(root, "sys/class/net/vnet0/ifindex", "9\n");
    put(root, "sys/class/net/vnet0/mtu", "9000\n");
    put(root, "sys/class/net/vnet0/tun_flags", "0x1002\n");
    put(root, "sys/class/net/vnet0/master/ifindex", "7\n");
    put(root, "sys/class/net/vnet0/brport/learning", "0\n");
    put(root, "sys/class/net/vnet0/brport/unicast_flood", "junk\n");
    put(root, "sys/class/net/vnet0/brport/isolated", "1\n");
    put(root, "sys/class/net/eth0/ifindex", "2\n");
    put(root, "sys/class/net/eth0/mtu", "1400\n");
    put(root, "sys/class/net/eth0/master/ifindex", "7\n");
    put(root, "sys/class/net/bonding_masters", "bond0\n");
    g_autoptr(NestLinks) links = nest_links_read(root);
    assert_null(links->error);
    assert_int_equal(links->all->len, 3);
    const NestLink *bridge = nest_links_find(links, "br0"), *tap = nest_links_find(links, "vnet0");
    assert_string_equal(bridge->kind, "bridge");
    assert_int_equal(bridge->calls_firewall, NEST_FLAG_ON);
    assert_int_equal(bridge->stp, NEST_FLAG_OFF);
    assert_int_equal(bridge->lower, 0);
    assert_string_equal(tap->kind, "tun");
    assert_true(tap->port);
    assert_int_equal(tap->learning, NEST_FLAG_OFF);
    assert_int_equal(tap->flood, NEST_FLAG_UNKNOWN);
    assert_int_equal(tap->isolated, NEST_FLAG_ON);
    assert_int_equal(tap->guard, NEST_FLAG_UNKNOWN);
    assert_int_equal(tap->locked, NEST_FLAG_UNKNOWN);
    assert_ptr_equal(nest_links_at(links, tap->master), bridge);
    assert_string_equal(nest_links_uplink(links, bridge)->name, "eth0");
    assert_null(nest_links_at(links, 0));
    assert_null(nest_links_find(links, NULL));
    remove_tree(root);
    g_autoptr(NestLinks) none = nest_links_read("/nonexistent");
    assert_non_null(none->error);
    assert_int_equal(none->all->len, 0);
}

static void test_key(void **state)
{
    g_autoptr(NestNet) net = nest_net_take("/nonexistent", NULL);
    const char *xml = "<domain><interface><target dev='vnet0'/></interface></domain>";
    NestLink *link = g_new0(NestLink, 1);
    link->name = g_strdup("vnet0");
    link->index = 5;
    g_hash_table_insert(net->links->by_name, link->name, link);
    g_ptr_array_add(net->links->all, link);
    g_autofree char *before = nest_net_key(net, xml);
    g_autofree char *same = nest_net_key(net, xml);
    g_autofree char *other = nest_net_key(net, "<domain><interface/></domain>");
    link->learning = NEST_FLAG_OFF;
    g_autofree char *after = nest_net_key(net, xml);
    g_autofree char *other_after = nest_net_key(net, "<domain><interface/></domain>");
    g_autofree char *without = nest_net_key(net, "<domain/>");
    assert_string_equal(before, same);
    assert_string_not_equal(before, after);
    assert_string_equal(other, other_after);
    assert_string_equal(without, "");
}

/* ---- what the kernel says ---- */

static guint begin(GByteArray *bytes, guint16 type)
{
    struct nlattr header = {0, type};
    guint at = bytes->len;
    g_byte_array_append(bytes, (const guint8 *)&header, sizeof header);
    return at;
}

static void end(GByteArray *bytes, guint at)
{
    static const guint8 padding[4];
    ((struct nlattr *)(void *)(bytes->data + at))->nla_len = (guint16)(bytes->len - at);
    g_byte_array_append(bytes, padding, NLA_ALIGN(bytes->len) - bytes->len);
}

static void add(GByteArray *bytes, guint16 type, gconstpointer data, guint length)
{
    guint at = begin(bytes, type);
    g_byte_array_append(bytes, data, length);
    end(bytes, at);
}

/* A message as for a card with two virtual functions. */
static GByteArray *card_message(void)
{
    GByteArray *bytes = g_byte_array_new();
    struct nlmsghdr header = {.nlmsg_type = RTM_NEWLINK};
    struct ifinfomsg info = {.ifi_index = 4, .ifi_flags = IFF_PROMISC};
    guint32 mtu = 9000;
    g_byte_array_append(bytes, (const guint8 *)&header, sizeof header);
    g_byte_array_append(bytes, (const guint8 *)&info, sizeof info);
    add(bytes, IFLA_IFNAME, "ens1", 5);
    add(bytes, IFLA_MTU, &mtu, sizeof mtu);
    guint list = begin(bytes, IFLA_VFINFO_LIST | NLA_F_NESTED);
    for (guint32 i = 0; i < 2; i++) {
        struct ifla_vf_mac mac = {.vf = i, .mac = {0x52, 0x54, 0, 0, 0, (guint8)(i + 1)}};
        struct ifla_vf_spoofchk spoofchk = {i, i == 0 ? 1 : G_MAXUINT32};
        struct ifla_vf_trust trust = {i, 0};
        guint vf = begin(bytes, IFLA_VF_INFO | NLA_F_NESTED);
        add(bytes, IFLA_VF_MAC, &mac, sizeof mac);
        add(bytes, IFLA_VF_SPOOFCHK, &spoofchk, sizeof spoofchk);
        add(bytes, IFLA_VF_TRUST, &trust, sizeof trust);
        end(bytes, vf);
    }
    end(bytes, list);
    ((struct nlmsghdr *)(void *)bytes->data)->nlmsg_len = bytes->len;
    return bytes;
}

static void test_functions(void **state)
{
    g_autoptr(GByteArray) bytes = card_message();
    GPtrArray *devices = g_ptr_array_new_with_free_func((GDestroyNotify)nest_link_free);
    assert_true(nest_netlink_walk(bytes->data, bytes->len, nest_links_read_message, devices, NULL));
    g_autoptr(NestLinks) links = nest_links_new(devices);
    const NestLink *card = NULL;
    const NestVf *vf = nest_links_vf(links, "52:54:00:00:00:01", &card);
    assert_non_null(vf);
    assert_string_equal(card->name, "ens1");
    assert_int_equal(card->mtu, 9000);
    assert_int_equal(card->promiscuous, NEST_FLAG_ON);
    assert_int_equal(vf->number, 0);
    assert_int_equal(vf->spoofchk, NEST_FLAG_ON);
    assert_int_equal(vf->trust, NEST_FLAG_OFF);
    vf = nest_links_vf(links, "52:54:00:00:00:02", &card);
    assert_int_equal(vf->number, 1);
    assert_int_equal(vf->spoofchk, NEST_FLAG_UNKNOWN);
    assert_null(nest_links_vf(links, "52:54:00:00:00:03", &card));
    assert_null(nest_links_vf(links, "no address", &card));
    assert_null(nest_links_vf(links, NULL, &card));
}

/* Whatever is cut off or wrong in a message does no harm. */
static void test_broken_messages(void **state)
{
    g_autoptr(GByteArray) bytes = card_message();
    for (guint length = 0; length < bytes->len; length++) {
        g_autoptr(GPtrArray) devices =
            g_ptr_array_new_with_free_func((GDestroyNotify)nest_link_free);
        g_autofree guint8 *cut = g_memdup2(bytes->data, length);
        g_autofree char *error = NULL;
        if (length >= sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg)) {
            ((struct nlmsghdr *)(void *)cut)->nlmsg_len = length;
            nest_netlink_walk(cut, length, nest_links_read_message, devices, &error);
        } else {
            nest_netlink_walk(cut, length, nest_links_read_message, devices, &error);
            assert_int_equal(devices->len, 0);
        }
    }
    for (guint at = sizeof(struct nlmsghdr); at < bytes->len; at++) {
        g_autoptr(GPtrArray) devices =
            g_ptr_array_new_with_free_func((GDestroyNotify)nest_link_free);
        g_autofree guint8 *bent = g_memdup2(bytes->data, bytes->len);
        bent[at] = 0xff;
        nest_netlink_walk(bent, bytes->len, nest_links_read_message, devices, NULL);
    }
}

static void test_refusal(void **state)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } refusal = {{sizeof refusal, NLMSG_ERROR, 0, 0, 0}, {.error = -EPERM}};
    g_autofree char *error = NULL;
    assert_false(nest_netlink_walk(
        (const guint8 *)&refusal, sizeof refusal, nest_links_read_message, NULL, &error));
    assert_non_null(strstr(error, g_strerror(EPERM)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subnets),
        cmocka_unit_test(test_picking),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_one_list),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_broken_messages),
        cmocka_unit_test(test_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
