/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include "nest-test.h"
#include <string.h>

static char *load(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "domains", name, NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    assert_no_error(error);
    return text;
}

static void test_expose(void **state)
{
    g_autofree char *xml = load("host-passthrough.xml");
    NestDomainWish wish = {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX};
    g_autoptr(GError) error = NULL;
    g_autofree char *edited = nest_domain_edit(xml, &wish, &error);
    assert_no_error(error);
    assert_non_null(strstr(edited,
        "  <cpu mode=\"host-passthrough\" check=\"full\" migratable=\"on\">\n"
        "    <feature policy='require' name='vmx'/>\n"
        "  </cpu>\n"));
    g_autoptr(NestDomain) domain = nest_domain_read(edited, &error);
    assert_no_error(error);
    assert_int_equal(nest_domain_nesting(domain, NEST_EXTENSION_VMX), NEST_NESTING_ON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
