/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include "nest-error.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <errno.h>
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* A VM that exists nowhere but in one call: see nest-libvirt-ending.c for what comes after. */

/* In its folder. */
#define KERNEL "kernel"
#define CONSOLE "console"
#define CONSOLE_MAX (64 * 1024)
#define PIECE 4096
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

static gboolean write_kernel(const char *path, GBytes *kernel, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (g_file_set_contents_full(path, g_bytes_get_data(kernel, NULL),
            (gssize)g_bytes_get_size(kernel), G_FILE_SET_CONTENTS_NONE, 0600, &why))
        return chmod(path, 0644) == 0 || fail_file("open up", path, errno, error);
    nest_set_error(error, NEST_ERROR_INTERNAL, NULL, "%s", why->message);
    return FALSE;
}

/* ---- its start ---- */

/* Where nobody waits for it any more it may still come: so it counts as a VM on its way out. */
typedef struct {
    NestLibvirt *self;
    virConnectPtr connection;
    char *xml;
    char *plain_xml; /* tried where xml is not taken; NULL: no other */
    gint64 deadline;
    virDomainPtr domain;
    NestBootFolder *folder;
} Creation;

static void creation_free(gpointer data)
{
    Creation *creation = data;
    NestLibvirt *self = creation->self;
    if (creation->domain != NULL)
        nest_libvirt_end(self, creation->domain, creation->folder);
    else
        nest_libvirt_folder_remove(self, creation->folder);
    g_clear_pointer(&creation->connection, virConnectClose);
    g_free(creation->xml);
    g_free(creation->plain_xml);
    g_free(creation);
    nest_libvirt_count_ending(self, -1);
}

