/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-changelog.h"
#include "nest-host-kernel.h"
#include "nest-host-probe.h"
#include "nest-test.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define DEBIAN(version) \
    "Linux version 6.1.0-37-amd64 (gcc (Debian 12.2.0-14)) #1 SMP Debian " version

static const char *const words[] = {"CVE-2026-1", "CVE-2026-11", "CVE-2026-2", NULL};

static int make_root(void **state)
{
    *state = g_dir_make_tmp("nest-kernel-XXXXXX", NULL);
    return *state == NULL;
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

static int remove_root(void **state)
{
    remove_tree(*state);
    g_free(*state);
    return 0;
}

static void put(const char *root, const char *path, const char *data, gssize length)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);
    assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
    assert_true(g_file_set_contents(full, data, length, NULL));
}

static GBytes *gzip(const char *text, gsize length)
{
    g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, G_CONVERTER(compressor));
    assert_true(g_output_stream_write_all(stream, text, length, NULL, NULL, NULL));
    assert_true(g_output_stream_close(stream, NULL, NULL));
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

static void put_gzip(const char *root, const char *path, const char *text)
{
    g_autoptr(GBytes) bytes = gzip(text, strlen(text));
    put(root, path, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static NestHostKernel *read_kernel(const char *root, const char *release, const char *banner)
{
    put(root, "proc/sys/kernel/osrelease", release, -1);
    if (banner != NULL)
        put(root, "proc/version", banner, -1);
    return nest_host_kernel_read(root, words, NULL);
}

static void assert_text(const char *found, const char *expected)
{
    if (g_strcmp0(found, expected) != 0)
        fail_msg("%s instead of %s", found != NULL ? found : "nothing",
            expected != NULL ? expected : "nothing");
}

static void test_identity(void **state)
{
    static const struct {
        const char *release, *banner, *version;
        gboolean exact;
        const char *distribution, *package;
    } rows[] = {
        {"6.1.0-37-amd64", DEBIAN("6.1.140-1 (2025-05-22)\n"), "6.1.140", TRUE, "debian",
            "6.1.140-1"},
        {"7.2-amd64", DEBIAN("7.2~rc5-1~exp1\n"), "7.2~rc5", TRUE, "debian", "7.2~rc5-1~exp1"},
        {"6.8.12-4-pve", "Linux version 6.8.12-4-pve #1 SMP PMX 6.8.12-4 (2024)\n", "6.8.12", FALSE,
            "proxmox", "6.8.12-4"},
        {"6.1.0-37-amd64", "Linux version 6.1.0-37-amd64\n", "6.1.0", FALSE, "linux", NULL},
        {"6.4.0-150600.23-default", "Linux\n", "6.4.0", FALSE, "linux", NULL},
        {"5.14.0-570.el9_6.x86_64", "Linux\n", "5.14.0", FALSE, "linux", "5.14.0-570.el9_6"},
        {"6.18.8-200.fc43.x86_64", "Linux\n", "6.18.8", TRUE, "linux", "6.18.8-200.fc43"},
        {"6.1.161-183.298.amzn2023.x86_64", "Linux\n", "6.1.161", FALSE, "linux",
            "6.1.161-183.298.amzn2023"},
        {"6.18.44", "Linux\n", "6.18.44", TRUE, "linux", NULL},
        {"6.18.44-arch1-1", "Linux\n", "6.18.44", TRUE, "linux", NULL},
        {"7.2.0-rc5", "Linux\n", "7.2.0-rc5", TRUE, "linux", NULL},
        {"7.2.0", "Linux\n", "7.2.0", TRUE, "linux", NULL},
        {"mainline", "Linux\n", NULL, FALSE, "linux", NULL},
        {"6.1.0-37-amd64", "Linux version Debian \n", "6.1.0", FALSE, "linux", NULL},
    };
    put(*state, "etc/os-release", "NAME=x\nID=\"linux\"\n", -1);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestHostKernel) kernel = read_kernel(*state, rows[i].release, rows[i].banner);
        print_message("%s\n", rows[i].release);
        assert_text(kernel->release, rows[i].release);
        assert_text(kernel->version, rows[i].version);
        assert_text(kernel->distribution, rows[i].distribution);
        assert_text(kernel->package, rows[i].package);
        assert_int_equal(kernel->exact, rows[i].exact);
        assert_false(kernel->live_patched);
        assert_non_null(kernel->changelog_error);
        assert_null(kernel->mentioned[0]);
    }
}

