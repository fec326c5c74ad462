/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-checks.h"

static NestVm *vm_of(const TestVm *vm)
{
    g_autoptr(TestView) test = test_view_new(vm);
    NestVm *judged = nest_checks_vm(&test->view);
    assert_well_formed(judged->checks);
    return judged;
}

typedef struct {
    TestVm vm;
    const char *id;
    NestVerdict verdict;
} VmRow;

#define CPU_BESIDE(name, policy, other) \
    "<cpu mode='host-passthrough' check='full'><feature policy='require' name='" name \
    "'/><feature policy='" policy "' name='" other "'/></cpu>"
#define CPU_WITH(policy, name) \
    "<cpu mode='host-passthrough'><feature policy='" policy "' name='" name "'/></cpu>"

static const VmRow vm_rows[] = {
    {{0}, "vm.host", NEST_VERDICT_PASS},
    {{.host = "intel-nested-off"}, "vm.host", NEST_VERDICT_FAIL},
    {{.host = "software-kvm"}, "vm.host", NEST_VERDICT_FAIL},
    {{.host = "nested-unreadable"}, "vm.host", NEST_VERDICT_UNKNOWN},
    {{.host = ""}, "vm.host", NEST_VERDICT_UNKNOWN},
    {{.kvm_offers_none = TRUE}, "vm.host", NEST_VERDICT_FAIL},
    {{.type = "qemu"}, "vm.host", NEST_VERDICT_PASS},
    {{.type = "qemu", .host = "software-kvm"}, "vm.host", NEST_VERDICT_PASS},
    {{.type = "qemu", .no_caps = TRUE}, "vm.host", NEST_VERDICT_UNKNOWN},
    {{.type = "qemu", .tcg_offers_none = TRUE}, "vm.host", NEST_VERDICT_FAIL},
    {{0}, "vm.saved", NEST_VERDICT_PASS},
    {{.saved = TRUE}, "vm.saved", NEST_VERDICT_FAIL},
    {{.saved = TRUE, .broken = TRUE}, "vm.saved", NEST_VERDICT_FAIL},
    {{.cpu = CPU_ON("vmx")}, "vm.exposed", NEST_VERDICT_PASS},
    {{.cpu = CPU_OFF}, "vm.exposed", NEST_VERDICT_FAIL},
    {{.cpu = CPU_MODE("host-model")}, "vm.exposed", NEST_VERDICT_INFO},
    {{.broken = TRUE}, "vm.exposed", NEST_VERDICT_UNKNOWN},
    {{.cpu = CPU_ON("vmx")}, "vm.cpu.enforced", NEST_VERDICT_PASS},
    {{.cpu = "<cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>"},
        "vm.cpu.enforced", NEST_VERDICT_WARN},
    {{.cpu = CPU_MODE("host-model")}, "vm.cpu.enforced", NEST_VERDICT_WARN},
    {{.cpu = CPU_OFF}, "vm.cpu.enforced", NEST_VERDICT_NOT_APPLICABLE},
    {{.type = "qemu", .cpu = CPU_TCG_ON}, "vm.cpu.enforced", NEST_VERDICT_PASS},
    {{.cpu = CPU_ON("vmx")}, "vm.cpu.vendor-match", NEST_VERDICT_PASS},
    {{.cpu = CPU_ON("svm")}, "vm.cpu.vendor-match", NEST_VERDICT_FAIL},
    {{.cpu = CPU_ON("vmx"), .host = "amd-ready"}, "vm.cpu.vendor-match", NEST_VERDICT_FAIL},
    {{.cpu = CPU_ON("vmx"), .host = ""}, "vm.cpu.vendor-match", NEST_VERDICT_UNKNOWN},
    {{.cpu = CPU_OFF}, "vm.cpu.vendor-match", NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = CPU_OFF}, "vm.cpu.conflict", NEST_VERDICT_PASS},
    {{.cpu = "<cpu mode='host-passthrough'><feature policy='forbid' name='vmx'/></cpu>"},
        "vm.cpu.conflict", NEST_VERDICT_FAIL},
    {{.cpu = "<cpu mode='host-passthrough'><feature policy='require' name='vmx'/>"
             "<feature policy='require' name='svm'/></cpu>"},
        "vm.cpu.conflict", NEST_VERDICT_FAIL},
    {{.cpu = CPU_BESIDE("svm", "forbid", "vmx"), .host = "amd-ready"}, "vm.cpu.conflict",
        NEST_VERDICT_PASS},
    {{.cpu = CPU_BESIDE("vmx", "forbid", "svm"), .host = "amd-ready"}, "vm.cpu.conflict",
        NEST_VERDICT_FAIL},
    {{.cpu = CPU_BESIDE("svm", "forbid", "vmx"), .host = ""}, "vm.cpu.conflict", NEST_VERDICT_FAIL},
    {{.cpu = CPU_BESIDE("svm", "disable", "npt"), .host = "amd-ready"}, "vm.cpu.conflict",
        NEST_VERDICT_WARN},
    {{.cpu = CPU_BESIDE("vmx", "disable", "vmx-ept")}, "vm.cpu.conflict", NEST_VERDICT_WARN},
    {{0}, "vm.cpu.pending", NEST_VERDICT_NOT_APPLICABLE},
    {{.live_cpu = CPU_OFF}, "vm.cpu.pending", NEST_VERDICT_PASS},
    {{.live_cpu = CPU_ON("vmx")}, "vm.cpu.pending", NEST_VERDICT_WARN},
    {{0}, "vm.type", NEST_VERDICT_PASS},
    {{.type = "qemu"}, "vm.type", NEST_VERDICT_INFO},
    {{.type = "xen"}, "vm.type", NEST_VERDICT_FAIL},
    {{.vcpus = 1}, "vm.vcpus", NEST_VERDICT_WARN},
    {{.vcpus = 2}, "vm.vcpus", NEST_VERDICT_PASS},
    {{.memory_mib = 4096}, "vm.mem.min", NEST_VERDICT_PASS},
    {{.memory_mib = 4095}, "vm.mem.min", NEST_VERDICT_WARN},
    {{0}, "vm.mem.dynamic", NEST_VERDICT_PASS},
    {{.balloon = TRUE}, "vm.mem.dynamic", NEST_VERDICT_INFO},
    {{.balloon = TRUE, .current_mib = 1024}, "vm.mem.dynamic", NEST_VERDICT_FAIL},
    {{0}, "vm.snap.any", NEST_VERDICT_PASS},
    {{.snapshots = 1}, "vm.snap.any", NEST_VERDICT_WARN},
    {{.cpu = CPU_MODE("host-passthrough")}, "vm.unwanted", NEST_VERDICT_WARN},
    {{.cpu = CPU_MODE("host-passthrough"), .host = "software-kvm"}, "vm.unwanted",
        NEST_VERDICT_PASS},
    {{.cpu = CPU_ON("vmx")}, "vm.unwanted", NEST_VERDICT_PASS},
    {{0}, "net.spoof", NEST_VERDICT_NOT_APPLICABLE},
    {{.devices = NIC("bridge", "")}, "net.spoof", NEST_VERDICT_PASS},
    {{.devices = NIC("bridge", FILTER("allow-dhcp"))}, "net.spoof", NEST_VERDICT_PASS},
    {{.devices = NIC("bridge", FILTER("clean-traffic"))}, "net.spoof", NEST_VERDICT_WARN},
    {{.devices = NIC("bridge", FILTER("our-own"))}, "net.spoof", NEST_VERDICT_UNKNOWN},
    {{0}, "net.user", NEST_VERDICT_NOT_APPLICABLE},
    {{.devices = NIC("bridge", "")}, "net.user", NEST_VERDICT_PASS},
    {{.devices = NIC("bridge", "") NIC("user", "")}, "net.user", NEST_VERDICT_INFO},
    {{0}, "vm.state", NEST_VERDICT_PASS},
    {{.state = NEST_VM_RUNNING}, "vm.state", NEST_VERDICT_INFO},
    {{.state_unknown = TRUE}, "vm.state", NEST_VERDICT_UNKNOWN},
    {{.cpu = CPU_MODE("host-passthrough")}, "vm.cpu.portable", NEST_VERDICT_INFO},
    {{.cpu = CPU_MODE("host-model")}, "vm.cpu.portable", NEST_VERDICT_PASS},
    {{0}, "vm.cpu.hypervisor-bit", NEST_VERDICT_PASS},
    {{.cpu = CPU_WITH("disable", "hypervisor")}, "vm.cpu.hypervisor-bit", NEST_VERDICT_WARN},
    {{.cpu = CPU_OFF "<features><kvm><hidden state='on'/></kvm></features>"},
        "vm.cpu.hypervisor-bit", NEST_VERDICT_WARN},
    {{0}, "vm.cpu.tsx", NEST_VERDICT_NOT_APPLICABLE},
    {{.host = ""}, "vm.cpu.tsx", NEST_VERDICT_INFO},
    {{.host = "amd-ready"}, "vm.cpu.tsx", NEST_VERDICT_NOT_APPLICABLE},
    {{.cpu = "<cpu mode='host-passthrough'><feature policy='disable' name='hle'/>"
             "<feature policy='disable' name='rtm'/></cpu>",
         .host = ""},
        "vm.cpu.tsx", NEST_VERDICT_PASS},
    {{0}, "vm.cpu.invtsc", NEST_VERDICT_PASS},
    {{.cpu = CPU_WITH("require", "invtsc")}, "vm.cpu.invtsc", NEST_VERDICT_INFO},
    {{.cpu = "<cpu mode='host-passthrough' migratable='off'/>"}, "vm.cpu.invtsc",
        NEST_VERDICT_INFO},
    {{0}, "vm.mem.hotplug", NEST_VERDICT_PASS},
    {{.cpu = CPU_OFF "<maxMemory slots='4' unit='GiB'>8</maxMemory>"}, "vm.mem.hotplug",
        NEST_VERDICT_WARN},
    {{.devices = "<memory model='dimm'/>"}, "vm.mem.hotplug", NEST_VERDICT_WARN},
    {{0}, "vm.mem.backing", NEST_VERDICT_INFO},
    {{.cpu = CPU_OFF "<memoryBacking><hugepages/></memoryBacking>"}, "vm.mem.backing",
        NEST_VERDICT_PASS},
    {{0}, "vm.launchsec", NEST_VERDICT_PASS},
    {{.cpu = CPU_OFF "<launchSecurity type='sev'/>"}, "vm.launchsec", NEST_VERDICT_FAIL},
    {{0}, "vm.agent", NEST_VERDICT_INFO},
    {{.devices = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/>"
                 "</channel>"},
        "vm.agent", NEST_VERDICT_PASS},
    {{0}, "vm.display", NEST_VERDICT_PASS},
    {{.devices = "<graphics type='vnc' port='-1'/>"}, "vm.display", NEST_VERDICT_PASS},
    {{.devices = "<graphics type='vnc' passwd='x'/><graphics type='spice' passwd=''/>"},
        "vm.display", NEST_VERDICT_WARN},
    {{0}, "vm.vsock", NEST_VERDICT_INFO},
    {{.devices = "<vsock/>"}, "vm.vsock", NEST_VERDICT_PASS},
    {{0}, "vm.vcpu-hotplug", NEST_VERDICT_PASS},
    {{0}, "net.macvtap", NEST_VERDICT_NOT_APPLICABLE},
    {{.devices = NIC("bridge", "")}, "net.macvtap", NEST_VERDICT_PASS},
    {{.devices = NIC("direct", "")}, "net.macvtap", NEST_VERDICT_WARN},
    {{.devices = "<interface type='direct' trustGuestRxFilters='yes'>"
                 "<source dev='eth0' mode='passthrough'/></interface>"},
        "net.macvtap", NEST_VERDICT_PASS},
    {{.devices = NIC("bridge", "")}, "net.isolated", NEST_VERDICT_PASS},
    {{.devices = NIC("bridge", "<port isolated='yes'/>")}, "net.isolated", NEST_VERDICT_WARN},
    {{.devices = NIC("bridge", "")}, "net.ovs", NEST_VERDICT_PASS},
    {{.devices = NIC("bridge",
          "<virtualport type='openvswitch'>"
          "<parameters interfaceid='1'/></virtualport>")},
        "net.ovs", NEST_VERDICT_WARN},
    {{.devices = NIC("bridge", "<model type='virtio'/>")}, "net.model", NEST_VERDICT_PASS},
    {{.devices = NIC("bridge", "<model type='e1000'/>")}, "net.model", NEST_VERDICT_INFO},
};

