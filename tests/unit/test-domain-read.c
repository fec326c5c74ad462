/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-data.h"
#include <string.h>

static const struct {
    const char *file, *type, *mode, *model;
    guint64 memory, current;
    guint vcpus;
    gboolean balloon, dynamic;
    NestNesting vmx, svm;
} definitions[] = {
    {"host-passthrough.xml", "kvm", "host-passthrough", NULL, 4194304, 4194304, 2, TRUE, FALSE,
        NEST_NESTING_IMPLICIT, NEST_NESTING_IMPLICIT},
    {"host-model.xml", "kvm", "host-model", NULL, 8388608, 4194304, 4, TRUE, TRUE,
        NEST_NESTING_IMPLICIT, NEST_NESTING_IMPLICIT},
    {"custom-epyc.xml", "kvm", "custom", "EPYC-Rome", 16777216, 16777216, 8, TRUE, FALSE,
        NEST_NESTING_OFF, NEST_NESTING_OFF},
    {"svm-parts.xml", "kvm", "custom", "EPYC-Milan", 2097152, 2097152, 2, FALSE, FALSE,
        NEST_NESTING_OFF, NEST_NESTING_IMPLICIT},
    {"topology-numa.xml", "kvm", "custom", "Haswell-noTSX", 2097152, 1048576, 4, TRUE, TRUE,
        NEST_NESTING_OFF, NEST_NESTING_UNENFORCED},
    {"no-cpu.xml", "qemu", NULL, NULL, 131072, 131072, 1, TRUE, FALSE, NEST_NESTING_OFF,
        NEST_NESTING_IMPLICIT},
    {"i686.xml", "qemu", NULL, NULL, 65536, 65536, 1, TRUE, FALSE, NEST_NESTING_OFF,
        NEST_NESTING_OFF},
    {"aarch64.xml", "qemu", "custom", "cortex-a57", 1048576, 524288, 1, TRUE, TRUE,
        NEST_NESTING_OFF, NEST_NESTING_OFF},
    {"qemu-commandline.xml", "kvm", "host-passthrough", NULL, 2097152, 1048576, 2, FALSE, FALSE,
        NEST_NESTING_UNENFORCED, NEST_NESTING_IMPLICIT},
    {"qemu-cpu-override.xml", "kvm", "host-passthrough", NULL, 524288, 524288, 1, TRUE, FALSE,
        NEST_NESTING_IMPLICIT, NEST_NESTING_IMPLICIT},
    {"units.xml", "kvm", "host-passthrough", NULL, 3145728, 976563, 2, FALSE, FALSE,
        NEST_NESTING_IMPLICIT, NEST_NESTING_IMPLICIT},
    {"nested-vmx.xml", "kvm", "host-passthrough", NULL, 4194304, 4194304, 2, FALSE, FALSE,
        NEST_NESTING_ON, NEST_NESTING_IMPLICIT},
    {"nested-svm-tcg.xml", "qemu", "maximum", NULL, 524288, 524288, 2, FALSE, FALSE,
        NEST_NESTING_OFF, NEST_NESTING_ON},
    {"hidden.xml", "kvm", "host-passthrough", NULL, 1048576, 1048576, 1, TRUE, FALSE,
        NEST_NESTING_OFF, NEST_NESTING_OFF},
    {"topology-only.xml", "qemu", "custom", NULL, 262144, 262144, 2, TRUE, FALSE, NEST_NESTING_OFF,
        NEST_NESTING_IMPLICIT},
    {"comments-cdata.xml", "kvm", "host-model", NULL, 1048576, 524288, 1, TRUE, TRUE,
        NEST_NESTING_IMPLICIT, NEST_NESTING_IMPLICIT},
    {"metadata.xml", "kvm", NULL, NULL, 1048576, 786432, 1, TRUE, TRUE, NEST_NESTING_OFF,
        NEST_NESTING_IMPLICIT},
};

