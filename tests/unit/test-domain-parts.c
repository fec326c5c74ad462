/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include "nest-snapshot-xml.h"
#include "nest-start-log.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <string.h>

/* What definitions, snapshots and QEMU's log say beside nesting itself. */

static NestDomain *read_domain(const char *inner)
{
    g_autofree char *xml = g_strdup_printf("<domain type='kvm'>%s</domain>", inner);
    g_autoptr(GError) error = NULL;
    NestDomain *domain = nest_domain_read(xml, &error);
    assert_no_error(error);
    return domain;
}

static void test_nothing(void **state)
{
    g_autoptr(NestDomain) domain = read_domain("");
    const NestDomainExtras *extras = &domain->extras;
    assert_int_equal(g_strv_length(extras->parts) + g_strv_length(extras->parts_off), 0);
    assert_true(extras->overlay_known);
    assert_null(extras->overlay);
    assert_null(extras->iommu);
    assert_null(extras->host_device);
    assert_null(extras->shared_folder);
    assert_null(extras->manager);
    assert_false(extras->hyperv.windows);
    assert_int_equal(extras->hyperv.on, 0);
    assert_null(extras->hyperv.debug);
}

static void test_cpu_parts(void **state)
{
    g_autoptr(NestDomain) domain =
        read_domain("<cpu mode='custom'><feature name='vmx-a'/>"
                    "<feature policy='force' name='vmx-b'/><feature policy='disable' name='vmx-c'/>"
                    "<feature policy='optional' name='vmx-d'/><feature name='vmx'/>"
                    "<feature policy='disable' name='arch-capabilities'/>"
                    "<feature policy='forbid' name='md-clear'/>"
                    "<feature policy='disable' name='flush-l1d'/><feature/></cpu>");
    const NestDomainExtras *extras = &domain->extras;
    g_autofree char *parts = g_strjoinv(" ", extras->parts);
    g_autofree char *off = g_strjoinv(" ", extras->parts_off);
    assert_string_equal(parts, "vmx-a vmx-b");
    assert_string_equal(off, "vmx-c");
    assert_true(extras->arch_capabilities_off && !extras->arch_capabilities);
    assert_true(extras->md_clear_off && extras->flush_l1d_off);
}

static void test_devices(void **state)
{
    g_autoptr(NestDomain) domain = read_domain(
        "<metadata><x/><m:vm xmlns:m='http://ovirt.org/vm/1.0'/></metadata><devices>"
        "<disk device='disk'><target dev='vda'/><backingStore type='file'><source file='/b'/>"
        "</backingStore></disk><disk><target dev='vdb'/></disk>"
        "<hostdev type='usb'/><hostdev type='pci'/><hostdev type='scsi'/>"
        "<iommu model='intel'><driver intremap='on'/></iommu><filesystem type='mount'/>"
        "<memballoon model='virtio' autodeflate='on' freePageReporting='on'/></devices>");
    const NestDomainExtras *extras = &domain->extras;
    assert_string_equal(extras->manager, "oVirt");
    assert_string_equal(extras->overlay, "vda");
    assert_false(extras->overlay_known);
    assert_string_equal(extras->host_device, "pci");
    assert_string_equal(extras->iommu, "intel");
    assert_false(extras->iommu_ready);
    assert_string_equal(extras->shared_folder, "path");
    assert_true(extras->autodeflate && extras->free_page_reporting);
}

static void test_hyperv(void **state)
{
    g_autoptr(NestDomain) domain =
        read_domain("<features><hyperv mode='custom'><relaxed state='on'/><vapic state='off'/>"
                    "<stimer state='off'><direct state='on'/></stimer></hyperv></features>"
                    "<clock><timer name='hypervclock' present='yes'/></clock>");
    const NestDomainHyperv *hyperv = &domain->extras.hyperv;
    assert_true(hyperv->windows);
    assert_null(hyperv->os);
    assert_true(nest_domain_hyperv_has(hyperv, NEST_HYPERV_RELAXED));
    assert_false(nest_domain_hyperv_has(hyperv, NEST_HYPERV_VAPIC));
    assert_false(nest_domain_hyperv_has(hyperv, NEST_HYPERV_STIMER_DIRECT));
    assert_true(nest_domain_hyperv_has(hyperv, NEST_HYPERV_CLOCK));
    assert_false(hyperv->hpet_off);
    for (guint i = 0; i < NEST_HYPERV_N; i++)
        assert_non_null(nest_domain_hyperv_name(i));
}

