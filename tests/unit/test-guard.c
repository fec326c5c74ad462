/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard-image.h"
#include "nest-test-view.h"
#include <string.h>

typedef struct {
    TestVm vm;
    NestErrorCode code; /* 0: allowed */
    const char *reason;
    const char *next; /* NULL: the way out that the gift names */
    NestParity parity;
} Row;

#define OTHER_VENDOR "another CPU vendor"
#define HOST_CANNOT "can't give it the extension: "
#define DYNAMIC "its memory is dynamic"

static void check_rows(NestGuarded operation, const Row *rows, guint n_rows)
{
    for (guint i = 0; i < n_rows; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        gboolean allowed = nest_guard_allows(operation, &test->view, rows[i].parity, &error);
        if (allowed != (rows[i].reason == NULL) || allowed != (error == NULL))
            fail_msg("row %u: %s", i, error != NULL ? error->message : "allowed");
        if (allowed)
            continue;
        assert_nest_error(error, rows[i].code, rows[i].reason);
        assert_non_null(strstr(error->message, "DemoVM"));
        g_autoptr(NestProblem) problem = nest_problem_from_error(error);
        g_autoptr(NestGift) gift = nest_vm_view_gift(&test->view);
        const char *next = rows[i].next != NULL ? rows[i].next : gift->next;
        assert_string_equal(problem->next != NULL ? problem->next : "", next != NULL ? next : "");
    }
}

static void test_start(void **state)
{
    static const Row rows[] = {
        {{.cpu = CPU_OFF}},
        {{.cpu = CPU_ON("vmx")}},
        {{.cpu = CPU_MODE("host-passthrough")}},
        {{.cpu = CPU_OFF, .host = "no-extension"}},
        {{.type = "qemu", .cpu = CPU_TCG_ON}},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .host = "no-extension"}},
        /* what can't be known forbids nothing */
        {{.cpu = CPU_ON("vmx"), .host = ""}},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .no_caps = TRUE, .host = ""}},
        {{.cpu = CPU_ON("svm")}, NEST_ERROR_HOST_UNFIT, OTHER_VENDOR, "nestctl enable DemoVM"},
        {{.cpu = CPU_ON("vmx"), .host = "amd-ready"}, NEST_ERROR_HOST_UNFIT, OTHER_VENDOR,
            "nestctl enable DemoVM"},
        {{.type = "qemu", .cpu = CPU_ON("vmx")}, NEST_ERROR_HOST_UNFIT, OTHER_VENDOR,
            "nestctl enable DemoVM"},
        {{.cpu = CPU_ON("vmx"), .host = "intel-nested-off"}, NEST_ERROR_HOST_UNFIT, HOST_CANNOT},
        {{.cpu = CPU_ON("vmx"), .host = "no-extension"}, NEST_ERROR_HOST_UNFIT, HOST_CANNOT},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .tcg_offers_none = TRUE}, NEST_ERROR_HOST_UNFIT,
            HOST_CANNOT},
        {{.cpu = CPU_ON("vmx"), .memory_mib = 4096, .current_mib = 1024, .balloon = TRUE},
            NEST_ERROR_VM_UNFIT, DYNAMIC, "nestctl enable DemoVM"},
        {{.cpu = CPU_OFF, .memory_mib = 4096, .current_mib = 1024, .balloon = TRUE}},
        {{.cpu = CPU_ON("vmx"), .memory_mib = 4096, .current_mib = 1024}},
        {{.cpu = CPU_ON("vmx"), .balloon = TRUE}},
    };
    check_rows(NEST_GUARD_START, rows, G_N_ELEMENTS(rows));
}

#define LOST "may host other VMs: the state of the VMs inside would be lost"
#define POLICY "may host other VMs: [guard] parity=hyperv forbids it"
#define RUNS .state = NEST_VM_RUNNING
#define SHUTDOWN "nestctl shutdown DemoVM"

