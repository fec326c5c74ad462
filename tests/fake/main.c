/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-fake.h"
#include "nest-daemon.h"

static NestBackend *make_backend(const NestConfig *config, NestStore *store, GError **error)
{
    return nest_backend_fake_new(NULL);
}

int main(int argc, char **argv)
{
    return nest_daemon_main(argc, argv, make_backend);
}
