/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include "nest-error.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* A VM that exists nowhere but in one call. libvirtd turns it off where the connection closes; the
 * embedded driver knows no such thing, and open() looks for what a process that died left. */

#define PREFIX "nest-boot-"
#define CONSOLE_MAX (64 * 1024)
#define PIECE 4096
/* How long a QEMU that is killed may take to go, or one whose guest has turned itself off. */
#define GONE_TIMEOUT_MS 5000
/* The same for all that are to go. */
#define SETTLE_TIMEOUT_MS 30000
/* So many may be on their way out where another is begun. */
#define ENDINGS_MAX 2
/* Each byte of the console is told; this is for what is not. */
#define LOOK_AGAIN_MS 1000

static gboolean fail_file(const char *what, const char *path, int number, GError **error)
{
    nest_set_error(
        error, NEST_ERROR_INTERNAL, NULL, "Cannot %s %s: %s", what, path, g_strerror(number));
    return FALSE;
}

/* Where QEMU can reach what is put there: it runs as another user. */
static gboolean make_directory(NestLibvirt *self, char **ret_directory, GError **error)
{
    const char *parent = self->embed ? self->options.root : self->options.run_root;
    g_autofree char *path =
        g_build_filename(parent != NULL ? parent : g_get_tmp_dir(), PREFIX "XXXXXX", NULL);
    if (parent != NULL && g_mkdir_with_parents(parent, 0711) != 0)
        return fail_file("make the directory", parent, errno, error);
    if (g_mkdtemp_full(path, 0700) == NULL || chmod(path, 0711) != 0)
        return fail_file("make the directory", path, errno, error);
    *ret_directory = g_steal_pointer(&path);
    return TRUE;
}

static gboolean write_kernel(const char *path, GBytes *kernel, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (g_file_set_contents_full(path, g_bytes_get_data(kernel, NULL),
            (gssize)g_bytes_get_size(kernel), G_FILE_SET_CONTENTS_NONE, 0600, &why))
        return chmod(path, 0644) == 0 || fail_file("open up", path, errno, error);
    nest_set_error(error, NEST_ERROR_INTERNAL, NULL, "%s", why->message);
    return FALSE;
}

/* And, first, the log that the embedded driver keeps of such a VM for ever. */
static void remove_directory(const char *path)
{
    const char *name;
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *own = g_path_get_basename(path);
    g_autofree char *log = g_strdup_printf("%s/log/qemu/%s.log", parent, own);
    g_unlink(log);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_unlink(file);
    }
    g_rmdir(path);
}

/* Only a driver that is another process can turn it off with the connection. */
static virDomainPtr create(NestLibvirt *self, virConnectPtr connection, const char *xml)
{
    unsigned int flags = self->embed ? 0 : VIR_DOMAIN_START_AUTODESTROY;
    virDomainPtr domain = virDomainCreateXML(connection, xml, flags);
    int number = virGetLastErrorCode();
    if (domain == NULL && flags != 0 &&
        (number == VIR_ERR_NO_SUPPORT || number == VIR_ERR_INVALID_ARG))
        domain = virDomainCreateXML(connection, xml, 0);
    return domain;
}

static void fail_start(virConnectPtr connection, GError **error)
{
    g_autofree char *message = g_strdup(virGetLastErrorMessage());
    NestErrorCode code = nest_virt_error_start_code(virGetLastErrorCode(), message);
    g_autoptr(GError) why = NULL;
    nest_virt_error_set(&why, connection, "Cannot start a virtual machine");
    if (code == NEST_ERROR_HOST_UNFIT && nest_error_code(why) != NEST_ERROR_BACKEND_UNAVAILABLE)
        nest_set_error(error, code, NULL, "%s", why->message);
    else
        g_propagate_error(error, g_steal_pointer(&why));
}

static void destroy(NestLibvirt *self, virDomainPtr domain)
{
    virDomainDestroy(domain);
    nest_libvirt_wait_off(self, domain, GONE_TIMEOUT_MS, NULL, NULL);
}

/* ---- its report ---- */

