/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test-checks.h"

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
