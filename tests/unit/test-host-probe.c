/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-firmware-lock.h"
#include "nest-host-file.h"
#include "nest-host-probe.h"
#include "nest-test.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static NestHostFacts *probe_recorded(const char *name)
{
    g_autofree char *root = g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts", name, NULL);
    assert_true(g_file_test(root, G_FILE_TEST_IS_DIR));
    return nest_host_probe(root);
}

static void test_recorded_hosts(void **state)
{
    static const struct {
        const char *name, *vendor, *module, *nested, *outer;
        NestExtension extension;
        gboolean hardware, nests, locked, lock_known, hypervisor, xen;
        int nested_state;
    } rows[] = {
        {"intel-ready", "GenuineIntel", "kvm_intel", "Y", NULL, NEST_EXTENSION_VMX, 1, 1, 0, 1, 0,
            0, 4224},
        {"intel-nested-off", "GenuineIntel", "kvm_intel", "N", NULL, NEST_EXTENSION_VMX, 1, 0, 0, 1,
            0, 0, 0},
        {"amd-ready", "AuthenticAMD", "kvm_amd", "1", NULL, NEST_EXTENSION_SVM, 1, 1, 0, 1, 0, 0,
            4224},
        {"no-extension", "GenuineIntel", NULL, NULL, NULL, NEST_EXTENSION_NONE, 0, 0, 0, 0, 0, 0,
            -1},
        {"bios-locked", "GenuineIntel", NULL, NULL, NULL, NEST_EXTENSION_NONE, 0, 0, 1, 1, 0, 0,
            -1},
        {"software-kvm", "AuthenticAMD", "kvm_pvm", NULL, "KVM", NEST_EXTENSION_NONE, 0, 0, 0, 0, 1,
            0, 0},
        {"host-is-vm", "GenuineIntel", "kvm_intel", "Y", "QEMU", NEST_EXTENSION_VMX, 1, 1, 0, 1, 1,
            0, 4224},
        {"xen-dom0", "GenuineIntel", NULL, NULL, "Xen", NEST_EXTENSION_NONE, 0, 0, 0, 0, 1, 1, -1},
        {"vbox-running", "AuthenticAMD", "kvm_amd", "1", NULL, NEST_EXTENSION_SVM, 0, 0, 0, 0, 0, 0,
            -1},
        {"empty", NULL, NULL, NULL, NULL, NEST_EXTENSION_NONE, 0, 0, 0, 0, 0, 0, -1},
        {"junk", NULL, "kvm_intel", NULL, NULL, NEST_EXTENSION_NONE, 0, 0, 0, 0, 0, 0, -1},
        {"nested-unreadable", "GenuineIntel", "kvm_intel", NULL, NULL, NEST_EXTENSION_VMX, 1, 0, 0,
            1, 0, 0, 4224},
        {"arm", NULL, NULL, NULL, NULL, NEST_EXTENSION_NONE, 0, 0, 0, 0, 0, 0, -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestHostFacts) facts = probe_recorded(rows[i].name);
        print_message("# %s\n", rows[i].name);
        assert_true(g_strcmp0(facts->cpu_vendor, rows[i].vendor) == 0);
        assert_true(g_strcmp0(facts->kvm_module, rows[i].module) == 0);
        assert_true(g_strcmp0(facts->nested.value, rows[i].nested) == 0);
        assert_true((facts->nested.value == NULL) != (facts->nested.error == NULL));
        assert_true(g_strcmp0(facts->outer_hypervisor, rows[i].outer) == 0);
        assert_int_equal(nest_host_extension(facts), rows[i].extension);
        assert_int_equal(nest_host_hardware_kvm(facts), rows[i].hardware);
        assert_int_equal(nest_host_kvm_nests(facts), rows[i].nests);
        assert_int_equal(facts->firmware_locked, rows[i].locked);
        assert_int_equal(facts->firmware_lock_known, rows[i].lock_known);
        assert_non_null(facts->firmware_lock_read);
        assert_int_equal(facts->hypervisor, rows[i].hypervisor);
        assert_int_equal(facts->xen_control, rows[i].xen);
        assert_int_equal(facts->kvm.nested_state, rows[i].nested_state);
        assert_int_equal(facts->kvm.vm_created, facts->kvm.error == NULL);
        assert_int_equal(facts->cpuinfo_read, facts->cpuinfo_error == NULL);
    }
}