/* What runs counts, and what is not known counts as the worst. */
static void test_save(void **state)
{
    static const Row rows[] = {
        {{.live_cpu = CPU_OFF, RUNS}},
        /* what is stored does not run */
        {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF, RUNS}},
        {{.cpu = CPU_ON("vmx")}},
        /* a host without extension gives none */
        {{.live_cpu = CPU_MODE("host-passthrough"),
            RUNS,
            .host = "no-extension",
            .kvm_offers_none = TRUE}},
        {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), RUNS}, NEST_ERROR_VM_STATE, POLICY,
            SHUTDOWN},
        {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), RUNS}, .parity = NEST_PARITY_KVM},
        {{.cpu = CPU_OFF, .live_cpu = CPU_ON("vmx"), .state = NEST_VM_PAUSED}, NEST_ERROR_VM_STATE,
            POLICY, SHUTDOWN},
        {{.live_cpu = CPU_MODE("host-passthrough"), RUNS}, NEST_ERROR_VM_STATE, POLICY, SHUTDOWN},
        /* a host that can't carry it, or of which that is not known */
        {{.live_cpu = CPU_ON("vmx"), RUNS, .host = "intel-nested-off"}, NEST_ERROR_VM_STATE, LOST,
            SHUTDOWN, NEST_PARITY_KVM},
        {{.live_cpu = CPU_ON("vmx"), RUNS, .host = ""}, NEST_ERROR_VM_STATE, LOST, SHUTDOWN,
            NEST_PARITY_KVM},
        {{.live_cpu = CPU_ON("vmx"), RUNS, .no_caps = TRUE}, NEST_ERROR_VM_STATE, LOST, SHUTDOWN,
            NEST_PARITY_KVM},
        {{.live_cpu = CPU_ON("svm"), RUNS, .host = "amd-ready"}, NEST_ERROR_VM_STATE, LOST,
            SHUTDOWN, NEST_PARITY_KVM},
        {{.type = "qemu", .cpu = CPU_OFF, .live_cpu = CPU_TCG_ON, RUNS}, NEST_ERROR_VM_STATE, LOST,
            SHUTDOWN, NEST_PARITY_KVM},
    };
    check_rows(NEST_GUARD_SAVE, rows, G_N_ELEMENTS(rows));
}

#define SAMPLED(what) .live_cpu = CPU_ON("vmx"), RUNS, .activity = NEST_ACTIVITY_##what

/* What was sampled counts before what the definition says. */
static void test_activity(void **state)
{
    static const Row rows[] = {
        {{SAMPLED(OFF)}},
        {{SAMPLED(EXPOSED)}},
        {{SAMPLED(EXPOSED)}, NEST_ERROR_VM_STATE, "it has the virtualization extension", SHUTDOWN,
            NEST_PARITY_STRICT},
        {{SAMPLED(ARMED)}, NEST_ERROR_VM_STATE, "a hypervisor is ready in it", SHUTDOWN},
        {{SAMPLED(HOSTING)}, NEST_ERROR_VM_STATE, "it hosts other VMs", SHUTDOWN},
        {{SAMPLED(UNKNOWN)}, NEST_ERROR_VM_STATE, "it may host other VMs", SHUTDOWN},
        {{SAMPLED(HOSTING)}, .parity = NEST_PARITY_KVM},
        {{.live_cpu = CPU_OFF, RUNS, .activity = NEST_ACTIVITY_HOSTING}, NEST_ERROR_VM_STATE,
            "it hosts other VMs", SHUTDOWN},
        {{.cpu = CPU_ON("vmx"), .activity = NEST_ACTIVITY_HOSTING}},
    };
    static const Row hiding[] = {
        {{SAMPLED(ARMED)}},
        {{SAMPLED(HOSTING)}, NEST_ERROR_VM_STATE, "it hosts other VMs", SHUTDOWN},
        /* it would never be told */
        {{SAMPLED(UNKNOWN)}},
    };
    check_rows(NEST_GUARD_SAVE, rows, G_N_ELEMENTS(rows));
    check_rows(NEST_GUARD_DISABLE, hiding, G_N_ELEMENTS(hiding));
    g_autoptr(TestView) test = test_view_new(&rows[1].vm);
    g_autoptr(NestGuardVerdict) verdict =
        nest_guard_judge(NEST_GUARD_SAVE, &test->view, NEST_PARITY_HYPERV);
    assert_int_equal(verdict->say, NEST_SAY_WARN);
    assert_non_null(strstr(verdict->reason, "the state of the VMs inside would be lost"));
    assert_null(verdict->next);
}

