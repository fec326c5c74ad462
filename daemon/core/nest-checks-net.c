/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-path.h"
#include <string.h>

/* How far frames of inner VMs get: the interface of the VM, its filter, and the kind of network
 * behind it. The ports and what is behind them are in nest-checks-port.c and nest-checks-uplink.c.
 */

/* Why filters are judged by their names; NULL: they are not, or no host was looked at. */
static const char *filters_why(const NestVmView *view)
{
    const NestNet *net = view->net->net;
    return net != NULL && net->definitions != NULL ? net->definitions->filters_why : NULL;
}

static void judge_spoof(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    const NestFilterVerdict *filter = &path->filter;
    const char *name = path->nic->filter;
    nest_check_read(check, "definition, filter of %s: %s", path->name,
        filter->path != NULL ? filter->path
            : name != NULL   ? name
                             : "none");
    if (filter->answer == NEST_FILTER_BLOCKS) {
        nest_check_fix(check, "nestctl enable %s", view->facts->name);
        nest_check_say(check, NEST_VERDICT_WARN,
            "What inner VMs send under their own MAC addresses is dropped at the network filter of "
            "%s: %s.",
            path->name, filter->path);
    } else if (filter->answer == NEST_FILTER_UNKNOWN) {
        nest_check_fix(check, "see what it does: virsh nwfilter-dumpxml %s", name);
        const char *why = filters_why(view);
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether the filter %s lets the MAC addresses of inner VMs pass can't be told: %s%s%s.",
            filter->path, filter->why, why != NULL ? ": " : "", why != NULL ? why : "");
    } else if (filter->blocks_ip) {
        nest_check_fix(check,
            "name the addresses of inner VMs in the filterref, <parameter name='IP' value='…'/>");
        nest_check_say(check, NEST_VERDICT_WARN,
            "The filter %s of %s lets inner VMs use their own MAC addresses, but drops packets "
            "from IP addresses that it does not know.",
            name, path->name);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "No filter stops MAC addresses of inner VMs.");
    }
}

static void check_spoof(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_spoof);
}

static void judge_user(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    nest_check_read(check, "definition, type of %s: %s", path->name,
        path->nic->type != NULL ? path->nic->type : "none");
    if (path->way != NEST_WAY_USER) {
        nest_check_say(check, NEST_VERDICT_PASS, "No interface is user-mode.");
        return;
    }
    g_autofree char *nat = nest_check_nat_text(view);
    nest_check_fix(check, "%s", nat);
    nest_check_say(check, NEST_VERDICT_INFO,
        "Its network is user-mode: inner VMs reach out through the VM's own address only.");
}

static void check_user(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_user);
}

static void judge_macvtap(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    nest_check_read(check, "definition, macvtap mode of %s: %s", path->name,
        path->mode != NULL ? path->mode : "none");
    if (!nest_check_way_known(view, path, check))
        return;
    if (path->way != NEST_WAY_MACVTAP) {
        nest_check_say(check, NEST_VERDICT_PASS, "No interface is on macvtap.");
    } else if (g_strcmp0(path->mode, "passthrough") == 0) {
        nest_check_say(check, NEST_VERDICT_PASS,
            "Its macvtap is in mode passthrough, which delivers every frame.");
    } else {
        g_autofree char *nat = nest_check_nat_text(view);
        nest_check_fix(check, "use a bridge, or mode passthrough; or %s", nat);
        nest_check_say(check, NEST_VERDICT_WARN,
            "Frames for inner VMs end at the macvtap of %s: in mode %s it delivers those for its "
            "own MAC address only.",
            path->name, path->mode != NULL ? path->mode : "unknown");
    }
}

static void check_macvtap(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_macvtap);
}

static void judge_ovs(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    nest_check_read(check, "definition, virtual port of %s: %s", path->name,
        path->managed   ? "Open vSwitch, with an interface id"
            : path->ovs ? "Open vSwitch"
                        : "none");
    if (!path->managed) {
        nest_check_say(check, NEST_VERDICT_PASS, "No port is managed by a network controller.");
        return;
    }
    nest_check_fix(check,
        "allow their addresses at the port (allowed address pairs), or disable port security");
    nest_check_say(check, NEST_VERDICT_WARN,
        "The port of %s on Open vSwitch is managed: port security may drop what inner VMs send "
        "there.",
        path->name);
}

static void check_ovs(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_ovs);
}

static gboolean is_slow(const char *model)
{
    static const char *const names[] = {"e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet", NULL};
    return model != NULL && g_strv_contains(names, model);
}

static void judge_model(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    const char *model = path->nic->model;
    nest_check_read(
        check, "definition, model of %s: %s", path->name, model != NULL ? model : "none");
    if (!is_slow(model)) {
        nest_check_say(check, NEST_VERDICT_PASS, "No interface is emulated.");
        return;
    }
    nest_check_fix(check, "model virtio, where the guest has a driver for it; vmxnet3 for ESXi");
    nest_check_say(check, NEST_VERDICT_INFO,
        "An interface is emulated: its traffic, and that of inner VMs, is slow.");
}

static void check_model(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_model);
}

// clang-format off
const NestVmCheckRow nest_checks_vm_network[] = {
    {{"net.spoof", "inner VMs may send under their own MAC", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The network filter of each interface, with all filters that it includes.",
         "Filters like clean-traffic drop frames with a MAC address that is not the interface's "
         "own, and so all that bridged inner VMs send.",
         "nestctl enable VM; by hand: virsh edit VM, and take the filterref out or use a filter "
         "without no-mac-spoofing.",
         "libvirt: formatnwfilter"},
        check_spoof},
    {{"net.user", "inner VMs can be bridged", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "Whether an interface is of type user.",
         "A user-mode network knows one machine only: inner VMs need address translation in the "
         "VM.",
         "Use a bridge or a libvirt network where inner VMs shall be reached from outside.",
         "libvirt: formatdomain, Userspace connection"},
        check_user},
    {{"net.macvtap", "frames for inner VMs are delivered", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Interfaces on macvtap and their mode.",
         "Unless its mode is passthrough, macvtap delivers frames for its own MAC address only, "
         "and none for inner VMs.",
         "Use a bridge, or mode passthrough; or address translation in the VM.",
         "libvirt: formatdomain, Direct attachment to physical interface"},
        check_macvtap},
    {{"net.ovs", "no network controller manages its ports", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Virtual ports of Open vSwitch with an interface id.",
         "A controller such as OVN or Neutron drops frames from MAC addresses that it did not "
         "give out.",
         "Allow the addresses of inner VMs at the port, or disable port security there.",
         "OpenStack Neutron: allowed address pairs"},
        check_ovs},
    {{"net.model", "its interfaces are not emulated", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The model of each interface.",
         "Emulated hardware costs exits for each packet, twice for inner VMs.",
         "Use model virtio; vmxnet3 where the guest is ESXi.",
         "libvirt: formatdomain, Setting the NIC model"},
        check_model},
    {{NULL}, NULL},
};
// clang-format on
