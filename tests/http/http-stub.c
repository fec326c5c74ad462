/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server alone, over canned answers: http-stub SOCKET [NAME=NUMBER]… */
#include "nest-core-stub.h"
#include "nest-http.h"
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    NestConfig config;
    NestHttpLimits limits;
    guint vms;
} Setup;

static gboolean set_number(Setup *setup, const char *name, guint value)
{
    const struct {
        const char *name;
        guint *small;
        gsize *large;
    } rows[] = {
        {"vms", &setup->vms, NULL},
        {"connections", &setup->config.connections, NULL},
        {"per-user", &setup->config.connections_per_user, NULL},
        {"head", &setup->limits.head_timeout, NULL},
        {"request", &setup->limits.request_timeout, NULL},
        {"idle", &setup->limits.idle_timeout, NULL},
        {"reply", &setup->limits.reply_timeout, NULL},
        {"write", &setup->limits.write_timeout, NULL},
        {"linger", &setup->limits.linger_timeout, NULL},
        {"heartbeat", &setup->limits.heartbeat, NULL},
        {"backlog", NULL, &setup->limits.backlog_max},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        if (rows[i].small != NULL)
            *rows[i].small = value;
        else
            *rows[i].large = value;
        return TRUE;
    }
    return FALSE;
}

static void set_rights(Setup *setup, const char *text)
{
    /* view=…, operate=…, manage=… of uids: "user:1" */
    const struct {
        const char *name;
        GStrv *list;
    } rows[] = {{"view=", &setup->config.view}, {"operate=", &setup->config.operate},
        {"manage=", &setup->config.manage}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_has_prefix(text, rows[i].name))
            *rows[i].list = g_strsplit(text + strlen(rows[i].name), ",", -1);
}

static gboolean on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static int serve(const Setup *setup)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    NestCore *core = nest_core_stub_new(setup->vms);
    g_autoptr(NestHttp) http =
        nest_http_new_with_limits(core, &setup->config, &setup->limits, &error);
    if (http == NULL) {
        fprintf(stderr, "%s\n", error->message);
        nest_core_stub_free(core);
        return 1;
    }
    g_unix_signal_add(SIGTERM, on_signal, loop);
    puts("ready");
    fflush(stdout);
    g_main_loop_run(loop);
    g_clear_pointer(&http, nest_http_free);
    nest_core_stub_free(core);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    Setup setup = {.limits = nest_http_default_limits, .vms = 3};
    setup.config.socket = argv[1];
    setup.config.connections = 256;
    setup.config.connections_per_user = 32;
    setup.config.reply_timeout = 10;
    for (int i = 2; i < argc; i++) {
        g_auto(GStrv) pair = g_strsplit(argv[i], "=", 2);
        if (!set_number(&setup, pair[0], g_ascii_strtoull(pair[1], NULL, 10)))
            set_rights(&setup, argv[i]);
    }
    int status = serve(&setup);
    g_strfreev(setup.config.view);
    g_strfreev(setup.config.operate);
    g_strfreev(setup.config.manage);
    return status;
}
