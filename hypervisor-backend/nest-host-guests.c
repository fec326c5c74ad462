/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-guests.h"
#include "nest-host-file.h"
#include "nest-shell-file.h"
#include <string.h>

#define UNIT "libvirt-guests.service"
#define NAME "/libvirt-guests"

/* The path that a line of the unit names: "EnvironmentFile=-/etc/sysconfig/libvirt-guests". */
static const char *environment_path(const char *line)
{
    static const char key[] = "EnvironmentFile=";
    if (!g_str_has_prefix(line, key))
        return NULL;
    line += strlen(key);
    line += *line == '-';
    gboolean plain = g_str_has_prefix(line, "/etc/") && g_str_has_suffix(line, NAME) &&
        strstr(line, "..") == NULL;
    return plain ? line + 1 : NULL;
}

/* Gives the path of the configuration, NULL where the service names none. */
static char *read_service(const char *root, NestFact *service)
{
    static const char *const units[] = {
        "etc/systemd/system/" UNIT, "usr/lib/systemd/system/" UNIT, "lib/systemd/system/" UNIT};
    guint i = 0;
    while (i < G_N_ELEMENTS(units) && !nest_host_file_exists(root, units[i]))
        i++;
    service->missing = i == G_N_ELEMENTS(units);
    service->path = g_strdup(service->missing ? "/" UNIT : units[i]);
    if (service->missing)
        return NULL;
    g_autofree char *full = g_build_filename(root, units[i], NULL);
    g_autofree char *target = g_file_read_link(full, NULL);
    gboolean masked = g_strcmp0(target, "/dev/null") == 0;
    gboolean wanted =
        nest_host_file_exists(root, "etc/systemd/system/multi-user.target.wants/" UNIT);
    service->value = g_strdup(wanted && !masked ? "enabled" : "disabled");
    g_autofree char *text = nest_host_file_linked_text(root, units[i], NEST_HOST_FILE_MAX, NULL);
    const char *path = NULL;
    char *next = text;
    while (next != NULL && path == NULL)
        path = environment_path(strsep(&next, "\n"));
    return g_strdup(path);
}

/* Debian's, that of most others, Arch's; NULL where there is none. */
static const char *find_config(const char *root)
{
    static const char *const paths[] = {
        "etc/default" NAME, "etc/sysconfig" NAME, "etc/conf.d" NAME};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        if (nest_host_file_exists(root, paths[i]))
            return paths[i];
    return NULL;
}

void nest_host_guests_read(const char *root, NestFact *ret_service, NestFact *ret_on_shutdown)
{
    NestFact *fact = ret_on_shutdown;
    g_autofree char *named = read_service(root, ret_service);
    const char *path = named != NULL ? named : find_config(root);
    fact->missing = path == NULL || !nest_host_file_exists(root, path);
    if (path == NULL)
        return;
    fact->path = g_strconcat("/", path, NULL);
    g_autofree char *text = nest_host_file_text(root, path, NEST_HOST_FILE_MAX, &fact->error);
    gboolean empty = text == NULL && strcmp(fact->error, "empty") == 0;
    if (empty)
        g_clear_pointer(&fact->error, g_free);
    if (text == NULL && !empty)
        return;
    fact->value = g_strdup("");
    char *next = text;
    while (next != NULL) {
        char *value = nest_shell_file_value(strsep(&next, "\n"), "ON_SHUTDOWN");
        if (value == NULL)
            continue;
        g_free(fact->value);
        fact->value = value;
    }
}

const char *nest_host_guests_on_shutdown(const NestFact *service, const NestFact *on_shutdown)
{
    if (on_shutdown->value != NULL && *on_shutdown->value != '\0')
        return on_shutdown->value;
    if (on_shutdown->value == NULL && (!on_shutdown->missing || service->value == NULL))
        return NULL;
    gboolean debian =
        on_shutdown->path != NULL && g_str_has_prefix(on_shutdown->path, "/etc/default/");
    return debian ? "shutdown" : "suspend";
}

gboolean nest_host_guests_save(const NestFact *service, const NestFact *on_shutdown)
{
    const char *what = nest_host_guests_on_shutdown(service, on_shutdown);
    return what != NULL && strcmp(what, "shutdown") != 0 &&
        g_strcmp0(service->value, "disabled") != 0;
}
