/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-guest-stream.h"
#include "nest-test.h"

static const char *answer;

static gboolean say(NestBackend *backend, const char *uuid, const char *command, guint timeout_s,
    char **ret_answer, GError **error)
{
    *ret_answer = g_strdup(answer);
    return TRUE;
}

static const NestBackendOps ops = {.agent = say};

/* What becomes of a stream on which nothing moved for an hour, if that is the answer to a read. */
static gboolean is_stuck_after(const char *text)
{
    NestBackend backend = {.ops = &ops};
    NestGuestTalk talk;
    gint64 before = g_get_monotonic_time() - G_TIME_SPAN_HOUR;
    NestGuestStream stream = {.handle = 1, .moved = before};
    g_autoptr(GBytes) piece = NULL;
    gboolean end = FALSE;
    nest_guest_talk_init(&talk, &backend, "");
    assert_true(nest_guest_stream_is_stuck(&stream));
    answer = text;
    assert_true(nest_guest_stream_read(&stream, &talk, &piece, &end, NULL));
    return nest_guest_stream_is_stuck(&stream);
}

/* An agent that gives nothing, and no end, gets nobody on, however often it does. */
static void test_stuck(void **state)
{
    assert_true(is_stuck_after("{\"return\":{\"count\":0,\"buf-b64\":\"\",\"eof\":false}}"));
    assert_false(is_stuck_after("{\"return\":{\"count\":0,\"buf-b64\":\"\",\"eof\":true}}"));
    assert_false(is_stuck_after("{\"return\":{\"count\":1,\"buf-b64\":\"YQ==\",\"eof\":false}}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
