/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-modprobe.h"
#include "nest-host-repair.h"
#include "nest-saved-file.h"
#include "nest-shell-file.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What changes a host, below a root of its own and with a modprobe of its own. */

static char *root;

static int set_up(void **state)
{
    root = g_dir_make_tmp("nest-XXXXXX", NULL);
    return root != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    g_autofree char *command = g_strdup_printf("rm -rf %s", root);
    int status = system(command);
    g_clear_pointer(&root, g_free);
    return status;
}

static char *at(const char *path)
{
    return g_build_filename(root, path, NULL);
}

static void put(const char *path, const char *text)
{
    g_autofree char *full = at(path);
    g_autofree char *folder = g_path_get_dirname(full);
    assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
    assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void lay_link(const char *path, const char *target)
{
    g_autofree char *full = at(path);
    g_autofree char *folder = g_path_get_dirname(full);
    assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
    assert_int_equal(symlink(target, full), 0);
}

static char *text_of(const char *path)
{
    g_autofree char *full = at(path);
    char *text = NULL;
    return g_file_get_contents(full, &text, NULL, NULL) ? text : NULL;
}

static void test_file_comes_back(void **state)
{
    static const char bytes[] = "a\0b\xff\r\nno newline at the end";
    g_autoptr(GError) error = NULL;
    g_autofree char *full = at("etc/f");
    g_autofree char *before = NULL, *after = NULL, *content = NULL;
    struct stat status;
    gsize length = 0;
    put("etc/f", "");
    assert_true(g_file_set_contents(full, bytes, sizeof bytes, NULL));
    assert_int_equal(chmod(full, 0640), 0);
    assert_true(nest_saved_file_read(root, "etc/f", &before, &error));
    content = nest_saved_file_content(before, &length);
    assert_int_equal(length, sizeof bytes);
    assert_memory_equal(content, bytes, length);
    assert_true(nest_saved_file_put(root, "etc/f", NULL, &error));
    assert_true(nest_saved_file_put(root, "etc/f", NULL, &error));
    assert_true(nest_saved_file_read(root, "etc/f", &after, &error));
    assert_null(after);
    assert_true(nest_saved_file_put(root, "etc/f", before, &error));
    assert_true(nest_saved_file_read(root, "etc/f", &after, &error));
    assert_string_equal(after, before);
    assert_int_equal(stat(full, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_no_error(error);
}

static void test_file_in_a_new_folder(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *saved = nest_saved_file_make(0644, geteuid(), getegid(), "one\n", 4);
    g_autofree char *folder = at("etc/modprobe.d");
    struct stat status;
    put("etc/x", "");
    mode_t mask = umask(0077);
    assert_true(nest_saved_file_put(root, "etc/modprobe.d/nestd.conf", saved, &error));
    umask(mask);
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0755);
    put("etc/modprobe.d/.nestd.conf.nestd", "half");
    assert_true(nest_saved_file_put(root, "etc/modprobe.d/nestd.conf", saved, &error));
    g_autofree char *text = text_of("etc/modprobe.d/nestd.conf");
    assert_string_equal(text, "one\n");
    assert_null(text_of("etc/modprobe.d/.nestd.conf.nestd"));
    assert_false(nest_saved_file_put(root, "no/such/folder", saved, &error));
    assert_nest_error(error, NEST_ERROR_HOST_UNFIT, "/no/such/folder can't be written");
}

static void test_files_that_are_none(void **state)
{
    g_autofree char *large = g_strnfill(NEST_SAVED_FILE_MAX + 1, 'x');
    put("target", "x");
    put("large", large);
    lay_link("link", "target");
    for (guint i = 0; i < 3; i++) {
        const char *paths[] = {"large", "link", "."};
        g_autoptr(GError) error = NULL;
        char *saved = NULL;
        assert_false(nest_saved_file_read(root, paths[i], &saved, &error));
        assert_nest_error(error, NEST_ERROR_HOST_UNFIT, "/");
        assert_null(saved);
    }
}

static NestHostHands *hands_with(const char *script)
{
    g_autofree char *path = at("modprobe");
    g_autofree char *text = g_strdup_printf("#!/bin/sh\ncd %s\n%s\n", root, script);
    put("modprobe", text);
    assert_int_equal(chmod(path, 0755), 0);
    return nest_host_hands_new(root, path, 300);
}

static void test_modprobe_is_run_bare(void **state)
{
    g_autoptr(GError) error = NULL;
    g_setenv("NEST_TEST_SECRET", "1", TRUE);
    g_autoptr(NestHostHands) hands = hands_with(
        "echo \"$@\" >> words; test -z \"$NEST_TEST_SECRET$HOME$USER\" || echo leaked >> words");
    assert_true(hands->ops->load(hands, "kvm_intel", "nested=1", &error));
    assert_true(hands->ops->load(hands, "kvm_intel", NULL, &error));
    assert_true(hands->ops->unload(hands, "kvm_intel", &error));
    g_autofree char *words = text_of("words");
    assert_string_equal(words, "-- kvm_intel nested=1\n-- kvm_intel\n-r -- kvm_intel\n");
}

static void test_modprobe_fails(void **state)
{
    g_autoptr(GError) busy = NULL, io = NULL, mute = NULL, absent = NULL;
    g_autoptr(NestHostHands) hands = hands_with(
        "case $1 in -r) echo 'modprobe: FATAL: Module kvm_intel is in use.' >&2;;\n"
        "*) echo \"modprobe: ERROR: could not insert 'kvm_intel': Operation not supported\" >&2;"
        "esac; exit 1");
    assert_false(hands->ops->unload(hands, "kvm_intel", &busy));
    assert_nest_error(busy, NEST_ERROR_HOST_BUSY, "unloaded: Module kvm_intel is in use");
    assert_false(hands->ops->load(hands, "kvm_intel", NULL, &io));
    assert_nest_error(
        io, NEST_ERROR_HOST_UNFIT, "loaded: could not insert 'kvm_intel': Operation not supported");
    g_autoptr(NestHostHands) silent = hands_with("exit 1");
    assert_false(silent->ops->load(silent, "kvm_intel", NULL, &mute));
    assert_nest_error(mute, NEST_ERROR_HOST_UNFIT, "does not say why");
    g_autoptr(NestHostHands) none = nest_host_hands_new("/", "/nonexistent/modprobe", 300);
    assert_false(none->ops->load(none, "kvm_intel", NULL, &absent));
    assert_nest_error(absent, NEST_ERROR_HOST_UNFIT, "/nonexistent/modprobe");
}

static void test_modprobe_hangs(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHostHands) hands = hands_with("echo $$ > pid; exec sleep 600");
    gint64 since = g_get_monotonic_time();
    assert_false(hands->ops->load(hands, "kvm_intel", NULL, &error));
    assert_nest_error(error, NEST_ERROR_TIMEOUT, "did not load kvm_intel within 300 ms");
    assert_true(g_get_monotonic_time() - since < 60 * G_USEC_PER_SEC);
    g_autofree char *pid = text_of("pid");
    if (pid != NULL)
        assert_int_not_equal(kill(atoi(pid), 0), 0);
}

static void test_modprobe_says_much(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHostHands) hands = hands_with(
        "i=0; while [ $i -lt 3000 ]; do echo 'a long line that fills every pipe there is' >&2; "
        "i=$((i+1)); done");
    assert_true(hands->ops->load(hands, "kvm_intel", NULL, &error));
    assert_no_error(error);
}

