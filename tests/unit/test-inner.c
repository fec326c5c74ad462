/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-inner-spec.h"
#include "nest-inner-way.h"
#include "nest-qemu-words.h"
#include "nest-test.h"
#include "nest-tree-sum.h"
#include <string.h>

static void expect_words(
    const char *line, const char *name, guint64 memory_kib, guint vcpus, const char *pidfile)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_auto(NestQemuWords) said = {0};
    nest_qemu_words_read(words, &said);
    assert_int_equal(g_strcmp0(said.name, name), 0);
    assert_int_equal(g_strcmp0(said.pidfile, pidfile), 0);
    assert_int_equal(said.memory_kib, memory_kib);
    assert_int_equal(said.vcpus, vcpus);
}

static void test_qemu_words(void **state)
{
    expect_words("qemu", NULL, 131072, 1, NULL);
    expect_words("qemu -m 512", NULL, 524288, 1, NULL);
    expect_words("qemu --m size=1048576k,slots=2 -smp 4", NULL, 1048576, 4, NULL);
    expect_words("kvm -m 2G -smp cpus=3,maxcpus=8 -name a", "a", 2097152, 3, NULL);
    expect_words("kvm -name guest=b,debug-threads=on", "b", 131072, 1, NULL);
    expect_words("kvm -smp sockets=2,cores=3,threads=2 -name x,process=y", "x", 131072, 12, NULL);
    expect_words("kvm -name process=y -pidfile /run/p -m", NULL, 131072, 1, "/run/p");
    expect_words("kvm -m 1T -smp 8,sockets=1", NULL, 1ull << 30, 8, NULL);
    expect_words("kvm -m 99999999999999999999G", NULL, 0, 1, NULL);
    expect_words("kvm -m 5x", NULL, 0, 1, NULL);
    expect_words("kvm -m x -smp 0", NULL, 131072, 1, NULL);
    expect_words("kvm -smp sockets=60000,cores=60000", NULL, 131072, 0, NULL);
}

static NestInnerProbe *probe(const char *text)
{
    g_autoptr(GString) string = g_string_new(text);
    g_autoptr(GError) error = NULL;
    NestInnerProbe *read = nest_inner_probe_read(string, &error);
    assert_true((read == NULL) == (error != NULL));
    return read;
}

static void test_probe(void **state)
{
    assert_null(probe(""));
    assert_null(probe("nestd-inne"));
    g_autoptr(NestInnerProbe) empty = probe("nestd-inner\n");
    assert_false(empty->kvm);
    assert_null(empty->qemu);
    /* kvm -m 1G, ended by zeroes; then what is no hexadecimal, no name, or cut. */
    g_autoptr(NestInnerProbe) full =
        probe("nestd-inner\ntool virsh\nqemu qemu-kvm\nqemu other\nkvm\n"
              "kept in 6b766d002d6d00314700\nkept ../x 6b00\nkept in\n"
              "kept b 6bzz\nkept c \nprocess 7 qemu 6b00\n"
              "process 8 qemu 6\nprocess\nprocess 9 \xff 00\nprocess 9 bhyve 6b00\n"
              "process \xff qemu 6b00\nprocess 9x qemu 6b00\nprocess  qemu 6b00\n"
              "process 11111111111 qemu 6b00\nprocess 10 firecracker 6600\n");
    assert_true(full->kvm);
    assert_string_equal(full->qemu, "qemu-kvm");
    assert_true(nest_inner_probe_has(full, "virsh"));
    assert_true(nest_inner_probe_has(full, "qemu"));
    assert_false(nest_inner_probe_has(full, "incus"));
    assert_int_equal(full->kept->len, 1);
    const NestInnerVm *kept = g_ptr_array_index(full->kept, 0);
    assert_string_equal(kept->name, "in");
    assert_int_equal(kept->memory_kib, 1 << 20);
    assert_int_equal(kept->state, NEST_VM_OFF);
    assert_int_equal(full->processes->len, 2);
    assert_string_equal(((NestInnerVm *)full->processes->pdata[0])->name, "process 7");
    assert_string_equal(((NestInnerVm *)full->processes->pdata[1])->by, "firecracker");
}

