/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-path.h"
#include "nest-host-block.h"

/* What the ports of the bridge, and the bridge, do to frames of inner VMs. */

static const char *switch_text(NestFlag state)
{
    static const char *const texts[] = {"unknown", "off", "on"};
    return texts[state];
}

/* The port as it is now; NULL, and a verdict is said, where there is none to look at. */
static const NestLink *port_of(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if ((path->way != NEST_WAY_BRIDGE && path->way != NEST_WAY_OWN &&
            path->way != NEST_WAY_UNKNOWN) ||
        path->ovs || !nest_check_runs(view, path, check))
        return NULL;
    const char *error = view->net->net->links->error;
    nest_check_read(check, "port %s: %s",
        path->tap_name != NULL ? path->tap_name : "without a name",
        path->tap == NULL     ? "not there"
            : path->tap->port ? "there"
                              : "not a port of a bridge");
    if (path->tap == NULL)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The port of %s could not be looked at: %s.",
            path->name, error != NULL ? error : "this host has no such device");
    else if (!path->tap->port)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "%s is not a port of a bridge of the kernel.", path->tap->name);
    return path->tap != NULL && path->tap->port ? path->tap : NULL;
}

static const char *bridge_text(const NestNetPath *path)
{
    return path->bridge != NULL ? path->bridge->name : "its bridge";
}

static void judge_table(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (g_strcmp0(path->nic->type, "network") != 0 || view->net->net == NULL ||
        view->net->net->definitions == NULL)
        return;
    const char *name = path->nic->source != NULL ? path->nic->source : "without a name";
    nest_check_read(check, "network %s, macTableManager: %s", name,
        path->network == NULL            ? "could not be read"
            : path->network->fixed_table ? "libvirt"
                                         : "kernel");
    if (path->network == NULL) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The network %s could not be read: %s.", name,
            nest_check_network_why(view));
    } else if (path->network->fixed_table) {
        nest_check_fix(check,
            "virsh net-edit %s: take macTableManager='libvirt' out; then, with its VMs off, virsh "
            "net-destroy %s and virsh net-start %s",
            name, name, name);
        nest_check_say(check, NEST_VERDICT_WARN,
            "Frames for inner VMs end at the bridge of the network %s: libvirt keeps its table of "
            "MAC addresses, and does not know theirs.",
            name);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "The bridge learns MAC addresses by itself.");
    }
}

static void check_table(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_table);
}

/* What is a command here is an item of "host fix" where that looks for it. */
static void fix_port(const NestVmView *view, NestCheck *check, gboolean blocks,
    const NestLink *port, const char *flags)
{
    nest_check_fix(check, "%sbridge link set dev %s %s",
        blocks && nest_host_blocks_concern(view) ? NEST_HOST_BLOCK_FIX : "", port->name, flags);
}

static void judge_learning(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    const NestLink *port = port_of(view, path, check);
    if (port == NULL)
        return;
    nest_check_read(check, "/sys/class/net/%s/brport: learning %s, unicast_flood %s", port->name,
        switch_text(port->learning), switch_text(port->flood));
    gboolean learns = port->learning == NEST_FLAG_ON, floods = port->flood == NEST_FLAG_ON;
    if (port->learning == NEST_FLAG_UNKNOWN || port->flood == NEST_FLAG_UNKNOWN) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether %s learns the MAC addresses behind %s could not be read.", bridge_text(path),
            port->name);
        return;
    }
    if (learns && floods) {
        nest_check_say(check, NEST_VERDICT_PASS, "The ports of its bridge learn and flood.");
        return;
    }
    fix_port(view, check, !learns && !floods, port, "learning on flood on");
    if (!learns && !floods)
        nest_check_say(check, NEST_VERDICT_WARN,
            "Frames for inner VMs end at the bridge port %s: it learns no MAC addresses, and gets "
            "no frames for those that %s does not know.",
            port->name, bridge_text(path));
    else
        nest_check_say(check, NEST_VERDICT_INFO,
            learns ? "Frames for an inner VM pass the bridge port %s once the inner VM has sent "
                     "some: before, %s floods none there."
                   : "The bridge port %s learns no MAC addresses: %s copies what is for inner VMs "
                     "to all ports.",
            port->name, bridge_text(path));
}

static void check_learning(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_learning);
}

/* TRUE if path ends, as it runs, at a bridge of the kernel. */
static gboolean runs_bridged(const NestVmView *view, const NestNetPath *path)
{
    return view->net->net != NULL && path->live != NULL && !path->ovs &&
        (path->way == NEST_WAY_BRIDGE || path->way == NEST_WAY_OWN);
}

/* That no port is isolated, as far as that is known. */
static void say_open(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (!nest_check_way_known(view, path, check))
        return;
    if (runs_bridged(view, path)) {
        const NestLink *port = port_of(view, path, check);
        if (port == NULL)
            return;
        if (port->isolated == NEST_FLAG_UNKNOWN) {
            nest_check_say(check, NEST_VERDICT_UNKNOWN,
                "The flag isolated of %s could not be read.", port->name);
            return;
        }
    }
    nest_check_say(check, NEST_VERDICT_PASS, "No port is isolated.");
}

/* The port is isolated as it runs. Where the network could not be read, that may be asked for. */
static void fix_isolated(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (path->way != NEST_WAY_UNKNOWN)
        fix_port(view, check, TRUE, path->tap, "isolated off");
    else
        nest_check_fix(check,
            "bridge link set dev %s isolated off, unless its network asks for it: virsh "
            "net-dumpxml %s",
            path->tap->name, path->nic->source);
}

