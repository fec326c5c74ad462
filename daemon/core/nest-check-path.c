/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-path.h"
#include "nest-record.h"

static guint rank(NestVerdict verdict)
{
    static const guint8 ranks[] = {
        [NEST_VERDICT_NOT_APPLICABLE] = 0,
        [NEST_VERDICT_PASS] = 1,
        [NEST_VERDICT_INFO] = 2,
        [NEST_VERDICT_UNKNOWN] = 3,
        [NEST_VERDICT_WARN] = 4,
        [NEST_VERDICT_FAIL] = 5,
    };
    return ranks[verdict];
}

static void take(NestCheck *check, NestCheck *from)
{
    check->verdict = from->verdict;
    g_free(check->message);
    g_free(check->read);
    g_free(check->fix);
    check->message = g_steal_pointer(&from->message);
    check->read = g_steal_pointer(&from->read);
    check->fix = g_steal_pointer(&from->fix);
}

void nest_check_paths(const NestVmView *view, NestCheck *check, NestPathRule rule)
{
    const GPtrArray *paths = view->net->paths;
    nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It has no network.");
    for (guint i = 0; i < paths->len; i++) {
        g_autoptr(NestCheck) one = nest_record_new(&nest_check_record);
        nest_check_say(one, NEST_VERDICT_NOT_APPLICABLE, "None of its interfaces is of that kind.");
        rule(view, g_ptr_array_index(paths, i), one);
        if (i == 0 || rank(one->verdict) > rank(check->verdict))
            take(check, one);
    }
}

gboolean nest_check_runs(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (view->net->net == NULL)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "Only its definition is known.");
    else if (path->live == NULL)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "It shows while the VM runs: its port is made when it starts.");
    return view->net->net != NULL && path->live != NULL;
}

const char *nest_check_network_why(const NestVmView *view)
{
    const NestNetDefinitions *definitions = view->net->net->definitions;
    return definitions == NULL              ? "libvirt was not asked"
        : definitions->networks_why != NULL ? definitions->networks_why
                                            : "libvirt has none of that name";
}

gboolean nest_check_way_known(const NestVmView *view, const NestNetPath *path, NestCheck *check)
{
    if (path->way != NEST_WAY_UNKNOWN || view->net->net == NULL)
        return TRUE;
    const char *name = path->nic->source != NULL ? path->nic->source : "without a name";
    nest_check_read(check, "network %s: could not be read", name);
    nest_check_say(check, NEST_VERDICT_UNKNOWN, "What kind of network %s is could not be read: %s.",
        name, nest_check_network_why(view));
    return FALSE;
}

const char *nest_check_free_text(const NestVmView *view)
{
    const NestNetDefinitions *definitions = view->net->net->definitions;
    return definitions != NULL && definitions->networks != NULL
        ? "which is free here"
        : "to which nothing here has a route (libvirt's networks are not known)";
}

char *nest_check_nat_text(const NestVmView *view)
{
    NestSubnet subnet;
    if (!nest_vm_net_pick(view->net, &subnet))
        return g_strdup("let the VM translate addresses (NAT) for them, in a network that none of "
                        "its hosts has");
    g_autofree char *text = nest_subnet_text(subnet);
    return g_strdup_printf("let the VM translate addresses (NAT) for them: use %s inside, %s", text,
        nest_check_free_text(view));
}