static void test_vm_outcomes(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(vm_rows); i++) {
        g_autoptr(NestVm) vm = vm_of(&vm_rows[i].vm);
        g_autofree char *where = g_strdup_printf("row %u", i);
        assert_verdict(vm->checks, where, vm_rows[i].id, vm_rows[i].verdict);
        if (vm_rows[i].verdict == NEST_VERDICT_FAIL)
            assert_false(vm->supports);
    }
}

static void test_own_cpu_line(void **state)
{
    TestVm vm = {.cpu = CPU_ON("vmx")};
    g_autoptr(TestView) test = test_view_new(&vm);
    test->domain->cpu_override = TRUE;
    g_autoptr(NestVm) judged = nest_checks_vm(&test->view);
    assert_verdict(judged->checks, "override", "vm.cpu.conflict", NEST_VERDICT_WARN);
    assert_verdict(judged->checks, "override", "vm.cpu.enforced", NEST_VERDICT_WARN);
    test->domain->extras.vcpus_now = 1;
    g_autoptr(NestVm) partly = nest_checks_vm(&test->view);
    assert_verdict(partly->checks, "partly", "vm.vcpu-hotplug", NEST_VERDICT_WARN);
    test->domain->vcpus = 0;
    test->domain->memory_kib = 0;
    g_autoptr(NestVm) unread = nest_checks_vm(&test->view);
    assert_verdict(unread->checks, "unread", "vm.vcpus", NEST_VERDICT_UNKNOWN);
    assert_verdict(unread->checks, "unread", "vm.mem.min", NEST_VERDICT_UNKNOWN);
}

