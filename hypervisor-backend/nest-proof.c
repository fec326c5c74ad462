/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof.h"
#include "nest-proof-resources.h"
#include "nest-record.h"
#include "proof/proof-protocol.h"
#include <string.h>

#define IMAGE_PATH "/org/nestd/proof/nest-proof.bin"
#define WORD_MAX 64
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

/* The value of key= among words, NULL where it is not. */
static const char *value_of(const GStrv words, const char *key)
{
    gsize length = strlen(key);
    for (guint i = 0; words[i] != NULL; i++) {
        if (strncmp(words[i], key, length) == 0 && words[i][length] == '=')
            return words[i] + length + 1;
    }
    return NULL;
}

static gboolean number_of(const GStrv words, const char *key, guint64 *ret_number)
{
    const char *value = value_of(words, key);
    if (value == NULL)
        return FALSE;
    guint base = g_str_has_prefix(value, "0x") ? 16 : 10;
    return g_ascii_string_to_unsigned(
        base == 16 ? value + 2 : value, base, 0, G_MAXUINT64, ret_number, NULL);
}

/* A word of the report, if it is one that a person can be shown. */
static char *word_of(const GStrv words, const char *key)
{
    const char *value = value_of(words, key);
    return value != NULL && *value != '\0' ? g_strndup(value, WORD_MAX) : NULL;
}

static GStrv list_of(const GStrv words, const char *key)
{
    const char *value = value_of(words, key);
    g_auto(GStrv) list = g_strsplit(value != NULL ? value : "", ",", LIST_MAX);
    GStrvBuilder *builder = g_strv_builder_new();
    for (guint i = 0; list[i] != NULL; i++) {
        if (*list[i] != '\0' && strlen(list[i]) <= WORD_MAX && strchr(list[i], ',') == NULL)
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
    number_of(words, "seed", &report->begun_seed);
}

static void read_cpu(Report *report, const GStrv words)
{
    NestProof *proof = report->proof;
    guint extension = NEST_EXTENSION_NONE;
    const char *value = value_of(words, "extension");
    report->bad |= !nest_nick_parse(nest_extension_nicks, value, &extension);
    g_free(proof->cpu_vendor);
    g_free(proof->hypervisor);
    proof->extension = extension;
    proof->cpu_vendor = word_of(words, "vendor");
    proof->hypervisor = word_of(words, "hypervisor");
}

static void read_lock(Report *report, const GStrv words)
{
    guint64 locked = 0;
    report->bad |= !number_of(words, "locked", &locked) || locked > 1;
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
    report->bad |= !number_of(words, "tsc-khz", &report->proof->tsc_khz);
}

static void read_pass(Report *report, const GStrv words)
{
    NestProofPass *pass = nest_record_new(&nest_proof_pass_record);
    pass->name = word_of(words, "name");
    pass->result = word_of(words, "result");
    if (pass->name == NULL || pass->result == NULL || report->proof->passes->len >= PASSES_MAX) {
        nest_proof_pass_free(pass);
        report->bad = TRUE;
        return;
    }
    g_ptr_array_add(report->proof->passes, pass);
    guint64 answer;
    if (g_str_equal(pass->result, "absent"))
        return;
    gboolean right = g_str_equal(pass->result, "ok") && number_of(words, "answer", &answer) &&
        answer == proof_answer(report->seed);
    report->right += right;
    report->wrong += !right;
}

static void read_exit(Report *report, const GStrv words)
{
    NestProofExit *exit = nest_record_new(&nest_proof_exit_record);
    exit->pass = word_of(words, "pass");
    exit->kind = word_of(words, "kind");
    gboolean good = exit->pass != NULL && exit->kind != NULL &&
        number_of(words, "count", &exit->count) && number_of(words, "min", &exit->min_cycles) &&
        number_of(words, "median", &exit->median_cycles) &&
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
    report->proof->code = word_of(words, "code");
    report->bad |= report->proof->code == NULL;
    report->ended = number_of(words, "lines", &lines) && lines == report->lines;
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

static void read_words(Report *report, const GStrv words)
{
    if (g_strcmp0(words[0], "begin") == 0)
        begin_anew(report);
    if (words[0] == NULL || !report->begun)
        return;
    report->lines++;
    for (guint i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (g_str_equal(words[0], readers[i].word))
            readers[i].read(report, words);
    }
}

static gboolean is_printable(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isprint(text[i]))
            return FALSE;
    }
    return TRUE;
}

/* What is no line of ours is no matter; what only looks like one is not counted, and so missed. */
static void read_line(Report *report, const char *line, gsize length)
{
    gsize prefix = strlen(PROOF_PREFIX);
    while (length > 0 && line[length - 1] == '\r')
        length--;
    if (length < prefix || length > PROOF_LINE_MAX || memcmp(line, PROOF_PREFIX, prefix) != 0 ||
        !is_printable(line, length))
        return;
    g_autofree char *copy = g_strndup(line + prefix, length - prefix);
    g_auto(GStrv) words = g_strsplit(copy, " ", -1);
    read_words(report, words);
}

static void read_report(Report *report, const char *text, gsize length)
{
    const char *end = text + MIN(length, NEST_PROOF_REPORT_MAX);
    while (text < end && report->end == NULL) {
        const char *newline = memchr(text, '\n', (gsize)(end - text));
        if (newline == NULL)
            return;
        read_line(report, text, (gsize)(newline - text));
        text = newline + 1;
    }
}

static const struct {
    const char *code, *meaning;
} meanings[] = {
#define MEANING(name, word, meaning) {word, meaning},
    PROOF_CODES(MEANING)
#undef MEANING
        {"incomplete", "the proof VM did not report to the end"},
    {"unreadable", "the proof VM's report can't be understood"},
    {"contradiction", "the proof VM claims a success that its own report does not bear out"},
};

static const char *meaning_of(const char *code)
{
    for (guint i = 0; i < G_N_ELEMENTS(meanings); i++) {
        if (g_strcmp0(meanings[i].code, code) == 0)
            return meanings[i].meaning;
    }
    return NULL;
}

/* What the report's last line adds to its code: "pass=shadow reason=0x2". */
static char *details(const Report *report)
{
    GString *text = g_string_new(NULL);
    for (guint i = 1; report->end != NULL && report->end[i] != NULL; i++) {
        if (g_str_has_prefix(report->end[i], "code=") ||
            g_str_has_prefix(report->end[i], "lines=") || *report->end[i] == '\0')
            continue;
        g_string_append_printf(text, "%s%.*s", text->len > 0 ? " " : "", WORD_MAX, report->end[i]);
    }
    return g_string_free(text, FALSE);
}

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
    if (report->bad || meaning_of(code) == NULL)
        return "unreadable";
    if (g_str_equal(code, "proved") && !is_borne_out(report))
        return "contradiction";
    return code;
}

NestProof *nest_proof_read(const char *text, gsize length, guint32 seed)
{
    Report report = {.seed = seed, .proof = nest_record_new(&nest_proof_record)};
    read_report(&report, text, length);
    g_autofree char *code = g_strdup(judge(&report));
    g_autofree char *more = details(&report);
    NestProof *proof = report.proof;
    g_free(proof->code);
    proof->code = g_steal_pointer(&code);
    proof->proved = g_str_equal(proof->code, "proved");
    proof->message = g_strdup_printf("%s%s%s%s", meaning_of(proof->code), *more != '\0' ? " (" : "",
        more, *more != '\0' ? ")" : "");
    g_strfreev(report.end);
    return proof;
}
