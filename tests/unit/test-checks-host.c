/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-checks.h"

static NestHost *host_of(const char *name, NestBackendCaps *(*make_caps)(const NestHostFacts *))
{
    g_autoptr(NestHostFacts) facts = test_host(name);
    g_autoptr(NestBackendCaps) caps = make_caps != NULL ? make_caps(facts) : NULL;
    g_autoptr(NestAdvice) advice = test_advice(name, facts);
    NestHostView view = {facts, caps, advice, FALSE};
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
    /* arch vendor virt slat lock dev access backend nested cap |
     * kernel shadowmmu nvmx nsvm knownbad |
     * is-vm xen mshv vbox vmware daemon libvirt qemu domcaps vhv policy |
     * persist builtin busy payload stats evmcs at-load cloud |
     * ept shadow apicv nx haltpoll hugepages splitlock msrs tsc mem mitigations smt ksm swap
     * lockdown guests */
    static const struct {
        const char *name, *verdicts;
        gboolean supports;
        const char *owner;
    } rows[] = {
        {"amd-ready", "pppppppppp pu-up ppppppppppp wi--w-i- p-iiiiiiwwwiiiiw", TRUE, NULL},
        {"arm", "fff-uf-f-- p---p pppppppp-pp -------- ---------uu-----", FALSE, NULL},
        {"bios-locked", "ppf-ff-f-- p---p pppppppp-pp -------- ---------uu-----", FALSE, NULL},
        {"empty", "uuuuuf-f-- u---u uppppppp-up -------u ---------uu-----", FALSE, NULL},
        {"host-is-vm", "pppppppppp puu-p wpppppppppp up-uuu-p p--------uu-----", TRUE, NULL},
        {"intel-nested-off", "ppppppppfw wuu-u pppppppp-ip up-uuu-- p--------uu-----", FALSE, NULL},
        {"intel-ready", "pppppppppp ppp-p ppppppppppp pp-pppp- pppppppppppppppp", TRUE, NULL},
        {"junk", "uuuuuufuu- uuuuu uppppppp-up ui-----u ---------uu-----", FALSE, NULL},
        {"nested-unreadable", "ppppppppup puu-p pppppppp-pp up-uuu-- ---------uu-----", FALSE,
            NULL},
        {"no-extension", "ppf-uf-f-- p---p pppppppp-pp -------- ---------uu-----", FALSE, NULL},
        {"software-kvm", "ppf--ppf-- pw-wp wppppppp-ip -------f ---------uu-----", FALSE, NULL},
        {"debian-open", "pppppppppp pww-p ppppppppppp up-ppp-- p--------up-----", TRUE, NULL},
        {"ubuntu-mended", "pppppppppp ppp-p ppppppppppp up-ppp-- p--------up-----", TRUE, NULL},
        {"rhel", "pppppppppp puu-p ppppppppppp up-ppp-- p--------uu-----", TRUE, NULL},
        {"known-bad", "pppppppppp ww-wf ppppppppppp up--w--- p--------uu-----", FALSE, NULL},
        {"vbox-running", "ppppupfup- pw-wp pppfpppp-pp up------ p--------uu-----", FALSE,
            "vboxdrv"},
        {"xen-dom0", "ppf--f-f-- p---p -fpppppp-pp -------- ---------uu-----", FALSE, "xen"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestHost) host = host_of(rows[i].name, test_caps);
        g_autoptr(GString) verdicts = g_string_new(NULL);
        for (guint c = 0; c < host->checks->len; c++) {
            const NestCheck *check = g_ptr_array_index(host->checks, c);
            if (strcmp(check->id, "host.kernel.version") == 0 ||
                strcmp(check->id, "host.is-vm") == 0 ||
                strcmp(check->id, "host.kvm.nested-persist") == 0 ||
                strcmp(check->id, "host.perf.ept") == 0)
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
    assert_string_equal(host->kernel, "6.1.0-56-amd64");
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
CHANGE(
    for_root_only, (set(&host->kvm.access, "0600 0 0"), host->kvm.group = 104, caps->kvm = FALSE))
CHANGE(for_root_who_is_qemu, (for_root_only(host, caps), caps->kvm = TRUE))
CHANGE(for_the_group, (for_root_only(host, caps), set(&host->kvm.access, "0660 0 104")))
CHANGE(no_nested_state, host->kvm.nested_state = 0)
CHANGE(state_unasked, host->kvm.nested_state = -1)
CHANGE(xen_unread, set(&host->xen_error, "No such file or directory"))
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

CHANGE(contradiction, set(&host->tuning.nested_values[0], "0"))
CHANGE(unread_config, set(&host->tuning.nested_config.value, NULL))
CHANGE(other_after_boot,
    (set(&host->tuning.nested_values[0], "N"), set(&host->tuning.nested_values[1], "0")))
CHANGE(off_until_boot, set(&host->nested.value, "N"))
CHANGE(unconfigured,
    (set(&host->tuning.nested_where[0], NULL), set(&host->tuning.nested_values[0], NULL),
        set(&host->tuning.nested_where[1], NULL), set(&host->tuning.nested_values[1], NULL)))
CHANGE(unconfigured_old, (unconfigured(host, caps), set(&host->kernel, "4.19.78")))
CHANGE(unconfigured_off, (unconfigured(host, caps), set(&host->nested.value, "N")))
CHANGE(built_in, set(&host->tuning.modules.value, "built in"))
CHANGE(modules_unread, set(&host->tuning.modules.value, NULL))
CHANGE(idle, set(&host->nested.value, "N"))
CHANGE(
    busy, (set(&host->nested.value, "N"), set(&host->tuning.facts[NEST_TUNING_USERS].value, "3")))
CHANGE(busy_unread,
    (set(&host->nested.value, "N"), set(&host->tuning.facts[NEST_TUNING_USERS].value, NULL)))
CHANGE(
    busy_missing, (busy_unread(host, caps), host->tuning.facts[NEST_TUNING_USERS].missing = TRUE))
CHANGE(no_payload, host->kvm.exception_payload = 0)
CHANGE(no_stats, host->kvm.binary_stats = 0)
CHANGE(stats_unasked, host->kvm.binary_stats = -1)
CHANGE(no_evmcs, host->kvm.evmcs = 0)
CHANGE(on_amd, (host->vmx = FALSE, host->svm = TRUE, set(&host->kvm_module, "kvm_amd")))
CHANGE(late_virt, set(&host->tuning.facts[NEST_TUNING_VIRT_AT_LOAD].value, "N"))
CHANGE(virt_unread, set(&host->tuning.facts[NEST_TUNING_VIRT_AT_LOAD].value, NULL))
CHANGE(virt_missing,
    (virt_unread(host, caps), host->tuning.facts[NEST_TUNING_VIRT_AT_LOAD].missing = TRUE))
CHANGE(in_cloud, (host->hypervisor = TRUE, set(&host->manufacturer, "Amazon EC2")))
CHANGE(in_cloud_without, (in_cloud(host, caps), host->vmx = FALSE))
CHANGE(in_nowhere, (in_cloud_without(host, caps), set(&host->manufacturer, NULL)))
CHANGE(cpu_unread, host->cpuinfo_read = FALSE)
CHANGE(no_shadow, set(&host->tuning.facts[NEST_TUNING_SHADOW_VMCS].value, "N"))
CHANGE(shadow_unread, set(&host->tuning.facts[NEST_TUNING_SHADOW_VMCS].value, NULL))
CHANGE(shadow_missing,
    (shadow_unread(host, caps), host->tuning.facts[NEST_TUNING_SHADOW_VMCS].missing = TRUE))
CHANGE(no_huge, set(&host->tuning.facts[NEST_TUNING_HUGE_PAGES].value, "always madvise [never]"))
CHANGE(huge_reserved, (no_huge(host, caps), host->tuning.huge_pages_free = 8))
CHANGE(other_clock, set(&host->tuning.facts[NEST_TUNING_CLOCK].value, "kvm-clock"))
CHANGE(other_clock_in_vm, (other_clock(host, caps), host->hypervisor = TRUE))
CHANGE(memory_short, host->tuning.available_kib = (4 << 20) - 1)
CHANGE(memory_enough, host->tuning.available_kib = 4 << 20)
CHANGE(memory_unread, set(&host->tuning.meminfo.value, NULL))
CHANGE(vulnerable,
    host->tuning.vulnerable = (g_strfreev(host->tuning.vulnerable),
        g_strsplit("mds: Vulnerable", ";", -1)))
CHANGE(flaws_unknown,
    host->tuning.flaws_unknown = (g_strfreev(host->tuning.flaws_unknown),
        g_strsplit("mmio_stale_data: Unknown: No mitigations", ";", -1)))
CHANGE(flaws_of_both_kinds, (vulnerable(host, caps), flaws_unknown(host, caps)))
CHANGE(flaws_unread, set(&host->tuning.vulnerabilities.value, NULL))
CHANGE(swapping, set(&host->tuning.swaps.value, "1 in use"))
CHANGE(compressing, set(&host->tuning.swaps.value, "1 in memory"))
CHANGE(locked_down, set(&host->tuning.facts[NEST_TUNING_LOCKDOWN].value, "none [integrity]"))
CHANGE(guests_saved, set(&host->tuning.on_shutdown.value, "suspend"))
CHANGE(guests_unset, set(&host->tuning.on_shutdown.value, ""))
CHANGE(guests_unset_elsewhere,
    (guests_unset(host, caps),
        set(&host->tuning.on_shutdown.path, "/etc/sysconfig/libvirt-guests")))
CHANGE(guests_gone,
    (set(&host->tuning.on_shutdown.value, NULL), host->tuning.on_shutdown.missing = TRUE))
CHANGE(guests_enabled_alone,
    (guests_gone(host, caps), set(&host->tuning.on_shutdown.path, "/etc/sysconfig/libvirt-guests"),
        set(&host->tuning.guests.value, "enabled")))
CHANGE(
    guests_enabled_on_debian, (guests_gone(host, caps), set(&host->tuning.guests.value, "enabled")))
CHANGE(guests_disabled, (guests_saved(host, caps), set(&host->tuning.guests.value, "disabled")))
CHANGE(guests_unread, set(&host->tuning.on_shutdown.value, NULL))

static const HostRow host_rows[] = {
    {"host.kvm.nested-persist", NEST_VERDICT_WARN, contradiction},
    {"host.kvm.nested-persist", NEST_VERDICT_WARN, other_after_boot},
    {"host.kvm.nested-persist", NEST_VERDICT_WARN, off_until_boot},
    {"host.kvm.nested-persist", NEST_VERDICT_UNKNOWN, unread_config},
    {"host.kvm.nested-persist", NEST_VERDICT_PASS, unconfigured},
    {"host.kvm.nested-persist", NEST_VERDICT_WARN, unconfigured_old},
    {"host.kvm.nested-persist", NEST_VERDICT_NOT_APPLICABLE, unconfigured_off},
    {"host.kvm.builtin", NEST_VERDICT_INFO, built_in},
    {"host.kvm.builtin", NEST_VERDICT_UNKNOWN, modules_unread},
    {"host.kvm.busy", NEST_VERDICT_PASS, idle},
    {"host.kvm.busy", NEST_VERDICT_WARN, busy},
    {"host.kvm.busy", NEST_VERDICT_UNKNOWN, busy_unread},
    {"host.kvm.busy", NEST_VERDICT_NOT_APPLICABLE, busy_missing},
    {"host.kvm.cap-exc-payload", NEST_VERDICT_WARN, no_payload},
    {"host.kvm.cap-exc-payload", NEST_VERDICT_NOT_APPLICABLE, on_amd},
    {"host.kvm.cap-stats", NEST_VERDICT_WARN, no_stats},
    {"host.kvm.cap-stats", NEST_VERDICT_UNKNOWN, stats_unasked},
    {"host.kvm.cap-evmcs", NEST_VERDICT_INFO, no_evmcs},
    {"host.kvm.cap-evmcs", NEST_VERDICT_NOT_APPLICABLE, on_amd},
    {"host.virt-at-load", NEST_VERDICT_INFO, late_virt},
    {"host.virt-at-load", NEST_VERDICT_WARN, vmware},
    {"host.virt-at-load", NEST_VERDICT_UNKNOWN, virt_unread},
    {"host.virt-at-load", NEST_VERDICT_NOT_APPLICABLE, virt_missing},
    {"host.outer-cloud", NEST_VERDICT_PASS, in_cloud},
    {"host.outer-cloud", NEST_VERDICT_FAIL, in_cloud_without},
    {"host.outer-cloud", NEST_VERDICT_FAIL, in_nowhere},
    {"host.outer-cloud", NEST_VERDICT_UNKNOWN, cpu_unread},
    {"host.perf.ept", NEST_VERDICT_WARN, ept_off},
    {"host.perf.shadow-vmcs", NEST_VERDICT_WARN, no_shadow},
    {"host.perf.shadow-vmcs", NEST_VERDICT_UNKNOWN, shadow_unread},
    {"host.perf.shadow-vmcs", NEST_VERDICT_NOT_APPLICABLE, shadow_missing},
    {"host.perf.hugepages", NEST_VERDICT_INFO, no_huge},
    {"host.perf.hugepages", NEST_VERDICT_PASS, huge_reserved},
    {"host.tsc", NEST_VERDICT_WARN, other_clock},
    {"host.tsc", NEST_VERDICT_INFO, other_clock_in_vm},
    {"host.mem.headroom", NEST_VERDICT_WARN, memory_short},
    {"host.mem.headroom", NEST_VERDICT_PASS, memory_enough},
    {"host.mem.headroom", NEST_VERDICT_UNKNOWN, memory_unread},
    {"host.mitigations", NEST_VERDICT_WARN, vulnerable},
    {"host.mitigations", NEST_VERDICT_UNKNOWN, flaws_unread},
    {"host.mitigations", NEST_VERDICT_UNKNOWN, flaws_unknown},
    {"host.mitigations", NEST_VERDICT_WARN, flaws_of_both_kinds},
    {"host.swap", NEST_VERDICT_INFO, swapping},
    {"host.swap", NEST_VERDICT_PASS, compressing},
    {"host.lockdown", NEST_VERDICT_INFO, locked_down},
    {"host.guests-shutdown", NEST_VERDICT_WARN, guests_saved},
    {"host.guests-shutdown", NEST_VERDICT_PASS, guests_unset},
    {"host.guests-shutdown", NEST_VERDICT_WARN, guests_unset_elsewhere},
    {"host.guests-shutdown", NEST_VERDICT_NOT_APPLICABLE, guests_gone},
    {"host.guests-shutdown", NEST_VERDICT_WARN, guests_enabled_alone},
    {"host.guests-shutdown", NEST_VERDICT_PASS, guests_enabled_on_debian},
    {"host.guests-shutdown", NEST_VERDICT_INFO, guests_disabled},
    {"host.guests-shutdown", NEST_VERDICT_UNKNOWN, guests_unread},
    {"host.cpu.vendor", NEST_VERDICT_FAIL, strange_cpu},
    {"host.cpu.vendor", NEST_VERDICT_FAIL, no_vendor},
    {"host.cpu.vendor", NEST_VERDICT_PASS, hygon},
    {"host.cpu.slat", NEST_VERDICT_WARN, no_ept},
    {"host.cpu.slat", NEST_VERDICT_WARN, ept_off},
    {"host.kvm.dev", NEST_VERDICT_FAIL, old_api},
    {"host.kvm.dev", NEST_VERDICT_UNKNOWN, no_access},
    {"host.kvm.access", NEST_VERDICT_FAIL, no_access},
    {"host.kvm.access", NEST_VERDICT_FAIL, for_root_only},
    {"host.kvm.access", NEST_VERDICT_PASS, for_root_who_is_qemu},
    {"host.kvm.access", NEST_VERDICT_PASS, for_the_group},
    {"host.kvm.cap-nested-state", NEST_VERDICT_WARN, no_nested_state},
    {"host.kvm.cap-nested-state", NEST_VERDICT_UNKNOWN, state_unasked},
    {"host.xen", NEST_VERDICT_UNKNOWN, xen_unread},
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

static void test_report(void **state)
{
    g_autoptr(NestHost) host = host_of("intel-nested-off", test_caps);
    g_autoptr(NestCheckReport) found =
        nest_check_report(NULL, "lab01", host->supports, host->checks, FALSE);
    assert_null(found->uuid);
    assert_string_equal(found->name, "lab01");
    assert_false(found->supports);
    assert_true(found->checks->len > 0);
    for (guint i = 0; i < found->checks->len; i++)
        assert_true(
            ((NestCheck *)g_ptr_array_index(found->checks, i))->verdict >= NEST_VERDICT_UNKNOWN);
    g_autoptr(NestCheckReport) all = nest_check_report("u", "n", TRUE, host->checks, TRUE);
    assert_int_equal(all->checks->len, host->checks->len);
    assert_string_equal(all->uuid, "u");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_recorded_hosts),
        cmocka_unit_test(test_host_is_filled),
        cmocka_unit_test(test_unknown_never_passes),
        cmocka_unit_test(test_software_kvm_leaves_hope),
        cmocka_unit_test(test_host_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
