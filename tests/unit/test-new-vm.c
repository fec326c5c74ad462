/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-new-vm.h"
#include "nest-record.h"
#include "nest-test-view.h"
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((guint64)1024)
#define LONG_NAME "a234567890123456789012345678901234567890123456789012345678901234"

typedef struct {
    NestVmSpec spec; /* name and memory are filled in where they are not there */
    const char *host;
    gboolean no_caps, no_kvm, networks;
    NestErrorCode code; /* 0: fine */
    const char *message;
    NestAccel accel; /* what becomes of it */
    NestExtension extension;
} Row;

static const char file[] = "/proc/self/status"; /* any regular file */

static NestHostSnapshot *snapshot(const Row *row)
{
    g_autofree char *root = g_build_filename(
        g_getenv("NEST_TEST_DATA"), "hosts", row->host != NULL ? row->host : "intel-ready", NULL);
    g_autoptr(NestHostFacts) facts = nest_host_probe(root);
    g_autoptr(NestBackendCaps) caps = row->no_caps ? NULL : test_caps(facts);
    if (caps != NULL) {
        caps->kvm = !row->no_kvm;
        caps->networks = row->networks;
    }
    g_autoptr(NestHostPlace) place = nest_host_place_new(root, NULL);
    return nest_host_snapshot_take(place, caps);
}

static void check_row(const Row *row, guint index)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHostSnapshot) host = snapshot(row);
    NestVmSpec given = row->spec;
    if (given.name == NULL)
        given.name = (char *)"new";
    if (given.memory_kib == 0)
        given.memory_kib = 512 * MIB;
    g_autoptr(NestVmSpec) spec = nest_record_copy(&nest_vm_spec_record, &given);
    if (nest_new_vm_check(spec, host, &error) != (row->message == NULL))
        fail_msg("row %u: %s", index, error != NULL ? error->message : "accepted");
    if (row->message != NULL) {
        assert_nest_error(error, row->code, row->message);
        return;
    }
    assert_no_error(error);
    assert_non_null(spec->network);
    assert_true(spec->vcpus >= 1);
    if (row->accel != NEST_ACCEL_AUTO && spec->accel != row->accel)
        fail_msg("row %u: accel %d", index, spec->accel);
    if (row->extension != NEST_EXTENSION_NONE)
        assert_int_equal(nest_new_vm_extension(spec, host), row->extension);
}

static void check_rows(const Row *rows, guint n_rows)
{
    for (guint i = 0; i < n_rows; i++)
        check_row(&rows[i], i);
}

#define REFUSED(text) .code = NEST_ERROR_INVALID_REQUEST, .message = text