static void test_identity(void **state)
{
    g_autoptr(NestHostFacts) facts = probe_recorded("intel-ready");
    assert_string_equal(facts->hostname, "lab01");
    assert_string_equal(facts->kernel, "6.1.0-56-amd64");
    assert_string_equal(facts->arch, "x86_64");
    assert_string_equal(facts->os, "Debian GNU/Linux 12 (bookworm)");
    assert_string_equal(facts->manufacturer, "Dell Inc.");
    assert_string_equal(facts->model, "PowerEdge R650");
    assert_string_equal(facts->cpu_model, "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz");
    assert_int_equal(facts->cpus, 2);
    assert_true(facts->ept);
    assert_false(facts->npt);
    assert_string_equal(facts->slat_parameter.value, "Y");
    assert_string_equal(facts->nested.path, "/sys/module/kvm_intel/parameters/nested");
    assert_int_equal(g_strv_length(facts->other_modules), 0);
}

/* What nesting depends on, alone. */
static void test_nesting(void **state)
{
    static const char *const names[] = {"intel-ready", "amd-ready", "software-kvm", "debian-open"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *root =
            g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts", names[i], NULL);
        g_autoptr(NestHostFacts) all = probe_recorded(names[i]);
        g_autoptr(NestHostFacts) few = nest_host_probe_nesting(root);
        assert_non_null(few->kernel);
        assert_string_equal(few->kernel, all->kernel);
        assert_int_equal(g_strcmp0(few->kvm_module, all->kvm_module), 0);
        assert_int_equal(g_strcmp0(few->nested.value, all->nested.value), 0);
        assert_int_equal(few->svm, all->svm);
        assert_null(few->hostname);
    }
}

static const char *tuned(const NestHostFacts *facts, NestTuning tuning)
{
    return facts->tuning.facts[tuning].value;
}

static void test_tuning(void **state)
{
    g_autoptr(NestHostFacts) intel = probe_recorded("intel-ready");
    g_autoptr(NestHostFacts) amd = probe_recorded("amd-ready");
    for (guint i = 0; i < NEST_N_TUNINGS; i++)
        assert_non_null(tuned(intel, i));
    assert_string_equal(tuned(intel, NEST_TUNING_CLOCK), "tsc");
    assert_string_equal(tuned(amd, NEST_TUNING_APICV), "0");
    assert_string_equal(tuned(amd, NEST_TUNING_USERS), "3");
    assert_null(tuned(amd, NEST_TUNING_SHADOW_VMCS));
    assert_true(amd->tuning.facts[NEST_TUNING_SHADOW_VMCS].missing);
    assert_string_equal(intel->tuning.swaps.value, "0 in use");
    assert_string_equal(amd->tuning.swaps.value, "1 in use");
    assert_int_equal(amd->tuning.available_kib, 2 << 20);
    assert_string_equal(intel->tuning.modules.value, "loaded");
    assert_string_equal(amd->tuning.modules.value, "built in");
    assert_string_equal(intel->tuning.vulnerabilities.value, "2 known");
    assert_int_equal(g_strv_length(intel->tuning.vulnerable), 0);
    assert_int_equal(g_strv_length(intel->tuning.flaws_unknown), 0);
    assert_int_equal(g_strv_length(amd->tuning.vulnerable), 2);
    g_autoptr(NestHostFacts) vm = probe_recorded("host-is-vm");
    assert_int_equal(g_strv_length(vm->tuning.vulnerable), 0);
    assert_int_equal(g_strv_length(vm->tuning.flaws_unknown), 1);
    assert_string_equal(
        vm->tuning.flaws_unknown[0], "srbds: Unknown: Dependent on hypervisor status");
    assert_string_equal(intel->tuning.on_shutdown.value, "shutdown");
    assert_string_equal(amd->tuning.on_shutdown.value, "suspend");
    g_autoptr(NestHostFacts) apart = probe_recorded("debian-open");
    assert_string_equal(apart->tuning.sched_core.value, "vcpus");
    assert_true(amd->tuning.sched_core.missing);
    assert_int_equal(intel->kvm.binary_stats, 1);
    assert_int_equal(amd->kvm.evmcs, 0);
}

