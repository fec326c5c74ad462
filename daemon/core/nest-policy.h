/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* What the administrator thinks of checks: how bad one is, which ones to ignore for a while or for
 * ever, and which VMs may nest at all. Filled in once, then immutable and for any thread. */
typedef struct NestPolicy NestPolicy;

NestPolicy *nest_policy_new(void);
void nest_policy_free(NestPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestPolicy, nest_policy_free)

/* Each of these returns NULL, or what is wrong with what it was given, as part of a sentence. */

/* [levels] CHECK=info|warn|fail */
char *nest_policy_set_level(NestPolicy *policy, const char *id, const char *level);

/* [ignore host] or [ignore vm NAME], where NAME may have * and ?: CHECK=REASON; until YYYY-MM-DD.
 * group: what stands between the brackets. */
char *nest_policy_set_ignore(
    NestPolicy *policy, const char *group, const char *id, const char *value);

/* allow: names or patterns of the VMs that may nest. */
void nest_policy_set_allow(NestPolicy *policy, const char *const *allow);

/* TRUE if the VM may nest by the policy; any may where policy is NULL. */
gboolean nest_policy_allows(const NestPolicy *policy, const char *name);

/* TRUE, and error is set, if it may not. */
gboolean nest_policy_refuses(const NestPolicy *policy, const char *name, GError **error);

/* What allow says, for people; NULL where every VM may nest. */
const char *nest_policy_allow_text(const NestPolicy *policy);

/* Puts the policy (NULL: none) into the outcome of a check of the VM vm (NULL: of the host) whose
 * level in the catalogue is level. What it says worst becomes as bad as the policy has it; unknown,
 * not-applicable and pass stay what they are. today is "2027-01-31": what was to be ignored until
 * a day before it is not ignored any more, and its message says so. */
void nest_policy_judge(const NestPolicy *policy, const char *today, const char *vm,
    NestVerdict level, NestCheck *check);

/* Equal on days on which the policy says the same. */
char *nest_policy_key(const NestPolicy *policy, const char *today);
