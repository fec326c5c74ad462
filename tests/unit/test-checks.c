/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checks.h"
#include "nest-record.h"
#include "nest-test-view.h"
#include <string.h>

static const NestCheck *find_check(const GPtrArray *checks, const char *id)
{
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (strcmp(check->id, id) == 0)
            return check;
    }
    fail_msg("there is no check %s", id);
    return NULL;
}

static void assert_verdict(
    const GPtrArray *checks, const char *where, const char *id, NestVerdict verdict)
{
    const NestCheck *check = find_check(checks, id);
    if (check->verdict != verdict)
        fail_msg("%s: %s is %s instead of %s: %s", where, id,
            nest_nick(nest_verdict_nicks, check->verdict), nest_nick(nest_verdict_nicks, verdict),
            check->message);
}

/* What holds for every result: it speaks in sentences and helps where something is wrong. */
static void assert_well_formed(const GPtrArray *checks)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        assert_true(g_hash_table_add(ids, check->id));
        assert_non_null(check->title);
        if (check->message == NULL || !g_str_has_suffix(check->message, "."))
            fail_msg("%s says no sentence: %s", check->id, check->message);
        gboolean wrong = check->verdict == NEST_VERDICT_WARN || check->verdict == NEST_VERDICT_FAIL;
        if (wrong && (check->fix == NULL || check->read == NULL))
            fail_msg("%s gives no way out", check->id);
        if (check->verdict == NEST_VERDICT_PASS && check->fix != NULL)
            fail_msg("%s passes and wants a fix: %s", check->id, check->fix);
        const char *texts[] = {check->message, check->read, check->fix};
        for (guint t = 0; t < G_N_ELEMENTS(texts); t++)
            if (texts[t] != NULL && strstr(texts[t], "(null)") != NULL)
                fail_msg("%s: %s", check->id, texts[t]);
    }
}

static NestHost *host_of(const char *name, NestBackendCaps *(*make_caps)(const NestHostFacts *))
{
    g_autoptr(NestHostFacts) facts = test_host(name);
    g_autoptr(NestBackendCaps) caps = make_caps != NULL ? make_caps(facts) : NULL;
    NestHostView view = {facts, caps};
    NestHost *host = nest_checks_host(&view);
    assert_well_formed(host->checks);
    return host;
}

/* One letter a check: pass, info, - not applicable, unknown, warn, fail. */
static char letter(NestVerdict verdict)
{
    return "pi-uwf"[verdict];
}

static void test_recorded_hosts(void **state)
{
    /* arch vendor virt slat lock dev access backend nested cap kernel |
     * is-vm xen mshv vbox vmware daemon libvirt qemu domcaps */
    static const struct {
        const char *name, *verdicts;
        gboolean supports;
        const char *owner;
    } rows[] = {
        {"amd-ready", "ppppppppppp ppppppppp", TRUE, NULL},
        {"arm", "fff-uf-f--p pppppppp-", FALSE, NULL},
        {"bios-locked", "ppf-ff-f--p pppppppp-", FALSE, NULL},
        {"empty", "uuuuuf-f--u uppppppp-", FALSE, NULL},
        {"host-is-vm", "ppppppppppp wpppppppp", TRUE, NULL},
        {"intel-nested-off", "ppppppppfww pppppppp-", FALSE, NULL},
        {"intel-ready", "ppppppppppp ppppppppp", TRUE, NULL},
        {"junk", "uuuuuufuu-u uppppppp-", FALSE, NULL},
        {"nested-unreadable", "ppppppppupp pppppppp-", FALSE, NULL},
        {"no-extension", "ppf-uf-f--p pppppppp-", FALSE, NULL},
        {"software-kvm", "ppf--ppf--p wppppppp-", FALSE, NULL},
        {"vbox-running", "ppppupfup-p pppfpppp-", FALSE, "vboxdrv"},
        {"xen-dom0", "ppf--f-f--p -fpppppp-", FALSE, "xen"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestHost) host = host_of(rows[i].name, test_caps);
        g_autoptr(GString) verdicts = g_string_new(NULL);
        for (guint c = 0; c < host->checks->len; c++) {
            const NestCheck *check = g_ptr_array_index(host->checks, c);
            if (strcmp(check->id, "host.is-vm") == 0)
                g_string_append_c(verdicts, ' ');
            g_string_append_c(verdicts, letter(check->verdict));
        }
        if (strcmp(verdicts->str, rows[i].verdicts) != 0)
            fail_msg("%s:\n  %s instead of\n  %s", rows[i].name, verdicts->str, rows[i].verdicts);
        assert_int_equal(host->supports, rows[i].supports);
        assert_true(g_strcmp0(host->extension_owner, rows[i].owner) == 0);
        assert_true(host->tcg_supports);
    }
}

