/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-fake-call.h"

/* The slots that concern checkpoints. */
gboolean nest_fake_checkpoints(
    NestBackend *self, const char *uuid, GPtrArray **ret_checkpoints, GError **error);
gboolean nest_fake_checkpoint(NestBackend *self, const char *uuid, const char *name,
    const char *description, gboolean disk_only, GError **error);
gboolean nest_fake_apply_checkpoint(
    NestBackend *self, const char *uuid, const char *name, GError **error);
gboolean nest_fake_delete_checkpoint(
    NestBackend *self, const char *uuid, const char *name, GError **error);
