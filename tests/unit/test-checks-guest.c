/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-checks.h"

/* What is inside a guest, from what guests said. */

#define S(text) ((char *)(text))
#define YES NEST_ANSWER_YES
#define NO NEST_ANSWER_NO
#define LINUX .exec = YES, .kind = NEST_GUEST_LINUX, .os = S("Debian GNU/Linux 12")
#define WINDOWS .exec = YES, .kind = NEST_GUEST_WINDOWS, .os = S("Windows 11 Pro")

static char *no_lines[] = {NULL};
static char *two_lines[] = {S("QEMU: Checking for device assignment IOMMU support: WARN"),
    S("QEMU: Checking for secure guest support: WARN"), NULL};
static char *one_domain[] = {S("inner1"), NULL};

typedef struct {
    NestGuestFacts facts;
    const char *id;
    NestVerdict verdict;
} Row;

static const Row rows[] = {
    {{.agent = NEST_AGENT_ANSWERS}, "guest.agent", NEST_VERDICT_PASS},
    {{.agent = NEST_AGENT_ABSENT}, "guest.agent", NEST_VERDICT_WARN},
    {{.agent = NEST_AGENT_UNSYNCED, .agent_error = S("timed out")}, "guest.agent",
        NEST_VERDICT_WARN},
    {{.agent = NEST_AGENT_FAILED}, "guest.agent", NEST_VERDICT_WARN},
    {{.agent = NEST_AGENT_ABSENT}, "guest.exec", NEST_VERDICT_NOT_APPLICABLE},
    {{0}, "guest.exec", NEST_VERDICT_UNKNOWN},
    {{.exec = YES}, "guest.exec", NEST_VERDICT_PASS},
    {{.exec = NO, .exec_setting = S("block-rpcs=guest-exec")}, "guest.exec", NEST_VERDICT_FAIL},
    {{0}, "guest.os", NEST_VERDICT_UNKNOWN},
    {{LINUX}, "guest.os", NEST_VERDICT_PASS},
    {{.kind = NEST_GUEST_WINDOWS}, "guest.os", NEST_VERDICT_PASS},
    {{.kind = NEST_GUEST_OTHER, .os = S("FreeBSD 14")}, "guest.os", NEST_VERDICT_INFO},
    {{.exec = NO}, "guest.reboot-pending", NEST_VERDICT_NOT_APPLICABLE},
    {{LINUX}, "guest.reboot-pending", NEST_VERDICT_UNKNOWN},
    {{LINUX, .reboot_pending = NO}, "guest.reboot-pending", NEST_VERDICT_PASS},
    {{WINDOWS, .reboot_pending = YES}, "guest.reboot-pending", NEST_VERDICT_WARN},
    {{LINUX}, "guest.password", NEST_VERDICT_UNKNOWN},
    {{LINUX, .blank_password = NO}, "guest.password", NEST_VERDICT_PASS},
    {{LINUX, .blank_password = YES}, "guest.password", NEST_VERDICT_WARN},
    {{LINUX}, "guest.mem", NEST_VERDICT_UNKNOWN},
    {{LINUX, .memory_kib = 1 << 20}, "guest.mem", NEST_VERDICT_PASS},
    {{LINUX, .memory_kib = (1 << 20) - 1}, "guest.mem", NEST_VERDICT_WARN},
    {{LINUX}, "guest.disk", NEST_VERDICT_UNKNOWN},
    {{LINUX, .disk_kib = 10 << 20}, "guest.disk", NEST_VERDICT_PASS},
    {{WINDOWS, .disk_kib = 1 << 20}, "guest.disk", NEST_VERDICT_WARN},
    {{.exec = YES}, "guest.cpuflag", NEST_VERDICT_UNKNOWN},
    {{WINDOWS}, "guest.cpuflag", NEST_VERDICT_NOT_APPLICABLE},
    {{LINUX}, "guest.cpuflag", NEST_VERDICT_UNKNOWN},
    {{LINUX, .cpu_flag = YES}, "guest.cpuflag", NEST_VERDICT_PASS},
    {{LINUX, .cpu_flag = NO}, "guest.cpuflag", NEST_VERDICT_FAIL},
    {{LINUX}, "guest.kvm-module", NEST_VERDICT_UNKNOWN},
    {{LINUX, .module = NEST_GUEST_MODULE_LOADED}, "guest.kvm-module", NEST_VERDICT_PASS},
    {{LINUX, .module = NEST_GUEST_MODULE_REFUSED}, "guest.kvm-module", NEST_VERDICT_FAIL},
    {{LINUX, .module = NEST_GUEST_MODULE_ABSENT}, "guest.kvm-module", NEST_VERDICT_FAIL},
    {{LINUX}, "guest.kvm-dev", NEST_VERDICT_UNKNOWN},
    {{LINUX, .kvm = NEST_GUEST_DEVICE_USABLE}, "guest.kvm-dev", NEST_VERDICT_PASS},
    {{LINUX, .kvm = NEST_GUEST_DEVICE_DENIED}, "guest.kvm-dev", NEST_VERDICT_FAIL},
    {{LINUX, .kvm = NEST_GUEST_DEVICE_ABSENT}, "guest.kvm-dev", NEST_VERDICT_FAIL},
    {{LINUX}, "guest.validate", NEST_VERDICT_UNKNOWN},
    {{LINUX, .libvirt = YES}, "guest.validate", NEST_VERDICT_UNKNOWN},
    {{LINUX, .libvirt = NO}, "guest.validate", NEST_VERDICT_NOT_APPLICABLE},
    {{LINUX, .validate = no_lines}, "guest.validate", NEST_VERDICT_PASS},
    {{LINUX, .validate = two_lines}, "guest.validate", NEST_VERDICT_INFO},
    {{LINUX}, "guest.tcg", NEST_VERDICT_UNKNOWN},
    {{LINUX, .libvirt = NO}, "guest.tcg", NEST_VERDICT_NOT_APPLICABLE},
    {{LINUX, .tcg_domains = no_lines}, "guest.tcg", NEST_VERDICT_PASS},
    {{LINUX, .tcg_domains = one_domain}, "guest.tcg", NEST_VERDICT_WARN},
    {{LINUX, .tcg_domains = two_lines}, "guest.tcg", NEST_VERDICT_WARN},
    {{LINUX, .libvirt = NO}, "guest.default-net", NEST_VERDICT_NOT_APPLICABLE},
    {{LINUX, .libvirt = YES}, "guest.default-net", NEST_VERDICT_UNKNOWN},
    {{LINUX, .default_net = YES}, "guest.default-net", NEST_VERDICT_PASS},
    {{LINUX, .default_net = NO}, "guest.default-net", NEST_VERDICT_WARN},
    {{LINUX}, "guest.l3", NEST_VERDICT_UNKNOWN},
    {{LINUX, .module = NEST_GUEST_MODULE_LOADED}, "guest.l3", NEST_VERDICT_UNKNOWN},
    {{LINUX, .module = NEST_GUEST_MODULE_IDLE}, "guest.l3", NEST_VERDICT_NOT_APPLICABLE},
    {{LINUX, .nested = S("Y")}, "guest.l3", NEST_VERDICT_INFO},
    {{LINUX, .nested = S("1")}, "guest.l3", NEST_VERDICT_INFO},
    {{LINUX, .nested = S("0")}, "guest.l3", NEST_VERDICT_PASS},
    {{.exec = YES}, "win.build", NEST_VERDICT_UNKNOWN},
    {{LINUX}, "win.build", NEST_VERDICT_NOT_APPLICABLE},
    {{.exec = YES, .kind = NEST_GUEST_OTHER}, "win.build", NEST_VERDICT_NOT_APPLICABLE},
    {{WINDOWS}, "win.build", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .build = 10240}, "win.build", NEST_VERDICT_FAIL},
    {{WINDOWS, .build = 22631}, "win.build", NEST_VERDICT_PASS},
    {{WINDOWS}, "win.edition", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .edition = S("CoreSingleLanguage")}, "win.edition", NEST_VERDICT_FAIL},
    {{WINDOWS, .edition = S("Professional")}, "win.edition", NEST_VERDICT_PASS},
    {{WINDOWS}, "win.role", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = NO}, "win.role", NEST_VERDICT_WARN},
    {{WINDOWS, .hyperv = YES}, "win.role", NEST_VERDICT_PASS},
    {{WINDOWS, .platform = YES}, "win.role", NEST_VERDICT_PASS},
    {{WINDOWS, .hyperv = NO, .platform = NO, .vbs = NO, .hypervisor = YES}, "win.hypervisor",
        NEST_VERDICT_NOT_APPLICABLE},
    {{WINDOWS, .hypervisor = YES, .own_hypervisor = YES}, "win.hypervisor", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = NO, .hypervisor = YES, .own_hypervisor = NO}, "win.hypervisor",
        NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = NO, .vbs = YES, .hypervisor = YES, .own_hypervisor = YES},
        "win.hypervisor", NEST_VERDICT_PASS},
    {{WINDOWS, .hyperv = YES}, "win.hypervisor", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = YES, .hypervisor = YES}, "win.hypervisor", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = YES, .hypervisor = YES, .own_hypervisor = YES}, "win.hypervisor",
        NEST_VERDICT_PASS},
    {{WINDOWS, .hyperv = YES, .hypervisor = YES, .own_hypervisor = NO}, "win.hypervisor",
        NEST_VERDICT_FAIL},
    {{WINDOWS, .platform = YES, .hypervisor = NO}, "win.hypervisor", NEST_VERDICT_FAIL},
    {{WINDOWS}, "win.launchtype", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .launch_type = S("Auto")}, "win.launchtype", NEST_VERDICT_PASS},
    {{WINDOWS, .launch_type = S("Off")}, "win.launchtype", NEST_VERDICT_FAIL},
    {{WINDOWS, .launch_type = S("Auto"), .nested_refused = YES}, "win.launchtype",
        NEST_VERDICT_FAIL},
    {{WINDOWS}, "win.vbs", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .vbs = NO}, "win.vbs", NEST_VERDICT_PASS},
    {{WINDOWS, .vbs = YES}, "win.vbs", NEST_VERDICT_WARN},
    {{WINDOWS}, "win.vbs-efi", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .secure_boot = NO, .event_124 = YES}, "win.vbs-efi", NEST_VERDICT_NOT_APPLICABLE},
    {{WINDOWS, .secure_boot = YES, .event_124 = NO}, "win.vbs-efi", NEST_VERDICT_PASS},
    {{WINDOWS, .secure_boot = YES, .event_124 = YES}, "win.vbs-efi", NEST_VERDICT_WARN},
    {{WINDOWS, .vid = NO}, "win.vid", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = NO, .vbs = YES, .vid = NO}, "win.vid", NEST_VERDICT_NOT_APPLICABLE},
    {{WINDOWS, .hyperv = YES}, "win.vid", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = YES, .vid = NO}, "win.vid", NEST_VERDICT_FAIL},
    {{WINDOWS, .hyperv = YES, .vid = YES}, "win.vid", NEST_VERDICT_PASS},
    {{WINDOWS}, "win.boot-risk", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = NO}, "win.boot-risk", NEST_VERDICT_UNKNOWN},
    {{WINDOWS, .hyperv = NO, .vbs = NO}, "win.boot-risk", NEST_VERDICT_NOT_APPLICABLE},
    {{WINDOWS, .hyperv = NO, .vbs = YES}, "win.boot-risk", NEST_VERDICT_PASS},
    {{WINDOWS, .hyperv = YES}, "win.boot-risk", NEST_VERDICT_PASS},
    {{WINDOWS, .wsl = YES}, "win.amd-wsl", NEST_VERDICT_NOT_APPLICABLE},
};

