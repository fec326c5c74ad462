/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-embed.h"
#include "nest-error.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define GROUPS_MAX 256
#define LOCAL_MAX (64 * 1024)

/* QEMU's user must be able to reach what libvirt gives it below the root. */
#define DIRECTORY_MODE 0711

static const char *const directories[] = {"lib", "log", "cache"};

/* In the order of preference. */
static const char *const users[] = {"nestd-qemu", "libvirt-qemu"};

void nest_qemu_user_clear(NestQemuUser *user)
{
    g_clear_pointer(&user->user, g_free);
    g_clear_pointer(&user->group, g_free);
}

gboolean nest_libvirt_embed_may_open(
    const struct stat *status, uid_t uid, const gid_t *groups, gsize n_groups)
{
    const mode_t both = 06;

    if (uid == 0)
        return TRUE;
    if (status->st_uid == uid)
        return ((status->st_mode >> 6) & both) == both;
    for (gsize i = 0; i < n_groups; i++)
        if (status->st_gid == groups[i])
            return ((status->st_mode >> 3) & both) == both;
    return (status->st_mode & both) == both;
}

char *nest_libvirt_embed_config(const NestQemuUser *user, const char *local)
{
    GString *text = g_string_new("# written by nestd at each start: changes belong into\n"
                                 "# qemu.local.conf beside it\n");

    /* The first of two settings of the same name is the one libvirt takes. */
    if (local != NULL && *local != '\0')
        g_string_append_printf(
            text, "\n# qemu.local.conf\n%s\n# end of qemu.local.conf\n\n", local);
    g_string_append(text,
        "# there is no virtlogd to hand QEMU's output to\n"
        "stdio_handler = \"file\"\n"
        "# guest memory stays out of core files\n"
        "max_core = 0\n"
        "dump_guest_core = 0\n"
        "set_process_name = 1\n");
    if (user != NULL)
        g_string_append_printf(text, "user = \"%s\"\ngroup = \"%s\"\n", user->user, user->group);
    return g_string_free(text, FALSE);
}

gboolean nest_libvirt_embed_check_root(const char *root, GError **error)
{
    if (root == NULL || !g_path_is_absolute(root) || strpbrk(root, "\"\\\n") != NULL) {
        nest_set_error(error, NEST_ERROR_CONFIG, "set an absolute path",
            "The root directory of the embedded hypervisor is no absolute path: %s",
            root != NULL ? root : "(none)");
        return FALSE;
    }
    if (strlen(root) > NEST_LIBVIRT_ROOT_MAX) {
        nest_set_error(error, NEST_ERROR_CONFIG, "choose a shorter path, such as /var/lib/nestd/vm",
            "The root directory of the embedded hypervisor, %s, is longer than the %d bytes that "
            "leave room for the sockets of a VM",
            root, NEST_LIBVIRT_ROOT_MAX);
        return FALSE;
    }
    return TRUE;
}

/* Fills *ret_user from the account name, with group or else its primary group. */
static gboolean look_up(
    const char *name, const char *group, NestQemuUser *ret_user, uid_t *ret_uid, gid_t *ret_gid)
{
    char buffer[4096], group_buffer[16384];
    struct passwd account, *found = NULL;
    struct group entry, *found_group = NULL;

    if (getpwnam_r(name, &account, buffer, sizeof buffer, &found) != 0 || found == NULL)
        return FALSE;
    if (group != NULL)
        getgrnam_r(group, &entry, group_buffer, sizeof group_buffer, &found_group);
    else
        getgrgid_r(account.pw_gid, &entry, group_buffer, sizeof group_buffer, &found_group);
    if (found_group == NULL)
        return FALSE;
    ret_user->user = g_strdup(name);
    ret_user->group = g_strdup(found_group->gr_name);
    *ret_uid = account.pw_uid;
    *ret_gid = found_group->gr_gid;
    return TRUE;
}

static gboolean can_use(const char *kvm, const char *user, uid_t uid, gid_t gid)
{
    gid_t groups[GROUPS_MAX];
    int n = GROUPS_MAX;
    struct stat status;

    if (stat(kvm, &status) != 0)
        return TRUE;
    if (getgrouplist(user, gid, groups, &n) < 0)
        n = GROUPS_MAX;
    return nest_libvirt_embed_may_open(&status, uid, groups, (gsize)n);
}

static gboolean is_auto(const char *name)
{
    return name == NULL || strcmp(name, "auto") == 0;
}

gboolean nest_libvirt_embed_choose_user(
    const NestLibvirtOptions *options, const char *kvm, NestQemuUser *ret_user, GError **error)
{
    const char *group = is_auto(options->qemu_group) ? NULL : options->qemu_group;
    uid_t uid;
    gid_t gid;

    if (!is_auto(options->qemu_user)) {
        if (look_up(options->qemu_user, group, ret_user, &uid, &gid))
            return TRUE;
        nest_set_error(error, NEST_ERROR_CONFIG, "create it, or set qemu_user = auto",
            "The user %s%s%s that QEMU shall run as does not exist", options->qemu_user,
            group != NULL ? " or the group " : "", group != NULL ? group : "");
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(users); i++) {
        g_auto(NestQemuUser) user = {NULL, NULL};

        if (!look_up(users[i], group, &user, &uid, &gid) || !can_use(kvm, users[i], uid, gid))
            continue;
        *ret_user = user;
        user = (NestQemuUser){NULL, NULL};
        return TRUE;
    }
    ret_user->user = g_strdup("root");
    ret_user->group = g_strdup("root");
    return TRUE;
}