/* Below another root nothing may happen to the machine that runs this. */
static void test_modules_of_another_root(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHostHands) hands = nest_host_hands_new(root, NULL, NEST_MODPROBE_TIMEOUT_MS);
    assert_false(hands->ops->load(hands, "kvm_intel", NULL, &error));
    assert_nest_error(error, NEST_ERROR_UNSUPPORTED, "not the running host");
}

static void test_settings(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *nested = NULL, *none = NULL, *access = NULL, *device = at("dev/kvm");
    g_autoptr(NestHostHands) hands = hands_with("echo \"$@\" >> words");
    put("sys/module/kvm_intel/parameters/nested", "N\n");
    put("dev/kvm", "");
    assert_int_equal(chmod(device, 0600), 0);
    assert_true(nest_host_setting_read(root, NEST_HOST_NESTED, "kvm_intel", &nested, &error));
    assert_string_equal(nested, "N");
    assert_true(nest_host_setting_read(root, NEST_HOST_NESTED, "kvm_amd", &none, &error));
    assert_null(none);
    assert_true(nest_host_setting_put(hands, root, NEST_HOST_NESTED, "kvm_intel", "Y", &error));
    assert_true(nest_host_setting_put(hands, root, NEST_HOST_NESTED, "kvm_amd", "1", &error));
    g_autofree char *words = text_of("words");
    assert_string_equal(words, "-r -- kvm_intel\n-- kvm_intel nested=Y\n-- kvm_amd nested=1\n");
    g_autofree char *wanted = g_strdup_printf("0660 %u %u", geteuid(), getegid());
    assert_true(nest_host_setting_put(hands, root, NEST_HOST_ACCESS, "dev/kvm", wanted, &error));
    assert_true(nest_host_setting_read(root, NEST_HOST_ACCESS, "dev/kvm", &access, &error));
    assert_string_equal(access, wanted);
    assert_true(nest_host_setting_same(NEST_HOST_NESTED, "Y", "1"));
    assert_false(nest_host_setting_same(NEST_HOST_NESTED, "Y", "0"));
    assert_false(nest_host_setting_same(NEST_HOST_NESTED, NULL, "0"));
    assert_false(nest_host_setting_same(NEST_HOST_FILE, "Y", "1"));
}

