/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-path.h"
#include "nest-host-block.h"
#include <string.h>

/* What is behind the port: the bridge's firewall, the uplink, the network outside of the host, and
 * the addresses that all of them use. */

/* Or may do so, where its network could not be read on a host that was looked at. */
static gboolean leaves_host(const NestVmView *view, const NestNetPath *path)
{
    return (path->way == NEST_WAY_UNKNOWN && view->net->net != NULL) ||
        path->way == NEST_WAY_BRIDGE || path->way == NEST_WAY_MACVTAP ||
        path->way == NEST_WAY_FUNCTION;
}

static void judge_function(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    static const char *const texts[] = {"unknown", "off", "on"};
    if ((path->way != NEST_WAY_FUNCTION && path->way != NEST_WAY_UNKNOWN) ||
        !nest_check_runs(view, path, check) || !nest_check_way_known(view, path, check))
        return;
    if (path->vf == NULL) {
        nest_check_read(check, "virtual functions: none of %s", path->name);
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "No network card says that it has a virtual function with the address of %s.",
            path->name);
        return;
    }
    const char *device = path->vf_device->name;
    const char *fix = nest_host_blocks_concern(view) ? NEST_HOST_BLOCK_FIX : "";
    guint number = path->vf->number;
    nest_check_read(check, "%s, vf %u: spoofchk %s, trust %s", device, number,
        texts[path->vf->spoofchk], texts[path->vf->trust]);
    if (path->vf->spoofchk == NEST_FLAG_ON) {
        nest_check_fix(check, "%sip link set %s vf %u spoofchk off; ip link set %s vf %u trust on",
            fix, device, number, device, number);
        nest_check_say(check, NEST_VERDICT_WARN,
            "What inner VMs send ends at the network card %s: it checks the MAC addresses that "
            "virtual function %u sends from.",
            device, number);
    } else if (path->vf->trust == NEST_FLAG_OFF) {
        nest_check_fix(check, "%sip link set %s vf %u trust on", fix, device, number);
        nest_check_say(check, NEST_VERDICT_WARN,
            "Frames for inner VMs end at the network card %s: it does not trust virtual function "
            "%u with addresses other than its own.",
            device, number);
    } else if (path->vf->spoofchk == NEST_FLAG_UNKNOWN || path->vf->trust == NEST_FLAG_UNKNOWN) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "%s does not say what virtual function %u may send and get.", device, number);
    } else {
        nest_check_say(
            check, NEST_VERDICT_PASS, "Its virtual function may send and get what is not its own.");
    }
}

static void check_function(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_function);
}

/* KubeVirt, and what OpenShift calls it. */
static const char *kubevirt_of(const NestHostFacts *host)
{
    static const char *const names[] = {
        "KubeVirt", "OpenShift Virtualization", "Container-native virtualization"};
    const char *const texts[] = {host->manufacturer, host->model};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        for (guint t = 0; t < G_N_ELEMENTS(texts); t++)
            if (texts[t] != NULL && strstr(texts[t], names[i]) != NULL)
                return names[i];
    return NULL;
}

static void judge_cni(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (!leaves_host(view, path) || view->host == NULL)
        return;
    const char *name = kubevirt_of(view->host);
    nest_check_read(check, "DMI: %s %s", nest_check_or_unread(view->host->manufacturer),
        view->host->model != NULL ? view->host->model : "");
    if (name == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "This host is no VM of KubeVirt.");
        return;
    }
    if (!nest_check_way_known(view, path, check))
        return;
    nest_check_fix(check,
        "\"macspoofchk\": false in its NetworkAttachmentDefinition, where it is on a bridge");
    nest_check_say(check, NEST_VERDICT_WARN,
        "This host is a VM of %s: outside of it, frames from other MAC addresses end at the pod's "
        "bridge, unless macspoofchk is off there.",
        name);
}

static void check_cni(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_cni);
}

