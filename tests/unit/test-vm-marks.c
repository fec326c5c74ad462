/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include "nest-job.h"
#include "nest-marks.h"
#include "nest-test-store.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define DOMAIN(cpu) \
    "<domain type='kvm'><name>a</name><uuid>" UUID "</uuid><memory>1048576</memory>" \
    "<os><type arch='x86_64'>hvm</type></os>" cpu "</domain>"
#define NESTED DOMAIN("<cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>")
#define PLAIN DOMAIN("<cpu mode='host-model'/>")
#define NESTED_WITH(nic) \
    DOMAIN("<cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>" \
           "<devices><interface type='bridge'><mac address='52:54:00:00:00:01'/>" nic \
           "</interface></devices>")
#define FILTER(name) "<filterref filter='" name "'/>"
#define ISOLATED "<port isolated='yes'/>"

/* Of an operation that made xml (NULL: no definition) of before. */
static NestStoredMark *marks_after(const NestStoredMark *mark, const char *kind, const char *before,
    const char *xml, const char *detail)
{
    NestOperation operation = {.kind = (char *)kind};
    NestIntent intent = {.operation = &operation,
        .before_xml = (char *)before,
        .after_xml = (char *)xml,
        .detail = (char *)detail};
    return nest_vm_marks_after(mark, &intent, NULL, NULL);
}

static NestStoredMark *after(gboolean guarded, gboolean fresh, const char *kind, const char *xml)
{
    g_autoptr(NestStoredMark) mark = nest_store_mark_new(UUID);
    mark->labelled = TRUE;
    mark->trust = NEST_TRUST_UNTRUSTED;
    mark->guarded = guarded;
    mark->fresh = fresh;
    return marks_after(mark, kind, NULL, xml, NULL);
}

static void test_what_each_change_leaves(void **state)
{
    static const struct {
        gboolean guarded, fresh;
        const char *kind, *xml;
        gboolean then_guarded, then_fresh;
    } cases[] = {
        {FALSE, FALSE, "enable", NESTED, TRUE, TRUE},
        {TRUE, TRUE, "disable", PLAIN, FALSE, FALSE},
        {TRUE, TRUE, "undo", PLAIN, FALSE, FALSE},
        {FALSE, FALSE, "undo", NESTED, TRUE, FALSE},
        {FALSE, FALSE, "create", NESTED, TRUE, FALSE},
        {FALSE, FALSE, "memory", NESTED, FALSE, FALSE},
        {FALSE, FALSE, "apply-checkpoint", NESTED, FALSE, FALSE},
        {TRUE, TRUE, "apply-checkpoint", NESTED, TRUE, FALSE},
        {TRUE, TRUE, "start", NULL, TRUE, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NestStoredMark) mark =
            after(cases[i].guarded, cases[i].fresh, cases[i].kind, cases[i].xml);
        assert_non_null(mark);
        assert_int_equal(mark->guarded, cases[i].then_guarded);
        assert_int_equal(mark->fresh, cases[i].then_fresh);
        assert_int_equal(mark->trust, NEST_TRUST_UNTRUSTED);
        if (cases[i].xml == NULL)
            continue;
        g_autofree char *expected = nest_domain_fingerprint(cases[i].xml);
        assert_string_equal(
            mark->left_as != NULL ? mark->left_as : "", cases[i].then_guarded ? expected : "");
    }
}

#define STEP(what, from, to) \
    { \
        .kind = (char *)(what), .before_xml = (char *)(from), .after_xml = (char *)(to) \
    }
#define OTHER DOMAIN("<cpu mode='maximum'><feature policy='require' name='vmx'/></cpu>")
#define LARGER \
    DOMAIN("<cpu mode='maximum'><feature policy='require' name='vmx'/></cpu><vcpu>2</vcpu>")

