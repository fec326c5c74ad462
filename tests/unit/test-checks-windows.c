/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-checks.h"

/* What Windows needs of a definition. */

#define OS(id) \
    "<metadata><libosinfo:libosinfo " \
    "xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>" \
    "<libosinfo:os id='" id "'/></libosinfo:libosinfo></metadata>"
#define WINDOWS OS("http://microsoft.com/win/11")
#define HYPERV(features) "<features><hyperv>" features "</hyperv></features>"
#define ON(name) "<" name " state='on'/>"
#define BASE \
    ON("relaxed") \
    ON("vapic") \
    "<spinlocks state='on' retries='8191'/>" ON("vpindex") ON("runtime") ON("synic") \
        ON("frequencies") ON("reenlightenment") ON("ipi")
#define STIMER "<stimer state='on'><direct state='on'/></stimer>"
#define FULL BASE STIMER ON("tlbflush")
#define CLOCK \
    "<clock offset='localtime'><timer name='hypervclock' present='yes'/>" \
    "<timer name='hpet' present='no'/></clock>"
#define HV_CLOCK_ONLY "<clock><timer name='hypervclock'/></clock>"
#define QEMU(arg) \
    "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-cpu'/>" \
    "<q:arg value='" arg "'/></q:commandline>"

typedef struct {
    const char *cpu; /* and whatever else stands beside it */
    const char *id;
    NestVerdict verdict;
    const char *host, *libvirt, *qemu, *type;
} Row;

static const Row rows[] = {
    {CPU_OFF, "vm.hv.profile", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF OS("http://debian.org/debian/12") HYPERV(FULL), "vm.hv.profile",
        NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS HYPERV(FULL) CLOCK, "vm.hv.profile", NEST_VERDICT_NOT_APPLICABLE,
        .type = "qemu"},
    {CPU_OFF WINDOWS, "vm.hv.profile", NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS HYPERV(FULL) CLOCK, "vm.hv.profile", NEST_VERDICT_PASS},
    {CPU_OFF HYPERV(FULL) CLOCK, "vm.hv.profile", NEST_VERDICT_PASS},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.profile", NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS HYPERV(BASE ON("stimer") ON("tlbflush")) CLOCK, "vm.hv.profile",
        NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS "<features><hyperv mode='passthrough'/></features>", "vm.hv.profile",
        NEST_VERDICT_PASS},
    {CPU_OFF WINDOWS "<features><hyperv mode='host-model'/></features>", "vm.hv.profile",
        NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS "<features><hyperv mode='host-model'/></features>" CLOCK, "vm.hv.profile",
        NEST_VERDICT_PASS},
    {CPU_OFF, "vm.hv.evmcs", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.evmcs", NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.evmcs", NEST_VERDICT_PASS},
    {CPU_OFF WINDOWS HYPERV(ON("evmcs")), "vm.hv.evmcs", NEST_VERDICT_FAIL},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.evmcs", NEST_VERDICT_PASS, "amd-ready"},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.evmcs", NEST_VERDICT_FAIL, "amd-ready"},
    {CPU_OFF WINDOWS "<features><hyperv mode='passthrough'/></features>", "vm.hv.evmcs",
        NEST_VERDICT_PASS, "amd-ready"},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.evmcs", NEST_VERDICT_UNKNOWN, ""},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.evmcs-kernel", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.evmcs-kernel", NEST_VERDICT_PASS},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.evmcs-kernel", NEST_VERDICT_NOT_APPLICABLE,
        "amd-ready"},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.evmcs-kernel", NEST_VERDICT_WARN,
        "intel-nested-off"},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.evmcs-kernel", NEST_VERDICT_UNKNOWN, ""},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.emsr", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.emsr", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.emsr", NEST_VERDICT_INFO, NULL, "10.7.0"},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), "vm.hv.emsr", NEST_VERDICT_UNKNOWN, NULL, "none"},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs") ON("emsr_bitmap")), "vm.hv.emsr", NEST_VERDICT_PASS,
        NULL, "10.7.0"},
    {CPU_OFF WINDOWS HYPERV(FULL ON("evmcs") ON("emsr_bitmap")), "vm.hv.emsr", NEST_VERDICT_INFO,
        NULL, "11.0.0"},
    {CPU_OFF WINDOWS HYPERV(
         BASE STIMER ON("emsr_bitmap") "<tlbflush state='on'><direct state='on'/></tlbflush>"),
        "vm.hv.emsr", NEST_VERDICT_PASS, "amd-ready", "11.0.0"},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.emsr", NEST_VERDICT_UNKNOWN, ""},
    {CPU_OFF, "vm.hv.passthrough", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.passthrough", NEST_VERDICT_PASS},
    {CPU_OFF WINDOWS "<features><hyperv mode='passthrough'/></features>", "vm.hv.passthrough",
        NEST_VERDICT_WARN},
    {CPU_OFF, "vm.hv.debug", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS HYPERV(FULL), "vm.hv.debug", NEST_VERDICT_PASS},
    {CPU_OFF WINDOWS HYPERV(FULL) QEMU("host,hv-syndbg"), "vm.hv.debug", NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS HYPERV(FULL) QEMU("host,hv_enforce_cpuid"), "vm.hv.debug", NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS HYPERV(FULL) QEMU("host"), "vm.hv.debug", NEST_VERDICT_PASS},
    {CPU_OFF, "vm.clock", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS, "vm.clock", NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS HV_CLOCK_ONLY, "vm.clock", NEST_VERDICT_WARN},
    {CPU_OFF WINDOWS CLOCK, "vm.clock", NEST_VERDICT_PASS},
    {CPU_OFF, "vm.cpu.archcap", NEST_VERDICT_NOT_APPLICABLE, "amd-ready"},
    {CPU_OFF WINDOWS, "vm.cpu.archcap", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS, "vm.cpu.archcap", NEST_VERDICT_UNKNOWN, ""},
    {CPU_OFF WINDOWS, "vm.cpu.archcap", NEST_VERDICT_WARN, "amd-ready"},
    {CPU_OFF WINDOWS, "vm.cpu.archcap", NEST_VERDICT_PASS, "amd-ready", .qemu = "10.1.0"},
    {CPU_OFF WINDOWS, "vm.cpu.archcap", NEST_VERDICT_UNKNOWN, "amd-ready", .qemu = "none"},
    {CPU_MODE("host-model") WINDOWS, "vm.cpu.archcap", NEST_VERDICT_PASS, "amd-ready"},
    {"<cpu mode='host-passthrough'><feature name='arch-capabilities' policy='disable'/>"
     "</cpu>" WINDOWS,
        "vm.cpu.archcap", NEST_VERDICT_PASS, "amd-ready"},
    {"<cpu mode='host-model'><feature name='arch-capabilities'/></cpu>" WINDOWS, "vm.cpu.archcap",
        NEST_VERDICT_FAIL, "amd-ready"},
    {CPU_OFF, "vm.cpu.dangerflags", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS, "vm.cpu.dangerflags", NEST_VERDICT_UNKNOWN, ""},
    {CPU_OFF WINDOWS, "vm.cpu.dangerflags", NEST_VERDICT_INFO},
    {CPU_OFF WINDOWS, "vm.cpu.dangerflags", NEST_VERDICT_PASS, "amd-ready"},
    {CPU_MODE("host-model") WINDOWS, "vm.cpu.dangerflags", NEST_VERDICT_PASS},
    {CPU_OFF, "vm.cpu.tsx", NEST_VERDICT_NOT_APPLICABLE},
    {CPU_OFF WINDOWS, "vm.cpu.tsx", NEST_VERDICT_NOT_APPLICABLE},
};