/* However long a text a guest makes up, it is bounded and UTF-8. */
static void test_texts(void **state)
{
    g_autofree char *much = g_strnfill(1 << 20, 'x');
    g_autofree char *cut = nest_inner_way_text(much);
    assert_int_equal(strlen(cut), 255);
    g_autofree char *valid = nest_inner_way_text("\xff");
    assert_string_equal(valid, "\xef\xbf\xbd");
    g_autofree char *json = g_strdup_printf("{\"vms\":[{\"name\":\"a\",\"id\":\"%s\","
                                            "\"state\":\"Off\",\"memory\":1,\"vcpus\":1}]}",
        much);
    g_autoptr(GPtrArray) vms = g_ptr_array_new_with_free_func((GDestroyNotify)nest_inner_vm_free);
    g_autoptr(GString) said = g_string_new(json);
    assert_true(nest_inner_hyperv.read(said, vms, NULL));
    assert_int_equal(strlen(((NestInnerVm *)vms->pdata[0])->id), 255);
}

/* "kvm -pidfile /var/lib/nestd-inner/NAME/pid" */
static char *process_of(const char *name)
{
    g_autofree char *path = g_strdup_printf(NEST_INNER_FOLDER "/%s/pid", name);
    g_autoptr(GString) hex = g_string_new("6b766d002d70696466696c6500");
    for (const char *p = path; *p != '\0'; p++)
        g_string_append_printf(hex, "%02x", (guchar)*p);
    return g_strdup_printf(
        "nestd-inner\nkept in 6b00\nkept inn 6b00\nprocess 7 qemu %s00\n", hex->str);
}

static void test_which_is_kept(void **state)
{
    g_autofree char *text = process_of("in");
    g_autoptr(NestInnerProbe) one = probe(text);
    assert_int_equal(((NestInnerVm *)one->kept->pdata[0])->state, NEST_VM_RUNNING);
    assert_int_equal(((NestInnerVm *)one->kept->pdata[1])->state, NEST_VM_OFF);
    assert_int_equal(one->processes->len, 0);
    g_autofree char *other_text = process_of("i");
    g_autoptr(NestInnerProbe) other = probe(other_text);
    assert_int_equal(((NestInnerVm *)other->kept->pdata[0])->state, NEST_VM_OFF);
    assert_int_equal(other->processes->len, 1);
}

static guint read_by(const NestInnerWay *way, const char *text, gboolean good)
{
    g_autoptr(GPtrArray) vms = g_ptr_array_new_with_free_func((GDestroyNotify)nest_inner_vm_free);
    g_autoptr(GString) string = g_string_new(text);
    g_autoptr(GError) error = NULL;
    assert_int_equal(way->read(string, vms, &error), good);
    assert_true(good == (error == NULL));
    return vms->len;
}

static void test_lists(void **state)
{
    assert_int_equal(read_by(&nest_inner_libvirt, "", TRUE), 0);
    assert_int_equal(read_by(&nest_inner_libvirt, "Domain: ''a' b'\n  state.state=1", TRUE), 1);
    assert_int_equal(read_by(&nest_inner_libvirt, "\nDomain: 'a'\n\nDomain: 'b'\n\n", TRUE), 2);
    read_by(&nest_inner_libvirt, "  state.state=1\n", FALSE);
    read_by(&nest_inner_libvirt, "Domain: 'a\n", FALSE);
    read_by(&nest_inner_libvirt, "Domain: '", FALSE);
    read_by(&nest_inner_libvirt, "error: no\n", FALSE);
    assert_int_equal(read_by(&nest_inner_incus, "[]", TRUE), 0);
    read_by(&nest_inner_incus, "[],\"list\":[]", FALSE);
    read_by(&nest_inner_incus, "[{}]", FALSE);
    read_by(&nest_inner_lxd, "", FALSE);
    assert_int_equal(
        read_by(&nest_inner_proxmox, "[{\"vmid\":1,\"status\":\"running\"}]", TRUE), 1);
    read_by(&nest_inner_proxmox, "[{\"vmid\":\"1\",\"status\":7}]", FALSE);
    assert_int_equal(read_by(&nest_inner_hyperv, "{\"vms\":[]}\r\n", TRUE), 0);
    read_by(&nest_inner_hyperv, "{\"absent\":true}", FALSE);
    read_by(&nest_inner_hyperv, "Get-VM : no", FALSE);
}

