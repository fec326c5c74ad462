/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-span.h"
#include <string.h>

typedef struct {
    const char *text;
    GArray *spans; /* NestSpan */
    GArray *open; /* index of each element that is not closed yet */
    guint namespaces;
} Scan;

/* Behind the next occurrence of what, or the end of the text. */
static const char *behind(const char *p, const char *what)
{
    const char *found = strstr(p, what);
    return found != NULL ? found + strlen(what) : p + strlen(p);
}

/* The '>' or '/>' of the start tag at p, NULL where it has too much in it. */
static const char *find_tag_end(Scan *scan, const char *p)
{
    char quote = '\0';
    guint attributes = 0;
    for (; *p != '\0'; p++) {
        if (quote != '\0') {
            attributes += *p == quote ? 1 : 0;
            quote = *p == quote ? '\0' : quote;
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
        } else if (*p == '>' || (p[0] == '/' && p[1] == '>')) {
            break;
        } else if (*p == 'x' && g_str_has_prefix(p, "xmlns")) {
            scan->namespaces++;
        }
        if (attributes > NEST_SPAN_ATTRIBUTES_MAX || scan->namespaces > NEST_SPAN_NAMESPACES_MAX)
            return NULL;
    }
    return p;
}

static const char *open_span(Scan *scan, const char *p)
{
    const char *end = find_tag_end(scan, p);
    guint index = scan->spans->len;
    if (end == NULL || index == NEST_SPANS_MAX)
        return NULL;
    NestSpan span = {.start = p - scan->text, .tag_end = end - scan->text, .empty = *end == '/'};
    const char *content = *end != '\0' ? end + (span.empty ? 2 : 1) : end;
    span.content = span.content_end = span.end = content - scan->text;
    g_array_append_val(scan->spans, span);
    if (!span.empty)
        g_array_append_val(scan->open, index);
    return content;
}

static const char *close_span(Scan *scan, const char *p)
{
    const char *end = behind(p, ">");
    if (scan->open->len == 0)
        return end;
    guint index = g_array_index(scan->open, guint, scan->open->len - 1);
    NestSpan *span = &g_array_index(scan->spans, NestSpan, index);
    span->content_end = p - scan->text;
    span->end = end - scan->text;
    g_array_set_size(scan->open, scan->open->len - 1);
    return end;
}

/* Behind the markup at p; NULL where there is too much of it. */
static const char *scan_markup(Scan *scan, const char *p)
{
    if (g_str_has_prefix(p, "<!--"))
        return behind(p + 4, "-->");
    if (g_str_has_prefix(p, "<![CDATA["))
        return behind(p + 9, "]]>");
    if (p[1] == '?')
        return behind(p + 2, "?>");
    return p[1] == '/' ? close_span(scan, p) : open_span(scan, p);
}

GArray *nest_spans_scan(const char *text)
{
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(NestSpan));
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint));
    Scan scan = {.text = text, .spans = spans, .open = open};
    for (const char *p = strchr(text, '<'); p != NULL; p = strchr(p, '<')) {
        p = scan_markup(&scan, p);
        if (p == NULL)
            return NULL;
    }
    return g_steal_pointer(&spans);
}