#define SNAPSHOT(memory, inner) \
    "<domainsnapshot><name>s1</name><memory snapshot='" memory "'/>" inner "</domainsnapshot>"
#define WITH(element, features) \
    "<" element " type='kvm'><os/><cpu mode='host-passthrough'>" features "</cpu></" element ">"
#define VMX "<feature policy='require' name='vmx'/>"

static void test_snapshot(void **state)
{
    static const struct {
        const char *xml;
        guint with_memory, without;
    } cases[] = {
        {SNAPSHOT("no", WITH("domain", VMX)), 0, 0},
        {SNAPSHOT("no", WITH("domain", "")), 0, 1},
        {SNAPSHOT("no", WITH("domain", "<feature policy='disable' name='svm'/>")), 0, 1},
        {SNAPSHOT("internal", WITH("domain", VMX)), 1, 0},
        {SNAPSHOT("external", WITH("domain", VMX) WITH("inactiveDomain", "")), 1, 1},
        {SNAPSHOT("no", ""), 0, 0},
        {SNAPSHOT("no", "<domain><uuid>1</uuid></domain>"), 0, 0},
        {"<domainsnapshot/>", 0, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        NestSnapshotFacts *facts = g_new0(NestSnapshotFacts, 1);
        assert_true(nest_snapshot_add(cases[i].xml, facts));
        print_message("# case %u\n", i);
        assert_int_equal(facts->read, 1);
        assert_int_equal(facts->with_memory, cases[i].with_memory);
        assert_int_equal(facts->without, cases[i].without);
        assert_true(facts->with_memory == 0 || strcmp(facts->memory_name, "s1") == 0);
        nest_snapshot_facts_free(facts);
    }
}

static void test_no_snapshot(void **state)
{
    static const char *const texts[] = {
        "", "<domain/>", "<domainsnapshot>", "<!DOCTYPE d><domainsnapshot/>", "no xml"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        NestSnapshotFacts facts = {0};
        assert_false(nest_snapshot_add(texts[i], &facts));
        assert_int_equal(facts.read, 0);
    }
}

#define START \
    "2026-07-01 10:00:00.000+0000: starting up libvirt version: 9.0.0, qemu version: 7.2\n"
#define MISSING \
    "qemu-system-x86_64: warning: host doesn't support requested feature: " \
    "CPUID.01H:ECX.vmx [bit 5]\n"
#define MISSING_SVM \
    "x: warning: TCG doesn't support requested feature: CPUID.80000001H:ECX.svm [bit 2]\n"

static void test_start_log(void **state)
{
    static const struct {
        const char *text;
        NestStartLog log;
    } cases[] = {
        {"", NEST_START_LOG_UNREAD},
        {MISSING, NEST_START_LOG_UNREAD},
        {START, NEST_START_LOG_CLEAN},
        {START MISSING, NEST_START_LOG_MISSES_VMX},
        {START MISSING "shutting down\n" START, NEST_START_LOG_CLEAN},
        {START "x: warning: host doesn't support requested feature: CPUID[eax=01h].ECX.pcid "
               "[bit 17]\n",
            NEST_START_LOG_CLEAN},
        {START MISSING_SVM, NEST_START_LOG_MISSES_SVM},
        {START MISSING_SVM MISSING, NEST_START_LOG_MISSES_BOTH},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(nest_start_log_judge(cases[i].text), cases[i].log);
}

static void test_start_log_file(void **state)
{
    g_autofree char *directory = g_dir_make_tmp("nest-log-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "DemoVM.log", NULL);
    g_autoptr(GString) text = g_string_new(START MISSING);
    assert_int_equal(nest_start_log_read(directory, "DemoVM"), NEST_START_LOG_UNREAD);
    assert_true(g_file_set_contents(path, text->str, text->len, NULL));
    assert_int_equal(nest_start_log_read(directory, "DemoVM"), NEST_START_LOG_MISSES_VMX);
    assert_int_equal(nest_start_log_read(directory, "../x"), NEST_START_LOG_UNREAD);
    /* a guest that floods it pushes the start out of what is read */
    while (text->len < 512 * 1024)
        g_string_append(text, "noise of the guest, more than nestd cares to read of it\n");
    assert_true(g_file_set_contents(path, text->str, text->len, NULL));
    assert_int_equal(nest_start_log_read(directory, "DemoVM"), NEST_START_LOG_UNREAD);
    g_unlink(path);
    g_rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_cpu_parts),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_hyperv),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_no_snapshot),
        cmocka_unit_test(test_start_log),
        cmocka_unit_test(test_start_log_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
