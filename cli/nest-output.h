/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The only place that prints. All text goes through nest_text_safe(), so that no name or message
 * from elsewhere can reach the terminal as anything but text; styles are given apart from it.
 *
 * Text for people goes to stdout, and with --json to stderr, where stdout is for the JSON. */
typedef struct NestOutput NestOutput;

typedef enum {
    NEST_STYLE_PLAIN,
    NEST_STYLE_BOLD,
    NEST_STYLE_GOOD,
    NEST_STYLE_BAD,
    NEST_STYLE_CAUTION,
    NEST_STYLE_FAINT
} NestStyle;

NestOutput *nest_output_new(gboolean json, gboolean no_color);
void nest_output_free(NestOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestOutput, nest_output_free)

gboolean nest_output_is_json(const NestOutput *output);
gboolean nest_output_has_color(const NestOutput *output);
/* TRUE where text may have more than ASCII. */
gboolean nest_output_has_unicode(const NestOutput *output);
/* TRUE where questions can be asked: stdin and where text goes are terminals. */
gboolean nest_output_can_ask(const NestOutput *output);
/* Columns of the terminal; 0 where it is none. */
guint nest_output_width(const NestOutput *output);

/* Parts of a line, a new line, both at once. */
void nest_output_text(NestOutput *output, NestStyle style, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void nest_output_end(NestOutput *output);
void nest_output_line(NestOutput *output, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Columns text will take, and text padded or cut (width above 0) to that many. */
guint nest_output_measure(const NestOutput *output, const char *text);
void nest_output_cell(NestOutput *output, NestStyle style, guint width, const char *text);

/* Text from column indent on, wrapped between words at the width of the terminal, and the end of
 * the line. */
void nest_output_wrapped(NestOutput *output, NestStyle style, guint indent, const char *text);

/* From here on text for people goes to stderr: stdout is for what the command makes. */
void nest_output_aside(NestOutput *output);

/* A text on stdout, as it is; on a terminal its lines are made safe for it. */
void nest_output_raw(NestOutput *output, const char *text);

/* A copy of what goes to a terminal, with nothing in it but text and new lines. */
char *nest_output_tame(const NestOutput *output, const char *data, gsize length);

/* A line on stderr, whatever the mode. */
void nest_output_note(NestOutput *output, const char *format, ...) G_GNUC_PRINTF(2, 3);
void nest_output_error(NestOutput *output, const GError *error);

/* One JSON document and a new line on stdout; with_json: there has been one. Characters that
 * could harm a terminal are escaped as \uXXXX, which changes nothing of what it says. */
void nest_output_json(NestOutput *output, const char *text);
/* The same at once, as nest_output_write(). */
gboolean nest_output_json_now(NestOutput *output, const char *text);
gboolean nest_output_with_json(const NestOutput *output);

/* A line on stderr that the next one replaces, only on a terminal; NULL removes it. */
void nest_output_transient(NestOutput *output, const char *text);
gboolean nest_output_has_transient(const NestOutput *output);

/* All of data as it is, past what is buffered; waits for room where fd itself does not. FALSE, with
 * errno: it could not be written. */
gboolean nest_output_write(int fd, const guchar *data, gsize length);

/* FALSE, with errno, if what was printed could not be written. */
gboolean nest_output_flush(NestOutput *output);
/* Flushes; FALSE if something could not be written (a full disk). */
gboolean nest_output_finish(NestOutput *output, GError **error);
/* That nobody reads stdout any more is why. */
gboolean nest_output_is_unread(const NestOutput *output);
