/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-networks.h"
#include "nest-error.h"
#include "nest-fake-caps.h"

static gboolean take(NestFake *fake, NestFakeCall *call, GError **error)
{
    const char *file;
    g_autofree char *told = nest_fake_control_setting(fake->control, "caps");
    g_autoptr(NestBackendCaps) caps =
        nest_fake_caps_parse(told != NULL ? told : g_getenv("NEST_FAKE_CAPS"));
    if (!caps->networks) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL, "this hypervisor has no networks");
        return FALSE;
    }
    g_autoptr(GDir) files = g_dir_open(fake->directory, 0, NULL);
    call->list = g_ptr_array_new_with_free_func(g_free);
    while (files != NULL && (file = g_dir_read_name(files)) != NULL) {
        g_autofree char *path = g_build_filename(fake->directory, file, NULL);
        char *text = NULL;
        if (file[0] != '.' && g_str_has_suffix(file, ".xml") &&
            g_file_get_contents(path, &text, NULL, NULL))
            g_ptr_array_add(call->list, text);
    }
    return TRUE;
}

gboolean nest_fake_networks(
    NestBackend *self, GPtrArray **ret_texts, NestUnlisted *ret_unlisted, GError **error)
{
    NestFakeCall call = {.slot = "networks"};
    if (!nest_fake_call_run((NestFake *)self, &call, take, error))
        return FALSE;
    *ret_texts = call.list;
    return TRUE;
}