/* In folders of their own and by the command line; a file hides its namesake in later folders. */
static void test_settings_of_modules(void **state)
{
    g_autoptr(NestHostFacts) amd = probe_recorded("amd-ready");
    const NestHostTuning *tuning = &amd->tuning;
    /* It is built in: what is in modprobe.d does not count. */
    assert_string_equal(tuning->nested_config.value, "1 found");
    assert_string_equal(tuning->nested_where[0], "/proc/cmdline");
    assert_string_equal(tuning->nested_values[0], "0");
    g_autoptr(NestHostFacts) intel = probe_recorded("intel-ready");
    assert_string_equal(intel->tuning.nested_config.value, "2 found");
    assert_string_equal(intel->tuning.nested_where[0], "/etc/modprobe.d/kvm.conf");
    assert_string_equal(intel->tuning.nested_values[0], "1");
    assert_string_equal(intel->tuning.nested_where[1], "/proc/cmdline");
    assert_string_equal(intel->tuning.nested_values[1], "1");
    g_autoptr(NestHostFacts) unread = probe_recorded("nested-unreadable");
    assert_null(unread->tuning.nested_config.value);
    assert_string_equal(
        unread->tuning.nested_config.error, "/proc/cmdline: No such file or directory");
}

static void test_other_hypervisor(void **state)
{
    g_autoptr(NestHostFacts) facts = probe_recorded("vbox-running");
    assert_string_equal(facts->other_modules[0], "vboxdrv");
    assert_string_equal(facts->other_vms[0], "VBoxHeadless");
    assert_true(facts->kvm.opened);
    assert_string_equal(facts->kvm.error, "KVM_CREATE_VM: Device or resource busy");
}

static void test_messy_hosts(void **state)
{
    g_autoptr(NestHostFacts) junk = probe_recorded("junk");
    assert_null(junk->kernel);
    assert_null(junk->os);
    assert_string_equal(junk->cpuinfo_error, "not a text");
    assert_true(junk->kvm.present);
    assert_false(junk->kvm.opened);
    assert_string_equal(junk->nested.error, "not a text");
    g_autoptr(NestHostFacts) unreadable = probe_recorded("nested-unreadable");
    assert_string_equal(unreadable->nested.error, "not a regular file");
    g_autoptr(NestHostFacts) nothing = nest_host_probe("/nonexistent/root");
    assert_false(nothing->cpuinfo_read);
    assert_false(nothing->kvm.present);
    assert_int_equal(nothing->kvm.api_version, -1);
}

/* A directory of its own for each test, removed afterwards. */
static int make_root(void **state)
{
    *state = g_dir_make_tmp("nest-host-XXXXXX", NULL);
    return *state == NULL;
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
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

static char *place(const char *root, const char *path)
{
    char *full = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);
    assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
    return full;
}

static void put(const char *root, const char *path, const char *text, gssize length)
{
    g_autofree char *full = place(root, path);
    assert_true(g_file_set_contents(full, text, length, NULL));
}

/* A device that has this at a place, and nothing behind it. */
static void put_at(const char *root, const char *path, guint32 where, const void *value, gsize size)
{
    g_autofree char *full = place(root, path);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, value, size, where), size);
    close(fd);
}

