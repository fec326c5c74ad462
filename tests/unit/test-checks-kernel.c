/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the checks make of advisories: of the host, and of VMs by their label. */
#include "nest-guard.h"
#include "nest-plan.h"
#include "nest-test-checks.h"
#include "nest-vm-trust.h"
#include <glib/gstdio.h>

typedef struct {
    const char *host;
    const char *id;
    NestVerdict verdict;
    const char *says;
} HostRow;

#define SHADOW "host.kernel.cve-shadowmmu"
#define NVMX "host.kernel.cve-nvmx"
#define NSVM "host.kernel.cve-nsvm"
#define KNOWN_BAD "host.kernel.knownbad"
#define VERSION "host.kernel.version"

static const HostRow host_rows[] = {
    {"debian-open", SHADOW, NEST_VERDICT_WARN,
        "open to CVE-2026-46113, CVE-2026-53359, CVE-2026-64561: a VM that nests can"},
    {"debian-open", NVMX, NEST_VERDICT_WARN, "open to CVE-2026-64562, CVE-2026-89932: "},
    {"debian-open", NSVM, NEST_VERDICT_NOT_APPLICABLE, "the CPU of this host"},
    {"intel-ready", SHADOW, NEST_VERDICT_PASS, "none that is known"},
    {"ubuntu-mended", SHADOW, NEST_VERDICT_PASS, "none that is known"},
    {"ubuntu-mended", NVMX, NEST_VERDICT_PASS, "none that is known"},
    {"rhel", SHADOW, NEST_VERDICT_UNKNOWN, "left no changelog"},
    {"known-bad", KNOWN_BAD, NEST_VERDICT_FAIL, "fails with kernel 4.19.78"},
    {"known-bad", NSVM, NEST_VERDICT_WARN, "CVE-2021-3653"},
    {"known-bad", VERSION, NEST_VERDICT_WARN, "old: nesting is off by default"},
    {"debian-open", KNOWN_BAD, NEST_VERDICT_PASS, "Nothing is known against"},
    {"empty", VERSION, NEST_VERDICT_UNKNOWN, "can't be told"},
    {"empty", KNOWN_BAD, NEST_VERDICT_UNKNOWN, "can't be told"},
    {"no-extension", SHADOW, NEST_VERDICT_NOT_APPLICABLE, "No KVM module"},
    {"intel-nested-off", KNOWN_BAD, NEST_VERDICT_UNKNOWN, "hang-4.19.78"},
    {"software-kvm", SHADOW, NEST_VERDICT_WARN, "CVE-2026-53359"},
};

static const NestCheck *assert_said(
    const NestHost *host, const char *where, const char *id, NestVerdict verdict, const char *says)
{
    const NestCheck *check = find_check(host->checks, id);
    assert_verdict(host->checks, where, id, verdict);
    assert_well_formed(host->checks);
    if (strstr(check->message, says) == NULL)
        fail_msg("%s, %s: %s", where, id, check->message);
    return check;
}

static void test_of_host(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(host_rows); i++) {
        const HostRow *row = &host_rows[i];
        g_autoptr(NestHostFacts) facts = test_host(row->host);
        g_autoptr(NestAdvice) advice = test_advice(row->host, facts);
        NestHostView view = {.host = facts, .advice = advice};
        g_autoptr(NestHost) host = nest_checks_host(&view);
        assert_said(host, row->host, row->id, row->verdict, row->says);
    }
}

/* What decided is read: the package, the changelog, and what was not verified. */
static void test_what_was_read(void **state)
{
    static const struct {
        const char *host, *id, *reads;
    } rows[] = {
        {"debian-open", SHADOW, "Linux 6.1.140, package 6.1.140-1"},
        {"debian-open", SHADOW, "CVE-2026-53359: package 6.1.140-1 is from before 6.1.177-1"},
        {"ubuntu-mended", SHADOW, "/usr/share/doc/linux-modules-6.8.0-94-generic/changelog"},
        {"known-bad", NSVM, "CVE-2021-3653 (versions not all verified): "},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestHostFacts) facts = test_host(rows[i].host);
        g_autoptr(NestAdvice) advice = test_advice(rows[i].host, facts);
        NestHostView view = {.host = facts, .advice = advice};
        g_autoptr(NestHost) host = nest_checks_host(&view);
        const NestCheck *check = find_check(host->checks, rows[i].id);
        if (strstr(check->read, rows[i].reads) == NULL)
            fail_msg("%s: %s", rows[i].reads, check->read);
    }
}

