/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* A client that does as little as can be done, and what it measured. Ends the process where it is
 * not answered. */

typedef struct {
    gint64 *taken; /* ns */
    guint n;
    guint size;
    gsize bytes; /* of the last answer, with its head */
} BenchTimes;

BenchTimes *bench_times_new(guint size);
void bench_times_free(BenchTimes *times);
/* In microseconds; 0.5: the median, 1: the longest. Sorts. */
double bench_times_quantile(BenchTimes *times, double part);
double bench_times_sum(const BenchTimes *times);

int bench_connect(const char *path);
/* GETs path once over fd; remembers how long it took as long as there is room. */
void bench_ask(int fd, const char *path, BenchTimes *times);
/* The same over a connection of its own, after one that is not counted. */
void bench_ask_many(const char *socket, const char *path, guint requests, BenchTimes *times);