static void test_read(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(definitions); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml = load_domain(definitions[i].file);
        print_message("# %s\n", definitions[i].file);
        g_autoptr(NestDomain) domain = nest_domain_read(xml, &error);
        assert_no_error(error);
        assert_string_equal(domain->type, definitions[i].type);
        assert_int_equal(g_strcmp0(domain->cpu_mode, definitions[i].mode), 0);
        assert_int_equal(g_strcmp0(domain->cpu_model, definitions[i].model), 0);
        assert_int_equal(domain->memory_kib, definitions[i].memory);
        assert_int_equal(domain->current_memory_kib, definitions[i].current);
        assert_int_equal(domain->vcpus, definitions[i].vcpus);
        assert_int_equal(domain->balloon, definitions[i].balloon);
        assert_int_equal(nest_domain_memory_is_dynamic(domain), definitions[i].dynamic);
        assert_int_equal(nest_domain_nesting(domain, NEST_EXTENSION_VMX), definitions[i].vmx);
        assert_int_equal(nest_domain_nesting(domain, NEST_EXTENSION_SVM), definitions[i].svm);
        assert_int_equal(nest_domain_nesting(domain, NEST_EXTENSION_NONE), NEST_NESTING_OFF);
    }
}

static void test_read_strings(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = load_domain("filterrefs.xml");
    g_autoptr(NestDomain) domain = nest_domain_read(xml, &error);
    assert_no_error(error);
    assert_int_equal(domain->interfaces->len, 4);
    const NestInterface *interface = domain->interfaces->pdata[0];
    assert_string_equal(interface->type, "network");
    assert_string_equal(interface->source, "default");
    assert_string_equal(interface->mac, "52:54:00:00:00:01");
    assert_string_equal(interface->filter, "clean-traffic");
    assert_null(interface->target);
    assert_string_equal(domain->arch, "x86_64");
    assert_string_equal(domain->machine, "q35");
    assert_null(domain->uuid);
    g_autofree char *cdata = load_domain("comments-cdata.xml");
    g_autoptr(NestDomain) other = nest_domain_read(cdata, &error);
    assert_no_error(error);
    assert_string_equal(other->name, "cdata-vm");
}

/* A domain whose <cpu> is cpu. */
static char *with_cpu(const char *type, const char *cpu)
{
    return g_strdup_printf(
        "<domain type='%s'><name>x</name><memory>1</memory>%s<devices/></domain>", type, cpu);
}

#define FEATURE(policy) "<feature policy='" policy "' name='svm'/>"

static const struct {
    const char *type, *cpu;
    NestNesting svm;
} cpus[] = {
    {"kvm", "<cpu mode='host-passthrough' check='full'>" FEATURE("require") "</cpu>",
        NEST_NESTING_ON},
    {"kvm", "<cpu mode='host-passthrough' check='full'><feature name='svm'/></cpu>",
        NEST_NESTING_ON},
    {"kvm", "<cpu mode='host-passthrough'>" FEATURE("require") "</cpu>", NEST_NESTING_UNENFORCED},
    {"kvm", "<cpu mode='host-passthrough' check='partial'>" FEATURE("require") "</cpu>",
        NEST_NESTING_UNENFORCED},
    {"kvm", "<cpu mode='host-passthrough' check='full'>" FEATURE("force") "</cpu>",
        NEST_NESTING_UNENFORCED},
    {"kvm", "<cpu mode='host-passthrough' check='full'>" FEATURE("optional") "</cpu>",
        NEST_NESTING_IMPLICIT},
    {"kvm", "<cpu mode='host-passthrough' check='full'>" FEATURE("forbid") "</cpu>",
        NEST_NESTING_OFF},
    {"kvm", "<cpu mode='host-passthrough' check='full'>" FEATURE("nonsense") "</cpu>",
        NEST_NESTING_IMPLICIT},
    {"kvm", "<cpu mode='host-model' check='full'>" FEATURE("require") "</cpu>",
        NEST_NESTING_UNENFORCED},
    {"kvm", "<cpu mode='custom' check='full'><model>EPYC</model>" FEATURE("require") "</cpu>",
        NEST_NESTING_UNENFORCED},
    {"kvm", "<cpu><model>EPYC-Genoa</model></cpu>", NEST_NESTING_IMPLICIT},
    {"kvm", "<cpu><model>Opteron_G1</model></cpu>", NEST_NESTING_OFF},
    {"kvm", "<cpu><model>Skylake-Server</model></cpu>", NEST_NESTING_OFF},
    {"qemu", "<cpu mode='maximum' check='full'>" FEATURE("require") "</cpu>", NEST_NESTING_ON},
    {"qemu", "<cpu mode='maximum'>" FEATURE("require") "</cpu>", NEST_NESTING_UNENFORCED},
    {"qemu", "<cpu mode='maximum'/>", NEST_NESTING_IMPLICIT},
    {"qemu", "<cpu mode='maximum'>" FEATURE("disable") "</cpu>", NEST_NESTING_OFF},
    {"qemu", "", NEST_NESTING_IMPLICIT},
};

