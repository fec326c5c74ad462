/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-verification-view.h"
#include "nest-check-view.h"
#include "nest-table.h"
#include "nest-text.h"
#include <string.h>

#define MIB (1024.0 * 1024.0)

typedef enum { EACH, CYCLES, RATE } Unit;

static const struct {
    const char *name, *title;
    Unit unit;
} rows[] = {
    {"exit-cpuid", "an exit to its kernel (CPUID)", CYCLES},
    {"exit-io", "an exit to a program (I/O)", CYCLES},
    {"cpu", "a round of computing", EACH},
    {"fault", "the first write to a page", EACH},
    {"memory", "memory, read and written", RATE},
};

/* "41.2 µs", "2.1 ns" */
static char *time_text(double ns)
{
    return ns >= 1000 ? g_strdup_printf("%.2f µs", ns / 1000) : g_strdup_printf("%.2f ns", ns);
}

static char *value_text(Unit unit, guint64 ns, guint64 count, guint64 khz)
{
    double each = (double)ns / (double)MAX(count, 1);
    if (ns == 0)
        return g_strdup("–");
    if (unit == RATE)
        return g_strdup_printf("%.0f MiB/s", (double)count / MIB / ((double)ns / 1e9));
    g_autofree char *time = time_text(each);
    if (unit == EACH || khz == 0)
        return g_steal_pointer(&time);
    return g_strdup_printf("%s (%.0f cycles)", time, each * (double)khz / 1e6);
}

static void add_measure(NestTable *table, const NestMeasure *measure, guint64 khz)
{
    guint i = 0;
    while (i < G_N_ELEMENTS(rows) && g_strcmp0(rows[i].name, measure->name) != 0)
        i++;
    if (i == G_N_ELEMENTS(rows))
        return; /* of a newer daemon */
    g_autofree char *own = value_text(rows[i].unit, measure->own_ns, measure->count, khz);
    g_autofree char *inner = value_text(rows[i].unit, measure->inner_ns, measure->count, khz);
    g_autofree char *factor = measure->own_ns > 0
        ? g_strdup_printf("%.2f", (double)measure->inner_ns / (double)measure->own_ns)
        : g_strdup("–");
    nest_table_add(table, NEST_STYLE_PLAIN, rows[i].title);
    nest_table_add(table, NEST_STYLE_PLAIN, own);
    nest_table_add(table, NEST_STYLE_PLAIN, inner);
    nest_table_add(table, NEST_STYLE_PLAIN, factor);
}

static void print_measures(NestOutput *output, const NestVerification *verification)
{
    static const char *const headers[] = {"MEASURED", "IN THE VM", "IN AN INNER VM", "FACTOR"};
    if (verification->measures->len == 0)
        return;
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < verification->measures->len; i++)
        add_measure(table, g_ptr_array_index(verification->measures, i), verification->tsc_khz);
    nest_output_end(output);
    nest_table_print(table, output);
}

static void print_verdict(NestOutput *output, const NestVerification *verification, const char *vm)
{
    nest_output_text(output, NEST_STYLE_PLAIN, "Nesting verified inside %s: ", vm);
    nest_output_text(output, verification->verified ? NEST_STYLE_GOOD : NEST_STYLE_BAD, "%s",
        verification->verified ? "YES" : "NO");
}

void nest_verification_view_print(
    NestOutput *output, const NestVerification *verification, const char *vm)
{
    g_autofree char *took = nest_text_duration((gint64)MIN(verification->duration_ms, G_MAXINT32));
    print_verdict(output, verification, vm);
    nest_output_line(output, "   %s, in %s",
        verification->os != NULL ? verification->os : "a guest that does not name itself", took);
    if (verification->message != NULL)
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, verification->message);
    print_measures(output, verification);
    if (verification->checks->len == 0)
        return;
    nest_output_end(output);
    nest_check_view_print(output, verification->checks, NEST_CHECKS_PROBLEMS);
}

/* ": 41.20 µs an exit", ": the guest has no /dev/kvm" */
static char *summary(const NestVerification *verification)
{
    const NestMeasure *measure =
        verification->measures->len > 0 ? g_ptr_array_index(verification->measures, 0) : NULL;
    if (verification->verified && measure != NULL) {
        g_autofree char *time =
            time_text((double)measure->inner_ns / (double)MAX(measure->count, 1));
        return g_strdup_printf(": %s an exit", time);
    }
    return verification->verified || verification->message == NULL
        ? g_strdup("")
        : g_strconcat(": ", verification->message, NULL);
}

void nest_verification_view_print_last(
    NestOutput *output, const GPtrArray *verifications, const char *vm, gint64 now)
{
    for (guint i = 0; i < verifications->len; i++) {
        const NestVerification *verification = g_ptr_array_index(verifications, i);
        g_autofree char *age = nest_text_duration(MAX(now - verification->time, 0));
        g_autofree char *what = summary(verification);
        g_autofree char *outdated = verification->outdated
            ? g_strdup_printf("; its definition, kernel, QEMU, libvirt or nesting have changed "
                              "since: nestctl verify %s",
                  vm)
            : g_strdup("");
        g_autofree char *line = g_strdup_printf("   %s ago%s%s", age, what, outdated);
        print_verdict(output, verification, vm);
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, line);
    }
}
