/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-listen.h"
#include "nest-error.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3
#define BACKLOG 512
#define MODE 0660

void nest_listen_free(NestListen *self)
{
    if (self == NULL)
        return;
    if (self->path != NULL)
        unlink(self->path);
    for (guint i = 0; i < self->fds->len; i++)
        close(g_array_index(self->fds, int, i));
    if (self->lock >= 0)
        close(self->lock);
    g_array_unref(self->fds);
    g_free(self->path);
    g_free(self);
}

static gboolean fail(GError **error, const char *what, const char *path)
{
    int problem = errno;
    nest_set_error(error, NEST_ERROR_CONFIG, "see [daemon] socket in nestd.conf(5)",
        "the socket %s can't be %s: %s", path, what, g_strerror(problem));
    return FALSE;
}

static int option(int fd, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

/* How many descriptors the service manager has handed to this very process. */
static guint activated(void)
{
    const char *pid = g_getenv("LISTEN_PID"), *fds = g_getenv("LISTEN_FDS");
    guint64 number = 0;
    if (pid == NULL || fds == NULL || g_ascii_strtoull(pid, NULL, 10) != (guint64)getpid() ||
        !g_ascii_string_to_unsigned(fds, 10, 0, 16, &number, NULL))
        return 0;
    return number;
}

static gboolean adopt(NestListen *self, guint n, GError **error)
{
    g_unsetenv("LISTEN_PID");
    g_unsetenv("LISTEN_FDS");
    g_unsetenv("LISTEN_FDNAMES");
    for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
        if (option(fd, SO_DOMAIN) != AF_UNIX || option(fd, SO_TYPE) != SOCK_STREAM ||
            option(fd, SO_ACCEPTCONN) != 1) {
            nest_set_error(error, NEST_ERROR_CONFIG, "check ListenStream= in nestd.socket",
                "file descriptor %d of the service manager is no listening Unix socket", fd);
            return FALSE;
        }
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        g_array_append_val(self->fds, fd);
    }
    return TRUE;
}

static gboolean already_running(const char *path, GError **error)
{
    nest_set_error(error, NEST_ERROR_ALREADY_RUNNING, "use the running one, or stop it first",
        "another nestd serves %s", path);
    return FALSE;
}

/* Two daemons that start at once must not both find the socket stale. */
static gboolean take_lock(NestListen *self, const char *path, GError **error)
{
    g_autofree char *name = g_strconcat(path, ".lock", NULL);
    self->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (self->lock < 0)
        return fail(error, "locked", path);
    if (flock(self->lock, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    return errno == EWOULDBLOCK ? already_running(path, error) : fail(error, "locked", path);
}

static gboolean remove_stale(const char *path, const struct sockaddr_un *address, GError **error)
{
    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT || fail(error, "looked at", path);
    if (!S_ISSOCK(info.st_mode)) {
        nest_set_error(error, NEST_ERROR_CONFIG, "remove it, or choose another socket",
            "%s is there and is not a socket", path);
        return FALSE;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return fail(error, "probed", path);
    int result = connect(probe, (const struct sockaddr *)address, sizeof *address);
    int problem = errno;
    close(probe);
    if (result == 0 || problem != ECONNREFUSED)
        return already_running(path, error);
    return unlink(path) == 0 || fail(error, "replaced", path);
}

/* -1, which leaves the group alone, where it does not exist. */
static gid_t find_group(const char *name)
{
    struct group *group = name != NULL && *name != '\0' ? getgrnam(name) : NULL;
    return group != NULL ? group->gr_gid : (gid_t)-1;
}

static gboolean bind_at(
    NestListen *self, int fd, const struct sockaddr_un *address, gid_t gid, GError **error)
{
    const char *path = address->sun_path;
    /* Nobody else may connect until mode and group are right. */
    if (fchmod(fd, 0600) != 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        return fail(error, "bound", path);
    self->path = g_strdup(path);
    if (gid != (gid_t)-1 && lchown(path, -1, gid) != 0)
        return fail(error, "given to its group", path);
    if (chmod(path, MODE) != 0)
        return fail(error, "given its mode", path);
    return TRUE;
}

static gboolean bind_own(NestListen *self, const NestConfig *config, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (config->socket[0] != '/' || strlen(config->socket) >= sizeof address.sun_path) {
        nest_set_error(error, NEST_ERROR_CONFIG, "see [daemon] socket in nestd.conf(5)",
            "the path of the socket must be absolute and shorter than 108 bytes: %s",
            config->socket);
        return FALSE;
    }
    g_strlcpy(address.sun_path, config->socket, sizeof address.sun_path);
    g_autofree char *directory = g_path_get_dirname(config->socket);
    if (g_mkdir_with_parents(directory, 0755) != 0)
        return fail(error, "put into its directory", config->socket);
    if (!take_lock(self, config->socket, error) || !remove_stale(config->socket, &address, error))
        return FALSE;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(error, "created", config->socket);
    g_array_append_val(self->fds, fd);
    if (!bind_at(self, fd, &address, find_group(config->socket_group), error))
        return FALSE;
    return listen(fd, BACKLOG) == 0 || fail(error, "opened", config->socket);
}

NestListen *nest_listen_new(const NestConfig *config, GError **error)
{
    g_autoptr(NestListen) result = g_new0(NestListen, 1);
    result->fds = g_array_new(FALSE, FALSE, sizeof(int));
    result->lock = -1;
    guint n = activated();
    gboolean ok = n > 0 ? adopt(result, n, error) : bind_own(result, config, error);
    return ok ? g_steal_pointer(&result) : NULL;
}