static const char *outer_fix(const char *hypervisor)
{
    static const struct {
        const char *name, *fix;
    } rows[] = {
        {"KVM", "one level up, run \"nestctl check\" for the VM that this host is"},
        {"Hyper-V", "one level up: Set-VMNetworkAdapter -VMName HOST -MacAddressSpoofing On"},
        {"VMware",
            "one level up, on the port group: accept forged transmits, and switch MAC learning (or "
            "promiscuous mode) on"},
        {"VirtualBox", "one level up: promiscuous mode \"Allow All\" on the adapter"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strcmp0(hypervisor, rows[i].name) == 0)
            return rows[i].fix;
    return "one level up: allow other MAC addresses on this host's adapter";
}

static void judge_outer(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (!leaves_host(view, path))
        return;
    if (view->host == NULL || !view->host->cpuinfo_read) {
        nest_check_read(check, "/proc/cpuinfo: could not be read");
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether this host is itself a VM, whose network may drop frames, is not known.");
        return;
    }
    const char *outer = view->host->outer_hypervisor;
    nest_check_read(check, "/proc/cpuinfo: %s",
        !view->host->hypervisor ? "no hypervisor"
            : outer != NULL     ? outer
                                : "a hypervisor");
    if (!view->host->hypervisor) {
        nest_check_say(check, NEST_VERDICT_PASS, "This host is a machine, not a VM.");
        return;
    }
    if (!nest_check_way_known(view, path, check))
        return;
    g_autofree char *nat = nest_check_nat_text(view);
    nest_check_fix(check, "%s; or %s", outer_fix(outer), nat);
    nest_check_say(check, NEST_VERDICT_WARN,
        "This host is itself a VM%s%s: frames of inner VMs may end outside of it, where only its "
        "own MAC address is known.",
        outer != NULL ? " on " : "", outer != NULL ? outer : "");
}

static void check_outer(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_outer);
}

static void judge_promiscuous(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    gboolean macvtap = path->way == NEST_WAY_MACVTAP;
    gboolean bridged = !path->ovs && (path->way == NEST_WAY_BRIDGE || path->way == NEST_WAY_OWN);
    if ((!macvtap && !bridged && path->way != NEST_WAY_UNKNOWN) ||
        !nest_check_runs(view, path, check) || !nest_check_way_known(view, path, check))
        return;
    const NestLink *link = macvtap ? path->uplink : path->bridge;
    NestFlag state = link != NULL ? link->promiscuous : NEST_FLAG_UNKNOWN;
    nest_check_read(check, "%s, promiscuous: %s", link != NULL ? link->name : "no device found",
        state == NEST_FLAG_UNKNOWN  ? "unknown"
            : state == NEST_FLAG_ON ? "on"
                                    : "off");
    if (state == NEST_FLAG_UNKNOWN) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether promiscuous mode is on behind %s could not be read.", path->name);
    } else if (state == NEST_FLAG_OFF) {
        nest_check_say(check, NEST_VERDICT_PASS, "No promiscuous mode stands in for learning.");
    } else {
        nest_check_fix(
            check, "ip link set dev %s promisc off, unless something else needs it", link->name);
        nest_check_say(check, NEST_VERDICT_INFO,
            "%s is in promiscuous mode: it takes all frames of its network, and the host looks at "
            "each.",
            link->name);
    }
}

static void check_promiscuous(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_promiscuous);
}

static void judge_subnet(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (path->subnets->len == 0) {
        if (!nest_check_runs(view, path, check))
            return;
        nest_check_read(check, "network of %s: no addresses found", path->name);
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Which addresses the network of %s has can't be told from this host.", path->name);
        return;
    }
    for (guint i = 0; i < path->subnets->len; i++) {
        NestSubnet subnet = g_array_index(path->subnets, NestSubnet, i);
        g_autofree char *text = nest_subnet_text(subnet);
        nest_check_read(check, "network of %s: %s", path->name, text);
        if (!nest_subnet_overlaps(subnet, NEST_SUBNET_LIBVIRT))
            continue;
        NestSubnet other;
        g_autofree char *picked =
            nest_vm_net_pick(view->net, &other) ? nest_subnet_text(other) : NULL;
        nest_check_fix(check, "in the VM: virsh net-edit default, and use %s%s%s",
            picked != NULL ? picked : "a network that none of its hosts has",
            picked != NULL ? ", " : "", picked != NULL ? nest_check_free_text(view) : "");
        nest_check_say(check, NEST_VERDICT_WARN,
            "The VM is in %s itself, which the network \"default\" of its own libvirt takes too: "
            "that does not start, or packets go astray.",
            text);
        return;
    }
    nest_check_say(check, NEST_VERDICT_PASS,
        "The network \"default\" of a libvirt in the VM does not meet its own.");
}

