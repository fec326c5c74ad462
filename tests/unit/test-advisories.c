/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-advisories.h"
#include "nest-test-schema.h"
#include "nest-version.h"
#include <glib/gstdio.h>
#include <string.h>

#define ENTRY(id, more) \
    "{\"id\":\"" id "\",\"kind\":\"flaw\",\"check\":\"host.kernel.cve-nvmx\",\"title\":\"t\"," \
    "\"vendor\":\"vmx\",\"affected\":[{\"from\":\"5.0\",\"before\":\"5.1\"}],\"effect\":\"e\"," \
    "\"fix\":\"f\",\"source\":\"s\",\"verified\":true" more "}"
#define FILE_OF(entries) "{\"advisories\":[" entries "]}"

static const NestAdvisory *find(const NestAdvisories *advisories, const char *id)
{
    for (guint i = 0; i < advisories->entries->len; i++) {
        const NestAdvisory *advisory = g_ptr_array_index(advisories->entries, i);
        if (strcmp(advisory->id, id) == 0)
            return advisory;
    }
    return NULL;
}

/* Every flaw that has a name is found by it in a changelog, and has a source. */
static void test_shipped(void **state)
{
    g_autoptr(NestAdvisories) advisories = nest_advisories_load("/nonexistent");
    assert_null(advisories->problems[0]);
    assert_true(advisories->entries->len >= 15);
    for (guint i = 0; i < advisories->entries->len; i++) {
        const NestAdvisory *advisory = g_ptr_array_index(advisories->entries, i);
        assert_true(advisory->affected->len > 0);
        assert_false(g_str_has_suffix(advisory->effect, "."));
        if (advisory->kind != NEST_ADVISORY_FLAW)
            continue;
        assert_non_null(advisory->words[0]);
        assert_string_equal(advisory->words[0], advisory->cves[0]);
        assert_true(g_strv_contains((const char *const *)advisories->words, advisory->id));
    }
    assert_true(find(advisories, "CVE-2026-53359")->refuses);
    assert_false(find(advisories, "CVE-2021-3653")->verified);
}

static void test_schema(void **state)
{
    g_autoptr(json_t) schema = test_load_schema("advisories.schema.json");
    json_t *advisory = json_object_get(json_object_get(schema, "$defs"), "advisory");
    test_assert_same_fields(schema, advisory, &nest_advisory_record);
}

/* ---- files of the administrator ---- */

static int make_folder(void **state)
{
    *state = g_dir_make_tmp("nest-advisories-XXXXXX", NULL);
    return *state == NULL;
}

static int remove_folder(void **state)
{
    g_autoptr(GDir) dir = g_dir_open(*state, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(*state, name, NULL);
        g_remove(path);
    }
    g_remove(*state);
    g_free(*state);
    return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_override(void **state)
{
    put(*state, "10-a.json", FILE_OF(ENTRY("mine", "") "," ENTRY("CVE-2026-64562", "")));
    put(*state, "20-b.json", FILE_OF(ENTRY("mine", ",\"words\":[\"local-mend\"]")));
    put(*state, "ignored.txt", "no JSON");
    put(*state, ".hidden.json", "no JSON");
    g_autoptr(NestAdvisories) advisories = nest_advisories_load(*state);
    g_autoptr(NestAdvisories) shipped = nest_advisories_load("/nonexistent");
    assert_null(advisories->problems[0]);
    assert_int_equal(advisories->entries->len, shipped->entries->len + 1);
    assert_string_equal(find(advisories, "CVE-2026-64562")->title, "t");
    assert_string_equal(find(advisories, "mine")->words[0], "local-mend");
    assert_true(g_strv_contains((const char *const *)advisories->words, "local-mend"));
}

static void test_wrong_files(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "JSON"},
        {"[]", "must be a JSON object"},
        {"{\"advisories\":[]} x", "JSON"},
        {"{\"advisories\":{}}", "must be an array"},
        {"{}", "\"advisories\" is missing"},
        {"{\"advisories\":[],\"more\":1}", "unknown field \"more\""},
        {FILE_OF("{\"id\":\"a\"}"), "is missing"},
        {FILE_OF(ENTRY("a", ",\"refuses\":1")), "\"refuses\" must be true or false"},
        {FILE_OF(ENTRY("a", ",\"id\":\"b\"")), "duplicate"},
        {FILE_OF(ENTRY("", "")), "\"id\""},
        {FILE_OF(ENTRY("a/b", "")), "\"id\""},
        {FILE_OF(ENTRY("a", "") "," ENTRY("a", "")), "another entry has it"},
        {FILE_OF(ENTRY("a", ",\"words\":[\"a b\"]")), "\"words\""},
        {FILE_OF(ENTRY("a", ",\"words\":[\"\"]")), "\"words\""},
        {FILE_OF(ENTRY("a", ",\"cves\":[1]")), "\"cves\" must be an array of strings"},
        {FILE_OF(ENTRY("a",
             ",\"packages\":[{\"distribution\":\"d\",\"branch\":\"6.\",\"fixed\":"
             "\"5.1\"}]")),
            "begins with their \"branch\""},
    };
    g_autoptr(NestAdvisories) shipped = nest_advisories_load("/nonexistent");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        put(*state, "x.json", rows[i].text);
        g_autoptr(NestAdvisories) advisories = nest_advisories_load(*state);
        if (g_strv_length(advisories->problems) != 1 ||
            strstr(advisories->problems[0], rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].text, advisories->problems[0]);
        assert_non_null(strstr(advisories->problems[0], "x.json is left out: "));
        assert_int_equal(advisories->entries->len, shipped->entries->len);
    }
}

