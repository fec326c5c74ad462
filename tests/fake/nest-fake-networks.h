/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-fake-call.h"

/* The slot "networks": the texts of all files NAME.xml in the directory; UNSUPPORTED where caps
 * have no networks. */
gboolean nest_fake_networks(
    NestBackend *self, GPtrArray **ret_texts, NestUnlisted *ret_unlisted, GError **error);
