/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-embed.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void test_may_open(void **state)
{
    static const gid_t groups[] = {64055, 108};
    static const struct {
        mode_t mode;
        uid_t owner;
        gid_t group;
        uid_t uid;
        gboolean may;
    } cases[] = {
        {0600, 0, 0, 0, TRUE}, /* root */
        {0000, 5, 5, 0, TRUE}, {0600, 0, 0, 64055, FALSE}, /* root only */
        {0660, 0, 108, 64055, TRUE}, /* by a supplementary group */
        {0660, 0, 64055, 64055, TRUE}, /* by the primary group */
        {0660, 0, 109, 64055, FALSE}, /* not one of its groups */
        {0666, 0, 109, 64055, TRUE}, /* everybody */
        {0606, 0, 108, 64055, FALSE}, /* everybody but the group */
        {0640, 0, 108, 64055, FALSE}, /* reading is not enough */
        {0600, 64055, 0, 64055, TRUE}, /* the owner */
        {0066, 64055, 108, 64055, FALSE}, /* everybody but the owner */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct stat status = {
            .st_mode = S_IFCHR | cases[i].mode, .st_uid = cases[i].owner, .st_gid = cases[i].group};

        assert_int_equal(
            nest_libvirt_embed_may_open(&status, cases[i].uid, groups, G_N_ELEMENTS(groups)),
            cases[i].may);
    }
}

static void test_config(void **state)
{
    const NestQemuUser user = {.user = (char *)"nestd-qemu", .group = (char *)"kvm"};
    g_autofree char *plain = nest_libvirt_embed_config(&user, NULL);
    g_autofree char *with = nest_libvirt_embed_config(&user, "max_files = 99");
    g_autofree char *unprivileged = nest_libvirt_embed_config(NULL, "");

    assert_true(g_str_has_prefix(plain, "# written by nestd"));
    assert_non_null(strstr(plain, "\nstdio_handler = \"file\"\n"));
    assert_non_null(strstr(plain, "\nuser = \"nestd-qemu\"\n"));
    assert_non_null(strstr(plain, "\ngroup = \"kvm\"\n"));
    assert_null(strstr(plain, "max_files"));
    assert_non_null(strstr(with, "\nmax_files = 99\n"));
    assert_non_null(strstr(with, "\nuser = "));
    assert_null(strstr(unprivileged, "user ="));
    assert_null(strstr(unprivileged, "group ="));
}

static void test_root(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_true(nest_libvirt_embed_check_root("/var/lib/nestd/vm", &error));
    assert_true(nest_libvirt_embed_check_root("/2345678901234567890123456", &error) == FALSE);
    assert_nest_error(error, NEST_ERROR_CONFIG, "longer than the 25 bytes");
    g_clear_error(&error);
    assert_true(nest_libvirt_embed_check_root("/234567890123456789012345", &error));
    assert_false(nest_libvirt_embed_check_root("var", &error));
    assert_nest_error(error, NEST_ERROR_CONFIG, "no absolute path");
    g_clear_error(&error);
    assert_false(nest_libvirt_embed_check_root(NULL, &error));
    assert_nest_error(error, NEST_ERROR_CONFIG, "(none)");
    g_clear_error(&error);
    assert_false(nest_libvirt_embed_check_root("/a\"b", &error));
    assert_nest_error(error, NEST_ERROR_CONFIG, "no absolute path");
}

static void test_uri(void **state)
{
    g_autofree char *plain = nest_libvirt_embed_uri("/var/lib/nestd/vm");
    g_autofree char *odd = nest_libvirt_embed_uri("/a b&c");

    assert_string_equal(plain, "qemu:///embed?root=/var/lib/nestd/vm");
    assert_string_equal(odd, "qemu:///embed?root=/a%20b%26c");
}

