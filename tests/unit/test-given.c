/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-given.h"
#include "nest-record.h"
#include "nest-test-view.h"

/* What can be told of the CPU that a running VM got, and by whose word. */

#define CPU_ASKS(mode) "<cpu mode='" mode "'><feature policy='require' name='vmx'/></cpu>"
#define CPU_BOTH \
    "<cpu mode='host-passthrough'><feature policy='require' name='vmx'/>" \
    "<feature policy='require' name='svm'/></cpu>"
#define CPU_LOST "<cpu mode='custom'><feature policy='disable' name='vmx'/></cpu>"
#define CPU_PLAIN CPU_MODE("host-passthrough")
#define OVERRIDE \
    "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-cpu'/>" \
    "<q:arg value='max'/></q:commandline>"

typedef struct {
    TestVm vm;
    NestStartLog log;
    NestAnswer monitor;
    NestPresence presence;
    NestWitness witness;
    NestFlaw flaw; /* with the definition that it was started with */
    NestFlaw flaw_later; /* with one that may have been changed since */
} Row;

#define NO_FLAW NEST_FLAW_NONE, NEST_FLAW_NONE
#define MISSING NEST_FLAW_MISSING, NEST_FLAW_MISSING
#define UNWANTED NEST_FLAW_UNWANTED, NEST_FLAW_UNWANTED

// clang-format off
static const Row rows[] = {
    /* enforced: libvirt compared */
    {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx")}, NEST_START_LOG_UNREAD, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_PRESENT, NEST_WITNESS_LIBVIRT, NO_FLAW},
    {{.cpu = CPU_TCG_ON, .live_cpu = CPU_TCG_ON, .type = "qemu"}, NEST_START_LOG_CLEAN, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_PRESENT, NEST_WITNESS_LIBVIRT, NO_FLAW},
    /* not enforced: the log, if it can be read */
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough")},
        NEST_START_LOG_UNREAD, NEST_ANSWER_UNREAD, NEST_PRESENCE_UNKNOWN, NEST_WITNESS_NONE, NO_FLAW},
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough")},
        NEST_START_LOG_CLEAN, NEST_ANSWER_UNREAD, NEST_PRESENCE_PRESENT, NEST_WITNESS_LOG, NO_FLAW},
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough")},
        NEST_START_LOG_MISSES_VMX, NEST_ANSWER_UNREAD, NEST_PRESENCE_ABSENT, NEST_WITNESS_LOG, MISSING},
    {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx")}, NEST_START_LOG_MISSES_VMX, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_ABSENT, NEST_WITNESS_LOG, MISSING},
    /* it is no matter that the host does not give the one of the other vendor */
    {{.cpu = CPU_BOTH, .live_cpu = CPU_BOTH}, NEST_START_LOG_MISSES_SVM, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_PRESENT, NEST_WITNESS_LOG, NO_FLAW},
    {{.cpu = CPU_BOTH, .live_cpu = CPU_BOTH}, NEST_START_LOG_MISSES_BOTH, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_ABSENT, NEST_WITNESS_LOG, MISSING},
    {{.cpu = CPU_BOTH, .live_cpu = CPU_BOTH, .host = "amd-ready"}, NEST_START_LOG_MISSES_VMX,
        NEST_ANSWER_UNREAD, NEST_PRESENCE_PRESENT, NEST_WITNESS_LOG, NO_FLAW},
    {{.cpu = CPU_BOTH, .live_cpu = CPU_BOTH, .host = "amd-ready"}, NEST_START_LOG_MISSES_SVM,
        NEST_ANSWER_UNREAD, NEST_PRESENCE_ABSENT, NEST_WITNESS_LOG, MISSING},
    /* QEMU's own word outdoes all */
    {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx")}, NEST_START_LOG_CLEAN, NEST_ANSWER_NO,
        NEST_PRESENCE_ABSENT, NEST_WITNESS_MONITOR, MISSING},
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough")},
        NEST_START_LOG_MISSES_VMX, NEST_ANSWER_YES, NEST_PRESENCE_PRESENT, NEST_WITNESS_MONITOR, NO_FLAW},
    {{.cpu = CPU_OFF, .live_cpu = CPU_OFF}, NEST_START_LOG_UNREAD, NEST_ANSWER_YES,
        NEST_PRESENCE_PRESENT, NEST_WITNESS_MONITOR, UNWANTED},
    /* of other modes libvirt notes what it found; asked for later is no flaw of what runs */
    {{.cpu = CPU_ASKS("host-model"), .live_cpu = CPU_ASKS("custom")}, NEST_START_LOG_UNREAD,
        NEST_ANSWER_UNREAD, NEST_PRESENCE_PRESENT, NEST_WITNESS_LIBVIRT, NO_FLAW},
    {{.cpu = CPU_ASKS("host-model"), .live_cpu = CPU_LOST}, NEST_START_LOG_UNREAD, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_ABSENT, NEST_WITNESS_LIBVIRT, NEST_FLAW_MISSING, NEST_FLAW_NONE},
    {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF}, NEST_START_LOG_UNREAD, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_ABSENT, NEST_WITNESS_COMMAND, NEST_FLAW_MISSING, NEST_FLAW_NONE},
    {{.cpu = CPU_OFF, .live_cpu = CPU_ON("vmx")}, NEST_START_LOG_UNREAD, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_PRESENT, NEST_WITNESS_LIBVIRT, NEST_FLAW_UNWANTED, NEST_FLAW_NONE},
    /* arguments behind libvirt's back: a clean log tells nothing then, libvirt's notes do */
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough") OVERRIDE},
        NEST_START_LOG_CLEAN, NEST_ANSWER_UNREAD, NEST_PRESENCE_UNKNOWN, NEST_WITNESS_NONE, NO_FLAW},
    {{.cpu = CPU_OFF, .live_cpu = CPU_OFF OVERRIDE}, NEST_START_LOG_UNREAD, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_UNKNOWN, NEST_WITNESS_NONE, NO_FLAW},
    {{.cpu = CPU_ASKS("custom"), .live_cpu = CPU_LOST OVERRIDE}, NEST_START_LOG_UNREAD,
        NEST_ANSWER_UNREAD, NEST_PRESENCE_ABSENT, NEST_WITNESS_LIBVIRT, NEST_FLAW_MISSING, NEST_FLAW_NONE},
    /* switched off */
    {{.cpu = CPU_OFF, .live_cpu = CPU_OFF}, NEST_START_LOG_UNREAD, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_ABSENT, NEST_WITNESS_COMMAND, NO_FLAW},
    /* nobody said anything */
    {{.cpu = CPU_PLAIN, .live_cpu = CPU_PLAIN}, NEST_START_LOG_CLEAN, NEST_ANSWER_UNREAD,
        NEST_PRESENCE_UNKNOWN, NEST_WITNESS_NONE, NO_FLAW},
    {{.cpu = CPU_PLAIN, .live_cpu = CPU_PLAIN}, NEST_START_LOG_CLEAN, NEST_ANSWER_NO,
        NEST_PRESENCE_ABSENT, NEST_WITNESS_MONITOR, NO_FLAW},
    /* a host without any: what is asked for is at stake */
    {{.cpu = CPU_ASKS("host-passthrough"), .live_cpu = CPU_ASKS("host-passthrough"),
         .host = "software-kvm"},
        NEST_START_LOG_MISSES_VMX, NEST_ANSWER_UNREAD, NEST_PRESENCE_ABSENT, NEST_WITNESS_LOG, MISSING},
};
// clang-format on

