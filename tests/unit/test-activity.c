/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-activity.h"
#include "nest-record.h"
#include "nest-test.h"
#include <string.h>

#define S G_USEC_PER_SEC

/* A look and what it comes to. */
typedef struct {
    guint at; /* seconds since the first */
    NestVmSample sample; /* time is set from at */
    gboolean hidden;
    NestActivity activity;
} Look;

#define COUNTED(n) .counted = TRUE, .nested_run = (n)
#define BOOTED .booted = TRUE
#define TOLD(answer) .asked = TRUE, .exposed = NEST_ANSWER_YES, .switched_on = NEST_ANSWER_##answer
#define IS(what) .activity = NEST_ACTIVITY_##what

static void play_looks(const char *what, const Look *looks, guint n)
{
    NestActivityMemory memory = {.begun = FALSE};
    for (guint i = 0; i < n; i++) {
        NestVmSample sample = looks[i].sample;
        sample.time = (1000 + looks[i].at) * S;
        NestActivity activity = nest_activity_judge(&memory, &sample, !looks[i].hidden);
        if (activity != looks[i].activity)
            fail_msg("%s, look %u: %s instead of %s", what, i, nest_activity_nicks[activity],
                nest_activity_nicks[looks[i].activity]);
    }
}
#define play(...) \
    do { \
        const Look looks[] = {__VA_ARGS__}; \
        play_looks(__func__, looks, G_N_ELEMENTS(looks)); \
    } while (0)

/* Boots, starts inner VMs, ends them. */
static void test_life(void **state)
{
    play({0, {BOOTED, COUNTED(0)}, IS(EXPOSED)}, {5, {BOOTED, COUNTED(0)}, IS(EXPOSED)},
        {10, {BOOTED, COUNTED(13)}, IS(HOSTING)}, {15, {BOOTED, COUNTED(26)}, IS(HOSTING)},
        {20, {BOOTED, COUNTED(26)}, IS(HOSTING)}, {29, {BOOTED, COUNTED(26)}, IS(HOSTING)},
        {30, {BOOTED, COUNTED(26)}, IS(ARMED)}, {35, {BOOTED, COUNTED(26)}, IS(ARMED)},
        {40, {BOOTED, COUNTED(27)}, IS(HOSTING)});
}

/* One look at guest_mode that finds an inner VM is proof; one that does not is none. */
static void test_guest_mode(void **state)
{
    play({0, {BOOTED, COUNTED(0), .guest_mode = TRUE}, IS(HOSTING)},
        {1, {BOOTED, COUNTED(0)}, IS(HOSTING)});
}

/* The first looks at a run had no count: what is counted then is no growth. */
static void test_counted_late(void **state)
{
    play({0, {.counted = FALSE}, IS(UNKNOWN)}, {20, {COUNTED(5000)}, IS(UNKNOWN)},
        {25, {COUNTED(5000)}, IS(UNKNOWN)}, {35, {COUNTED(5000)}, IS(ARMED)},
        {40, {COUNTED(5001)}, IS(HOSTING)});
    play({0, {BOOTED}, IS(UNKNOWN)}, {5, {BOOTED, COUNTED(3)}, IS(UNKNOWN)},
        {10, {BOOTED, COUNTED(4)}, IS(HOSTING)});
    play({0, {BOOTED}, IS(UNKNOWN)}, {5, {BOOTED, COUNTED(0)}, IS(EXPOSED)});
    play({0, {BOOTED}, IS(UNKNOWN)}, {5, {COUNTED(5), .guest_mode = TRUE}, IS(HOSTING)});
}

/* nestd began to look when it ran already. */
static void test_found_running(void **state)
{
    play({0, {COUNTED(500)}, IS(UNKNOWN)}, {5, {COUNTED(501)}, IS(HOSTING)});
    play({0, {COUNTED(500)}, IS(UNKNOWN)}, {14, {COUNTED(500)}, IS(UNKNOWN)},
        {15, {COUNTED(500)}, IS(ARMED)});
    play({0, {BOOTED, COUNTED(500)}, IS(UNKNOWN)});
    play({0, {COUNTED(0)}, IS(UNKNOWN)}, {15, {COUNTED(0)}, IS(ARMED)});
}

/* Counters begin at 0 after a restore, with the inner VM still there (F19, F20). */
static void test_restored(void **state)
{
    play({0, {BOOTED, COUNTED(90)}, IS(UNKNOWN)}, {5, {BOOTED, COUNTED(99)}, IS(HOSTING)},
        {10, {.run = 2, .carried = TRUE, COUNTED(0)}, IS(UNKNOWN)},
        {15, {.run = 2, .carried = TRUE, COUNTED(4)}, IS(HOSTING)});
    play({0, {.carried = TRUE, COUNTED(0)}, IS(UNKNOWN)},
        {15, {.carried = TRUE, COUNTED(0)}, IS(ARMED)});
}

