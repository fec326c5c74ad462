/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-place.h"

struct NestHostPlace {
    char *root;
    NestAdvisories *advisories;
    const NestPolicy *policy;
    GMutex lock;
    NestHostKernel *kernel; /* NULL: not read yet */
};

NestHostPlace *nest_host_place_new(const char *root, NestAdvisories *advisories)
{
    NestHostPlace *place = g_new0(NestHostPlace, 1);
    place->root = g_strdup(root);
    place->advisories = advisories != NULL ? nest_advisories_ref(advisories) : NULL;
    g_mutex_init(&place->lock);
    return place;
}

void nest_host_place_free(NestHostPlace *place)
{
    if (place == NULL)
        return;
    g_free(place->root);
    nest_advisories_unref(place->advisories);
    nest_host_kernel_unref(place->kernel);
    g_mutex_clear(&place->lock);
    g_free(place);
}

void nest_host_place_set_policy(NestHostPlace *place, const NestPolicy *policy)
{
    place->policy = policy;
}

const NestPolicy *nest_host_place_policy(const NestHostPlace *place)
{
    return place->policy;
}

const char *nest_host_place_root(const NestHostPlace *place)
{
    return place->root;
}

NestAdvice *nest_host_place_advise(NestHostPlace *place, const NestHostFacts *facts)
{
    if (place->advisories == NULL)
        return NULL;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&place->lock);
    NestHostKernel *kernel = nest_host_kernel_read(
        place->root, (const char *const *)place->advisories->words, place->kernel);
    nest_host_kernel_unref(place->kernel);
    place->kernel = kernel;
    return nest_advice_new(place->advisories, kernel, nest_advice_vendor(facts));
}
