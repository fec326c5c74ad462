/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-checks.h"

/* What a VM gets when it runs, what holds it, and its snapshots. */

#define CPU_ASKS(mode) "<cpu mode='" mode "'><feature policy='require' name='vmx'/></cpu>"
#define CPU_LOST "<cpu mode='custom'><feature policy='disable' name='vmx'/></cpu>"
#define CPU_PARTS(policy) \
    "<cpu mode='custom'><feature policy='require' name='vmx'/>" \
    "<feature policy='" policy "' name='vmx-ept-execonly'/></cpu>"
#define HOSTDEV "<hostdev mode='subsystem' type='pci'/>"
#define DISK(below) "<disk type='file' device='disk'><target dev='vda'/>" below "</disk>"

typedef struct {
    TestVm vm;
    const char *id;
    NestVerdict verdict;
    NestStartLog log;
} Row;

static const Row rows[] = {
    {{.cpu = CPU_ON("vmx")}, "vm.cpu.effective", NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = CPU_OFF, .live_cpu = CPU_OFF}, "vm.cpu.effective", NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx")}, "vm.cpu.effective", NEST_VERDICT_PASS},
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough")},
        "vm.cpu.effective", NEST_VERDICT_UNKNOWN},
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough")},
        "vm.cpu.effective", NEST_VERDICT_PASS, NEST_START_LOG_CLEAN},
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough")},
        "vm.cpu.effective", NEST_VERDICT_FAIL, NEST_START_LOG_MISSES_VMX},
    {{.cpu = CPU_ASKS("host-model"), .live_cpu = CPU_LOST}, "vm.cpu.effective", NEST_VERDICT_FAIL},
    {{.cpu = CPU_ASKS("host-model"), .live_cpu = CPU_ASKS("custom")}, "vm.cpu.effective",
        NEST_VERDICT_PASS},
    {{.cpu = CPU_ON("vmx")}, "vm.cpu.subfeatures", NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx")}, "vm.cpu.subfeatures",
        NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = CPU_OFF, .live_cpu = CPU_LOST}, "vm.cpu.subfeatures", NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = CPU_ON("svm"), .live_cpu = CPU_ON("svm"), .host = "amd-ready"}, "vm.cpu.subfeatures",
        NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = CPU_ASKS("host-model"), .live_cpu = CPU_ASKS("custom")}, "vm.cpu.subfeatures",
        NEST_VERDICT_PASS},
    {{.cpu = CPU_ASKS("host-model"), .live_cpu = CPU_PARTS("disable")}, "vm.cpu.subfeatures",
        NEST_VERDICT_INFO},
    {{.cpu = CPU_PARTS("disable"), .live_cpu = CPU_PARTS("disable")}, "vm.cpu.subfeatures",
        NEST_VERDICT_PASS},
    {{.cpu = CPU_PARTS("require"), .live_cpu = CPU_PARTS("disable")}, "vm.cpu.subfeatures",
        NEST_VERDICT_WARN},
    {{.current_mib = 1024}, "vm.mem.inflated", NEST_VERDICT_NOT_APPLICABLE},
    {{.live_cpu = CPU_OFF}, "vm.mem.inflated", NEST_VERDICT_PASS},
    {{.live_cpu = CPU_OFF, .current_mib = 1024, .balloon = TRUE}, "vm.mem.inflated",
        NEST_VERDICT_WARN},
    {{0}, "vm.mem.autoballoon", NEST_VERDICT_PASS},
    {{.balloon = TRUE}, "vm.mem.autoballoon", NEST_VERDICT_PASS},
    {{.balloon = TRUE,
         .cpu = CPU_OFF "<metadata><o:vm xmlns:o='http://ovirt.org/vm/1.0'/></metadata>"},
        "vm.mem.autoballoon", NEST_VERDICT_WARN},
    {{.cpu = CPU_OFF "<metadata><o:vm xmlns:o='http://ovirt.org/vm/1.0'/></metadata>"},
        "vm.mem.autoballoon", NEST_VERDICT_PASS},
    {{0}, "vm.disk.overlay", NEST_VERDICT_PASS},
    {{.devices = DISK("")}, "vm.disk.overlay", NEST_VERDICT_NOT_APPLICABLE},
    {{.devices = "<disk type='file' device='cdrom'><target dev='sda'/></disk>"}, "vm.disk.overlay",
        NEST_VERDICT_PASS},
    {{.devices = DISK("<backingStore/>")}, "vm.disk.overlay", NEST_VERDICT_PASS},
    {{.devices = DISK("<backingStore type='file'><source file='/b'/></backingStore>")},
        "vm.disk.overlay", NEST_VERDICT_INFO},
    {{0}, "vm.viommu", NEST_VERDICT_NOT_APPLICABLE},
    {{.devices = "<hostdev type='usb'/>"}, "vm.viommu", NEST_VERDICT_NOT_APPLICABLE},
    {{.devices = HOSTDEV}, "vm.viommu", NEST_VERDICT_WARN},
    {{.devices = HOSTDEV "<iommu model='intel'/>"}, "vm.viommu", NEST_VERDICT_WARN},
    {{.devices = HOSTDEV "<iommu model='intel'><driver intremap='on' caching_mode='on'/></iommu>"},
        "vm.viommu", NEST_VERDICT_PASS},
    {{.devices = HOSTDEV "<iommu model='virtio'/>"}, "vm.viommu", NEST_VERDICT_PASS},
    {{0}, "vm.blockers", NEST_VERDICT_PASS},
    {{.devices = HOSTDEV}, "vm.blockers", NEST_VERDICT_INFO},
    {{.devices = "<filesystem type='mount'><driver type='virtiofs'/></filesystem>"}, "vm.blockers",
        NEST_VERDICT_INFO},
    {{.cpu = "<cpu mode='host-passthrough' migratable='off'/>"}, "vm.blockers", NEST_VERDICT_INFO},
    {{0}, "vm.l2", NEST_VERDICT_NOT_APPLICABLE},
    {{.live_cpu = CPU_ON("vmx")}, "vm.l2", NEST_VERDICT_INFO},
    {{.live_cpu = CPU_ON("vmx"), .activity = NEST_ACTIVITY_HOSTING}, "vm.l2", NEST_VERDICT_INFO},
    {{0}, "vm.taint", NEST_VERDICT_NOT_APPLICABLE},
    {{.live_cpu = CPU_OFF}, "vm.taint", NEST_VERDICT_NOT_APPLICABLE},
    {{0}, "vm.machine", NEST_VERDICT_PASS},
    {{.no_caps = TRUE}, "vm.machine", NEST_VERDICT_UNKNOWN},
    {{.type = "qemu", .arch = "aarch64"}, "vm.machine", NEST_VERDICT_NOT_APPLICABLE},
    {{0}, "vm.snap.memory", NEST_VERDICT_PASS},
    {{.snapshots = 1}, "vm.snap.memory", NEST_VERDICT_NOT_APPLICABLE},
    {{.snapshots = 1, .cpu = CPU_ON("vmx")}, "vm.snap.memory", NEST_VERDICT_UNKNOWN},
    {{0}, "vm.snap.cpu", NEST_VERDICT_PASS},
    {{.snapshots = 1}, "vm.snap.cpu", NEST_VERDICT_NOT_APPLICABLE},
    {{.snapshots = 1, .cpu = CPU_ON("vmx")}, "vm.snap.cpu", NEST_VERDICT_UNKNOWN},
};