/* Replaces a part of a good file, once. */
static void test_wrong_values(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        {"\"kind\":\"flaw\"", "\"kind\":\"bug\"", "one of flaw, known-bad, gate"},
        {"\"vendor\":\"vmx\"", "\"vendor\":\"arm\"", "one of any, vmx, svm"},
        {"host.kernel.cve-nvmx", "host.arch", "\"check\" of the entry \"a\" must be one of"},
        {"\"title\":\"t\"", "\"title\":\"\"", "\"title\""},
        {"\"effect\":\"e\"", "\"effect\":\"a\\nb\"", "\"effect\""},
        {"\"from\":\"5.0\"", "\"from\":\"five\"", "\"affected\""},
        {"\"before\":\"5.1\"", "\"before\":\"5.0\"", "\"affected\""},
        {"\"before\":\"5.1\"", "\"before\":\"\"", "\"affected\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) parts = g_strsplit(FILE_OF(ENTRY("a", "")), rows[i].from, 2);
        g_autofree char *text = g_strjoinv(rows[i].to, parts);
        put(*state, "x.json", text);
        g_autoptr(NestAdvisories) advisories = nest_advisories_load(*state);
        if (advisories->problems[0] == NULL ||
            strstr(advisories->problems[0], rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].to, advisories->problems[0]);
    }
}

static void test_bounds(void **state)
{
    g_autofree char *folder = g_build_filename(*state, "folder.json", NULL);
    assert_int_equal(g_mkdir(folder, 0755), 0);
    g_autofree char *blanks = g_strnfill(256 * 1024, ' ');
    g_autofree char *large = g_strconcat(FILE_OF(""), blanks, NULL);
    put(*state, "large.json", large);
    g_autoptr(GString) many = g_string_new("{\"advisories\":[");
    for (guint i = 0; i < 257; i++)
        g_string_append_printf(many,
            "%s{\"id\":\"e%u\",\"kind\":\"gate\",\"check\":\"host.kernel.version\",\"title\":\"t\","
            "\"vendor\":\"any\",\"affected\":[],\"effect\":\"e\",\"fix\":\"f\",\"source\":\"s\","
            "\"verified\":false}",
            i > 0 ? "," : "", i);
    g_string_append(many, "]}");
    put(*state, "many.json", many->str);
    g_autoptr(NestAdvisories) advisories = nest_advisories_load(*state);
    assert_int_equal(g_strv_length(advisories->problems), 3);
    assert_non_null(
        strstr(advisories->problems[0], "folder.json is left out: it is not a regular"));
    assert_non_null(strstr(advisories->problems[1], "large.json is left out: it has more than"));
    assert_non_null(strstr(advisories->problems[2], "more than 256 entries"));
}

