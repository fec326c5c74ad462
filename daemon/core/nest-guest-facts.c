/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-facts.h"

void nest_guest_facts_free(NestGuestFacts *facts)
{
    if (facts == NULL)
        return;
    g_free(facts->agent_error);
    g_free(facts->exec_setting);
    g_free(facts->os);
    g_strfreev(facts->validate);
    g_strfreev(facts->tcg_domains);
    g_free(facts->nested);
    g_free(facts->edition);
    g_free(facts->launch_type);
    g_free(facts);
}
