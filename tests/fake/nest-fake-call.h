/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-domain-schema.h"
#include "nest-domain-xml.h"
#include "nest-fake-control.h"
#include "nest-fake-state.h"
#include "nest-fake-watch.h"

typedef struct {
    NestBackend base;
    GMutex lock; /* of the state and of what follows */
    NestFakeState *state;
    NestFakeControl *control;
    NestFakeWatch *watch;
    char *directory;
    char *control_path;
    gboolean temporary; /* the directory goes with the backend */
    gboolean connected;
    GHashTable *sampled; /* uuid → how often it was looked into */
    NestDomainSchema *schema;
    int root_fd; /* the lock on the directory, -1 where not held */
    NestBackendHandler handler;
    gpointer user_data;
} NestFake;

/* One call of a slot: what goes in and comes out. Outputs reach the caller only on success. */
typedef struct {
    const char *slot;
    const char *uuid;
    const char *name;
    const NestDomain *domain;
    const char *xml;
    guint64 kib;
    const char *checkpoint; /* its name */
    const char *description;
    gboolean disk_only;
    char *path;
    GPtrArray *list;
    NestVmFacts *facts;
    NestBackendCaps *caps;
    gboolean monitor;
} NestFakeCall;

/* What a slot does. Called with the lock held. */
typedef gboolean (*NestFakeEffect)(NestFake *fake, NestFakeCall *call, GError **error);

/* Counts the call, lets happen to it what the control file says, and has effect done in between.
 * Outputs are freed again if the call fails in the end. */
gboolean nest_fake_call_run(
    NestFake *fake, NestFakeCall *call, NestFakeEffect effect, GError **error);

/* The effect of check: the real one, for it has none. */
gboolean nest_fake_call_check(NestFake *fake, NestFakeCall *call, GError **error);

/* nest-fake-agent.c: whoever listens on NAME.agent answers. */
gboolean nest_fake_agent(NestBackend *backend, const char *uuid, const char *command,
    guint timeout_s, char **ret_answer, GError **error);

/* nest-fake-migrate.c: the VM leaves, and arrives nowhere. */
gboolean nest_fake_migrate(NestBackend *self, const char *uuid, const char *to, gboolean offline,
    guint timeout_ms, GCancellable *cancellable, GError **error);

/* nest-fake-restart.c */
gboolean nest_fake_restart(NestBackend *self, const char *uuid, gboolean hard, guint timeout_ms,
    GCancellable *cancellable, GError **error);

/* nest-fake-boot.c: a slot that touches no VM. */
gboolean nest_fake_boot(NestBackend *backend, const NestBoot *boot, GCancellable *cancellable,
    GBytes **ret_console, GError **error);
