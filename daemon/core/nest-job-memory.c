/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-job-guard.h"
#include "nest-job-steps.h"
#include "nest-power.h"
#include "nest-record.h"
#include "nest-size.h"

/* Memory: of a VM that is off in its definition, of one that runs by its balloon. */

#define MEMORY_MIN_KIB (16 * 1024)
#define MEMORY_MAX_KIB (16ull * 1024 * 1024 * 1024) /* 16 TiB */
/* A guest that has a driver for the balloon answers at once. */
#define BALLOON_WAIT_MS 5000
#define BALLOON_PAUSE_MS 50

/* What the steps need, kept in the intent. */
typedef struct {
    gboolean live;
    guint64 from_kib, to_kib;
} Detail;

static const NestField detail_fields[] = {
    {"live", NEST_FIELD_BOOL, NEST_FIELD_REQUIRED, offsetof(Detail, live), NULL, NULL},
    {"from_kib", NEST_FIELD_UINT64, NEST_FIELD_REQUIRED, offsetof(Detail, from_kib), NULL, NULL},
    {"to_kib", NEST_FIELD_UINT64, NEST_FIELD_REQUIRED, offsetof(Detail, to_kib), NULL, NULL},
};
static const NestRecord detail_record = {
    "resize", sizeof(Detail), detail_fields, G_N_ELEMENTS(detail_fields)};

static gboolean read_detail(const NestJob *job, Detail *ret_detail, GError **error)
{
    return nest_job_read_detail(job, &detail_record, ret_detail, error);
}

static gboolean read_now(NestJob *job, guint64 *ret_kib, GError **error)
{
    g_autoptr(NestVmReading) now =
        nest_vm_reading_take(job->backend, job->host, job->marks, nest_job_uuid(job), error);
    if (now == NULL)
        return FALSE;
    if (now->live == NULL) {
        nest_set_error(
            error, NEST_ERROR_VM_STATE, NULL, "%s does not run any more", nest_job_name(job));
        return FALSE;
    }
    *ret_kib = now->live->current_memory_kib;
    return TRUE;
}

static gboolean inflate(NestJob *job, guint64 kib, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + BALLOON_WAIT_MS * G_TIME_SPAN_MILLISECOND;
    guint64 now_kib = 0;
    if (!job->backend->ops->set_memory(job->backend, nest_job_uuid(job), kib, error) ||
        !read_now(job, &now_kib, error))
        return FALSE;
    while (now_kib != kib && g_get_monotonic_time() < deadline) {
        g_usleep(BALLOON_PAUSE_MS * 1000);
        if (!read_now(job, &now_kib, error))
            return FALSE;
    }
    if (now_kib == kib)
        return TRUE;
    g_autofree char *has = nest_size_text(now_kib);
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED,
        "see whether its system has a driver for the balloon, or resize it while it is off",
        "%s was asked to resize its memory, and still has %s", nest_job_name(job), has);
    return FALSE;
}

static gboolean resize(NestJob *job, GError **error)
{
    Detail detail;
    return read_detail(job, &detail, error) && inflate(job, detail.to_kib, error);
}

/* Nothing more than asking can be done, and what has ended needs nothing. */
static gboolean resize_back(NestJob *job, GError **error)
{
    Detail detail;
    guint64 now_kib = 0;
    g_autoptr(GError) problem = NULL;
    if (!read_detail(job, &detail, error))
        return FALSE;
    if (!read_now(job, &now_kib, &problem)) {
        NestErrorCode code = nest_error_code(problem);
        if (code == NEST_ERROR_VM_STATE || code == NEST_ERROR_VM_NOT_FOUND)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    return job->backend->ops->set_memory(job->backend, nest_job_uuid(job), detail.from_kib, error);
}

static const NestJobStep resize_step = {"memory", "memory resized", resize, resize_back, FALSE};
static const NestJobStep redefine_step = {"configuration", "configuration changed",
    nest_job_steps_define, nest_job_steps_define_original, FALSE};

static void set_detail(NestJob *job, gboolean live, guint64 from_kib)
{
    Detail detail = {live, from_kib, job->request->memory->memory_kib};
    job->intent->detail = nest_codec_to_text(&detail_record, &detail);
}

static gboolean check_live(NestJob *job, GError **error)
{
    const NestDomain *live = job->reading->live;
    g_autofree char *next =
        g_strdup_printf("nestctl shutdown %s, and resize it then", nest_job_name(job));
    g_autofree char *most = nest_size_text(live->memory_kib);
    if (job->request->memory->memory_kib > live->memory_kib) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, next, "%s was started with at most %s of memory",
            nest_job_name(job), most);
        return FALSE;
    }
    if (live->balloon)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_UNFIT, next,
        "the memory of %s can't change while it runs: it has no balloon", nest_job_name(job));
    return FALSE;
}

