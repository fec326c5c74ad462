/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-fake-call.h"

/* What each slot does to the state of the fake; each is a NestFakeEffect. */
gboolean nest_fake_effect_open(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_caps(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_list(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_read(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_define(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_redefine(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_undefine(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_start(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_shutdown(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_stop(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_pause(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_resume(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_set_memory(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_save(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_drop(NestFake *fake, NestFakeCall *call, GError **error);
gboolean nest_fake_effect_find(NestFake *fake, NestFakeCall *call, GError **error);