typedef struct {
    NestLibvirt *self;
    virDomainPtr domain;
    const char *path; /* of the console */
    const char *end; /* NULL: none is waited for */
    gint64 deadline;
    GCancellable *cancellable;
    int fd; /* -1 until it could be opened */
    GByteArray *said;
    gsize line; /* where the one begins that is not whole */
} Wait;

/* The guest may have written more than anybody wants to read. */
static gboolean read_more(Wait *wait, GError **error)
{
    guint8 piece[PIECE];
    ssize_t n = 1;
    if (wait->fd < 0)
        wait->fd = open(wait->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (wait->fd < 0)
        return fail_file("read", wait->path, errno, error);
    while (wait->said->len < CONSOLE_MAX && n > 0) {
        n = read(wait->fd, piece, MIN(sizeof piece, CONSOLE_MAX - wait->said->len));
        if (n > 0)
            g_byte_array_append(wait->said, piece, (guint)n);
    }
    return TRUE;
}

typedef enum {
    SAID_SOME,
    SAID_ALL, /* a whole line that begins as the last one does */
    SAID_TOO_MUCH /* more than is read, without it */
} Said;

static Said listen(Wait *wait)
{
    const GByteArray *said = wait->said;
    gsize length = strlen(wait->end);
    const guint8 *newline;
    read_more(wait, NULL);
    while ((newline = memchr(said->data + wait->line, '\n', said->len - wait->line)) != NULL) {
        const guint8 *line = said->data + wait->line;
        if ((gsize)(newline - line) >= length && memcmp(line, wait->end, length) == 0)
            return SAID_ALL;
        wait->line += (gsize)(newline - line) + 1;
    }
    return said->len >= CONSOLE_MAX ? SAID_TOO_MUCH : SAID_SOME;
}

typedef enum { TOLD_NOTHING, TOLD_MORE, TOLD_CLOSED } Told;

static Told take_tidings(int watch)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    Told told = TOLD_NOTHING;
    ssize_t n;
    while (watch >= 0 && (n = read(watch, buffer, sizeof buffer)) > 0)
        for (char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const void *)at;
            told = MAX(told, (event->mask & IN_CLOSE_WRITE) != 0 ? TOLD_CLOSED : TOLD_MORE);
            at += sizeof *event + event->len;
        }
    return told;
}