static void test_vm_verdict(void **state)
{
    static const struct {
        TestVm vm;
        gboolean supports;
    } rows[] = {
        {{.cpu = CPU_ON("vmx")}, TRUE},
        {{.cpu = CPU_ON("vmx"), .snapshots = 2, .vcpus = 1, .memory_mib = 512}, TRUE},
        {{.cpu = CPU_ON("vmx"), .saved = TRUE}, FALSE},
        {{.cpu = CPU_ON("vmx"), .balloon = TRUE, .current_mib = 1024}, FALSE},
        {{.cpu = CPU_ON("vmx"), .balloon = TRUE}, TRUE},
        {{.cpu = CPU_OFF}, FALSE},
        {{.cpu = CPU_MODE("host-passthrough")}, TRUE},
        {{.cpu = CPU_ON("vmx"), .host = "intel-nested-off"}, FALSE},
        {{.cpu = CPU_ON("vmx"), .host = ""}, FALSE},
        {{.cpu = CPU_ON("vmx"), .broken = TRUE}, FALSE},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .host = "software-kvm"}, TRUE},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .no_caps = TRUE}, FALSE},
        {{.cpu = CPU_ON("vmx"), .devices = NIC("bridge", FILTER("clean-traffic"))}, TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestVm) vm = vm_of(&rows[i].vm);
        if (vm->supports != rows[i].supports)
            fail_msg("row %u", i);
    }
}

