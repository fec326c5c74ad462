/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-job.h"

/* The label that says how far the guest of a VM is trusted: nestd's own, no hypervisor is asked. */

/* What the step needs, kept in the intent. */
typedef struct {
    NestTrust to, from;
    gboolean labelled; /* before */
} Detail;

static const NestField detail_fields[] = {
    {"to", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(Detail, to), nest_trust_nicks, NULL},
    {"from", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(Detail, from), nest_trust_nicks, NULL},
    {"labelled", NEST_FIELD_BOOL, NEST_FIELD_REQUIRED, offsetof(Detail, labelled), NULL, NULL},
};
static const NestRecord detail_record = {
    "label", sizeof(Detail), detail_fields, G_N_ELEMENTS(detail_fields)};

static gboolean read_detail(const NestJob *job, Detail *ret_detail, GError **error)
{
    return nest_job_read_detail(job, &detail_record, ret_detail, error);
}

static gboolean is_labelled(NestJob *job, NestTrust trust)
{
    g_autoptr(NestStoredMark) mark = nest_marks_get_stored(job->marks, nest_job_uuid(job));
    return mark->labelled && mark->trust == trust;
}

static gboolean label(NestJob *job, GError **error)
{
    Detail detail;
    if (!read_detail(job, &detail, error) ||
        !nest_marks_set_trust(job->marks, nest_job_uuid(job), TRUE, detail.to, error))
        return FALSE;
    if (is_labelled(job, detail.to))
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL, "the label of %s is not what was written",
        nest_job_name(job));
    return FALSE;
}

static gboolean label_back(NestJob *job, GError **error)
{
    Detail detail;
    return read_detail(job, &detail, error) &&
        nest_marks_set_trust(job->marks, nest_job_uuid(job), detail.labelled, detail.from, error);
}

static const NestJobStep label_step = {"label", "label changed", label, label_back, FALSE};

static gboolean prepare(NestJob *job, GError **error)
{
    nest_job_set_kind(job, "trust");
    if (!nest_job_read_vm(job, error))
        return FALSE;
    g_autoptr(NestStoredMark) mark = nest_marks_get_stored(job->marks, nest_job_uuid(job));
    Detail detail = {job->request->trust->trust, mark->trust, mark->labelled};
    if (is_labelled(job, detail.to))
        return TRUE;
    job->intent->detail = nest_codec_to_text(&detail_record, &detail);
    nest_job_add_step(job, &label_step);
    return TRUE;
}

static gboolean resume(NestJob *job, GError **error)
{
    Detail detail;
    job->steps[0] = &label_step;
    job->n_steps = 1;
    return read_detail(job, &detail, error);
}

/* Whoever asked was told that it will be done; a VM that is gone may come back. */
static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    return NEST_RECOVERY_FINISH;
}

static gboolean reached(const NestJob *job, const char *xml, GError **error)
{
    return TRUE;
}

const NestJobType nest_job_trust = {prepare, resume, recover, reached};
