/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-fake.h"
#include "nest-daemon.h"
#include "nest-host-hands-fake.h"
#include <string.h>

static NestBackend *make_backend(const NestConfig *config, NestStore *store, GError **error)
{
    return nest_backend_fake_new(NULL);
}

/* Never the machine that the tests run on, but for its network where that is the test's own. */
static NestHostHands *make_hands(const NestConfig *config, NestBackend *backend)
{
    if (strcmp(config->host_root, "/") == 0 && g_getenv("NEST_FAKE_OWN_NETWORK") == NULL)
        return nest_host_hands_new("/nonexistent", NULL, NEST_MODPROBE_TIMEOUT_MS);
    return nest_host_hands_fake_new(backend, config->host_root);
}

int main(int argc, char **argv)
{
    return nest_daemon_main(argc, argv, make_backend, make_hands);
}
