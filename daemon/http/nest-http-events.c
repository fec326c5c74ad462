/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-event-hub.h"
#include "nest-handlers.h"
#include "nest-reply.h"
#include <string.h>

#define LIST_MAX 1000 /* events of one answer that does not follow */

static void reply_list(NestExchange *exchange, gint64 after)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) events = nest_core_events(exchange->core, after, LIST_MAX, &error);
    if (events == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    json_t *list = nest_codec_encode_array(&nest_event_record, events);
    nest_reply_json(exchange, 200, json_pack("{s:o}", "events", list));
}

/* Where to go on: the header that browsers send by themselves, else ?after=. */
static gboolean read_after(const NestExchange *exchange, gint64 *ret_after, GError **error)
{
    const char *last = exchange->head.last_event_id;
    if (last == NULL) {
        *ret_after = exchange->params[0];
        return TRUE;
    }
    if (g_ascii_string_to_signed(last, 10, 0, G_MAXINT64, ret_after, NULL))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "Last-Event-ID is not a number");
    return FALSE;
}

void nest_http_events_get(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    gint64 after = -1;
    gboolean follow = exchange->params[1] != 0 && strcmp(exchange->head.method, "HEAD") != 0;
    if (!read_after(exchange, &after, &error))
        nest_reply_error(exchange, error);
    else if (follow)
        nest_event_hub_join(nest_http_hub(exchange->http), exchange, after);
    else
        reply_list(exchange, MAX(after, 0));
}