static void test_vm_is_filled(void **state)
{
    TestVm row = {.cpu = CPU_ON("vmx"),
        .live_cpu = CPU_OFF,
        .state = NEST_VM_RUNNING,
        .memory_mib = 4096,
        .current_mib = 1024,
        .balloon = TRUE,
        .snapshots = 2,
        .saved = TRUE,
        .saved_bytes = 7,
        .devices = NIC("bridge", FILTER("clean-traffic"))};
    g_autoptr(NestVm) vm = vm_of(&row);
    assert_string_equal(vm->name, "DemoVM");
    assert_int_equal(vm->state, NEST_VM_RUNNING);
    assert_int_equal(vm->accel, NEST_ACCEL_KVM);
    assert_int_equal(vm->nesting, NEST_NESTING_ON);
    assert_int_equal(vm->extension, NEST_EXTENSION_VMX);
    assert_true(vm->pending);
    assert_true(vm->dynamic_memory);
    assert_int_equal(vm->memory_kib, 4 << 20);
    assert_int_equal(vm->memory_min_kib, 1 << 20);
    assert_false(vm->mac_spoofing);
    assert_string_equal(vm->cpu_mode, "host-passthrough");
    assert_string_equal(vm->machine, "pc-q35-7.2");
    assert_int_equal(vm->snapshots, 2);
    assert_int_equal(vm->saved_bytes, 7);
    assert_int_equal(vm->interfaces->len, 1);
    assert_string_equal(
        ((NestInterface *)g_ptr_array_index(vm->interfaces, 0))->filter, "clean-traffic");
    g_autoptr(NestVm) same = vm_of(&row);
    assert_string_equal(vm->revision, same->revision);
    row.memory_mib = 8192;
    g_autoptr(NestVm) other = vm_of(&row);
    assert_string_not_equal(vm->revision, other->revision);
}

static void test_without_a_definition(void **state)
{
    TestVm row = {.broken = TRUE};
    g_autoptr(TestView) test = test_view_new(&row);
    g_clear_pointer(&test->facts->xml, g_free);
    g_autoptr(NestVm) vm = nest_checks_vm(&test->view);
    assert_null(vm->revision);
    assert_false(vm->supports);
    assert_int_equal(vm->interfaces->len, 0);
}

