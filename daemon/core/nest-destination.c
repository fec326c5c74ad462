/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-destination.h"
#include "nest-error.h"
#include <string.h>

#define URI_MAX 512
#define WORD G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-"

static const struct {
    const char *scheme;
    gboolean remote; /* it names a host */
} transports[] = {
    {"qemu+ssh", TRUE},
    {"qemu+libssh", TRUE},
    {"qemu+libssh2", TRUE},
    {"qemu+tls", TRUE},
    {"qemu+tcp", TRUE},
    {"qemu+unix", FALSE},
};

/* Not command, netcat and proxy, which run what they say, and not no_verify. */
static const char *const parameters[] = {
    "socket", "keyfile", "known_hosts", "sshauth", "mode", "no_tty", NULL};

static gboolean refuse(const char *why, GError **error)
{
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
        "name the other host like qemu+ssh://HOST/system",
        "a virtual machine can't be migrated there: %s", why);
    return FALSE;
}

/* What begins with a dash would be an option of ssh. */
static gboolean is_word(const char *text, const char *allowed)
{
    return *text != '\0' && *text != '-' && strspn(text, allowed) == strlen(text);
}

static gboolean check_query(GUri *uri, gboolean remote, GError **error)
{
    const char *query = g_uri_get_query(uri);
    gboolean socket = FALSE;
    g_auto(GStrv) pairs = g_strsplit(query != NULL ? query : "", "&", -1);
    for (guint i = 0; pairs[i] != NULL; i++) {
        g_auto(GStrv) pair = g_strsplit(pairs[i], "=", 2);
        if (!g_strv_contains(parameters, pair[0]) || pair[1] == NULL)
            return refuse("its address has a parameter that nestd does not pass on", error);
        if (!is_word(pair[1], WORD "/"))
            return refuse(
                "a parameter of its address has characters that don't belong there", error);
        socket = socket || strcmp(pair[0], "socket") == 0;
    }
    return remote || socket ||
        refuse("qemu+unix without a socket= is the libvirt of this host", error);
}

static gboolean check_parts(GUri *uri, gboolean remote, GError **error)
{
    const char *user = g_uri_get_userinfo(uri), *host = g_uri_get_host(uri);
    gboolean has_host = host != NULL && *host != '\0';
    if (strcmp(g_uri_get_path(uri), "/system") != 0 || g_uri_get_fragment(uri) != NULL)
        return refuse("its address has to end with /system", error);
    if (has_host != remote)
        return refuse(remote ? "its address names no host" : "qemu+unix takes no host", error);
    if (user != NULL && !is_word(user, WORD))
        return refuse("its address has a user with characters that don't belong there", error);
    if (has_host && !is_word(host, WORD ":"))
        return refuse("its address has a host with characters that don't belong there", error);
    return check_query(uri, remote, error);
}

gboolean nest_destination_check(const char *text, GError **error)
{
    const char *allowed = WORD "+:/@?=&[]";
    if (strlen(text) > URI_MAX)
        return refuse("its address is too long", error);
    if (strspn(text, allowed) != strlen(text))
        return refuse("its address has characters that don't belong there", error);
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    for (guint i = 0; uri != NULL && i < G_N_ELEMENTS(transports); i++)
        if (strcmp(g_uri_get_scheme(uri), transports[i].scheme) == 0)
            return check_parts(uri, transports[i].remote, error);
    return refuse("its address is not that of a libvirt that runs QEMU and is reached over ssh, "
                  "tls, tcp or a socket",
        error);
}