/* As with udev: the access to the device is back a moment after the module. */
static void test_device_comes_back(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = NULL, *after = NULL, *device = at("dev/kvm");
    g_autoptr(NestHostHands) hands =
        hands_with("test \"$1\" = -r && rm dev/kvm && exit\n"
                   "(umask 077; : > dev/kvm)\n"
                   "(sleep 0.1; chmod 0640 dev/kvm) >/dev/null 2>&1 &");
    put("sys/module/kvm_intel/parameters/nested", "N\n");
    put("dev/kvm", "");
    assert_int_equal(chmod(device, 0640), 0);
    assert_true(nest_host_setting_read(root, NEST_HOST_ACCESS, "dev/kvm", &before, &error));
    assert_true(nest_host_setting_put(hands, root, NEST_HOST_NESTED, "kvm_intel", "Y", &error));
    assert_true(nest_host_setting_read(root, NEST_HOST_ACCESS, "dev/kvm", &after, &error));
    assert_string_equal(after, before);
}

/* Without udev it stays away; that is host.kvm.access's to tell. */
static void test_device_stays_closed(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHostHands) hands =
        hands_with("test \"$1\" = -r && rm dev/kvm && exit\n(umask 077; : > dev/kvm)");
    g_autofree char *device = at("dev/kvm");
    put("sys/module/kvm_intel/parameters/nested", "N\n");
    put("dev/kvm", "");
    assert_int_equal(chmod(device, 0640), 0);
    assert_true(nest_host_setting_put(hands, root, NEST_HOST_NESTED, "kvm_intel", "Y", &error));
}

static NestHostRepair *read_repair(void)
{
    g_autoptr(NestHostFacts) facts = nest_host_probe(root);
    return nest_host_repair_read(root, facts);
}

static void test_groups_and_rules(void **state)
{
    put("etc/group", "root:x:0:\nkvm2:x:7:\n");
    put("usr/lib/group", "kvm:x:36:qemu\n");
    put("usr/lib/udev/rules.d/50-default.rules",
        "# KERNEL==\"kvm\", MODE=\"0777\"\n"
        "KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\", OPTIONS+=\"static_node=kvm\"\n"
        "KERNEL==\"vhost-net\", MODE=\"0666\"\n");
    g_autoptr(NestHostRepair) plain = read_repair();
    assert_int_equal(plain->kvm_gid, 36);
    assert_int_equal(plain->rule_mode, 0660);
    assert_true(plain->rule_group);
    assert_string_equal(plain->rule_where, "/usr/lib/udev/rules.d/50-default.rules");
    assert_false(plain->udev);
    put("etc/group", "kvm:x:104:libvirt-qemu");
    put("etc/udev/rules.d/90-mine.rules", "SUBSYSTEM==\"misc\", KERNEL==\"kvm\",MODE:=\"600\"\n");
    g_autoptr(NestHostRepair) strict = read_repair();
    assert_int_equal(strict->kvm_gid, 104);
    assert_int_equal(strict->rule_mode, 0600);
    assert_true(strict->rule_group);
    assert_string_equal(strict->rule_where, "/etc/udev/rules.d/90-mine.rules");
    assert_true(strict->udev);
    put("etc/udev/rules.d/50-default.rules", "# hides the other\n");
    put("etc/udev/rules.d/90-mine.rules", "KERNEL==\"kvm\", GROUP=\"wheel\"\n");
    put("etc/udev/rules.d/99-nestd-kvm.rules", "KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\"\n");
    g_autoptr(NestHostRepair) hidden = read_repair();
    assert_int_equal(hidden->rule_mode, 0600);
    assert_false(hidden->rule_group);
    assert_non_null(hidden->rule.value);
}

