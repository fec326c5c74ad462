/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-output.h"
#include "nest-error.h"
#include "nest-text.h"
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct NestOutput {
    FILE *human;
    gboolean json;
    gboolean unicode;
    gboolean color;
    gboolean error_color;
    gboolean with_json;
    gboolean transient; /* transient lines are possible */
    gboolean shown; /* there is one */
    int failure; /* errno of the first write to stdout that failed; 0: none */
};

static const char *const sequences[] = {
    [NEST_STYLE_PLAIN] = "",
    [NEST_STYLE_BOLD] = "\033[1m",
    [NEST_STYLE_GOOD] = "\033[32m",
    [NEST_STYLE_BAD] = "\033[31m",
    [NEST_STYLE_CAUTION] = "\033[33m",
    [NEST_STYLE_FAINT] = "\033[2m",
};

static gboolean is_capable(FILE *stream)
{
    return isatty(fileno(stream)) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}

NestOutput *nest_output_new(gboolean json, gboolean no_color)
{
    NestOutput *output = g_new0(NestOutput, 1);
    const char *no = g_getenv("NO_COLOR");
    gboolean color = !no_color && (no == NULL || *no == '\0');
    output->human = json ? stderr : stdout;
    output->json = json;
    output->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    output->color = color && is_capable(output->human);
    output->error_color = color && is_capable(stderr);
    output->transient = is_capable(stderr);
    return output;
}

void nest_output_free(NestOutput *output)
{
    g_free(output);
}

gboolean nest_output_is_json(const NestOutput *output)
{
    return output->json;
}

gboolean nest_output_has_color(const NestOutput *output)
{
    return output->color;
}

gboolean nest_output_has_unicode(const NestOutput *output)
{
    return output->unicode;
}

gboolean nest_output_can_ask(const NestOutput *output)
{
    return isatty(STDIN_FILENO) && isatty(fileno(output->human));
}

void nest_output_aside(NestOutput *output)
{
    fflush(output->human);
    output->human = stderr;
    output->color = output->error_color;
}

