/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard.h"
#include "nest-test-view.h"

typedef struct {
    TestVm vm;
    NestErrorCode code; /* 0: allowed */
    const char *reason;
    const char *next; /* NULL: the way out that the gift names */
} Row;

#define OTHER_VENDOR "another CPU vendor"
#define HOST_CANNOT "can't give it the extension: "
#define DYNAMIC "its memory is dynamic"

static void check_rows(NestGuarded operation, const Row *rows, guint n_rows)
{
    for (guint i = 0; i < n_rows; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        gboolean allowed = nest_guard_allows(operation, &test->view, &error);
        if (allowed != (rows[i].reason == NULL) || allowed != (error == NULL))
            fail_msg("row %u: %s", i, error != NULL ? error->message : "allowed");
        if (allowed)
            continue;
        assert_nest_error(error, rows[i].code, rows[i].reason);
        assert_non_null(strstr(error->message, "DemoVM"));
        g_autoptr(NestProblem) problem = nest_problem_from_error(error);
        g_autoptr(NestGift) gift = nest_vm_view_gift(&test->view);
        const char *next = rows[i].next != NULL ? rows[i].next : gift->next;
        assert_string_equal(problem->next != NULL ? problem->next : "", next != NULL ? next : "");
    }
}

static void test_start(void **state)
{
    static const Row rows[] = {
        {{.cpu = CPU_OFF}},
        {{.cpu = CPU_ON("vmx")}},
        {{.cpu = CPU_MODE("host-passthrough")}},
        {{.cpu = CPU_OFF, .host = "no-extension"}},
        {{.type = "qemu", .cpu = CPU_TCG_ON}},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .host = "no-extension"}},
        /* what can't be known forbids nothing */
        {{.cpu = CPU_ON("vmx"), .host = ""}},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .no_caps = TRUE, .host = ""}},
        {{.cpu = CPU_ON("svm")}, NEST_ERROR_HOST_UNFIT, OTHER_VENDOR, "nestctl enable DemoVM"},
        {{.cpu = CPU_ON("vmx"), .host = "amd-ready"}, NEST_ERROR_HOST_UNFIT, OTHER_VENDOR,
            "nestctl enable DemoVM"},
        {{.type = "qemu", .cpu = CPU_ON("vmx")}, NEST_ERROR_HOST_UNFIT, OTHER_VENDOR,
            "nestctl enable DemoVM"},
        {{.cpu = CPU_ON("vmx"), .host = "intel-nested-off"}, NEST_ERROR_HOST_UNFIT, HOST_CANNOT},
        {{.cpu = CPU_ON("vmx"), .host = "no-extension"}, NEST_ERROR_HOST_UNFIT, HOST_CANNOT},
        {{.type = "qemu", .cpu = CPU_TCG_ON, .tcg_offers_none = TRUE}, NEST_ERROR_HOST_UNFIT,
            HOST_CANNOT},
        {{.cpu = CPU_ON("vmx"), .memory_mib = 4096, .current_mib = 1024, .balloon = TRUE},
            NEST_ERROR_VM_UNFIT, DYNAMIC, "nestctl enable DemoVM"},
        {{.cpu = CPU_OFF, .memory_mib = 4096, .current_mib = 1024, .balloon = TRUE}},
        {{.cpu = CPU_ON("vmx"), .memory_mib = 4096, .current_mib = 1024}},
        {{.cpu = CPU_ON("vmx"), .balloon = TRUE}},
    };
    check_rows(NEST_GUARD_START, rows, G_N_ELEMENTS(rows));
}

static void test_save(void **state)
{
    static const Row rows[] = {
        {{.live_cpu = CPU_OFF, .state = NEST_VM_RUNNING}},
        /* what is stored does not run */
        {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF, .state = NEST_VM_RUNNING}},
        {{.cpu = CPU_ON("vmx")}},
        {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING},
            NEST_ERROR_VM_STATE, "their state would be lost", "nestctl shutdown DemoVM"},
        {{.cpu = CPU_OFF, .live_cpu = CPU_ON("vmx"), .state = NEST_VM_PAUSED}, NEST_ERROR_VM_STATE,
            "their state would be lost", "nestctl shutdown DemoVM"},
        {{.type = "qemu", .cpu = CPU_OFF, .live_cpu = CPU_TCG_ON, .state = NEST_VM_RUNNING},
            NEST_ERROR_VM_STATE, "their state would be lost", "nestctl shutdown DemoVM"},
    };
    check_rows(NEST_GUARD_SAVE, rows, G_N_ELEMENTS(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