static void test_state(void **state)
{
    static const struct {
        TestVm vm;
        NestGuardState expected;
    } rows[] = {
        {{.live_cpu = CPU_ON("vmx"), RUNS},
            {NEST_GUARD_HOSTING, NEST_GUARD_INTEL, NEST_GUARD_CARRIES_WELL}},
        {{.live_cpu = CPU_ON("svm"), RUNS, .host = "amd-ready"},
            {NEST_GUARD_HOSTING, NEST_GUARD_AMD, NEST_GUARD_CARRIES}},
        {{.type = "qemu", .live_cpu = CPU_TCG_ON, RUNS, .host = "software-kvm"},
            {NEST_GUARD_HOSTING, NEST_GUARD_TCG, NEST_GUARD_LOSES}},
        {{.live_cpu = CPU_ON("vmx"), RUNS, .host = "intel-nested-off"},
            {NEST_GUARD_HOSTING, NEST_GUARD_INTEL, NEST_GUARD_LOSES}},
        {{.live_cpu = CPU_OFF, RUNS},
            {NEST_GUARD_ALONE, NEST_GUARD_INTEL, NEST_GUARD_CARRIES_WELL}},
        {{.cpu = CPU_ON("vmx")}, {NEST_GUARD_ALONE, NEST_GUARD_INTEL, NEST_GUARD_CARRIES_WELL}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        NestGuardState got = nest_guard_state(&test->view);
        if (memcmp(&got, &rows[i].expected, sizeof got) != 0)
            fail_msg("row %u: %d %d %d", i, got.phase, got.make, got.stack);
    }
}

/* ---- AMD, by what is mended ---- */

#define ALL_WORDS "CVE-2021-3653 CVE-2021-3656 CVE-2026-45987 CVE-2026-46032 CVE-2026-46071"

typedef struct {
    const char *version, *distribution, *package, *mentioned;
    gboolean exact, live_patched;
    const char *qemu; /* NULL: 7.2.22 */
    gboolean not_judged;
    NestGuardStack stack;
} Kernel;

static const Kernel kernels[] = {
    /* by the version of Linux */
    {.version = "7.0.4", .exact = TRUE, .stack = NEST_GUARD_CARRIES_WELL},
    {.version = "7.0.3", .exact = TRUE, .stack = NEST_GUARD_CARRIES},
    {.version = "6.18.40", .exact = TRUE, .stack = NEST_GUARD_CARRIES},
    {.version = "6.1.191", .exact = TRUE, .stack = NEST_GUARD_CARRIES_WELL},
    {.version = "6.1.190", .exact = TRUE, .stack = NEST_GUARD_CARRIES},
    {.version = "7.0.4", .exact = TRUE, .qemu = "5.0.0", .stack = NEST_GUARD_LOSES},
    {.version = "5.7.0", .exact = TRUE, .stack = NEST_GUARD_LOSES},
    {.version = "7.0.4", .exact = TRUE, .not_judged = TRUE, .stack = NEST_GUARD_CARRIES},
    /* by the distribution's package, or its changelog; what neither tells is not mended */
    {"6.1.0", "debian", "6.1.192-1", ALL_WORDS, .stack = NEST_GUARD_CARRIES_WELL},
    {"6.1.0", "debian", "6.1.191-1", ALL_WORDS, .stack = NEST_GUARD_CARRIES_WELL},
    {"6.1.0", "debian", "6.1.191-1", "CVE-2021-3653", .stack = NEST_GUARD_CARRIES},
    {"6.8.0", "ubuntu", "6.8.0-45.45", ALL_WORDS, .stack = NEST_GUARD_CARRIES_WELL},
    {"6.8.0", "ubuntu", "6.8.0-45.45", NULL, .stack = NEST_GUARD_CARRIES},
    {"6.1.190", .exact = TRUE, .live_patched = TRUE, .stack = NEST_GUARD_CARRIES},
};

static NestAdvice *advice_on(const Kernel *row)
{
    g_autoptr(NestAdvisories) advisories = nest_advisories_load("/nonexistent");
    g_autoptr(NestHostKernel) kernel = g_atomic_rc_box_new0(NestHostKernel);
    kernel->version = g_strdup(row->version);
    kernel->exact = row->exact;
    kernel->live_patched = row->live_patched;
    kernel->distribution = g_strdup(row->distribution);
    kernel->package = g_strdup(row->package);
    kernel->changelog = g_strdup("/log");
    kernel->mentioned = row->mentioned != NULL ? g_strsplit(row->mentioned, " ", -1) : NULL;
    return nest_advice_new(advisories, kernel, NEST_EXTENSION_SVM);
}

static void expect_say(
    const NestVmView *view, NestGuarded operation, NestParity parity, NestGuardSay say)
{
    g_autoptr(NestGuardVerdict) verdict = nest_guard_judge(operation, view, parity);
    assert_int_equal(verdict->say, say);
}

/* What hosts is refused even if forced only where its state is lost, or may be. */
static void test_mended(void **state)
{
    static const NestGuarded carrying[] = {
        NEST_GUARD_SAVE, NEST_GUARD_CHECKPOINT, NEST_GUARD_MIGRATE};
    static const TestVm vm = {
        .live_cpu = CPU_ON("svm"), RUNS, .host = "amd-ready", .activity = NEST_ACTIVITY_HOSTING};
    for (guint i = 0; i < G_N_ELEMENTS(kernels); i++) {
        g_autoptr(TestView) test = test_view_new(&vm);
        g_autoptr(NestAdvice) advice = advice_on(&kernels[i]);
        g_free(test->host->kernel);
        test->host->kernel = g_strdup(kernels[i].version);
        g_free(test->caps->qemu_version);
        test->caps->qemu_version = g_strdup(kernels[i].qemu != NULL ? kernels[i].qemu : "7.2.22");
        test->view.advice = kernels[i].not_judged ? NULL : advice;
        NestGuardState got = nest_guard_state(&test->view);
        if (got.stack != kernels[i].stack)
            fail_msg("kernel %u: %d", i, got.stack);
        NestGuardSay say = got.stack == NEST_GUARD_CARRIES_WELL ? NEST_SAY_REFUSE : NEST_SAY_NEVER;
        for (guint j = 0; j < G_N_ELEMENTS(carrying); j++)
            for (guint parity = 0; parity < NEST_N_PARITIES; parity++)
                expect_say(&test->view, carrying[j], parity, say);
        expect_say(&test->view, NEST_GUARD_APPLY, NEST_PARITY_KVM, NEST_SAY_NEVER);
    }
}

/* Where the administrator took out every entry, nothing is proved. */
static void test_nothing_known(void **state)
{
    static const TestVm vm = {.live_cpu = CPU_ON("svm"), RUNS, .host = "amd-ready"};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestAdvice) advice = advice_on(&kernels[0]);
    for (guint i = advice->judgements->len; i > 0; i--) {
        const NestJudgement *judgement = g_ptr_array_index(advice->judgements, i - 1);
        if (strcmp(judgement->advisory->check, "host.kernel.cve-nsvm") == 0)
            g_ptr_array_remove_index(advice->judgements, i - 1);
    }
    test->view.advice = advice;
    assert_int_equal(nest_guard_state(&test->view).stack, NEST_GUARD_CARRIES);
}

