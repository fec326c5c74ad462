/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-windows.h"
#include "nest-install-plan.h"
#include "nest-recipes.h"
#include "nest-test-schema.h"
#include "nest-test-view.h"
#include <glib/gstdio.h>
#include <string.h>

#define FACT "{\"title\":\"t\",\"check\":\"c\",\"next\":\"see {vm}\"}"
#define STEP(id, more) \
    "{\"id\":\"" id "\",\"title\":\"the " id "\",\"target\":\"t\",\"check\":\"c\"," \
    "\"apply\":[\"a\"]" more "}"
#define ENTRY(id, systems, steps, more) \
    "{\"id\":\"" id "\",\"title\":\"t\",\"systems\":[" systems "],\"shell\":\"sh\"," \
    "\"steps\":[" steps "],\"proofs\":[" FACT "]" more "}"
#define FILE_OF(entries) "{\"recipes\":[" entries "]}"
#define PLAIN(id, systems) ENTRY(id, systems, STEP("a", ""), "")

/* ---- files ---- */

static void test_shipped(void **state)
{
    g_autoptr(NestRecipes) recipes = nest_recipes_load("/nonexistent");
    assert_null(recipes->problems[0]);
    assert_true(recipes->entries->len >= 5);
    for (guint i = 0; i < recipes->entries->len; i++) {
        const NestRecipe *recipe = g_ptr_array_index(recipes->entries, i);
        assert_true(recipe->needs->len > 0);
        for (guint n = 0; n < recipe->steps->len; n++) {
            const NestRecipeStep *step = g_ptr_array_index(recipe->steps, n);
            assert_true(step->minutes > 0);
            assert_non_null(step->current);
        }
    }
}

static void test_schema(void **state)
{
    g_autoptr(json_t) schema = test_load_schema("recipes.schema.json");
    json_t *recipe = json_object_get(json_object_get(schema, "$defs"), "recipe");
    test_assert_same_fields(schema, recipe, &nest_recipe_record);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "JSON"},
        {"{}", "\"recipes\" is missing"},
        {FILE_OF("{\"id\":\"a\"}"), "is missing"},
        {FILE_OF(PLAIN("", "\"a\"")), "\"id\""},
        {FILE_OF(PLAIN("a", "")), "1 to 32 systems"},
        {FILE_OF(PLAIN("a", "\"a b\"")), "IDs of os-release"},
        {FILE_OF(PLAIN("a", "\"a\"") "," PLAIN("a", "\"b\"")), "its own"},
        {FILE_OF(ENTRY("a", "\"a\"", "", "")), "1 to 8 steps"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("a", "") "," STEP("a", ""), "")), "ids of their own"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("restart", ""), "")), "ids of their own"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("proof", ""), "")), "ids of their own"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("a", ",\"restart\":true") "," STEP("b", ""), "")),
            "come last"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("a", ",\"minutes\":241"), "")), "240 minutes"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("a", ",\"current\":\"a\\nb\""), "")), "lines of 1"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("a", ""), ",\"variant\":\"a b\"")), "VARIANT_ID"},
        {FILE_OF(
             ENTRY("a", "\"a\"", STEP("a", ""), ",\"needs\":[{\"title\":\"\",\"check\":\"c\"}]")),
            "facts with lines"},
        {FILE_OF(ENTRY("a", "\"a\"", STEP("a", ""), ",\"more\":1")), "unknown field"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) recipes = nest_recipe_read(rows[i].text, strlen(rows[i].text), &error);
        if (recipes != NULL || strstr(error->message, rows[i].says) == NULL)
            fail_msg("row %u: %s", i, error != NULL ? error->message : "taken");
    }
}

static void test_too_long(void **state)
{
    g_autofree char *long_check = g_strnfill(601, 'c');
    g_autofree char *step = g_strdup_printf("{\"id\":\"a\",\"title\":\"t\",\"target\":\"t\","
                                            "\"check\":\"%s\",\"apply\":[\"a\"]}",
        long_check);
    g_autofree char *text = g_strdup_printf(
        "{\"recipes\":[{\"id\":\"a\",\"title\":\"t\",\"systems\":[\"a\"],\"shell\":\"sh\","
        "\"steps\":[%s],\"proofs\":[" FACT "]}]}",
        step);
    g_autoptr(GError) error = NULL;
    assert_null(nest_recipe_read(text, strlen(text), &error));
    assert_non_null(strstr(error->message, "at most 600"));
}

