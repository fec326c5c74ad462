/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-fake-call.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The agent of a VM is whoever listens on NAME.agent in the fake's directory: a question is a
 * connection and a line, its answer is what comes until the end of that connection. What libvirt
 * looks at itself is looked at here as well: silence, length, and that the agent says no. */

static void no_agent(GError **error, const char *why)
{
    nest_set_error(error, NEST_ERROR_GUEST_AGENT, "install qemu-guest-agent in the guest",
        "Cannot ask the guest agent: %s", why);
}

static gboolean check_runs(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = nest_fake_state_get(fake->state, call->uuid);
    if (vm == NULL) {
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, NULL, "no such domain");
        return FALSE;
    }
    if (vm->state != NEST_VM_RUNNING) {
        nest_set_error(error, NEST_ERROR_VM_STATE, "nestctl start it",
            "%s does not run: its guest can't be asked", vm->name);
        return FALSE;
    }
    call->path = g_strdup_printf("%s/%s.agent", fake->directory, vm->name);
    return TRUE;
}

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path &&
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* It may go away any time, and a signal cuts what is sent. */
static gboolean say(int fd, const char *text, gsize length, GError **error)
{
    while (length > 0) {
        gssize n = send(fd, text, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            no_agent(error, "the agent disappeared");
            return FALSE;
        }
        text += n;
        length -= (gsize)n;
    }
    return TRUE;
}

/* FALSE: nothing more comes before deadline. */
static gboolean wait_for(int fd, gint64 deadline)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    for (;;) {
        gint64 left = (deadline - g_get_monotonic_time()) / 1000;
        int n = left > 0 ? poll(&wanted, 1, (int)left) : 0;
        if (n >= 0 || errno != EINTR)
            return n > 0;
    }
}

static gboolean hear(int fd, guint timeout_s, GString *answer, GError **error)
{
    g_autofree char *chunk = g_malloc(65536);
    gint64 deadline = g_get_monotonic_time() + timeout_s * G_TIME_SPAN_SECOND;
    for (;;) {
        if (!wait_for(fd, deadline)) {
            no_agent(error, "guest agent command timed out");
            return FALSE;
        }
        gssize n = read(fd, chunk, 65536);
        if (n <= 0)
            break;
        g_string_append_len(answer, chunk, n);
        if (answer->len > NEST_BACKEND_ANSWER_MAX) {
            no_agent(error, "the response is larger than 10 MiB");
            return FALSE;
        }
    }
    if (answer->len > 0)
        return TRUE;
    no_agent(error, "the agent disappeared");
    return FALSE;
}

static gboolean check_said_no(const GString *answer, GError **error)
{
    if (!g_str_has_prefix(answer->str, "{\"error\""))
        return TRUE;
    nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL,
        "Cannot ask the guest agent: unable to execute QEMU agent command: %s", answer->str);
    return FALSE;
}

gboolean nest_fake_agent(NestBackend *backend, const char *uuid, const char *command,
    guint timeout_s, char **ret_answer, GError **error)
{
    g_autoptr(GString) line = g_string_new(command), answer = g_string_new(NULL);
    NestFakeCall call = {.slot = "agent", .uuid = uuid};
    gboolean runs = nest_fake_call_run((NestFake *)backend, &call, check_runs, error);
    g_autofree char *path = call.path;
    if (!runs)
        return FALSE;
    int fd = dial(path);
    if (fd < 0) {
        no_agent(error, "QEMU guest agent is not connected");
        return FALSE;
    }
    g_string_append_c(line, '\n');
    gboolean good = say(fd, line->str, line->len, error) && hear(fd, timeout_s, answer, error) &&
        check_said_no(answer, error);
    close(fd);
    if (good)
        *ret_answer = g_strndup(answer->str, answer->len);
    return good;
}
