/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-probe.h"
#include "nest-test.h"
#include <string.h>

/* Reports of the program that is run inside VMs, recorded and made up. */

#define SEED 0x1234abcd

static const char *const recorded[] = {"begin seed=0x1234abcd",
    "cpu vendor=AuthenticAMD extension=svm hypervisor=TCGTCGTCGTCG",
    "pass name=real result=ok answer=0xe625527a", "pass name=long result=ok answer=0xe625527a",
    "measure name=exit-cpuid count=128 own-ns=50688 inner-ns=5243008",
    "measure name=memory count=65536 own-ns=14807 inner-ns=19166", "clock tsc-khz=2445430",
    "end code=verified lines=8"};

/* The report with line row replaced by text, or left out where that is NULL. */
static NestVerification *read_with(guint row, const char *text, guint32 seed)
{
    g_autoptr(GString) report = g_string_new("sh: noise\n");
    for (guint i = 0; i < G_N_ELEMENTS(recorded); i++) {
        const char *line = i == row ? text : recorded[i];
        if (line != NULL)
            g_string_append_printf(report, "nest-probe 1 %s\n", line);
    }
    return nest_probe_read(report->str, report->len, seed);
}

static void assert_code(guint row, const char *text, const char *code)
{
    g_autoptr(NestVerification) result = read_with(row, text, SEED);
    if (g_strcmp0(result->code, code) != 0)
        fail_msg("\"%s\" gives %s, not %s", text, result->code, code);
    assert_int_equal(result->verified, FALSE);
    assert_non_null(result->message);
}

static void test_recorded(void **state)
{
    g_autoptr(NestVerification) result = read_with(99, NULL, SEED);
    assert_string_equal(result->code, "verified");
    assert_true(result->verified);
    assert_string_equal(result->cpu_vendor, "AuthenticAMD");
    assert_string_equal(result->hypervisor, "TCGTCGTCGTCG");
    assert_int_equal(result->extension, NEST_EXTENSION_SVM);
    assert_int_equal(result->tsc_khz, 2445430);
    assert_int_equal(result->passes->len, 2);
    assert_int_equal(result->measures->len, 2);
    const NestMeasure *measure = g_ptr_array_index(result->measures, 0);
    assert_string_equal(measure->name, "exit-cpuid");
    assert_int_equal(measure->count, 128);
    assert_int_equal(measure->own_ns, 50688);
    assert_int_equal(measure->inner_ns, 5243008);
    g_autofree char *text = nest_codec_to_text(&nest_verification_record, result);
    g_autoptr(NestVerification) again =
        nest_codec_from_text(&nest_verification_record, text, -1, NEST_CODEC_STRICT, NULL);
    assert_non_null(again);
    assert_int_equal(again->measures->len, 2);
}

static void test_failures(void **state)
{
    static const char *const codes[] = {"no-device", "no-access", "no-api", "busy", "call-failed",
        "entry-failed", "wrong-exit", "wrong-answer"};
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autofree char *text =
            g_strdup_printf("nest-probe 1 begin seed=0x1234abcd\n"
                            "nest-probe 1 pass name=real result=%s answer=0x0\n"
                            "nest-probe 1 end code=%s lines=3 call=open errno=2 reason=0x7\n",
                codes[i], codes[i]);
        g_autoptr(NestVerification) result = nest_probe_read(text, strlen(text), SEED);
        assert_string_equal(result->code, codes[i]);
        assert_non_null(strstr(result->message, "(call=open errno=2 reason=0x7)"));
        assert_false(result->verified);
    }
}

static void test_not_believed(void **state)
{
    static const struct {
        guint row;
        const char *text, *code;
    } rows[] = {
        {0, NULL, "incomplete"},
        {0, "begin seed=0x1", "contradiction"},
        {1, "cpu vendor=AuthenticAMD extension=both hypervisor=", "unreadable"},
        {1, NULL, "incomplete"},
        {2, "pass name=real result=ok answer=0x1", "contradiction"},
        {2, "pass name=real result=timeout answer=0x0", "contradiction"},
        {2, "measure name=exit-io count=1 own-ns=0 inner-ns=1", "contradiction"},
        {3, "pass result=ok answer=0xe625527a", "unreadable"},
        {4, "measure name=exit-cpuid count=0 own-ns=1 inner-ns=1", "unreadable"},
        {4, "measure name=exit-cpuid count=1 own-ns=1 inner-ns=0", "unreadable"},
        {4, "measure name=exit-cpuid count=1 own-ns=1 inner-ns=99999999999999999999", "unreadable"},
        {4, "measure name=exit-cpuid count=1 own-ns=1 inner-ns=18446744073709551615", "unreadable"},
        {4, "begin seed=0x1234abcd", "unreadable"},
        {6, "clock tsc-khz=99999999999", "unreadable"},
        {7, NULL, "incomplete"},
        {7, "end code=verified lines=7", "incomplete"},
        {7, "end code=splendid lines=8", "unreadable"},
        {7, "end lines=8", "unreadable"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_code(rows[i].row, rows[i].text, rows[i].code);
    g_autoptr(NestVerification) other = read_with(99, NULL, SEED + 1);
    assert_string_equal(other->code, "contradiction");
}

static void test_every_beginning(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(recorded); i++)
        g_string_append_printf(text, "nest-probe 1 %s\n", recorded[i]);
    for (gsize length = 0; length < text->len; length++) {
        g_autoptr(NestVerification) result = nest_probe_read(text->str, length, SEED);
        assert_string_equal(result->code, "incomplete");
    }
}

/* A static program for x86-64, and small. */
static void test_image(void **state)
{
    static const guint8 elf[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    gsize size = 0;
    g_autoptr(GBytes) image = nest_probe_image();
    const guint8 *data = g_bytes_get_data(image, &size);
    print_message("# the program has %" G_GSIZE_FORMAT " bytes\n", size);
    assert_true(size > 2048 && size <= 12288);
    assert_memory_equal(data, elf, sizeof elf);
    assert_int_equal(data[16] | data[17] << 8, 2); /* e_type: ET_EXEC */
    assert_int_equal(data[18] | data[19] << 8, 62); /* e_machine: EM_X86_64 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_not_believed),
        cmocka_unit_test(test_every_beginning),
        cmocka_unit_test(test_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