static void test_summary(void **state)
{
    TestVm row = {.cpu = CPU_OFF,
        .vcpus = 1,
        .snapshots = 1,
        .host = "",
        .devices = NIC("bridge", FILTER("our-own"))};
    g_autoptr(NestVm) vm = vm_of(&row);
    g_autoptr(NestVmSummary) summary = nest_vm_summarize(vm);
    assert_string_equal(summary->name, "DemoVM");
    assert_int_equal(summary->failed, 1); /* vm.exposed */
    assert_int_equal(summary->warnings, 5); /* vcpus, snapshots; host (twice) and filter unknown */
    assert_int_equal(summary->memory_kib, vm->memory_kib);
    assert_int_equal(summary->vcpus, 1);
    assert_int_equal(summary->nesting, NEST_NESTING_OFF);
}

/* Everything that explain needs is there, and in whole sentences. */
static void test_catalogue(void **state)
{
    g_autoptr(GPtrArray) catalogue = nest_check_catalogue();
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < catalogue->len; i++) {
        const NestCheckInfo *info = g_ptr_array_index(catalogue, i);
        const char *const sentences[] = {info->meaning, info->why, info->fix};
        print_message("# %s\n", info->id);
        assert_true(g_hash_table_add(ids, info->id));
        gboolean windows = g_str_has_prefix(info->id, "win.");
        NestScope other = windows ? NEST_SCOPE_GUEST : info->scope;
        g_autofree char *scope = g_strconcat(nest_nick(nest_scope_nicks, info->scope), ".", NULL);
        assert_true(windows || g_str_has_prefix(info->id, scope));
        assert_int_equal(info->scope, other);
        assert_true(info->level == NEST_VERDICT_INFO || info->level >= NEST_VERDICT_WARN);
        assert_true(info->title != NULL && *info->title != '\0');
        assert_true(info->source != NULL && *info->source != '\0');
        for (guint t = 0; t < G_N_ELEMENTS(sentences); t++)
            assert_true(sentences[t] != NULL && g_str_has_suffix(sentences[t], "."));
    }
    assert_int_equal(find_info(catalogue, "net.spoof")->scope, NEST_SCOPE_NET);
    assert_int_equal(find_info(catalogue, "vm.exposed")->scope, NEST_SCOPE_VM);
    const NestCheckInfo *guard = find_info(catalogue, "guard.save");
    assert_int_equal(guard->scope, NEST_SCOPE_GUARD);
    assert_int_equal(guard->level, NEST_VERDICT_FAIL);
    assert_string_equal(guard->why, "The state of the VMs inside would be lost.");
    assert_true(g_str_has_prefix(guard->meaning,
        "By what a VM does with its extension:\n"
        "Intel: exposed warned, armed refused, hosting refused.\n"
        "AMD: exposed warned, armed refused, hosting refused even if forced.\n"
        "QEMU's software CPU: exposed warned, armed refused even if forced, hosting "));
    assert_non_null(strstr(guard->meaning,
        "\nWith [guard] parity=kvm:\nIntel: exposed warned, armed warned, hosting warned.\n"));
    assert_non_null(strstr(find_info(catalogue, "guard.delete")->meaning, "\nany CPU: exposed ok"));
}

/* tests/data/checks.txt has the name of every check that nestd promises. */
static void test_catalogue_is_complete(void **state)
{
    /* Not written yet. Whoever writes one takes it out here. */
    static const char *const not_yet[] = {NULL};
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "checks.txt", NULL);
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) ids = g_strsplit(g_strchomp(text), "\n", -1);
    g_autoptr(GPtrArray) catalogue = nest_check_catalogue();
    assert_int_equal(g_strv_length(ids), 137);
    for (guint i = 0; ids[i] != NULL; i++) {
        gboolean there = FALSE;
        for (guint c = 0; c < catalogue->len; c++)
            there = there ||
                strcmp(((const NestCheckInfo *)g_ptr_array_index(catalogue, c))->id, ids[i]) == 0;
        if (there == g_strv_contains(not_yet, ids[i]))
            fail_msg("%s is %s", ids[i],
                there ? "there now: take it out of not_yet" : "not in the catalogue");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalogue),
        cmocka_unit_test(test_catalogue_is_complete),
        cmocka_unit_test(test_vm_outcomes),
        cmocka_unit_test(test_own_cpu_line),
        cmocka_unit_test(test_vm_verdict),
        cmocka_unit_test(test_vm_is_filled),
        cmocka_unit_test(test_without_a_definition),
        cmocka_unit_test(test_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
