/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-patch.h"
#include <string.h>

typedef struct {
    gsize start, end; /* what is taken out */
    char *text; /* what is put there */
    guint order;
} Change;

static void clear_change(gpointer change)
{
    g_free(((Change *)change)->text);
}

NestPatch *nest_patch_new(const NestDocument *document)
{
    NestPatch *patch = g_new0(NestPatch, 1);
    patch->document = document;
    patch->changes = g_array_new(FALSE, FALSE, sizeof(Change));
    g_array_set_clear_func(patch->changes, clear_change);
    return patch;
}

void nest_patch_free(NestPatch *patch)
{
    if (patch == NULL)
        return;
    g_array_unref(patch->changes);
    g_free(patch);
}

static void change(NestPatch *patch, gsize start, gsize end, char *text)
{
    Change row = {start, end, text, patch->changes->len};
    g_array_append_val(patch->changes, row);
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* The start and end, in the start tag of element, of the white space before an attribute, of the
 * attribute, and of its value within the quotes. */
typedef struct {
    const char *space, *value, *value_end, *end;
} Attribute;

static gboolean find_attribute(
    const NestPatch *patch, const xmlNode *element, const char *name, Attribute *ret_attribute)
{
    const char *text = patch->document->text;
    const NestSpan *span = nest_document_span(patch->document, element);
    const char *tag_end = text + span->tag_end;
    const char *p = text + span->start + 1;
    p += strcspn(p, " \t\r\n/>");
    while (skip_space(p) < tag_end) {
        Attribute found = {.space = p};
        const char *start = skip_space(p);
        gsize length = strcspn(start, " \t\r\n=");
        const char *quote = skip_space(start + length);
        quote = skip_space(quote + 1);
        found.value = quote + 1;
        found.value_end = strchr(found.value, *quote);
        found.end = p = found.value_end + 1;
        if (strlen(name) == length && memcmp(start, name, length) == 0) {
            *ret_attribute = found;
            return TRUE;
        }
    }
    return FALSE;
}

void nest_patch_attribute(
    NestPatch *patch, const xmlNode *element, const char *name, const char *value)
{
    const char *text = patch->document->text;
    Attribute at;
    gboolean found = find_attribute(patch, element, name, &at);
    if (!found && value != NULL) {
        g_autofree char *escaped = g_markup_escape_text(value, -1);
        const char *quote = strchr(text + nest_document_span(patch->document, element)->start, '"');
        gsize end = nest_document_span(patch->document, element)->tag_end;
        gboolean double_quotes = quote != NULL && quote < text + end;
        while (strchr(" \t\r\n", text[end - 1]) != NULL)
            end--;
        change(patch, end, end,
            double_quotes ? g_strdup_printf(" %s=\"%s\"", name, escaped)
                          : g_strdup_printf(" %s='%s'", name, escaped));
    } else if (found && value == NULL) {
        change(patch, at.space - text, at.end - text, g_strdup(""));
    } else if (found && !nest_element_has(element, name, value)) {
        change(patch, at.value - text, at.value_end - text, g_markup_escape_text(value, -1));
    }
}

static char *name_in_text(const NestPatch *patch, const xmlNode *element)
{
    const char *name = patch->document->text + nest_document_span(patch->document, element)->start;
    return g_strndup(name + 1, strcspn(name + 1, " \t\r\n/>"));
}

void nest_patch_text(NestPatch *patch, const xmlNode *element, const char *text)
{
    const NestSpan *span = nest_document_span(patch->document, element);
    char *escaped = g_markup_escape_text(text, -1);
    if (!span->empty) {
        change(patch, span->content, span->content_end, escaped);
        return;
    }
    g_autofree char *name = name_in_text(patch, element);
    g_autofree char *content = escaped;
    change(patch, span->tag_end, span->end, g_strdup_printf(">%s</%s>", content, name));
}

void nest_patch_remove(NestPatch *patch, const xmlNode *element)
{
    const NestSpan *span = nest_document_span(patch->document, element);
    g_autofree char *indent = nest_document_indent(patch->document, element);
    change(patch, span->start - strlen(indent), span->end, g_strdup(""));
}

void nest_patch_replace(NestPatch *patch, const xmlNode *element, const char *markup)
{
    const NestSpan *span = nest_document_span(patch->document, element);
    change(patch, span->start, span->end, g_strdup(markup));
}

/* By how much the children of parent are indented deeper than parent. */
static char *indent_step(const NestPatch *patch, const xmlNode *parent)
{
    for (const xmlNode *node = parent; node != NULL && node->type == XML_ELEMENT_NODE;
         node = node->parent) {
        g_autofree char *outer = nest_document_indent(patch->document, node);
        const xmlNode *child = node->children;
        while (child != NULL && child->type != XML_ELEMENT_NODE)
            child = child->next;
        g_autofree char *inner =
            child != NULL ? nest_document_indent(patch->document, child) : g_strdup("");
        if (*outer == '\0' && *inner != '\0')
            return g_strdup(inner + strspn(inner, "\r\n"));
        if (*outer != '\0' && g_str_has_prefix(inner, outer) && strlen(inner) > strlen(outer))
            return g_strdup(inner + strlen(outer));
    }
    return g_strdup("  ");
}

/* What a new child of parent is indented with: as its siblings are, or one step deeper than it. */
static char *child_indent(const NestPatch *patch, const xmlNode *parent)
{
    for (const xmlNode *child = parent->children; child != NULL; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            return nest_document_indent(patch->document, child);
    g_autofree char *own = nest_document_indent(patch->document, parent);
    if (*own == '\0')
        return g_strdup("");
    g_autofree char *step = indent_step(patch, parent);
    return g_strconcat(own, step, NULL);
}

static char *indent_lines(const char *const *lines, const char *indent, const char *step)
{
    GString *text = g_string_new(NULL);
    for (; *lines != NULL; lines++) {
        gboolean deeper = **lines == '\t';
        g_string_append(text, indent);
        g_string_append(text, deeper && *indent != '\0' ? step : "");
        g_string_append(text, *lines + (deeper ? 1 : 0));
    }
    return g_string_free(text, FALSE);
}

void nest_patch_append(NestPatch *patch, const xmlNode *parent, const char *const *lines)
{
    if (*lines == NULL)
        return;
    const NestSpan *span = nest_document_span(patch->document, parent);
    g_autofree char *own = nest_document_indent(patch->document, parent);
    g_autofree char *indent = child_indent(patch, parent);
    g_autofree char *step = indent_step(patch, parent);
    g_autofree char *text = indent_lines(lines, indent, step);
    if (span->empty) {
        g_autofree char *name = name_in_text(patch, parent);
        change(patch, span->tag_end, span->end, g_strdup_printf(">%s%s</%s>", text, own, name));
        return;
    }
    const char *p = patch->document->text + span->content_end;
    gboolean line_break = FALSE;
    while (p > patch->document->text + span->content && strchr(" \t\r\n", p[-1]) != NULL)
        line_break = *--p == '\n' || line_break;
    gsize at = p - patch->document->text;
    change(patch, at, at, g_strconcat(text, line_break || *indent == '\0' ? "" : own, NULL));
}

void nest_patch_insert_after(NestPatch *patch, const xmlNode *element, const char *const *lines)
{
    const NestSpan *span = nest_document_span(patch->document, element);
    g_autofree char *indent = nest_document_indent(patch->document, element);
    g_autofree char *step = indent_step(patch, element->parent);
    change(patch, span->end, span->end, indent_lines(lines, indent, step));
}

void nest_patch_insert_before(NestPatch *patch, const xmlNode *element, const char *const *lines)
{
    const NestSpan *span = nest_document_span(patch->document, element);
    g_autofree char *indent = nest_document_indent(patch->document, element);
    g_autofree char *step = indent_step(patch, element->parent);
    gsize at = span->start - strlen(indent);
    change(patch, at, at, indent_lines(lines, indent, step));
}

static gint compare(gconstpointer left, gconstpointer right)
{
    const Change *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

char *nest_patch_apply(NestPatch *patch)
{
    const char *text = patch->document->text;
    g_array_sort(patch->changes, compare);
    GString *result = g_string_sized_new(strlen(text) + 256);
    gsize done = 0;
    for (guint i = 0; i < patch->changes->len; i++) {
        const Change *row = &g_array_index(patch->changes, Change, i);
        g_assert(row->start >= done && row->end >= row->start);
        g_string_append_len(result, text + done, row->start - done);
        g_string_append(result, row->text);
        done = row->end;
    }
    g_string_append(result, text + done);
    return g_string_free(result, FALSE);
}