/* What is asked for after changes, the oldest first, of which the last one has just been made. */
static void test_who_asked(void **state)
{
    static const struct {
        NestStoredRevision steps[5];
        gboolean asked;
    } rows[] = {
        {{STEP("enable", OTHER, NESTED)}, TRUE},
        {{STEP("memory", OTHER, LARGER)}, FALSE},
        {{STEP("memory", OTHER, LARGER), STEP("undo", LARGER, OTHER)}, FALSE},
        {{STEP("enable", OTHER, NESTED), STEP("undo", NESTED, OTHER)}, FALSE},
        {{STEP("enable", OTHER, NESTED), STEP("undo", NESTED, OTHER),
             STEP("memory", OTHER, LARGER)},
            FALSE},
        {{STEP("enable", OTHER, NESTED), STEP("undo", NESTED, OTHER), STEP("undo", OTHER, NESTED)},
            TRUE},
        {{STEP("enable", PLAIN, NESTED), STEP("undo", NESTED, PLAIN), STEP("undo", PLAIN, NESTED)},
            TRUE},
        {{STEP("enable", PLAIN, NESTED), STEP("disable", NESTED, PLAIN),
             STEP("undo", PLAIN, NESTED)},
            TRUE},
        {{STEP("enable", PLAIN, NESTED), STEP("enable", OTHER, NESTED),
             STEP("undo", NESTED, OTHER)},
            TRUE},
        {{STEP("enable", PLAIN, OTHER), STEP("memory", OTHER, LARGER), STEP("undo", LARGER, OTHER)},
            TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) history = g_ptr_array_new();
        g_autoptr(NestStoredMark) mark = nest_store_mark_new(UUID);
        for (guint s = 0; s < 5 && rows[i].steps[s].kind != NULL; s++) {
            const NestStoredRevision *step = &rows[i].steps[s];
            NestOperation operation = {.kind = step->kind};
            NestIntent intent = {.operation = &operation,
                .before_xml = step->before_xml,
                .after_xml = step->after_xml};
            NestStoredMark *then = nest_vm_marks_after(mark, &intent, NULL, history);
            nest_stored_mark_free(mark);
            mark = then;
            g_ptr_array_insert(history, 0, (gpointer)step);
        }
        if (mark->guarded != rows[i].asked)
            fail_msg("row %u", i);
    }
}

/* Of a long history only the newest part is read; what that does not tell stays. */
static void test_long_history(void **state)
{
    NestStoredRevision step = STEP("memory", OTHER, LARGER);
    NestOperation operation = {.kind = (char *)"undo"};
    NestIntent intent = {
        .operation = &operation, .before_xml = (char *)LARGER, .after_xml = (char *)OTHER};
    g_autoptr(NestStoredMark) foreign = nest_store_mark_new(UUID);
    g_autoptr(NestStoredMark) asked = marks_after(foreign, "enable", PLAIN, LARGER, NULL);
    g_autoptr(GPtrArray) history = g_ptr_array_new();
    while (history->len < NEST_VM_MARKS_LOOK_BACK - 1)
        g_ptr_array_add(history, &step);
    g_autoptr(NestStoredMark) whole = nest_vm_marks_after(asked, &intent, NULL, history);
    g_ptr_array_add(history, &step);
    g_autoptr(NestStoredMark) kept = nest_vm_marks_after(asked, &intent, NULL, history);
    g_autoptr(NestStoredMark) none = nest_vm_marks_after(foreign, &intent, NULL, history);
    assert_false(whole->guarded);
    assert_true(kept->guarded);
    assert_false(none->guarded);
}

/* What is done between enable and the first start. */
static void test_not_started_yet(void **state)
{
    g_autoptr(NestStoredMark) none = nest_store_mark_new(UUID);
    g_autoptr(NestStoredMark) enabled = marks_after(none, "enable", PLAIN, OTHER, NULL);
    g_autoptr(NestStoredMark) resized = marks_after(enabled, "memory", OTHER, LARGER, NULL);
    g_autoptr(NestStoredMark) back = marks_after(resized, "undo", LARGER, OTHER, NULL);
    g_autoptr(NestStoredMark) started = marks_after(back, "start", NULL, NULL, NULL);
    assert_true(resized->fresh);
    assert_true(back->fresh);
    assert_false(started->fresh);
}

/* Resizing a VM that somebody else has changed is no reason to take that change for nestd's own. */
static void test_memory_is_beside(void **state)
{
    g_autoptr(NestStoredMark) mark = after(FALSE, FALSE, "enable", NESTED);
    g_autofree char *left_as = g_strdup(mark->left_as);
    g_autoptr(NestStoredMark) known = marks_after(mark, "memory", NESTED, NESTED_WITH(""), NULL);
    g_autofree char *expected = nest_domain_fingerprint(NESTED_WITH(""));
    assert_string_equal(known->left_as, expected);
    g_autoptr(NestStoredMark) changed = marks_after(mark, "memory", PLAIN, PLAIN, NULL);
    assert_true(changed->guarded);
    assert_string_equal(changed->left_as, left_as);
    assert_string_equal(changed->open, mark->open);
}