/* Only a driver that is another process can turn it off with the connection. */
static virDomainPtr create(const Creation *creation, const char *xml)
{
    unsigned int flags = creation->self->embed ? 0 : VIR_DOMAIN_START_AUTODESTROY;
    virDomainPtr domain = virDomainCreateXML(creation->connection, xml, flags);
    int number = virGetLastErrorCode();
    if (domain == NULL && flags != 0 &&
        (number == VIR_ERR_NO_SUPPORT || number == VIR_ERR_INVALID_ARG))
        domain = virDomainCreateXML(creation->connection, xml, 0);
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

/* On a thread of its own: a QEMU that hangs before its monitor answers is waited for. */
static gboolean create_either(gpointer data, GError **error)
{
    Creation *creation = data;
    g_autoptr(GError) why = NULL;
    creation->domain = create(creation, creation->xml);
    if (creation->domain == NULL)
        fail_start(creation->connection, &why);
    if (why != NULL && creation->plain_xml != NULL &&
        nest_error_code(why) != NEST_ERROR_HOST_UNFIT &&
        g_get_monotonic_time() < creation->deadline) {
        g_clear_error(&why);
        creation->domain = create(creation, creation->plain_xml);
        if (creation->domain == NULL)
            fail_start(creation->connection, &why);
    }
    if (why != NULL)
        g_propagate_error(error, g_steal_pointer(&why));
    return creation->domain != NULL;
}

/* ---- its report ---- */

typedef struct {
    NestLibvirt *self;
    virDomainPtr domain;
    const char *path; /* of the console */
    const char *end; /* NULL: none is waited for */
    gint64 first_word; /* until then it must have said something */
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

static gint64 left_us(const Wait *wait)
{
    gint64 until = wait->said->len > 0 ? wait->deadline : wait->first_word;
    return MAX(until - g_get_monotonic_time(), 0);
}

/* Until something is told of the file, it is cancelled, or it is time to look. */
static Told sleep_until_told(const Wait *wait, int watch)
{
    GPollFD fds[] = {{watch, G_IO_IN, 0}, {-1, 0, 0}};
    gint64 left_ms = left_us(wait) / G_TIME_SPAN_MILLISECOND + 1;
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
    while (listen(wait) == SAID_SOME && left_us(wait) > 0) {
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

/* The same; that it took too long is none either. */
static gboolean wait_for_off(const Wait *wait, GError **error)
{
    g_autoptr(GError) why = NULL;
    guint left_ms = (guint)(left_us(wait) / G_TIME_SPAN_MILLISECOND);
    if (nest_libvirt_wait_off(wait->self, wait->domain, left_ms, wait->cancellable, &why) ||
        nest_error_code(why) == NEST_ERROR_TIMEOUT)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* *told: it has said all. Else it is off, or has to be turned off: what floods its console fills
 * the disk. */
static gboolean hear(Wait *wait, gboolean *told, GError **error)
{
    Said said = SAID_SOME;
    if (wait->end != NULL && !wait_for_end(wait, error))
        return FALSE;
    if (wait->end != NULL)
        said = listen(wait);
    *told = said == SAID_ALL;
    return said != SAID_SOME || (wait_for_off(wait, error) && read_more(wait, error));
}

/* ---- all of it ---- */

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

/* One of the two tries that a boot has, with the deadline of both. */
typedef struct {
    NestLibvirt *self;
    const NestBoot *boot;
    const char *firmware; /* NULL: the machine's own */
    gboolean halve; /* there is another one, in case that this VM is silent */
    gint64 deadline;
    GCancellable *cancellable;
} Try;

/* libvirt takes the first one if it can, and else the plain one. The words of CPUID tell all that
 * is asked for of the host's CPU. What libvirt itself asks about a VM's own CPU is left to it, and
 * firmware that knows its machine. */
static gboolean describe(const Try *try, Creation *creation, GError **error)
{
    const NestBoot *boot = try->boot;
    g_autofree char *kernel = nest_libvirt_folder_file(creation->folder, KERNEL);
    g_autofree char *console = nest_libvirt_folder_file(creation->folder, CONSOLE);
    g_autofree char *name = g_path_get_basename(creation->folder->path);
    NestBootDomain wanted = {
        name, boot->accel, boot->extension, kernel, boot->cmdline, console, boot->like};
    wanted.firmware = try->firmware;
    wanted.brief = boot->like == NULL;
    creation->xml = nest_domain_boot_xml(&wanted, error);
    if (creation->xml == NULL || !write_kernel(kernel, boot->kernel, error))
        return FALSE;
    if (!wanted.brief)
        return TRUE;
    wanted.brief = FALSE;
    wanted.firmware = NULL;
    creation->plain_xml = nest_domain_boot_xml(&wanted, error);
    return creation->plain_xml != NULL;
}

static Creation *creation_new(const Try *try, GError **error)
{
    Creation *creation = g_new0(Creation, 1);
    creation->self = try->self;
    creation->deadline = try->deadline;
    nest_libvirt_count_ending(try->self, 1);
    if (nest_libvirt_get(try->self, &creation->connection, error) &&
        nest_libvirt_folder_make(try->self, &creation->folder, error) &&
        describe(try, creation, error))
        return creation;
    creation_free(creation);
    return NULL;
}

/* What hangs is killed: libvirt then says that it failed. */
static void fail_late(const Try *try, const char *name, GError **error)
{
    nest_libvirt_end_named(try->self, name);
    nest_set_error(error, NEST_ERROR_TIMEOUT, "see libvirt's log, and try again",
        "Cannot start a virtual machine: its QEMU did not answer within %u seconds",
        try->boot->timeout_ms / 1000);
}

static gboolean start(
    const Try *try, virDomainPtr *ret_domain, NestBootFolder **ret_folder, GError **error)
{
    g_autoptr(GError) why = NULL;
    Creation *creation = creation_new(try, error);
    if (creation == NULL)
        return FALSE;
    g_autofree char *name = g_path_get_basename(creation->folder->path);
    gint64 left = MAX(try->deadline - g_get_monotonic_time(), 0);
    if (nest_libvirt_run(create_either, creation, creation_free,
            (guint)(left / G_TIME_SPAN_MILLISECOND), "Cannot start a virtual machine", &why)) {
        *ret_domain = g_steal_pointer(&creation->domain);
        *ret_folder = g_steal_pointer(&creation->folder);
        creation_free(creation);
        return TRUE;
    }
    if (nest_error_code(why) == NEST_ERROR_TIMEOUT)
        fail_late(try, name, error);
    else
        g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean boot_once(const Try *try, GBytes **ret_console, GError **error)
{
    virDomainPtr domain = NULL;
    NestBootFolder *folder = NULL;
    if (!nest_libvirt_await_endings(try->self, ENDINGS_MAX - 1, try->deadline)) {
        nest_set_error(error, NEST_ERROR_TIMEOUT, "try again",
            "virtual machines that are to be off are still there");
        return FALSE;
    }
    if (!start(try, &domain, &folder, error))
        return FALSE;
    g_autofree char *console = nest_libvirt_folder_file(folder, CONSOLE);
    gint64 left = MAX(try->deadline - g_get_monotonic_time(), 0);
    gint64 first_word = try->deadline - (try->halve ? left / 2 : 0);
    Wait wait = {try->self, domain, console, try->boot->end, first_word, try->deadline,
        try->cancellable, .fd = -1, .said = g_byte_array_sized_new(PIECE)};
    gboolean told = FALSE, good = hear(&wait, &told, error);
    g_autoptr(GBytes) said = g_byte_array_free_to_bytes(wait.said);
    if (wait.fd >= 0)
        close(wait.fd);
    if (good)
        *ret_console = g_steal_pointer(&said);
    if (told)
        nest_libvirt_let_end(try->self, domain, folder);
    else
        nest_libvirt_end(try->self, domain, folder);
    return good;
}

/* The first try has half of the time that is left when it runs to say something; if it does, all of
 * it. */
gboolean nest_libvirt_boot(NestBackend *backend, const NestBoot *boot, GCancellable *cancellable,
    GBytes **ret_console, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)boot->timeout_ms * G_TIME_SPAN_MILLISECOND;
    const char *quick = boot->like == NULL ? quick_firmware() : NULL;
    gboolean halve = quick != NULL && boot->end != NULL;
    Try try = {(NestLibvirt *)backend, boot, quick, halve, deadline, cancellable};
    g_autoptr(GBytes) console = NULL;
    if (!boot_once(&try, &console, error))
        return FALSE;
    /* That may be the firmware's fault, and shall not be taken for one of the host. */
    if (quick != NULL && g_bytes_get_size(console) == 0 && g_get_monotonic_time() < try.deadline) {
        g_clear_pointer(&console, g_bytes_unref);
        try.firmware = NULL;
        try.halve = FALSE;
        if (!boot_once(&try, &console, error))
            return FALSE;
    }
    *ret_console = g_steal_pointer(&console);
    return TRUE;
}
