/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-size.h"
#include "nest-test-view.h"

static void test_pending(void **state)
{
    static const struct {
        const char *stored, *live;
        gboolean pending;
    } rows[] = {
        {CPU_ON("vmx"), NULL, FALSE},
        {CPU_ON("vmx"), CPU_ON("vmx"), FALSE},
        {CPU_ON("vmx"), CPU_OFF, TRUE},
        {CPU_OFF, CPU_ON("vmx"), TRUE},
        {CPU_OFF, CPU_MODE("host-passthrough"), TRUE},
        {CPU_MODE("host-passthrough"), CPU_ON("vmx"), TRUE},
        /* as libvirt prints a running host-model, and a running VM without <cpu> */
        {CPU_MODE("host-model"),
            "<cpu mode='custom'><model>Skylake</model><feature policy='require' name='vmx'/></cpu>",
            FALSE},
        {"", "<cpu mode='custom'><model>qemu64</model></cpu>", FALSE},
        {"<cpu mode='host-model'><feature policy='require' name='vmx'/></cpu>",
            "<cpu mode='custom'><model>Skylake</model><feature policy='disable' name='vmx'/></cpu>",
            TRUE},
        {CPU_ON("vmx"), "<cpu mode='custom'><model>Skylake</model></cpu>", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        TestVm vm = {.cpu = rows[i].stored, .live_cpu = rows[i].live};
        g_autoptr(TestView) test = test_view_new(&vm);
        if (nest_vm_view_pending(&test->view) != rows[i].pending)
            fail_msg("row %u", i);
    }
}

static void test_nesting_without_an_extension(void **state)
{
    static const struct {
        const char *host, *cpu;
        NestNesting nesting;
    } rows[] = {
        {"software-kvm", CPU_MODE("host-passthrough"), NEST_NESTING_OFF},
        {"software-kvm", CPU_ON("vmx"), NEST_NESTING_ON},
        {"", CPU_MODE("host-passthrough"), NEST_NESTING_IMPLICIT},
        {"", CPU_OFF, NEST_NESTING_OFF},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        TestVm vm = {.host = rows[i].host, .cpu = rows[i].cpu};
        g_autoptr(TestView) test = test_view_new(&vm);
        assert_int_equal(nest_vm_view_nesting(&test->view), rows[i].nesting);
    }
}

static void test_sizes(void **state)
{
    static const struct {
        guint64 from, to;
        const char *text;
    } rows[] = {
        {1 << 20, 4 << 20, "1–4 GiB"},
        {512 << 10, 4 << 20, "512 MiB–4 GiB"},
        {4 << 20, 4 << 20, "4 GiB"},
        {1536 << 10, 1536 << 10, "1.5 GiB"},
        {1, 1, "1 KiB"},
        {0, 0, "0 KiB"},
        {3ull << 30, 3ull << 30, "3 TiB"},
        {G_MAXUINT64, G_MAXUINT64, "17179869184 TiB"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = nest_size_range(rows[i].from, rows[i].to);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pending),
        cmocka_unit_test(test_nesting_without_an_extension),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
