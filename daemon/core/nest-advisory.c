/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-advisory.h"
#include "nest-codec.h"
#include "nest-data-entry.h"
#include "nest-error.h"
#include "nest-version.h"
#include <string.h>

#define ENTRIES_MAX 256
#define ROWS_MAX 64
#define WORDS_MAX 16
#define TEXT_MAX_BYTES 1024

typedef struct {
    GPtrArray *advisories;
} File;

static const char *const kind_nicks[] = {"flaw", "known-bad", "gate", NULL};
static const char *const vendor_nicks[] = {"any", "vmx", "svm", NULL};

/* The checks that speak of advisories. */
static const char *const checks[] = {"host.kernel.cve-shadowmmu", "host.kernel.cve-nvmx",
    "host.kernel.cve-nsvm", "host.kernel.knownbad", "host.kernel.version", NULL};

// clang-format off
#define FIELD(Type, member, type, flags) \
    {#member, NEST_FIELD_##type, NEST_FIELD_##flags, offsetof(Type, member), NULL, NULL}

static const NestField range_fields[] = {
    FIELD(NestAdvisoryRange, from, STRING, REQUIRED),
    FIELD(NestAdvisoryRange, before, STRING, OPTIONAL),
};
static const NestRecord range_record =
    {"range of versions", sizeof(NestAdvisoryRange), range_fields, G_N_ELEMENTS(range_fields)};

static const NestField package_fields[] = {
    FIELD(NestAdvisoryPackage, distribution, STRING, REQUIRED),
    FIELD(NestAdvisoryPackage, branch, STRING, REQUIRED),
    FIELD(NestAdvisoryPackage, fixed, STRING, REQUIRED),
};
static const NestRecord package_record =
    {"package", sizeof(NestAdvisoryPackage), package_fields, G_N_ELEMENTS(package_fields)};

static const NestField advisory_fields[] = {
    FIELD(NestAdvisory, id, STRING, REQUIRED),
    {"kind", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(NestAdvisory, kind), kind_nicks, NULL},
    FIELD(NestAdvisory, check, STRING, REQUIRED),
    FIELD(NestAdvisory, title, STRING, REQUIRED),
    FIELD(NestAdvisory, cves, STRV, OPTIONAL),
    {"vendor", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(NestAdvisory, vendor), vendor_nicks,
        NULL},
    {"affected", NEST_FIELD_RECORDS, NEST_FIELD_REQUIRED, offsetof(NestAdvisory, affected), NULL,
        &range_record},
    {"packages", NEST_FIELD_RECORDS, NEST_FIELD_OPTIONAL, offsetof(NestAdvisory, packages), NULL,
        &package_record},
    FIELD(NestAdvisory, words, STRV, OPTIONAL),
    FIELD(NestAdvisory, refuses, BOOL, OPTIONAL),
    FIELD(NestAdvisory, effect, STRING, REQUIRED),
    FIELD(NestAdvisory, fix, STRING, REQUIRED),
    FIELD(NestAdvisory, source, STRING, REQUIRED),
    FIELD(NestAdvisory, verified, BOOL, REQUIRED),
};
const NestRecord nest_advisory_record =
    {"advisory", sizeof(NestAdvisory), advisory_fields, G_N_ELEMENTS(advisory_fields)};

static const NestField file_fields[] = {
    {"advisories", NEST_FIELD_RECORDS, NEST_FIELD_REQUIRED, offsetof(File, advisories), NULL,
        &nest_advisory_record},
};
static const NestRecord file_record =
    {"file of advisories", sizeof(File), file_fields, G_N_ELEMENTS(file_fields)};
// clang-format on

void nest_advisory_free(NestAdvisory *advisory)
{
    nest_record_free(&nest_advisory_record, advisory);
}

static void free_advisory(gpointer advisory)
{
    nest_advisory_free(advisory);
}

static gboolean refuse(
    const NestAdvisory *advisory, const char *field, const char *expected, GError **error)
{
    return nest_data_entry_refuse(advisory->id, field, expected, error);
}

static gboolean is_line(const char *text)
{
    return nest_data_entry_is_line(text, TEXT_MAX_BYTES);
}

static gboolean check_texts(const NestAdvisory *advisory, GError **error)
{
    const struct {
        const char *field, *text;
    } rows[] = {{"title", advisory->title}, {"effect", advisory->effect}, {"fix", advisory->fix},
        {"source", advisory->source}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!is_line(rows[i].text))
            return refuse(advisory, rows[i].field, "a line of 1 to 1024 bytes", error);
    return TRUE;
}

static gboolean check_words(const NestAdvisory *advisory, GError **error)
{
    const struct {
        const char *field;
        char **words;
    } rows[] = {{"cves", advisory->cves}, {"words", advisory->words}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].words != NULL && g_strv_length(rows[i].words) > WORDS_MAX)
            return refuse(advisory, rows[i].field, "at most 16 words", error);
        for (char **word = rows[i].words; word != NULL && *word != NULL; word++)
            if (!nest_data_entry_is_id(*word))
                return refuse(advisory, rows[i].field, "words of letters, digits and . _ -", error);
    }
    return TRUE;
}

