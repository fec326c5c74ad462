/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-fake.h"
#include "nest-record.h"
#include "nest-sampler.h"
#include "nest-test-store.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define CPU_ON "<cpu mode='maximum' check='full'><feature policy='require' name='svm'/></cpu>"
#define CPU_OFF "<cpu mode='maximum'><feature policy='disable' name='svm'/></cpu>"

typedef struct {
    NestBackend *backend;
    NestStore *store;
    NestMarks *marks;
    NestSampler *sampler;
} Scene;

/* A VM that runs. */
static Scene scene_new(const char *directory, guint monitor)
{
    g_autoptr(GError) error = NULL;
    const char *xml =
        "<domain type='qemu'><name>DemoVM</name><uuid>" UUID "</uuid>"
        "<memory>65536</memory><os><type arch='x86_64'>hvm</type></os>" CPU_ON "</domain>";
    NestBackend *backend = nest_backend_fake_new(NULL);
    assert_true(backend->ops->open(backend, &error));
    assert_true(backend->ops->define(backend, xml, &error));
    assert_true(backend->ops->start(backend, UUID, &error));
    NestStore *store = open_store(directory);
    NestMarks *marks = nest_marks_load(store, NEST_TRUST_TRUSTED, &error);
    assert_no_error(error);
    return (Scene){backend, store, marks, nest_sampler_new(backend, marks, monitor)};
}

