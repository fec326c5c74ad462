/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"

/* What going back to a snapshot would do to nesting. */

/* FALSE, and the verdict is said, where there is nothing to judge. */
static gboolean have_snapshots(const NestVmView *view, NestCheck *check)
{
    const NestVmFacts *facts = view->facts;
    const NestSnapshotFacts *read = facts->snapshot_facts;
    nest_check_read(check, "hypervisor: %u snapshot%s, %u read", facts->snapshots,
        facts->snapshots == 1 ? "" : "s", read != NULL ? read->read : 0);
    if (facts->snapshots == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "It has no snapshots.");
        return FALSE;
    }
    NestNesting nesting = nest_vm_view_nesting(view);
    if (nesting != NEST_NESTING_ON && nesting != NEST_NESTING_UNENFORCED) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "It does not ask for the extension: a snapshot has none to lose.");
        return FALSE;
    }
    if (read == NULL)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "Its snapshots could not be read.");
    return read != NULL;
}

/* What to say where none of those that were read stands out. */
static void say_none(const NestVmView *view, NestCheck *check, const char *good)
{
    guint unread = view->facts->snapshots > view->facts->snapshot_facts->read
        ? view->facts->snapshots - view->facts->snapshot_facts->read
        : 0;
    if (unread > 0)
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "%u of its snapshots were not read: there are too many, or they could not be.", unread);
    else
        nest_check_say(check, NEST_VERDICT_PASS, "%s", good);
}

static void check_memory(const NestVmView *view, NestCheck *check)
{
    if (!have_snapshots(view, check))
        return;
    const NestSnapshotFacts *read = view->facts->snapshot_facts;
    if (read->with_memory == 0) {
        say_none(view, check, "No snapshot holds the memory of a VM that ran.");
        return;
    }
    nest_check_fix(check,
        "delete it, or go back to it before nesting is needed: virsh "
        "snapshot-delete %s %s",
        view->facts->name, read->memory_name);
    nest_check_say(check, NEST_VERDICT_WARN,
        "%u snapshot%s, %s for one, hold%s a VM that ran: going back resumes it with the CPU that "
        "it had then.",
        read->with_memory, read->with_memory == 1 ? "" : "s", read->memory_name,
        read->with_memory == 1 ? "s" : "");
}

static void check_cpu(const NestVmView *view, NestCheck *check)
{
    if (!have_snapshots(view, check))
        return;
    const NestSnapshotFacts *read = view->facts->snapshot_facts;
    if (read->without == 0) {
        say_none(view, check, "Every snapshot asks for the extension too.");
        return;
    }
    nest_check_fix(check, "after going back to it: nestctl enable %s", view->facts->name);
    nest_check_say(check, NEST_VERDICT_WARN,
        "%u snapshot%s, %s for one, do%s not ask for the extension: going back drops nesting.",
        read->without, read->without == 1 ? "" : "s", read->without_name,
        read->without == 1 ? "es" : "");
}

// clang-format off
const NestVmCheckRow nest_checks_vm_snapshot[] = {
    {{"vm.snap.memory", "no snapshot holds a VM that ran", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether snapshots hold memory, of a VM that nests.",
         "Such a snapshot brings back the CPU of that time, and on some hosts can't be gone back "
         "to if inner VMs ran.",
         "Keep snapshots of disks only, taken while the VM is off.",
         "libvirt: formatsnapshot; nestd: docs/facts.md, F20 to F22"},
        check_memory},
    {{"vm.snap.cpu", "every snapshot nests too", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The CPU in the definitions that snapshots hold, of a VM that nests.",
         "Going back to a snapshot brings its definition back, without the extension.",
         "nestctl enable VM, after going back.",
         "libvirt: formatsnapshot"},
        check_cpu},
    {{NULL}, NULL},
};
// clang-format on