static void assert_given(const NestGiven *given, const Row *row, NestFlaw flaw, guint i)
{
    if (given->presence != row->presence || given->witness != row->witness || given->flaw != flaw)
        fail_msg("row %u: %s by %s, flaw %s", i, nest_nick(nest_presence_nicks, given->presence),
            nest_nick(nest_witness_nicks, given->witness), nest_nick(nest_flaw_nicks, given->flaw));
    assert_string_not_equal(nest_given_words(given), "");
}

static void test_rows(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        test->facts->start_log = rows[i].log;
        test->facts->run = test->marks.run = 3;
        test->marks.exposed = rows[i].monitor;
        g_autoptr(NestGiven) at_start = nest_given_judge_start(&test->view);
        g_autoptr(NestGiven) later = nest_given_judge(&test->view);
        assert_given(at_start, &rows[i], rows[i].flaw, i);
        assert_given(later, &rows[i], rows[i].flaw_later, i);
    }
}

/* What the monitor told, and the definition of the start, are of one run. */
static void test_another_run(void **state)
{
    const TestVm vm = {.cpu = CPU_ON("vmx"), .live_cpu = CPU_OFF};
    g_autoptr(TestView) test = test_view_new(&vm);
    g_autofree char *revision = nest_domain_fingerprint(test->facts->xml);
    test->facts->run = test->marks.run = 3;
    test->marks.started_as = revision;
    g_autoptr(NestGiven) same = nest_given_judge(&test->view);
    assert_int_equal(same->flaw, NEST_FLAW_MISSING);
    test->marks.run = 2;
    test->marks.exposed = NEST_ANSWER_YES;
    g_autoptr(NestGiven) other = nest_given_judge(&test->view);
    assert_int_equal(other->flaw, NEST_FLAW_NONE);
    assert_int_equal(other->presence, NEST_PRESENCE_ABSENT);
    test->marks.run = 3;
    test->marks.exposed = NEST_ANSWER_UNREAD;
    test->marks.started_as = (char *)"another";
    g_autoptr(NestGiven) edited = nest_given_judge(&test->view);
    assert_int_equal(edited->flaw, NEST_FLAW_NONE);
    test->marks.started_as = NULL;
}

static void test_off(void **state)
{
    const TestVm vm = {.cpu = CPU_ON("vmx")};
    g_autoptr(TestView) test = test_view_new(&vm);
    assert_null(nest_given_judge(&test->view));
    assert_null(nest_given_judge_start(&test->view));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_another_run),
        cmocka_unit_test(test_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