static void test_many_files(void **state)
{
    for (guint i = 0; i < 65; i++) {
        g_autofree char *name = g_strdup_printf("%02u.json", i);
        put(*state, name, FILE_OF(""));
    }
    g_autoptr(NestAdvisories) advisories = nest_advisories_load(*state);
    assert_int_equal(g_strv_length(advisories->problems), 1);
    assert_non_null(strstr(advisories->problems[0], "64.json is left out: there are more than"));
}

/* ---- judging ---- */

#define JUDGED(more) \
    "{\"advisories\":[{\"id\":\"a\",\"check\":\"host.kernel.cve-nvmx\",\"title\":\"t\"," \
    "\"vendor\":\"vmx\",\"effect\":\"e\",\"fix\":\"f\",\"source\":\"s\",\"verified\":true," more \
    "}]}"
#define FLAW \
    JUDGED("\"kind\":\"flaw\",\"words\":[\"CVE-1\",\"CVE-2\"],\"affected\":[" \
           "{\"from\":\"5.8\",\"before\":\"6.1.183\"},{\"from\":\"6.2\",\"before\":\"6.6.148\"}," \
           "{\"from\":\"7.2-rc1\",\"before\":\"7.2-rc5\"}],\"packages\":[" \
           "{\"distribution\":\"debian\",\"branch\":\"6.1.\",\"fixed\":\"6.1.180-2\"}," \
           "{\"distribution\":\"rhel\",\"branch\":\"5.14.0-570.\",\"fixed\":\"5.14.0-570.9.1\"}," \
           "{\"distribution\":\"rhel\",\"branch\":\"5.14.0-\",\"fixed\":\"5.14.0-600.1\"}]")
#define ENDLESS JUDGED("\"kind\":\"flaw\",\"affected\":[{\"from\":\"5.8\"}]")
#define SWITCHED_OFF JUDGED("\"kind\":\"flaw\",\"affected\":[]")
#define BAD \
    JUDGED("\"kind\":\"known-bad\",\"affected\":[{\"from\":\"4.19.78\",\"before\":\"4.19.79\"}]")
#define GATE JUDGED("\"kind\":\"gate\",\"affected\":[{\"from\":\"2.6.12\",\"before\":\"5.3\"}]")

typedef struct {
    const char *file;
    const char *version;
    gboolean exact;
    const char *distribution, *package, *mentioned;
    gboolean live_patched;
    NestExtension vendor;
    NestAdviceState state;
    const char *reason;
} JudgeRow;

#define VMX NEST_EXTENSION_VMX
#define NOT_AFFECTED NEST_ADVICE_NOT_AFFECTED
#define FIXED NEST_ADVICE_FIXED
#define UNKNOWN NEST_ADVICE_UNKNOWN
#define AFFECTED NEST_ADVICE_AFFECTED

