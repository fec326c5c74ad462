/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"
#include <gio/gio.h>

/* The words of QEMU's guest agent: questions made, and answers taken apart. Pure.
 *
 * An answer was written by whoever is in the guest: what does not fit is GUEST_AGENT, with at most
 * a few words of it in the message. Source of the words: QEMU's "QEMU Guest Agent Protocol
 * Reference". */

/* The question without arguments. */
char *nest_agent_ask(const char *command);

/* Of guest-info: version, and what it may do and may not. */
gboolean nest_agent_read_info(const char *answer, NestGuest *guest, GError **error);

/* Of guest-get-osinfo: the rest. */
gboolean nest_agent_read_os(const char *answer, NestGuest *guest, GError **error);

/* What a guest says that it is. */
typedef struct {
    char *id; /* "debian", "mswindows"; NULL where it does not say */
    GStrv like; /* ID_LIKE of os-release; NULL: not read */
    char *version; /* "12" */
    char *variant; /* "server" */
} NestGuestSystem;
void nest_guest_system_clear(NestGuestSystem *system);

/* Of guest-get-osinfo; like is left alone. */
gboolean nest_agent_read_system(const char *answer, NestGuestSystem *system, GError **error);

/* Fills in guest->blocked_setting, once all else is there. */
void nest_agent_name_setting(NestGuest *guest);