/* Until something is told of the file, it is cancelled, or it is time to look. */
static Told sleep_until_told(const Wait *wait, int watch)
{
    GPollFD fds[] = {{watch, G_IO_IN, 0}, {-1, 0, 0}};
    gint64 left_ms = (wait->deadline - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND + 1;
    gboolean cancellable =
        wait->cancellable != NULL && g_cancellable_make_pollfd(wait->cancellable, &fds[1]);
    g_poll(fds, cancellable ? 2 : 1, (int)CLAMP(left_ms, 0, LOOK_AGAIN_MS));
    if (cancellable)
        g_cancellable_release_fd(wait->cancellable);
    return take_tidings(watch);
}

/* FALSE without an error: it still runs. */
static gboolean is_off(const Wait *wait, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (g_cancellable_is_cancelled(wait->cancellable))
        nest_set_error(&why, NEST_ERROR_ABORTED, NULL, "Waiting for %s was aborted",
            virDomainGetName(wait->domain));
    else if (nest_libvirt_wait_off(wait->self, wait->domain, 0, NULL, &why))
        return TRUE;
    if (nest_error_code(why) != NEST_ERROR_TIMEOUT)
        g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean wait_for_line(Wait *wait, int watch, GError **error)
{
    while (g_get_monotonic_time() < wait->deadline && listen(wait) == SAID_SOME) {
        g_autoptr(GError) why = NULL;
        Told told = sleep_until_told(wait, watch);
        if (told == TOLD_CLOSED || (told == TOLD_NOTHING && is_off(wait, &why)))
            return TRUE;
        if (why != NULL) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return TRUE;
}

/* FALSE with ABORTED or BACKEND_UNAVAILABLE; that the line did not come is no failure. */
static gboolean wait_for_end(Wait *wait, GError **error)
{
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch >= 0)
        inotify_add_watch(watch, wait->path, IN_MODIFY | IN_CLOSE_WRITE);
    gboolean good = wait_for_line(wait, watch, error);
    if (watch >= 0)
        close(watch);
    return good;
}

/* The same; that it took too long is none either. It is off then. */
static gboolean wait_for_off(const Wait *wait, GError **error)
{
    g_autoptr(GError) why = NULL;
    gint64 left_us = MAX(wait->deadline - g_get_monotonic_time(), 0);
    if (nest_libvirt_wait_off(wait->self, wait->domain, (guint)(left_us / G_TIME_SPAN_MILLISECOND),
            wait->cancellable, &why))
        return TRUE;
    destroy(wait->self, wait->domain);
    if (nest_error_code(why) == NEST_ERROR_TIMEOUT)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* ---- its end ---- */

/* A VM that has said all, and turns itself off. */
typedef struct {
    NestLibvirt *self;
    virDomainPtr domain;
    char *directory;
} Ending;

static gpointer end(gpointer data)
{
    g_autofree Ending *ending = data;
    NestLibvirt *self = ending->self;
    if (!nest_libvirt_wait_off(self, ending->domain, GONE_TIMEOUT_MS, NULL, NULL))
        destroy(self, ending->domain);
    remove_directory(ending->directory);
    g_free(ending->directory);
    virDomainFree(ending->domain);
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    self->endings--;
    g_cond_broadcast(&self->changed);
    return NULL;
}

/* Takes both over. */
static void leave_to_end(NestLibvirt *self, virDomainPtr domain, char *directory)
{
    Ending *ending = g_new(Ending, 1);
    *ending = (Ending){self, domain, directory};
    g_mutex_lock(&self->lock);
    self->endings++;
    g_mutex_unlock(&self->lock);
    g_thread_unref(g_thread_new("boot-end", end, ending));
}

/* Waits until no more than so many are left. */
static gboolean wait_for_endings(NestLibvirt *self, guint left)
{
    gint64 deadline = g_get_monotonic_time() + SETTLE_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND;
    gboolean in_time = TRUE;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    while (self->endings > left && in_time)
        in_time = g_cond_wait_until(&self->changed, &self->lock, deadline);
    return self->endings <= left;
}

gboolean nest_libvirt_boot_settle(NestLibvirt *self)
{
    return wait_for_endings(self, 0);
}

/* ---- all of it ---- */

static virDomainPtr create_with(
    NestLibvirt *self, virConnectPtr connection, NestBootDomain *wanted, GError **error)
{
    g_autofree char *xml = nest_domain_boot_xml(wanted, error);
    virDomainPtr domain = xml != NULL ? create(self, connection, xml) : NULL;
    if (xml != NULL && domain == NULL)
        fail_start(connection, error);
    return domain;
}

/* QEMU's own firmware for what is booted directly. It takes a small part of SeaBIOS's time. NULL
 * where it is not installed, or that can't be seen from here. */
static const char *quick_firmware(void)
{
    static const char *const paths[] = {"/usr/share/qemu/qboot.rom",
        "/usr/share/qemu-kvm/qboot.rom", "/usr/local/share/qemu/qboot.rom"};
    struct stat status;
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        if (stat(paths[i], &status) == 0 && S_ISREG(status.st_mode) &&
            (status.st_mode & S_IROTH) != 0)
            return paths[i];
    return NULL;
}

/* The words of CPUID tell all that is asked for of the host's CPU. What libvirt itself asks about a
 * VM's own CPU is left to it, and firmware that knows its machine. */
static virDomainPtr start(
    NestLibvirt *self, virConnectPtr connection, NestBootDomain *wanted, GError **error)
{
    g_autoptr(GError) why = NULL;
    wanted->brief = wanted->like == NULL;
    virDomainPtr domain = create_with(self, connection, wanted, &why);
    if (domain == NULL && wanted->brief && nest_error_code(why) != NEST_ERROR_HOST_UNFIT) {
        wanted->brief = FALSE;
        wanted->firmware = NULL;
        g_clear_error(&why);
        domain = create_with(self, connection, wanted, &why);
    }
    if (domain == NULL)
        g_propagate_error(error, g_steal_pointer(&why));
    return domain;
}

/* *told: it has said all, and is left to end. Else it is off: what floods its console fills the
 * disk. */
static gboolean hear(Wait *wait, gboolean *told, GError **error)
{
    Said said = SAID_SOME;
    if (wait->end != NULL && !wait_for_end(wait, error)) {
        destroy(wait->self, wait->domain);
        return FALSE;
    }
    if (wait->end != NULL)
        said = listen(wait);
    if (said == SAID_TOO_MUCH)
        destroy(wait->self, wait->domain);
    *told = said == SAID_ALL;
    return said != SAID_SOME || (wait_for_off(wait, error) && read_more(wait, error));
}

/* directory is NULL afterwards where it is left to the VM that goes. */
static gboolean boot_in(NestLibvirt *self, const NestBoot *boot, const char *firmware,
    char **directory, GCancellable *cancellable, GBytes **ret_console, GError **error)
{
    g_autofree char *kernel = g_build_filename(*directory, "kernel", NULL);
    g_autofree char *console = g_build_filename(*directory, "console", NULL);
    g_autofree char *name = g_path_get_basename(*directory);
    NestBootDomain wanted = {
        name, boot->accel, boot->extension, kernel, boot->cmdline, console, boot->like};
    wanted.firmware = firmware;
    g_autoptr(virConnect) connection = NULL;
    if (!nest_libvirt_get(self, &connection, error) || !write_kernel(kernel, boot->kernel, error))
        return FALSE;
    g_autoptr(virDomain) domain = start(self, connection, &wanted, error);
    if (domain == NULL)
        return FALSE;
    Wait wait = {self, domain, console, boot->end,
        g_get_monotonic_time() + (gint64)boot->timeout_ms * G_TIME_SPAN_MILLISECOND, cancellable,
        .fd = -1, .said = g_byte_array_sized_new(PIECE)};
    gboolean told = FALSE, good = hear(&wait, &told, error);
    g_autoptr(GBytes) said = g_byte_array_free_to_bytes(wait.said);
    if (wait.fd >= 0)
        close(wait.fd);
    if (good)
        *ret_console = g_steal_pointer(&said);
    if (told)
        leave_to_end(self, g_steal_pointer(&domain), g_steal_pointer(directory));
    return good;
}

static gboolean boot_with(NestLibvirt *self, const NestBoot *boot, const char *firmware,
    GCancellable *cancellable, GBytes **ret_console, GError **error)
{
    g_autofree char *directory = NULL;
    if (!wait_for_endings(self, ENDINGS_MAX - 1)) {
        nest_set_error(error, NEST_ERROR_TIMEOUT, "try again",
            "virtual machines that are off are "
            "still there");
        return FALSE;
    }
    if (!make_directory(self, &directory, error))
        return FALSE;
    gboolean good = boot_in(self, boot, firmware, &directory, cancellable, ret_console, error);
    if (directory != NULL)
        remove_directory(directory);
    return good;
}

gboolean nest_libvirt_boot(NestBackend *backend, const NestBoot *boot, GCancellable *cancellable,
    GBytes **ret_console, GError **error)
{
    NestLibvirt *self = (NestLibvirt *)backend;
    const char *quick = boot->like == NULL ? quick_firmware() : NULL;
    g_autoptr(GBytes) console = NULL;
    if (!boot_with(self, boot, quick, cancellable, &console, error))
        return FALSE;
    /* That may be the firmware's fault, and shall not be taken for one of the host. */
    if (quick != NULL && g_bytes_get_size(console) == 0) {
        g_clear_pointer(&console, g_bytes_unref);
        if (!boot_with(self, boot, NULL, cancellable, &console, error))
            return FALSE;
    }
    *ret_console = g_steal_pointer(&console);
    return TRUE;
}

void nest_libvirt_boot_clean(NestLibvirt *self, virConnectPtr connection)
{
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
    for (int i = 0; i < n; i++) {
        if (g_str_has_prefix(virDomainGetName(domains[i]), PREFIX)) {
            destroy(self, domains[i]);
        }
        virDomainFree(domains[i]);
    }
    free(domains);
    g_autoptr(GDir) root = g_dir_open(self->options.root, 0, NULL);
    const char *name;
    while (root != NULL && (name = g_dir_read_name(root)) != NULL) {
        g_autofree char *path = g_build_filename(self->options.root, name, NULL);
        if (g_str_has_prefix(name, PREFIX))
            remove_directory(path);
    }
}
