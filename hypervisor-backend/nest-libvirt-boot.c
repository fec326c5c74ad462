/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A VM that exists nowhere but in one call. libvirtd turns it off where the connection closes; the
 * embedded driver knows no such thing, and open() looks for what a process that died left. */

#define PREFIX "nest-boot-"
#define CONSOLE_MAX (64 * 1024)
/* How long a QEMU that is killed may take to go. */
#define GONE_TIMEOUT_MS 5000

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

/* The guest may have written more than anybody wants to read. */
static gboolean read_console(const char *path, GBytes **ret_console, GError **error)
{
    g_autofree char *text = g_malloc(CONSOLE_MAX);
    gsize length = 0;
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return fail_file("read", path, errno, error);
    while (length < CONSOLE_MAX && n > 0) {
        n = read(fd, text + length, CONSOLE_MAX - length);
        length += n > 0 ? (gsize)n : 0;
    }
    close(fd);
    *ret_console = g_bytes_new_take(g_steal_pointer(&text), length);
    return TRUE;
}

static void remove_directory(const char *path)
{
    const char *name;
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

/* FALSE with ABORTED or BACKEND_UNAVAILABLE; that it took too long is no failure. */
static gboolean wait_for(NestLibvirt *self, virDomainPtr domain, guint timeout_ms,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (nest_libvirt_wait_off(self, domain, timeout_ms, cancellable, &why))
        return TRUE;
    virDomainDestroy(domain);
    nest_libvirt_wait_off(self, domain, GONE_TIMEOUT_MS, NULL, NULL);
    if (nest_error_code(why) == NEST_ERROR_TIMEOUT)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean boot_in(NestLibvirt *self, const NestBoot *boot, const char *directory,
    GCancellable *cancellable, GBytes **ret_console, GError **error)
{
    g_autofree char *kernel = g_build_filename(directory, "kernel", NULL);
    g_autofree char *console = g_build_filename(directory, "console", NULL);
    g_autofree char *name = g_path_get_basename(directory);
    NestBootDomain wanted = {
        name, boot->accel, boot->extension, kernel, boot->cmdline, console, boot->like};
    g_autofree char *xml = nest_domain_boot_xml(&wanted, error);
    g_autoptr(virConnect) connection = NULL;
    if (xml == NULL || !nest_libvirt_get(self, &connection, error) ||
        !write_kernel(kernel, boot->kernel, error))
        return FALSE;
    g_autoptr(virDomain) domain = create(self, connection, xml);
    if (domain == NULL) {
        fail_start(connection, error);
        return FALSE;
    }
    return wait_for(self, domain, boot->timeout_ms, cancellable, error) &&
        read_console(console, ret_console, error);
}

gboolean nest_libvirt_boot(NestBackend *backend, const NestBoot *boot, GCancellable *cancellable,
    GBytes **ret_console, GError **error)
{
    NestLibvirt *self = (NestLibvirt *)backend;
    g_autofree char *directory = NULL;
    if (!make_directory(self, &directory, error))
        return FALSE;
    gboolean good = boot_in(self, boot, directory, cancellable, ret_console, error);
    remove_directory(directory);
    return good;
}

void nest_libvirt_boot_clean(NestLibvirt *self, virConnectPtr connection)
{
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
    for (int i = 0; i < n; i++) {
        if (g_str_has_prefix(virDomainGetName(domains[i]), PREFIX)) {
            virDomainDestroy(domains[i]);
            nest_libvirt_wait_off(self, domains[i], GONE_TIMEOUT_MS, NULL, NULL);
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