static gboolean fail(GError **error, int number, const char *what, const char *path)
{
    nest_set_error(
        error, NEST_ERROR_CONFIG, NULL, "Cannot %s %s: %s", what, path, g_strerror(number));
    return FALSE;
}

static gboolean make_directory(const char *path, GError **error)
{
    struct stat status;

    if (mkdir(path, DIRECTORY_MODE) != 0 && errno != EEXIST)
        return fail(error, errno, "make the directory", path);
    if (lstat(path, &status) != 0)
        return fail(error, errno, "read", path);
    if (!S_ISDIR(status.st_mode))
        return fail(error, ENOTDIR, "use", path);
    if ((status.st_mode & DIRECTORY_MODE) != DIRECTORY_MODE &&
        chmod(path, status.st_mode | DIRECTORY_MODE) != 0)
        return fail(error, errno, "open up", path);
    return TRUE;
}

/* Makes ROOT/run a link to run_root. One that is there is replaced unless it may hold the state
 * of running VMs. */
static gboolean link_run(const char *root, const char *run_root, GError **error)
{
    g_autofree char *run = g_build_filename(root, "run", NULL);
    g_autofree char *present = g_file_read_link(run, NULL);
    g_autofree char *state = g_build_filename(run, "qemu", NULL);

    if (!make_directory(run_root, error))
        return FALSE;
    if (g_strcmp0(present, run_root) == 0)
        return TRUE;
    if (g_file_test(state, G_FILE_TEST_EXISTS)) {
        nest_set_error(error, NEST_ERROR_CONFIG,
            "power all VMs off, stop nestd and remove it, or set run_root back",
            "%s holds the run-time state of another run_root", run);
        return FALSE;
    }
    if (g_remove(run) != 0 && errno != ENOENT)
        return fail(error, errno, "replace", run);
    if (symlink(run_root, run) != 0)
        return fail(error, errno, "make the link", run);
    return TRUE;
}

static gboolean write_config(const char *directory, const NestQemuUser *user, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "qemu.conf", NULL);
    g_autofree char *local_path = g_build_filename(directory, "qemu.local.conf", NULL);
    g_autofree char *local = NULL;
    g_autofree char *text = NULL;
    g_autofree char *present = NULL;
    g_autoptr(GError) why = NULL;
    gsize length = 0;

    if (!g_file_get_contents(local_path, &local, &length, &why) &&
        !g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        nest_set_error(error, NEST_ERROR_CONFIG, NULL, "%s", why->message);
        return FALSE;
    }
    if (length > LOCAL_MAX)
        return fail(error, EFBIG, "read", local_path);
    text = nest_libvirt_embed_config(user, local);
    if (g_file_get_contents(path, &present, NULL, NULL) && strcmp(present, text) == 0)
        return TRUE;
    g_clear_error(&why);
    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &why))
        return TRUE;
    nest_set_error(error, NEST_ERROR_CONFIG, NULL, "%s", why->message);
    return FALSE;
}

gboolean nest_libvirt_embed_prepare(const NestLibvirtOptions *options, GError **error)
{
    g_autofree char *etc = g_build_filename(options->root, "etc", NULL);
    gboolean privileged = geteuid() == 0;
    g_auto(NestQemuUser) user = {NULL, NULL};

    if (privileged && !nest_libvirt_embed_choose_user(options, "/dev/kvm", &user, error))
        return FALSE;
    if (!make_directory(options->root, error) || !make_directory(etc, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
        g_autofree char *path = g_build_filename(options->root, directories[i], NULL);

        if (!make_directory(path, error))
            return FALSE;
    }
    if (options->run_root != NULL) {
        if (!link_run(options->root, options->run_root, error))
            return FALSE;
    } else {
        g_autofree char *run = g_build_filename(options->root, "run", NULL);

        if (!g_file_test(run, G_FILE_TEST_IS_SYMLINK) && !make_directory(run, error))
            return FALSE;
    }
    return write_config(etc, privileged ? &user : NULL, error);
}

char *nest_libvirt_embed_uri(const char *root)
{
    g_autofree char *escaped = g_uri_escape_string(root, "/", TRUE);

    return g_strdup_printf("qemu:///embed?root=%s", escaped);
}

gint64 nest_libvirt_embed_holder(const char *root)
{
    g_autofree char *path = g_build_filename(root, "run", "qemu", "driver.pid", NULL);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    gint64 holder = 0;

    if (fd < 0)
        return 0;
    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        holder = lock.l_pid;
    close(fd);
    return holder;
}
