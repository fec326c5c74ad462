/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

BenchTimes *bench_times_new(guint size)
{
    BenchTimes *times = g_new0(BenchTimes, 1);
    times->taken = g_new(gint64, size);
    times->size = size;
    return times;
}

void bench_times_free(BenchTimes *times)
{
    g_free(times->taken);
    g_free(times);
}

static int compare(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
    return (x > y) - (x < y);
}

double bench_times_quantile(BenchTimes *times, double part)
{
    if (times->n == 0)
        return 0;
    qsort(times->taken, times->n, sizeof *times->taken, compare);
    return times->taken[MIN((guint)(times->n * part), times->n - 1)] / 1000.0;
}

double bench_times_sum(const BenchTimes *times)
{
    double sum = 0;
    for (guint i = 0; i < times->n; i++)
        sum += times->taken[i];
    return sum / 1000;
}

int bench_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

/* Sends one request and reads its answer whole; returns its size. */
static gsize exchange(int fd, const char *path)
{
    static char buffer[8 << 20];
    gsize got = 0, want = sizeof buffer;
    int length = snprintf(buffer, sizeof buffer, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    if (write(fd, buffer, length) != length)
        exit(1);
    while (got < want) {
        ssize_t n = read(fd, buffer + got, sizeof buffer - 1 - got);
        if (n <= 0)
            exit(1);
        got += n;
        buffer[got] = '\0';
        const char *end = want == sizeof buffer ? strstr(buffer, "\r\n\r\n") : NULL;
        const char *header = end != NULL ? strstr(buffer, "Content-Length: ") : NULL;
        if (header != NULL)
            want = end + 4 - buffer + strtoul(header + 16, NULL, 10);
    }
    return got;
}

void bench_ask(int fd, const char *path, BenchTimes *times)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    times->bytes = exchange(fd, path);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (times->n < times->size)
        times->taken[times->n++] =
            (to.tv_sec - from.tv_sec) * 1000000000ll + to.tv_nsec - from.tv_nsec;
}

void bench_ask_many(const char *socket, const char *path, guint requests, BenchTimes *times)
{
    int fd = bench_connect(socket);
    exchange(fd, path);
    for (guint i = 0; i < requests; i++)
        bench_ask(fd, path, times);
    close(fd);
}