static void check_subnet(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_subnet);
}

/* What leads out of the bridge may be another machine: a container. */
static const char *way_out(const NestLink *link)
{
    return link != NULL && g_strcmp0(link->kind, "veth") == 0 ? "port" : "uplink";
}

static void judge_mtu(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (!leaves_host(view, path) || path->way == NEST_WAY_FUNCTION ||
        !nest_check_way_known(view, path, check))
        return;
    if (path->ovs) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "%s is on Open vSwitch, which alone knows its uplink.", path->name);
        return;
    }
    guint inner = path->nic->mtu != 0 ? path->nic->mtu : path->tap != NULL ? path->tap->mtu : 0;
    guint outer = path->uplink != NULL ? path->uplink->mtu : 0;
    if ((inner == 0 || outer == 0) && !nest_check_runs(view, path, check))
        return;
    nest_check_read(check, "MTU of %s: %u, of %s: %u", path->name, inner,
        path->uplink != NULL ? path->uplink->name : "the uplink", outer);
    if (path->bridge != NULL && path->uplink == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "Its bridge has no uplink.");
    } else if (inner == 0 || outer == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "The largest frames of %s and of its uplink could not be read.", path->name);
    } else if (inner <= outer) {
        nest_check_say(check, NEST_VERDICT_PASS, "No frame of the VM is too large for the %s.",
            way_out(path->uplink));
    } else {
        nest_check_fix(check, "in the VM and its inner VMs use an MTU of %u at most", outer);
        nest_check_say(check, NEST_VERDICT_WARN,
            "Frames of more than %u bytes end at the %s %s, and %s takes those of %u.", outer,
            way_out(path->uplink), path->uplink->name, path->name, inner);
    }
}

static void check_mtu(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_mtu);
}

/* TRUE if what crosses the bridge goes through the firewall; a verdict is said where that, or the
 * answer to it, is simple. */
static gboolean is_filtered(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    const NestForwarding *forwarding = &view->net->net->forwarding;
    gboolean own = path->bridge != NULL && path->bridge->calls_firewall == NEST_FLAG_ON;
    nest_check_read(check, "net.bridge.bridge-nf-call-iptables: %s; policy of the hook forward: %s",
        forwarding->calls == NEST_FLAG_UNKNOWN  ? "could not be read"
            : forwarding->calls == NEST_FLAG_ON ? "1"
                                                : "0",
        forwarding->drops == NEST_FLAG_ON        ? "drop"
            : forwarding->drops == NEST_FLAG_OFF ? "accept"
                                                 : "unknown");
    if (own || forwarding->calls == NEST_FLAG_ON)
        return TRUE;
    if (forwarding->calls == NEST_FLAG_OFF)
        nest_check_say(
            check, NEST_VERDICT_PASS, "What crosses a bridge passes no firewall for IP.");
    else
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether what crosses a bridge passes the firewall for IP could not be read.");
    return FALSE;
}

