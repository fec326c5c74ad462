/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* A fact that may have failed to be read. value NULL: error says why. */
typedef struct {
    char *value;
    char *error;
    char *path; /* where it was (to be) read, without the root */
    gboolean missing; /* there is nothing at path */
} NestFact;

/* The first line of the file at path (without a leading slash) below root. */
void nest_host_fact_read(const char *root, const char *path, NestFact *fact);

/* Frees what fact owns and empties it. */
void nest_host_fact_clear(NestFact *fact);
