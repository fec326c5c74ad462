/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-take-back.h"
#include "nest-test.h"

#define DOMAIN(memory, current, balloon) \
    "<domain type='kvm'><memory>" #memory "</memory><currentMemory>" #current "</currentMemory>" \
    "<devices><memballoon model='" balloon "'/></devices></domain>"
#define NESTED \
    "<domain type='kvm'><memory>2048</memory><currentMemory>2048</currentMemory>" \
    "<cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>" \
    "<devices><memballoon model='none'/></devices></domain>"

static void test_who_is_to_blame(void **state)
{
    static const char *const no_memory =
        "cannot set up guest memory 'pc.ram': Cannot allocate memory";
    static const char *const small = DOMAIN(2048, 2048, "none");
    static const struct {
        NestErrorCode code;
        const char *message, *before, *after;
        gboolean blamed;
    } rows[] = {
        {NEST_ERROR_HOST_UNFIT, "the host CPU lacks vmx", small, small, TRUE},
        {NEST_ERROR_UNSUPPORTED, "Cannot start a: CPU mode is not supported", small, NESTED, TRUE},
        {NEST_ERROR_UNSUPPORTED, "no svm here", small, NESTED, TRUE},
        {NEST_ERROR_UNSUPPORTED, "CPU mode is not supported", small, small, FALSE},
        {NEST_ERROR_UNSUPPORTED, "Cannot start cpu: unknown disk driver", small, NESTED, FALSE},
        {NEST_ERROR_UNSUPPORTED, "unsupported configuration: vhost is not there", small, NESTED,
            FALSE},
        {NEST_ERROR_UNSUPPORTED, "'/images/cpu.qcow2' has no size", small, NESTED, FALSE},
        {NEST_ERROR_UNSUPPORTED, "balloon is not supported", small, DOMAIN(2048, 2048, "virtio"),
            TRUE},
        {NEST_ERROR_HYPERVISOR, no_memory, small, DOMAIN(4096, 4096, "none"), TRUE},
        {NEST_ERROR_HYPERVISOR, no_memory, DOMAIN(2048, 1024, "none"), small, TRUE},
        {NEST_ERROR_HYPERVISOR, no_memory, DOMAIN(2048, 2048, "virtio"), small, TRUE},
        {NEST_ERROR_HYPERVISOR, no_memory, small, small, FALSE},
        {NEST_ERROR_HYPERVISOR, no_memory, "unreadable", small, FALSE},
        {NEST_ERROR_HYPERVISOR, "No such file or directory", small, DOMAIN(4096, 4096, "none"),
            FALSE},
        {NEST_ERROR_TIMEOUT, no_memory, small, DOMAIN(4096, 4096, "none"), FALSE},
        {NEST_ERROR_BACKEND_UNAVAILABLE, "gone", small, DOMAIN(4096, 4096, "none"), FALSE},
        {NEST_ERROR_VM_STATE, "runs already", small, DOMAIN(4096, 4096, "none"), FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) failure = NULL;
        nest_set_error(&failure, rows[i].code, NULL, "%s", rows[i].message);
        print_message("# row %u\n", i);
        assert_int_equal(
            nest_take_back_blames(failure, rows[i].before, rows[i].after), rows[i].blamed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_is_to_blame)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