static void put_msr(const char *root, guint32 msr, guint64 value)
{
    put_at(root, "dev/cpu/0/msr", msr, &value, sizeof value);
}

static void put_cpuid(const char *root, guint32 leaf, guint32 ecx)
{
    guint32 registers[4] = {0, 0, ecx, 0};
    put_at(root, "dev/cpu/0/cpuid", leaf, registers, sizeof registers);
}

static void test_huge_cpuinfo(void **state)
{
    g_autofree char *filler = g_strnfill(2000, 'x');
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 1024; i++)
        g_string_append_printf(text,
            "processor\t: %u\nvendor_id\t: GenuineIntel\nflags\t\t: fpu %s ept vmx\n\n", i, filler);
    put(*state, "proc/cpuinfo", text->str, text->len);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_int_equal(facts->cpus, 1024);
    assert_true(facts->vmx);
    assert_true(facts->ept);
}

static void test_cpuinfo_beyond_the_bound(void **state)
{
    g_autofree char *filler = g_strnfill(8 * 1024 * 1024, 'x');
    memcpy(filler, "processor : 0\n", 14);
    put(*state, "proc/cpuinfo", filler, 8 * 1024 * 1024);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_int_equal(facts->cpus, 1);
    assert_false(facts->vmx);
}

static void test_flags_are_whole_words(void **state)
{
    put(*state, "proc/cpuinfo",
        "processor : 0\nflags : svm_lock vmxnet ept_ad rtm_always_abort\nvmx flags : ept vpid\n",
        -1);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_false(facts->tsx);
    assert_false(facts->vmx);
    assert_false(facts->svm);
    assert_true(facts->ept);
}

static void test_the_first_cpu_counts(void **state)
{
    put(*state, "proc/cpuinfo",
        "processor : 0\nmodel name : first\nflags : fpu\n\n"
        "processor : 1\nmodel name : second\nflags : fpu vmx\n",
        -1);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_string_equal(facts->cpu_model, "first");
    assert_false(facts->vmx);
    assert_int_equal(facts->cpus, 2);
}

