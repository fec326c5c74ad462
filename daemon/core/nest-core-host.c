/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"

#define FRESH_US (2 * G_USEC_PER_SEC)

typedef struct {
    NestCore *core;
    NestHostSnapshot *before;
    NestBackendCaps *caps;
    NestNetDefinitions *definitions;
    NestHostSnapshot *host;
} Probe;

static NestHost *judge(NestCore *core)
{
    NestHostView view = {core->host->facts, core->host->caps, core->host->advice,
        nest_marks_distrust(core->marks), core->host->policy, core->host->today};
    return nest_checks_host(&view);
}

void nest_core_set_host(NestCore *core, NestHostSnapshot *host)
{
    gboolean changed = core->host != NULL && g_strcmp0(core->host->key, host->key) != 0 &&
        core->state == NEST_CORE_OPEN && host->caps != NULL && !core->stopping;
    nest_host_snapshot_unref(core->host);
    core->host = host;
    core->host_time = g_get_monotonic_time();
    g_autoptr(NestHost) judged = judge(core);
    nest_core_note_host(core, judged);
    if (changed)
        nest_core_prove_again(core, judged);
}

NestHost *nest_core_show_host(NestCore *core)
{
    NestHost *host = judge(core);
    nest_core_prove_tell(core, host);
    return host;
}

static void answer(NestCore *core, GTask *task)
{
    g_task_return_pointer(task, nest_core_show_host(core), (GDestroyNotify)nest_host_free);
    g_object_unref(task);
}

/* The host was refreshed meanwhile: what the probe was given of the hypervisor may be older. */
static gboolean is_overtaken(const Probe *probe)
{
    return probe->core->host != probe->before && !probe->core->stopping;
}

static void probed(gpointer data)
{
    g_autofree Probe *probe = data;
    NestCore *core = probe->core;
    gboolean overtaken = is_overtaken(probe);
    gboolean changed = core->host != NULL && g_strcmp0(core->host->key, probe->host->key) != 0 &&
        core->state == NEST_CORE_OPEN && core->host->caps != NULL;
    core->host_probing = FALSE;
    nest_backend_caps_free(probe->caps);
    nest_net_definitions_unref(probe->definitions);
    nest_host_snapshot_unref(probe->before);
    if (overtaken) {
        nest_host_snapshot_unref(probe->host);
        nest_core_probe_host(core);
        return;
    }
    nest_core_set_host(core, probe->host);
    g_autoptr(GPtrArray) waiters = g_steal_pointer(&core->host_waiters);
    core->host_waiters = g_ptr_array_new();
    for (guint i = 0; i < waiters->len; i++)
        answer(core, g_ptr_array_index(waiters, i));
    if (changed)
        nest_core_reconcile(core);
}

static void probe_work(gpointer data)
{
    Probe *probe = data;
    probe->host = nest_host_snapshot_take_with(probe->core->place, probe->caps, probe->definitions);
    nest_core_post(probed, probe);
}

void nest_core_probe_host(NestCore *core)
{
    if (core->host_probing)
        return;
    Probe *probe = g_new0(Probe, 1);
    probe->core = core;
    if (core->host != NULL) {
        probe->before = nest_host_snapshot_ref(core->host);
        probe->caps = nest_backend_caps_copy(core->host->caps);
        probe->definitions = nest_net_definitions_ref(core->host->net->definitions);
    }
    core->host_probing = TRUE;
    nest_core_push(core, core->prober, probe_work, probe);
}

void nest_core_host_async(NestCore *core, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(NULL, NULL, callback, user_data);
    if (core->host != NULL && g_get_monotonic_time() - core->host_time < FRESH_US) {
        answer(core, task);
        return;
    }
    g_ptr_array_add(core->host_waiters, task);
    nest_core_probe_host(core);
}

NestHost *nest_core_host_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
