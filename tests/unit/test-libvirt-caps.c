/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-caps.h"
#include "nest-test.h"
#include <string.h>

static void test_read(void **state)
{
    g_auto(NestDomainCaps) caps = {.host_model = NULL};
    const char *xml =
        "<domainCapabilities><path>/usr/bin/qemu</path><cpu>"
        "<mode name='host-passthrough' supported='yes'/>"
        "<mode name='maximum' supported='no'/>"
        "<mode name='host-model' supported='yes'><model fallback='forbid'>EPYC</model>"
        "<vendor>AMD</vendor><feature policy='require' name='npt'/></mode>"
        "<mode name='custom' supported='yes'><model usable='yes'>486</model></mode>"
        "</cpu></domainCapabilities>";

    assert_true(nest_domain_caps_read(xml, &caps));
    assert_true(caps.host_passthrough);
    assert_false(caps.maximum);
    assert_string_equal(caps.host_model,
        "<cpu><model fallback=\"forbid\">EPYC</model><vendor>AMD</vendor>"
        "<feature policy=\"require\" name=\"npt\"/></cpu>");
}

static void test_read_little(void **state)
{
    g_auto(NestDomainCaps) caps = {.host_model = NULL};

    assert_true(nest_domain_caps_read("<domainCapabilities/>", &caps));
    assert_false(caps.host_passthrough || caps.maximum);
    assert_null(caps.host_model);
    assert_true(nest_domain_caps_read("<domainCapabilities><cpu>"
                                      "<mode name='host-model' supported='no'/></cpu>"
                                      "</domainCapabilities>",
        &caps));
    assert_null(caps.host_model);
    assert_false(nest_domain_caps_read("<capabilities/>", &caps));
    assert_false(nest_domain_caps_read("", &caps));
    assert_false(nest_domain_caps_read("<domainCapabilities>", &caps));
}

static void test_extension(void **state)
{
    static const struct {
        const char *features;
        NestExtension extension;
    } cases[] = {
        {"", NEST_EXTENSION_NONE},
        {"<feature policy='require' name='vmx'/>", NEST_EXTENSION_VMX},
        {"<feature name='npt'/><feature name='svm'/>", NEST_EXTENSION_SVM},
        {"<feature policy='disable' name='svm'/>", NEST_EXTENSION_NONE},
        {"<feature policy='forbid' name='vmx'/>", NEST_EXTENSION_NONE},
        {"<feature policy='require' name='svme-addr-chk'/>", NEST_EXTENSION_NONE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<cpu><model>EPYC</model>%s</cpu>", cases[i].features);

        assert_int_equal(nest_domain_caps_extension(xml), cases[i].extension);
    }
    assert_int_equal(nest_domain_caps_extension("<cpu>"), NEST_EXTENSION_NONE);
}

static void test_machines(void **state)
{
    g_auto(GStrv) machines = NULL, old = NULL;

    assert_true(nest_domain_caps_machines(
        "<capabilities><host/><guest><arch name='i686'><machine>isapc</machine></arch></guest>"
        "<guest><arch name='x86_64'><machine canonical='pc-q35-7.2'>q35</machine>"
        "<machine deprecated='yes'>pc-i440fx-1.4</machine><domain type='kvm'/></arch></guest>"
        "</capabilities>",
        &machines, &old));
    assert_int_equal(g_strv_length(machines), 2);
    assert_string_equal(machines[0], "q35");
    assert_int_equal(g_strv_length(old), 1);
    assert_string_equal(old[0], "pc-i440fx-1.4");
    assert_false(nest_domain_caps_machines("<capabilities/>", NULL, NULL));
    assert_false(nest_domain_caps_machines("<domainCapabilities/>", NULL, NULL));
    assert_false(nest_domain_caps_machines("no xml", NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_little),
        cmocka_unit_test(test_extension),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
