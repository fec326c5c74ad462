/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-given.h"
#include "nest-record.h"

/* That of the host; where it has none, the one that is asked for. */
static NestExtension at_stake(const NestVmView *view)
{
    NestExtension extension = nest_vm_view_extension(view);
    if (extension != NEST_EXTENSION_NONE || view->domain == NULL)
        return extension;
    if (nest_vm_domain_asks(view->domain, NEST_EXTENSION_VMX))
        return NEST_EXTENSION_VMX;
    return nest_vm_domain_asks(view->domain, NEST_EXTENSION_SVM) ? NEST_EXTENSION_SVM
                                                                 : NEST_EXTENSION_NONE;
}

static void find(NestGiven *given, NestPresence presence, NestWitness witness)
{
    given->presence = presence;
    given->witness = witness;
}

/* Of both extensions, where both are asked for, a host has one: the other is always named. */
static gboolean log_misses(NestStartLog log, NestExtension extension)
{
    gboolean vmx = extension == NEST_EXTENSION_VMX;
    return log == NEST_START_LOG_MISSES_BOTH ||
        log == (vmx ? NEST_START_LOG_MISSES_VMX : NEST_START_LOG_MISSES_SVM);
}

/* Of other CPUs than the host's, libvirt notes in the live definition what it found (fact F2). */
static void find_asked(const NestVmView *view, NestGiven *given)
{
    NestStartLog log = view->facts->start_log;
    if (log_misses(log, given->extension))
        find(given, NEST_PRESENCE_ABSENT, NEST_WITNESS_LOG);
    else if (!nest_vm_domain_of_host(view->live) || view->live->check_full)
        find(given, NEST_PRESENCE_PRESENT, NEST_WITNESS_LIBVIRT);
    else if (log != NEST_START_LOG_UNREAD && !view->live->cpu_override)
        find(given, NEST_PRESENCE_PRESENT, NEST_WITNESS_LOG);
}

static void find_presence(const NestVmView *view, NestGiven *given)
{
    const NestVmMarks *marks = view->marks;
    const NestDomain *live = view->live;
    gboolean told = marks != NULL && marks->run == view->facts->run;
    if (told && marks->exposed == NEST_ANSWER_YES)
        find(given, NEST_PRESENCE_PRESENT, NEST_WITNESS_MONITOR);
    else if (told && marks->exposed == NEST_ANSWER_NO)
        find(given, NEST_PRESENCE_ABSENT, NEST_WITNESS_MONITOR);
    else if (live == NULL || given->extension == NEST_EXTENSION_NONE)
        return;
    else if (nest_vm_domain_asks(live, given->extension))
        find_asked(view, given);
    else if (nest_vm_domain_hides(live, given->extension) && !nest_vm_domain_of_host(live))
        find(given, NEST_PRESENCE_ABSENT, NEST_WITNESS_LIBVIRT);
    else if (nest_domain_nesting(live, given->extension) == NEST_NESTING_OFF)
        find(given, NEST_PRESENCE_ABSENT, NEST_WITNESS_COMMAND);
}

static NestFlaw flaw_of(const NestGiven *given, const NestDomain *domain)
{
    if (domain == NULL)
        return NEST_FLAW_NONE;
    if (given->presence == NEST_PRESENCE_ABSENT && nest_vm_domain_asks(domain, given->extension))
        return NEST_FLAW_MISSING;
    if (given->presence == NEST_PRESENCE_PRESENT && nest_vm_domain_hides(domain, given->extension))
        return NEST_FLAW_UNWANTED;
    return NEST_FLAW_NONE;
}

static NestGiven *judge(const NestVmView *view, gboolean stored_counts)
{
    if (view->facts->live_xml == NULL)
        return NULL;
    NestGiven *given = nest_record_new(&nest_given_record);
    given->extension = at_stake(view);
    given->since = view->facts->since;
    find_presence(view, given);
    given->flaw = flaw_of(given, view->live);
    if (given->flaw == NEST_FLAW_NONE && stored_counts)
        given->flaw = flaw_of(given, view->domain);
    return given;
}

static gboolean is_as_started(const NestVmView *view)
{
    const NestVmMarks *marks = view->marks;
    if (marks == NULL || marks->started_as == NULL || marks->run != view->facts->run)
        return FALSE;
    g_autofree char *now = nest_domain_fingerprint(view->facts->xml);
    return g_strcmp0(now, marks->started_as) == 0;
}

NestGiven *nest_given_judge(const NestVmView *view)
{
    return judge(view, is_as_started(view));
}

NestGiven *nest_given_judge_start(const NestVmView *view)
{
    return judge(view, TRUE);
}

const char *nest_given_words(const NestGiven *given)
{
    gboolean present = given->presence == NEST_PRESENCE_PRESENT;
    switch (given->witness) {
    case NEST_WITNESS_LIBVIRT:
        return present ? "libvirt compared its CPU when it started"
                       : "libvirt found its CPU without when it started";
    case NEST_WITNESS_COMMAND:
        return "its QEMU was started with the extension switched off";
    case NEST_WITNESS_LOG:
        return present ? "QEMU's log does not name it as missing"
                       : "QEMU's log names it as missing";
    case NEST_WITNESS_MONITOR:
        return present ? "QEMU says so of its virtual CPU" : "QEMU's virtual CPU is without";
    case NEST_WITNESS_NONE:
        return "nothing tells";
    }
    return "nothing tells";
}
