/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-qmp-disks.h"
#include "nest-test.h"

#define DISK(node, driver, read_only) \
    "{\"device\":\"\",\"inserted\":{\"node-name\":\"" node "\",\"drv\":\"" driver \
    "\",\"ro\":" read_only ",\"file\":\"/disks/" node "\",\"image\":{\"x\":1}}}"
#define EMPTY "{\"device\":\"\",\"removable\":true}"
#define ANSWER(drives) "{\"return\":[" drives "],\"id\":\"libvirt-9\"}"
#define KEEP(node) \
    "{\"type\":\"blockdev-snapshot-internal-sync\",\"data\":{\"device\":\"" node \
    "\",\"name\":\"cp\"}}"
#define COMMAND(actions) "{\"execute\":\"transaction\",\"arguments\":{\"actions\":[" actions "]}}"

static void test_keep(void **state)
{
    static const struct {
        const char *answer, *command;
    } rows[] = {
        {ANSWER(DISK("a", "qcow2", "false")), COMMAND(KEEP("a"))},
        {ANSWER(DISK("a", "qcow2", "false") "," EMPTY "," DISK("b", "qcow2", "false")),
            COMMAND(KEEP("a") "," KEEP("b"))},
        {ANSWER(DISK("cd", "raw", "true") "," DISK("a", "qcow2", "false")), COMMAND(KEEP("a"))},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *command = nest_qmp_disks_keep(rows[i].answer, "cp", NULL);
        assert_string_equal(command, rows[i].command);
    }
}

static void test_can_not(void **state)
{
    static const struct {
        const char *answer;
        NestErrorCode code;
        const char *says;
    } rows[] = {
        {ANSWER(DISK("a", "qcow2", "false") "," DISK("b", "raw", "false")), NEST_ERROR_VM_UNFIT,
            "/disks/b is raw"},
        {ANSWER(DISK("a\\n", "qcow2", "false")), NEST_ERROR_VM_UNFIT, "is qcow2"},
        {ANSWER(""), NEST_ERROR_VM_UNFIT, "no disk"},
        {ANSWER(EMPTY "," DISK("cd", "raw", "true")), NEST_ERROR_VM_UNFIT, "no disk"},
        {"{\"error\":{\"class\":\"GenericError\",\"desc\":\"busy\"}}", NEST_ERROR_HYPERVISOR,
            "busy"},
        {"{\"error\":{}}", NEST_ERROR_HYPERVISOR, "does not say why"},
        {ANSWER("{\"inserted\":{}}"), NEST_ERROR_HYPERVISOR, "makes no sense"},
        {"nonsense", NEST_ERROR_HYPERVISOR, "makes no sense"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(nest_qmp_disks_keep(rows[i].answer, "cp", &error));
        assert_int_equal(nest_error_code(error), rows[i].code);
        assert_non_null(strstr(error->message, rows[i].says));
    }
}

static void test_done(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_true(nest_qmp_disks_done("{\"return\":{},\"id\":\"libvirt-10\"}", NULL));
    assert_false(nest_qmp_disks_done("{\"error\":{\"desc\":\"no space\"}}", &error));
    assert_non_null(strstr(error->message, "no space"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_can_not),
        cmocka_unit_test(test_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
