/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-stats.h"
#include <string.h>

static gboolean number_of(const virTypedParameter *param, guint64 *ret_number)
{
    switch (param->type) {
    case VIR_TYPED_PARAM_INT:
        *ret_number = (guint64)MAX(param->value.i, 0);
        return TRUE;
    case VIR_TYPED_PARAM_UINT:
        *ret_number = param->value.ui;
        return TRUE;
    case VIR_TYPED_PARAM_LLONG:
        *ret_number = (guint64)MAX(param->value.l, 0);
        return TRUE;
    case VIR_TYPED_PARAM_ULLONG:
        *ret_number = param->value.ul;
        return TRUE;
    case VIR_TYPED_PARAM_BOOLEAN:
        *ret_number = param->value.b != 0;
        return TRUE;
    default:
        return FALSE;
    }
}

/* What follows "vcpu.N." in field, NULL where it does not begin like that. */
static const char *of_vcpu(const char *field)
{
    static const char prefix[] = "vcpu.";
    if (strncmp(field, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *rest = field + sizeof prefix - 1;
    gsize digits = strspn(rest, "0123456789");
    return digits > 0 && rest[digits] == '.' ? rest + digits + 1 : NULL;
}

static void read_vcpu(const char *name, guint64 number, NestVmSample *sample)
{
    if (strcmp(name, "nested_run.sum") == 0) {
        sample->counted = TRUE;
        sample->nested_run += number;
    } else if (strcmp(name, "guest_mode.cur") == 0) {
        sample->guest_mode = sample->guest_mode || number != 0;
    }
}

static void read_origin(guint64 state, guint64 reason, NestVmSample *sample)
{
    sample->paused = state == VIR_DOMAIN_PAUSED || state == VIR_DOMAIN_PMSUSPENDED;
    if (state != VIR_DOMAIN_RUNNING)
        return;
    sample->booted = reason == VIR_DOMAIN_RUNNING_BOOTED;
    sample->carried = reason == VIR_DOMAIN_RUNNING_MIGRATED ||
        reason == VIR_DOMAIN_RUNNING_RESTORED || reason == VIR_DOMAIN_RUNNING_FROM_SNAPSHOT ||
        reason == VIR_DOMAIN_RUNNING_POSTCOPY;
}

gboolean nest_libvirt_stats_read(virTypedParameterPtr params, int n, NestVmSample *sample)
{
    guint64 number, state = VIR_DOMAIN_NOSTATE, reason = 0;

    for (int i = 0; i < n; i++) {
        const char *name = of_vcpu(params[i].field);

        if (!number_of(&params[i], &number))
            continue;
        if (name != NULL)
            read_vcpu(name, number, sample);
        else if (strcmp(params[i].field, "state.state") == 0)
            state = number;
        else if (strcmp(params[i].field, "state.reason") == 0)
            reason = number;
    }
    read_origin(state, reason, sample);
    return state != VIR_DOMAIN_SHUTOFF;
}