/* ---- the matrix ---- */

static const char *const stack_nicks[] = {"loses", "carries", "well", NULL};

static NestGuarded find_guard(const char *name)
{
    g_autofree char *id = g_strconcat("guard.", name, NULL);
    for (guint i = 0; i < NEST_N_GUARDS; i++)
        if (strcmp(nest_guard_about(i)->id, id) == 0)
            return i;
    fail_msg("no guard %s", id);
    return NEST_N_GUARDS;
}

static gboolean is_in(const char *list, const char *name)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);
    return strcmp(list, "*") == 0 || g_strv_contains((const char *const *)names, name);
}

static void check_cells(
    const char *line, NestGuarded guard, guint parity, guint stack, char *const *cells)
{
    for (guint make = 0; make < NEST_N_GUARD_MAKES; make++) {
        assert_int_equal(strlen(cells[make]), NEST_N_GUARD_PHASES);
        for (guint phase = 0; phase < NEST_N_GUARD_PHASES; phase++) {
            NestGuardState state = {phase, make, stack};
            NestGuardSay say = nest_guard_table_say(guard, &state, parity);
            if (".wR!"[say] != cells[make][phase])
                fail_msg("%s: policy %s, stack %s, make %u, %s: '%c'", line,
                    nest_parity_nicks[parity], stack_nicks[stack], make,
                    nest_guard_phase_nicks[phase], ".wR!"[say]);
        }
    }
}