/* What of its interfaces an operation leaves open; a filter that nobody knows is not. */
static void test_what_is_left_open(void **state)
{
    static const struct {
        const char *kind, *xml, *open;
    } cases[] = {
        {"enable", NESTED_WITH(""), "mac-spoofing port-isolation"},
        {"enable", NESTED, "mac-spoofing port-isolation"},
        {"enable", NESTED_WITH(FILTER("clean-traffic")), "port-isolation"},
        {"enable", NESTED_WITH(FILTER("an-own-one")), "port-isolation"},
        {"enable", NESTED_WITH(ISOLATED), "mac-spoofing"},
        {"enable", NESTED_WITH(FILTER("clean-traffic") ISOLATED), NULL},
        {"undo", NESTED_WITH(ISOLATED), "mac-spoofing"},
        {"undo", PLAIN, NULL},
        {"disable", PLAIN, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NestStoredMark) mark = after(FALSE, FALSE, cases[i].kind, cases[i].xml);
        if (g_strcmp0(mark->open, cases[i].open) != 0)
            fail_msg("case %u: %s", i, mark->open);
    }
    g_autoptr(NestStoredMark) open = after(FALSE, FALSE, "enable", NESTED);
    g_autoptr(NestStoredMark) gone = marks_after(open, "delete", NULL, NULL, NULL);
    assert_null(gone->open);
}

/* Where enable left the definition as it was, a start showed already what there is to show. */
static void test_what_enable_of_the_same_leaves(void **state)
{
    for (guint fresh = 0; fresh <= 1; fresh++) {
        g_autoptr(NestStoredMark) mark = nest_store_mark_new(UUID);
        mark->guarded = TRUE;
        mark->fresh = fresh;
        mark->open = g_strdup("mac-spoofing port-isolation");
        g_autoptr(NestStoredMark) then =
            marks_after(mark, "enable", NESTED_WITH(ISOLATED), NESTED_WITH(ISOLATED), NULL);
        g_autofree char *expected = nest_domain_fingerprint(NESTED_WITH(ISOLATED));
        assert_int_equal(then->fresh, fresh);
        assert_string_equal(then->left_as, expected);
        assert_string_equal(then->open, "mac-spoofing");
    }
}

static void test_what_changes_nothing(void **state)
{
    assert_null(after(TRUE, FALSE, "start", NULL));
    assert_null(after(TRUE, TRUE, "stop", NULL));
}

/* A save notes what it saved; what resumes or replaces that forgets it. */
static void test_what_saving_leaves(void **state)
{
    g_autoptr(NestStoredMark) plain = nest_store_mark_new(UUID);
    g_autoptr(NestStoredMark) saved = marks_after(plain, "save", NULL, NULL, "{}");
    assert_string_equal(saved->saved, "{}");
    assert_null(marks_after(saved, "trust", NULL, NULL, "{\"to\":\"trusted\"}"));
    static const struct {
        const char *kind, *xml;
    } rows[] = {{"start", NULL}, {"enable", NESTED}, {"save", NULL}, {"delete", NULL}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestStoredMark) then = marks_after(saved, rows[i].kind, NULL, rows[i].xml, NULL);
        assert_non_null(then);
        assert_null(then->saved);
    }
}

static void test_delete_forgets_all(void **state)
{
    g_autoptr(NestStoredMark) mark = after(TRUE, TRUE, "delete", NULL);
    assert_false(mark->labelled);
    assert_false(mark->guarded);
    assert_false(mark->fresh);
}

