/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-libvirt.h"
#include "nest-daemon.h"
#include <string.h>

#define SYSTEM_URI "qemu:///system"
#define SYSTEM_TIMEOUT_MS 2000
#define REMEMBERED "backend-uri"

/* What was chosen first stays, so that installing libvirtd later does not make VMs vanish. */
static char *choose_uri(const NestConfig *config, NestStore *store, GError **error)
{
    g_autofree char *remembered = NULL;
    g_autofree char *uri = NULL;
    if (!nest_store_get_setting(store, REMEMBERED, &remembered, error))
        return NULL;
    if (strcmp(config->backend_uri, "auto") != 0)
        uri = g_strdup(config->backend_uri);
    else if (remembered != NULL)
        uri = g_strdup(remembered);
    else
        uri =
            g_strdup(nest_backend_libvirt_system_answers(SYSTEM_TIMEOUT_MS) ? SYSTEM_URI : "embed");
    if (g_strcmp0(uri, remembered) != 0 && !nest_store_set_setting(store, REMEMBERED, uri, error))
        return NULL;
    return g_steal_pointer(&uri);
}

static NestBackend *make_backend(const NestConfig *config, NestStore *store, GError **error)
{
    g_autofree char *uri = choose_uri(config, store, error);
    if (uri == NULL)
        return NULL;
    g_autofree char *root = g_build_filename(config->state_directory, "vm", NULL);
    g_autofree char *run_root = g_build_filename(config->runtime_directory, "vm", NULL);
    NestLibvirtOptions options = {uri, root, run_root, config->qemu_user, config->qemu_group};
    return nest_backend_libvirt_new(&options);
}

static NestHostHands *make_hands(const NestConfig *config, NestBackend *backend)
{
    return nest_host_hands_new(config->host_root, NULL, NEST_MODPROBE_TIMEOUT_MS);
}

int main(int argc, char **argv)
{
    return nest_daemon_main(argc, argv, make_backend, make_hands);
}