/* What the definition says holds for the next start too. */
static void judge_isolated(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    gboolean live = path->tap != NULL && path->tap->isolated == NEST_FLAG_ON;
    nest_check_read(check, "definition, port of %s: %s; as it runs: %s", path->name,
        path->isolated ? "isolated" : "not isolated",
        path->tap != NULL ? switch_text(path->tap->isolated) : "not there");
    if (!path->isolated && !live) {
        say_open(view, path, check);
        return;
    }
    if (path->nic->isolated)
        nest_check_fix(check, "nestctl enable %s", view->facts->name);
    else if (path->isolated)
        nest_check_fix(
            check, "virsh net-edit %s: take <port isolated='yes'/> out", path->network->name);
    else
        fix_isolated(view, path, check);
    nest_check_say(check, NEST_VERDICT_WARN,
        "Frames between inner VMs and those behind other isolated ports end at the bridge port of "
        "%s: it is isolated.",
        path->name);
}

static void check_isolated(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_isolated);
}

/* A flag of the port that must be off. */
typedef struct {
    const char *name, *off; /* the words of bridge(8) */
    NestVerdict verdict;
    const char *good, *bad; /* with the port's name */
} Flag;

static void judge_flag(const NestVmView *view, const NestLink *port, NestFlag state,
    const Flag *flag, NestCheck *check)
{
    nest_check_read(check, "port %s, %s: %s", port->name, flag->name, switch_text(state));
    if (state == NEST_FLAG_UNKNOWN) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The flag %s of %s could not be read.",
            flag->name, port->name);
    } else if (state == NEST_FLAG_ON) {
        fix_port(view, check, TRUE, port, flag->off);
        nest_check_say(check, flag->verdict, "At the bridge port %s %s.", port->name, flag->bad);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "%s", flag->good);
    }
}

static void judge_guard(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    static const Flag flag = {"bpdu_guard", "guard off", NEST_VERDICT_WARN,
        "A spanning tree in the VM closes no port.",
        "all traffic of the VM ends as soon as a bridge in it speaks the spanning tree protocol"};
    const NestLink *port = port_of(view, path, check);
    if (port == NULL)
        return;
    judge_flag(view, port, port->guard, &flag, check);
    /* br_stp_rcv(): without a spanning tree of its own the bridge does not look. */
    if (port->guard == NEST_FLAG_ON && path->bridge != NULL && path->bridge->stp == NEST_FLAG_OFF) {
        g_clear_pointer(&check->fix, g_free);
        nest_check_say(check, NEST_VERDICT_PASS,
            "The guard of %s does nothing: %s itself speaks no spanning tree protocol.", port->name,
            path->bridge->name);
    }
}

static void check_guard(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_guard);
}

static void judge_locked(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    static const Flag flag = {"locked", "locked off", NEST_VERDICT_WARN, "No port is locked.",
        "what inner VMs send is dropped: it is locked to MAC addresses that it was told"};
    const NestLink *port = port_of(view, path, check);
    if (port != NULL)
        judge_flag(view, port, port->locked, &flag, check);
}

static void check_locked(const NestVmView *view, NestCheck *check)
{
    nest_check_paths(view, check, judge_locked);
}

// clang-format off
const NestVmCheckRow nest_checks_vm_port[] = {
    {{"net.mactable", "the bridge learns MAC addresses", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The attribute macTableManager of the bridge in the definition of the virtual network.",
         "Where libvirt keeps the table, ports neither learn nor get what is unknown, and libvirt "
         "knows the VM's own address only.",
         "Take macTableManager='libvirt' out of the network's definition and start it again.",
         "libvirt: formatnetwork, macTableManager"},
        check_table},
    {{"net.learning", "its port learns MAC addresses", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The flags learning and unicast_flood of the bridge port of each interface.",
         "With both off, a frame for an inner VM finds no port.",
         "nestctl host fix; by hand: bridge link set dev TAP learning on flood on.",
         "Linux: bridge(8)"},
        check_learning},
    {{"net.isolated", "no port is isolated", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The element port of each interface, and the flag isolated of its bridge port.",
         "Isolated ports do not see each other, and neither do the inner VMs behind them.",
         "nestctl enable VM; by hand: take isolated='yes' out of the definition.",
         "libvirt: formatdomain, Isolating guests' network traffic from each other"},
        check_isolated},
    {{"net.bpduguard", "its port suffers a bridge in the VM", NEST_CHECK_PLAIN,
         NEST_VERDICT_WARN,
         "The flag bpdu_guard of the bridge port of each interface, where the bridge speaks the "
         "spanning tree protocol.",
         "The port is closed when the first frame of a spanning tree comes, and a bridge in the VM "
         "may send them.",
         "Switch the spanning tree off on bridges in the VM, or the guard: bridge link set dev TAP "
         "guard off.",
         "Linux: bridge(8)"},
        check_guard},
    {{"net.locked", "its port accepts unknown MAC addresses", NEST_CHECK_PLAIN,
         NEST_VERDICT_WARN,
         "The flag locked of the bridge port of each interface.",
         "A locked port drops frames from MAC addresses that are not in the bridge's table.",
         "nestctl host fix; by hand: bridge link set dev TAP locked off, or put the addresses into the table: bridge fdb.",
         "Linux: bridge(8)"},
        check_locked},
    {{NULL}, NULL},
};
// clang-format on