static gboolean prepare_live(NestJob *job, GError **error)
{
    guint64 from = job->reading->live->current_memory_kib;
    if (from == job->request->memory->memory_kib)
        return TRUE;
    if (!nest_job_guard(job, NEST_GUARD_MEMORY, error) || !check_live(job, error))
        return FALSE;
    set_detail(job, TRUE, from);
    nest_job_add_step(job, &resize_step);
    return TRUE;
}

static gboolean prepare_off(NestJob *job, GError **error)
{
    const char *before = job->reading->facts->xml;
    if (job->reading->facts->saved_state) {
        g_autofree char *next = g_strdup_printf("nestctl start %s", nest_job_name(job));
        nest_set_error(error, NEST_ERROR_VM_STATE, next,
            "%s can't be resized while it is saved: it resumes with the memory that it had",
            nest_job_name(job));
        return FALSE;
    }
    g_autofree char *after =
        nest_domain_set_memory(before, job->request->memory->memory_kib, TRUE, error);
    if (after == NULL)
        return FALSE;
    if (g_strcmp0(before, after) == 0)
        return TRUE;
    job->intent->before_xml = g_strdup(before);
    job->intent->after_xml = g_steal_pointer(&after);
    set_detail(job, FALSE, job->reading->domain->memory_kib);
    nest_job_add_step(job, &redefine_step);
    return TRUE;
}

static gboolean prepare(NestJob *job, GError **error)
{
    guint64 wanted = job->request->memory->memory_kib;
    nest_job_set_kind(job, "memory");
    if (wanted < MEMORY_MIN_KIB || wanted > MEMORY_MAX_KIB) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "choose a size in between",
            "memory_kib must be from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
            (guint64)MEMORY_MIN_KIB, (guint64)MEMORY_MAX_KIB);
        return FALSE;
    }
    if (!nest_job_read_vm(job, error))
        return FALSE;
    return job->reading->live != NULL ? prepare_live(job, error) : prepare_off(job, error);
}

static gboolean resume(NestJob *job, GError **error)
{
    Detail detail;
    if (!read_detail(job, &detail, error))
        return FALSE;
    job->steps[0] = detail.live ? &resize_step : &redefine_step;
    job->n_steps = 1;
    job->touched = TRUE;
    return TRUE;
}

static NestRecovery recover_live(
    const Detail *detail, const NestVmReading *reading, const char **note)
{
    if (reading->live == NULL) {
        *note = "it does not run any more";
        return NEST_RECOVERY_LEAVE;
    }
    if (reading->live->current_memory_kib == detail->to_kib)
        return NEST_RECOVERY_DONE;
    return reading->live->current_memory_kib == detail->from_kib ? NEST_RECOVERY_UNTOUCHED
                                                                 : NEST_RECOVERY_UNDO;
}

static gboolean has_memory(const char *xml, guint64 kib)
{
    g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
    return domain != NULL && domain->memory_kib == kib && domain->current_memory_kib == kib;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    Detail detail;
    if (reading == NULL || !read_detail(job, &detail, NULL)) {
        *note = "the virtual machine is gone";
        return NEST_RECOVERY_LEAVE;
    }
    if (detail.live)
        return recover_live(&detail, reading, note);
    if (nest_domain_same(reading->facts->xml, job->intent->before_xml))
        return NEST_RECOVERY_UNTOUCHED;
    if (has_memory(reading->facts->xml, detail.to_kib))
        return NEST_RECOVERY_DONE;
    *note = "the definition was changed by somebody else meanwhile, and was left alone";
    return NEST_RECOVERY_LEAVE;
}

static gboolean reached(const NestJob *job, const char *xml, GError **error)
{
    Detail detail;
    if (!read_detail(job, &detail, error))
        return FALSE;
    if (has_memory(xml, detail.to_kib))
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL,
        "the definition of %s does not have the memory that was wished", nest_job_name(job));
    return FALSE;
}

const NestJobType nest_job_memory = {prepare, resume, recover, reached};