static void test_host_is_filled(void **state)
{
    g_autoptr(NestHost) host = host_of("intel-ready", test_caps);
    assert_string_equal(host->name, "lab01");
    assert_string_equal(host->manufacturer, "Dell Inc.");
    assert_string_equal(host->model, "PowerEdge R650");
    assert_string_equal(host->kernel, "6.1.0-37-amd64");
    assert_string_equal(host->cpu_vendor, "GenuineIntel");
    assert_int_equal(host->cpus, 2);
    assert_int_equal(host->extension, NEST_EXTENSION_VMX);
    assert_true(host->slat);
    assert_string_equal(host->kvm_module, "kvm_intel");
    assert_string_equal(host->nested_parameter, "Y");
    assert_true(host->kvm_usable);
    assert_null(host->kvm_error);
    assert_string_equal(host->qemu_version, "7.2.22");
    assert_string_equal(host->backend_uri, "test:///");
    g_autoptr(NestHost) vm = host_of("host-is-vm", test_caps);
    assert_true(vm->hypervisor_present);
    assert_string_equal(vm->outer_hypervisor, "QEMU");
    g_autoptr(NestHost) locked = host_of("bios-locked", test_caps);
    assert_true(locked->firmware_locked);
    assert_int_equal(locked->extension, NEST_EXTENSION_NONE);
    assert_string_equal(locked->kvm_error, "No such file or directory");
}

static void test_unknown_never_passes(void **state)
{
    g_autoptr(NestHost) host = host_of("intel-ready", NULL);
    assert_false(host->supports);
    assert_false(host->tcg_supports);
    static const char *const ids[] = {
        "host.hv-daemon", "host.libvirt.version", "host.qemu.version", "host.domcaps"};
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        assert_verdict(host->checks, "no backend", ids[i], NEST_VERDICT_UNKNOWN);
}

static void test_software_kvm_leaves_hope(void **state)
{
    g_autoptr(NestHostFacts) facts = test_host("software-kvm");
    g_autoptr(NestBackendCaps) caps = test_caps(facts);
    NestHostView view = {facts, caps};
    static const char *const ids[] = {"host.cpu.virt", "host.kvm.backend"};
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        caps->tcg_extension = NEST_EXTENSION_SVM;
        g_autoptr(NestHost) nests = nest_checks_host(&view);
        caps->tcg_extension = NEST_EXTENSION_NONE;
        g_autoptr(NestHost) none = nest_checks_host(&view);
        const char *hope = "VMs of class TCG can still nest";
        assert_non_null(strstr(find_check(nests->checks, ids[i])->message, hope));
        assert_null(strstr(find_check(none->checks, ids[i])->message, hope));
        assert_true(nests->tcg_supports);
        assert_false(none->tcg_supports);
    }
}

typedef struct {
    const char *id;
    NestVerdict verdict;
    void (*change)(NestHostFacts *host, NestBackendCaps *caps);
} HostRow;

static void set(char **slot, const char *value)
{
    g_free(*slot);
    *slot = g_strdup(value);
}

#define CHANGE(name, statement) \
    static void name(NestHostFacts *host, NestBackendCaps *caps) \
    { \
        statement; \
    }

CHANGE(strange_cpu, set(&host->cpu_vendor, "CentaurHauls"))
CHANGE(no_vendor, set(&host->cpu_vendor, NULL))
CHANGE(hygon, set(&host->cpu_vendor, "HygonGenuine"))
CHANGE(no_ept, host->ept = FALSE)
CHANGE(ept_off, set(&host->slat_parameter.value, "N"))
CHANGE(old_api, host->kvm.api_version = 11)
CHANGE(no_access,
    (host->kvm.opened = host->kvm.vm_created = FALSE,
        set(&host->kvm.error, "open: Permission denied")))
CHANGE(no_nested_state, host->kvm.nested_state = 0)
CHANGE(state_unasked, host->kvm.nested_state = -1)
CHANGE(kernel_4_19, set(&host->kernel, "4.19.78"))
CHANGE(kernel_4_20, set(&host->kernel, "4.20.0"))
CHANGE(kernel_5_3, set(&host->kernel, "5.3.0-1"))
CHANGE(kernel_5_3_amd, (set(&host->kernel, "5.3.0-1"), set(&host->cpu_vendor, "AuthenticAMD")))
CHANGE(kernel_odd, set(&host->kernel, "mainline"))
CHANGE(mshv, host->mshv = TRUE)
CHANGE(mshv_alone, (host->mshv = TRUE, host->kvm.vm_created = FALSE))
CHANGE(
    vmware, host->other_modules = (g_strfreev(host->other_modules), g_strsplit("vmmon", " ", -1)))
CHANGE(vmware_busy,
    (host->other_modules = (g_strfreev(host->other_modules), g_strsplit("vmmon", " ", -1)),
        host->other_vms = (g_strfreev(host->other_vms), g_strsplit("vmware-vmx", " ", -1))))