static const JudgeRow judge_rows[] = {
    /* by the version of Linux */
    {FLAW, "6.1.182", TRUE, "x", NULL, NULL, FALSE, VMX, AFFECTED, "before 6.1.183"},
    {FLAW, "6.1.183", TRUE, "x", NULL, NULL, FALSE, VMX, FIXED, "6.1.183 is mended"},
    {FLAW, "6.1.200", TRUE, "x", NULL, NULL, FALSE, VMX, FIXED, "mended"},
    {FLAW, "6.2", TRUE, "x", NULL, NULL, FALSE, VMX, AFFECTED, "before 6.6.148"},
    {FLAW, "6.6.148", TRUE, "x", NULL, NULL, FALSE, VMX, FIXED, "mended"},
    {FLAW, "7.2-rc4", TRUE, "x", NULL, NULL, FALSE, VMX, AFFECTED, "before 7.2-rc5"},
    {FLAW, "7.2~rc5", TRUE, "x", NULL, NULL, FALSE, VMX, FIXED, "mended"},
    {FLAW, "7.2", TRUE, "x", NULL, NULL, FALSE, VMX, FIXED, "mended"},
    {FLAW, "5.7.19", TRUE, "x", NULL, NULL, FALSE, VMX, NOT_AFFECTED, "older"},
    {FLAW, NULL, FALSE, "x", NULL, NULL, FALSE, VMX, UNKNOWN, "can't be told"},
    {ENDLESS, "7.2", TRUE, "x", NULL, NULL, FALSE, VMX, AFFECTED, "no version that mends"},
    {SWITCHED_OFF, "6.1.0", FALSE, "x", NULL, NULL, FALSE, VMX, NOT_AFFECTED, "names no version"},
    /* a version that says little */
    {FLAW, "6.1.0", FALSE, "x", NULL, NULL, FALSE, VMX, UNKNOWN, "nothing says what"},
    {FLAW, "5.4.0", FALSE, "x", NULL, NULL, FALSE, VMX, UNKNOWN, "without raising"},
    {FLAW, "6.8.0", FALSE, "x", NULL, NULL, FALSE, VMX, FIXED, "mended"},
    {FLAW, "6.1.100", TRUE, "x", NULL, NULL, TRUE, VMX, UNKNOWN, "live patches"},
    {FLAW, "6.1.183", TRUE, "x", NULL, NULL, TRUE, VMX, FIXED, "mended"},
    /* by the CPU */
    {FLAW, "6.1.0", TRUE, "x", NULL, NULL, FALSE, NEST_EXTENSION_SVM, NOT_AFFECTED, "vendor"},
    {FLAW, "6.1.0", TRUE, "x", NULL, NULL, FALSE, NEST_EXTENSION_NONE, AFFECTED, "before"},
    /* by the package */
    {FLAW, "6.1.180", TRUE, "debian", "6.1.180-2", NULL, FALSE, VMX, FIXED, "package 6.1.180-2"},
    {FLAW, "6.1.180", TRUE, "debian", "6.1.180-10", NULL, FALSE, VMX, FIXED, "package"},
    {FLAW, "6.1.180", TRUE, "debian", "6.1.180-1", NULL, FALSE, VMX, AFFECTED, "before 6.1.180-2"},
    {FLAW, "6.1.180", TRUE, "debian", "6.1.180-1", NULL, TRUE, VMX, UNKNOWN, "live patches"},
    {FLAW, "6.1.180", TRUE, "ubuntu", "6.1.180-2", NULL, FALSE, VMX, AFFECTED, "before 6.1.183"},
    {FLAW, "6.6.1", TRUE, "debian", "6.6.1-9", NULL, FALSE, VMX, AFFECTED, "before 6.6.148"},
    {FLAW, "5.14.0", FALSE, "rhel", "5.14.0-570.9.1.el9_6", NULL, FALSE, VMX, FIXED, "570.9.1"},
    {FLAW, "5.14.0", FALSE, "rhel", "5.14.0-570.8.1.el9_6", NULL, FALSE, VMX, AFFECTED, "570.9.1"},
    {FLAW, "5.14.0", FALSE, "rhel", "5.14.0-570.el9_6", NULL, FALSE, VMX, AFFECTED, "570.9.1"},
    {FLAW, "5.14.0", FALSE, "rhel", "5.14.0-601.el9_7", NULL, FALSE, VMX, FIXED, "600.1"},
    {FLAW, "5.14.0", FALSE, "rhel", "5.14.0-427.el9_4", NULL, FALSE, VMX, AFFECTED, "600.1"},
    /* by the changelog */
    {FLAW, "6.1.0", FALSE, "ubuntu", "6.1.0-1.2", "CVE-1 CVE-2", FALSE, VMX, FIXED, "/log says"},
    {FLAW, "6.1.0", FALSE, "ubuntu", "6.1.0-1.2", "CVE-1", FALSE, VMX, UNKNOWN, "/log does not"},
    {FLAW, "6.1.180", TRUE, "debian", "6.1.180-1", "CVE-1 CVE-2", FALSE, VMX, FIXED, "/log says"},
    {ENDLESS, "6.1.0", FALSE, "ubuntu", "6.1.0-1.2", "CVE-1", FALSE, VMX, UNKNOWN, "/log"},
    /* faults of one branch, and gates */
    {BAD, "4.19.78", TRUE, "x", NULL, NULL, FALSE, VMX, AFFECTED, "before 4.19.79"},
    {BAD, "4.19.0", FALSE, "x", NULL, NULL, FALSE, VMX, UNKNOWN, "without raising"},
    {BAD, "4.18.0", FALSE, "x", NULL, NULL, FALSE, VMX, NOT_AFFECTED, "older"},
    {BAD, "5.14.0", FALSE, "x", NULL, NULL, FALSE, VMX, FIXED, "mended"},
    {GATE, "4.18.0", FALSE, "x", NULL, NULL, FALSE, VMX, AFFECTED, "before 5.3"},
    {GATE, "5.3.0", FALSE, "x", NULL, NULL, FALSE, VMX, FIXED, "mended"},
};

