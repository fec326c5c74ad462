/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend-world.h"
#include <errno.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK_SIZE (1024 * 1024)
#define LINE_TIMEOUT_MS 60000
#define END_TIMEOUT_MS 120000

/* sti · PM1_EN (0x602) := power button · serial "R" · until PM1_STS (0x600) shows the button, or
 * byte 0x1fd is set and 36 ticks have passed: hlt · serial "X" · PM1_CNT (0x604) := sleep, S5 */
static const guint8 boot_sector[] = {0xfb, 0x31, 0xc0, 0x8e, 0xd8, 0xba, 0x02, 0x06, 0xb8, 0x00,
    0x01, 0xef, 0xba, 0xf8, 0x03, 0xb0, 0x52, 0xee, 0x66, 0x8b, 0x1e, 0x6c, 0x04, 0xba, 0x00, 0x06,
    0xed, 0xf6, 0xc4, 0x01, 0x75, 0x17, 0x80, 0x3e, 0xfd, 0x7d, 0x00, 0x74, 0x0d, 0x66, 0xa1, 0x6c,
    0x04, 0x66, 0x29, 0xd8, 0x66, 0x83, 0xf8, 0x24, 0x73, 0x03, 0xf4, 0xeb, 0xe0, 0xba, 0xf8, 0x03,
    0xb0, 0x58, 0xee, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd};

char *guest_xml(const Guest *guest)
{
    g_autofree char *disk = g_build_filename(guest->dir, "disk", NULL);
    g_autofree guint8 *image = g_malloc0(DISK_SIZE);

    memcpy(image, boot_sector, sizeof boot_sector);
    image[0x1fd] = guest->powers_off;
    image[0x1fe] = 0x55;
    image[0x1ff] = 0xaa;
    must(g_file_set_contents(disk, (const char *)image, DISK_SIZE, NULL));
    return g_strdup_printf("<domain type='qemu'><name>%s</name><uuid>%s</uuid>"
                           "<memory unit='MiB'>64</memory><vcpu>1</vcpu>"
                           "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
                           "<features><acpi/></features>%s"
                           "<devices><disk type='file' device='disk'>"
                           "<driver name='qemu' type='raw'/><source file='%s'/>"
                           "<target dev='sda' bus='sata'/></disk>"
                           "<serial type='file'><source path='%s/serial.log'/></serial>"
                           "<memballoon model='none'/></devices></domain>",
        guest->name, guest->uuid, guest->cpu != NULL ? guest->cpu : "", disk, guest->dir);
}

gboolean guest_wrote(const char *dir, const char *what)
{
    g_autofree char *path = g_build_filename(dir, "serial.log", NULL);
    gint64 deadline = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;

    /* QEMU tells nobody when it writes the file. */
    while (g_get_monotonic_time() < deadline) {
        g_autofree char *text = NULL;

        if (g_file_get_contents(path, &text, NULL, NULL) && strstr(text, what) != NULL)
            return TRUE;
        g_usleep(20000);
    }
    return FALSE;
}

char *world_directory(void)
{
    char *path = g_strdup("/tmp/nbXXXXXX");

    must(g_mkdtemp_full(path, 0711) != NULL);
    must(g_chmod(path, 0711) == 0);
    return path;
}

/* Binds a copy of path with a line more over it. */
static gboolean add_line(const char *path, const char *line)
{
    g_autofree char *text = NULL;
    g_autofree char *copy = g_strdup("/tmp/nbXXXXXX");
    g_autofree char *with = NULL;
    int fd;
    gboolean bound;

    if (!g_file_get_contents(path, &text, NULL, NULL) || (fd = g_mkstemp_full(copy, 0, 0644)) < 0)
        return FALSE;
    close(fd);
    with = g_strconcat(text, line, NULL);
    bound = g_file_set_contents_full(copy, with, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL) &&
        mount(copy, path, NULL, MS_BIND, NULL) == 0;
    g_unlink(copy);
    return bound;
}

const char *world_enter(void)
{
    static const char *const private[] = {
        "/run", "/var/lib", "/var/cache", "/var/log", "/etc/libvirt"};
    g_autofree char *qemu = g_find_program_in_path("qemu-system-x86_64");

    if (qemu == NULL)
        return "there is no qemu-system-x86_64";
    if (geteuid() != 0)
        return NULL;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return "there is no permission to make private mounts";
    for (gsize i = 0; i < G_N_ELEMENTS(private); i++)
        if (g_file_test(private[i], G_FILE_TEST_IS_DIR) &&
            mount("none", private[i], "tmpfs", 0, "mode=0755") != 0)
            return "there is no permission to mount";
    if (getpwnam("libvirt-qemu") == NULL &&
        (!add_line("/etc/passwd", "libvirt-qemu:x:64055:64055::/nonexistent:/bin/false\n") ||
            !add_line("/etc/group", "libvirt-qemu:x:64055:\n")))
        return "the account libvirt-qemu cannot be made";
    return NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    return remove(path);
}

