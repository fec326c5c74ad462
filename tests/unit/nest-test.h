/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* cmocka wants the others first. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "nest-error.h"

/* Asserts that error is set, of the NEST_ERROR domain and code, and that its message holds text. */
#define assert_nest_error(error, expected_code, text) \
    do { \
        assert_non_null(error); \
        assert_string_equal( \
            nest_error_kind(nest_error_code(error)), nest_error_kind(expected_code)); \
        assert_non_null(strstr((error)->message, text)); \
    } while (0)

/* Asserts that no error is set; prints it otherwise. */
#define assert_no_error(error) \
    do { \
        if ((error) != NULL) \
            fail_msg("unexpected error: %s", (error)->message); \
    } while (0)