static void test_folder(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("nest-recipes-XXXXXX", NULL);
    g_autofree char *one = g_build_filename(folder, "1.json", NULL);
    g_autofree char *two = g_build_filename(folder, "2.json", NULL);
    g_autofree char *wrong = g_build_filename(folder, "3.json", NULL);
    const char *text = FILE_OF(PLAIN("mine", "\"x\"") "," PLAIN("suse", "\"x\""));
    const char *later = FILE_OF(PLAIN("mine", "\"y\""));
    assert_true(g_file_set_contents(one, text, -1, NULL));
    assert_true(g_file_set_contents(two, later, -1, NULL));
    assert_true(g_file_set_contents(wrong, "{", -1, NULL));
    g_autoptr(NestRecipes) recipes = nest_recipes_load(folder);
    g_autoptr(NestRecipes) shipped = nest_recipes_load("/nonexistent");
    assert_int_equal(recipes->entries->len, shipped->entries->len + 1);
    assert_int_equal(g_strv_length(recipes->problems), 1);
    assert_non_null(strstr(recipes->problems[0], "3.json is left out"));
    const NestRecipe *first = g_ptr_array_index(recipes->entries, 0);
    assert_string_equal(first->id, "mine");
    assert_string_equal(first->systems[0], "y");
    g_remove(one);
    g_remove(two);
    g_remove(wrong);
    g_rmdir(folder);
}

/* ---- which one ---- */

static void test_match(void **state)
{
    static const struct {
        const char *id, *like, *version, *variant, *expected;
    } rows[] = {
        {"debian", NULL, "12", NULL, "debian"},
        {"debian", NULL, NULL, NULL, "debian"},
        {"raspbian", "debian", "11", NULL, "debian"},
        {"linuxmint", "ubuntu debian", "22", NULL, "debian"},
        {"rhel", "fedora", "9.4", NULL, "fedora-rhel"},
        {"rhel", NULL, "7.9", NULL, NULL},
        {"nobara", "fedora", "3", NULL, "fedora-rhel"},
        {"opensuse-tumbleweed", NULL, "20260101", NULL, "suse"},
        {"sles", NULL, "12.5", NULL, NULL},
        {"arch", NULL, NULL, NULL, "arch"},
        {"mswindows", NULL, "10", "client", "windows"},
        {"mswindows", NULL, "2022", "server", "windows"},
        {"alpine", NULL, "3.20", NULL, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    g_autoptr(NestRecipes) recipes = nest_recipes_load("/nonexistent");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) like = rows[i].like != NULL ? g_strsplit(rows[i].like, " ", -1) : NULL;
        const NestGuestSystem system = {
            (char *)rows[i].id, like, (char *)rows[i].version, (char *)rows[i].variant};
        const NestRecipe *found = nest_recipe_match(recipes->entries, &system);
        if (g_strcmp0(found != NULL ? found->id : NULL, rows[i].expected) != 0)
            fail_msg("row %u: %s", i, found != NULL ? found->id : "none");
    }
}

static void test_variant(void **state)
{
    const char *text = FILE_OF(ENTRY("s", "\"w\"", STEP("a", ""), ",\"variant\":\"server\""));
    g_autoptr(GPtrArray) recipes = nest_recipe_read(text, strlen(text), NULL);
    const NestGuestSystem server = {.id = (char *)"w", .variant = (char *)"server"};
    const NestGuestSystem client = {.id = (char *)"w", .variant = (char *)"client"};
    assert_non_null(nest_recipe_match(recipes, &server));
    assert_null(nest_recipe_match(recipes, &client));
}

/* ---- what the guest is told ---- */

