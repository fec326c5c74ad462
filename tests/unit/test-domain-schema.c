/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-data.h"
#include "nest-domain-schema.h"
#include <string.h>

#define BEGIN \
    "<domain type='kvm'>\n<name>a</name>\n<memory>1</memory>\n" \
    "<os><type>hvm</type></os>\n<devices>\n"
#define END "</devices>\n</domain>"

static NestDomainSchema *schema;

static int load(void **state)
{
    schema = nest_domain_schema_new(nest_domain_schema_file);
    return 0;
}

static int unload(void **state)
{
    nest_domain_schema_free(schema);
    return 0;
}

/* Definitions that libvirt takes stay such, whatever is wished. */
static void test_edits_stay_valid(void **state)
{
    static const char *const names[] = {"comments-cdata.xml", "crlf-tabs.xml", "filterrefs.xml",
        "host-model.xml", "metadata.xml", "no-cpu.xml", "topology-numa.xml", "units.xml"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *xml = load_domain(names[i]);
        g_autoptr(GError) error = NULL;
        nest_domain_schema_check(schema, xml, &error);
        assert_no_error(error);
        for (guint w = 0; w < G_N_ELEMENTS(wishes); w++) {
            g_autofree char *edited = nest_domain_edit(xml, &wishes[w], NULL);
            if (edited != NULL)
                nest_domain_schema_check(schema, edited, &error);
            assert_no_error(error);
        }
    }
}

static void test_what_is_wrong(void **state)
{
    static const struct {
        const char *devices, *words;
    } rows[] = {
        {"<disc/>\n", "line 6: <disc> in <devices>"},
        {"<!-- a\n b -->\n<disk type='file'><source file='/x'/><target dev='vda'/></disk>\n"
         "<disk type='file' device='dsk'><source file='/y'/><target dev='vdb'/></disk>",
            "line 9: device of <disk>"},
        {"<disk type='file'><source file='/y'/><target dev='vdb'/><address type='drive' "
         "bus='-1'/></disk>",
            "line 6: bus of <address>"},
        {"<emulator>qemu</emulator>", "line 6: <emulator> in <devices>"},
        {"<one/><two/>", "line 5: <devices> in <domain>"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml = g_strconcat(BEGIN, rows[i].devices, END, NULL);
        g_autoptr(GError) error = NULL;
        assert_false(nest_domain_schema_check(schema, xml, &error));
        assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, rows[i].words);
    }
    g_autoptr(GError) error = NULL;
    nest_domain_schema_check(schema, BEGIN END, &error);
    assert_no_error(error);
}

static void test_what_is_missing(void **state)
{
    static const char *const rows[][2] = {
        {"<domain type='kvm'><name>a</name><memory>1</memory></domain>", "<os> with a <type>"},
        {"<domain type='kvm'><name>a</name><os><type>hvm</type></os></domain>",
            "<memory> is missing"},
        {"<domain type='kvm'><name>a</name><memory>0</memory><os><type>hvm</type></os></domain>",
            "<memory> is missing"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(nest_domain_schema_check(schema, rows[i][0], &error));
        assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, rows[i][1]);
    }
}

#define DISK(target, more) \
    "<disk type='file'><source file='/a'/><target dev='" target "'/>" more "</disk>\n"
#define PCI(slot, function) \
    "<address type='pci' domain='0x0000' bus='0' slot='" slot "' function='" function "'/>"

/* What the schema can't see. */
static void test_what_clashes(void **state)
{
    static const struct {
        const char *devices, *says;
    } rows[] = {
        {DISK("vda", "") DISK("vdb", ""), NULL},
        {DISK("vda", "") DISK("vda", ""), "line 7: <disk> has the target vda, and another"},
        {DISK("vda", PCI("3", "0x0")) DISK("vdb", PCI("0x04", "0")), NULL},
        {DISK("vda", PCI("3", "0x0")) DISK("vdb", PCI("3", "1")), NULL},
        {DISK("vda", PCI("0x0a", "0x0")) DISK("vdb", PCI("10", "0")), "PCI address 0000:00:0a.0"},
        {DISK("vda", PCI("0", "0")) DISK("vdb", PCI("0", "0")), NULL},
        {DISK("vda", PCI("3", "0")) "<memballoon model='virtio'>" PCI("3", "0") "</memballoon>",
            "<memballoon> has the PCI address 0000:00:03.0"},
        {"<serial type='pty'><target type='pci-serial'/>" PCI(
             "4", "0") "</serial>"
                       "<console type='pty'><target type='serial'/>" PCI("4", "0") "</console>",
            NULL},
        {DISK("vda", PCI("9", "0")) "<hostdev mode='subsystem' type='pci'><source><address "
                                    "domain='0' bus='0' slot='9' function='0'/></source></hostdev>",
            NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml = g_strconcat(BEGIN, rows[i].devices, END, NULL);
        g_autoptr(GError) error = NULL;
        gboolean good = nest_domain_schema_check(schema, xml, &error);
        if (rows[i].says == NULL)
            assert_no_error(error);
        assert_int_equal(good, rows[i].says == NULL);
        if (!good && strstr(error->message, rows[i].says) == NULL)
            fail_msg("row %u: %s", i, error->message);
    }
}

static void test_bounds(void **state)
{
    g_autoptr(GString) text = g_string_new(BEGIN);
    g_autoptr(GError) error = NULL, syntax = NULL;
    for (guint i = 0; i <= NEST_DOMAIN_SCHEMA_ELEMENTS_MAX; i++)
        g_string_append(text, "<a/>");
    g_string_append(text, END);
    assert_false(nest_domain_schema_check(schema, text->str, &error));
    assert_nest_error(error, NEST_ERROR_TOO_LARGE, "20000 elements");
    assert_false(nest_domain_schema_check(schema, "<!DOCTYPE a><domain type='kvm'/>", &syntax));
    assert_nest_error(syntax, NEST_ERROR_INVALID_REQUEST, "document type");
}

static void test_schema_that_is_not_there(void **state)
{
    g_autoptr(NestDomainSchema) none = nest_domain_schema_new("/does/not/exist.rng");
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        assert_false(nest_domain_schema_check(none, BEGIN END, &error));
        assert_nest_error(error, NEST_ERROR_HYPERVISOR, "/does/not/exist.rng");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits_stay_valid),
        cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_what_clashes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_schema_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