static void scene_clear(Scene *scene)
{
    nest_sampler_free(scene->sampler);
    nest_marks_free(scene->marks);
    nest_store_close(scene->store);
    nest_backend_free(scene->backend);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

static void say(Scene *scene, const char *rules)
{
    nest_backend_fake_control(scene->backend, rules);
}

static void assert_activity(NestActivity activity, NestActivity expected)
{
    assert_string_equal(nest_activity_nicks[activity], nest_activity_nicks[expected]);
}

static void assert_marked(Scene *scene, NestActivity expected)
{
    g_autoptr(NestVmMarks) marks = nest_marks_get(scene->marks, UUID);
    assert_activity(marks->activity, expected);
}

/* A round in which the one VM changes to that, with that event. */
static void assert_round(Scene *scene, NestActivity to, const char *event)
{
    g_autoptr(GPtrArray) changes = NULL;
    g_autoptr(GError) error = NULL;
    nest_sampler_round(scene->sampler, &changes, &error);
    assert_no_error(error);
    assert_int_equal(changes->len, 1);
    const NestActivityChange *change = g_ptr_array_index(changes, 0);
    assert_string_equal(change->uuid, UUID);
    assert_activity(change->to, to);
    if (event != NULL)
        assert_string_equal(change->event, event);
    else
        assert_null(change->event);
    assert_marked(scene, to);
}

static void assert_still(Scene *scene)
{
    g_autoptr(GPtrArray) changes = NULL;
    assert_true(nest_sampler_round(scene->sampler, &changes, NULL));
    assert_int_equal(changes->len, 0);
}

/* What a reading of the VM says, and what a look at it finds. */
static NestActivity read_vm(Scene *scene, const char *cpu, gboolean and_look)
{
    g_autofree char *xml =
        g_strdup_printf("<domain type='qemu'><name>DemoVM</name><memory>1</memory>"
                        "<os><type arch='x86_64'>hvm</type></os>%s</domain>",
            cpu);
    NestVmFacts facts = {.uuid = (char *)UUID, .name = (char *)"DemoVM", .live_xml = xml};
    g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
    NestVmView view = {.facts = &facts, .domain = domain, .live = domain};
    if (and_look)
        return nest_sampler_look(scene->sampler, &view);
    nest_sampler_tell(scene->sampler, &view);
    return NEST_ACTIVITY_NONE;
}

static NestActivity look_with(Scene *scene, const char *cpu)
{
    return read_vm(scene, cpu, TRUE);
}

static void tell(Scene *scene)
{
    read_vm(scene, CPU_ON, FALSE);
}

static NestActivity look(Scene *scene)
{
    return look_with(scene, CPU_ON);
}

static void test_rounds(void **state)
{
    g_auto(Scene) scene = scene_new(*state, 0);
    assert_round(&scene, NEST_ACTIVITY_UNKNOWN, NULL);
    assert_still(&scene);
    say(&scene, "set:sample@DemoVM:counted");
    assert_round(&scene, NEST_ACTIVITY_EXPOSED, NULL);
    say(&scene, "set:sample@DemoVM:nested_run=10");
    assert_round(&scene, NEST_ACTIVITY_HOSTING, "nested-l2-started");
    say(&scene, "set:sample@DemoVM:nested_run=20");
    assert_still(&scene);
    /* Gone and back between two rounds: neither end nor beginning was seen. */
    say(&scene, "set:sample@DemoVM:run=2,carried,nested_run=0");
    assert_round(&scene, NEST_ACTIVITY_UNKNOWN, NULL);
    say(&scene, "set:sample@DemoVM:run=2,carried,nested_run=3");
    assert_round(&scene, NEST_ACTIVITY_HOSTING, NULL);
    assert_true(scene.backend->ops->stop(scene.backend, UUID, NULL));
    assert_round(&scene, NEST_ACTIVITY_NONE, "nested-l2-stopped");
    assert_still(&scene);
}

static void test_look(void **state)
{
    g_auto(Scene) scene = scene_new(*state, 0);
    assert_activity(look(&scene), NEST_ACTIVITY_UNKNOWN);
    /* Two looks at once see it grow. */
    say(&scene, "set:sample@DemoVM:resumed,nested_run=100,grow=1");
    assert_activity(look(&scene), NEST_ACTIVITY_HOSTING);
    assert_marked(&scene, NEST_ACTIVITY_HOSTING);
    /* What a look found is told by the next round. */
    say(&scene, "set:sample@DemoVM:resumed,nested_run=200");
    assert_round(&scene, NEST_ACTIVITY_HOSTING, "nested-l2-started");
    say(&scene, "set:sample@DemoVM:run=2,counted");
    assert_activity(look(&scene), NEST_ACTIVITY_EXPOSED);
    say(&scene, "sample:*:timeout:no answer");
    assert_activity(look(&scene), NEST_ACTIVITY_UNKNOWN);
    assert_marked(&scene, NEST_ACTIVITY_UNKNOWN);
    say(&scene, "");
    assert_true(scene.backend->ops->stop(scene.backend, UUID, NULL));
    assert_activity(look(&scene), NEST_ACTIVITY_NONE);
}

static void test_look_at_hidden(void **state)
{
    g_auto(Scene) scene = scene_new(*state, 20);
    say(&scene, "set:sample@DemoVM:carried,counted,armed");
    assert_activity(look_with(&scene, CPU_OFF), NEST_ACTIVITY_OFF);
    assert_round(&scene, NEST_ACTIVITY_OFF, NULL);
    say(&scene, "set:sample@DemoVM:run=2,carried,counted");
    assert_activity(look_with(&scene, CPU_OFF), NEST_ACTIVITY_OFF);
}

static void test_monitor(void **state)
{
    g_auto(Scene) scene = scene_new(*state, 20);
    /* Not asked before it is known to have an extension: it would be tainted for nothing. */
    assert_round(&scene, NEST_ACTIVITY_UNKNOWN, NULL);
    tell(&scene);
    assert_round(&scene, NEST_ACTIVITY_EXPOSED, NULL);
    say(&scene, "set:sample@DemoVM:armed");
    assert_still(&scene); /* it was just asked */
    assert_activity(look(&scene), NEST_ACTIVITY_ARMED);
    assert_round(&scene, NEST_ACTIVITY_ARMED, "nested-armed");
    say(&scene, "set:sample@DemoVM:silent");
    assert_activity(look(&scene), NEST_ACTIVITY_UNKNOWN);
    say(&scene, "set:sample@DemoVM:hidden");
    assert_activity(look(&scene), NEST_ACTIVITY_OFF);
}

static void test_no_monitor(void **state)
{
    g_auto(Scene) scene = scene_new(*state, 0);
    say(&scene, "set:sample@DemoVM:armed");
    assert_activity(look(&scene), NEST_ACTIVITY_UNKNOWN);
    assert_round(&scene, NEST_ACTIVITY_UNKNOWN, NULL);
}

/* One round that fails changes nothing; if it goes on, nothing is known. */
static void test_failing(void **state)
{
    g_auto(Scene) scene = scene_new(*state, 0);
    g_autoptr(GPtrArray) first = NULL, second = NULL;
    g_autoptr(GError) error = NULL;
    say(&scene, "set:sample@DemoVM:counted,guest");
    assert_round(&scene, NEST_ACTIVITY_HOSTING, "nested-l2-started");
    say(&scene, "sample:*:timeout:no answer");
    assert_false(nest_sampler_round(scene.sampler, &first, &error));
    assert_nest_error(error, NEST_ERROR_TIMEOUT, "no answer");
    assert_int_equal(first->len, 0);
    assert_false(nest_sampler_round(scene.sampler, &second, NULL));
    assert_int_equal(second->len, 1);
    assert_marked(&scene, NEST_ACTIVITY_UNKNOWN);
    say(&scene, "set:sample@DemoVM:counted,guest");
    assert_round(&scene, NEST_ACTIVITY_HOSTING, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rounds, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_look, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_look_at_hidden, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_monitor, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_no_monitor, test_setup, test_teardown),
        cmocka_unit_test_setup_teardown(test_failing, test_setup, test_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
