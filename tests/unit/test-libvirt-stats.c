/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-stats.h"
#include "nest-test.h"
#include <string.h>

typedef struct {
    virTypedParameterPtr params;
    int n, max;
} Params;

static void params_clear(Params *params)
{
    virTypedParamsFree(params->params, params->n);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Params, params_clear)

/* "NAME=VALUE" as virsh domstats prints it. */
static void add(Params *params, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, "=", 2);
    gboolean flag = strcmp(parts[1], "yes") == 0;
    if (flag || strcmp(parts[1], "no") == 0)
        virTypedParamsAddBoolean(&params->params, &params->n, &params->max, parts[0], flag);
    else if (g_str_has_prefix(parts[0], "state."))
        virTypedParamsAddInt(&params->params, &params->n, &params->max, parts[0], atoi(parts[1]));
    else
        virTypedParamsAddULLong(&params->params, &params->n, &params->max, parts[0],
            g_ascii_strtoull(parts[1], NULL, 10));
}

static void load(Params *params, const char *name)
{
    g_autofree char *text = NULL;
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "samples", name, NULL);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strstrip(text), "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        add(params, lines[i]);
    assert_true(params->n > 3);
}

static NestVmSample sample_of(Params *params)
{
    NestVmSample sample = {.run = 7};
    assert_true(nest_libvirt_stats_read(params->params, params->n, &sample));
    assert_int_equal(sample.run, 7);
    return sample;
}

/* Recorded with libvirt 9.0.0, QEMU 7.2.22 and Linux 6.18. */
static void test_recorded(void **state)
{
    g_auto(Params) kvm = {NULL, 0, 0}, paused = {NULL, 0, 0}, tcg = {NULL, 0, 0};
    load(&kvm, "kvm.txt");
    load(&paused, "kvm-paused.txt");
    load(&tcg, "tcg.txt");

    NestVmSample sample = sample_of(&kvm);
    assert_true(sample.counted && sample.booted);
    assert_false(sample.guest_mode || sample.paused || sample.carried);
    assert_int_equal(sample.nested_run, 0);

    sample = sample_of(&paused);
    assert_true(sample.counted && sample.paused);
    assert_false(sample.booted || sample.carried);

    sample = sample_of(&tcg);
    assert_true(sample.booted);
    assert_false(sample.counted || sample.guest_mode);
}

static void test_off(void **state)
{
    g_auto(Params) off = {NULL, 0, 0};
    NestVmSample sample = {.run = 0};
    load(&off, "off.txt");
    assert_false(nest_libvirt_stats_read(off.params, off.n, &sample));
}

static void test_sum(void **state)
{
    static const char *const lines[] = {"state.state=1", "state.reason=5", "vcpu.current=3",
        "vcpu.0.nested_run.sum=40", "vcpu.1.nested_run.sum=2", "vcpu.12.nested_run.sum=1",
        "vcpu.0.guest_mode.cur=no", "vcpu.1.guest_mode.cur=yes", "vcpu.12.guest_mode.cur=no"};
    g_auto(Params) params = {NULL, 0, 0};
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        add(&params, lines[i]);
    NestVmSample sample = sample_of(&params);
    assert_int_equal(sample.nested_run, 43);
    assert_true(sample.counted && sample.guest_mode);
    assert_false(sample.booted || sample.carried);
}

static void test_origin(void **state)
{
    static const struct {
        int reason;
        gboolean booted, carried;
    } rows[] = {
        {VIR_DOMAIN_RUNNING_UNKNOWN, FALSE, FALSE},
        {VIR_DOMAIN_RUNNING_BOOTED, TRUE, FALSE},
        {VIR_DOMAIN_RUNNING_MIGRATED, FALSE, TRUE},
        {VIR_DOMAIN_RUNNING_RESTORED, FALSE, TRUE},
        {VIR_DOMAIN_RUNNING_FROM_SNAPSHOT, FALSE, TRUE},
        {VIR_DOMAIN_RUNNING_UNPAUSED, FALSE, FALSE},
        {VIR_DOMAIN_RUNNING_POSTCOPY, FALSE, TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Params) params = {NULL, 0, 0};
        g_autofree char *reason = g_strdup_printf("state.reason=%d", rows[i].reason);
        add(&params, "state.state=1");
        add(&params, reason);
        NestVmSample sample = sample_of(&params);
        assert_int_equal(sample.booted, rows[i].booted);
        assert_int_equal(sample.carried, rows[i].carried);
        assert_false(sample.counted);
    }
}

/* Other names and types are not read, and do no harm. */
static void test_foreign(void **state)
{
    g_auto(Params) params = {NULL, 0, 0};
    add(&params, "state.state=1");
    add(&params, "vcpu.nested_run.sum=5");
    add(&params, "vcpu.x.nested_run.sum=5");
    add(&params, "vcpu.0.nested_run=5");
    add(&params, "vcpu.0.nested_run.sum.more=5");
    add(&params, "balloon.current=5");
    virTypedParamsAddString(
        &params.params, &params.n, &params.max, "vcpu.0.nested_run.sum", "many");
    virTypedParamsAddDouble(&params.params, &params.n, &params.max, "vcpu.1.nested_run.sum", 1.5);
    assert_false(sample_of(&params).counted);
    virTypedParamsAddLLong(&params.params, &params.n, &params.max, "vcpu.2.nested_run.sum", -4);
    virTypedParamsAddUInt(&params.params, &params.n, &params.max, "vcpu.3.nested_run.sum", 4);
    assert_true(sample_of(&params).counted);
    assert_int_equal(sample_of(&params).nested_run, 4);
}

static void test_nothing(void **state)
{
    NestVmSample sample = {.run = 0};
    assert_true(nest_libvirt_stats_read(NULL, 0, &sample));
    assert_false(sample.counted || sample.booted || sample.paused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_nothing),
    };
    assert_int_equal(virInitialize(), 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