static guint check_line(const char *line, guint8 seen[][NEST_N_PARITIES][NEST_N_GUARD_STACKS])
{
    guint n = 0;
    g_autoptr(GRegex) spaces = g_regex_new(" +", 0, 0, NULL);
    g_auto(GStrv) words = g_regex_split(spaces, line, 0);
    assert_int_equal(g_strv_length(words), 6);
    NestGuarded guard = find_guard(words[0]);
    for (guint parity = 0; parity < NEST_N_PARITIES; parity++) {
        for (guint stack = 0; stack < NEST_N_GUARD_STACKS; stack++) {
            if (!is_in(words[1], nest_parity_nicks[parity]) || !is_in(words[2], stack_nicks[stack]))
                continue;
            assert_int_equal(seen[guard][parity][stack]++, 0);
            check_cells(line, guard, parity, stack, words + 3);
            n++;
        }
    }
    return n;
}

static void test_matrix(void **state)
{
    g_autofree char *text = NULL;
    guint8 seen[NEST_N_GUARDS][NEST_N_PARITIES][NEST_N_GUARD_STACKS] = {{{0}}};
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "guards", "matrix", NULL);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = 0;
    for (guint i = 0; lines[i] != NULL; i++)
        if (*lines[i] != '\0' && *lines[i] != '#')
            n += check_line(lines[i], seen);
    assert_int_equal(n, NEST_N_GUARDS * NEST_N_PARITIES * NEST_N_GUARD_STACKS);
}

#define IMAGE(nests, did, of_kernel, of_qemu) \
    { \
        .name = (char *)"cp", .memory = TRUE, .nesting = NEST_NESTING_##nests, \
        .activity = NEST_ACTIVITY_##did, .kernel = (char *)(of_kernel), \
        .qemu_version = (char *)(of_qemu) \
    }
#define ON .cpu = CPU_ON("vmx")
#define AMD .cpu = CPU_ON("svm"), .host = "amd-ready"
#define TCG .type = "qemu", .cpu = CPU_TCG_ON