static void test_users(void **state)
{
    put("proc/cpuinfo", "processor : 0\nvendor_id : GenuineIntel\nflags : vmx\n");
    put("sys/module/kvm_intel/refcnt", "0\n");
    put("proc/4711/comm", "qemu-system-x86\n");
    lay_link("proc/4711/fd/12", "anon_inode:kvm-vm");
    put("proc/12/comm", "firecracker\n");
    lay_link("proc/12/fd/3", "/dev/kvm");
    put("proc/13/comm", "bash\n");
    lay_link("proc/13/fd/3", "/dev/null");
    g_autoptr(NestHostRepair) idle = read_repair();
    assert_null(idle->users[0]);
    put("sys/module/kvm_intel/refcnt", "2\n");
    g_autoptr(NestHostRepair) busy = read_repair();
    assert_int_equal(g_strv_length(busy->users), 2);
    assert_true(g_strv_contains((const char *const *)busy->users, "qemu-system-x86 (4711)"));
    assert_true(g_strv_contains((const char *const *)busy->users, "firecracker (12)"));
}

static void assert_configured(const char *where, const char *value)
{
    g_autoptr(NestHostRepair) repair = read_repair();
    guint i = 0;
    assert_int_equal(nest_host_modprobe_winner(repair->nested_where, &i), where != NULL);
    if (where == NULL)
        return;
    assert_string_equal(repair->nested_where[i], where);
    assert_string_equal(repair->nested_values[i], value);
}

static void test_which_setting_counts(void **state)
{
    put("proc/cpuinfo", "processor : 0\nvendor_id : GenuineIntel\nflags : vmx\n");
    put("proc/cmdline", "quiet\n");
    assert_configured(NULL, NULL);
    put("usr/lib/modprobe.d/zz.conf", "options kvm-intel nested=0\n");
    assert_configured("/usr/lib/modprobe.d/zz.conf", "0");
    put("etc/modprobe.d/kvm.conf", "options kvm_intel nested=0 nested=1\n");
    assert_configured("/usr/lib/modprobe.d/zz.conf", "0");
    put("etc/modprobe.d/zz.conf", "# hides the other\n");
    assert_configured("/etc/modprobe.d/kvm.conf", "1");
    assert_null(nest_host_modprobe_blacklisted(root, "kvm_intel"));
    put("etc/modprobe.d/no.conf",
        "blacklist kvm_amd\n# blacklist kvm_intel\nblacklist kvm-intel\n");
    assert_configured("/etc/modprobe.d/kvm.conf", "1");
    g_autofree char *blacklisted = nest_host_modprobe_blacklisted(root, "kvm_intel");
    assert_string_equal(blacklisted, "/etc/modprobe.d/no.conf");
    put("proc/cmdline", "quiet kvm_intel.nested=0\n");
    assert_configured("/proc/cmdline", "0");
}

/* Debian's drivers and NixOS have links there; none of them leads out of the root. */
static void test_links_of_modprobe(void **state)
{
    g_autofree char *outside = g_strdup_printf("%s.conf", root);
    g_autofree char *fifo = at("etc/alternatives/fifo");
    put("proc/cpuinfo", "processor : 0\nvendor_id : GenuineIntel\nflags : vmx\n");
    put("proc/cmdline", "quiet\n");
    put("etc/alternatives/kvm", "options kvm_intel nested=0\n");
    lay_link("etc/modprobe.d/a.conf", "/etc/alternatives/kvm");
    assert_configured("/etc/modprobe.d/a.conf", "0");
    lay_link("etc/modprobe.d/b.conf", "../alternatives/kvm");
    lay_link("etc/modprobe.d/nowhere.conf", "/etc/alternatives/nothing");
    lay_link("etc/modprobe.d/null.conf", "/dev/null");
    assert_configured("/etc/modprobe.d/b.conf", "0");
    assert_true(g_file_set_contents(outside, "options kvm_intel nested=1\n", -1, NULL));
    lay_link("etc/modprobe.d/c.conf", outside);
    g_autoptr(NestHostRepair) repair = read_repair();
    g_remove(outside);
    assert_null(repair->nested_error);
    assert_configured("/etc/modprobe.d/b.conf", "0");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    lay_link("etc/modprobe.d/d.conf", "/etc/alternatives/fifo");
    g_autoptr(NestHostRepair) blocked = read_repair();
    assert_string_equal(blocked->nested_error, "/etc/modprobe.d/d.conf: not a regular file");
}

