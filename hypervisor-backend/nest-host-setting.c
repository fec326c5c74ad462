/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-setting.h"
#include "nest-error.h"
#include "nest-host-file.h"
#include "nest-host-repair.h"
#include "nest-link-setting.h"
#include "nest-saved-file.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_TRIES 10
#define BUSY_PAUSE_US (100 * 1000)
#define DEVICE_TRIES 200
#define DEVICE_PAUSE_US (10 * 1000)

static gboolean read_nested(const char *root, const char *module, char **ret_value, GError **error)
{
    g_autofree char *folder = g_build_filename("sys/module", module, NULL);
    g_autofree char *path = g_build_filename(folder, "parameters/nested", NULL);
    g_autofree char *reason = NULL;
    if (!nest_host_file_exists(root, folder))
        return TRUE;
    *ret_value = nest_host_file_line(root, path, &reason);
    if (*ret_value != NULL)
        return TRUE;
    nest_set_error(error, NEST_ERROR_HOST_UNFIT, NULL, "/%s can't be read: %s", path, reason);
    return FALSE;
}

static gboolean read_access(const char *root, const char *path, char **ret_value, GError **error)
{
    struct stat status;
    g_autofree char *full = g_build_filename(root, path, NULL);
    if (lstat(full, &status) == 0) {
        *ret_value =
            g_strdup_printf("%04o %u %u", status.st_mode & 07777, status.st_uid, status.st_gid);
        return TRUE;
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return TRUE;
    nest_set_error(
        error, NEST_ERROR_HOST_UNFIT, NULL, "/%s can't be read: %s", path, g_strerror(errno));
    return FALSE;
}

gboolean nest_host_setting_read(const char *root, NestHostSettingKind kind, const char *target,
    char **ret_value, GError **error)
{
    switch (kind) {
    case NEST_HOST_NESTED:
        return read_nested(root, target, ret_value, error);
    case NEST_HOST_FILE:
        return nest_saved_file_read(root, target, ret_value, error);
    case NEST_HOST_ACCESS:
        return read_access(root, target, ret_value, error);
    case NEST_HOST_LINK:
        return nest_link_setting_read(root, target, ret_value, error);
    }
    g_assert_not_reached();
}

static gboolean unload(NestHostHands *hands, const char *module, GError **error)
{
    for (guint i = 0;; i++) {
        g_autoptr(GError) problem = NULL;
        if (hands->ops->unload(hands, module, &problem))
            return TRUE;
        if (i + 1 >= BUSY_TRIES || nest_error_code(problem) != NEST_ERROR_HOST_BUSY) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        g_usleep(BUSY_PAUSE_US);
    }
}

/* The device comes anew with the module, for root alone until udev has seen it, and what libvirt
 * offers depends on it. */
static void await_device(const char *root, const char *access)
{
    for (guint i = 0; access != NULL && i < DEVICE_TRIES; i++) {
        g_autofree char *now = NULL;
        if (!read_access(root, NEST_HOST_DEVICE, &now, NULL) || g_strcmp0(now, access) == 0)
            return;
        g_usleep(DEVICE_PAUSE_US);
    }
}

static gboolean put_nested(
    NestHostHands *hands, const char *root, const char *module, const char *value, GError **error)
{
    g_autofree char *now = NULL, *access = NULL;
    if (!read_nested(root, module, &now, error) ||
        !read_access(root, NEST_HOST_DEVICE, &access, error) ||
        (now != NULL && !unload(hands, module, error)))
        return FALSE;
    if (value == NULL)
        return TRUE;
    g_autofree char *parameter = g_strconcat("nested=", value, NULL);
    if (!hands->ops->load(hands, module, parameter, error))
        return FALSE;
    await_device(root, access);
    return TRUE;
}

gboolean nest_host_setting_put(NestHostHands *hands, const char *root, NestHostSettingKind kind,
    const char *target, const char *value, GError **error)
{
    switch (kind) {
    case NEST_HOST_NESTED:
        return put_nested(hands, root, target, value, error);
    case NEST_HOST_FILE:
        return hands->ops->put_file(hands, target, value, error);
    case NEST_HOST_ACCESS:
        return value == NULL || hands->ops->set_access(hands, target, value, error);
    case NEST_HOST_LINK:
        return value == NULL || hands->ops->set_link(hands, target, value, error);
    }
    g_assert_not_reached();
}

static gboolean is_on(const char *value)
{
    return strcmp(value, "1") == 0 || g_ascii_strcasecmp(value, "Y") == 0;
}

gboolean nest_host_setting_same(NestHostSettingKind kind, const char *a, const char *b)
{
    if (kind == NEST_HOST_NESTED && a != NULL && b != NULL)
        return is_on(a) == is_on(b);
    return g_strcmp0(a, b) == 0;
}