static NestVm *running_vm(void)
{
    NestVm *vm = nest_vm_new();
    vm->state = NEST_VM_RUNNING;
    vm->extension = NEST_EXTENSION_VMX;
    return vm;
}

static void add_check(NestVm *vm, const char *id, NestVerdict verdict)
{
    NestCheck *check = nest_record_new(&nest_check_record);
    check->id = g_strdup(id);
    check->verdict = verdict;
    g_ptr_array_add(vm->checks, check);
}

static void test_outcomes(void **state)
{
    g_autoptr(NestVm) vm = running_vm();
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) checks = nest_checks_guest(vm, &rows[i].facts, NULL, NULL);
        g_autofree char *where = g_strdup_printf("row %u", i);
        assert_well_formed(checks);
        assert_int_equal(checks->len, 24);
        assert_verdict(checks, where, rows[i].id, rows[i].verdict);
    }
}

/* All of them say why they do not apply where nobody asked. */
static void test_not_asked(void **state)
{
    static const struct {
        NestVmState state;
        NestVerdict agent;
        const char *why;
    } cases[] = {
        {NEST_VM_OFF, NEST_VERDICT_PASS, "It does not run."},
        {NEST_VM_PAUSED, NEST_VERDICT_PASS, "It does not run."},
        {NEST_VM_RUNNING, NEST_VERDICT_INFO, "It has no channel"},
        {NEST_VM_RUNNING, NEST_VERDICT_UNKNOWN, "It has no channel"},
        {NEST_VM_RUNNING, NEST_VERDICT_PASS, "The guest has not been asked: "},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NestVm) vm = running_vm();
        vm->state = cases[i].state;
        add_check(vm, "vm.agent", cases[i].agent);
        g_autoptr(GPtrArray) checks = nest_checks_guest(vm, NULL, NULL, NULL);
        for (guint c = 0; c < checks->len; c++) {
            const NestCheck *check = g_ptr_array_index(checks, c);
            assert_int_equal(check->verdict, NEST_VERDICT_NOT_APPLICABLE);
            assert_non_null(strstr(check->message, cases[i].why));
        }
    }
}