static gboolean check_ranges(const NestAdvisory *advisory, GError **error)
{
    if (advisory->affected->len > ROWS_MAX)
        return refuse(advisory, "affected", "at most 64 ranges", error);
    for (guint i = 0; i < advisory->affected->len; i++) {
        const NestAdvisoryRange *range = g_ptr_array_index(advisory->affected, i);
        guint64 from = nest_version_linux(range->from);
        guint64 before = nest_version_linux(range->before);
        if (from == 0 || (range->before != NULL && before <= from))
            return refuse(advisory, "affected",
                "ranges of versions of Linux, each \"before\" later than its \"from\"", error);
    }
    return TRUE;
}

static gboolean check_packages(const NestAdvisory *advisory, GError **error)
{
    if (advisory->packages->len > ROWS_MAX)
        return refuse(advisory, "packages", "at most 64 packages", error);
    for (guint i = 0; i < advisory->packages->len; i++) {
        const NestAdvisoryPackage *package = g_ptr_array_index(advisory->packages, i);
        if (!is_line(package->distribution) || !is_line(package->branch) ||
            !is_line(package->fixed) || !g_str_has_prefix(package->fixed, package->branch))
            return refuse(advisory, "packages",
                "packages whose \"fixed\" begins with their \"branch\"", error);
    }
    return TRUE;
}

static gboolean check_advisory(const NestAdvisory *advisory, GError **error)
{
    if (!nest_data_entry_is_id(advisory->id))
        return refuse(advisory, "id", "1 to 64 letters, digits and . _ -", error);
    if (!g_strv_contains(checks, advisory->check)) {
        g_autofree char *names = g_strjoinv(", ", (GStrv)checks);
        g_autofree char *expected = g_strdup_printf("one of %s", names);
        return refuse(advisory, "check", expected, error);
    }
    return check_texts(advisory, error) && check_words(advisory, error) &&
        check_ranges(advisory, error) && check_packages(advisory, error);
}

static GPtrArray *check_file(const File *file, GError **error)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    if (file->advisories->len > ENTRIES_MAX) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see nestd.conf(5)",
            "there are more than %d entries", ENTRIES_MAX);
        return NULL;
    }
    g_autoptr(GPtrArray) advisories = g_ptr_array_new_with_free_func(free_advisory);
    for (guint i = 0; i < file->advisories->len; i++) {
        const NestAdvisory *advisory = g_ptr_array_index(file->advisories, i);
        if (!check_advisory(advisory, error))
            return NULL;
        if (!g_hash_table_add(ids, advisory->id)) {
            refuse(advisory, "id", "its own: another entry has it", error);
            return NULL;
        }
        g_ptr_array_add(advisories, nest_record_copy(&nest_advisory_record, advisory));
    }
    return g_steal_pointer(&advisories);
}

GPtrArray *nest_advisory_read(const char *text, gsize length, GError **error)
{
    File *file = nest_codec_from_text(&file_record, text, length, NEST_CODEC_STRICT, error);
    if (file == NULL)
        return NULL;
    GPtrArray *advisories = check_file(file, error);
    nest_record_free(&file_record, file);
    return advisories;
}

/* The row of the distribution with the longest branch that fits. */
static const NestAdvisoryPackage *find_package(
    const NestAdvisory *advisory, const NestHostKernel *kernel)
{
    const NestAdvisoryPackage *best = NULL;
    for (guint i = 0; kernel->package != NULL && i < advisory->packages->len; i++) {
        const NestAdvisoryPackage *package = g_ptr_array_index(advisory->packages, i);
        gboolean fits = g_strcmp0(package->distribution, kernel->distribution) == 0 &&
            g_str_has_prefix(kernel->package, package->branch);
        if (fits && (best == NULL || strlen(package->branch) > strlen(best->branch)))
            best = package;
    }
    return best;
}

/* TRUE if the package that runs is the one that mends it, or a later one. */
static gboolean is_mended(const NestHostKernel *kernel, const NestAdvisoryPackage *package)
{
    static const char *const debs[] = {"debian", "ubuntu", "proxmox", NULL};
    gboolean deb = g_strv_contains(debs, package->distribution);
    return (deb ? nest_version_compare_deb : nest_version_compare_rpm)(
               kernel->package, package->fixed) >= 0;
}

