/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The event loop libvirt calls back on: a thread with a GMainContext of its own. libvirt's default
 * implementation iterates the default GMainContext, so that with a main loop in the same process
 * its callbacks, and its socket I/O, would run on that main loop's thread.
 *
 * libvirt takes one implementation per process, for ever: it is registered by the first start,
 * and all connections share it. The thread lives while there are users, and sleeps without
 * periodic wake-ups. */

/* Before the first virConnectOpen. Also silences libvirt's printing of errors. */
void nest_libvirt_loop_start(void);

/* Returns after every callback under way has returned; with the last user the thread ends. Not
 * to be called from a callback. */
void nest_libvirt_loop_stop(void);
