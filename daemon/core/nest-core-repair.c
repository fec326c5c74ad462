/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"

/* Plans for the host. */

static NestHostSnapshot *take_host(const NestQuestion *question)
{
    return nest_host_snapshot_take_with(
        question->core->place, question->host->caps, question->host->net->definitions);
}

static gpointer plan_fix(const NestQuestion *question, GError **error)
{
    NestCore *core = question->core;
    const NestHostWish *wish = question->wish;
    g_autoptr(NestHostSnapshot) host = take_host(question);
    g_autoptr(NestHostBlocks) blocks = nest_host_blocks_take(core->backend, host, core->marks);
    return nest_job_host_plan_fix(
        host, core->config->host_root, blocks, (const char *const *)wish->decline);
}

static gpointer plan_undo(const NestQuestion *question, GError **error)
{
    NestCore *core = question->core;
    const gint64 *to = question->wish;
    g_autoptr(NestHostSnapshot) host = take_host(question);
    return nest_job_host_plan_undo(host, core->config->host_root, core->store, *to, error);
}

static const NestQuestionKind fix_kind = {
    FALSE, plan_fix, (GDestroyNotify)nest_plan_free, (GDestroyNotify)nest_host_wish_free};
static const NestQuestionKind undo_kind = {
    FALSE, plan_undo, (GDestroyNotify)nest_plan_free, g_free};

/* Like a change it waits until the hypervisor is open: what was interrupted is recovered then. */
void nest_core_repair_plan_async(
    NestCore *core, const NestHostWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    nest_core_ask(
        core, NULL, &fix_kind, nest_record_copy(&nest_host_wish_record, wish), callback, user_data);
}

void nest_core_repair_plan_undo_async(
    NestCore *core, const NestUndoWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    nest_core_ask(
        core, NULL, &undo_kind, g_memdup2(&wish->to, sizeof wish->to), callback, user_data);
}
