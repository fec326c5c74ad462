/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-view.h"
#include "nest-record.h"
#include <string.h>

typedef struct {
    const char *mark;
    NestStyle style;
} Mark;

static const Mark marks[] = {
    [NEST_VERDICT_PASS] = {"✓", NEST_STYLE_GOOD},
    [NEST_VERDICT_INFO] = {"·", NEST_STYLE_PLAIN},
    [NEST_VERDICT_NOT_APPLICABLE] = {"–", NEST_STYLE_FAINT},
    [NEST_VERDICT_UNKNOWN] = {"?", NEST_STYLE_CAUTION},
    [NEST_VERDICT_WARN] = {"!", NEST_STYLE_CAUTION},
    [NEST_VERDICT_FAIL] = {"✗", NEST_STYLE_BAD},
};

/* Ignored ones stay visible. */
static gboolean is_problem(const NestCheck *check)
{
    return check->verdict >= NEST_VERDICT_UNKNOWN;
}

/* "ignored until 2027-01-31: REASON. MESSAGE" */
static char *message_of(const NestCheck *check)
{
    const char *message = check->message != NULL ? check->message : check->title;
    if (check->ignored == NULL)
        return g_strdup(message != NULL ? message : "");
    return g_strdup_printf("ignored%s%s: %s. %s", check->ignored_until != NULL ? " until " : "",
        check->ignored_until != NULL ? check->ignored_until : "", check->ignored,
        message != NULL ? message : "");
}

static guint id_width(const NestOutput *output, const GPtrArray *checks, NestChecksShown shown)
{
    guint width = 0;
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (shown != NEST_CHECKS_PROBLEMS || is_problem(check))
            width = MAX(width, nest_output_measure(output, check->id));
    }
    return width;
}

static void print_check(
    NestOutput *output, const NestCheck *check, guint width, NestChecksShown shown)
{
    const Mark *mark = &marks[check->ignored != NULL ? NEST_VERDICT_INFO : check->verdict];
    guint mark_width = nest_output_measure(output, "✓");
    guint indent = 2 + mark_width + 1 + width + 3, room = nest_output_width(output);
    g_autofree char *message = message_of(check);
    nest_output_text(output, NEST_STYLE_PLAIN, "  ");
    nest_output_cell(output, mark->style, mark_width, mark->mark);
    nest_output_text(output, NEST_STYLE_PLAIN, " ");
    if (room > 0 && room < indent + 24) {
        indent = 6;
        nest_output_line(output, "%s", check->id);
        nest_output_text(output, NEST_STYLE_PLAIN, "      ");
    } else {
        nest_output_cell(output, NEST_STYLE_PLAIN, width + 3, check->id);
    }
    nest_output_wrapped(
        output, check->ignored != NULL ? NEST_STYLE_FAINT : NEST_STYLE_PLAIN, indent, message);
    if (shown == NEST_CHECKS_ALL_READ && check->read != NULL) {
        nest_output_cell(output, NEST_STYLE_PLAIN, indent, "");
        nest_output_wrapped(output, NEST_STYLE_FAINT, indent, check->read);
    }
}

static gboolean is_said(const GPtrArray *checks, guint before, const char *fix)
{
    for (guint i = 0; i < before; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (nest_check_concerns(check) && g_strcmp0(check->fix, fix) == 0)
            return TRUE;
    }
    return FALSE;
}

static void print_fixes(NestOutput *output, const GPtrArray *checks)
{
    guint arrow = nest_output_measure(output, "→");
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (!nest_check_concerns(check) || check->fix == NULL || is_said(checks, i, check->fix))
            continue;
        nest_output_text(output, NEST_STYLE_PLAIN, "  → ");
        nest_output_wrapped(output, NEST_STYLE_BOLD, 3 + arrow, check->fix);
    }
}

void nest_check_view_print(NestOutput *output, const GPtrArray *checks, NestChecksShown shown)
{
    guint width = id_width(output, checks, shown);
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (shown != NEST_CHECKS_PROBLEMS || is_problem(check))
            print_check(output, check, width, shown);
    }
    print_fixes(output, checks);
}

char *nest_check_view_count(guint failed, guint warnings)
{
    if (failed > 0)
        return g_strdup_printf("%u failed", failed);
    if (warnings > 0)
        return g_strdup_printf("ok, %u warning%s", warnings, warnings > 1 ? "s" : "");
    return g_strdup("ok");
}

NestStyle nest_check_view_style(guint failed, guint warnings)
{
    if (failed > 0)
        return NEST_STYLE_BAD;
    return warnings > 0 ? NEST_STYLE_CAUTION : NEST_STYLE_GOOD;
}
