/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-answer.h"
#include "nest-reply.h"
#include <time.h>

static void append_date(GString *text)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = g_get_real_time() / G_USEC_PER_SEC;
    struct tm t;
    gmtime_r(&now, &t);
    g_string_append_printf(text, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[t.tm_wday],
        t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

GString *nest_answer_begin(gboolean http10, guint status, const char *type)
{
    GString *text = g_string_sized_new(256);
    g_string_append_printf(
        text, "HTTP/1.%d %u %s\r\n", http10 ? 0 : 1, status, nest_reply_reason(status));
    append_date(text);
    if (type != NULL)
        g_string_append_printf(text, "Content-Type: %s\r\n", type);
    return text;
}

GString *nest_answer_stream(gboolean http10, const char *type)
{
    GString *text = nest_answer_begin(http10, 200, type);
    g_string_append(text, "Cache-Control: no-store\r\n");
    g_string_append(text, http10 ? "" : "Transfer-Encoding: chunked\r\n");
    g_string_append(text, "Connection: close\r\n\r\n");
    return text;
}