static void test_marks_outlive_the_process(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(NestMarks) marks = nest_marks_load(store, NEST_TRUST_UNTRUSTED, NULL);
    g_autoptr(NestVmMarks) none = nest_marks_get(marks, UUID);
    assert_int_equal(none->trust, NEST_TRUST_UNTRUSTED);
    assert_true(nest_marks_set_trust(marks, UUID, TRUE, NEST_TRUST_TRUSTED, NULL));
    nest_marks_set_activity(marks, UUID, NEST_ACTIVITY_ARMED);

    g_autoptr(NestMarks) again = nest_marks_load(store, NEST_TRUST_UNTRUSTED, NULL);
    g_autoptr(NestVmMarks) kept = nest_marks_get(marks, UUID);
    g_autoptr(NestVmMarks) loaded = nest_marks_get(again, UUID);
    assert_int_equal(kept->trust, NEST_TRUST_TRUSTED);
    assert_int_equal(kept->activity, NEST_ACTIVITY_ARMED);
    assert_int_equal(loaded->trust, NEST_TRUST_TRUSTED);
    assert_int_equal(loaded->activity, NEST_ACTIVITY_NONE);
}

static void test_the_end_of_an_operation_stores_it(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(NestIntent) intent = new_intent("enable", "DemoVM");
    g_autoptr(GPtrArray) marks = NULL;
    begin_operation(store, intent);
    intent->mark = nest_store_mark_new(intent->operation->uuid);
    intent->mark->guarded = TRUE;
    intent->mark->left_as = g_strdup("abc");
    intent->mark->saved = g_strdup("{}");
    intent->mark->open = g_strdup("mac-spoofing");
    finish_operation(store, intent, NEST_OP_DONE);
    assert_true(nest_store_marks(store, &marks, NULL));
    assert_int_equal(marks->len, 1);
    const NestStoredMark *mark = g_ptr_array_index(marks, 0);
    assert_true(mark->guarded);
    assert_false(mark->labelled);
    assert_string_equal(mark->left_as, "abc");
    assert_string_equal(mark->saved, "{}");
    assert_string_equal(mark->open, "mac-spoofing");

    g_autoptr(NestStoredMark) plain = nest_store_mark_new(intent->operation->uuid);
    g_autoptr(GPtrArray) rest = NULL;
    assert_true(nest_store_put_mark(store, plain, NULL, NULL));
    assert_true(nest_store_marks(store, &rest, NULL));
    assert_int_equal(rest->len, 0);
}

/* Interrupted, a label is set all the same; it is taken back to what it was, also to none. */
static void test_label_of_a_job(void **state)
{
    g_autoptr(NestStore) store = open_store(*state);
    g_autoptr(NestMarks) marks = nest_marks_load(store, NEST_TRUST_TRUSTED, NULL);
    const char *note = NULL;
    NestIntent *intent = g_new0(NestIntent, 1);
    intent->operation = nest_operation_new();
    intent->operation->kind = g_strdup("trust");
    intent->operation->uuid = g_strdup(UUID);
    intent->detail = g_strdup("{\"to\":\"untrusted\",\"from\":\"trusted\",\"labelled\":false}");
    g_autoptr(NestJob) job = nest_job_from_intent(intent);
    assert_non_null(job);
    job->marks = marks;
    assert_true(job->type->resume(job, NULL));
    assert_int_equal(job->type->recover(job, NULL, &note), NEST_RECOVERY_FINISH);
    for (guint i = 0; i < 2; i++)
        assert_true(job->steps[0]->apply(job, NULL));
    g_autoptr(NestVmMarks) labelled = nest_marks_get(marks, UUID);
    assert_int_equal(labelled->trust, NEST_TRUST_UNTRUSTED);
    assert_true(job->steps[0]->undo(job, NULL));
    g_autoptr(NestVmMarks) back = nest_marks_get(marks, UUID);
    g_autoptr(GPtrArray) stored = NULL;
    assert_int_equal(back->trust, NEST_TRUST_TRUSTED);
    assert_true(nest_store_marks(store, &stored, NULL));
    assert_int_equal(stored->len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_each_change_leaves),
        cmocka_unit_test(test_who_asked),
        cmocka_unit_test(test_long_history),
        cmocka_unit_test(test_not_started_yet),
        cmocka_unit_test(test_memory_is_beside),
        cmocka_unit_test(test_what_is_left_open),
        cmocka_unit_test(test_what_enable_of_the_same_leaves),
        cmocka_unit_test(test_what_changes_nothing),
        cmocka_unit_test(test_what_saving_leaves),
        cmocka_unit_test(test_delete_forgets_all),
        cmocka_unit_test_setup_teardown(test_marks_outlive_the_process, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(
            test_the_end_of_an_operation_stores_it, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_label_of_a_job, test_setup, test_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
