/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-registers.h"
#include "nest-test.h"

#define CPU(cr4, efer, smm) \
    "CPU#0\nEIP=000ee2f9 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=" smm " HLT=0\n" \
    "CR0=80050033 CR2=00000000 CR3=00000000 CR4=" cr4 "\nEFER=" efer "\nFCW=037f\n"
#define OFF CPU("000006f0", "0000000000000d01", "0")

static void test_recorded(void **state)
{
    g_autofree char *text = NULL;
    g_autofree char *path =
        g_build_filename(g_getenv("NEST_TEST_DATA"), "samples", "registers-off.txt", NULL);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_int_equal(nest_registers_switched_on(text), NEST_ANSWER_NO);
}

static void test_switched_on(void **state)
{
    static const struct {
        const char *text;
        NestAnswer answer;
    } rows[] = {
        {OFF, NEST_ANSWER_NO},
        {CPU("000026f0", "0000000000000d01", "0"), NEST_ANSWER_YES},
        {CPU("000006f0", "0000000000001d01", "0"), NEST_ANSWER_YES},
        {OFF CPU("000006f0", "0000000000001d01", "0") OFF, NEST_ANSWER_YES},
        {OFF OFF, NEST_ANSWER_NO},
        {CPU("0", "0", "1"), NEST_ANSWER_UNREAD},
        {OFF CPU("0", "0", "1"), NEST_ANSWER_UNREAD},
        {CPU("2000", "0", "1"), NEST_ANSWER_YES},
        {"", NEST_ANSWER_UNREAD},
        {"CR4=zz EFER=", NEST_ANSWER_UNREAD},
        {"CR4=000006f0", NEST_ANSWER_UNREAD},
        {"EFER=0000000000000d01", NEST_ANSWER_UNREAD},
        {"DCR4=00002000 XEFER=1000", NEST_ANSWER_UNREAD},
        {"unknown command: 'info registers'", NEST_ANSWER_UNREAD},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (nest_registers_switched_on(rows[i].text) != rows[i].answer)
            fail_msg("row %u: %s", i, rows[i].text);
}

static void test_flag(void **state)
{
    assert_int_equal(nest_registers_flag("true\r\n"), NEST_ANSWER_YES);
    assert_int_equal(nest_registers_flag(" false "), NEST_ANSWER_NO);
    assert_int_equal(
        nest_registers_flag("Error: Property 'max-x86_64-cpu.vmx' not found"), NEST_ANSWER_UNREAD);
    assert_int_equal(nest_registers_flag(""), NEST_ANSWER_UNREAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_switched_on),
        cmocka_unit_test(test_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