static void judge_firewall(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if ((path->way != NEST_WAY_BRIDGE && path->way != NEST_WAY_UNKNOWN) || path->ovs)
        return;
    if (view->net->net == NULL) {
        nest_check_runs(view, path, check);
        return;
    }
    if (!is_filtered(view, path, check))
        return;
    const NestForwarding *forwarding = &view->net->net->forwarding;
    if (forwarding->drops == NEST_FLAG_OFF) {
        nest_check_say(check, NEST_VERDICT_PASS,
            "What crosses a bridge passes the firewall, which has no rules for it.");
    } else if (!nest_check_way_known(view, path, check)) {
        return;
    } else if (forwarding->drops == NEST_FLAG_UNKNOWN) {
        nest_check_fix(
            check, "look for what drops or rejects: nft list ruleset, iptables -S FORWARD");
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "What crosses a bridge passes the firewall for IP, and what that drops is not known: "
            "%s.",
            forwarding->why);
    } else {
        nest_check_fix(check,
            "sysctl net.bridge.bridge-nf-call-iptables=0, or a rule that accepts what crosses %s",
            path->bridge != NULL ? path->bridge->name : "the bridge");
        nest_check_say(check, NEST_VERDICT_WARN,
            "Packets of inner VMs may end at the bridge%s%s: they pass the firewall for IP, whose "
            "chain \"%s\" drops what no rule names.",
            path->bridge != NULL ? " " : "", path->bridge != NULL ? path->bridge->name : "",
            forwarding->chain);
    }
}

static void check_firewall(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_firewall);
}

// clang-format off
const NestVmCheckRow nest_checks_vm_uplink[] = {
    {{"net.brnf", "no firewall drops bridged frames", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether br_netfilter hands bridged packets to the firewall, the policy of its chains for "
         "forwarding, and whether they have rules.",
         "With it, a policy drop, which Docker sets, also drops packets between VMs on one bridge, "
         "and so may a rule.",
         "sysctl net.bridge.bridge-nf-call-iptables=0, or a rule that accepts what crosses the "
         "bridge.",
         "Linux: Documentation/networking/bridge.rst"},
        check_firewall},
    {{"net.mtu", "its frames fit through the uplink", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The MTU of each interface and of the uplink of its bridge.",
         "A bridge drops what is larger than its port takes, and tells nobody.",
         "Use the smaller MTU in the VM and its inner VMs.",
         "Linux: net/bridge/br_forward.c"},
        check_mtu},
    {{"net.promisc-cost", "no promiscuous mode instead of learning", NEST_CHECK_PLAIN,
         NEST_VERDICT_INFO,
         "Whether the bridge, or the device below macvtap, was set to promiscuous mode.",
         "It makes frames for inner VMs arrive, along with all others, at the cost of the host.",
         "Use a bridge that learns.",
         "Linux: ip-link(8)"},
        check_promiscuous},
    {{"net.sriov", "its virtual function may use other addresses", NEST_CHECK_PLAIN,
         NEST_VERDICT_WARN,
         "The settings spoofchk and trust of each virtual function that the VM has.",
         "The card drops frames from other MAC addresses, and delivers none for them.",
         "nestctl host fix; by hand: ip link set DEV vf N spoofchk off, and trust on.",
         "Linux: ip-link(8)"},
        check_function},
    {{"net.cni", "the host is no VM of KubeVirt", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Manufacturer and model of the host.",
         "KubeVirt's bridges can be told to drop frames from MAC addresses that are not the VM's.",
         "Set macspoofchk to false where this host's network is defined.",
         "CNI plugins: bridge, macspoofchk"},
        check_cni},
    {{"net.outer", "nothing outside knows this host as a VM", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the host is itself a VM, and on what.",
         "The network of its own host may drop frames of inner VMs, and that does not show here.",
         "Allow other MAC addresses one level up, or translate addresses in the VM.",
         "Hyper-V: nested virtualization, networking options"},
        check_outer},
    {{"net.subnet", "the inner network does not meet the VM's own", NEST_CHECK_PLAIN,
         NEST_VERDICT_WARN,
         "The addresses of the networks that the VM is on.",
         "The VM's own libvirt wants 192.168.122.0/24 for its network \"default\", and can't have "
         "it where the VM is in it.",
         "Give the inner network a /24 that no level has: virsh net-edit default, in the VM.",
         "libvirt: networking, the network default"},
        check_subnet},
    {{NULL}, NULL},
};
// clang-format on
