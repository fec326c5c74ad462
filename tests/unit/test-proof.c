/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-proof.h"
#include "nest-test.h"
#include "proof/proof-protocol.h"
#include <string.h>

#define SEED 0x1234

static char *recorded(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".txt", NULL);
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "proofs", file, NULL);
    char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* Reports of real runs. */
static void test_recorded(void **state)
{
    static const struct {
        const char *name, *code, *says, *vendor;
        NestExtension extension;
        guint passes, exits;
    } rows[] = {
        {"svm", "proved", "inner code ran", "AuthenticAMD", NEST_EXTENSION_SVM, 3, 9},
        {"svm-shadow", "proved", "inner code ran", "AuthenticAMD", NEST_EXTENSION_SVM, 3, 4},
        {"vmx", "proved", "inner code ran", "GenuineIntel", NEST_EXTENSION_VMX, 3, 9},
        {"not-supported", "not-supported", "neither", "AuthenticAMD", NEST_EXTENSION_NONE, 0, 0},
        {"no-long-mode", "no-long-mode", "64-bit", NULL, NEST_EXTENSION_NONE, 0, 0},
        {"vmx-locked", "locked", "firmware", "GenuineIntel", NEST_EXTENSION_VMX, 0, 0},
        {"vmx-fail", "vm-fail", "(pass=shadow name=vmresume error=5)", "GenuineIntel",
            NEST_EXTENSION_VMX, 3, 0},
        {"vmx-write", "vm-fail", "(pass=shadow name=vmwrite field=0x4bfe error=12)", "GenuineIntel",
            NEST_EXTENSION_VMX, 3, 0},
        {"vmx-state", "entry-failed", "reason=0x80000021", "GenuineIntel", NEST_EXTENSION_VMX, 3,
            0},
        {"svm-state", "entry-failed", "reason=0xffffffff", "AuthenticAMD", NEST_EXTENSION_SVM, 3,
            0},
        {"vmx-crash", "wrong-exit", "reason=0x2", "GenuineIntel", NEST_EXTENSION_VMX, 3, 0},
        {"svm-crash", "wrong-exit", "reason=0x7f", "AuthenticAMD", NEST_EXTENSION_SVM, 3, 0},
        {"vmx-spin", "timeout", "pass=shadow", "GenuineIntel", NEST_EXTENSION_VMX, 3, 0},
        {"svm-spin", "timeout", "pass=shadow", "AuthenticAMD", NEST_EXTENSION_SVM, 3, 0},
        {"svm-wrong", "wrong-answer", "wrong", "AuthenticAMD", NEST_EXTENSION_SVM, 3, 0},
        {"svm-fault", "fault", "vector=6", NULL, NEST_EXTENSION_NONE, 0, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = recorded(rows[i].name);
        g_autoptr(NestProof) proof = nest_proof_read(text, strlen(text), SEED);
        print_message("# %s: %s\n", rows[i].name, proof->message);
        assert_string_equal(proof->code, rows[i].code);
        assert_int_equal(proof->proved, g_str_equal(rows[i].code, "proved"));
        assert_non_null(strstr(proof->message, rows[i].says));
        assert_true(g_strcmp0(proof->cpu_vendor, rows[i].vendor) == 0);
        assert_int_equal(proof->extension, rows[i].extension);
        assert_int_equal(proof->passes->len, rows[i].passes);
        if (rows[i].exits > 0 || rows[i].passes == 0)
            assert_int_equal(proof->exits->len, rows[i].exits);
    }
}

static void test_contents(void **state)
{
    g_autofree char *text = recorded("vmx");
    g_autoptr(NestProof) proof = nest_proof_read(text, strlen(text), SEED);
    assert_true(g_strv_contains((const char *const *)proof->capabilities, "ept"));
    assert_true(g_strv_contains((const char *const *)proof->capabilities, "vmcs-shadowing"));
    assert_true(g_strv_contains((const char *const *)proof->missing, "posted-interrupts"));
    assert_false(g_strv_contains((const char *const *)proof->missing, "ept"));
    assert_true(proof->tsc_khz > 0);
    assert_false(proof->locked);
    assert_null(proof->hypervisor);
    const NestProofExit *exit = g_ptr_array_index(proof->exits, 8);
    assert_string_equal(exit->pass, "nested-paging");
    assert_string_equal(exit->kind, "nested-fault");
    assert_int_equal(exit->count, 64);
    assert_true(exit->min_cycles > 0 && exit->min_cycles <= exit->median_cycles);
    const NestProofPass *pass = g_ptr_array_index(proof->passes, 2);
    assert_string_equal(pass->name, "real-mode");
    assert_string_equal(pass->result, "ok");
    g_autofree char *locked = recorded("vmx-locked");
    g_autoptr(NestProof) refused = nest_proof_read(locked, strlen(locked), SEED);
    assert_true(refused->locked);
}

/* However early a report breaks off, and whichever line of it is lost, it proves nothing. */
static void test_incomplete(void **state)
{
    g_autofree char *text = recorded("svm");
    for (gsize length = 0; length < strlen(text); length++) {
        g_autoptr(NestProof) proof = nest_proof_read(text, length, SEED);
        assert_string_equal(proof->code, "incomplete");
        assert_non_null(strchr(proof->message, '('));
        assert_false(proof->proved);
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint lost = 1; lost + 1 < g_strv_length(lines); lost++) {
        g_autoptr(GString) rest = g_string_new(NULL);
        for (guint i = 0; lines[i] != NULL; i++)
            g_string_append_printf(rest, "%s\n", i == lost ? "" : lines[i]);
        g_autoptr(NestProof) proof = nest_proof_read(rest->str, rest->len, SEED);
        assert_string_equal(proof->code, "incomplete");
    }
}

static void expect_changed(const char *from, const char *to, const char *code)
{
    g_autofree char *text = recorded("svm");
    g_autoptr(GString) changed = g_string_new(text);
    assert_int_not_equal(g_string_replace(changed, from, to, 0), 0);
    g_autoptr(NestProof) proof = nest_proof_read(changed->str, changed->len, SEED);
    print_message("# \"%s\" for \"%s\": %s\n", to, from, proof->code);
    assert_string_equal(proof->code, code);
    assert_int_equal(proof->proved, g_str_equal(code, "proved"));
}

static void test_changed(void **state)
{
    g_autofree char *answer = g_strdup_printf("answer=0x%x", proof_answer(SEED));
    expect_changed(answer, "answer=0x1", "contradiction");
    expect_changed(answer, "answer=", "contradiction");
    expect_changed("result=ok", "result=timeout", "contradiction");
    expect_changed("result=ok", "result=absent", "contradiction");
    expect_changed("extension=svm", "extension=none", "contradiction");
    expect_changed("locked=0", "locked=1", "contradiction");
    expect_changed("seed=0x1234", "seed=0x1235", "contradiction");
    expect_changed("locked=0", "locked=maybe", "unreadable");
    expect_changed("extension=svm", "extension=xyz", "unreadable");
    expect_changed("code=proved", "code=splendid", "unreadable");
    expect_changed("code=proved", "code=", "unreadable");
    expect_changed("count=64", "count=-1", "unreadable");
    expect_changed("min=", "min=99999999999999999999", "unreadable");
    expect_changed("nest-proof 1 clock", "nest-proof 2 clock", "incomplete");
    expect_changed("tsc-khz=", "a\033[31m tsc-khz=", "incomplete");
    /* What a later version adds is passed over. */
    expect_changed("nest-proof 1 clock", "nest-proof 1 weather", "proved");
    expect_changed("locked=0", "locked=0 colour=red", "proved");
    expect_changed("extension=svm present", "extension=svm other=a,b present", "proved");
}

/* Noise before, between and after; and a VM that was reset and began again. */
static void test_spew(void **state)
{
    g_autofree char *text = recorded("svm"), *old = recorded("vmx-spin");
    g_autoptr(GString) noise = g_string_new("SeaBIOS\n\xff\xfe no line end yet");
    g_string_append_printf(noise, "%.200s%s", old, text);
    g_string_append(noise, "nest-proof 1 end code=fault lines=1\n");
    g_autoptr(NestProof) proof = nest_proof_read(noise->str, noise->len, SEED);
    assert_string_equal(proof->code, "proved");
    assert_string_equal(proof->cpu_vendor, "AuthenticAMD");

    g_autofree char *much = g_malloc(4 * NEST_PROOF_REPORT_MAX);
    memset(much, 'A', 4 * NEST_PROOF_REPORT_MAX);
    g_autoptr(NestProof) none = nest_proof_read(much, 4 * NEST_PROOF_REPORT_MAX, SEED);
    assert_string_equal(none->code, "incomplete");
    assert_non_null(strstr(none->message, "(it said too much)"));
    g_autoptr(NestProof) empty = nest_proof_read("", 0, SEED);
    assert_string_equal(empty->code, "incomplete");
    assert_non_null(strstr(empty->message, "(it said nothing)"));
    g_autoptr(NestProof) noisy = nest_proof_read("SeaBIOS\n", 8, SEED);
    assert_non_null(strstr(noisy->message, "(what it said is no report)"));
}

/* A report of the program's own form, with far too much of everything. */
static void test_excess(void **state)
{
    g_autoptr(GString) text = g_string_new("nest-proof 1 begin seed=0x1234\n");
    for (guint i = 0; i < 1000; i++)
        g_string_append(text, "nest-proof 1 pass name=a result=ok answer=0x0\n");
    g_string_append(text, "nest-proof 1 end code=proved lines=1002\n");
    g_autoptr(NestProof) proof = nest_proof_read(text->str, text->len, SEED);
    assert_string_equal(proof->code, "unreadable");
    assert_true(proof->passes->len <= 16);
}

/* A few KiB, small enough for any VM, and a multiboot image with addresses of its own. */
static void test_image(void **state)
{
    g_autoptr(GBytes) image = nest_proof_image();
    assert_non_null(image);
    gsize size;
    const guint8 *data = g_bytes_get_data(image, &size);
    print_message("# the image has %" G_GSIZE_FORMAT " bytes\n", size);
    assert_true(size > 4096 && size <= 16384);
    guint32 header[8];
    memcpy(header, data, sizeof header);
    assert_int_equal(header[0], 0x1BADB002);
    assert_int_equal(header[1], 1 << 16);
    assert_int_equal(header[0] + header[1] + header[2], 0);
    assert_int_equal(header[4], 0x100000);
    assert_int_equal(header[5] - header[4], size);
    assert_in_range(header[6], header[5], 0x1fffff);
    assert_in_range(header[7], header[4], header[5]);
    g_autofree char *line = nest_proof_command_line(0xcafe);
    assert_string_equal(line, "seed=cafe");
}

static void test_record(void **state)
{
    g_autofree char *text = recorded("svm");
    g_autoptr(NestProof) proof = nest_proof_read(text, strlen(text), SEED);
    g_autofree char *json = nest_codec_to_text(&nest_proof_record, proof);
    assert_non_null(strstr(json, "\"median_cycles\""));
    assert_non_null(strstr(json, "\"proved\":true"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_spew),
        cmocka_unit_test(test_excess),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
