/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two steps by which this process gives up what a parser needs not, for good. NULL, or what could
 * not be given up. */

/* Before anything is opened: other identity, no network (both where the process is root's), no new
 * privileges, a session of its own, the end of its parent is its own, bounds on memory, time and
 * files, and no descriptor but the standard ones. */
const char *confine_begin(void);

/* Before the first byte of what others wrote: from here on no file, socket, process or thread can
 * be opened or made. */
const char *confine_finish(void);
