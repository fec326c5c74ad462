/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-handlers.h"
#include "nest-reply.h"

/* Copies texts that the core holds already: nothing is decoded, however many VMs there are. */
static char *status_text(const GArray *vms, const NestHost *host, gboolean all)
{
    g_autofree char *host_text = nest_codec_to_text(&nest_host_record, host);
    GString *text = g_string_sized_new(4096 + vms->len * 1024);
    g_string_append_printf(text, "{\"host\":%s,\"vms\":[", host_text);
    for (guint i = 0; i < vms->len; i++) {
        const NestVmEntry *entry = &g_array_index(vms, NestVmEntry, i);
        if (i > 0)
            g_string_append_c(text, ',');
        g_string_append(text, all ? entry->text : entry->brief);
    }
    g_string_append(text, "]}");
    return g_string_free(text, FALSE);
}

static void on_host(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHost) host = nest_core_host_finish(exchange->core, result, &error);
    const GArray *vms = host != NULL ? nest_core_vms_whole(exchange->core, &error) : NULL;
    if (vms == NULL)
        nest_reply_error(exchange, error);
    else if (exchange->connection != NULL)
        nest_reply_text(exchange, 200, status_text(vms, host, exchange->params[0] != 0));
}

void nest_http_status_get(NestExchange *exchange)
{
    nest_core_host_async(exchange->core, on_host, nest_exchange_ref(exchange));
}