/* SUSE mends without raising the number, Tumbleweed excepted. */
static void test_suse(void **state)
{
    static const struct {
        const char *release, *id;
        gboolean exact;
    } rows[] = {
        {"5.14.21-150500.55.39-default", "sles", FALSE},
        {"5.14.21-150400.24.100-default", "opensuse-leap", FALSE},
        {"5.3.18-150300.59.158-azure", "sles", FALSE},
        {"4.12.14-122.183-default", "linux", FALSE},
        {"5.14.21-150500.13.79-rt", "linux", FALSE},
        {"6.4.9-1-custom", "opensuse-leap", FALSE},
        {"6.18.3-1-default", "opensuse-tumbleweed", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *os = g_strdup_printf("ID=\"%s\"\n", rows[i].id);
        put(*state, "etc/os-release", os, -1);
        g_autoptr(NestHostKernel) kernel = read_kernel(*state, rows[i].release, "Linux\n");
        print_message("%s\n", rows[i].release);
        assert_int_equal(kernel->exact, rows[i].exact);
        assert_text(kernel->distribution, rows[i].id);
    }
}

static void test_ubuntu_and_live_patches(void **state)
{
    put(*state, "proc/version_signature", "Ubuntu 5.15.0-91.101-generic 5.15.131\n", -1);
    put(*state, "sys/kernel/livepatch/lkp_1/enabled", "1\n", -1);
    g_autoptr(NestHostKernel) kernel = read_kernel(*state, "5.15.0-91-generic", "Linux #101\n");
    assert_text(kernel->distribution, "ubuntu");
    assert_text(kernel->package, "5.15.0-91.101");
    assert_text(kernel->version, "5.15.131");
    assert_false(kernel->exact);
    assert_true(kernel->live_patched);
}

static void test_nothing_there(void **state)
{
    g_autoptr(NestHostKernel) kernel = nest_host_kernel_read(*state, words, NULL);
    assert_null(kernel->release);
    assert_null(kernel->version);
    assert_false(kernel->exact);
    g_autoptr(NestHostKernel) odd = read_kernel(*state, "../../../etc", NULL);
    assert_text(odd->changelog_error, "its package has left no changelog");
}

#define CHANGELOG "usr/share/doc/linux-image-6.1.0-37-amd64/changelog.Debian.gz"

/* Only the build that runs and those before it count. */
static void test_changelog(void **state)
{
    put_gzip(*state, CHANGELOG,
        "linux-signed-amd64 (6.1.141+1) bookworm; urgency=high\n\n  * mend (CVE-2026-2)\n\n"
        "linux-signed-amd64 (6.1.140+1) bookworm; urgency=high\n\n  * mend\n    (CVE-2026-11)\n\n"
        "linux-signed-amd64 (6.1.139+1) bookworm; urgency=high\n\n  * xCVE-2026-1 CVE-2026-1x\n");
    g_autoptr(NestHostKernel) kernel =
        read_kernel(*state, "6.1.0-37-amd64", DEBIAN("6.1.140-1 (2025)\n"));
    assert_text(kernel->changelog_error, NULL);
    assert_text(kernel->changelog, "/" CHANGELOG);
    assert_int_equal(g_strv_length(kernel->mentioned), 1);
    assert_string_equal(kernel->mentioned[0], "CVE-2026-11");
}

static void test_read_once(void **state)
{
    put_gzip(*state, CHANGELOG, "linux (6.1.140-1) x; y\n  * CVE-2026-1\n");
    g_autoptr(NestHostKernel) first =
        read_kernel(*state, "6.1.0-37-amd64", DEBIAN("6.1.140-1 (2025)\n"));
    assert_int_equal(g_strv_length(first->mentioned), 1);
    g_autoptr(NestHostKernel) same = nest_host_kernel_read(*state, words, first);
    assert_ptr_equal(same, first);
    put_gzip(*state, CHANGELOG, "linux (6.1.140-1) x; y\n  * CVE-2026-1 and CVE-2026-2\n");
    g_autoptr(NestHostKernel) other = nest_host_kernel_read(*state, words, first);
    assert_ptr_not_equal(other, first);
    assert_int_equal(g_strv_length(other->mentioned), 2);
    put(*state, "proc/version", DEBIAN("6.1.141-1 (2025)\n"), -1);
    g_autoptr(NestHostKernel) booted = nest_host_kernel_read(*state, words, other);
    assert_ptr_not_equal(booted, other);
    assert_non_null(strstr(booted->changelog_error, "no entry of 6.1.141-1"));
}

static void assert_unreadable(const char *root, const void *data, gssize length)
{
    g_autofree char *error = NULL;
    put(root, "log", data, length);
    g_auto(GStrv) found = nest_changelog_find(root, "log", "1-1", words, &error);
    assert_null(found);
    assert_non_null(error);
}

static void test_bad_changelogs(void **state)
{
    static const char entry[] = "linux (1-1) x; y\n";
    g_autoptr(GBytes) bytes = gzip(entry, strlen(entry));
    const char *data = g_bytes_get_data(bytes, NULL);
    assert_unreadable(*state, data, g_bytes_get_size(bytes) - 12);
    assert_unreadable(*state, "", 0);
    assert_unreadable(*state, "\x1f\x8b nothing of the kind", -1);
    assert_unreadable(*state, "\0\0\0\n\0", 5);
    assert_unreadable(*state, "linux 1-1 x\n(1-1)\n", -1);
    g_autofree char *error = NULL;
    g_autofree char *folder = g_build_filename(*state, "folder", NULL);
    assert_int_equal(g_mkdir(folder, 0755), 0);
    assert_null(nest_changelog_find(*state, "folder", "1-1", words, &error));
    assert_string_equal(error, "not a regular file");
    g_autofree char *missing = NULL;
    assert_null(nest_changelog_find(*state, "missing", "1-1", words, &missing));
    assert_non_null(missing);
}

/* 100 MiB without an end of line, and what comes after the bound. */
static void test_huge_changelog(void **state)
{
    g_autoptr(GString) text = g_string_new("linux (1-1) x; y\n * CVE-2026-1\n");
    gsize head = text->len, length = 100 * 1024 * 1024;
    g_string_set_size(text, head + length);
    memset(text->str + head, 'x', length);
    g_string_append(text, "\n CVE-2026-2\n");
    g_autoptr(GBytes) bytes = gzip(text->str, text->len);
    g_autofree char *error = NULL;
    put(*state, "log", g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_auto(GStrv) found = nest_changelog_find(*state, "log", "1-1", words, &error);
    assert_text(error, NULL);
    assert_int_equal(g_strv_length(found), 1);
    assert_string_equal(found[0], "CVE-2026-1");
}

/* What runs on Xen controls it or not; where nothing tells, that is unknown. */
static void test_xen(void **state)
{
    put(*state, "sys/hypervisor/type", "xen\n", -1);
    g_autoptr(NestHostFacts) unread = nest_host_probe(*state);
    assert_false(unread->xen_control);
    assert_string_equal(unread->xen_error, "No such file or directory");
    put(*state, "proc/xen/capabilities", "", -1);
    g_autoptr(NestHostFacts) vm = nest_host_probe(*state);
    assert_false(vm->xen_control);
    assert_null(vm->xen_error);
    put(*state, "sys/hypervisor/properties/features", "00002705\n", -1);
    g_autoptr(NestHostFacts) also_vm = nest_host_probe(*state);
    assert_false(also_vm->xen_control);
    put(*state, "sys/hypervisor/properties/features", "00002f05\n", -1);
    g_autoptr(NestHostFacts) control = nest_host_probe(*state);
    assert_true(control->xen_control);
    assert_null(control->xen_error);
}

/* A kernel without modules has no list of them, or an empty one. */
static void test_built_in(void **state)
{
    put(*state, "sys/module/kvm_intel/parameters/nested", "N\n", -1);
    g_autoptr(NestHostFacts) missing = nest_host_probe(*state);
    assert_string_equal(missing->tuning.modules.value, "built in");
    put(*state, "proc/modules", "", -1);
    g_autoptr(NestHostFacts) empty = nest_host_probe(*state);
    assert_string_equal(empty->tuning.modules.value, "built in");
    put(*state, "proc/modules", "\0", 1);
    g_autoptr(NestHostFacts) unread = nest_host_probe(*state);
    assert_null(unread->tuning.modules.value);
    assert_string_equal(unread->tuning.modules.error, "not a text");
}

/* Who may use the device is told with it. */
static void test_access(void **state)
{
    put(*state, "dev/kvm", "[kvm]\napi-version=12\nvm-created=true\naccess=0600 0 0\n", -1);
    g_autoptr(NestHostFacts) without = nest_host_probe(*state);
    assert_text(without->kvm.access, "0600 0 0");
    assert_int_equal(without->kvm.group, -1);
    put(*state, "etc/group", "root:x:0:\nkvm:x:104:\n", -1);
    g_autoptr(NestHostFacts) with = nest_host_probe(*state);
    assert_int_equal(with->kvm.group, 104);
}

/* Compressed memory is no disk, unless it is written back to one. */
static void test_swaps(void **state)
{
    static const char head[] = "Filename Type Size Used Priority\n";
    g_autofree char *zram = g_strconcat(head, "/dev/zram0 partition 8 0 100\n", NULL);
    g_autofree char *both = g_strconcat(zram, "/dev/sda3 partition 8 0 -2\n", NULL);
    put(*state, "proc/swaps", head, -1);
    g_autoptr(NestHostFacts) none = nest_host_probe(*state);
    assert_text(none->tuning.swaps.value, "0 in use");
    put(*state, "proc/swaps", zram, -1);
    g_autoptr(NestHostFacts) memory = nest_host_probe(*state);
    assert_text(memory->tuning.swaps.value, "1 in memory");
    put(*state, "sys/block/zram0/backing_dev", "/dev/sda4\n", -1);
    g_autoptr(NestHostFacts) back = nest_host_probe(*state);
    assert_text(back->tuning.swaps.value, "1 in use");
    put(*state, "sys/block/zram0/backing_dev", "none\n", -1);
    put(*state, "proc/swaps", both, -1);
    g_autoptr(NestHostFacts) disk = nest_host_probe(*state);
    assert_text(disk->tuning.swaps.value, "1 in use");
}

static void test_core_scheduling(void **state)
{
    put(*state, "etc/libvirt/qemu.conf", "user = \"x\"\n", -1);
    put(*state, "var/lib/nestd/vm/etc/qemu.conf",
        "# a\nsched_core = \"vcpus\"\nsched_core = \"none\"\n", -1);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_text(facts->tuning.sched_core.value, "");
    assert_text(facts->tuning.own_sched_core.value, "vcpus");
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOT(test_identity),
        IN_ROOT(test_suse),
        IN_ROOT(test_ubuntu_and_live_patches),
        IN_ROOT(test_nothing_there),
        IN_ROOT(test_changelog),
        IN_ROOT(test_read_once),
        IN_ROOT(test_bad_changelogs),
        IN_ROOT(test_huge_changelog),
        IN_ROOT(test_xen),
        IN_ROOT(test_core_scheduling),
        IN_ROOT(test_swaps),
        IN_ROOT(test_access),
        IN_ROOT(test_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
