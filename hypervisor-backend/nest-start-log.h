/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* What text, the end of QEMU's log as libvirt keeps it, says of the last start. Pure. */
NestStartLog nest_start_log_judge(const char *text);

/* The same of the log of the VM called name in directory; UNREAD where that can't be read. */
NestStartLog nest_start_log_read(const char *directory, const char *name);