static void test_outcomes(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        test->facts->start_log = rows[i].log;
        g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
        g_autofree char *where = g_strdup_printf("row %u", i);
        assert_well_formed(vm->checks);
        assert_verdict(vm->checks, where, rows[i].id, rows[i].verdict);
    }
}

static void assert_machine(TestView *test, const char *machine, NestVerdict verdict)
{
    g_free(test->domain->machine);
    test->domain->machine = g_strdup(machine);
    g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
    assert_well_formed(vm->checks);
    assert_verdict(vm->checks, machine, "vm.machine", verdict);
}

static void test_machines(void **state)
{
    TestVm row = {0};
    g_autoptr(TestView) test = test_view_new(&row);
    assert_machine(test, "q35", NEST_VERDICT_PASS);
    assert_machine(test, "pc-q35-4.2", NEST_VERDICT_WARN);
    assert_machine(test, "pc-i440fx-1.4", NEST_VERDICT_FAIL);
    assert_machine(test, NULL, NEST_VERDICT_PASS);
}

static void test_balloons(void **state)
{
    TestVm row = {.balloon = TRUE};
    g_autoptr(TestView) test = test_view_new(&row);
    test->domain->extras.autodeflate = TRUE;
    g_autoptr(NestVm) deflates = nest_checks_vm(&test->view);
    assert_verdict(deflates->checks, "deflates", "vm.mem.autoballoon", NEST_VERDICT_WARN);
    test->domain->extras.free_page_reporting = TRUE;
    g_autoptr(NestVm) reports = nest_checks_vm(&test->view);
    assert_non_null(
        strstr(find_check(reports->checks, "vm.mem.autoballoon")->message, "freePageReporting"));
}

static void test_taints(void **state)
{
    TestVm row = {.live_cpu = CPU_OFF};
    g_autoptr(TestView) test = test_view_new(&row);
    test->facts->messages = g_new0(char *, 2);
    g_autoptr(NestVm) clean = nest_checks_vm(&test->view);
    assert_verdict(clean->checks, "clean", "vm.taint", NEST_VERDICT_PASS);
    test->facts->messages[0] = g_strdup("tainted: custom-monitor");
    g_autoptr(NestVm) tainted = nest_checks_vm(&test->view);
    assert_verdict(tainted->checks, "tainted", "vm.taint", NEST_VERDICT_INFO);
    assert_well_formed(tainted->checks);
}

static void test_snapshots(void **state)
{
    static const struct {
        guint there, read, with_memory, without;
        NestVerdict memory, cpu;
    } cases[] = {
        {2, 2, 0, 0, NEST_VERDICT_PASS, NEST_VERDICT_PASS},
        {2, 2, 1, 0, NEST_VERDICT_WARN, NEST_VERDICT_PASS},
        {2, 2, 0, 1, NEST_VERDICT_PASS, NEST_VERDICT_WARN},
        {200, 64, 0, 0, NEST_VERDICT_UNKNOWN, NEST_VERDICT_UNKNOWN},
        {200, 64, 1, 2, NEST_VERDICT_WARN, NEST_VERDICT_WARN},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        TestVm row = {.cpu = CPU_ON("vmx"), .snapshots = cases[i].there};
        g_autoptr(TestView) test = test_view_new(&row);
        NestSnapshotFacts *facts = test->facts->snapshot_facts = g_new0(NestSnapshotFacts, 1);
        facts->read = cases[i].read;
        facts->with_memory = cases[i].with_memory;
        facts->without = cases[i].without;
        facts->memory_name = g_strdup("before");
        facts->without_name = g_strdup("plain");
        g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
        g_autofree char *where = g_strdup_printf("case %u", i);
        assert_well_formed(vm->checks);
        assert_verdict(vm->checks, where, "vm.snap.memory", cases[i].memory);
        assert_verdict(vm->checks, where, "vm.snap.cpu", cases[i].cpu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_balloons),
        cmocka_unit_test(test_taints),
        cmocka_unit_test(test_snapshots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