static gboolean all_mentioned(const NestAdvisory *advisory, const NestHostKernel *kernel)
{
    for (char **word = advisory->words; word != NULL && *word != NULL; word++)
        if (kernel->mentioned == NULL ||
            !g_strv_contains((const char *const *)kernel->mentioned, *word))
            return FALSE;
    return advisory->words != NULL && advisory->words[0] != NULL;
}

static const NestAdvisoryRange *find_range(const NestAdvisory *advisory, guint64 version)
{
    for (guint i = 0; i < advisory->affected->len; i++) {
        const NestAdvisoryRange *range = g_ptr_array_index(advisory->affected, i);
        if (version >= nest_version_linux(range->from) &&
            (range->before == NULL || version < nest_version_linux(range->before)))
            return range;
    }
    return NULL;
}

/* TRUE if version is older than all that are affected. */
static gboolean is_before_all(const NestAdvisory *advisory, guint64 version)
{
    for (guint i = 0; i < advisory->affected->len; i++) {
        const NestAdvisoryRange *range = g_ptr_array_index(advisory->affected, i);
        if (version >= nest_version_linux(range->from))
            return FALSE;
    }
    return TRUE;
}

/* A number that says little of what is mended still says the branch, and a fault that came with a
 * release of one branch is in no other. */
static gboolean is_of_other_branch(const NestAdvisory *advisory, guint64 version)
{
    for (guint i = 0; i < advisory->affected->len; i++) {
        const NestAdvisoryRange *range = g_ptr_array_index(advisory->affected, i);
        if (version >> 32 == nest_version_linux(range->from) >> 32)
            return FALSE;
    }
    return advisory->kind == NEST_ADVISORY_KNOWN_BAD;
}

static char *why_not_proved(const NestHostKernel *kernel)
{
    if (kernel->live_patched)
        return g_strdup("live patches are loaded, and which is not known");
    if (kernel->changelog != NULL && kernel->changelog_error == NULL)
        return g_strdup_printf(
            "its distribution mends without raising the version, and %s does not name it",
            kernel->changelog);
    return g_strdup_printf("its distribution mends without raising the version, and %s",
        kernel->changelog_error != NULL ? kernel->changelog_error : "nothing says what");
}

static NestAdviceState judge_version(
    const NestAdvisory *advisory, const NestHostKernel *kernel, char **ret_reason)
{
    guint64 version = nest_version_linux(kernel->version);
    gboolean exact = kernel->exact || advisory->kind == NEST_ADVISORY_GATE;
    if (version == 0) {
        *ret_reason = g_strdup("the version of the kernel can't be told");
        return NEST_ADVICE_UNKNOWN;
    }
    const NestAdvisoryRange *range = find_range(advisory, version);
    gboolean before = is_before_all(advisory, version);
    if (range == NULL && (exact || !before || is_of_other_branch(advisory, version))) {
        *ret_reason = g_strdup_printf(
            "Linux %s %s", kernel->version, before ? "is older than it" : "is mended");
        return before ? NEST_ADVICE_NOT_AFFECTED : NEST_ADVICE_FIXED;
    }
    if (range != NULL && exact && !kernel->live_patched) {
        *ret_reason = range->before != NULL
            ? g_strdup_printf("Linux %s is from before %s", kernel->version, range->before)
            : g_strdup_printf(
                  "Linux %s has it, and no version that mends it is known", kernel->version);
        return NEST_ADVICE_AFFECTED;
    }
    *ret_reason = why_not_proved(kernel);
    return NEST_ADVICE_UNKNOWN;
}

NestAdviceState nest_advisory_judge(const NestAdvisory *advisory, const NestHostKernel *kernel,
    NestExtension vendor, char **ret_reason)
{
    if (advisory->vendor != NEST_EXTENSION_NONE && vendor != NEST_EXTENSION_NONE &&
        advisory->vendor != vendor) {
        *ret_reason = g_strdup("the CPU is of another vendor");
        return NEST_ADVICE_NOT_AFFECTED;
    }
    if (advisory->affected->len == 0) {
        *ret_reason = g_strdup("its entry names no version");
        return NEST_ADVICE_NOT_AFFECTED;
    }
    const NestAdvisoryPackage *package = find_package(advisory, kernel);
    if (package != NULL && is_mended(kernel, package)) {
        *ret_reason = g_strdup_printf(
            "package %s is mended: %s has it first", kernel->package, package->fixed);
        return NEST_ADVICE_FIXED;
    }
    if (all_mentioned(advisory, kernel)) {
        *ret_reason = g_strdup_printf("%s says that it is mended", kernel->changelog);
        return NEST_ADVICE_FIXED;
    }
    if (package != NULL && !kernel->live_patched) {
        *ret_reason =
            g_strdup_printf("package %s is from before %s", kernel->package, package->fixed);
        return NEST_ADVICE_AFFECTED;
    }
    return judge_version(advisory, kernel, ret_reason);
}