static void test_sizes(void **state)
{
    static const Row rows[] = {
        {{.memory_kib = 16 * MIB}},
        {{.memory_kib = 16 * MIB - 1}, REFUSED("16 MiB to 16 TiB")},
        {{.memory_kib = 16 * MIB * MIB * MIB}},
        {{.memory_kib = 16 * MIB * MIB * MIB + 1}, REFUSED("16 MiB to 16 TiB")},
        {{.memory_kib = G_MAXUINT64}, REFUSED("16 MiB to 16 TiB")},
        {{.memory_min_kib = 512 * MIB}},
        {{.memory_min_kib = 512 * MIB + 1}, REFUSED("more than the most")},
        {{.memory_min_kib = 16 * MIB - 1}, REFUSED("must be 16 MiB or more")},
        {{.memory_min_kib = 256 * MIB, .nested = TRUE}, REFUSED("don't go together")},
        {{.memory_min_kib = 512 * MIB, .nested = TRUE}},
        {{.vcpus = 1024}},
        {{.vcpus = 1025}, REFUSED("vcpus")},
        {{.disk_bytes = MIB * MIB}},
        {{.disk_bytes = MIB * MIB - 1}, REFUSED("1 MiB to 1 PiB")},
        {{.disk_bytes = 1ull << 50}},
        {{.disk_bytes = (1ull << 50) + 1}, REFUSED("1 MiB to 1 PiB")},
        {{.disk_bytes = MIB * MIB, .disk = (char *)file}, REFUSED("give either")},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_names(void **state)
{
    static const Row rows[] = {
        {{.name = (char *)""}, REFUSED("")},
        {{.name = (char *)"a/b"}, REFUSED("")},
        {{.name = (char *)"a b"}, REFUSED("")},
        {{.name = (char *)"<a>"}, REFUSED("")},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_files(void **state)
{
    g_autofree char *directory = g_dir_make_tmp("nest-new-XXXXXX", NULL);
    g_autofree char *link = g_build_filename(directory, "link", NULL);
    g_autofree char *fifo = g_build_filename(directory, "fifo", NULL);
    g_autofree char *absent = g_build_filename(directory, "absent", NULL);
    g_autofree char *text = g_strnfill(4097, 'x');
    g_autofree char *path = g_strconcat("/", text, NULL);
    assert_int_equal(symlink(file, link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    char *raw = (char *)"raw", *good = (char *)file, *null = (char *)"/dev/null";
    const Row rows[] = {
        {{.disk = good, .disk_format = raw}},
        {{.disk = good, .disk_format = (char *)"qcow2"}},
        {{.disk = good}, REFUSED("must be given as qcow2 or raw")},
        {{.disk = good, .disk_format = (char *)"vmdk"}, REFUSED("must be given as qcow2 or raw")},
        {{.disk = (char *)"disk.raw", .disk_format = raw}, REFUSED("absolute path")},
        {{.disk = path, .disk_format = raw}, REFUSED("absolute path")},
        {{.disk = absent, .disk_format = raw}, REFUSED("disk can't be used: No such file")},
        {{.disk = link, .disk_format = raw}, REFUSED("disk is not a regular file")},
        {{.disk = fifo, .disk_format = raw}, REFUSED("disk is not a regular file")},
        {{.disk = null, .disk_format = raw}, REFUSED("disk is not a regular file")},
        {{.disk = directory, .disk_format = raw}, REFUSED("disk is not a regular file")},
        {{.iso = good}},
        {{.iso = link}, REFUSED("ISO is not a regular file")},
        {{.kernel = good, .initrd = good, .cmdline = (char *)"quiet"}},
        {{.kernel = fifo}, REFUSED("kernel is not a regular file")},
        {{.kernel = good, .initrd = absent}, REFUSED("initrd can't be used")},
        {{.initrd = good}, REFUSED("needs a kernel")},
        {{.cmdline = (char *)"quiet"}, REFUSED("needs a kernel")},
        {{.kernel = good, .cmdline = text}, REFUSED("too long")},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
    unlink(link);
    unlink(fifo);
    assert_int_equal(rmdir(directory), 0);
}

#define NET(text) .network = (char *)(text)
#define WITH(text) .filter = (char *)(text)

static void test_networks(void **state)
{
    static const Row rows[] = {
        {{NET("none")}},
        {{NET("user")}},
        {{NET("bridge=br0")}},
        {{NET("bridge=")}, REFUSED("the network must be")},
        {{NET("bridge=a/b")}, REFUSED("the network must be")},
        {{NET("bridge='/>")}, REFUSED("the network must be")},
        {{NET("bridge=" LONG_NAME)}, REFUSED("the network must be")},
        {{NET("tap")}, REFUSED("the network must be")},
        {{NET("none=x")}, REFUSED("the network must be")},
        {{NET("")}, REFUSED("the network must be")},
        {{NET("network=default")}, .networks = TRUE},
        {{NET("network=default")}, .no_caps = TRUE},
        {{NET("network=default")}, .code = NEST_ERROR_UNSUPPORTED, .message = "libvirt daemon"},
        {{NET("bridge=br0"), WITH("clean-traffic")}, .networks = TRUE},
        {{NET("bridge=br0"), WITH("clean-traffic")}, .code = NEST_ERROR_UNSUPPORTED,
            .message = "libvirt daemon"},
        {{NET("bridge=br0"), WITH("a b")}, .networks = TRUE, REFUSED("a filter needs")},
        {{NET("user"), WITH("clean-traffic")}, .networks = TRUE, REFUSED("a filter needs")},
        {{WITH("clean-traffic")}, .networks = TRUE, REFUSED("a filter needs")},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_accel(void **state)
{
    static const Row rows[] = {
        {{.nested = FALSE}, .accel = NEST_ACCEL_KVM, .extension = NEST_EXTENSION_VMX},
        {{.nested = TRUE}, .accel = NEST_ACCEL_KVM, .extension = NEST_EXTENSION_VMX},
        {{.nested = TRUE}, .host = "amd-ready", .accel = NEST_ACCEL_KVM,
            .extension = NEST_EXTENSION_SVM},
        {{.nested = TRUE}, .no_caps = TRUE, .accel = NEST_ACCEL_KVM},
        {{.nested = TRUE}, .no_kvm = TRUE, .accel = NEST_ACCEL_TCG,
            .extension = NEST_EXTENSION_SVM},
        {{.nested = TRUE}, .host = "no-extension", .accel = NEST_ACCEL_TCG,
            .extension = NEST_EXTENSION_SVM},
        {{.nested = TRUE}, .host = "software-kvm", .accel = NEST_ACCEL_TCG},
        {{.accel = NEST_ACCEL_TCG, .nested = TRUE}, .accel = NEST_ACCEL_TCG},
        {{.accel = NEST_ACCEL_KVM}, .no_kvm = TRUE, .code = NEST_ERROR_HOST_UNFIT,
            .message = "KVM can't be used"},
        {{.accel = NEST_ACCEL_KVM}, .host = "no-extension", .accel = NEST_ACCEL_KVM},
        {{.accel = NEST_ACCEL_KVM, .nested = TRUE}, .host = "no-extension",
            .code = NEST_ERROR_HOST_UNFIT, .message = "no virtualization extension"},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_accel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