static void test_nesting_off_closes(void **state)
{
    g_autoptr(NestHostFacts) facts = test_host("debian-open");
    g_autoptr(NestAdvice) advice = test_advice("debian-open", facts);
    NestHostView view = {.host = facts, .advice = advice};
    g_free(facts->nested.value);
    facts->nested.value = g_strdup("N");
    g_autoptr(NestHost) host = nest_checks_host(&view);
    assert_said(host, "off", SHADOW, NEST_VERDICT_INFO, "nothing reaches while nesting is off");
}

static void test_no_advice(void **state)
{
    static const char *const ids[] = {SHADOW, NVMX, NSVM, KNOWN_BAD, VERSION};
    g_autoptr(NestHostFacts) facts = test_host("intel-ready");
    NestHostView view = {.host = facts};
    g_autoptr(NestHost) host = nest_checks_host(&view);
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        assert_said(host, "no advice", ids[i], NEST_VERDICT_UNKNOWN, "can't be told");
}

/* RHEL 8 keeps 4.18, and has what later kernels brought. */
static void test_old_number(void **state)
{
    static const struct {
        gboolean exact;
        int nested_state;
        NestVerdict verdict;
    } rows[] = {{FALSE, 1, NEST_VERDICT_PASS}, {FALSE, -1, NEST_VERDICT_UNKNOWN},
        {FALSE, 0, NEST_VERDICT_WARN}, {TRUE, 1, NEST_VERDICT_WARN}};
    g_autoptr(NestHostFacts) facts = test_host("rhel");
    g_autoptr(NestAdvisories) advisories = nest_advisories_load("/nonexistent");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        NestHostKernel *kernel = g_atomic_rc_box_new0(NestHostKernel);
        kernel->release = g_strdup("4.18.0-553.el8_10.x86_64");
        kernel->version = g_strdup("4.18.0");
        kernel->exact = rows[i].exact;
        g_autoptr(NestAdvice) advice = nest_advice_new(advisories, kernel, NEST_EXTENSION_VMX);
        nest_host_kernel_unref(kernel);
        facts->kvm.nested_state = rows[i].nested_state;
        NestHostView view = {.host = facts, .advice = advice};
        g_autoptr(NestHost) host = nest_checks_host(&view);
        assert_verdict(host->checks, "4.18", VERSION, rows[i].verdict);
        assert_well_formed(host->checks);
    }
}

static void test_wrong_file_is_seen(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("nest-kernel-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "site.json", NULL);
    g_autofree char *root =
        g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts", "intel-ready", NULL);
    assert_true(g_file_set_contents(path, "{", -1, NULL));
    g_autoptr(NestAdvisories) advisories = nest_advisories_load(folder);
    g_autoptr(NestHostPlace) place = nest_host_place_new(root, advisories);
    g_autoptr(NestHostFacts) facts = test_host("intel-ready");
    g_autoptr(NestAdvice) advice = nest_host_place_advise(place, facts);
    NestHostView view = {.host = facts, .advice = advice};
    g_autoptr(NestHost) host = nest_checks_host(&view);
    const NestCheck *check =
        assert_said(host, "wrong file", KNOWN_BAD, NEST_VERDICT_WARN, "site.json is left out: ");
    assert_true(g_str_has_prefix(check->read, "/proc/version: "));
    assert_non_null(strstr(check->read, "site.json"));
    assert_verdict(host->checks, "wrong file", SHADOW, NEST_VERDICT_PASS);
    g_remove(path);
    g_remove(folder);
}

/* Hyper-threads and merged pages matter where somebody is not trusted. */
static void test_distrust(void **state)
{
    static const char *const ids[] = {"host.smt", "host.ksm"};
    g_autoptr(NestHostFacts) facts = test_host("amd-ready");
    NestHostView view = {.host = facts};
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        view.untrusted = FALSE;
        g_autoptr(NestHost) trusted = nest_checks_host(&view);
        assert_verdict(trusted->checks, "trusted", ids[i], NEST_VERDICT_INFO);
        view.untrusted = TRUE;
        g_autoptr(NestHost) untrusted = nest_checks_host(&view);
        assert_verdict(untrusted->checks, "untrusted", ids[i], NEST_VERDICT_WARN);
        assert_well_formed(untrusted->checks);
    }
}

