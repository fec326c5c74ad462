/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <gio/gio.h>

/* From now on the first Ctrl-C (SIGINT) fires the cancellable that is returned, and the next one
 * ends the process as SIGINT does. Once, before any other thread is started. */
GCancellable *nest_interrupt_catch(void);
