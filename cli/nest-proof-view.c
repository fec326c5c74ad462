/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof-view.h"
#include "nest-record.h"
#include "nest-table.h"
#include "nest-text.h"
#include <string.h>

static const char *accel_name(NestAccel accel)
{
    return accel == NEST_ACCEL_KVM ? "KVM" : "QEMU's software CPU (TCG)";
}

static const char *extension_name(NestExtension extension)
{
    static const char *const names[] = {[NEST_EXTENSION_NONE] = "no extension",
        [NEST_EXTENSION_VMX] = "VT-x",
        [NEST_EXTENSION_SVM] = "AMD-V"};
    return extension < G_N_ELEMENTS(names) ? names[extension] : names[NEST_EXTENSION_NONE];
}

/* "1.25 µs", "?" where the clock is not known. */
static char *time_of(guint64 cycles, guint64 khz)
{
    return khz > 0 ? g_strdup_printf("%.2f µs", (double)cycles * 1000.0 / (double)khz)
                   : g_strdup("?");
}

static void print_exits(NestOutput *output, const NestProof *proof)
{
    static const char *const headers[] = {"PASS", "EXIT", "CYCLES", "AT LEAST", "TIME"};
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < proof->exits->len; i++) {
        const NestProofExit *exit = g_ptr_array_index(proof->exits, i);
        g_autofree char *median = g_strdup_printf("%" G_GUINT64_FORMAT, exit->median_cycles);
        g_autofree char *min = g_strdup_printf("%" G_GUINT64_FORMAT, exit->min_cycles);
        g_autofree char *time = time_of(exit->median_cycles, proof->tsc_khz);
        nest_table_add(table, NEST_STYLE_PLAIN, exit->pass);
        nest_table_add(table, NEST_STYLE_PLAIN, exit->kind);
        nest_table_add(table, NEST_STYLE_PLAIN, median);
        nest_table_add(table, NEST_STYLE_PLAIN, min);
        nest_table_add(table, NEST_STYLE_PLAIN, time);
    }
    nest_table_print(table, output);
}

static void print_passes(NestOutput *output, const NestProof *proof)
{
    g_autoptr(GString) line = g_string_new(NULL);
    for (guint i = 0; i < proof->passes->len; i++) {
        const NestProofPass *pass = g_ptr_array_index(proof->passes, i);
        g_string_append_printf(line, "%s%s: %s", i > 0 ? ", " : "", pass->name,
            pass->result != NULL ? pass->result : "?");
    }
    if (line->len > 0)
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, line->str);
}

static void print_list(NestOutput *output, const char *label, const GStrv list)
{
    if (list == NULL || list[0] == NULL)
        return;
    g_autofree char *words = g_strjoinv(", ", list);
    g_autofree char *line = g_strconcat(label, words, NULL);
    nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, line);
}

static void print_verdict(NestOutput *output, const NestProof *proof, const char *vm)
{
    nest_output_text(output, NEST_STYLE_PLAIN,
        "An inner VM ran on %s%s%s: ", accel_name(proof->accel),
        vm != NULL ? " with the CPU of " : "", vm != NULL ? vm : "");
    nest_output_text(output, proof->proved ? NEST_STYLE_GOOD : NEST_STYLE_BAD, "%s",
        proof->proved ? "YES" : "NO");
}

static void print_slower(NestOutput *output, const NestProof *proof)
{
    if (proof->slower != NULL)
        nest_output_wrapped(output, NEST_STYLE_CAUTION, 0, proof->slower);
}

void nest_proof_view_print(NestOutput *output, const NestProof *proof, const char *vm)
{
    g_autofree char *took = nest_text_duration((gint64)MIN(proof->duration_ms, G_MAXINT32));
    print_verdict(output, proof, vm);
    nest_output_line(output, "   %s, in %s", extension_name(proof->extension), took);
    if (!proof->proved && proof->message != NULL)
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, proof->message);
    print_slower(output, proof);
    print_passes(output, proof);
    print_list(output, "It can: ", proof->capabilities);
    print_list(output, "It cannot: ", proof->missing);
    if (proof->exits->len == 0)
        return;
    nest_output_end(output);
    print_exits(output, proof);
}

/* What made it old, and how to renew it. */
static char *outdated_text(const NestProof *proof, const char *vm)
{
    if (!proof->outdated)
        return g_strdup("");
    return vm != NULL
        ? g_strdup_printf("; its definition, kernel, QEMU, libvirt or nesting have changed since: "
                          "nestctl prove %s",
              vm)
        : g_strdup("; kernel, QEMU, libvirt or nesting have changed since: nestctl prove");
}

void nest_proof_view_print_last(
    NestOutput *output, const GPtrArray *proofs, const char *vm, gint64 now)
{
    for (guint i = 0; i < proofs->len; i++) {
        const NestProof *proof = g_ptr_array_index(proofs, i);
        g_autofree char *age = nest_text_duration(MAX(now - proof->time, 0));
        g_autofree char *outdated = outdated_text(proof, vm);
        gboolean plain = proof->proved || proof->message == NULL;
        g_autofree char *line = g_strdup_printf(
            "   %s ago%s%s%s", age, plain ? "" : ": ", plain ? "" : proof->message, outdated);
        print_verdict(output, proof, vm);
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, line);
        print_slower(output, proof);
    }
}

static void add_row(NestTable *table, const NestProof *proof)
{
    const NestProofExit *exit =
        proof->proved && proof->exits->len > 0 ? g_ptr_array_index(proof->exits, 0) : NULL;
    g_autofree char *time = nest_text_time(proof->time);
    g_autofree char *median =
        exit != NULL ? g_strdup_printf("%" G_GUINT64_FORMAT, exit->median_cycles) : g_strdup("–");
    g_autofree char *min =
        exit != NULL ? g_strdup_printf("%" G_GUINT64_FORMAT, exit->min_cycles) : g_strdup("–");
    nest_table_add(table, NEST_STYLE_PLAIN, time);
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_accel_nicks, proof->accel));
    nest_table_add(table, proof->proved ? NEST_STYLE_GOOD : NEST_STYLE_BAD, proof->code);
    nest_table_add(table, NEST_STYLE_PLAIN, exit != NULL ? exit->kind : "–");
    nest_table_add(table, NEST_STYLE_PLAIN, median);
    nest_table_add(table, proof->slower != NULL ? NEST_STYLE_CAUTION : NEST_STYLE_PLAIN, min);
    nest_table_add(table, NEST_STYLE_PLAIN, proof->kernel != NULL ? proof->kernel : "–");
    nest_table_add(
        table, NEST_STYLE_PLAIN, proof->qemu_version != NULL ? proof->qemu_version : "–");
}

void nest_proof_view_print_history(NestOutput *output, const GPtrArray *proofs)
{
    static const char *const headers[] = {
        "PROVED", "BY", "RESULT", "EXIT", "CYCLES", "AT LEAST", "KERNEL", "QEMU"};
    if (proofs->len == 0) {
        nest_output_line(output, "Nothing was proved of this host yet.  → nestctl prove");
        return;
    }
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < proofs->len; i++)
        add_row(table, g_ptr_array_index(proofs, i));
    nest_table_print(table, output);
}
