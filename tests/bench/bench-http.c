/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One keep-alive client on one processor, shared with the server it asks: a SoupServer that answers
 * two bytes, our server over canned answers, and a nestd that runs already on this processor.
 * They take turns. Prints a line each: what, median and 99th percentile in microseconds, requests
 * in a second, bytes of an answer, with tabs between them: bench-http [REQUESTS [SOCKET PATH]] */
#include "bench-client.h"
#include "nest-core-stub.h"
#include "nest-http.h"
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define VMS 1000
#define TURNS 10

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
    soup_server_message_set_status(message, 200, NULL);
    soup_server_message_set_response(message, "application/json", SOUP_MEMORY_STATIC, "{}", 2);
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    return address;
}

static void serve_soup(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_autoptr(SoupServer) server = soup_server_new(NULL, NULL);
    soup_server_add_handler(server, NULL, on_request, NULL, NULL);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
        _exit(1);
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    soup_server_listen_socket(server, socket, 0, NULL);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
}

static void serve_nest(const char *path)
{
    NestConfig config = {.socket = (char *)path,
        .connections = 256,
        .connections_per_user = 32,
        .reply_timeout = 10};
    if (nest_http_new(nest_core_stub_new(VMS), &config, NULL) != NULL)
        g_main_loop_run(g_main_loop_new(NULL, FALSE));
}

static pid_t start(void (*serve)(const char *path), const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        serve(path);
        _exit(0);
    }
    while (access(path, F_OK) != 0)
        g_usleep(1000);
    g_usleep(100 * 1000);
    return pid;
}

typedef struct {
    const char *name;
    const char *socket;
    const char *path;
    guint divisor; /* so much fewer requests */
    BenchTimes *times;
} Contender;

static void take_turns(Contender *contenders, guint n, guint requests)
{
    for (guint i = 0; i < n; i++)
        contenders[i].times = bench_times_new(requests / contenders[i].divisor);
    for (guint turn = 0; turn < TURNS; turn++)
        for (guint i = 0; i < n; i++)
            bench_ask_many(contenders[i].socket, contenders[i].path,
                requests / contenders[i].divisor / TURNS, contenders[i].times);
    for (guint i = 0; i < n; i++) {
        BenchTimes *times = contenders[i].times;
        double median = bench_times_quantile(times, 0.5);
        printf("%s\t%.1f\t%.1f\t%.0f\t%zu\n", contenders[i].name, median,
            bench_times_quantile(times, 0.99), 1e6 * times->n / bench_times_sum(times),
            times->bytes);
        bench_times_free(times);
    }
}

int main(int argc, char **argv)
{
    guint n = argc > 1 ? atoi(argv[1]) : 20000;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    g_autofree char *directory = g_dir_make_tmp("nest-bench-XXXXXX", NULL);
    g_autofree char *soup = g_build_filename(directory, "soup", NULL);
    g_autofree char *nest = g_build_filename(directory, "nest", NULL);
    pid_t children[] = {start(serve_soup, soup), start(serve_nest, nest)};
    Contender contenders[] = {
        {"SoupServer, 2 bytes", soup, "/", 1},
        {"GET /v1/vms/NAME of a real nestd", argc > 3 ? argv[2] : nest,
            argc > 3 ? argv[3] : "/v1/vms/vm0", 1},
        {"GET /v1/vms/NAME", nest, "/v1/vms/vm0", 1},
        {"GET /v1/vms of 1000", nest, "/v1/vms", 50},
    };
    take_turns(contenders, G_N_ELEMENTS(contenders), n);
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    g_autofree char *lock = g_strconcat(nest, ".lock", NULL);
    g_unlink(lock);
    g_unlink(soup);
    g_unlink(nest);
    g_rmdir(directory);
    return 0;
}
