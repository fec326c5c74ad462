/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-data.h"
#include <libxml/relaxng.h>
#include <string.h>

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng"

static const char *const hostile = "a'b\"c<d>&]]>\xc3\xa4\xf0\x9f\x92\xbe";

static NestVmSpec new_spec(gboolean nested)
{
    return (NestVmSpec){.name = (char *)hostile,
        .memory_kib = 1048576,
        .memory_min_kib = nested ? 0 : 524288,
        .vcpus = 3,
        .iso = (char *)"/srv/a b&c.iso",
        .kernel = (char *)"/srv/vmlinuz",
        .initrd = (char *)"/srv/initrd",
        .cmdline = (char *)"console=ttyS0 x=<y>",
        .network = (char *)"bridge=br0",
        .filter = (char *)"clean-traffic",
        .nested = nested};
}

static void test_new_domain(void **state)
{
    for (guint i = 0; i < 4; i++) {
        gboolean nested = i & 1, kvm = i & 2;
        NestVmSpec spec = new_spec(nested);
        NestNewDomain chosen = {.uuid = "5a5d6f0e-6f2b-4a6f-9d3c-0d7f1f1f0a01",
            .accel = kvm ? NEST_ACCEL_KVM : NEST_ACCEL_TCG,
            .extension = NEST_EXTENSION_SVM,
            .disk_path = "/srv/d'i\"sk.qcow2",
            .disk_format = "qcow2",
            .console_log = "/var/log/x.log"};
        g_autofree char *xml = nest_domain_new_xml(&spec, &chosen);
        g_autoptr(GError) error = NULL;
        g_autoptr(NestDomain) domain = nest_domain_read(xml, &error);
        assert_no_error(error);
        assert_string_equal(domain->name, hostile);
        assert_string_equal(domain->uuid, chosen.uuid);
        assert_string_equal(domain->type, kvm ? "kvm" : "qemu");
        assert_int_equal(domain->vcpus, 3);
        assert_int_equal(domain->memory_kib, 1048576);
        assert_int_equal(domain->current_memory_kib, nested ? 1048576 : 524288);
        assert_int_equal(domain->balloon, !nested);
        assert_int_equal(nest_domain_nesting(domain, NEST_EXTENSION_SVM),
            nested ? NEST_NESTING_ON : NEST_NESTING_OFF);
        const NestInterface *interface = domain->interfaces->pdata[0];
        assert_string_equal(interface->source, "br0");
        assert_string_equal(interface->filter, "clean-traffic");
        const NestDomainWish *wish = &wishes[nested ? WISH_SVM : WISH_HIDE];
        nest_domain_satisfies(xml, wish, &error);
        assert_no_error(error);
    }
}

static void test_new_domain_minimal(void **state)
{
    NestVmSpec spec = {.name = (char *)"m", .memory_kib = 65536};
    NestNewDomain chosen = {.accel = NEST_ACCEL_TCG};
    g_autofree char *xml = nest_domain_new_xml(&spec, &chosen);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestDomain) domain = nest_domain_read(xml, &error);
    assert_no_error(error);
    assert_null(domain->uuid);
    assert_int_equal(domain->vcpus, 1);
    assert_int_equal(domain->interfaces->len, 0);
    assert_null(strstr(xml, "<disk"));
    assert_null(strstr(xml, "<log"));
    assert_null(strstr(xml, "<boot"));
}

static void ignore_schema_message(void *context, const char *format, ...)
{
}

