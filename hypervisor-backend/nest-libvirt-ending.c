/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-libvirt.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What comes after a VM of boot(): somebody ends it, and takes its folder and its log away. */

#define PREFIX "nest-boot-"
/* How long a QEMU that is killed may take to go, or one whose guest has turned itself off. */
#define GONE_TIMEOUT_MS 5000

/* ---- its folder ---- */

static gboolean fail_folder(const char *path, int number, GError **error)
{
    nest_set_error(error, NEST_ERROR_INTERNAL, NULL, "Cannot make the directory %s: %s", path,
        g_strerror(number));
    return FALSE;
}

/* NULL: any that is for such things. */
static const char *parent_of(const NestLibvirt *self)
{
    return self->embed ? self->options.root : self->options.run_root;
}

/* NULL: it is not there, or somebody else's: of a process that lives, or of this one. The lock goes
 * with the process. */
static NestBootFolder *take_folder(const char *path)
{
    int lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    NestBootFolder *folder;

    if (lock < 0)
        return NULL;
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        close(lock);
        return NULL;
    }
    folder = g_new(NestBootFolder, 1);
    *folder = (NestBootFolder){g_strdup(path), lock};
    return folder;
}

gboolean nest_libvirt_folder_make(NestLibvirt *self, NestBootFolder **ret_folder, GError **error)
{
    const char *parent = parent_of(self);
    g_autofree char *path =
        g_build_filename(parent != NULL ? parent : g_get_tmp_dir(), PREFIX "XXXXXX", NULL);

    if (parent != NULL && g_mkdir_with_parents(parent, 0711) != 0)
        return fail_folder(parent, errno, error);
    /* QEMU runs as another user. */
    if (g_mkdtemp_full(path, 0700) == NULL || chmod(path, 0711) != 0)
        return fail_folder(path, errno, error);
    *ret_folder = take_folder(path);
    return *ret_folder != NULL || fail_folder(path, errno, error);
}

char *nest_libvirt_folder_file(const NestBootFolder *folder, const char *name)
{
    return g_build_filename(folder->path, name, NULL);
}

/* Which libvirt keeps of such a VM for ever. */
static void remove_log(NestLibvirt *self, const char *name)
{
    g_auto(NestLibvirtFolders) folders = nest_libvirt_folders(self);
    g_autofree char *log = g_strdup_printf("%s/%s.log", folders.logs, name);

    if (folders.logs != NULL)
        g_unlink(log);
}

void nest_libvirt_folder_remove(NestLibvirt *self, NestBootFolder *folder)
{
    if (folder == NULL)
        return;
    g_autoptr(GDir) directory = g_dir_open(folder->path, 0, NULL);
    g_autofree char *vm = g_path_get_basename(folder->path);
    const char *name;

    remove_log(self, vm);
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *file = g_build_filename(folder->path, name, NULL);
        g_unlink(file);
    }
    g_rmdir(folder->path);
    close(folder->lock);
    g_free(folder->path);
    g_free(folder);
}

/* ---- its end ---- */

/* A VM on its way out. */
typedef struct {
    NestLibvirt *self;
    char *name;
    virDomainPtr domain; /* NULL: whatever has that name by then */
    NestBootFolder *folder; /* NULL: none, or another's business */
    gboolean kill; /* at once: it does not turn itself off */
    gboolean gone; /* guarded by the lock of self */
} Ending;

static void ending_clear(gpointer data)
{
    Ending *ending = data;

    g_clear_pointer(&ending->domain, virDomainFree);
    g_free(ending->name);
}

static void ending_unref(Ending *ending)
{
    g_atomic_rc_box_release_full(ending, ending_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ending, ending_unref)

void nest_libvirt_count_ending(NestLibvirt *self, int more)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    self->endings += more;
    g_cond_broadcast(&self->changed);
}

static void turn_off(const Ending *ending)
{
    if (!ending->kill &&
        nest_libvirt_wait_off(ending->self, ending->domain, GONE_TIMEOUT_MS, NULL, NULL))
        return;
    virDomainDestroy(ending->domain);
    nest_libvirt_wait_off(ending->self, ending->domain, GONE_TIMEOUT_MS, NULL, NULL);
}

static void look_up(Ending *ending)
{
    g_autoptr(virConnect) connection = NULL;

    if (nest_libvirt_get(ending->self, &connection, NULL))
        ending->domain = virDomainLookupByName(connection, ending->name);
}