/* The definition does not show that it runs Windows, and the guest is Windows all the same. */
static void test_no_profile_at_all(void **state)
{
    static const NestGuestFacts role = {WINDOWS, .hyperv = YES};
    g_autoptr(NestVm) vm = running_vm();
    add_check(vm, "vm.hv.profile", NEST_VERDICT_NOT_APPLICABLE);
    vm->accel = NEST_ACCEL_KVM;
    g_autoptr(GPtrArray) kvm = nest_checks_guest(vm, &role, NULL, NULL);
    assert_verdict(kvm, "no profile", "win.boot-risk", NEST_VERDICT_FAIL);
    static const NestGuestFacts security = {WINDOWS, .hyperv = NO, .vbs = YES};
    g_autoptr(GPtrArray) secured = nest_checks_guest(vm, &security, NULL, NULL);
    assert_verdict(secured, "security alone", "win.boot-risk", NEST_VERDICT_FAIL);
    vm->accel = NEST_ACCEL_TCG;
    g_autoptr(GPtrArray) tcg = nest_checks_guest(vm, &role, NULL, NULL);
    assert_verdict(tcg, "TCG", "win.boot-risk", NEST_VERDICT_PASS);
}

static void test_what_the_vm_adds(void **state)
{
    static const NestGuestFacts role = {WINDOWS, .hyperv = YES};
    static const NestGuestFacts booted = {WINDOWS, .platform = YES, .own_hypervisor = YES};
    g_autoptr(NestVm) vm = running_vm();
    add_check(vm, "vm.hv.profile", NEST_VERDICT_WARN);
    g_autoptr(GPtrArray) risky = nest_checks_guest(vm, &role, NULL, NULL);
    assert_verdict(risky, "poor profile", "win.boot-risk", NEST_VERDICT_FAIL);
    assert_well_formed(risky);
    g_autoptr(GPtrArray) past = nest_checks_guest(vm, &booted, NULL, NULL);
    assert_verdict(past, "has booted", "win.boot-risk", NEST_VERDICT_WARN);
    vm->extension = NEST_EXTENSION_SVM;
    static const NestGuestFacts wsl[] = {{WINDOWS}, {WINDOWS, .wsl = NO}, {WINDOWS, .wsl = YES}};
    static const NestVerdict verdicts[] = {
        NEST_VERDICT_UNKNOWN, NEST_VERDICT_PASS, NEST_VERDICT_WARN};
    for (guint i = 0; i < G_N_ELEMENTS(wsl); i++) {
        g_autoptr(GPtrArray) checks = nest_checks_guest(vm, &wsl[i], NULL, NULL);
        assert_verdict(checks, "AMD", "win.amd-wsl", verdicts[i]);
        assert_well_formed(checks);
    }
}

static void test_facts_are_freed(void **state)
{
    NestGuestFacts *facts = g_new0(NestGuestFacts, 1);
    facts->os = g_strdup("Debian");
    facts->validate = g_strsplit("a b", " ", -1);
    nest_guest_facts_free(facts);
    nest_guest_facts_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_no_profile_at_all),
        cmocka_unit_test(test_what_the_vm_adds),
        cmocka_unit_test(test_facts_are_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