static void test_core_scheduling(void **state)
{
    static const struct {
        const char *value;
        NestVerdict verdict;
    } rows[] = {{"vcpus", NEST_VERDICT_PASS}, {"emulator", NEST_VERDICT_PASS},
        {"full", NEST_VERDICT_PASS}, {"none", NEST_VERDICT_WARN}, {"", NEST_VERDICT_WARN},
        {NULL, NEST_VERDICT_WARN}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestHostFacts) facts = test_host("amd-ready");
        NestHostView view = {.host = facts, .untrusted = TRUE};
        g_free(facts->tuning.sched_core.value);
        facts->tuning.sched_core.value = g_strdup(rows[i].value);
        g_autoptr(NestHost) host = nest_checks_host(&view);
        assert_verdict(host->checks, "sched_core", "host.smt", rows[i].verdict);
        assert_well_formed(host->checks);
        /* nestd's own VMs have a qemu.conf of their own. */
        g_autoptr(NestBackendCaps) caps = test_caps(facts);
        g_free(caps->uri);
        caps->uri = g_strdup("qemu:///embed?root=/var/lib/nestd/vm");
        view.caps = caps;
        g_autoptr(NestHost) other = nest_checks_host(&view);
        assert_verdict(other->checks, "not the own one", "host.smt", NEST_VERDICT_WARN);
        facts->tuning.own_sched_core.value = g_strdup(rows[i].value);
        g_autoptr(NestHost) own = nest_checks_host(&view);
        assert_verdict(own->checks, "the own one", "host.smt", rows[i].verdict);
    }
}

/* ---- VMs ---- */

typedef struct {
    TestVm vm;
    NestTrust trust;
    NestVerdict verdict;
    gboolean refused; /* enable and start */
} VmRow;

#define UNTRUSTED NEST_TRUST_UNTRUSTED
#define TRUSTED NEST_TRUST_TRUSTED

static const VmRow vm_rows[] = {
    {{.host = "debian-open", .cpu = CPU_ON("vmx")}, TRUSTED, NEST_VERDICT_WARN, FALSE},
    {{.host = "debian-open", .cpu = CPU_ON("vmx")}, UNTRUSTED, NEST_VERDICT_FAIL, TRUE},
    {{.host = "debian-open", .cpu = CPU_MODE("host-passthrough")}, UNTRUSTED, NEST_VERDICT_FAIL,
        TRUE},
    {{.host = "debian-open", .cpu = CPU_OFF}, TRUSTED, NEST_VERDICT_NOT_APPLICABLE, FALSE},
    {{.host = "debian-open", .type = "qemu", .cpu = CPU_TCG_ON}, UNTRUSTED,
        NEST_VERDICT_NOT_APPLICABLE, FALSE},
    {{.host = "intel-ready", .cpu = CPU_ON("vmx")}, UNTRUSTED, NEST_VERDICT_PASS, FALSE},
    {{.host = "ubuntu-mended", .cpu = CPU_ON("vmx")}, UNTRUSTED, NEST_VERDICT_PASS, FALSE},
    {{.host = "rhel", .cpu = CPU_ON("vmx")}, TRUSTED, NEST_VERDICT_INFO, FALSE},
    {{.host = "rhel", .cpu = CPU_ON("vmx")}, UNTRUSTED, NEST_VERDICT_WARN, FALSE},
    /* the CPU's flaws, which nothing guards against */
    {{.host = "amd-ready", .cpu = CPU_ON("svm")}, TRUSTED, NEST_VERDICT_WARN, FALSE},
    {{.host = "amd-ready", .cpu = CPU_ON("svm")}, UNTRUSTED, NEST_VERDICT_FAIL, TRUE},
};

