/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The head of an HTTP/1.x request, read strictly: a closed subset of RFC 9112 in which every
 * message has exactly one reading. Pure; no I/O.
 *
 * Refused: bare CR or LF, control characters, folded lines, spaces before the colon, anything but
 * origin-form targets, every Transfer-Encoding, a second Host, Content-Length or conditional
 * header, signs or lists in Content-Length, HTTP/1.1 without Host. */
typedef struct {
    char *method; /* as sent; 1 to 16 letters */
    char *path; /* as sent, still percent-encoded; begins with '/' */
    char *query; /* as sent, NULL where there is none */
    gboolean http10;
    gboolean close; /* the client wants the connection closed after the reply */
    gboolean expect_continue;
    gsize length; /* of the body in bytes */
    char *content_type; /* these are NULL where not given */
    char *if_match;
    char *if_none_match;
    char *last_event_id;
} NestHead;

void nest_head_clear(NestHead *head);

/* Looks for the end of a head in the first length bytes. *io_scanned is 0 for a new head and keeps
 * the place between calls with more data. *ret_length is the length of the head, blank line
 * included, or 0 where more must come. */
gboolean nest_head_find(
    const char *data, gsize length, gsize *io_scanned, gsize *ret_length, GError **error);

/* Reads a head found by nest_head_find(). max_body: the largest Content-Length accepted. Errors:
 * INVALID_REQUEST, LENGTH_REQUIRED (Transfer-Encoding), TOO_LARGE (body), UNSUPPORTED_MEDIA. */
gboolean nest_head_parse(
    const char *data, gsize length, gsize max_body, NestHead *ret_head, GError **error);
