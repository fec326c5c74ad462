/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-saved-state.h"
#include "nest-test-view.h"
#include <string.h>

#define NOTE(nesting, activity, kernel, qemu) \
    "{\"kernel\":\"" kernel "\",\"qemu_version\":\"" qemu "\",\"nesting\":\"" nesting \
    "\",\"activity\":\"" activity "\",\"time\":5}"
#define SAVED .state = NEST_VM_SAVED, .saved = TRUE
#define ON SAVED, .cpu = CPU_ON("vmx")
#define AMD SAVED, .cpu = CPU_ON("svm"), .host = "amd-ready"
#define TCG SAVED, .type = "qemu", .cpu = CPU_TCG_ON

static void test_judge(void **state)
{
    static const struct {
        TestVm vm;
        const char *note;
        gint64 time; /* of the file */
        NestGuardSay say;
        const char *why;
        NestParity parity;
    } rows[] = {
        {{SAVED}, NOTE("off", "off", "6.1.0", "7.2.0"), 5, NEST_SAY_OK},
        {{SAVED}, NOTE("off", "off", "99.1.0", "7.2.0"), 5, NEST_SAY_REFUSE, "older now"},
        {{SAVED}, NOTE("off", "off", "6.1.0", "99.0"), 5, NEST_SAY_REFUSE, "older now"},
        {{SAVED}, NOTE("on", "exposed", "6.1.0", "7.2.0"), 5, NEST_SAY_REFUSE, "differ"},
        {{ON}, NOTE("off", "off", "6.1.0", "7.2.0"), 5, NEST_SAY_REFUSE, "differ"},
        {{ON}, NOTE("on", "exposed", "6.1.0", "7.2.0"), 5, NEST_SAY_OK},
        {{ON}, NOTE("on", "exposed", "6.1.0", "7.2.0"), 5, NEST_SAY_REFUSE, "parity=strict",
            NEST_PARITY_STRICT},
        {{AMD}, NOTE("on", "exposed", "6.1.0", "7.2.0"), 5, NEST_SAY_OK},
        {{AMD}, NOTE("on", "hosting", "6.1.0", "7.2.0"), 5, NEST_SAY_REFUSE, "does not come back"},
        {{TCG}, NOTE("on", "exposed", "6.1.0", "7.2.0"), 5, NEST_SAY_OK},
        {{TCG}, NOTE("on", "armed", "6.1.0", "7.2.0"), 5, NEST_SAY_NEVER, "software CPU"},
        /* Saved by somebody else: without a note, of another file, of one without a time. */
        {{SAVED}, NULL, 5, NEST_SAY_WARN, "not known on which"},
        {{SAVED}, "{", 5, NEST_SAY_WARN, "not known on which"},
        {{SAVED}, NOTE("on", "exposed", "99.1.0", "7.2.0"), 6, NEST_SAY_WARN, "not known on which"},
        {{SAVED}, NOTE("off", "off", "6.1.0", "7.2.0"), 0, NEST_SAY_WARN, "not known on which"},
        {{ON}, NULL, 5, NEST_SAY_WARN, "not known on which"},
        {{ON}, NULL, 5, NEST_SAY_REFUSE, "parity=strict", NEST_PARITY_STRICT},
        {{AMD}, NULL, 5, NEST_SAY_REFUSE, "does not come back"},
        {{TCG}, NULL, 5, NEST_SAY_NEVER, "software CPU"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        test->facts->saved_time = rows[i].time;
        test->marks.saved = (char *)rows[i].note;
        g_autoptr(NestGuardVerdict) verdict = nest_saved_judge(&test->view, rows[i].parity);
        if (verdict->say != rows[i].say)
            fail_msg("row %u: %d, %s", i, verdict->say, verdict->reason);
        assert_string_equal(verdict->id, "guard.restore");
        if (rows[i].why != NULL)
            assert_non_null(strstr(verdict->reason, rows[i].why));
        if (verdict->say >= NEST_SAY_REFUSE)
            assert_string_equal(verdict->next, "nestctl start --discard-saved-state DemoVM");
    }
}

/* What is noted is what runs, not what is to run next. */
static void test_note(void **state)
{
    g_autoptr(TestView) test = test_view_new(&(TestVm){
        .state = NEST_VM_RUNNING, .live_cpu = CPU_ON("vmx"), .activity = NEST_ACTIVITY_EXPOSED});
    g_autofree char *note = nest_saved_note(&test->view);
    assert_non_null(strstr(note, "\"nesting\":\"on\""));
    assert_non_null(strstr(note, "\"activity\":\"exposed\""));
    assert_non_null(strstr(note, "\"qemu_version\":\"7.2.22\""));
    assert_non_null(strstr(note, test->host->kernel));
    g_autofree char *at = nest_saved_note_at(note, 7);
    assert_non_null(strstr(at, "\"time\":7"));
    assert_non_null(strstr(at, test->host->kernel));
    assert_null(nest_saved_note_at(NULL, 7));
    assert_null(nest_saved_note_at("{}", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judge), cmocka_unit_test(test_note)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
