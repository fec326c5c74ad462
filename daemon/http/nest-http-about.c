/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-handlers.h"
#include "nest-reply.h"

void nest_http_about_get(NestExchange *exchange)
{
    g_autoptr(NestAbout) about = nest_core_about(exchange->core);
    nest_reply_record(exchange, 200, &nest_about_record, about);
}
