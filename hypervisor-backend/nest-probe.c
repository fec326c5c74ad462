/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-probe.h"
#include "nest-probe-resources.h"
#include "nest-record.h"
#include "nest-report.h"
#include "probe/probe-protocol.h"
#include <string.h>

#define IMAGE_PATH "/org/nestd/probe/nest-probe"
#define PASSES_MAX 8
#define MEASURES_MAX 16
#define PASSES_NEEDED 2

GBytes *nest_probe_image(void)
{
    return g_resource_lookup_data(
        nest_probe_resources_get_resource(), IMAGE_PATH, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

guint nest_probe_seconds(void)
{
    return PROBE_SECONDS;
}

typedef struct {
    guint32 seed; /* that was asked for */
    guint64 begun_seed;
    guint lines;
    gboolean begun, ended, bad;
    guint right; /* passes that are ok, and their answer is */
    GStrv end; /* the words of the last line */
    NestVerification *result;
} Report;

static void read_begin(Report *report, const GStrv words)
{
    report->bad |= report->begun;
    report->begun = nest_report_number(words, "seed", &report->begun_seed);
}

static void read_cpu(Report *report, const GStrv words)
{
    NestVerification *result = report->result;
    guint extension = NEST_EXTENSION_NONE;
    report->bad |=
        !nest_nick_parse(nest_extension_nicks, nest_report_value(words, "extension"), &extension);
    g_free(result->cpu_vendor);
    g_free(result->hypervisor);
    result->extension = extension;
    result->cpu_vendor = nest_report_word(words, "vendor");
    result->hypervisor = nest_report_word(words, "hypervisor");
}

static guint32 right_answer(guint32 seed)
{
    for (guint i = 0; i < PROBE_ROUNDS; i++)
        seed = probe_round(seed);
    return seed;
}

static void read_pass(Report *report, const GStrv words)
{
    NestProofPass *pass = nest_record_new(&nest_proof_pass_record);
    guint64 answer = 0;
    pass->name = nest_report_word(words, "name");
    pass->result = nest_report_word(words, "result");
    if (pass->name == NULL || pass->result == NULL || report->result->passes->len >= PASSES_MAX) {
        nest_proof_pass_free(pass);
        report->bad = TRUE;
        return;
    }
    g_ptr_array_add(report->result->passes, pass);
    if (g_str_equal(pass->result, "ok") && nest_report_number(words, "answer", &answer) &&
        answer == right_answer(report->seed))
        report->right++;
}

static void read_measure(Report *report, const GStrv words)
{
    NestMeasure *measure = nest_record_new(&nest_measure_record);
    measure->name = nest_report_word(words, "name");
    gboolean good = measure->name != NULL && nest_report_number(words, "count", &measure->count) &&
        measure->count > 0 && nest_report_number(words, "own-ns", &measure->own_ns) &&
        nest_report_number(words, "inner-ns", &measure->inner_ns) && measure->inner_ns > 0 &&
        MAX(MAX(measure->count, measure->own_ns), measure->inner_ns) <= G_MAXINT64 &&
        report->result->measures->len < MEASURES_MAX;
    if (good) {
        g_ptr_array_add(report->result->measures, measure);
        return;
    }
    nest_measure_free(measure);
    report->bad = TRUE;
}

static void read_clock(Report *report, const GStrv words)
{
    guint64 *khz = &report->result->tsc_khz;
    report->bad |= !nest_report_number(words, "tsc-khz", khz) || *khz > G_MAXUINT32;
}

static void read_end(Report *report, const GStrv words)
{
    guint64 lines = 0;
    report->result->code = nest_report_word(words, "code");
    report->bad |= report->result->code == NULL;
    report->ended = nest_report_number(words, "lines", &lines) && lines == report->lines;
    report->end = g_strdupv(words);
}

static const struct {
    const char *word;
    void (*read)(Report *report, const GStrv words);
} readers[] = {
    {"begin", read_begin},
    {"cpu", read_cpu},
    {"pass", read_pass},
    {"measure", read_measure},
    {"clock", read_clock},
    {"end", read_end},
};

static gboolean take(const GStrv words, gpointer data)
{
    Report *report = data;
    if (words[0] == NULL)
        return TRUE;
    report->lines++;
    for (guint i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (g_str_equal(words[0], readers[i].word))
            readers[i].read(report, words);
    }
    return report->end == NULL;
}

static const NestReportForm form = {PROBE_PREFIX, PROBE_LINE_MAX, NEST_PROBE_REPORT_MAX};

static const NestReportMeaning meanings[] = {
#define MEANING(name, word, meaning) {word, meaning},
    PROBE_CODES(MEANING)
#undef MEANING
        {"incomplete", "the program in the guest did not report to the end"},
    {"unreadable", "the report of the program in the guest can't be understood"},
    {"contradiction",
        "the program in the guest claims a success that its report does not bear out"},
    {NULL, NULL},
};

static const char *judge(const Report *report)
{
    const NestVerification *result = report->result;
    if (!report->begun || !report->ended)
        return "incomplete";
    if (report->begun_seed != report->seed)
        return "contradiction";
    if (report->bad || nest_report_meaning(meanings, result->code) == NULL)
        return "unreadable";
    gboolean borne_out = report->right >= PASSES_NEEDED && report->right == result->passes->len &&
        result->measures->len > 0;
    return g_str_equal(result->code, "verified") && !borne_out ? "contradiction" : result->code;
}

NestVerification *nest_probe_read(const char *text, gsize length, guint32 seed)
{
    Report report = {.seed = seed, .result = nest_record_new(&nest_verification_record)};
    nest_report_read(&form, text, length, take, &report);
    NestVerification *result = report.result;
    g_autofree char *code = g_strdup(judge(&report));
    g_free(result->code);
    result->code = g_steal_pointer(&code);
    result->verified = g_str_equal(result->code, "verified");
    result->message = nest_report_message(nest_report_meaning(meanings, result->code), report.end);
    g_strfreev(report.end);
    return result;
}

NestVerification *nest_probe_not_run(const char *code, const char *message)
{
    NestVerification *result = nest_record_new(&nest_verification_record);
    result->code = g_strdup(code);
    result->message = g_strdup(message);
    return result;
}
