/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-large.h"
#include "nest-test.h"

static void test_one_for_each(void **state)
{
    g_autoptr(GError) error = NULL;
    NestLargePlaces *places = nest_large_places_new();
    NestLarge *mine = nest_large_take(places, 1, &error);
    NestLarge *other = nest_large_take(places, 2, &error);
    assert_no_error(error);
    assert_null(nest_large_take(places, 1, &error));
    assert_nest_error(error, NEST_ERROR_TOO_MANY, "one at a time");
    g_clear_error(&error);
    nest_large_unref(nest_large_ref(mine));
    assert_null(nest_large_take(places, 1, NULL));
    nest_large_unref(mine);
    mine = nest_large_take(places, 1, &error);
    assert_no_error(error);
    nest_large_places_free(places);
    nest_large_unref(mine);
    nest_large_unref(other);
}

static void test_so_many_in_all(void **state)
{
    NestLarge *taken[NEST_LARGE_MAX];
    NestLargePlaces *places = nest_large_places_new();
    for (guint i = 0; i < NEST_LARGE_MAX; i++)
        assert_non_null(taken[i] = nest_large_take(places, 100 + i, NULL));
    assert_null(nest_large_take(places, 1, NULL));
    nest_large_unref(taken[3]);
    assert_non_null(taken[3] = nest_large_take(places, 1, NULL));
    for (guint i = 0; i < NEST_LARGE_MAX; i++)
        nest_large_unref(taken[i]);
    nest_large_places_free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_for_each),
        cmocka_unit_test(test_so_many_in_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