static void test_nothing_blocks_or_follows(void **state)
{
    g_autofree char *fifo = place(*state, "proc/cpuinfo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    g_autofree char *link = place(*state, "proc/sys/kernel/hostname");
    assert_int_equal(symlink("/etc/hostname", link), 0);
    g_autofree char *log = place(*state, "dev/kmsg");
    assert_int_equal(mkfifo(log, 0600), 0);
    g_autofree char *kvm = place(*state, "dev/kvm");
    assert_int_equal(symlink("/dev/null", kvm), 0);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_string_equal(facts->cpuinfo_error, "not a regular file");
    assert_null(facts->hostname);
    assert_true(facts->kvm.present);
    assert_string_equal(facts->kvm.error, "not a device");
}

static void test_shown_text_is_harmless(void **state)
{
    put(*state, "sys/class/dmi/id/sys_vendor", "  Evil\x1b[31m\xff Corp \nsecond line\n", -1);
    g_autofree char *blank = g_strnfill(1000, ' ');
    put(*state, "sys/class/dmi/id/product_name", blank, -1);
    g_autofree char *long_name = g_strnfill(1000, 'n');
    put(*state, "proc/sys/kernel/hostname", long_name, -1);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_string_equal(facts->manufacturer, "Evil?[31m\xef\xbf\xbd Corp");
    assert_null(facts->model);
    assert_int_equal(strlen(facts->hostname), 256);
    char *reason = NULL;
    assert_null(nest_host_file_line(*state, "sys/class/dmi/id/product_name", &reason));
    assert_string_equal(reason, "empty");
    g_free(reason);
}

static void test_clean_cuts_between_characters(void **state)
{
    g_autoptr(GString) text = g_string_new("x");
    for (guint i = 0; i < 200; i++)
        g_string_append(text, "ä");
    g_autofree char *shown = nest_host_file_clean(text->str);
    assert_int_equal(strlen(shown), 255);
    assert_true(g_utf8_validate(shown, -1, NULL));
}

static void lock_of(const char *root, const char *vendor, gboolean vm, gboolean flag,
    gboolean known, gboolean locked, const char *says)
{
    NestHostFacts facts = {.cpu_vendor = (char *)vendor, .hypervisor = vm, .vmx = flag};
    NestFirmwareLock lock;
    nest_firmware_lock_read(root, &facts, &lock);
    assert_int_equal(lock.known, known);
    assert_int_equal(lock.locked, locked);
    assert_non_null(strstr(lock.read, says));
    g_free(lock.read);
}

static void test_lock_by_register(void **state)
{
    const char *root = *state;
    lock_of(root, "GenuineIntel", FALSE, FALSE, FALSE, FALSE, "No such file");
    put_msr(root, NEST_MSR_FEATURE_CONTROL, 1);
    lock_of(root, "GenuineIntel", FALSE, FALSE, TRUE, TRUE, "register 0x3a is 0x1");
    lock_of(root, "GenuineIntel", TRUE, FALSE, FALSE, FALSE, "itself a VM");
    lock_of(root, "CentaurHauls", FALSE, FALSE, FALSE, FALSE, "vendor of the CPU is unknown");
    lock_of(root, "AuthenticAMD", FALSE, FALSE, FALSE, FALSE, "too short");
    put_msr(root, NEST_MSR_FEATURE_CONTROL, 0);
    lock_of(root, "GenuineIntel", FALSE, FALSE, TRUE, FALSE, "is 0x0");
    put_msr(root, NEST_MSR_FEATURE_CONTROL, 5);
    lock_of(root, "GenuineIntel", FALSE, FALSE, TRUE, FALSE, "is 0x5");
    put_msr(root, NEST_MSR_VM_CR, 0x18);
    lock_of(root, "AuthenticAMD", FALSE, FALSE, TRUE, TRUE, "register 0xc0010114 is 0x18");
    put_msr(root, NEST_MSR_VM_CR, 0x8);
    lock_of(root, "HygonGenuine", FALSE, FALSE, TRUE, FALSE, "is 0x8");
}

/* The register is locked for other features where the CPU has no VT-x. */
static void test_no_extension_to_lock(void **state)
{
    const char *root = *state;
    put_msr(root, NEST_MSR_FEATURE_CONTROL, 1);
    put_cpuid(root, 0x1, 1 << 6);
    lock_of(root, "GenuineIntel", FALSE, FALSE, TRUE, FALSE, "CPUID leaf 0x1: ECX is 0x40");
    put_cpuid(root, 0x1, 1 << 5);
    lock_of(root, "GenuineIntel", FALSE, FALSE, TRUE, TRUE, "register 0x3a is 0x1");
    put_msr(root, NEST_MSR_VM_CR, 0x18);
    lock_of(root, "AuthenticAMD", FALSE, FALSE, TRUE, TRUE, "register 0xc0010114 is 0x18");
    put_cpuid(root, 0x80000001, 1 << 5);
    lock_of(root, "AuthenticAMD", FALSE, FALSE, TRUE, FALSE, "CPUID leaf 0x80000001");
    put_cpuid(root, 0x80000001, 1 << 2);
    lock_of(root, "AuthenticAMD", FALSE, FALSE, TRUE, TRUE, "register 0xc0010114 is 0x18");
}

static void test_lock_by_log(void **state)
{
    const char *root = *state;
    put(root, "var/log/dmesg", "x\n[1.0] x86/cpu: SGX disabled by BIOS.\n", -1);
    lock_of(root, "GenuineIntel", FALSE, FALSE, FALSE, FALSE, "No such file");
    put(root, "var/log/dmesg", "[1.0] kvm: disabled by bios\n", -1);
    lock_of(root, "GenuineIntel", FALSE, FALSE, TRUE, TRUE, "/var/log/dmesg: [1.0] kvm: disabled");
    lock_of(root, "GenuineIntel", FALSE, TRUE, FALSE, FALSE, "No such file");
    put(root, "dev/kmsg", "4,1,1,-;kvm_amd: SVM disabled (by BIOS) in MSR_VM_CR on CPU 0\n", -1);
    lock_of(root, "AuthenticAMD", TRUE, TRUE, TRUE, TRUE, "/dev/kmsg: 4,1,1,-;kvm_amd");
}

static void test_lock_hides_the_extension(void **state)
{
    put(*state, "proc/cpuinfo", "processor : 0\nvendor_id : GenuineIntel\nflags : vmx\n", -1);
    put_msr(*state, NEST_MSR_FEATURE_CONTROL, 1);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_true(facts->vmx);
    assert_int_equal(nest_host_extension(facts), NEST_EXTENSION_NONE);
}

static void test_recorded_kvm(void **state)
{
    static const struct {
        const char *text, *says;
        gboolean opened;
    } rows[] = {
        {"", "empty", FALSE},
        {"hello", "not a device", FALSE},
        {"[other]\na=1\n", "not a device", FALSE},
        {"[kvm]\nerror=open: Permission denied\n", "open: Permission denied", FALSE},
        {"[kvm]\napi-version=12\n", "no VM could be created", TRUE},
        {"[kvm]\napi-version=x\nvm-created=maybe\n", "no VM could be created", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        put(*state, "dev/kvm", rows[i].text, -1);
        g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
        assert_string_equal(facts->kvm.error, rows[i].says);
        assert_int_equal(facts->kvm.opened, rows[i].opened);
        assert_false(facts->kvm.vm_created);
    }
}

static void test_software_module_where_hardware_is_absent(void **state)
{
    put(*state, "sys/module/kvm_intel/parameters/nested", "Y\n", -1);
    put(*state, "sys/module/kvm_pvm/initstate", "live\n", -1);
    g_autoptr(NestHostFacts) facts = nest_host_probe(*state);
    assert_string_equal(facts->kvm_module, "kvm_pvm");
    put(*state, "proc/cpuinfo", "processor : 0\nflags : vmx\n", -1);
    g_autoptr(NestHostFacts) hardware = nest_host_probe(*state);
    assert_string_equal(hardware->kvm_module, "kvm_intel");
}

/* Whatever machine this is: it must not hang, and what is known of every Linux is there. */
static void test_running_host(void **state)
{
    g_autoptr(NestHostFacts) facts = nest_host_probe("/");
    assert_non_null(facts->kernel);
    assert_non_null(facts->arch);
    assert_true(facts->cpuinfo_read);
    assert_int_equal(facts->kvm.vm_created, facts->kvm.error == NULL);
}

#define TEST_WITH_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_hosts),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_tuning),
        cmocka_unit_test(test_settings_of_modules),
        cmocka_unit_test(test_other_hypervisor),
        cmocka_unit_test(test_messy_hosts),
        TEST_WITH_ROOT(test_huge_cpuinfo),
        TEST_WITH_ROOT(test_cpuinfo_beyond_the_bound),
        TEST_WITH_ROOT(test_flags_are_whole_words),
        TEST_WITH_ROOT(test_the_first_cpu_counts),
        TEST_WITH_ROOT(test_nothing_blocks_or_follows),
        TEST_WITH_ROOT(test_shown_text_is_harmless),
        cmocka_unit_test(test_clean_cuts_between_characters),
        TEST_WITH_ROOT(test_lock_by_register),
        TEST_WITH_ROOT(test_no_extension_to_lock),
        TEST_WITH_ROOT(test_lock_by_log),
        TEST_WITH_ROOT(test_lock_hides_the_extension),
        TEST_WITH_ROOT(test_recorded_kvm),
        TEST_WITH_ROOT(test_software_module_where_hardware_is_absent),
        cmocka_unit_test(test_running_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