/* A look without the monitor that began later is there before the monitor has answered. */
static void test_told_late(void **state)
{
    play({5, {.counted = FALSE}, IS(UNKNOWN)}, {4, {TOLD(YES)}, IS(ARMED)},
        {10, {.counted = FALSE}, IS(ARMED)});
    play({5, {COUNTED(7)}, IS(UNKNOWN)}, {4, {TOLD(NO)}, IS(EXPOSED)});
    play({5, {.counted = FALSE}, IS(UNKNOWN)},
        {4, {.asked = TRUE, .exposed = NEST_ANSWER_NO, .switched_on = NEST_ANSWER_NO}, IS(OFF)});
    /* Without an answer it is only an old look. */
    play({5, {BOOTED, COUNTED(0)}, IS(EXPOSED)}, {4, {COUNTED(9)}, IS(EXPOSED)});
    /* Older than what the monitor told since. */
    play({6, {TOLD(YES)}, IS(ARMED)}, {5, {TOLD(NO)}, IS(ARMED)});
    /* An inner VM was seen since. */
    play({5, {COUNTED(7), .guest_mode = TRUE}, IS(HOSTING)}, {4, {TOLD(NO)}, IS(HOSTING)});
    /* Of a run that is over. */
    play({5, {.run = 2, BOOTED, COUNTED(0)}, IS(EXPOSED)}, {4, {TOLD(YES)}, IS(EXPOSED)});
}

/* A start anew has nothing of the run before. */
static void test_restarted(void **state)
{
    play({0, {BOOTED, COUNTED(90)}, IS(UNKNOWN)}, {5, {BOOTED, COUNTED(99)}, IS(HOSTING)},
        {10, {.run = 2, BOOTED, COUNTED(0)}, IS(EXPOSED)},
        {15, {.run = 2, BOOTED, COUNTED(0)}, IS(EXPOSED)});
    play({0, {BOOTED, TOLD(YES)}, IS(ARMED)}, {5, {.run = 2, BOOTED}, IS(UNKNOWN)});
    /* More than before, and of new CPUs all the same: that is no growth. */
    play({0, {BOOTED, COUNTED(9)}, IS(UNKNOWN)}, {5, {.run = 2, BOOTED, COUNTED(99)}, IS(UNKNOWN)});
}

/* Statistics that fall within a run are no end of an inner VM. */
static void test_backwards(void **state)
{
    play({0, {BOOTED, COUNTED(5)}, IS(UNKNOWN)}, {5, {BOOTED, COUNTED(50)}, IS(HOSTING)},
        {10, {BOOTED, COUNTED(0)}, IS(UNKNOWN)}, {25, {BOOTED, COUNTED(0)}, IS(ARMED)});
}

/* A snapshot that was reverted to brings in what ran then. */
static void test_reverted(void **state)
{
    play({0, {BOOTED, COUNTED(0)}, IS(EXPOSED)}, {20, {.carried = TRUE, COUNTED(0)}, IS(UNKNOWN)},
        {35, {.carried = TRUE, COUNTED(0)}, IS(ARMED)});
    play({0, {BOOTED, COUNTED(0)}, IS(EXPOSED)}, {2, {.carried = TRUE, COUNTED(0)}, IS(UNKNOWN)});
}

static void test_vanished(void **state)
{
    play({0, {BOOTED, COUNTED(0)}, IS(EXPOSED)}, {5, {BOOTED}, IS(UNKNOWN)},
        {10, {BOOTED, COUNTED(0)}, IS(EXPOSED)}, {15, {BOOTED, COUNTED(8)}, IS(HOSTING)},
        {20, {BOOTED}, IS(UNKNOWN)}, {25, {BOOTED, COUNTED(9)}, IS(HOSTING)});
    play({0, {BOOTED}, IS(UNKNOWN)}, {100, {BOOTED}, IS(UNKNOWN)});
}

/* CPUs that do not run move nothing; that tells nothing (F18). */
static void test_paused(void **state)
{
    play({0, {BOOTED, COUNTED(0)}, IS(EXPOSED)}, {5, {BOOTED, COUNTED(8)}, IS(HOSTING)},
        {10, {.paused = TRUE, COUNTED(8)}, IS(HOSTING)},
        {100, {.paused = TRUE, COUNTED(8)}, IS(HOSTING)}, {105, {COUNTED(8)}, IS(HOSTING)},
        {115, {COUNTED(8)}, IS(ARMED)});
    play({0, {.paused = TRUE, COUNTED(8)}, IS(UNKNOWN)},
        {100, {.paused = TRUE, COUNTED(8)}, IS(UNKNOWN)}, {110, {COUNTED(8)}, IS(UNKNOWN)},
        {115, {COUNTED(8)}, IS(ARMED)});
}