static void check_vm(const TestView *test, const VmRow *row, guint number)
{
    g_autofree char *where = g_strdup_printf("row %u", number);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
    assert_verdict(vm->checks, where, "vm.trust", row->verdict);
    assert_well_formed(vm->checks);
    assert_int_equal(vm->trust, row->trust);
    g_autoptr(NestPlan) plan = nest_plan_make(&test->view, TRUE, NULL);
    assert_int_equal(plan->verdict == NEST_PLAN_REFUSED, row->refused);
    g_autoptr(NestPlan) disable = nest_plan_make(&test->view, FALSE, NULL);
    assert_int_not_equal(disable->verdict, NEST_PLAN_REFUSED);
    assert_int_equal(nest_vm_trust_refuses(&test->view, &error), row->refused);
    assert_int_equal(
        nest_guard_allows(NEST_GUARD_START, &test->view, NEST_PARITY_HYPERV, NULL), !row->refused);
    if (!row->refused)
        return;
    assert_nest_error(error, NEST_ERROR_HOST_UNFIT, "untrusted");
    assert_non_null(strstr(plan->problem->next, "nestctl trust DemoVM trusted"));
}

static void test_vms(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(vm_rows); i++) {
        const VmRow *row = &vm_rows[i];
        g_autoptr(TestView) test = test_view_new(&row->vm);
        g_autoptr(NestAdvice) advice = test_advice(row->vm.host, test->host);
        NestVmMarks marks = {.trust = row->trust};
        test->view.marks = &marks;
        test->view.advice = advice;
        check_vm(test, row, i);
    }
}

static void assert_trust(const TestView *test, NestVerdict verdict, const char *text)
{
    g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
    assert_verdict(vm->checks, text, "vm.trust", verdict);
    assert_well_formed(vm->checks);
    assert_non_null(strstr(find_check(vm->checks, "vm.trust")->message, text));
    assert_false(nest_vm_trust_refuses(&test->view, NULL));
}

/* What could not be read is no proof, and refuses nothing. */
static void test_flaws_unread(void **state)
{
    TestVm vm = {.host = "intel-ready", .cpu = CPU_ON("vmx")};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestAdvice) advice = test_advice(vm.host, test->host);
    NestVmMarks marks = {.trust = UNTRUSTED};
    NestHostTuning *tuning = &test->host->tuning;
    test->view.marks = &marks;
    assert_trust(test, NEST_VERDICT_WARN, "flaws of the kernel");
    test->view.advice = advice;
    g_strfreev(tuning->flaws_unknown);
    tuning->flaws_unknown = g_strsplit("srbds: Unknown: Dependent on hypervisor status", ";", -1);
    assert_trust(test, NEST_VERDICT_WARN, "on this host: srbds.");
    g_clear_pointer(&tuning->vulnerabilities.value, g_free);
    assert_trust(test, NEST_VERDICT_WARN, "flaws of the CPU");
    marks.trust = TRUSTED;
    assert_trust(test, NEST_VERDICT_INFO, "flaws of the CPU");
    test->view.host = NULL;
    assert_trust(test, NEST_VERDICT_INFO, "flaws of the CPU");
}

/* On AMD, what is known to get the state of inner VMs wrong decides whether it can be carried. */
static void test_stack_of_amd(void **state)
{
    TestVm vm = {.host = "amd-ready", .cpu = CPU_ON("svm")};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autoptr(NestAdvisories) advisories = nest_advisories_load("/nonexistent");
    assert_int_equal(nest_guard_state(&test->view).stack, NEST_GUARD_CARRIES);
    static const struct {
        const char *version;
        gboolean exact;
        NestGuardStack stack;
    } rows[] = {{"7.2.5", TRUE, NEST_GUARD_CARRIES_WELL}, {"6.12.100", TRUE, NEST_GUARD_CARRIES},
        {"6.8.0", FALSE, NEST_GUARD_CARRIES}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        NestHostKernel *kernel = g_atomic_rc_box_new0(NestHostKernel);
        kernel->version = g_strdup(rows[i].version);
        kernel->exact = rows[i].exact;
        g_autoptr(NestAdvice) advice = nest_advice_new(advisories, kernel, NEST_EXTENSION_SVM);
        nest_host_kernel_unref(kernel);
        test->view.advice = advice;
        assert_int_equal(nest_guard_state(&test->view).stack, rows[i].stack);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_host),
        cmocka_unit_test(test_flaws_unread),
        cmocka_unit_test(test_what_was_read),
        cmocka_unit_test(test_nesting_off_closes),
        cmocka_unit_test(test_no_advice),
        cmocka_unit_test(test_old_number),
        cmocka_unit_test(test_wrong_file_is_seen),
        cmocka_unit_test(test_distrust),
        cmocka_unit_test(test_core_scheduling),
        cmocka_unit_test(test_vms),
        cmocka_unit_test(test_stack_of_amd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