CHANGE(nothing_offered, (caps->kvm = caps->tcg = FALSE))
CHANGE(no_kvm, caps->kvm = FALSE)
CHANGE(not_nested, set(&host->nested.value, "N"))
CHANGE(no_kvm_extension, caps->kvm_extension = NEST_EXTENSION_NONE)
CHANGE(libvirt_old, set(&caps->libvirt_version, "8.9.0"))
CHANGE(libvirt_enough, set(&caps->libvirt_version, "8.10.0"))
CHANGE(libvirt_unknown, set(&caps->libvirt_version, NULL))
CHANGE(qemu_ancient, set(&caps->qemu_version, "4.1.1"))
CHANGE(qemu_old, set(&caps->qemu_version, "5.0.0"))
CHANGE(qemu_old_amd, (host->svm = TRUE, set(&caps->qemu_version, "5.0.0")))
CHANGE(qemu_unknown, set(&caps->qemu_version, NULL))

static const HostRow host_rows[] = {
    {"host.cpu.vendor", NEST_VERDICT_FAIL, strange_cpu},
    {"host.cpu.vendor", NEST_VERDICT_FAIL, no_vendor},
    {"host.cpu.vendor", NEST_VERDICT_PASS, hygon},
    {"host.cpu.slat", NEST_VERDICT_WARN, no_ept},
    {"host.cpu.slat", NEST_VERDICT_WARN, ept_off},
    {"host.kvm.dev", NEST_VERDICT_FAIL, old_api},
    {"host.kvm.dev", NEST_VERDICT_UNKNOWN, no_access},
    {"host.kvm.access", NEST_VERDICT_FAIL, no_access},
    {"host.kvm.cap-nested-state", NEST_VERDICT_WARN, no_nested_state},
    {"host.kvm.cap-nested-state", NEST_VERDICT_UNKNOWN, state_unasked},
    {"host.kernel.version", NEST_VERDICT_WARN, kernel_4_19},
    {"host.kernel.version", NEST_VERDICT_WARN, kernel_4_20},
    {"host.kernel.version", NEST_VERDICT_PASS, kernel_5_3},
    {"host.kernel.version", NEST_VERDICT_WARN, kernel_5_3_amd},
    {"host.kernel.version", NEST_VERDICT_UNKNOWN, kernel_odd},
    {"host.mshv", NEST_VERDICT_INFO, mshv},
    {"host.mshv", NEST_VERDICT_FAIL, mshv_alone},
    {"host.is-vm", NEST_VERDICT_NOT_APPLICABLE, mshv},
    {"host.conflict.vmware", NEST_VERDICT_WARN, vmware},
    {"host.conflict.vmware", NEST_VERDICT_FAIL, vmware_busy},
    {"host.conflict.vbox", NEST_VERDICT_PASS, vmware_busy},
    {"host.hv-daemon", NEST_VERDICT_FAIL, nothing_offered},
    {"host.domcaps", NEST_VERDICT_FAIL, no_kvm},
    {"host.domcaps", NEST_VERDICT_FAIL, no_kvm_extension},
    {"host.domcaps", NEST_VERDICT_NOT_APPLICABLE, not_nested},
    {"host.libvirt.version", NEST_VERDICT_WARN, libvirt_old},
    {"host.libvirt.version", NEST_VERDICT_PASS, libvirt_enough},
    {"host.libvirt.version", NEST_VERDICT_UNKNOWN, libvirt_unknown},
    {"host.qemu.version", NEST_VERDICT_FAIL, qemu_ancient},
    {"host.qemu.version", NEST_VERDICT_WARN, qemu_old},
    {"host.qemu.version", NEST_VERDICT_FAIL, qemu_old_amd},
    {"host.qemu.version", NEST_VERDICT_UNKNOWN, qemu_unknown},
};

static void test_host_outcomes(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(host_rows); i++) {
        g_autoptr(NestHostFacts) facts = test_host("intel-ready");
        g_autoptr(NestBackendCaps) caps = test_caps(facts);
        host_rows[i].change(facts, caps);
        NestHostView view = {facts, caps};
        g_autoptr(NestHost) host = nest_checks_host(&view);
        g_autofree char *where = g_strdup_printf("row %u", i);
        assert_verdict(host->checks, where, host_rows[i].id, host_rows[i].verdict);
        assert_well_formed(host->checks);
        if (host_rows[i].verdict == NEST_VERDICT_FAIL)
            assert_false(host->supports);
    }
}

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
    assert_int_equal(summary->warnings, 4); /* vcpus, snapshots; host and filter are unknown */
    assert_int_equal(summary->memory_kib, vm->memory_kib);
    assert_int_equal(summary->vcpus, 1);
    assert_int_equal(summary->nesting, NEST_NESTING_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_hosts),
        cmocka_unit_test(test_host_is_filled),
        cmocka_unit_test(test_unknown_never_passes),
        cmocka_unit_test(test_software_kvm_leaves_hope),
        cmocka_unit_test(test_host_outcomes),
        cmocka_unit_test(test_vm_outcomes),
        cmocka_unit_test(test_own_cpu_line),
        cmocka_unit_test(test_vm_verdict),
        cmocka_unit_test(test_vm_is_filled),
        cmocka_unit_test(test_without_a_definition),
        cmocka_unit_test(test_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
