/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-daemon.h"
#include "nest-core.h"
#include "nest-error.h"
#include "nest-http.h"
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define STOP_TIMEOUT_MS 5000

typedef struct {
    char *config_path;
    gboolean print_config;
    gboolean version;
} Options;

typedef struct {
    NestConfig *config;
    NestStore *store;
    NestCore *core;
    NestHttp *http;
    GMainLoop *loop;
} Daemon;

static int complain(const GError *error)
{
    const char *next = nest_error_get_next(error);
    g_printerr("nestd: %s%s%s\n", error->message, next != NULL ? "\n  next  " : "",
        next != NULL ? next : "");
    return nest_error_exit_status(nest_error_code(error));
}

static gboolean parse(Options *options, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &options->config_path,
            "Configuration (default: " NEST_SYSCONFDIR "/nestd/nestd.conf)", "FILE"},
        {"print-config", 0, 0, G_OPTION_ARG_NONE, &options->print_config,
            "Print every key with its default and exit", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and exit", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- nested virtualization, made safe");
    g_autoptr(GError) problem = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    gboolean parsed = g_option_context_parse(context, &argc, &argv, &problem);
    if (parsed && argc == 1)
        return TRUE;
    nest_set_error(error, NEST_ERROR_USAGE, "see nestd --help", "%s",
        parsed ? "unexpected argument" : problem->message);
    return FALSE;
}

static gboolean make_directory(const char *path, mode_t mode, GError **error)
{
    if (g_mkdir_with_parents(path, mode) == 0 && chmod(path, mode) == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_CONFIG,
        "start nestd as root, or set STATE_DIRECTORY and "
        "RUNTIME_DIRECTORY",
        "can't use %s: %s", path, g_strerror(errno));
    return FALSE;
}

/* A library or a full disk must not end us by a signal; clients need descriptors. */
static void prepare_process(void)
{
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    umask(0077);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static gboolean set_up(
    Daemon *daemon, NestMakeBackend make_backend, NestMakeHands make_hands, GError **error)
{
    g_autofree char *database = g_build_filename(daemon->config->state_directory, "db", NULL);
    /* QEMU, which is not us, must be able to pass through to the disks. */
    if (!make_directory(daemon->config->state_directory, 0711, error) ||
        !make_directory(daemon->config->runtime_directory, 0755, error))
        return FALSE;
    daemon->store = nest_store_open(database, error);
    if (daemon->store == NULL)
        return FALSE;
    NestBackend *backend = make_backend(daemon->config, daemon->store, error);
    if (backend == NULL)
        return FALSE;
    daemon->core =
        nest_core_new(daemon->config, daemon->store, backend, make_hands(daemon->config, backend));
    daemon->http = nest_http_new(daemon->core, daemon->config, error);
    return daemon->http != NULL && nest_core_start(daemon->core, error);
}

static gboolean on_signal(gpointer data)
{
    Daemon *daemon = data;
    g_main_loop_quit(daemon->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_watchdog(gpointer data)
{
    sd_notify(0, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

static void serve(Daemon *daemon)
{
    guint64 watchdog = 0;
    daemon->loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_signal, daemon);
    g_unix_signal_add(SIGINT, on_signal, daemon);
    if (sd_watchdog_enabled(0, &watchdog) > 0)
        g_timeout_add(watchdog / 2000, on_watchdog, NULL);
    g_message("nestd " NEST_VERSION " serves %s", daemon->config->socket);
    sd_notify(0, "READY=1");
    g_main_loop_run(daemon->loop);
    sd_notify(0, "STOPPING=1");
}

static void tear_down(Daemon *daemon)
{
    g_clear_pointer(&daemon->http, nest_http_free);
    if (daemon->core != NULL && !nest_core_stop(daemon->core, STOP_TIMEOUT_MS)) {
        g_message("operations are still under way; they are recovered at the next start");
        _exit(EXIT_SUCCESS);
    }
    g_clear_pointer(&daemon->core, nest_core_free);
    g_clear_pointer(&daemon->store, nest_store_close);
    g_clear_pointer(&daemon->loop, g_main_loop_unref);
    g_clear_pointer(&daemon->config, nest_config_free);
}

int nest_daemon_main(int argc, char **argv, NestMakeBackend make_backend, NestMakeHands make_hands)
{
    Options options = {0};
    Daemon daemon = {0};
    g_autoptr(GError) error = NULL;
    gboolean parsed = parse(&options, argc, argv, &error);
    g_autofree char *path = options.config_path;
    if (!parsed)
        return complain(error);
    if (options.version || options.print_config) {
        g_autofree char *text =
            options.version ? g_strdup("nestd " NEST_VERSION "\n") : nest_config_describe();
        g_print("%s", text);
        return EXIT_SUCCESS;
    }
    prepare_process();
    daemon.config = nest_config_load(path, &error);
    gboolean up = daemon.config != NULL && set_up(&daemon, make_backend, make_hands, &error);
    if (up)
        serve(&daemon);
    tear_down(&daemon);
    return up ? EXIT_SUCCESS : complain(error);
}
