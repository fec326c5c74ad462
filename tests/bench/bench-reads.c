/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads once a millisecond over one connection until there is input, then prints the median, the
 * 99th percentile and the longest in milliseconds, and the number of reads, with tabs between
 * them: bench-reads SOCKET PATH */
#include "bench-client.h"
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define READS_MAX 1000000

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: bench-reads SOCKET PATH\n", stderr);
        return 2;
    }
    BenchTimes *times = bench_times_new(READS_MAX);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int fd = bench_connect(argv[1]);
    while (poll(&input, 1, 1) == 0)
        bench_ask(fd, argv[2], times);
    printf("%.3f\t%.3f\t%.3f\t%u\n", bench_times_quantile(times, 0.5) / 1000,
        bench_times_quantile(times, 0.99) / 1000, bench_times_quantile(times, 1) / 1000, times->n);
    bench_times_free(times);
    close(fd);
    return 0;
}