static guint columns(FILE *stream)
{
    struct winsize size = {0};
    if (!isatty(fileno(stream)))
        return 0;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

guint nest_output_width(const NestOutput *output)
{
    return columns(output->human);
}

void nest_output_transient(NestOutput *output, const char *text)
{
    if (!output->transient || (text == NULL && !output->shown))
        return;
    if (text == NULL) {
        fputs("\r\033[K", stderr);
    } else {
        guint width = columns(stderr);
        g_autofree char *safe = nest_text_safe(text, output->unicode);
        g_autofree char *cut = nest_text_cut(safe, width > 1 ? width - 1 : 1, output->unicode);
        fprintf(stderr, "\r\033[K%s", cut);
    }
    fflush(stderr);
    output->shown = text != NULL;
}

gboolean nest_output_has_transient(const NestOutput *output)
{
    return output->transient;
}

gboolean nest_output_write(int fd, const guchar *data, gsize length)
{
    while (length > 0) {
        struct pollfd room = {.fd = fd, .events = POLLOUT};
        gssize n = write(fd, data, length);
        if (n < 0 && errno == EAGAIN)
            poll(&room, 1, -1);
        else if (n < 0 && errno != EINTR)
            return FALSE;
        data += MAX(n, 0);
        length -= (gsize)MAX(n, 0);
    }
    return TRUE;
}

/* What could not be written is not tried again, so its errno is kept. */
static gboolean written(NestOutput *output, gboolean good)
{
    if (!good && output->failure == 0)
        output->failure = errno;
    return good;
}

static void put(FILE *stream, gboolean color, NestStyle style, const char *safe)
{
    if (color && style != NEST_STYLE_PLAIN)
        fprintf(stream, "%s%s\033[0m", sequences[style], safe);
    else
        fputs(safe, stream);
}

static void put_human(NestOutput *output, NestStyle style, const char *text)
{
    nest_output_transient(output, NULL);
    g_autofree char *safe = nest_text_safe(text, output->unicode);
    put(output->human, output->color, style, safe);
}

void nest_output_text(NestOutput *output, NestStyle style, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    put_human(output, style, text);
}

void nest_output_end(NestOutput *output)
{
    putc('\n', output->human);
}

void nest_output_line(NestOutput *output, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    put_human(output, NEST_STYLE_PLAIN, text);
    nest_output_end(output);
}

guint nest_output_measure(const NestOutput *output, const char *text)
{
    g_autofree char *safe = nest_text_safe(text, output->unicode);
    return nest_text_width(safe);
}

void nest_output_cell(NestOutput *output, NestStyle style, guint width, const char *text)
{
    g_autofree char *safe = nest_text_safe(text, output->unicode);
    g_autofree char *cut = width > 0 ? nest_text_cut(safe, width, output->unicode) : NULL;
    const char *shown = cut != NULL ? cut : safe;
    put(output->human, output->color, style, shown);
    for (guint taken = nest_text_width(shown); taken < width; taken++)
        putc(' ', output->human);
}

static void indent_by(NestOutput *output, guint indent)
{
    nest_output_end(output);
    for (guint i = 0; i < indent; i++)
        putc(' ', output->human);
}

void nest_output_wrapped(NestOutput *output, NestStyle style, guint indent, const char *text)
{
    guint width = nest_output_width(output);
    g_autofree char *safe = nest_text_safe(text, output->unicode);
    g_auto(GStrv) words = g_strsplit(safe, " ", -1);
    guint column = indent;
    for (guint i = 0; words[i] != NULL; i++) {
        guint length = nest_text_width(words[i]);
        if (i > 0 && width > indent && column + 1 + length > width) {
            indent_by(output, indent);
            column = indent;
        } else if (i > 0) {
            putc(' ', output->human);
            column++;
        }
        put(output->human, output->color, style, words[i]);
        column += length;
    }
    nest_output_end(output);
}

void nest_output_raw(NestOutput *output, const char *text)
{
    nest_output_transient(output, NULL);
    if (!isatty(STDOUT_FILENO)) {
        written(output, fputs(text, stdout) != EOF);
        return;
    }
    fflush(output->human);
    for (const char *line = text; *line != '\0';) {
        gsize length = strcspn(line, "\n");
        g_autofree char *one =
            g_strndup(line, length > 0 && line[length - 1] == '\r' ? length - 1 : length);
        g_auto(GStrv) parts = g_strsplit(one, "\t", -1);
        g_autofree char *plain = g_strjoinv("        ", parts);
        g_autofree char *safe = nest_text_safe(plain, output->unicode);
        fputs(safe, stdout);
        putc('\n', stdout);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

char *nest_output_tame(const NestOutput *output, const char *data, gsize length)
{
    g_autofree char *valid = g_utf8_make_valid(data, (gssize)length);
    g_auto(GStrv) lines = g_strsplit(valid, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char *safe = nest_text_safe(lines[i], output->unicode);
        g_free(lines[i]);
        lines[i] = safe;
    }
    return g_strjoinv("\n", lines);
}

static void put_error(NestOutput *output, NestStyle style, const char *text)
{
    g_autofree char *safe = nest_text_safe(text, output->unicode);
    put(stderr, output->error_color, style, safe);
}

void nest_output_note(NestOutput *output, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    nest_output_transient(output, NULL);
    fflush(output->human);
    put_error(output, NEST_STYLE_PLAIN, text);
    putc('\n', stderr);
}

static void put_hint(NestOutput *output, const char *what, const char *before, const char *text)
{
    if (text == NULL)
        return;
    put_error(output, NEST_STYLE_BOLD, what);
    fprintf(stderr, "  %s", before);
    put_error(output, NEST_STYLE_PLAIN, text);
    putc('\n', stderr);
}

void nest_output_error(NestOutput *output, const GError *error)
{
    nest_output_transient(output, NULL);
    fflush(output->human);
    put_error(output, NEST_STYLE_BAD, "error:");
    fputs(" ", stderr);
    put_error(output, NEST_STYLE_PLAIN, error->message);
    putc('\n', stderr);
    put_hint(output, "  next", "", nest_error_get_next(error));
    put_hint(output, "  more", "nestctl explain ", nest_error_get_check(error));
}

static void append_json_character(GString *line, gunichar c)
{
    if (c > 0xffff)
        g_string_append_printf(line, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
            0xdc00 + ((c - 0x10000) & 0x3ff));
    else
        g_string_append_printf(line, "\\u%04x", c);
}

/* JSON has such characters only inside strings, so an escape is always right. */
static gboolean is_harmful(gunichar c)
{
    return (c >= 0x7f && c < 0xa0) || g_unichar_type(c) == G_UNICODE_FORMAT || c == 0x2028 ||
        c == 0x2029;
}

static GString *json_line(const char *text)
{
    const char *start = text, *p = text;
    GString *line = g_string_sized_new(strlen(text) + 1);
    while (*p != '\0') {
        if ((guchar)*p < 0x7f) {
            p++;
            continue;
        }
        gunichar c = g_utf8_get_char(p);
        const char *next = g_utf8_next_char(p);
        if (is_harmful(c)) {
            g_string_append_len(line, start, p - start);
            append_json_character(line, c);
            start = next;
        }
        p = next;
    }
    g_string_append_len(line, start, p - start);
    if (p == text || p[-1] != '\n')
        g_string_append_c(line, '\n');
    return line;
}

void nest_output_json(NestOutput *output, const char *text)
{
    g_autoptr(GString) line = json_line(text);
    nest_output_transient(output, NULL);
    written(output, fwrite(line->str, 1, line->len, stdout) == line->len);
    output->with_json = TRUE;
}

gboolean nest_output_json_now(NestOutput *output, const char *text)
{
    g_autoptr(GString) line = json_line(text);
    nest_output_transient(output, NULL);
    output->with_json = TRUE;
    return nest_output_write(STDOUT_FILENO, (const guchar *)line->str, line->len);
}

gboolean nest_output_with_json(const NestOutput *output)
{
    return output->with_json;
}

gboolean nest_output_flush(NestOutput *output)
{
    fflush(stderr);
    return written(output, fflush(stdout) == 0);
}

gboolean nest_output_finish(NestOutput *output, GError **error)
{
    nest_output_transient(output, NULL);
    if (written(output, fflush(stdout) == 0) && !ferror(stdout))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INTERNAL, NULL, "the output could not be written: %s",
        g_strerror(output->failure != 0 ? output->failure : EIO));
    return FALSE;
}

gboolean nest_output_is_unread(const NestOutput *output)
{
    return output->failure == EPIPE;
}