static NestVm *judge(const Row *row)
{
    TestVm vm = {.cpu = row->cpu, .host = row->host, .type = row->type};
    g_autoptr(TestView) test = test_view_new(&vm);
    const char *const versions[] = {row->libvirt, row->qemu};
    char **const slots[] = {&test->caps->libvirt_version, &test->caps->qemu_version};
    for (guint i = 0; i < G_N_ELEMENTS(slots); i++) {
        if (versions[i] == NULL)
            continue;
        g_free(*slots[i]);
        *slots[i] = g_strdup(versions[i]);
    }
    NestVm *judged = nest_checks_vm(&test->view);
    assert_well_formed(judged->checks);
    return judged;
}

/* A number that its distribution does not raise proves nothing. */
static void test_mended_kernel(void **state)
{
    TestVm row = {.cpu = CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), .host = "rhel"};
    g_autoptr(TestView) test = test_view_new(&row);
    g_autoptr(NestAdvice) advice = test_advice(row.host, test->host);
    test->view.advice = advice;
    g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
    assert_well_formed(vm->checks);
    assert_verdict(vm->checks, "rhel", "vm.hv.evmcs-kernel", NEST_VERDICT_UNKNOWN);
}

static void test_outcomes(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestVm) vm = judge(&rows[i]);
        g_autofree char *where = g_strdup_printf("row %u", i);
        assert_verdict(vm->checks, where, rows[i].id, rows[i].verdict);
    }
}

/* What depends on facts that no recorded host has. */
static void test_host_facts(void **state)
{
    TestVm row = {
        .cpu = CPU_OFF WINDOWS HYPERV(FULL ON("evmcs")), .devices = "<panic model='hyperv'/>"};
    g_autoptr(TestView) test = test_view_new(&row);
    g_free(test->host->kernel);
    test->host->kernel = NULL;
    test->host->md_clear = test->host->tsx = TRUE;
    g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
    assert_well_formed(vm->checks);
    assert_verdict(vm->checks, "no kernel", "vm.hv.evmcs-kernel", NEST_VERDICT_UNKNOWN);
    assert_verdict(vm->checks, "a CPU with TSX", "vm.cpu.tsx", NEST_VERDICT_WARN);
    assert_verdict(vm->checks, "panic", "vm.hv.debug", NEST_VERDICT_WARN);
    assert_verdict(vm->checks, "md_clear", "vm.cpu.dangerflags", NEST_VERDICT_INFO);
    test->host->md_clear = FALSE;
    test->host->flush_l1d = TRUE;
    g_autoptr(NestVm) flush = nest_checks_vm(&test->view);
    assert_verdict(flush->checks, "flush_l1d", "vm.cpu.dangerflags", NEST_VERDICT_INFO);
    test->domain->extras.flush_l1d_off = TRUE;
    g_autoptr(NestVm) off = nest_checks_vm(&test->view);
    assert_verdict(off->checks, "disabled", "vm.cpu.dangerflags", NEST_VERDICT_PASS);
}

/* What is missing is named, for whoever has to add it. */
static void test_profile_names_what_is_missing(void **state)
{
    static const Row row = {
        CPU_OFF WINDOWS HYPERV(BASE ON("stimer")) CLOCK, "vm.hv.profile", NEST_VERDICT_WARN};
    g_autoptr(NestVm) vm = judge(&row);
    const NestCheck *check = find_check(vm->checks, "vm.hv.profile");
    assert_string_equal(check->read, "definition, hyperv: stimer direct, tlbflush");
    assert_non_null(strstr(check->message, "no timer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_mended_kernel),
        cmocka_unit_test(test_host_facts),
        cmocka_unit_test(test_profile_names_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
