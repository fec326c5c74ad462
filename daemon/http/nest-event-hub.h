/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-exchange.h"

/* Events as they come, to every stream. New ones are read from the core once and written to every
 * stream that is up to date. A stream that resumes reads what it has missed by itself, page by
 * page, as fast as its client does. */
NestEventHub *nest_event_hub_new(NestHttp *http);

/* After the last connection has closed. */
void nest_event_hub_free(NestEventHub *hub);

/* Makes exchange a stream of the events after id after; -1: of new ones. */
void nest_event_hub_join(NestEventHub *hub, NestExchange *exchange, gint64 after);