/* TCG: registers alone. */
static void test_registers(void **state)
{
    play({0, {BOOTED}, IS(UNKNOWN)}, {1, {BOOTED, TOLD(NO)}, IS(EXPOSED)},
        {5, {BOOTED}, IS(EXPOSED)}, {21, {BOOTED, TOLD(YES)}, IS(ARMED)}, {40, {BOOTED}, IS(ARMED)},
        {81, {BOOTED}, IS(ARMED)}, {82, {BOOTED}, IS(UNKNOWN)},
        {83, {BOOTED, TOLD(NO)}, IS(EXPOSED)}, {84, {BOOTED, TOLD(UNREAD)}, IS(UNKNOWN)});
}

/* KVM: registers tell what the counter does not. */
static void test_both(void **state)
{
    play({0, {COUNTED(7)}, IS(UNKNOWN)}, {1, {COUNTED(7), TOLD(NO)}, IS(EXPOSED)},
        {2, {COUNTED(8)}, IS(HOSTING)}, {3, {COUNTED(8), TOLD(YES)}, IS(HOSTING)},
        {20, {COUNTED(8), TOLD(YES)}, IS(ARMED)}, {21, {COUNTED(8), TOLD(NO)}, IS(EXPOSED)});
    play({0, {BOOTED, COUNTED(0), TOLD(YES)}, IS(ARMED)});
    /* What they told does not hold for ever. */
    play({0, {COUNTED(7), TOLD(NO)}, IS(EXPOSED)}, {61, {COUNTED(7)}, IS(EXPOSED)},
        {62, {.carried = TRUE, COUNTED(7)}, IS(UNKNOWN)});
}

static void test_off(void **state)
{
    play({0, {BOOTED, COUNTED(0)}, TRUE, IS(OFF)}, {1, {BOOTED}, TRUE, IS(OFF)},
        {2, {BOOTED, .asked = TRUE, .exposed = NEST_ANSWER_YES}, TRUE, IS(UNKNOWN)});
    play({0, {BOOTED, .asked = TRUE, .exposed = NEST_ANSWER_NO}, IS(OFF)}, {5, {BOOTED}, IS(OFF)});
    /* What is counted stands against what is written. */
    play({0, {BOOTED, COUNTED(0)}, TRUE, IS(OFF)}, {1, {BOOTED, COUNTED(3)}, TRUE, IS(HOSTING)},
        {2, {BOOTED, COUNTED(3), .asked = TRUE, .exposed = NEST_ANSWER_NO}, TRUE, IS(HOSTING)});
}

/* A look that comes late, of two at a time. */
static void test_late(void **state)
{
    play({10, {BOOTED, COUNTED(5)}, IS(UNKNOWN)}, {15, {BOOTED, COUNTED(9)}, IS(HOSTING)},
        {12, {BOOTED, COUNTED(6)}, IS(HOSTING)}, {31, {BOOTED, COUNTED(9)}, IS(ARMED)});
}

static void test_event(void **state)
{
    static const struct {
        NestActivity from, to;
        gboolean hosting;
        const char *event;
        gboolean then;
    } rows[] = {
        {NEST_ACTIVITY_EXPOSED, NEST_ACTIVITY_HOSTING, FALSE, "nested-l2-started", TRUE},
        {NEST_ACTIVITY_NONE, NEST_ACTIVITY_HOSTING, FALSE, "nested-l2-started", TRUE},
        {NEST_ACTIVITY_UNKNOWN, NEST_ACTIVITY_HOSTING, TRUE, NULL, TRUE},
        {NEST_ACTIVITY_HOSTING, NEST_ACTIVITY_UNKNOWN, TRUE, NULL, TRUE},
        {NEST_ACTIVITY_HOSTING, NEST_ACTIVITY_ARMED, TRUE, "nested-l2-stopped", FALSE},
        {NEST_ACTIVITY_UNKNOWN, NEST_ACTIVITY_EXPOSED, TRUE, "nested-l2-stopped", FALSE},
        {NEST_ACTIVITY_HOSTING, NEST_ACTIVITY_NONE, TRUE, "nested-l2-stopped", FALSE},
        {NEST_ACTIVITY_EXPOSED, NEST_ACTIVITY_ARMED, FALSE, "nested-armed", FALSE},
        {NEST_ACTIVITY_UNKNOWN, NEST_ACTIVITY_ARMED, FALSE, NULL, FALSE},
        {NEST_ACTIVITY_ARMED, NEST_ACTIVITY_EXPOSED, FALSE, NULL, FALSE},
        {NEST_ACTIVITY_ARMED, NEST_ACTIVITY_NONE, FALSE, NULL, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean hosting = rows[i].hosting;
        const char *event = nest_activity_event(rows[i].from, rows[i].to, &hosting);
        if (g_strcmp0(event, rows[i].event) != 0 || hosting != rows[i].then)
            fail_msg("row %u: %s", i, event);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_guest_mode),
        cmocka_unit_test(test_counted_late),
        cmocka_unit_test(test_found_running),
        cmocka_unit_test(test_restored),
        cmocka_unit_test(test_told_late),
        cmocka_unit_test(test_restarted),
        cmocka_unit_test(test_backwards),
        cmocka_unit_test(test_reverted),
        cmocka_unit_test(test_vanished),
        cmocka_unit_test(test_paused),
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