static void test_powershell(void **state)
{
    g_autofree char *encoded = nest_guest_windows_encode("'ä'");
    gsize length = 0;
    g_autofree guchar *wide = g_base64_decode(encoded, &length);
    g_autofree char *script =
        g_utf16_to_utf8((gunichar2 *)wide, (glong)length / 2, NULL, NULL, NULL);
    assert_non_null(strstr(script, "\n'ä'\n"));
    g_autoptr(NestRecipes) recipes = nest_recipes_load("/nonexistent");
    for (guint i = 0; i < recipes->entries->len; i++) {
        const NestRecipe *recipe = g_ptr_array_index(recipes->entries, i);
        for (guint n = 0; n < recipe->steps->len; n++) {
            g_autofree char *command = nest_recipe_step_command(recipe->steps->pdata[n]);
            g_autofree char *argument = nest_guest_windows_encode(command);
            assert_true(strlen(argument) < 30000);
        }
    }
}

/* ---- the plan ---- */

#define TEN_LETTERS "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
#define STEPS STEP("a", "") "," STEP("b", ",\"optional\":true") "," STEP("c", ",\"restart\":true")

typedef struct {
    const char *states; /* of needs, steps and proofs: 0, 1 or 3 */
    gboolean restart;
    const char *decline;
    NestPlanVerdict verdict;
    const char *items; /* or what the problem says */
    gboolean warns;
} Row;

static GArray *states_of(const char *text, guint n)
{
    GArray *states = g_array_new(FALSE, TRUE, sizeof(NestRecipeState));
    for (guint i = 0; i < n; i++) {
        NestRecipeState state = text[i] == '0' ? NEST_RECIPE_THERE
            : text[i] == '3'                   ? NEST_RECIPE_AFTER_RESTART
                                               : NEST_RECIPE_MISSING;
        g_array_append_val(states, state);
    }
    return states;
}

static NestRecipeLook *look_of(const NestRecipe *recipe, const char *states)
{
    NestRecipeLook *look = g_new0(NestRecipeLook, 1);
    look->guest = nest_record_new(&nest_guest_record);
    look->guest->family = NEST_GUEST_FAMILY_LINUX;
    look->guest->os = g_strdup("Some OS");
    look->recipe = recipe;
    look->needs = states_of(states, recipe != NULL ? 1 : 0);
    look->steps = states_of(states + 1, recipe != NULL ? 3 : 0);
    look->proofs = states_of(states + 4, recipe != NULL ? 1 : 0);
    return look;
}

static GPtrArray *read_abc(void)
{
    const char *text = FILE_OF(ENTRY("a", "\"a\"", STEPS, ",\"needs\":[" FACT "]"));
    g_autoptr(GError) error = NULL;
    GPtrArray *recipes = nest_recipe_read(text, strlen(text), &error);
    assert_no_error(error);
    return recipes;
}

static TestView *running(void)
{
    static const TestVm vm = {
        .type = "qemu", .cpu = CPU_TCG_ON, .live_cpu = CPU_TCG_ON, .state = NEST_VM_RUNNING};
    return test_view_new(&vm);
}

static char *items_of(const NestPlan *plan)
{
    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < plan->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(plan->items, i);
        g_string_append_printf(ids, "%s%s", ids->len > 0 ? " " : "", item->id);
    }
    return g_string_free(ids, FALSE);
}

