/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-host-hands.h"

/* Hands that change a recorded host below root as modprobe and the kernel would change a real one:
 * loading makes sys/module/NAME with the parameter that is given, else configured, else on; what is
 * in use (refcnt) is not unloaded. The control file of the fake hypervisor says what goes wrong:
 * the slots are load, unload, put_file and set_access, with @NAME for the last part of what they
 * are about; tamper makes a load forget its parameter, and a file end differently. */
NestHostHands *nest_host_hands_fake_new(NestBackend *fake, const char *root);
