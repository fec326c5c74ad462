/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof.h"
#include "nest-proof-resources.h"
#include "nest-record.h"
#include "nest-report.h"
#include "proof/proof-protocol.h"
#include <string.h>

#define IMAGE_PATH "/org/nestd/proof/nest-proof.bin"
#define LIST_MAX 128
#define PASSES_MAX 16
#define EXITS_MAX 64

GBytes *nest_proof_image(void)
{
    return g_resource_lookup_data(
        nest_proof_resources_get_resource(), IMAGE_PATH, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

char *nest_proof_command_line(guint32 seed)
{
    return g_strdup_printf("seed=%" G_GINT32_MODIFIER "x", seed);
}

const char *nest_proof_end(void)
{
    return PROOF_PREFIX "end ";
}

/* A report as it is read. A new "begin" begins it anew: the VM was reset. */
typedef struct {
    guint32 seed; /* that was asked for */
    guint64 begun_seed;
    guint lines;
    gboolean begun, ended, bad;
    guint right, wrong; /* answers of passes that are said to be ok */
    GStrv end; /* the words of the last line */
    NestProof *proof;
} Report;

static GStrv list_of(const GStrv words, const char *key)
{
    const char *value = nest_report_value(words, key);
    g_auto(GStrv) list = g_strsplit(value != NULL ? value : "", ",", LIST_MAX);
    GStrvBuilder *builder = g_strv_builder_new();
    for (guint i = 0; list[i] != NULL; i++) {
        if (*list[i] != '\0' && strlen(list[i]) <= NEST_REPORT_WORD_MAX &&
            strchr(list[i], ',') == NULL)
            g_strv_builder_add(builder, list[i]);
    }
    GStrv result = g_strv_builder_end(builder);
    g_strv_builder_unref(builder);
    return result;
}

static void begin_anew(Report *report)
{
    nest_proof_free(report->proof);
    *report =
        (Report){.seed = report->seed, .begun = TRUE, .proof = nest_record_new(&nest_proof_record)};
}

static void read_begin(Report *report, const GStrv words)
{
    nest_report_number(words, "seed", &report->begun_seed);
}

static void read_cpu(Report *report, const GStrv words)
{
    NestProof *proof = report->proof;
    guint extension = NEST_EXTENSION_NONE;
    const char *value = nest_report_value(words, "extension");
    report->bad |= !nest_nick_parse(nest_extension_nicks, value, &extension);
    g_free(proof->cpu_vendor);
    g_free(proof->hypervisor);
    proof->extension = extension;
    proof->cpu_vendor = nest_report_word(words, "vendor");
    proof->hypervisor = nest_report_word(words, "hypervisor");
}

static void read_lock(Report *report, const GStrv words)
{
    guint64 locked = 0;
    report->bad |= !nest_report_number(words, "locked", &locked) || locked > 1;
    report->proof->locked = locked == 1;
}

static void read_capabilities(Report *report, const GStrv words)
{
    NestProof *proof = report->proof;
    g_strfreev(proof->capabilities);
    g_strfreev(proof->missing);
    proof->capabilities = list_of(words, "present");
    proof->missing = list_of(words, "absent");
}

static void read_clock(Report *report, const GStrv words)
{
    report->bad |= !nest_report_number(words, "tsc-khz", &report->proof->tsc_khz);
}

static void read_pass(Report *report, const GStrv words)
{
    NestProofPass *pass = nest_record_new(&nest_proof_pass_record);
    pass->name = nest_report_word(words, "name");
    pass->result = nest_report_word(words, "result");
    if (pass->name == NULL || pass->result == NULL || report->proof->passes->len >= PASSES_MAX) {
        nest_proof_pass_free(pass);
        report->bad = TRUE;
        return;
    }
    g_ptr_array_add(report->proof->passes, pass);
    guint64 answer;
    if (g_str_equal(pass->result, "absent"))
        return;
    gboolean right = g_str_equal(pass->result, "ok") &&
        nest_report_number(words, "answer", &answer) && answer == proof_answer(report->seed);
    report->right += right;
    report->wrong += !right;
}

static void read_exit(Report *report, const GStrv words)
{
    NestProofExit *exit = nest_record_new(&nest_proof_exit_record);
    exit->pass = nest_report_word(words, "pass");
    exit->kind = nest_report_word(words, "kind");
    gboolean good = exit->pass != NULL && exit->kind != NULL &&
        nest_report_number(words, "count", &exit->count) &&
        nest_report_number(words, "min", &exit->min_cycles) &&
        nest_report_number(words, "median", &exit->median_cycles) &&
        exit->min_cycles <= exit->median_cycles && report->proof->exits->len < EXITS_MAX;
    if (good) {
        g_ptr_array_add(report->proof->exits, exit);
        return;
    }
    nest_proof_exit_free(exit);
    report->bad = TRUE;
}

static void read_end(Report *report, const GStrv words)
{
    guint64 lines = 0;
    report->proof->code = nest_report_word(words, "code");
    report->bad |= report->proof->code == NULL;
    report->ended = nest_report_number(words, "lines", &lines) && lines == report->lines;
    report->end = g_strdupv(words);
}

static const struct {
    const char *word;
    void (*read)(Report *report, const GStrv words);
} readers[] = {
    {"begin", read_begin},
    {"cpu", read_cpu},
    {"lock", read_lock},
    {"capabilities", read_capabilities},
    {"clock", read_clock},
    {"pass", read_pass},
    {"exit", read_exit},
    {"end", read_end},
};

/* What is no line of ours is no matter; what only looks like one is not counted, and so missed. */
static gboolean take(const GStrv words, gpointer data)
{
    Report *report = data;
    if (g_strcmp0(words[0], "begin") == 0)
        begin_anew(report);
    if (words[0] == NULL || !report->begun)
        return TRUE;
    report->lines++;
    for (guint i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (g_str_equal(words[0], readers[i].word))
            readers[i].read(report, words);
    }
    return report->end == NULL;
}

static const NestReportForm form = {PROOF_PREFIX, PROOF_LINE_MAX, NEST_PROOF_REPORT_MAX};

static const NestReportMeaning meanings[] = {
#define MEANING(name, word, meaning) {word, meaning},
    PROOF_CODES(MEANING)
#undef MEANING
        {"incomplete", "the proof VM did not report to the end"},
    {"unreadable", "the proof VM's report can't be understood"},
    {"contradiction", "the proof VM claims a success that its own report does not bear out"},
    {NULL, NULL},
};

/* Success is believed only where every part of it is there. */
static gboolean is_borne_out(const Report *report)
{
    const NestProof *proof = report->proof;
    return proof->extension != NEST_EXTENSION_NONE && !proof->locked && report->wrong == 0 &&
        report->right > 0 && proof->exits->len > 0;
}

static const char *judge(const Report *report)
{
    const char *code = report->proof->code;
    if (!report->begun || !report->ended)
        return "incomplete";
    if (g_strcmp0(code, "no-long-mode") != 0 && report->begun_seed != report->seed)
        return "contradiction";
    if (report->bad || nest_report_meaning(meanings, code) == NULL)
        return "unreadable";
    if (g_str_equal(code, "proved") && !is_borne_out(report))
        return "contradiction";
    return code;
}

/* Why it is not whole, as far as that can be told. */
static const char *shortfall_of(const Report *report, gsize length)
{
    if (length == 0)
        return "it said nothing";
    if (report->end != NULL)
        return "lines of its report are missing";
    if (length >= NEST_PROOF_REPORT_MAX)
        return "it said too much";
    return report->begun ? "its report breaks off" : "what it said is no report";
}

static char *message_of(const Report *report, const char *code, gsize length)
{
    const char *meaning = nest_report_meaning(meanings, code);
    return g_str_equal(code, "incomplete")
        ? g_strdup_printf("%s (%s)", meaning, shortfall_of(report, length))
        : nest_report_message(meaning, report->end);
}

NestProof *nest_proof_read(const char *text, gsize length, guint32 seed)
{
    Report report = {.seed = seed, .proof = nest_record_new(&nest_proof_record)};
    nest_report_read(&form, text, length, take, &report);
    g_autofree char *code = g_strdup(judge(&report));
    NestProof *proof = report.proof;
    g_free(proof->code);
    proof->code = g_steal_pointer(&code);
    proof->proved = g_str_equal(proof->code, "proved");
    proof->message = message_of(&report, proof->code, length);
    g_strfreev(report.end);
    return proof;
}
