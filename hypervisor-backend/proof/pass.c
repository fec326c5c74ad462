/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pass.h"
#include "report.h"
#include "trap.h"
#include "x86.h"

static uint32_t counts[EXIT_N_MEASURED];

static void reset_box(enum pass pass, const struct options *options)
{
    inner_box.seed = options->seed;
    inner_box.answer = 0;
    inner_box.try = options->try;
    inner_box.second_level = pass != PASS_SHADOW;
    inner_box.expected = pass == PASS_REAL ? EXIT_HLT : EXIT_NONE;
    inner_box.resume = 0;
    for (unsigned kind = 0; kind < EXIT_N_MEASURED; kind++)
        counts[kind] = 0;
}

static struct entry entry_of(enum pass pass, const struct options *options)
{
    struct entry entry = {
        pass, x86_physical((void *)(uintptr_t)inner_main), inner_stack(), options->try};
    if (pass == PASS_REAL) {
        uint8_t *copy = (uint8_t *)(uintptr_t)REAL_MODE_BASE;
        for (long i = 0; i < inner_real_end - inner_real_begin; i++)
            copy[i] = inner_real_begin[i];
        entry.rip = entry.rsp = 0;
    }
    return entry;
}

static bool is_end(enum pass pass, const struct exit *exit)
{
    if (pass == PASS_REAL)
        return exit->kind == EXIT_HLT;
    return exit->kind == EXIT_IO && EXIT_PORT(exit) == INNER_PORT_END;
}

/* An exit that the CPU left out does not show in the cycles. */
static ProofCode check_counts(enum pass pass, struct pass_result *result)
{
    for (enum exit_kind kind = 0; kind < EXIT_N_MEASURED && pass != PASS_REAL; kind++) {
        bool measured = kind != EXIT_NESTED_FAULT || pass != PASS_SHADOW;
        result->expected = kind;
        if (counts[kind] != (measured ? INNER_SAMPLES : 0))
            return PROOF_WRONG_EXIT;
    }
    return result->answer == proof_answer(inner_box.seed) ? PROOF_PROVED : PROOF_WRONG_ANSWER;
}

/* Enters until the inner program says that it is done. */
static ProofCode loop(const struct extension *extension, enum pass pass, uint32_t ticks,
    struct pass_result *result, struct registers *registers)
{
    uint32_t begun = trap_ticks;
    for (;;) {
        ProofCode code = extension->enter(registers, &result->exit, &result->detail);
        if (code != PROOF_PROVED)
            return code;
        if (result->exit.kind == EXIT_TICK) {
            trap_window();
            if (trap_ticks - begun > ticks)
                return PROOF_TIMEOUT;
            continue;
        }
        result->expected = inner_box.expected;
        if (result->exit.kind != result->expected)
            return PROOF_WRONG_EXIT;
        result->exits++;
        if (is_end(pass, &result->exit))
            return PROOF_PROVED;
        counts[result->expected]++;
        extension->resume_at(inner_box.resume);
    }
}

void pass_run(const struct extension *extension, enum pass pass, const struct options *options,
    struct pass_result *result)
{
    *result = (struct pass_result){.expected = EXIT_NONE};
    struct registers registers = {.rax = options->seed, .rcx = PROOF_ROUNDS};
    reset_box(pass, options);
    struct entry entry = entry_of(pass, options);
    result->code = extension->prepare(&entry, &result->detail);
    if (result->code != PROOF_PROVED)
        return;
    result->code = loop(extension, pass, options->ticks, result, &registers);
    result->answer = pass == PASS_REAL ? (uint32_t)registers.rax : inner_box.answer;
    if (result->code == PROOF_PROVED)
        result->code = check_counts(pass, result);
}

const char *pass_name(enum pass pass)
{
    static const char *const names[N_PASSES] = {"shadow", "nested-paging", "real-mode"};
    return names[pass];
}

const char *pass_kind_name(enum exit_kind kind)
{
    static const char *const names[] = {
        "cpuid", "io", "hlt", "page-fault", "nested-fault", "tick", "other", "none"};
    return names[kind];
}

static void sort(uint64_t values[INNER_SAMPLES])
{
    for (unsigned i = 1; i < INNER_SAMPLES; i++) {
        uint64_t value = values[i];
        unsigned at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

static void report_exits(enum pass pass, enum exit_kind kind)
{
    uint64_t cycles[INNER_SAMPLES];
    for (unsigned i = 0; i < INNER_SAMPLES; i++)
        cycles[i] = inner_box.samples[kind][i];
    sort(cycles);
    report_begin("exit");
    report_word("pass", pass_name(pass));
    report_word("kind", pass_kind_name(kind));
    report_number("count", counts[kind]);
    report_number("min", cycles[0]);
    report_number("median", cycles[INNER_SAMPLES / 2]);
    report_end();
}

void pass_report(enum pass pass, const struct pass_result *result)
{
    report_begin("pass");
    report_word("name", pass_name(pass));
    report_word("result", result->code == PROOF_PROVED ? "ok" : report_code(result->code));
    report_hex("answer", result->answer);
    report_number("exits", result->exits);
    report_end();
    for (enum exit_kind kind = 0; kind < EXIT_N_MEASURED; kind++) {
        if (result->code == PROOF_PROVED && counts[kind] > 0)
            report_exits(pass, kind);
    }
}
