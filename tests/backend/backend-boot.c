/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend-world.h"
#include "nest-error.h"
#include "nest-proof.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED 0x5eed
#define LONG_MS 60000
/* Time to begin, also on a host that is busy. */
#define SPIN_MS 10000

static NestBackend *embedded(const char *root)
{
    const NestLibvirtOptions options = {.uri = "embed", .root = root};

    return nest_backend_libvirt_new(&options);
}

static char *left_in(const char *root)
{
    const char *name;
    g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);

    while ((name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_prefix(name, "nest-boot-"))
            return g_build_filename(root, name, NULL);
    return NULL;
}

/* The QEMU whose command line names path, 0 while there is none. */
static int qemu_of(const char *path)
{
    const char *name;
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);

    while ((name = g_dir_read_name(proc)) != NULL) {
        g_autofree char *file = g_build_filename("/proc", name, "cmdline", NULL);
        g_autofree char *line = NULL;
        gsize length = 0;

        if (!g_ascii_isdigit(*name) || !g_file_get_contents(file, &line, &length, NULL))
            continue;
        if (g_strstr_len(line, -1, "qemu") != NULL && memmem(line, length, path, strlen(path)))
            return atoi(name);
    }
    return 0;
}

static gboolean boot(NestBackend *backend, NestExtension extension, const char *cmdline,
    guint timeout_ms, GCancellable *cancellable, NestProof **ret_proof, GError **error)
{
    g_autoptr(GBytes) kernel = nest_proof_image(), console = NULL;
    const NestBoot wanted = {
        NEST_ACCEL_TCG, extension, kernel, cmdline, timeout_ms, nest_proof_end()};
    gsize size;

    if (!backend->ops->boot(backend, &wanted, cancellable, &console, error))
        return FALSE;
    const char *text = g_bytes_get_data(console, &size);
    *ret_proof = nest_proof_read(text != NULL ? text : "", size, SEED);
    return TRUE;
}

static gpointer cancel_soon(gpointer data)
{
    g_usleep(G_USEC_PER_SEC);
    g_cancellable_cancel(data);
    return NULL;
}

static void check_cancelled(NestBackend *backend)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(NestProof) none = NULL;
    g_autoptr(GError) error = NULL;
    gint64 begun = g_get_monotonic_time();
    GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);

    must_fail(boot(backend, NEST_EXTENSION_SVM, "try=spin ticks=99999", LONG_MS, cancellable, &none,
                  &error),
        NEST_ERROR_ABORTED);
    must(g_get_monotonic_time() - begun < LONG_MS * 1000 / 2);
    g_thread_join(thread);
}

void scene_boot(char **argv)
{
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(NestProof) proof = NULL, spun = NULL, timed = NULL, none = NULL, bare = NULL;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;

    umask(077);
    must_fail(boot(backend, NEST_EXTENSION_SVM, "", LONG_MS, NULL, &none, &error),
        NEST_ERROR_BACKEND_UNAVAILABLE);
    must_do(backend->ops->open(backend, &error));
    must_do(boot(backend, NEST_EXTENSION_SVM, "seed=5eed", LONG_MS, NULL, &proof, &error));
    must(proof->proved);
    must_do(boot(backend, NEST_EXTENSION_NONE, "seed=5eed", LONG_MS, NULL, &bare, &error));
    must(bare->proved);
    must_fail(boot(backend, NEST_EXTENSION_VMX, "seed=5eed", LONG_MS, NULL, &none, &error),
        NEST_ERROR_HOST_UNFIT);
    must_do(boot(backend, NEST_EXTENSION_SVM, "seed=5eed try=spin ticks=99999", SPIN_MS, NULL,
        &spun, &error));
    must(g_str_equal(spun->code, "incomplete"));
    must(spun->cpu_vendor != NULL);
    check_cancelled(backend);
    must_do(boot(
        backend, NEST_EXTENSION_SVM, "seed=5eed try=spin ticks=1", LONG_MS, NULL, &timed, &error));
    must(g_str_equal(timed->code, "timeout"));
    must_do(backend->ops->list(backend, &all, &error));
    must(all->len == 0);
    g_clear_pointer(&backend, nest_backend_free);
    must(left_in(argv[0]) == NULL);
    must(qemu_of(argv[0]) == 0);
}

static gpointer spin(gpointer data)
{
    g_autoptr(NestProof) none = NULL;
    g_autoptr(GError) error = NULL;

    must_do(boot(data, NEST_EXTENSION_SVM, "try=spin ticks=99999", LONG_MS, NULL, &none, &error));
    must(FALSE);
    return NULL;
}

/* Says which process QEMU is, once the guest has begun to write; the VM ends with nobody's help. */
void scene_boot_left(char **argv)
{
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autofree char *left = NULL, *console = NULL;
    g_autoptr(GError) error = NULL;
    struct stat status = {0};

    must_do(backend->ops->open(backend, &error));
    g_thread_new("boot", spin, backend);
    for (int i = 0; i < LONG_MS && status.st_size < 100; i++) {
        g_usleep(1000);
        if (left == NULL)
            left = left_in(argv[0]);
        if (left != NULL && console == NULL)
            console = g_build_filename(left, "console", NULL);
        if (console != NULL && stat(console, &status) != 0)
            status.st_size = 0;
    }
    must(status.st_size >= 100);
    must(qemu_of(left) != 0);
    printf("pid %d\n", qemu_of(left));
    fflush(stdout);
    pause();
}

void scene_boot_found(char **argv)
{
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(NestProof) proof = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *left = left_in(argv[0]);
    pid_t pid = atoi(argv[1]);

    must(left != NULL);
    must_do(backend->ops->open(backend, &error));
    must(qemu_of(left) == 0);
    must(kill(pid, 0) != 0 && errno == ESRCH);
    must(left_in(argv[0]) == NULL);
    must_do(boot(backend, NEST_EXTENSION_SVM, "seed=5eed", LONG_MS, NULL, &proof, &error));
    must(proof->proved);
}