static gpointer run_ending(gpointer data)
{
    g_autoptr(Ending) ending = data;
    NestLibvirt *self = ending->self;

    if (ending->domain == NULL)
        look_up(ending);
    if (ending->domain != NULL)
        turn_off(ending);
    if (ending->folder != NULL)
        nest_libvirt_folder_remove(self, ending->folder);
    else
        remove_log(self, ending->name);
    g_clear_pointer(&ending->domain, virDomainFree);
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
    ending->gone = TRUE;
    self->endings--;
    g_cond_broadcast(&self->changed);
    return NULL;
}

/* Takes domain and folder over. */
static Ending *ending_new(
    NestLibvirt *self, const char *name, virDomainPtr domain, NestBootFolder *folder, gboolean kill)
{
    Ending *ending = g_atomic_rc_box_new0(Ending);

    *ending = (Ending){self, g_strdup(name), domain, folder, kill, FALSE};
    nest_libvirt_count_ending(self, 1);
    g_thread_unref(g_thread_new("boot-end", run_ending, g_atomic_rc_box_acquire(ending)));
    return ending;
}

void nest_libvirt_let_end(NestLibvirt *self, virDomainPtr domain, NestBootFolder *folder)
{
    ending_unref(ending_new(self, virDomainGetName(domain), domain, folder, FALSE));
}

void nest_libvirt_end(NestLibvirt *self, virDomainPtr domain, NestBootFolder *folder)
{
    gint64 deadline = g_get_monotonic_time() + GONE_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND;
    g_autoptr(Ending) ending = ending_new(self, virDomainGetName(domain), domain, folder, TRUE);
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    while (!ending->gone && g_cond_wait_until(&self->changed, &self->lock, deadline))
        ;
}

void nest_libvirt_end_named(NestLibvirt *self, const char *name)
{
    ending_unref(ending_new(self, name, NULL, NULL, TRUE));
}

gboolean nest_libvirt_await_endings(NestLibvirt *self, guint left, gint64 deadline)
{
    gboolean in_time = TRUE;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    while (self->endings > left && in_time)
        in_time = g_cond_wait_until(&self->changed, &self->lock, deadline);
    return self->endings <= left;
}

/* ---- what a process left that died ---- */

/* Its kernel lies where this nestd keeps them, and nobody else. */
static gboolean has_our_kernel(virDomainPtr domain, const char *parent)
{
    g_autofree char *path = g_build_filename(parent, virDomainGetName(domain), "kernel", NULL);
    g_autofree char *kernel = g_markup_printf_escaped("<kernel>%s</kernel>", path);
    char *xml = virDomainGetXMLDesc(domain, 0);
    gboolean ours = xml != NULL && strstr(xml, kernel) != NULL;

    free(xml);
    return ours;
}

/* Takes domain over. One whose folder is somebody's is that one's. */
static void clean_up(NestLibvirt *self, virDomainPtr domain, const char *parent)
{
    g_autofree char *path = g_build_filename(parent, virDomainGetName(domain), NULL);
    NestBootFolder *folder = NULL;

    if (g_str_has_prefix(virDomainGetName(domain), PREFIX) &&
        (self->embed || has_our_kernel(domain, parent)) &&
        ((folder = take_folder(path)) != NULL || !g_file_test(path, G_FILE_TEST_EXISTS)))
        nest_libvirt_end(self, domain, folder);
    else
        virDomainFree(domain);
}

static void remove_folders(NestLibvirt *self, const char *parent)
{
    g_autoptr(GDir) directory = g_dir_open(parent, 0, NULL);
    const char *name;

    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *path = g_build_filename(parent, name, NULL);
        NestBootFolder *folder = g_str_has_prefix(name, PREFIX) ? take_folder(path) : NULL;
        if (folder != NULL)
            nest_libvirt_folder_remove(self, folder);
    }
}

void nest_libvirt_boot_clean(NestLibvirt *self, virConnectPtr connection)
{
    const char *parent = parent_of(self);
    virDomainPtr *domains = NULL;

    if (parent == NULL)
        return;
    int n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
    for (int i = 0; i < n; i++)
        clean_up(self, domains[i], parent);
    free(domains);
    remove_folders(self, parent);
}
