/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-activity.h"

/* Another run, or statistics that fell: what was known is of other CPUs. */
static gboolean is_new(const NestActivityMemory *memory, const NestVmSample *sample)
{
    return !memory->begun || memory->run != sample->run ||
        (memory->counted && sample->counted && sample->nested_run < memory->nested_run);
}

static void begin(NestActivityMemory *memory, const NestVmSample *sample)
{
    NestActivity activity = memory->activity;
    gboolean fell = memory->begun && memory->run == sample->run;
    *memory = (NestActivityMemory){.begun = TRUE, .run = sample->run, .since = sample->time};
    memory->activity = activity;
    memory->perhaps = fell || !sample->booted;
}

/* TRUE if an inner VM is seen to run. */
static gboolean count(NestActivityMemory *memory, const NestVmSample *sample)
{
    if (!sample->counted)
        return FALSE;
    gboolean grew = memory->counted && sample->nested_run > memory->nested_run;
    gboolean enters = sample->guest_mode || grew;
    if (!memory->counted) {
        memory->since = sample->time;
        memory->perhaps = memory->perhaps || sample->nested_run > 0;
    }
    memory->counted = TRUE;
    memory->nested_run = sample->nested_run;
    if (enters)
        memory->entered = sample->time;
    memory->perhaps = memory->perhaps || enters;
    return enters;
}

static void hear(NestActivityMemory *memory, const NestVmSample *sample)
{
    if (sample->asked) {
        memory->exposed = sample->exposed;
        memory->switched_on = sample->switched_on;
        memory->told = sample->time;
    } else if (sample->time - memory->told > NEST_ACTIVITY_TOLD_US) {
        memory->switched_on = NEST_ANSWER_UNREAD;
    }
    if (sample->asked && memory->switched_on == NEST_ANSWER_NO)
        memory->perhaps = FALSE;
}

/* What was brought in may have an inner VM that has not moved here yet. */
static void note_origin(NestActivityMemory *memory, const NestVmSample *sample)
{
    if (sample->carried && !memory->carried) {
        memory->perhaps = TRUE;
        memory->since = sample->time;
    }
    memory->carried = sample->carried;
}

/* CPUs that do not run move nothing: the time does not count. */
static void hold_clock(NestActivityMemory *memory, const NestVmSample *sample)
{
    memory->since = sample->time;
    if (memory->activity == NEST_ACTIVITY_HOSTING && memory->entered > 0)
        memory->entered = sample->time;
}

static gboolean has_extension(
    const NestActivityMemory *memory, const NestVmSample *sample, gboolean exposed)
{
    if (memory->counted && (memory->nested_run > 0 || sample->guest_mode))
        return TRUE;
    return memory->exposed == NEST_ANSWER_UNREAD ? exposed : memory->exposed == NEST_ANSWER_YES;
}

static NestActivity decide(
    const NestActivityMemory *memory, const NestVmSample *sample, gboolean enters)
{
    if (enters)
        return NEST_ACTIVITY_HOSTING;
    if (memory->switched_on == NEST_ANSWER_NO)
        return NEST_ACTIVITY_EXPOSED;
    gboolean lately =
        memory->entered > 0 && sample->time - memory->entered < NEST_ACTIVITY_STILL_US;
    if (sample->counted && lately)
        return NEST_ACTIVITY_HOSTING;
    if (memory->switched_on == NEST_ANSWER_YES)
        return NEST_ACTIVITY_ARMED;
    if (!sample->counted)
        return NEST_ACTIVITY_UNKNOWN;
    if (!memory->perhaps)
        return NEST_ACTIVITY_EXPOSED;
    return sample->time - memory->since < NEST_ACTIVITY_STILL_US ? NEST_ACTIVITY_UNKNOWN
                                                                 : NEST_ACTIVITY_ARMED;
}

static NestActivity conclude(
    NestActivityMemory *memory, const NestVmSample *sample, gboolean exposed, gboolean enters)
{
    memory->activity =
        has_extension(memory, sample, exposed) ? decide(memory, sample, enters) : NEST_ACTIVITY_OFF;
    return memory->activity;
}

/* The monitor takes its time: a look without it that began later may be there first. What that
 * counted stays; what the monitor told is still the last that it told. */
static NestActivity hear_late(
    NestActivityMemory *memory, const NestVmSample *sample, gboolean exposed)
{
    gboolean newer = sample->run == memory->run && sample->time > memory->told;
    if (!sample->asked || !newer || memory->entered > sample->time)
        return memory->activity;
    hear(memory, sample);
    NestVmSample last = {.time = memory->seen, .counted = memory->counted};
    return conclude(memory, &last, exposed, FALSE);
}

NestActivity nest_activity_judge(
    NestActivityMemory *memory, const NestVmSample *sample, gboolean exposed)
{
    if (memory->begun && sample->time < memory->seen)
        return hear_late(memory, sample, exposed);
    if (is_new(memory, sample))
        begin(memory, sample);
    memory->seen = sample->time;
    note_origin(memory, sample);
    gboolean enters = count(memory, sample);
    hear(memory, sample);
    if (sample->paused)
        hold_clock(memory, sample);
    return conclude(memory, sample, exposed, enters);
}

const char *nest_activity_event(NestActivity from, NestActivity to, gboolean *hosting)
{
    if (to == NEST_ACTIVITY_HOSTING && !*hosting) {
        *hosting = TRUE;
        return "nested-l2-started";
    }
    if (to != NEST_ACTIVITY_HOSTING && to != NEST_ACTIVITY_UNKNOWN && *hosting) {
        *hosting = FALSE;
        return "nested-l2-stopped";
    }
    return from == NEST_ACTIVITY_EXPOSED && to == NEST_ACTIVITY_ARMED ? "nested-armed" : NULL;
}
