/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-client.h"
#include "nest-codec.h"
#include <libsoup/soup.h>

/* Private to nest-client*.c: one request and its answer. */

struct NestClient {
    char *socket;
    SoupSession *session;
    GString *text; /* the last answer's body */
};

/* Seconds without a byte after which a peer counts as gone; longer than any long poll. */
#define NEST_CLIENT_SILENCE 60
#define NEST_CLIENT_TRIAL 600 /* of what runs something; nestd answers before, if it can */
#define NEST_CLIENT_LONG_POLL 20
#define NEST_CLIENT_MAX_BYTES (256u * 1024 * 1024)

/* A message for path (escaped, with its query). body_record NULL: no body. */
SoupMessage *nest_client_message(
    const char *method, const char *path, const NestRecord *body_record, gconstpointer body);

/* Sends message and gives the stream of the answer's body, whatever its status. Transport errors
 * are UNREACHABLE, FORBIDDEN, TIMEOUT or ABORTED. */
GInputStream *nest_client_send(
    NestClient *client, SoupMessage *message, GCancellable *cancellable, GError **error);

/* Reads the whole answer into client->text; checks its size and that it says it is JSON. */
gboolean nest_client_read_text(NestClient *client, SoupMessage *message, GInputStream *stream,
    GCancellable *cancellable, GError **error);

/* Parses client->text; *ret_json is NULL where a successful answer has no body. */
gboolean nest_client_parse(NestClient *client, json_t **ret_json, GError **error);

/* Sends and reads; succeeds for every status that came with JSON. */
gboolean nest_client_exchange_text(
    NestClient *client, SoupMessage *message, GCancellable *cancellable, GError **error);
gboolean nest_client_exchange(NestClient *client, SoupMessage *message, json_t **ret_json,
    GCancellable *cancellable, GError **error);

/* Sets error from a problem+json answer. */
void nest_client_problem(json_t *json, guint status, GError **error);

/* The same as exchange, and a status other than 2xx is the error it describes. */
gboolean nest_client_request(NestClient *client, SoupMessage *message, json_t **ret_json,
    GCancellable *cancellable, GError **error);

/* A record of an answer; what does not fit is INTERNAL, for it is not the caller's fault. */
gpointer nest_client_decode(const NestRecord *record, json_t *json, GError **error);
GPtrArray *nest_client_decode_array(
    const NestRecord *record, json_t *json, const char *member, GError **error);

/* Sends message and takes the records from the array that is member of the answer. */
GPtrArray *nest_client_request_array(NestClient *client, SoupMessage *message,
    const NestRecord *record, const char *member, GCancellable *cancellable, GError **error);

/* Sends message and reads the lines of a good answer until func says that one is the last; another
 * answer is the error it describes. */
typedef gboolean (*NestClientLine)(
    const char *text, gboolean *ret_end, gpointer user_data, GError **error);
gboolean nest_client_request_lines(NestClient *client, SoupMessage *message, NestClientLine func,
    gpointer user_data, GCancellable *cancellable, GError **error);
/* The same as nest_client_decode() for the text of a line. */
gpointer nest_client_decode_line(const NestRecord *record, const char *text, GError **error);

/* Sends a change; *ret_operation is what it began, or NULL where nothing was to do. */
gboolean nest_client_change(NestClient *client, SoupMessage *message, NestOperation **ret_operation,
    GCancellable *cancellable, GError **error);

/* "/v1/vms/NAME" + rest with NAME escaped. Names that are no path segment are VM_NOT_FOUND. */
char *nest_client_vm_path(const char *vm, const char *rest, GError **error);