static void test_nesting_is_on_only_if_enforced(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(cpus); i++) {
        g_autofree char *xml = with_cpu(cpus[i].type, cpus[i].cpu);
        g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
        print_message("# %s\n", cpus[i].cpu);
        assert_int_equal(nest_domain_nesting(domain, NEST_EXTENSION_SVM), cpus[i].svm);
    }
}

static const struct {
    const char *memory;
    gint64 kib; /* -1: refused */
} memories[] = {
    {"<memory>7</memory>", 7},
    {"<memory unit=''>7</memory>", 7},
    {"<memory> 7\n</memory>", 7},
    {"<memory unit='b'>1025</memory>", 2},
    {"<memory unit='bytes'>1024</memory>", 1},
    {"<memory unit='KB'>1024</memory>", 1000},
    {"<memory unit='k'>9</memory>", 9},
    {"<memory unit='KiB'>9</memory>", 9},
    {"<memory unit='MB'>1</memory>", 977},
    {"<memory unit='M'>2</memory>", 2048},
    {"<memory unit='mib'>2</memory>", 2048},
    {"<memory unit='GB'>1</memory>", 976563},
    {"<memory unit='G'>1</memory>", 1048576},
    {"<memory unit='GiB'>1</memory>", 1048576},
    {"<memory unit='TB'>1</memory>", 976562500},
    {"<memory unit='T'>1</memory>", 1073741824},
    {"<memory unit='TiB'>1</memory>", 1073741824},
    {"<memory unit='EiB'>1</memory>", G_GINT64_CONSTANT(1125899906842624)},
    {"<memory>4</memory><currentMemory>5</currentMemory>", 4},
    {"<memory>4</memory><currentMemory>0</currentMemory>", 4},
    {"", 0},
    {"<cpu><numa><cell memory='2' unit='MiB'/><cell memory='3'/></numa></cpu>", 2051},
    {"<cpu><numa><cell/></numa></cpu>", -1},
    {"<cpu><numa><cell memory='18014398509481983'/><cell memory='18014398509481983'/>"
     "</numa></cpu>",
        G_GINT64_CONSTANT(36028797018963966)},
    {"<memory unit='EiB'>16</memory>", -1},
    {"<memory unit='KiBs'>1</memory>", -1},
    {"<memory>-1</memory>", -1},
    {"<memory>1.5</memory>", -1},
    {"<memory/>", -1},
    {"<memory>1</memory><memory>2</memory>", -1},
    {"<memory>1</memory><currentMemory>x</currentMemory>", -1},
};

static void test_memory_units(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(memories); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain type='kvm'>%s</domain>", memories[i].memory);
        g_autoptr(GError) error = NULL;
        g_autoptr(NestDomain) domain = nest_domain_read(xml, &error);
        print_message("# memory %u\n", i);
        assert_int_equal(domain != NULL ? (gint64)domain->memory_kib : -1, memories[i].kib);
        if (domain == NULL)
            assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "<");
        else
            assert_int_equal(domain->current_memory_kib, domain->memory_kib);
    }
}

