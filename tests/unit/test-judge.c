/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-judge.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define BEGIN \
    "<?xml version='1.0'?>\n<!-- <domain type='a'> -->\n<domain type='kvm'>\n<name>a&amp;b</name>" \
    "<memory>1</memory><os><type>hvm</type></os><devices>"
#define END "</devices></domain>"

static char *folder;

static int make_folder(void **state)
{
    folder = g_dir_make_tmp("judge.XXXXXX", NULL);
    return folder != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    g_rmdir(folder);
    g_free(folder);
    return 0;
}

/* What comes of BEGIN END where the program is a script. */
static gboolean by_script(const char *script, char **ret_doubt, GError **error)
{
    g_autofree char *program = g_build_filename(folder, "program", NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", script);
    assert_true(
        g_file_set_contents_full(program, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
    gboolean good = nest_judge_check(program, 60000, BEGIN END, ret_doubt, error);
    g_unlink(program);
    return good;
}

/* The real one, where the build is. */
static void test_real(void **state)
{
    static const struct {
        const char *devices, *words;
    } rows[] = {
        {"", NULL},
        {"<disk type='block'><source dev='/x'/><target dev='vda'/></disk>", NULL},
        {"<controller type='pci' index='1' model='pcie-root-port'/>"
         "<controller type='pci' index='1' model='pcie-root-port'/>",
            "Multiple 'pci' controllers with index '1'"},
        {"<disk type='block'><source dev='/x'/><target dev='vda'/></disk>"
         "<disk type='block'><source dev='/y'/><target dev='vda'/></disk>",
            "target 'vda' duplicated"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml = g_strconcat(BEGIN, rows[i].devices, END, NULL);
        g_autofree char *doubt = NULL;
        g_autoptr(GError) error = NULL;
        gboolean good = nest_judge_check(nest_judge_program(), 60000, xml, &doubt, &error);
        if (doubt != NULL)
            fail_msg("%s", doubt);
        assert_int_equal(good, rows[i].words == NULL);
        if (!good)
            assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, rows[i].words);
    }
}

/* What libvirt's other drivers do not have is no fault of the definition. */
static void test_other_machines(void **state)
{
    static const char *const starts[] = {
        "<domain type=\"qemu\"><name>a</name><memory>1</memory><os><type "
        "arch='riscv64'>hvm</type></os>",
        "<domain\n type = 'xen' ><name>a</name><memory>1</memory><os><type>linux</type></os>",
        "<domain type='no&#45;such'><name>a</name><memory>1</memory><os><type "
        "arch='z'>hvm</type></os>",
    };
    for (guint i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_autofree char *xml = g_strconcat(starts[i], "</domain>", NULL);
        g_autofree char *doubt = NULL;
        g_autoptr(GError) error = NULL;
        nest_judge_check(nest_judge_program(), 60000, xml, &doubt, &error);
        assert_no_error(error);
        assert_null(doubt);
    }
}

static void test_failures(void **state)
{
    static const struct {
        const char *script, *words;
    } rows[] = {
        {"kill -SEGV $$", "ended by signal 11"},
        {"echo judge-1 refused all; kill -ABRT $$", "ended by signal 6"},
        {"exit 3", "status 3"},
        {":", "no answer"},
        {"echo hello", "its answer is none"},
        {"echo judge-2 refused all", "its answer is none"},
        {"echo judge-1 refusedall", "its answer is none"},
        {"printf 'judge-1 \\377\\033[2J'", "its answer is none"},
        {"head -c 100000 /dev/zero", "its answer is none"},
        {"echo judge-1 broken it stays root", "it stays root"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *doubt = NULL;
        g_autoptr(GError) error = NULL;
        gboolean good = by_script(rows[i].script, &doubt, &error);
        assert_no_error(error);
        assert_true(good);
        assert_non_null(doubt);
        assert_non_null(strstr(doubt, rows[i].words));
    }
}

static void test_missing(void **state)
{
    g_autofree char *doubt = NULL;
    assert_true(nest_judge_check("/does/not/exist", 5000, BEGIN END, &doubt, NULL));
    assert_non_null(strstr(doubt, "/does/not/exist"));
}

static void test_hangs(void **state)
{
    g_autofree char *program = g_build_filename(folder, "program", NULL);
    g_autofree char *doubt = NULL;
    assert_true(g_file_set_contents_full(program, "#!/bin/sh\necho judge-1 good\nexec sleep 1000\n",
        -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
    assert_true(nest_judge_check(program, 100, BEGIN END, &doubt, NULL));
    assert_non_null(strstr(doubt, "longer than 100 ms"));
    g_unlink(program);
}

/* What it is given: the definition with another type, and nothing of nestd's. */
static void test_given(void **state)
{
    g_autofree char *doubt = NULL;
    g_autoptr(GError) error = NULL;
    assert_int_equal(dup2(STDERR_FILENO, 57), 57);
    g_setenv("NEST_TEST_SECRET", "1", TRUE);
    assert_false(by_script("printf 'judge-1 refused '; test -z \"$NEST_TEST_SECRET$HOME$USER\" || "
                           "printf leaked; test ! -e /proc/self/fd/57 || printf open; sed -n 3p",
        &doubt, &error));
    close(57);
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "definition: <domain type='test'>");
}

/* Words are shown, never believed: bounded, in one line, without control characters. */
static void test_words(void **state)
{
    g_autofree char *doubt = NULL;
    g_autoptr(GError) error = NULL;
    assert_false(by_script("printf 'judge-1 refused a\\033[31m\\377'; head -c 9000 /dev/zero | "
                           "tr '\\0' x",
        &doubt, &error));
    assert_nest_error(
        error, NEST_ERROR_INVALID_REQUEST, "libvirt would refuse this definition: a?[31m");
    assert_true(g_utf8_validate(error->message, -1, NULL));
    assert_true(strlen(error->message) < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real),
        cmocka_unit_test(test_other_machines),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
