/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include <string.h>

/* What the network of a VM lets through of its inner VMs. */

/* Filters of libvirt's own that leave the MAC addresses of inner VMs alone. */
static gboolean is_harmless(const char *filter)
{
    static const char *const names[] = {"no-ip-multicast", "no-mac-broadcast", "no-ip-spoofing",
        "no-ipv6-multicast", "no-ipv6-spoofing", "qemu-announce-self", NULL};
    return filter == NULL || g_str_has_prefix(filter, "allow-") || g_strv_contains(names, filter);
}

static gboolean is_user(const NestInterface *interface)
{
    return g_strcmp0(interface->type, "user") == 0;
}

typedef struct {
    const NestInterface *blocked; /* the first of each, NULL where none */
    const NestInterface *unknown;
    const NestInterface *user;
    guint count;
} Interfaces;

static Interfaces look_at(const NestDomain *domain)
{
    Interfaces found = {0};
    for (guint i = 0; domain->interfaces != NULL && i < domain->interfaces->len; i++) {
        const NestInterface *interface = g_ptr_array_index(domain->interfaces, i);
        found.count++;
        if (is_user(interface))
            found.user = found.user != NULL ? found.user : interface;
        if (nest_filter_blocks_foreign_macs(interface->filter))
            found.blocked = found.blocked != NULL ? found.blocked : interface;
        else if (!is_harmless(interface->filter))
            found.unknown = found.unknown != NULL ? found.unknown : interface;
    }
    return found;
}

static void check_spoof(const NestVmView *view, NestCheck *check)
{
    Interfaces found = look_at(view->domain);
    const NestInterface *named = found.blocked != NULL ? found.blocked : found.unknown;
    nest_check_read(check, "definition, interfaces: %u, filter: %s", found.count,
        named != NULL ? named->filter : "none that matters");
    if (found.count == 0) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It has no network.");
    } else if (found.blocked != NULL) {
        nest_check_fix(check, "nestctl enable %s", view->facts->name);
        nest_check_say(check, NEST_VERDICT_WARN,
            "The filter %s drops what inner VMs send under their own MAC addresses.",
            found.blocked->filter);
    } else if (found.unknown != NULL) {
        nest_check_fix(check, "see what it does: virsh nwfilter-dumpxml %s", found.unknown->filter);
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether the filter %s lets the MAC addresses of inner VMs pass can't be told.",
            found.unknown->filter);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "No filter stops MAC addresses of inner VMs.");
    }
}

static void check_user(const NestVmView *view, NestCheck *check)
{
    Interfaces found = look_at(view->domain);
    nest_check_read(check, "definition, interfaces: %u, of type user: %s", found.count,
        found.user != NULL ? "yes" : "none");
    if (found.count == 0)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It has no network.");
    else if (found.user != NULL)
        nest_check_say(check, NEST_VERDICT_INFO,
            "Its network is user-mode: inner VMs reach out through the VM's own address only.");
    else
        nest_check_say(check, NEST_VERDICT_PASS, "No interface is user-mode.");
}

/* FALSE, and the verdict is said, if it has no interface. */
static gboolean have_network(const NestVmView *view, NestCheck *check)
{
    if (view->domain->extras.interfaces > 0)
        return TRUE;
    nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It has no network.");
    return FALSE;
}

/* What is read, what to say where there is no such interface, and where there is one. */
typedef struct {
    const char *what;
    NestVerdict verdict;
    const char *good, *bad, *fix;
} Rule;

static void judge(const NestVmView *view, NestCheck *check, const char *found, const Rule *rule)
{
    if (!have_network(view, check))
        return;
    nest_check_read(check, "definition, %s: %s", rule->what, found != NULL ? found : "none");
    if (found != NULL)
        nest_check_fix(check, "%s", rule->fix);
    nest_check_say(check, found != NULL ? rule->verdict : NEST_VERDICT_PASS, "%s",
        found != NULL ? rule->bad : rule->good);
}

static void check_macvtap(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"interface of type direct", NEST_VERDICT_WARN,
        "No interface delivers frames for its own MAC address only.",
        "An interface on macvtap gets frames for its own MAC address only: bridged inner VMs hear "
        "nothing.",
        "use a bridge; or mode passthrough with trustGuestRxFilters='yes'"};
    judge(view, check, view->domain->extras.macvtap, &rule);
}

static void check_isolated(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"interface with an isolated port", NEST_VERDICT_WARN,
        "No port is isolated.",
        "The port of an interface is isolated: inner VMs do not see those on other isolated ports.",
        "take out <port isolated='yes'/> where inner VMs shall see each other"};
    judge(view, check, view->domain->extras.isolated, &rule);
}

static void check_ovs(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"port of Open vSwitch with an interface id", NEST_VERDICT_WARN,
        "No port is managed by a network controller.",
        "A port of Open vSwitch is managed: port security may drop what inner VMs send.",
        "allow their addresses at the port (allowed address pairs), or disable port security"};
    judge(view, check, view->domain->extras.ovs, &rule);
}

static void check_model(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"emulated model", NEST_VERDICT_INFO, "No interface is emulated.",
        "An interface is emulated: its traffic, and that of inner VMs, is slow.",
        "model virtio, where the guest has a driver for it; vmxnet3 for ESXi"};
    judge(view, check, view->domain->extras.slow_model, &rule);
}

// clang-format off
const NestVmCheckRow nest_checks_vm_network[] = {
    {{"net.spoof", "inner VMs may send under their own MAC", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The network filter of each interface.",
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
         "Interfaces of type direct, their mode and trustGuestRxFilters.",
         "On macvtap an interface gets frames for its own MAC address only, and none for inner "
         "VMs.",
         "Use a bridge; or mode passthrough with trustGuestRxFilters='yes'.",
         "libvirt: formatdomain, Direct attachment to physical interface"},
        check_macvtap},
    {{"net.isolated", "no port is isolated", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The element port of each interface.",
         "Isolated ports do not see each other, and neither do the inner VMs behind them.",
         "Take isolated='yes' out of the definition.",
         "libvirt: formatdomain, Isolating guests' network traffic from each other"},
        check_isolated},
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