static void test_image(void **state)
{
    static const struct {
        TestVm vm;
        NestCheckpoint image;
        NestGuardSay say;
        const char *why;
        NestParity parity;
    } rows[] = {
        {{0}, IMAGE(OFF, OFF, "6.1.0", "7.2.0"), NEST_SAY_OK},
        {{0}, IMAGE(OFF, UNKNOWN, NULL, NULL), NEST_SAY_WARN, "not known on which"},
        {{0}, IMAGE(ON, EXPOSED, "6.1.0", "7.2.0"), NEST_SAY_REFUSE, "differ in whether"},
        {{ON}, IMAGE(OFF, OFF, "6.1.0", "7.2.0"), NEST_SAY_REFUSE, "differ in whether"},
        {{ON}, IMAGE(ON, HOSTING, "6.1.0", "7.2.0"), NEST_SAY_OK},
        {{ON}, IMAGE(ON, HOSTING, "99.1.0", "7.2.0"), NEST_SAY_REFUSE, "older now"},
        {{ON}, IMAGE(ON, HOSTING, "6.1.0", "99.0"), NEST_SAY_REFUSE, "older now"},
        {{ON}, IMAGE(ON, EXPOSED, "6.1.0", "7.2.0"), NEST_SAY_REFUSE, "parity=strict",
            NEST_PARITY_STRICT},
        {{ON, .host = "intel-nested-off"}, IMAGE(ON, ARMED, "4.1.0", "7.2.0"), NEST_SAY_REFUSE,
            "does not come back"},
        {{AMD}, IMAGE(ON, ARMED, "6.1.0", "7.2.0"), NEST_SAY_OK},
        {{AMD}, IMAGE(ON, HOSTING, "6.1.0", "7.2.0"), NEST_SAY_REFUSE, "does not come back"},
        {{AMD}, IMAGE(ON, UNKNOWN, "6.1.0", "7.2.0"), NEST_SAY_REFUSE, "does not come back"},
        {{TCG}, IMAGE(ON, EXPOSED, "6.1.0", "7.2.0"), NEST_SAY_OK},
        {{TCG}, IMAGE(ON, ARMED, "6.1.0", "7.2.0"), NEST_SAY_NEVER, "software CPU"},
        {{TCG}, IMAGE(IMPLICIT, UNKNOWN, NULL, NULL), NEST_SAY_NEVER, "software CPU"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        g_autoptr(NestGuardVerdict) verdict = nest_guard_judge_image(
            NEST_GUARD_APPLY_MEMORY, &test->view, &rows[i].image, rows[i].parity);
        if (verdict->say != rows[i].say)
            fail_msg("row %u: %d, %s", i, verdict->say, verdict->reason);
        if (rows[i].why != NULL)
            assert_non_null(strstr(verdict->reason, rows[i].why));
        if (verdict->say >= NEST_SAY_REFUSE)
            assert_string_equal(
                verdict->next, "make another checkpoint, and: nestctl checkpoint delete DemoVM cp");
    }
}

/* What runs on where it was kept needs no start that asks for trust. */
static void test_untrusted_image(void **state)
{
    static const struct {
        const char *host;
        NestTrust trust;
        NestCheckpoint image;
        NestGuardSay say;
    } rows[] = {
        {"debian-open", NEST_TRUST_UNTRUSTED, IMAGE(ON, EXPOSED, NULL, NULL), NEST_SAY_NEVER},
        {"debian-open", NEST_TRUST_UNTRUSTED, IMAGE(IMPLICIT, EXPOSED, NULL, NULL), NEST_SAY_NEVER},
        {"debian-open", NEST_TRUST_UNTRUSTED, IMAGE(OFF, OFF, NULL, NULL), NEST_SAY_REFUSE},
        {"debian-open", NEST_TRUST_TRUSTED, IMAGE(ON, EXPOSED, NULL, NULL), NEST_SAY_WARN},
        {"intel-ready", NEST_TRUST_UNTRUSTED, IMAGE(ON, EXPOSED, NULL, NULL), NEST_SAY_WARN},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(TestView) test =
            test_view_new(&(TestVm){.cpu = CPU_ON("vmx"), .host = rows[i].host});
        g_autoptr(NestAdvice) advice = test_advice(rows[i].host, test->host);
        test->marks.trust = rows[i].trust;
        test->view.advice = advice;
        g_autoptr(NestGuardVerdict) verdict = nest_guard_judge_image(
            NEST_GUARD_APPLY_MEMORY, &test->view, &rows[i].image, NEST_PARITY_HYPERV);
        if (verdict->say != rows[i].say)
            fail_msg("row %u: %d, %s", i, verdict->say, verdict->reason);
        if (verdict->say != NEST_SAY_NEVER)
            continue;
        assert_false(nest_guard_verdict_allows(verdict, &error));
        assert_nest_error(error, NEST_ERROR_HOST_UNFIT, "is untrusted");
        assert_non_null(strstr(verdict->next, "nestctl trust DemoVM trusted"));
    }
}

/* Who is refused is told what would happen and what to do instead. */
static void test_texts(void **state)
{
    for (guint i = 0; i < NEST_N_GUARDS; i++) {
        const NestGuardAbout *about = nest_guard_about(i);
        NestGuardSay worst = nest_guard_table_worst(i, NEST_PARITY_STRICT);
        assert_true(g_str_has_prefix(about->id, "guard."));
        assert_non_null(about->done);
        assert_non_null(about->title);
        assert_non_null(about->source);
        if (worst > NEST_SAY_OK)
            assert_non_null(about->harm);
        if (worst >= NEST_SAY_REFUSE)
            assert_non_null(about->next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_save),
        cmocka_unit_test(test_activity),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_mended),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_untrusted_image),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