static NestErrorCode refusal(NestInnerSpec spec)
{
    g_autoptr(GError) error = NULL;
    if (spec.name == NULL)
        spec.name = (char *)"in";
    if (spec.memory_kib == 0)
        spec.memory_kib = 65536;
    return nest_inner_spec_check(&spec, 1 << 20, &error) ? NEST_N_ERRORS : nest_error_code(error);
}

static void test_specs(void **state)
{
    assert_int_equal(refusal((NestInnerSpec){0}), NEST_N_ERRORS);
    assert_int_equal(refusal((NestInnerSpec){.memory_kib = 1 << 20}), NEST_N_ERRORS);
    assert_int_equal(refusal((NestInnerSpec){.memory_kib = (1 << 20) + 1}), NEST_ERROR_VM_UNFIT);
    assert_int_equal(refusal((NestInnerSpec){.iso = (char *)"C:\\a.iso"}), NEST_N_ERRORS);
    assert_int_equal(refusal((NestInnerSpec){.iso = (char *)"a.iso"}), NEST_ERROR_INVALID_REQUEST);
    assert_int_equal(refusal((NestInnerSpec){.name = (char *)"a;b"}), NEST_ERROR_INVALID_REQUEST);
    assert_int_equal(
        refusal((NestInnerSpec){.network = (char *)"bridge="}), NEST_ERROR_INVALID_REQUEST);
    assert_int_equal(refusal((NestInnerSpec){.network = (char *)"bridge=br0"}), NEST_N_ERRORS);
    assert_int_equal(refusal((NestInnerSpec){.disk = (char *)"/d"}), NEST_ERROR_INVALID_REQUEST);
}

static void test_sums(void **state)
{
    const NestTreeRoom room = {"VMs", 4096, 4}, unknown = {"VMs", 0, 0};
    NestTreeSum all = {0}, active = {0};
    g_auto(GStrv) nothing = nest_tree_sum_judge(&all, &active, &room);
    assert_int_equal(g_strv_length(nothing), 0);
    nest_tree_sum_add(&all, 4096, 4);
    nest_tree_sum_add(&active, 4096, 4);
    g_auto(GStrv) full = nest_tree_sum_judge(&all, &active, &room);
    assert_int_equal(g_strv_length(full), 0);
    nest_tree_sum_add(&all, 1024, 2);
    g_auto(GStrv) would = nest_tree_sum_judge(&all, &active, &room);
    assert_string_equal(would[0], "memory: all VMs would need 5 MiB, of 4 MiB");
    assert_string_equal(would[1], "CPUs: all VMs have 6 vCPUs, 1.5 for each of 4");
    nest_tree_sum_add(&active, 1024, 2);
    g_auto(GStrv) now = nest_tree_sum_judge(&all, &active, &room);
    assert_string_equal(now[0], "memory: VMs that run have 5 MiB, of 4 MiB");
    g_auto(GStrv) none = nest_tree_sum_judge(&all, &active, &unknown);
    assert_int_equal(g_strv_length(none), 0);
    nest_tree_sum_add(&all, G_MAXUINT64, G_MAXUINT);
    nest_tree_sum_add(&all, G_MAXUINT64, G_MAXUINT);
    assert_true(all.memory_kib <= G_MAXINT64 && all.vcpus <= G_MAXINT32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qemu_words),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_which_is_kept),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_specs),
        cmocka_unit_test(test_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