static void test_choose_user(void **state)
{
    NestLibvirtOptions options = {.qemu_user = "root"};
    g_auto(NestQemuUser) named = {NULL, NULL};
    g_auto(NestQemuUser) automatic = {NULL, NULL};
    g_auto(NestQemuUser) found = {NULL, NULL};
    g_autoptr(GError) error = NULL;

    assert_true(nest_libvirt_embed_choose_user(&options, "/none", &named, &error));
    assert_string_equal(named.user, "root");
    assert_string_equal(named.group, "root");
    options.qemu_user = "no-such-user";
    assert_false(nest_libvirt_embed_choose_user(&options, "/none", &found, &error));
    assert_nest_error(error, NEST_ERROR_CONFIG, "no-such-user");
    g_clear_error(&error);
    options.qemu_user = "root";
    options.qemu_group = "no-such-group";
    assert_false(nest_libvirt_embed_choose_user(&options, "/none", &found, &error));
    assert_nest_error(error, NEST_ERROR_CONFIG, "no-such-group");
    g_clear_error(&error);
    options.qemu_group = "auto";
    assert_true(nest_libvirt_embed_choose_user(&options, "/none", &automatic, &error));
    assert_string_equal(automatic.group, "root");
    options = (NestLibvirtOptions){.qemu_user = "auto"};
    assert_true(nest_libvirt_embed_choose_user(&options, "/none", &found, &error));
    assert_non_null(found.user);
}

static void remove_tree(const char *root, const char *const *paths)
{
    for (; *paths != NULL; paths++) {
        g_autofree char *path = g_build_filename(root, *paths, NULL);

        g_remove(path);
    }
}

static void test_prepare(void **state)
{
    static const char *const paths[] = {"vm/run/qemu", "vm/run", "vm/lib", "vm/log", "vm/cache",
        "vm/etc/qemu.local.conf", "vm/etc/qemu.conf", "vm/etc", "vm", "run/qemu", "run", "other",
        "", NULL};
    g_autofree char *dir = g_dir_make_tmp("nestXXXXXX", NULL);
    g_autofree char *root = g_build_filename(dir, "vm", NULL);
    g_autofree char *run_root = g_build_filename(dir, "run", NULL);
    g_autofree char *other = g_build_filename(dir, "other", NULL);
    g_autofree char *run = g_build_filename(root, "run", NULL);
    g_autofree char *run_state = g_build_filename(run_root, "qemu", NULL);
    g_autofree char *local = g_build_filename(root, "etc", "qemu.local.conf", NULL);
    g_autofree char *config = g_build_filename(root, "etc", "qemu.conf", NULL);
    g_autofree char *text = NULL;
    g_autofree char *link = NULL;
    g_autoptr(GError) error = NULL;
    NestLibvirtOptions options = {.root = root, .qemu_user = "root"};
    struct stat before, after;

    /* A run directory of its own, then a link to one that is replaced while nothing is there. */
    assert_true(nest_libvirt_embed_prepare(&options, &error));
    assert_true(g_file_test(run, G_FILE_TEST_IS_DIR));
    options.run_root = run_root;
    assert_true(nest_libvirt_embed_prepare(&options, &error));
    link = g_file_read_link(run, NULL);
    assert_string_equal(link, run_root);
    assert_int_equal(g_mkdir(run_state, 0700), 0);
    assert_true(nest_libvirt_embed_prepare(&options, &error));
    options.run_root = other;
    assert_false(nest_libvirt_embed_prepare(&options, &error));
    assert_nest_error(error, NEST_ERROR_CONFIG, "run-time state");
    g_clear_error(&error);
    g_rmdir(run_state);
    assert_true(nest_libvirt_embed_prepare(&options, &error));

    /* Unchanged text is left alone; a site's text comes in. */
    assert_int_equal(stat(config, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    assert_true(nest_libvirt_embed_prepare(&options, &error));
    assert_int_equal(stat(config, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_true(g_file_set_contents(local, "max_files = 99\n", -1, NULL));
    assert_true(nest_libvirt_embed_prepare(&options, &error));
    assert_true(g_file_get_contents(config, &text, NULL, NULL));
    assert_non_null(strstr(text, "max_files = 99"));
    remove_tree(dir, paths);
    assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_may_open),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_choose_user),
        cmocka_unit_test(test_prepare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
