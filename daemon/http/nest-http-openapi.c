/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-handlers.h"
#include "nest-http-resources.h"
#include "nest-reply.h"
#include <string.h>

void nest_http_openapi_get(NestExchange *exchange)
{
    g_autoptr(GBytes) contract =
        g_resource_lookup_data(nest_http_resources_get_resource(), "/nestd/openapi.json", 0, NULL);
    gsize length;
    const char *text = g_bytes_get_data(contract, &length);
    nest_reply_text(exchange, 200, g_strndup(text, length));
}