static void assert_refused(const char *xml, const char *says)
{
    static const NestDomainWish wish = {0};
    g_autoptr(GError) error = NULL, edit_error = NULL, satisfies_error = NULL;
    assert_null(nest_domain_read(xml, &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, says);
    assert_null(nest_domain_edit(xml, &wish, &edit_error));
    assert_nest_error(edit_error, NEST_ERROR_INVALID_REQUEST, says);
    assert_false(nest_domain_satisfies(xml, &wish, &satisfies_error));
    assert_nest_error(satisfies_error, NEST_ERROR_INVALID_REQUEST, says);
    g_autofree char *fingerprint = nest_domain_fingerprint(xml);
    assert_int_equal(strlen(fingerprint), 64);
}

static const struct {
    const char *xml, *says;
} bad[] = {
    {"", "empty"},
    {" ", "line 1"},
    {"not xml", "line 1"},
    {"<domain", "line 1"},
    {"<domain type='kvm'>", "line 1"},
    {"<domain type='kvm'><cpu></domain>", "line 1"},
    {"<domain type='kvm'/><domain type='kvm'/>", "line 1"},
    {"<domain type='kvm' type='qemu'/>", "line 1"},
    {"<domain type='kvm'><name>&unknown;</name></domain>", "line 1"},
    {"<domain type='kvm'><name>\x01</name></domain>", "line 1"},
    {"<domain type='kvm'><name>&#0;</name></domain>", "line 1"},
    {"<domain type='kvm'><name>\xff</name></domain>", "UTF-8"},
    {"\xff\xfe<", "UTF-8"},
    {"<?xml version='1.0' encoding='ISO-8859-1'?><domain type='kvm'/>", "UTF-8"},
    {"<?xml version='1.0' encoding='UTF-7'?><domain type='kvm'/>", "not a usable"},
    {"<?xml version='1.0' encoding='UTF-16'?><domain type='kvm'/>", "not a usable"},
    {"<network/>", "root"},
    {"<domain xmlns='urn:x' type='kvm'/>", "root"},
    {"<x:domain xmlns:x='urn:x' type='kvm'/>", "root"},
    {"<domain/>", "no type"},
    {"<!DOCTYPE domain><domain type='kvm'/>", "document type"},
    {"<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain type='kvm'/>", "document type"},
    {"<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
     "<domain type='kvm'><name>&x;</name></domain>",
        "document type"},
    {"<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
     "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>"
     "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;'>]>"
     "<domain type='&f;'><name>&f;</name></domain>",
        "document type"},
    {"<domain type='kvm'><vcpu>0</vcpu></domain>", "<vcpu>"},
    {"<domain type='kvm'><cpu/><cpu/></domain>", "more than once"},
    {"<domain type='kvm'><devices/><devices/></domain>", "more than once"},
};

static void test_bad_input(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        print_message("# bad %u\n", i);
        assert_refused(bad[i].xml, bad[i].says);
    }
}

static char *repeat(const char *before, const char *part, guint count, const char *after)
{
    GString *text = g_string_new(before);
    for (guint i = 0; i < count; i++)
        g_string_append(text, part);
    return g_string_free(g_string_append(text, after), FALSE);
}

static void test_bounds(void **state)
{
    g_autofree char *deep = repeat("<domain type='kvm'>", "<a>", 100000, "");
    assert_refused(deep, "not a usable");
    g_autofree char *too_deep = repeat("<domain type='kvm'>", "<a>", 300, "");
    assert_refused(too_deep, "depth");
    g_autofree char *large =
        repeat("<domain type='kvm'>", "                ", NEST_DOMAIN_XML_MAX / 16, "</domain>");
    assert_refused(large, "8 MiB");
    g_autofree char *many = repeat("<domain type='kvm'>", "<a/>", 100000, "</domain>");
    assert_refused(many, "too many elements");
    g_autofree char *attributes = repeat("<domain type='kvm'", " a='b'", 1000000, "/>");
    assert_refused(attributes, "attributes");
    g_autofree char *namespaces =
        repeat("<domain type='kvm'>", "<a xmlns:a=\"b\"/>", 1001, "</domain>");
    assert_refused(namespaces, "namespaces");
}

#define CONTROLLER(type, index) "<controller type='" type "' index='" index "'/>"

