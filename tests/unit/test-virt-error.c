/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>
#include <string.h>

static void test_table(void **state)
{
    static const struct {
        int number;
        NestErrorCode code;
    } expected[] = {
        {VIR_ERR_NO_DOMAIN, NEST_ERROR_VM_NOT_FOUND},
        {VIR_ERR_DOM_EXIST, NEST_ERROR_VM_EXISTS},
        {VIR_ERR_OPERATION_INVALID, NEST_ERROR_VM_STATE},
        {VIR_ERR_XML_INVALID_SCHEMA, NEST_ERROR_INVALID_REQUEST},
        {VIR_ERR_CONFIG_UNSUPPORTED, NEST_ERROR_UNSUPPORTED},
        {VIR_ERR_OPERATION_TIMEOUT, NEST_ERROR_TIMEOUT},
        {VIR_ERR_AGENT_UNRESPONSIVE, NEST_ERROR_GUEST_AGENT},
        {VIR_ERR_RPC, NEST_ERROR_BACKEND_UNAVAILABLE},
        {VIR_ERR_OPERATION_FAILED, NEST_ERROR_HYPERVISOR},
        {VIR_ERR_INTERNAL_ERROR, NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OK, NEST_ERROR_HYPERVISOR},
        {100000, NEST_ERROR_HYPERVISOR},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_int_equal(nest_virt_error_code(expected[i].number), expected[i].code);
}

static void test_start(void **state)
{
    static const struct {
        int number;
        const char *message;
        NestErrorCode code;
    } expected[] = {
        {VIR_ERR_OPERATION_FAILED,
            "operation failed: guest CPU doesn't match specification: missing features: vmx",
            NEST_ERROR_HOST_UNFIT},
        {VIR_ERR_OPERATION_FAILED, "es fehlen: npt,svm", NEST_ERROR_HOST_UNFIT},
        {VIR_ERR_OPERATION_FAILED, "vmx", NEST_ERROR_HOST_UNFIT},
        {VIR_ERR_OPERATION_FAILED, "missing features: vmx-apicv-register", NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OPERATION_FAILED, "cannot open /disks/svm2.img", NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OPERATION_FAILED, "cannot open '/images/svm.qcow2'", NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OPERATION_FAILED, "cannot open '/images/old vmx.img'", NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OPERATION_FAILED, "cannot open '/vmx/a'", NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OPERATION_FAILED, "the host CPU lacks svm.", NEST_ERROR_HOST_UNFIT},
        {VIR_ERR_OPERATION_FAILED, "missing features: xsvm, avx", NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OPERATION_FAILED, NULL, NEST_ERROR_HYPERVISOR},
        {VIR_ERR_OPERATION_INVALID, "vmx is already running", NEST_ERROR_VM_STATE},
        {VIR_ERR_CPU_INCOMPATIBLE, "whatever", NEST_ERROR_HOST_UNFIT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_int_equal(
            nest_virt_error_start_code(expected[i].number, expected[i].message), expected[i].code);
}

static void test_define(void **state)
{
    const char *taken = "operation failed: domain 'a' already exists with uuid "
                        "6e657374-0000-4000-8000-000000000001";

    assert_int_equal(
        nest_virt_error_define_code(VIR_ERR_OPERATION_FAILED, taken), NEST_ERROR_VM_EXISTS);
    assert_int_equal(nest_virt_error_define_code(VIR_ERR_OPERATION_FAILED, "no space left"),
        NEST_ERROR_HYPERVISOR);
    assert_int_equal(
        nest_virt_error_define_code(VIR_ERR_OPERATION_FAILED, NULL), NEST_ERROR_HYPERVISOR);
    assert_int_equal(
        nest_virt_error_define_code(VIR_ERR_XML_ERROR, taken), NEST_ERROR_INVALID_REQUEST);
}

static void test_text(void **state)
{
    g_autofree char *lines = nest_virt_error_text("qemu died:\n\tno\x1b[31mdisk.\n");
    g_autofree char *none = nest_virt_error_text(NULL);
    g_autofree char *blank = nest_virt_error_text(" \n. ");
    g_autofree char *broken = nest_virt_error_text("a\xff");
    g_autofree char *long_text = g_strnfill(2000, 'x');
    g_autofree char *wide_text = NULL;
    g_autofree char *cut = nest_virt_error_text(long_text);
    g_autofree char *cut_wide = NULL;

    assert_string_equal(lines, "qemu died:  no [31mdisk");
    assert_string_equal(none, "no reason given");
    assert_string_equal(blank, "no reason given");
    assert_true(g_utf8_validate(broken, -1, NULL));
    assert_int_equal(strlen(cut), 1000);
    long_text[999] = '\0';
    wide_text = g_strconcat(long_text, "€€", NULL);
    cut_wide = nest_virt_error_text(wide_text);
    assert_int_equal(strlen(cut_wide), 999);
    assert_true(g_utf8_validate(cut_wide, -1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_define),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
