/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard-catalogue.h"
#include "nest-guard-table.h"
#include "nest-record.h"

static const char *const say_texts[] = {"ok", "warned", "refused", "refused even if forced"};
static const char *const make_texts[] = {"Intel", "AMD", "QEMU's software CPU"};

/* "exposed ok, armed warned, hosting refused" */
static char *row_text(NestGuarded operation, NestGuardMake make, NestParity parity)
{
    GString *text = g_string_new(NULL);
    for (guint phase = NEST_GUARD_EXPOSED; phase < NEST_N_GUARD_PHASES; phase++) {
        NestGuardState state = {phase, make, NEST_GUARD_CARRIES};
        g_string_append_printf(text, "%s%s %s", phase > NEST_GUARD_EXPOSED ? ", " : "",
            nest_guard_phase_nicks[phase],
            say_texts[nest_guard_table_say(operation, &state, parity)]);
    }
    return g_string_free(text, FALSE);
}

/* A line for each make: "Intel: exposed ok, …."; those that are treated as the first share its
 * line, and "any CPU" is all of them. */
static char *policy_text(NestGuarded operation, NestParity parity)
{
    g_autofree char *intel = row_text(operation, NEST_GUARD_INTEL, parity);
    g_autoptr(GString) alike = g_string_new(make_texts[NEST_GUARD_INTEL]);
    g_autoptr(GString) others = g_string_new(NULL);
    for (guint make = NEST_GUARD_AMD; make < NEST_N_GUARD_MAKES; make++) {
        g_autofree char *other = row_text(operation, make, parity);
        if (g_strcmp0(intel, other) == 0)
            g_string_append_printf(alike, ", %s", make_texts[make]);
        else
            g_string_append_printf(others, "\n%s: %s.", make_texts[make], other);
    }
    return g_strdup_printf(
        "\n%s: %s.%s", others->len > 0 ? alike->str : "any CPU", intel, others->str);
}

static char *meaning_text(NestGuarded operation)
{
    g_autofree char *first = policy_text(operation, NEST_PARITY_HYPERV);
    GString *text = g_string_new("By what a VM does with its extension:");
    g_string_append(text, first);
    for (guint parity = NEST_PARITY_KVM; parity < NEST_N_PARITIES; parity++) {
        g_autofree char *other = policy_text(operation, parity);
        if (g_strcmp0(first, other) != 0)
            g_string_append_printf(
                text, "\nWith [guard] parity=%s:%s", nest_parity_nicks[parity], other);
    }
    return g_string_free(text, FALSE);
}

/* A clause as a sentence. */
static char *sentence(const char *clause)
{
    return g_strdup_printf("%c%s.", g_ascii_toupper(*clause), clause + 1);
}

static NestVerdict level_of(NestGuarded operation)
{
    NestGuardSay worst = nest_guard_table_worst(operation, NEST_PARITY_STRICT);
    /* What a start and a checkpoint need is judged by more than the table. */
    gboolean more = operation == NEST_GUARD_START || operation == NEST_GUARD_RESTORE ||
        operation == NEST_GUARD_APPLY_MEMORY;
    if (worst >= NEST_SAY_REFUSE || more)
        return NEST_VERDICT_FAIL;
    return worst == NEST_SAY_WARN || operation == NEST_GUARD_APPLY_OFF ? NEST_VERDICT_WARN
                                                                       : NEST_VERDICT_INFO;
}

void nest_guard_catalogue_add(GPtrArray *catalogue)
{
    for (guint i = 0; i < NEST_N_GUARDS; i++) {
        const NestGuardAbout *about = nest_guard_about(i);
        NestCheckInfo *info = nest_record_new(&nest_check_info_record);
        info->id = g_strdup(about->id);
        info->scope = NEST_SCOPE_GUARD;
        info->title = g_strdup(about->title);
        info->level = level_of(i);
        info->meaning = meaning_text(i);
        info->why = about->harm != NULL ? sentence(about->harm)
                                        : g_strdup("It harms nothing that runs in the VM.");
        if (about->next != NULL) {
            g_auto(GStrv) parts = g_strsplit(about->next, "%s", -1);
            g_autofree char *next = g_strjoinv("VM", parts);
            info->fix = g_strdup_printf("Instead: %s.", next);
        } else {
            info->fix = g_strdup("Nothing has to be done.");
        }
        info->source = g_strdup(about->source);
        g_ptr_array_add(catalogue, info);
    }
}