void world_remove(const char *dir)
{
    g_autofree char *run = g_build_filename(dir, "run", "qemu", NULL);
    g_autoptr(GDir) pids = g_dir_open(run, 0, NULL);
    const char *name;

    while (pids != NULL && (name = g_dir_read_name(pids)) != NULL) {
        g_autofree char *path = g_build_filename(run, name, NULL);
        g_autofree char *text = NULL;

        if (g_str_has_suffix(name, ".pid") && !g_str_equal(name, "driver.pid") &&
            g_file_get_contents(path, &text, NULL, NULL) && atoi(text) > 1)
            kill(atoi(text), SIGKILL);
    }
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

Child child_spawn(const char *const *argv)
{
    Child child = {.pid = 0, .out = -1};
    g_autoptr(GError) error = NULL;

    must_do(g_spawn_async_with_pipes(NULL, (char **)argv, NULL,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, die_with_parent, NULL, &child.pid, NULL,
        &child.out, NULL, &error));
    return child;
}

Child child_start(const char *scene, ...)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    va_list arguments;

    g_ptr_array_add(argv, self);
    g_ptr_array_add(argv, (char *)scene);
    va_start(arguments, scene);
    for (char *one = va_arg(arguments, char *); one != NULL; one = va_arg(arguments, char *))
        g_ptr_array_add(argv, one);
    va_end(arguments);
    g_ptr_array_add(argv, NULL);
    return child_spawn((const char *const *)argv->pdata);
}

char *child_line(Child *child, const char *what)
{
    g_autoptr(GString) line = g_string_new(NULL);
    struct pollfd ready = {.fd = child->out, .events = POLLIN};
    char byte;

    while (poll(&ready, 1, LINE_TIMEOUT_MS) == 1 && read(child->out, &byte, 1) == 1) {
        if (byte != '\n') {
            g_string_append_c(line, byte);
            continue;
        }
        if (g_str_has_prefix(line->str, what))
            return g_strdup(line->str + strlen(what));
        g_string_truncate(line, 0);
    }
    return NULL;
}

/* The output stays open until the child ends. */
static gboolean wait_for_end(Child *child)
{
    struct pollfd ready = {.fd = child->out, .events = POLLIN};
    char bytes[256];
    ssize_t n = 1;

    while (n > 0) {
        if (poll(&ready, 1, END_TIMEOUT_MS) != 1)
            return FALSE;
        n = read(child->out, bytes, sizeof bytes);
    }
    return TRUE;
}

gboolean child_good(Child *child)
{
    int status = 0;

    if (!wait_for_end(child))
        kill(child->pid, SIGKILL);
    waitpid(child->pid, &status, 0);
    close(child->out);
    if (WIFSIGNALED(status))
        fprintf(stderr, "the child was ended by signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void child_kill(Child *child)
{
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    close(child->out);
}

static void on_event(NestBackendEvent event, const char *uuid, gpointer data)
{
    static const char *const names[] = {
        [NEST_BACKEND_VM_CHANGED] = "changed",
        [NEST_BACKEND_VM_GONE] = "gone",
        [NEST_BACKEND_LOST] = "lost",
    };
    Ear *ear = data;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&ear->lock);

    g_ptr_array_add(ear->heard, g_strdup_printf("%s %s", names[event], uuid != NULL ? uuid : "-"));
    g_cond_broadcast(&ear->cond);
}

void ear_attach(Ear *ear, NestBackend *backend)
{
    g_mutex_init(&ear->lock);
    g_cond_init(&ear->cond);
    ear->heard = g_ptr_array_new_with_free_func(g_free);
    backend->ops->set_handler(backend, on_event, ear);
}

gboolean ear_hears(Ear *ear, const char *what)
{
    gint64 deadline = g_get_monotonic_time() + LINE_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&ear->lock);
    guint at;

    while (!g_ptr_array_find_with_equal_func(ear->heard, what, g_str_equal, &at))
        if (!g_cond_wait_until(&ear->cond, &ear->lock, deadline))
            return FALSE;
    g_ptr_array_remove_range(ear->heard, 0, at + 1);
    return TRUE;
}