static void test_plan(void **state)
{
    static const Row rows[] = {
        {"00000", FALSE, NULL, NEST_PLAN_NO_CHANGE, "", FALSE},
        {"10000", FALSE, NULL, NEST_PLAN_NO_CHANGE, "", FALSE},
        {"00001", FALSE, NULL, NEST_PLAN_REFUSED, "t", FALSE},
        {"01111", FALSE, NULL, NEST_PLAN_STEPS, "a b c", TRUE},
        {"01111", TRUE, NULL, NEST_PLAN_STEPS, "a b c restart", FALSE},
        {"01101", TRUE, NULL, NEST_PLAN_STEPS, "a b", FALSE},
        {"01101", FALSE, "b", NEST_PLAN_STEPS, "a", FALSE},
        {"00100", FALSE, "b", NEST_PLAN_NO_CHANGE, "", FALSE},
        {"01111", FALSE, "a", NEST_PLAN_REFUSED, "no optional item", FALSE},
        {"01111", FALSE, "x", NEST_PLAN_REFUSED, "no optional item", FALSE},
        {"01111", FALSE, "x" TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS, NEST_PLAN_REFUSED,
            "\u00e4\" is no optional item", FALSE},
        {"11111", FALSE, NULL, NEST_PLAN_REFUSED, "t", FALSE},
        {"00031", FALSE, NULL, NEST_PLAN_NO_CHANGE, "", TRUE},
        {"00031", TRUE, NULL, NEST_PLAN_STEPS, "restart", FALSE},
        {"00131", TRUE, NULL, NEST_PLAN_STEPS, "b restart", FALSE},
    };
    g_autoptr(GPtrArray) recipes = read_abc();
    g_autoptr(TestView) test = running();
    g_autoptr(GHashTable) hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *row = &rows[i];
        const char *const decline[] = {row->decline, NULL};
        g_autoptr(NestRecipeLook) look = look_of(recipes->pdata[0], row->states);
        g_autoptr(NestPlan) plan = nest_install_plan_make(&test->view, look, row->restart, decline);
        g_autofree char *items = items_of(plan);
        const char *says = plan->problem != NULL ? plan->problem->detail : items;
        gboolean warns = plan->warnings != NULL && plan->warnings[0] != NULL;
        if (plan->verdict != row->verdict || strstr(says, row->items) == NULL ||
            (plan->problem == NULL && strcmp(items, row->items) != 0) || warns != row->warns)
            fail_msg("row %u: verdict %d, %s", i, plan->verdict, says);
        if (!g_hash_table_add(hashes, g_strdup(plan->hash)))
            fail_msg("row %u has the hash of another", i);
    }
}

static void test_plan_names_the_vm(void **state)
{
    g_autoptr(GPtrArray) recipes = read_abc();
    g_autoptr(TestView) test = running();
    g_autoptr(NestRecipeLook) look = look_of(recipes->pdata[0], "11111");
    g_autoptr(NestPlan) plan = nest_install_plan_make(&test->view, look, FALSE, NULL);
    assert_string_equal(plan->problem->next, "see DemoVM");
    g_autoptr(NestRecipeLook) none = look_of(NULL, "");
    g_autoptr(NestPlan) unknown = nest_install_plan_make(&test->view, none, FALSE, NULL);
    assert_non_null(strstr(unknown->problem->detail, "Some OS"));
}

static void test_obstacle(void **state)
{
    static const struct {
        TestVm vm;
        const char *next;
    } rows[] = {
        {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_RUNNING}, NULL},
        {{.cpu = CPU_OFF, .live_cpu = CPU_OFF, .state = NEST_VM_RUNNING}, "nestctl enable DemoVM"},
        {{.cpu = CPU_ON("vmx")}, "nestctl start DemoVM"},
        {{.cpu = CPU_ON("vmx"), .live_cpu = CPU_ON("vmx"), .state = NEST_VM_PAUSED},
            "nestctl resume DemoVM"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(TestView) test = test_view_new(&rows[i].vm);
        g_autoptr(NestProblem) problem = nest_install_plan_obstacle(&test->view);
        if (g_strcmp0(problem != NULL ? problem->next : NULL, rows[i].next) != 0)
            fail_msg("row %u: %s", i, problem != NULL ? problem->next : "none");
    }
}

static void test_missing(void **state)
{
    static const struct {
        const char *states, *decline, *missing;
        gboolean waits;
    } rows[] = {
        {"00000", NULL, NULL, FALSE},
        {"00100", NULL, "the b", FALSE},
        {"00100", "b", NULL, FALSE},
        {"00030", NULL, NULL, TRUE},
        {"00031", NULL, NULL, TRUE},
        {"00001", NULL, "t", FALSE},
    };
    g_autoptr(GPtrArray) recipes = read_abc();
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *const decline[] = {rows[i].decline, NULL};
        gboolean waits = FALSE;
        g_autoptr(NestRecipeLook) look = look_of(recipes->pdata[0], rows[i].states);
        const char *missing = nest_install_plan_missing(look, decline, &waits);
        if (g_strcmp0(missing, rows[i].missing) != 0 || waits != rows[i].waits)
            fail_msg("row %u: %s", i, missing != NULL ? missing : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_variant),
        cmocka_unit_test(test_powershell),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_plan_names_the_vm),
        cmocka_unit_test(test_obstacle),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