/* Its service names the configuration, and what is wanted is enabled. */
static void test_libvirt_guests(void **state)
{
    static const char unit[] = "usr/lib/systemd/system/libvirt-guests.service";
    g_autoptr(NestHostFacts) none = nest_host_probe(root);
    assert_true(none->tuning.guests.missing);
    assert_true(none->tuning.on_shutdown.missing);
    put(unit, "[Service]\nEnvironmentFile=-/etc/sysconfig/libvirt-guests\n");
    g_autoptr(NestHostFacts) idle = nest_host_probe(root);
    assert_string_equal(idle->tuning.guests.value, "disabled");
    lay_link("etc/systemd/system/multi-user.target.wants/libvirt-guests.service", unit);
    g_autoptr(NestHostFacts) enabled = nest_host_probe(root);
    assert_string_equal(enabled->tuning.guests.value, "enabled");
    assert_string_equal(enabled->tuning.on_shutdown.path, "/etc/sysconfig/libvirt-guests");
    assert_true(enabled->tuning.on_shutdown.missing);
    g_autoptr(NestHostRepair) repair = nest_host_repair_read(root, enabled);
    assert_string_equal(repair->guests_path, "etc/sysconfig/libvirt-guests");
    assert_null(repair->guests.value);
    assert_null(repair->guests.error);
    put("etc/sysconfig/libvirt-guests", "# nothing\n");
    g_autoptr(NestHostFacts) unset = nest_host_probe(root);
    assert_string_equal(unset->tuning.on_shutdown.value, "");
    assert_false(unset->tuning.on_shutdown.missing);
    lay_link("etc/systemd/system/libvirt-guests.service", "/dev/null");
    g_autoptr(NestHostFacts) masked = nest_host_probe(root);
    assert_string_equal(masked->tuning.guests.value, "disabled");
}

static void test_shell_file(void **state)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"", "K=v\n"},
        {"A=1", "A=1\nK=v\n"},
        {"K=x", "K=v"},
        {"#K=x\n", "#K=x\nK=v\n"},
        {"# a\r\n  K=\"x y\" # b\r\nZ=1", "# a\r\n  K=v # b\r\nZ=1"},
        {"K=1\nK='2;3';Z=1\n\n", "K=1\nK=v;Z=1\n\n"},
        {"K=\nZ=1\n", "K=v\nZ=1\n"},
        {"K=\"open\nZ=1\n", "K=v\nZ=1\n"},
        {"KK=1\nexport K=2\n", "KK=1\nexport K=2\nK=v\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *after = nest_shell_file_set(rows[i].before, "K", "v");
        assert_string_equal(after, rows[i].after);
    }
    g_autofree char *value = nest_shell_file_value("  K='x y' # z", "K");
    assert_string_equal(value, "x y");
    assert_null(nest_shell_file_value("KK=1", "K"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file_comes_back),
        TEST(test_file_in_a_new_folder),
        TEST(test_files_that_are_none),
        TEST(test_modprobe_is_run_bare),
        TEST(test_modprobe_fails),
        TEST(test_modprobe_hangs),
        TEST(test_modprobe_says_much),
        TEST(test_modules_of_another_root),
        TEST(test_settings),
        TEST(test_device_comes_back),
        TEST(test_device_stays_closed),
        TEST(test_groups_and_rules),
        TEST(test_users),
        TEST(test_which_setting_counts),
        TEST(test_libvirt_guests),
        TEST(test_shell_file),
        TEST(test_links_of_modprobe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
