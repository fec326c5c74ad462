/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* What changes the host itself, behind a table of functions, so that tests need no host to change.
 * All of them block, with a deadline of their own, and may be called from any thread. What came of
 * a call is only known by reading it back: a failure may have taken effect. */
typedef struct NestHostHands NestHostHands;

typedef struct {
    /* Loads module, and what it needs. parameter: "nested=1", or NULL for what is configured.
     * HOST_UNFIT with the words of modprobe, TIMEOUT. */
    gboolean (*load)(
        NestHostHands *self, const char *module, const char *parameter, GError **error);
    /* Unloads module, and what nothing else needs. HOST_BUSY where it is in use. */
    gboolean (*unload)(NestHostHands *self, const char *module, GError **error);
    /* As nest_saved_file_put(). */
    gboolean (*put_file)(NestHostHands *self, const char *path, const char *saved, GError **error);
    /* Sets mode and owner of the device at path: "0660 0 104". */
    gboolean (*set_access)(
        NestHostHands *self, const char *path, const char *access, GError **error);
    /* As nest_link_setting_put(). */
    gboolean (*set_link)(
        NestHostHands *self, const char *target, const char *value, GError **error);
    void (*free)(NestHostHands *self);
} NestHostHandsOps;

/* Implementations put this first in their own struct. */
struct NestHostHands {
    const NestHostHandsOps *ops;
};

static inline void nest_host_hands_free(NestHostHands *hands)
{
    if (hands != NULL)
        hands->ops->free(hands);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostHands, nest_host_hands_free)

#define NEST_MODPROBE_TIMEOUT_MS (30 * 1000)

/* The hands that work on the running host. Below another root than "/" they change files there,
 * and refuse modules and devices of the network. modprobe: its path, NULL for where systems have
 * it; it is run without an environment, and killed after timeout_ms. */
NestHostHands *nest_host_hands_new(const char *root, const char *modprobe, guint timeout_ms);

/* For implementations: sets mode and owner below root. */
gboolean nest_host_hands_set_access(
    const char *root, const char *path, const char *access, GError **error);