static void assert_valid(xmlRelaxNGValidCtxt *schema, const char *xml)
{
    xmlDoc *doc = xmlReadMemory(xml, strlen(xml), NULL, NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    if (xmlRelaxNGValidateDoc(schema, doc) != 0)
        fail_msg("libvirt's schema refuses:\n%s", xml);
    xmlFreeDoc(doc);
}

/* Whatever libvirt's schema accepted, it accepts after an edit; new domains it accepts too. */
static void test_schema(void **state)
{
    if (!g_file_test(SCHEMA, G_FILE_TEST_EXISTS))
        skip();
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(SCHEMA);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    assert_non_null(schema);
    xmlRelaxNGValidCtxt *valid = xmlRelaxNGNewValidCtxt(schema);
    xmlRelaxNGSetValidErrors(valid, ignore_schema_message, ignore_schema_message, NULL);
    static const char *const files[] = {"host-passthrough.xml", "host-model.xml", "custom-epyc.xml",
        "topology-numa.xml", "no-cpu.xml", "qemu-commandline.xml", "filterrefs.xml", "metadata.xml",
        "topology-only.xml", "i686.xml", "svm-parts.xml"};
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *xml = load_domain(files[i]);
        assert_valid(valid, xml);
        for (guint k = 0; k < G_N_ELEMENTS(wishes); k++) {
            g_autofree char *edited = nest_domain_edit(xml, &wishes[k], NULL);
            if (edited != NULL)
                assert_valid(valid, edited);
        }
        NestBootDomain like = {"boot", NEST_ACCEL_KVM, NEST_EXTENSION_NONE, "/k", "x", "/c", xml};
        g_autofree char *booted = nest_domain_boot_xml(&like, NULL);
        if (booted != NULL)
            assert_valid(valid, booted);
    }
    for (guint i = 0; i < 2; i++) {
        NestVmSpec spec = new_spec(i);
        spec.name = (char *)"plain";
        NestNewDomain chosen = {.accel = NEST_ACCEL_KVM, .extension = NEST_EXTENSION_VMX};
        g_autofree char *xml = nest_domain_new_xml(&spec, &chosen);
        assert_valid(valid, xml);
    }
    for (NestExtension extension = NEST_EXTENSION_NONE; extension <= NEST_EXTENSION_SVM;
         extension++) {
        NestBootDomain boot = {"boot", NEST_ACCEL_TCG, extension, "/a&b", "x='<'", "/c", NULL};
        g_autofree char *xml = nest_domain_boot_xml(&boot, NULL);
        assert_valid(valid, xml);
        boot.brief = TRUE;
        boot.firmware = "/f";
        g_autofree char *brief = nest_domain_boot_xml(&boot, NULL);
        assert_valid(valid, brief);
    }
    xmlRelaxNGFreeValidCtxt(valid);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
}

static void test_boot_domain(void **state)
{
    NestBootDomain boot = {"boot", NEST_ACCEL_KVM, NEST_EXTENSION_VMX, "/a&b", "x='<'", "/c", NULL};
    g_autofree char *xml = nest_domain_boot_xml(&boot, NULL);
    g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
    assert_non_null(domain);
    assert_string_equal(domain->name, "boot");
    assert_int_equal(domain->accel, NEST_ACCEL_KVM);
    assert_int_equal(domain->vmx, NEST_POLICY_REQUIRE);
    assert_true(domain->check_full);
    assert_non_null(strstr(xml, "<kernel>/a&amp;b</kernel>"));
    assert_non_null(strstr(xml, "<cmdline>x=&apos;&lt;&apos;</cmdline>"));
    assert_non_null(strstr(xml, "<on_reboot>destroy</on_reboot>"));
    assert_null(strstr(xml, "qemu:"));
    assert_null(strstr(xml, "<loader"));
    boot.brief = TRUE;
    boot.firmware = "/b&c";
    g_autofree char *brief = nest_domain_boot_xml(&boot, NULL);
    assert_non_null(strstr(brief, "<qemu:del capability='cpu-unavailable-features'/>"));
    assert_non_null(strstr(brief, "<loader readonly='yes' type='rom'>/b&amp;c</loader><kernel>"));
    g_autoptr(NestDomain) same = nest_domain_read(brief, NULL);
    assert_true(same->check_full && same->vmx == NEST_POLICY_REQUIRE && !same->cpu_override);
    boot.extension = NEST_EXTENSION_NONE;
    g_autofree char *bare = nest_domain_boot_xml(&boot, NULL);
    assert_null(strstr(bare, "require"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_domain),
        cmocka_unit_test(test_new_domain_minimal),
        cmocka_unit_test(test_boot_domain),
        cmocka_unit_test(test_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
