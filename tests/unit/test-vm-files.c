/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test.h"
#include "nest-vm-files.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define VM "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define MIB (1024 * 1024)

static NestConfig config;
static char *outside; /* a file that is none of nestd's business */

static int set_up(void **state)
{
    config.state_directory = g_dir_make_tmp("nest-files-XXXXXX", NULL);
    outside = g_build_filename(config.state_directory, "outside", NULL);
    return g_file_set_contents(outside, "secret", -1, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    g_autofree char *command = g_strdup_printf("rm -r %s", config.state_directory);
    int status = system(command);
    g_clear_pointer(&config.state_directory, g_free);
    g_clear_pointer(&outside, g_free);
    return status;
}

static char *in_folder(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(config.state_directory, folder, NULL);
    g_mkdir(path, 0711);
    return g_build_filename(path, name, NULL);
}

static void make_file(const char *path, off_t size)
{
    assert_true(g_file_set_contents(path, "", 0, NULL));
    assert_int_equal(truncate(path, size), 0);
}

static off_t size_of(const char *path)
{
    GStatBuf status;
    assert_int_equal(g_stat(path, &status), 0);
    return status.st_size;
}

static mode_t mode_of(const char *path)
{
    GStatBuf status;
    assert_int_equal(g_lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static gboolean is_there(const char *path)
{
    GStatBuf status;
    return g_lstat(path, &status) == 0;
}

static void test_made_and_removed(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *disk = nest_vm_files_disk(&config, VM);
    g_autofree char *console = nest_vm_files_console(&config, VM);
    g_autofree char *folder = g_path_get_dirname(disk);
    nest_vm_files_make_disk(&config, VM, 8 * MIB, &error);
    assert_no_error(error);
    nest_vm_files_make_console(&config, VM, &error);
    assert_no_error(error);
    assert_int_equal(mode_of(disk), 0600);
    assert_int_equal(mode_of(console), 0600);
    assert_int_equal(mode_of(folder), 0711);
    assert_true(nest_vm_files_remove(&config, VM, TRUE, &error));
    assert_true(is_there(disk) && !is_there(console));
    assert_true(nest_vm_files_remove(&config, VM, FALSE, &error));
    assert_false(is_there(disk));
    assert_true(nest_vm_files_remove(&config, VM, FALSE, &error));
}

static void test_link_in_place_of_the_console(void **state)
{
    static const char *const targets[] = {"../outside", "../nothing"};
    g_autofree char *nothing = g_build_filename(config.state_directory, "nothing", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *console = in_folder("console", VM ".log");
        assert_int_equal(symlink(targets[i], console), 0);
        assert_false(nest_vm_files_make_console(&config, VM, &error));
        assert_nest_error(error, NEST_ERROR_STORE, "can't make");
        assert_false(is_there(nothing));
        assert_true(nest_vm_files_remove(&config, VM, FALSE, NULL));
        assert_false(is_there(console));
        assert_int_equal(size_of(outside), 6);
    }
}

static void test_console_that_is_there_is_kept(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *console = in_folder("console", VM ".log");
    assert_true(g_file_set_contents(console, "booted", -1, NULL));
    assert_false(nest_vm_files_make_console(&config, VM, &error));
    assert_int_equal(size_of(console), 6);
}

static void test_disk_that_is_there_is_kept(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *disk = in_folder("disks", VM ".qcow2");
    assert_true(g_file_set_contents(disk, "data", -1, NULL));
    assert_false(nest_vm_files_make_disk(&config, VM, 8 * MIB, &error));
    assert_non_null(error);
    assert_int_equal(size_of(disk), 4);
}

static void test_trimming(void **state)
{
    static const off_t most = 16 * MIB;
    g_autofree char *small = in_folder("console", "small.log");
    g_autofree char *large = in_folder("console", "large.log");
    g_autofree char *linked = in_folder("console", "linked.log");
    g_autofree char *fifo = in_folder("console", "fifo.log");
    g_autofree char *folder = in_folder("console", "folder.log");
    make_file(small, most);
    make_file(large, most + 1);
    make_file(outside, most + 1);
    assert_int_equal(symlink(outside, linked), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(g_mkdir(folder, 0700), 0);
    nest_vm_files_trim_consoles(&config);
    assert_int_equal(size_of(small), most);
    assert_int_equal(size_of(large), 0);
    assert_int_equal(size_of(outside), most + 1);
}

static void test_trimming_without_a_folder(void **state)
{
    nest_vm_files_trim_consoles(&config);
}

/* RLIMIT_FSIZE stands for a disk that is full: qemu-img can't write, and says so. */
static void test_no_space_for_the_disk(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *disk = nest_vm_files_disk(&config, VM);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    gboolean made = nest_vm_files_make_disk(&config, VM, 8 * MIB, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(made);
    assert_nest_error(error, NEST_ERROR_STORE, "no disk was made");
    assert_false(is_there(disk));
}

static void test_folder_that_is_a_file(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(config.state_directory, "console", NULL);
    make_file(folder, 0);
    assert_false(nest_vm_files_make_console(&config, VM, &error));
    assert_nest_error(error, NEST_ERROR_STORE, "can't make");
    g_clear_error(&error);
    assert_false(nest_vm_files_remove(&config, VM, TRUE, &error));
    assert_nest_error(error, NEST_ERROR_STORE, "can't remove");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_made_and_removed),
        TEST(test_link_in_place_of_the_console),
        TEST(test_console_that_is_there_is_kept),
        TEST(test_disk_that_is_there_is_kept),
        TEST(test_trimming),
        TEST(test_trimming_without_a_folder),
        TEST(test_no_space_for_the_disk),
        TEST(test_folder_that_is_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
