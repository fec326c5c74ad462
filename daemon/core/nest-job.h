/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-core.h"
#include "nest-host-block.h"
#include "nest-host-change.h"
#include "nest-inner.h"
#include "nest-install-plan.h"
#include "nest-sampler.h"
#include "nest-vm-card.h"

/* One change to one VM or to the host, from the wish to the outcome. A job is prepared, run and
 * freed by one worker; only cancellable is touched by others. */
typedef struct NestJob NestJob;
typedef struct NestInstall NestInstall; /* nest-job-install.c */

typedef struct {
    const char *id;
    const char *title;
    /* The effect with its read-back. On failure it must have left things as they were, or undo
     * must be able to tell. */
    gboolean (*apply)(NestJob *job, GError **error);
    /* Takes the effect back; called for the failed step too. NULL: there is no way back, or
     * nothing to take back. */
    gboolean (*undo)(NestJob *job, GError **error);
    gboolean destructive; /* once begun it can't be taken back */
} NestJobStep;

/* How an operation that a crash interrupted ended. */
typedef enum {
    NEST_RECOVERY_DONE, /* everything is there: record it as done */
    NEST_RECOVERY_FINISH, /* apply every step (again) */
    NEST_RECOVERY_UNTOUCHED, /* nothing was done */
    NEST_RECOVERY_UNDO, /* call undo of every step, last first */
    NEST_RECOVERY_LEAVE /* neither: say so, touch nothing */
} NestRecovery;

typedef struct {
    /* Reads what it needs, decides, and adds the steps; none: nothing is to be done. Sets
     * intent->before_xml, after_xml and detail, and the operation's kind. Changes nothing. */
    gboolean (*prepare)(NestJob *job, GError **error);
    /* Restores from job->intent and job->reading what the steps need. */
    gboolean (*resume)(NestJob *job, GError **error);
    /* Pure: what to do about an interrupted job. reading is NULL where the VM is gone. note: a
     * sentence for people, static. */
    NestRecovery (*recover)(const NestJob *job, const NestVmReading *reading, const char **note);
    /* TRUE if xml is a definition as the job wishes it; NULL where it changes none. */
    gboolean (*reached)(const NestJob *job, const char *xml, GError **error);
} NestJobType;

/* A recipe has the most: its steps, the restart, the proof. */
#define NEST_JOB_STEPS_MAX (NEST_RECIPE_STEPS_MAX + 2)

struct NestJob {
    /* borrowed */
    const NestConfig *config;
    const GPtrArray *recipes; /* NestRecipe; NULL in tests of a job alone */
    NestStore *store;
    NestBackend *backend;
    NestHostHands *hands;
    NestMarks *marks; /* NULL in tests of a job alone */
    NestSampler *sampler; /* likewise */
    /* owned */
    const NestJobType *type;
    NestRequest *request; /* NULL when recovering */
    NestRight right; /* of who asked */
    NestHostSnapshot *host;
    GCancellable *cancellable;
    NestIntent *intent;
    NestVmReading *reading; /* as prepare saw the VM, or recovery, which may be before an undo; NULL
                             * for create, and where recovery found no VM */
    NestPlan *plan; /* of nested and undo jobs */
    NestDomainWish wish; /* of nested jobs */
    gboolean touched; /* nested, undo, memory: it was tried to change the definition; checkpoint:
                       * what was wished is there; migrate: it may be on its way; inner VMs: it
                       * may have been made, for recovery: what was wished is there */
    char *
        written; /* of nested and undo jobs: the new definition as it reads back; NULL: not known */
    NestInner *inner; /* of jobs of inner VMs: as the guest was last seen */
    gboolean partly; /* likewise: it may still be under way; as recovery finds it: some is done */
    NestHostChange *change; /* of jobs of the host */
    NestInstall *install; /* of install jobs */
    GPtrArray *values; /* of its settings, as recovery finds them */
    const NestJobStep *steps[NEST_JOB_STEPS_MAX];
    guint n_steps;
    guint at; /* the step that is being applied */
    gboolean stays; /* what a failed step leaves behind can't be taken back, and the note says so */
    NestJob *follow; /* what its failure led to, ended: an undo; NULL: nothing */
    char *way_on; /* what to do where a crash interrupted it; NULL: try again */
    gboolean unrecorded; /* it ended, but the store could not take it */
    int retrying; /* atomic: recording it is being tried again right now */
    /* Called on the worker's thread whenever the operation changed. */
    void (*report)(NestJob *job);
    gpointer report_data;
};

/* uuid: of the VM, resolved; NULL for the host. Takes request over. */
NestJob *nest_job_new(NestRequest *request, const char *uuid, const NestCaller *caller);
void nest_job_free(NestJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestJob, nest_job_free)

/* A job to recover intent, which it takes over. NULL where its kind is unknown (a newer nestd
 * wrote it); intent is freed then too. */
NestJob *nest_job_from_intent(NestIntent *intent);

/* For prepare functions. */
void nest_job_add_step(NestJob *job, const NestJobStep *step);
void nest_job_set_kind(NestJob *job, const char *kind);
/* Reads the VM into job->reading and checks request->if_match. */
gboolean nest_job_read_vm(NestJob *job, GError **error);
/* Looks at what the VM of reading does with its extension right now, if it runs, so that guards
 * judge by that: before doing to it what a guard may forbid. Takes up to half a second, and a few
 * seconds where its QEMU does not answer. */
void nest_job_look_inside(const NestJob *job, NestVmReading *reading);
/* Reads the intent's detail, of a shape without pointers, into ret_detail. */
gboolean nest_job_read_detail(
    const NestJob *job, const NestRecord *shape, gpointer ret_detail, GError **error);
const char *nest_job_uuid(const NestJob *job);
const char *nest_job_name(const NestJob *job);

/* One per file. */
extern const NestJobType nest_job_nested, nest_job_undo, nest_job_state, nest_job_restart,
    nest_job_memory, nest_job_checkpoint, nest_job_migrate, nest_job_create, nest_job_delete,
    nest_job_trust, nest_job_unfit, nest_job_inner, nest_job_install, nest_job_host_fix,
    nest_job_host_undo;

void nest_install_free(NestInstall *install);

/* The plan to get a hypervisor into the guest of the VM of view. Blocks. */
NestPlan *nest_job_install_plan(NestBackend *backend, const GPtrArray *recipes,
    const NestVmView *view, const NestInstallWish *wish, GError **error);

/* The plans of the jobs of the host, whose root is where they work. */
NestPlan *nest_job_host_plan_fix(NestHostSnapshot *host, const char *root,
    const NestHostBlocks *blocks, const char *const *decline);
NestPlan *nest_job_host_plan_undo(
    NestHostSnapshot *host, const char *root, NestStore *store, gint64 to, GError **error);
