/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-data.h"
#include "nest-domain-likeness.h"
#include "nest-error.h"
#include <string.h>

static NestDomainLikeness *likeness_of(const char *name)
{
    g_autofree char *xml = load_domain(name);
    g_autoptr(GError) error = NULL;
    NestDomainLikeness *likeness = nest_domain_likeness(xml, &error);
    assert_no_error(error);
    return likeness;
}

/* Byte for byte, but for what depends on the number of CPUs. */
static void test_cpu(void **state)
{
    static const struct {
        const char *name, *cpu;
    } rows[] = {
        {"topology-numa.xml",
            "<cpu mode='custom' match='exact'>\n"
            "    <model fallback='allow'>Haswell-noTSX</model>\n"
            "    <vendor>Intel</vendor>\n"
            "    <maxphysaddr mode='emulate' bits='42'/>\n"
            "    <feature policy='force' name='svm'/>\n"
            "    <feature policy='require' name='pcid'/>\n"
            "  </cpu>"},
        {"comments-cdata.xml",
            "<cpu mode='host-model'   check=\"partial\"\n"
            "       ><!-- first --><feature   name='vmx' policy=\"optional\"  />\n"
            "    <!-- last --></cpu>"},
        {"hidden.xml",
            "<cpu mode='host-passthrough' check='none' migratable='on'>\n"
            "    <feature policy='disable' name='vmx'/>\n"
            "    <feature policy='forbid' name='svm'/>\n"
            "  </cpu>"},
        {"topology-only.xml", ""},
        {"no-cpu.xml", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestDomainLikeness) likeness = likeness_of(rows[i].name);
        assert_string_equal(likeness->cpu, rows[i].cpu);
    }
}

static void test_machine(void **state)
{
    g_autoptr(NestDomainLikeness) kvm = likeness_of("host-model.xml");
    assert_string_equal(kvm->type, "kvm");
    assert_string_equal(kvm->arch, "x86_64");
    assert_string_equal(kvm->machine, "pc-q35-7.2");
    assert_string_equal(kvm->features, "<apic/>");
    assert_string_equal(kvm->clock, "<clock offset='utc'/>");
    assert_string_equal(kvm->emulator, "<emulator>/usr/bin/qemu-system-x86_64</emulator>");
    g_autoptr(NestDomainLikeness) tcg = likeness_of("nested-svm-tcg.xml");
    assert_string_equal(tcg->type, "qemu");
    g_autoptr(NestDomainLikeness) small = likeness_of("i686.xml");
    assert_string_equal(small->arch, "i686");
    g_autoptr(NestDomainLikeness) windows = likeness_of("metadata.xml");
    assert_string_equal(
        windows->features, "<hyperv mode='custom'>\n      <relaxed state='on'/>\n    </hyperv>");
}

static void expect_refusal(const char *xml, NestErrorCode code)
{
    g_autoptr(GError) error = NULL;
    assert_null(nest_domain_likeness(xml, &error));
    assert_int_equal(nest_error_code(error), code);
}

static void test_refused(void **state)
{
    g_autofree char *arm = load_domain("aarch64.xml");
    g_autofree char *own = load_domain("qemu-cpu-override.xml");
    expect_refusal(arm, NEST_ERROR_UNSUPPORTED);
    expect_refusal(own, NEST_ERROR_VM_UNFIT);
    expect_refusal("<domain type='xen'><name>x</name></domain>", NEST_ERROR_UNSUPPORTED);
    expect_refusal("<domain", NEST_ERROR_INVALID_REQUEST);
}

/* A VM that boots like another one has its CPU, and nothing else of it. */
static void test_boot_like(void **state)
{
    g_autofree char *like = load_domain("topology-numa.xml");
    NestBootDomain boot = {
        "boot", NEST_ACCEL_TCG, NEST_EXTENSION_VMX, "/kernel", "seed=1", "/console", like};
    g_autofree char *xml = nest_domain_boot_xml(&boot, NULL);
    g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
    assert_non_null(domain);
    assert_string_equal(domain->name, "boot");
    assert_string_equal(domain->type, "kvm");
    assert_string_equal(domain->cpu_model, "Haswell-noTSX");
    assert_int_equal(domain->svm, NEST_POLICY_FORCE);
    assert_int_equal(domain->vmx, NEST_POLICY_UNSET);
    assert_int_equal(domain->vcpus, 1);
    assert_int_equal(domain->memory_kib, 32 * 1024);
    boot.like = "<domain/>";
    g_autoptr(GError) error = NULL;
    assert_null(nest_domain_boot_xml(&boot, &error));
    assert_int_equal(nest_error_code(error), NEST_ERROR_INVALID_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_machine),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_boot_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