static const struct {
    const char *left, *right;
    gboolean same;
} pairs[] = {
    {"<domain type='kvm' id='1'/>", "<domain  id=\"1\" type=\"kvm\"></domain>", TRUE},
    {"<domain type='kvm'><a/><b/></domain>", "<domain type='kvm'>\n <a/>\n <b/>\n</domain>", TRUE},
    {"<domain type='kvm'><a>x&lt;</a></domain>",
        "<?xml version='1.0'?><domain type='kvm'><a><![CDATA[x<]]><!-- c --></a></domain>", TRUE},
    {"<domain type='kvm'><a xmlns='u'/></domain>", "<domain type='kvm' xmlns:p='u'><p:a/></domain>",
        TRUE},
    {"<domain type='kvm'><a/><b/></domain>", "<domain type='kvm'><b/><a/></domain>", FALSE},
    {"<domain type='kvm'><a> </a></domain>", "<domain type='kvm'><a/></domain>", FALSE},
    {"<domain type='kvm'><a>1</a></domain>", "<domain type='kvm'><a>1 </a></domain>", FALSE},
    {"<domain type='kvm'><a/></domain>", "<domain type='kvm'><a xmlns='u'/></domain>", FALSE},
    {"<domain type='kvm'><a b='c'/></domain>", "<domain type='kvm'><a b='d'/></domain>", FALSE},
    {"<domain type='kvm'><a><b/></a></domain>", "<domain type='kvm'><a/><b/></domain>", FALSE},
    /* as libvirt has it after defining, and after reading its own file again */
    {"<domain type='kvm'><devices>" CONTROLLER("pci", "0") CONTROLLER("usb", "0")
            CONTROLLER("pci", "1") "<a/></devices></domain>",
        "<domain type='kvm'><devices>" CONTROLLER("pci", "0") CONTROLLER("pci", "1")
            CONTROLLER("usb", "0") "<a/></devices></domain>",
        TRUE},
    {"<domain type='kvm'><devices>" CONTROLLER("pci", "0") "</devices></domain>",
        "<domain type='kvm'><devices>" CONTROLLER("pci", "0")
            CONTROLLER("pci", "0") "</devices></domain>",
        FALSE},
    {"<domain type='kvm'><devices>" CONTROLLER("pci", "0") "</devices></domain>",
        "<domain type='kvm'><devices>" CONTROLLER("pci", "1") "</devices></domain>", FALSE},
    {"<domain type='kvm'><devices><a/><b/></devices></domain>",
        "<domain type='kvm'><devices><b/><a/></devices></domain>", FALSE},
    {"<domain type='kvm'><a>" CONTROLLER("x", "0") CONTROLLER("y", "0") "</a></domain>",
        "<domain type='kvm'><a>" CONTROLLER("y", "0") CONTROLLER("x", "0") "</a></domain>", FALSE},
    {"no xml", "no xm", FALSE},
    {"no xml", "no xml", TRUE},
};

static void test_fingerprint(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autofree char *left = nest_domain_fingerprint(pairs[i].left);
        g_autofree char *right = nest_domain_fingerprint(pairs[i].right);
        print_message("# pair %u\n", i);
        assert_int_equal(strcmp(left, right) == 0, pairs[i].same);
    }
    assert_null(nest_domain_fingerprint(NULL));
}

static void test_cpu_arguments(void **state)
{
    static const struct {
        const char *value;
        gboolean override;
    } rows[] = {
        {"-cpu", TRUE},
        {"--cpu", TRUE},
        {"-readconfig", TRUE},
        {"max-x86_64-cpu.svm=off", TRUE},
        {"driver=qemu64-i386-cpu,property=svm,value=on", TRUE},
        {"-fw_cfg", FALSE},
        {"name=opt/-cpu", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<domain type='kvm' xmlns:q='urn:q'><q:commandline><q:env value='-cpu'/>"
            "<q:arg value='%s'/></q:commandline></domain>",
            rows[i].value);
        g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
        assert_int_equal(domain->cpu_override, rows[i].override);
    }
}

static void test_filters(void **state)
{
    assert_true(nest_filter_blocks_foreign_macs("clean-traffic"));
    assert_true(nest_filter_blocks_foreign_macs("no-arp-spoofing"));
    assert_false(nest_filter_blocks_foreign_macs("no-ip-spoofing"));
    assert_false(nest_filter_blocks_foreign_macs("company-policy"));
    assert_false(nest_filter_blocks_foreign_macs(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_strings),
        cmocka_unit_test(test_nesting_is_on_only_if_enforced),
        cmocka_unit_test(test_memory_units),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_cpu_arguments),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
