/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One keep-alive client on one processor, shared with the server it asks: our server over canned
 * answers, and beside it a SoupServer that answers two bytes. Prints the median and the 99th
 * percentile in microseconds: bench-http [REQUESTS] */
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

static int connect_to(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

/* Sends one request and reads its answer whole; returns its size. */
static gsize ask(int fd, const char *request, char *buffer, gsize size)
{
    gsize got = 0, want = size;
    if (write(fd, request, strlen(request)) < 0)
        exit(1);
    while (got < want) {
        ssize_t n = read(fd, buffer + got, size - 1 - got);
        if (n <= 0)
            exit(1);
        got += n;
        buffer[got] = '\0';
        const char *end = want == size ? strstr(buffer, "\r\n\r\n") : NULL;
        const char *length = end != NULL ? strstr(buffer, "Content-Length: ") : NULL;
        if (length != NULL)
            want = end + 4 - buffer + strtoul(length + 16, NULL, 10);
    }
    return got;
}

static int compare(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
    return (x > y) - (x < y);
}

static double measure(const char *name, const char *socket, const char *path, guint requests)
{
    static char buffer[8 << 20];
    g_autofree char *request = g_strdup_printf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    g_autofree gint64 *times = g_new(gint64, requests);
    int fd = connect_to(socket);
    gsize size = ask(fd, request, buffer, sizeof buffer);
    for (guint i = 0; i < requests; i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        ask(fd, request, buffer, sizeof buffer);
        clock_gettime(CLOCK_MONOTONIC, &to);
        times[i] = (to.tv_sec - from.tv_sec) * 1000000000ll + to.tv_nsec - from.tv_nsec;
    }
    close(fd);
    qsort(times, requests, sizeof *times, compare);
    double median = times[requests / 2] / 1000.0;
    printf("%-28s %9.1f %9.1f   %zu bytes\n", name, median, times[requests * 99 / 100] / 1000.0,
        (size_t)size);
    return median;
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
    printf("%-28s %9s %9s\n", "", "median/us", "p99/us");
    double base = measure("SoupServer, 2 bytes", soup, "/", n);
    double own = measure("GET /v1/vms/vm0", nest, "/v1/vms/vm0", n);
    measure("GET /v1", nest, "/v1", n);
    measure("GET /v1/vms (1000)", nest, "/v1/vms", n / 100);
    measure("GET /v1/vms?full=1 (1000)", nest, "/v1/vms?full=1", n / 100);
    measure("GET /v1/status (1000)", nest, "/v1/status", n / 100);
    printf("GET of one VM takes %.2f of the time of SoupServer\n", own / base);
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