static void test_judge(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(judge_rows); i++) {
        const JudgeRow *row = &judge_rows[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) entries = nest_advisory_read(row->file, strlen(row->file), &error);
        assert_no_error(error);
        g_auto(GStrv) mentioned =
            row->mentioned != NULL ? g_strsplit(row->mentioned, " ", -1) : NULL;
        NestHostKernel kernel = {.version = (char *)row->version,
            .exact = row->exact,
            .distribution = (char *)row->distribution,
            .package = (char *)row->package,
            .live_patched = row->live_patched,
            .changelog = row->mentioned != NULL ? (char *)"/log" : NULL,
            .mentioned = mentioned};
        g_autofree char *reason = NULL;
        NestAdviceState judged =
            nest_advisory_judge(g_ptr_array_index(entries, 0), &kernel, row->vendor, &reason);
        if (judged != row->state || strstr(reason, row->reason) == NULL)
            fail_msg("row %u: %d, %s", i, judged, reason);
    }
}

static void test_versions(void **state)
{
    static const char *const rising[] = {"2.6.36", "4.19", "4.19.78", "5.15.222", "6.1", "6.1.9",
        "6.1.10", "7.2-rc1", "7.2~rc5-1", "7.2.0-rc6", "7.2", "7.2.1"};
    for (guint i = 1; i < G_N_ELEMENTS(rising); i++)
        if (nest_version_linux(rising[i - 1]) >= nest_version_linux(rising[i]))
            fail_msg("%s is not before %s", rising[i - 1], rising[i]);
    assert_true(nest_version_linux("7.2") == nest_version_linux("7.2.0-1-generic"));
    static const char *const none[] = {"", "six", "6", "6.x", NULL};
    for (guint i = 0; i < G_N_ELEMENTS(none); i++)
        assert_true(nest_version_linux(none[i]) == 0);
    static const struct {
        const char *a, *b;
        int deb, rpm;
    } rows[] = {
        {"6.1.9-1", "6.1.10-1", -1, -1},
        {"1.0", "1.0", 0, 0},
        {"1.0~rc1", "1.0", -1, -1},
        {"1.0~rc1", "1.0~rc2", -1, -1},
        {"1.0", "1.0a", -1, -1},
        {"1.0a", "1.0ab", -1, -1},
        {"1.0a", "1.0+", -1, 1},
        {"1.01", "1.1", 0, 0},
        {"1-2", "1-10", -1, -1},
        {"10", "9", 1, 1},
        {"1.0-1", "1.0", 1, 1},
        {"5.14.0-570.el9", "5.14.0-570.1.el9", 1, -1},
        {"5.14.0-570.9.1.el9_6", "5.14.0-570.10.1.el9_6", -1, -1},
        {"5.14.0-570.9.1.el9_6", "5.14.0-570.9.1", 1, 1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *a = rows[i].a, *b = rows[i].b;
        assert_int_equal(CLAMP(nest_version_compare_deb(a, b), -1, 1), rows[i].deb);
        assert_int_equal(CLAMP(nest_version_compare_deb(b, a), -1, 1), -rows[i].deb);
        assert_int_equal(CLAMP(nest_version_compare_rpm(a, b), -1, 1), rows[i].rpm);
        assert_int_equal(CLAMP(nest_version_compare_rpm(b, a), -1, 1), -rows[i].rpm);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_schema),
        IN_FOLDER(test_override),
        IN_FOLDER(test_wrong_files),
        IN_FOLDER(test_wrong_values),
        IN_FOLDER(test_bounds),
        IN_FOLDER(test_many_files),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
