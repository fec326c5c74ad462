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

static const char *fix_of(const NestCheck *check)
{
    return nest_check_concerns(check) ? check->fix : NULL;
}

/* What lies at or behind index "from" and does not apply for this reason. */
static guint count_alike(const GPtrArray *checks, guint from, const char *reason)
{
    guint n = 0;
    for (guint i = from; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        n += check->verdict == NEST_VERDICT_NOT_APPLICABLE && check->ignored == NULL &&
            g_strcmp0(check->message, reason) == 0;
    }
    return n;
}

/* How many checks the line of this one stands for; 0 if it is in the line of an earlier one. Those
 * that do not apply share a line where they share the reason. */
static guint line_stands_for(const GPtrArray *checks, guint i, NestChecksShown shown)
{
    const NestCheck *check = g_ptr_array_index(checks, i);
    if (shown == NEST_CHECKS_PROBLEMS)
        return is_problem(check);
    if (shown == NEST_CHECKS_ALL_READ || check->verdict != NEST_VERDICT_NOT_APPLICABLE ||
        check->ignored != NULL)
        return 1;
    guint here = count_alike(checks, i, check->message);
    return here == count_alike(checks, 0, check->message) ? here : 0;
}

/* "It is off: vm.l2, vm.state" */
static char *alike_text(const GPtrArray *checks, guint from)
{
    const char *reason = ((const NestCheck *)g_ptr_array_index(checks, from))->message;
    g_autoptr(GString) text = g_string_new(reason);
    if (text->len > 0 && text->str[text->len - 1] == '.')
        g_string_truncate(text, text->len - 1);
    for (guint i = from; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (check->verdict == NEST_VERDICT_NOT_APPLICABLE && check->ignored == NULL &&
            g_strcmp0(check->message, reason) == 0)
            g_string_append_printf(text, "%s %s", i == from ? ":" : ",", check->id);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static guint id_width(const NestOutput *output, const GPtrArray *checks, NestChecksShown shown)
{
    guint width = 0;
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (line_stands_for(checks, i, shown) == 1)
            width = MAX(width, nest_output_measure(output, check->id));
    }
    return width;
}

typedef struct {
    const Mark *mark;
    const char *head, *text;
    NestStyle style;
    guint width; /* of all heads */
} Line;

/* Returns how far its text is indented. */
static guint print_line(NestOutput *output, const Line *line)
{
    guint mark_width = nest_output_measure(output, "✓"), room = nest_output_width(output);
    guint indent = 2 + mark_width + 1 + line->width + 3;
    nest_output_text(output, NEST_STYLE_PLAIN, "  ");
    nest_output_cell(output, line->mark->style, mark_width, line->mark->mark);
    nest_output_text(output, NEST_STYLE_PLAIN, " ");
    if (room > 0 && room < indent + 24) {
        indent = 6;
        nest_output_line(output, "%s", line->head);
        nest_output_text(output, NEST_STYLE_PLAIN, "      ");
    } else {
        nest_output_cell(output, NEST_STYLE_PLAIN, line->width + 3, line->head);
    }
    nest_output_wrapped(output, line->style, indent, line->text);
    return indent;
}

static void print_alike(
    NestOutput *output, const GPtrArray *checks, guint from, guint n, guint width)
{
    g_autofree char *head = g_strdup_printf("(%u)", n), *text = alike_text(checks, from);
    Line line = {&marks[NEST_VERDICT_NOT_APPLICABLE], head, text, NEST_STYLE_FAINT, width};
    print_line(output, &line);
}

static void print_check(
    NestOutput *output, const NestCheck *check, guint width, NestChecksShown shown)
{
    gboolean ignored = check->ignored != NULL;
    g_autofree char *message = message_of(check);
    Line line = {&marks[ignored ? NEST_VERDICT_INFO : check->verdict], check->id, message,
        ignored ? NEST_STYLE_FAINT : NEST_STYLE_PLAIN, width};
    guint indent = print_line(output, &line);
    if (shown == NEST_CHECKS_ALL_READ && check->read != NULL) {
        nest_output_cell(output, NEST_STYLE_PLAIN, indent, "");
        nest_output_wrapped(output, NEST_STYLE_FAINT, indent, check->read);
    }
}

/* What to do stands once below neighbours that it mends. */
static void print_fix(NestOutput *output, const GPtrArray *checks, guint i, NestChecksShown shown)
{
    const char *fix = fix_of(g_ptr_array_index(checks, i));
    if (fix == NULL)
        return;
    guint next = i + 1;
    while (next < checks->len && line_stands_for(checks, next, shown) == 0)
        next++;
    if (next < checks->len && g_strcmp0(fix_of(g_ptr_array_index(checks, next)), fix) == 0)
        return;
    nest_output_text(output, NEST_STYLE_PLAIN, "  → ");
    nest_output_wrapped(output, NEST_STYLE_BOLD, 3 + nest_output_measure(output, "→"), fix);
}

void nest_check_view_print(NestOutput *output, const GPtrArray *checks, NestChecksShown shown)
{
    guint width = id_width(output, checks, shown);
    for (guint i = 0; i < checks->len; i++) {
        guint n = line_stands_for(checks, i, shown);
        if (n == 0)
            continue;
        if (n > 1)
            print_alike(output, checks, i, n, width);
        else
            print_check(output, g_ptr_array_index(checks, i), width, shown);
        print_fix(output, checks, i, shown);
    }
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
