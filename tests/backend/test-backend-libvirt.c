/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../unit/nest-test.h"
#include "backend-world.h"
#include <signal.h>
#include <unistd.h>

static char *root;

static void test_caps(void **state)
{
    run_scene("caps", root);
}

static void test_life(void **state)
{
    run_scene("life", root);
}

static void test_sample(void **state)
{
    run_scene("sample", root);
}

static void test_shutdown(void **state)
{
    run_scene("shutdown", root);
}

static void test_errors(void **state)
{
    run_scene("errors", root);
}

static void test_boot(void **state)
{
    run_scene("boot", root);
}

/* The process dies while the VM that exists only in its call is there. */
static void test_boot_is_left(void **state)
{
    Child child = child_start("boot-left", root, NULL);
    g_autofree char *pid = child_line(&child, "pid ");

    assert_non_null(pid);
    child_kill(&child);
    assert_int_equal(kill(atoi(pid), 0), 0);
    run_scene("boot-found", root, pid);
}

/* Starts a guest, kills the process that did, and says which process QEMU is. */
static GPid leave_guest(const char *how)
{
    Child child = child_start("run", root, how, NULL);
    g_autofree char *pid = child_line(&child, "pid ");

    assert_non_null(pid);
    child_kill(&child);
    return atoi(pid);
}

static void test_guest_outlives_us(void **state)
{
    leave_guest("stays");
    run_scene("find", root, "running");
}

static void test_guest_dies_while_away(void **state)
{
    kill(leave_guest("stays"), SIGKILL);
    run_scene("find", root, "off");
}

static void test_guest_powers_off_while_away(void **state)
{
    leave_guest("powers-off");
    assert_true(guest_wrote(root, "X"));
    run_scene("find", root, "off");
}

static void test_guest_hangs(void **state)
{
    kill(leave_guest("stays"), SIGSTOP);
    run_scene("find", root, "hangs");
}

static void test_second_process(void **state)
{
    Child first = child_start("hold", root, NULL);
    g_autofree char *opened = child_line(&first, "open");
    g_autofree char *pid = g_strdup_printf("%d", first.pid);
    Child second = child_start("second", root, pid, NULL);
    gboolean good = child_good(&second);

    child_kill(&first);
    assert_non_null(opened);
    assert_true(good);
    run_scene("caps", root);
}

static void test_user(void **state)
{
    g_autofree char *dir = NULL;
    Child child;
    gboolean good;

    if (geteuid() != 0)
        skip();
    dir = world_directory();
    child = child_start("user", dir, "/run/nestd", NULL);
    good = child_good(&child);
    world_remove(dir);
    assert_true(good);
}

static void test_system_daemon(void **state)
{
    g_autofree char *daemon = g_find_program_in_path("libvirtd");

    if (daemon == NULL || geteuid() != 0 || !g_file_test("/etc/libvirt", G_FILE_TEST_IS_DIR))
        skip();
    run_scene("system", root);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_boot),
        cmocka_unit_test(test_boot_is_left),
        cmocka_unit_test(test_guest_outlives_us),
        cmocka_unit_test(test_guest_dies_while_away),
        cmocka_unit_test(test_guest_powers_off_while_away),
        cmocka_unit_test(test_guest_hangs),
        cmocka_unit_test(test_second_process),
        cmocka_unit_test(test_user),
        cmocka_unit_test(test_system_daemon),
    };
    const char *obstacle;
    int failed;

    if (argc > 1)
        return scene_main(argc, argv);
    obstacle = world_enter();
    if (obstacle != NULL) {
        fprintf(stderr, "skipped: %s\n", obstacle);
        return 77;
    }
    root = world_directory();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_remove(root);
    g_free(root);
    return failed == 0 ? 0 : 1;
}
