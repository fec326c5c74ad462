/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-actions.h"
#include "nest-plan-refusal.h"
#include "nest-record.h"
#include "nest-saved-state.h"

#define IN(state) (1u << NEST_VM_##state)
#define ON (IN(RUNNING) | IN(PAUSED))

static const struct {
    const char *id;
    NestGuarded guard;
    guint states; /* in which it can be asked for */
} rows[] = {
    {"start", NEST_GUARD_START, IN(OFF)},
    {"start", NEST_GUARD_RESTORE, IN(SAVED)},
    {"shutdown", NEST_GUARD_SHUTDOWN, IN(RUNNING)},
    {"stop", NEST_GUARD_STOP, ON | IN(SHUTTING_DOWN) | IN(CRASHED)},
    {"reboot", NEST_GUARD_REBOOT, IN(RUNNING)},
    {"reset", NEST_GUARD_RESET, ON},
    {"pause", NEST_GUARD_PAUSE, IN(RUNNING)},
    {"resume", NEST_GUARD_PAUSE, IN(PAUSED)},
    {"save", NEST_GUARD_SAVE, ON},
    {"memory", NEST_GUARD_MEMORY, ON | IN(OFF)},
    {"checkpoint", NEST_GUARD_CHECKPOINT, ON},
    {"checkpoint-disk", NEST_GUARD_CHECKPOINT_DISK, ON},
    {"checkpoint", NEST_GUARD_CHECKPOINT_OFF, IN(OFF)},
    {"apply-checkpoint", NEST_GUARD_APPLY, ON},
    {"apply-checkpoint", NEST_GUARD_APPLY_OFF, IN(OFF)},
    {"migrate", NEST_GUARD_MIGRATE, ON},
    {"migrate", NEST_GUARD_MIGRATE_OFF, IN(OFF)},
    {"disable", NEST_GUARD_DISABLE, ON | IN(OFF) | IN(SAVED)},
    {"delete", NEST_GUARD_DELETE, IN(OFF) | IN(SAVED)},
};

static gboolean applies(guint row, const NestVmFacts *facts)
{
    gboolean applying =
        rows[row].guard == NEST_GUARD_APPLY || rows[row].guard == NEST_GUARD_APPLY_OFF;
    return (rows[row].states & (1u << facts->state)) != 0 && (!applying || facts->snapshots > 0);
}

/* It takes no force, and a paused VM that may host can't be turned off for it. */
static NestGuardVerdict *judge_disable(const NestVmView *view, NestParity parity)
{
    g_autoptr(GError) error = NULL;
    NestGuardVerdict *verdict = nest_guard_judge(NEST_GUARD_DISABLE, view, parity);
    if (!nest_plan_refuses_now(view, TRUE, &error))
        return verdict;
    g_autoptr(NestProblem) problem = nest_problem_from_error(error);
    verdict->say = NEST_SAY_NEVER;
    g_free(verdict->reason);
    g_free(verdict->next);
    verdict->reason = g_strdup(error->message);
    verdict->next = g_strdup(problem->next);
    return verdict;
}

/* A state that was saved needs all that a start needs. */
static NestGuardVerdict *judge(NestGuarded guard, const NestVmView *view, NestParity parity)
{
    if (guard == NEST_GUARD_DISABLE)
        return judge_disable(view, parity);
    if (guard != NEST_GUARD_RESTORE)
        return nest_guard_judge(guard, view, parity);
    NestGuardVerdict *start = nest_guard_judge(NEST_GUARD_START, view, parity);
    if (start->say >= NEST_SAY_REFUSE)
        return start;
    nest_guard_verdict_free(start);
    return nest_saved_judge(view, parity);
}

void nest_actions_add(const NestVmView *view, NestParity parity, NestVm *vm)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!applies(i, view->facts))
            continue;
        g_autoptr(NestGuardVerdict) verdict = judge(rows[i].guard, view, parity);
        NestAction *action = nest_record_new(&nest_action_record);
        action->id = g_strdup(rows[i].id);
        action->say = (NestActionSay)verdict->say;
        action->reason = g_steal_pointer(&verdict->reason);
        action->next = g_steal_pointer(&verdict->next);
        g_ptr_array_add(vm->actions, action);
    }
}
