/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend-world.h"
#include "nest-error.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_VMX "<cpu mode='maximum' check='full'><feature policy='require' name='vmx'/></cpu>"
#define NO_SVM "<cpu mode='maximum'><feature policy='disable' name='svm'/></cpu>"
#define FULL_SVM "<cpu mode='maximum' check='full'><feature policy='require' name='svm'/></cpu>"

static NestBackend *embedded(const char *root)
{
    const NestLibvirtOptions options = {.uri = "embed", .root = root};

    return nest_backend_libvirt_new(&options);
}

static NestVmState state_of(NestBackend *backend, const char *uuid)
{
    g_autoptr(NestVmFacts) facts = NULL;
    g_autoptr(GError) error = NULL;

    must_do(backend->ops->read(backend, uuid, &facts, &error));
    must((facts->live_xml != NULL) ==
        (facts->state != NEST_VM_OFF && facts->state != NEST_VM_SAVED));
    return facts->state;
}

static void define_guest(NestBackend *backend, const Guest *guest)
{
    g_autofree char *xml = guest_xml(guest);
    g_autofree char *log = g_build_filename(guest->dir, "serial.log", NULL);
    g_autoptr(GError) error = NULL;

    unlink(log);
    must_do(backend->ops->define(backend, xml, &error));
}

static void scene_caps(char **argv)
{
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(NestBackendCaps) caps = NULL;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;

    must_fail(backend->ops->list(backend, &all, &error), NEST_ERROR_BACKEND_UNAVAILABLE);
    must_do(backend->ops->open(backend, &error));
    must_do(backend->ops->open(backend, &error));
    must_do(backend->ops->caps(backend, &caps, &error));
    must(caps->tcg);
    must(caps->tcg_extension == NEST_EXTENSION_SVM);
    must(!caps->networks);
    must(caps->qemu_version != NULL && strchr(caps->qemu_version, '.') != NULL);
    must(caps->libvirt_version != NULL);
    must_do(backend->ops->list(backend, &all, &error));
    must(all->len == 0);
}

static void check_saved(NestBackend *backend)
{
    g_autoptr(NestVmFacts) facts = NULL;
    g_autoptr(GError) error = NULL;

    must_do(backend->ops->read(backend, VM_UUID, &facts, &error));
    must(facts->state == NEST_VM_SAVED);
    must(facts->saved_state);
    must(facts->saved_bytes > 1024);
    must(facts->saved_xml != NULL && strstr(facts->saved_xml, VM_UUID) != NULL);
    must(facts->live_xml == NULL);
}

static void scene_life(char **argv)
{
    const Guest guest = {.name = "life", .uuid = VM_UUID, .dir = argv[0], .cpu = FULL_SVM};
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;
    Ear ear;

    ear_attach(&ear, backend);
    must_do(backend->ops->open(backend, &error));
    define_guest(backend, &guest);
    must(ear_hears(&ear, "changed " VM_UUID));
    must(state_of(backend, VM_UUID) == NEST_VM_OFF);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(ear_hears(&ear, "changed " VM_UUID));
    must(state_of(backend, VM_UUID) == NEST_VM_RUNNING);
    must_fail(backend->ops->start(backend, VM_UUID, &error), NEST_ERROR_VM_STATE);
    must_fail(backend->ops->undefine(backend, VM_UUID, &error), NEST_ERROR_VM_STATE);
    must_do(backend->ops->save(backend, VM_UUID, &error));
    check_saved(backend);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(state_of(backend, VM_UUID) == NEST_VM_RUNNING);
    must_do(backend->ops->save(backend, VM_UUID, &error));
    must_do(backend->ops->drop_saved_state(backend, VM_UUID, &error));
    must_do(backend->ops->drop_saved_state(backend, VM_UUID, &error));
    must(state_of(backend, VM_UUID) == NEST_VM_OFF);
    must_fail(backend->ops->save(backend, VM_UUID, &error), NEST_ERROR_VM_STATE);
    must_do(backend->ops->list(backend, &all, &error));
    must(all->len == 1);
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
    must(ear_hears(&ear, "gone " VM_UUID));
}

static int check_sample(
    NestBackend *backend, const char *uuid, gboolean monitor, NestAnswer exposed)
{
    g_autoptr(GPtrArray) samples = NULL;
    g_autoptr(GError) error = NULL;
    const NestVmSample *sample;

    must_do(backend->ops->sample(backend, uuid, monitor, &samples, &error));
    must(samples->len == 1);
    sample = g_ptr_array_index(samples, 0);
    must(g_str_equal(sample->uuid, VM_UUID));
    must(sample->run >= 0 && sample->booted);
    must(!sample->counted && !sample->paused && !sample->carried);
    must(sample->asked == monitor);
    must(sample->exposed == exposed);
    must(sample->switched_on == (monitor ? NEST_ANSWER_NO : NEST_ANSWER_UNREAD));
    return sample->run;
}

/* QEMU's software CPU: no statistics, and registers that say what its guest has not done. */
static void scene_sample(char **argv)
{
    const Guest with = {.name = "with", .uuid = VM_UUID, .dir = argv[0], .cpu = FULL_SVM};
    const Guest without = {.name = "without", .uuid = VM_UUID, .dir = argv[0], .cpu = NO_SVM};
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) none = NULL;
    int run;

    must_do(backend->ops->open(backend, &error));
    define_guest(backend, &with);
    must_do(backend->ops->sample(backend, NULL, FALSE, &none, &error));
    must(none->len == 0);
    must_fail(backend->ops->sample(backend, VM_UUID, FALSE, &none, &error), NEST_ERROR_VM_STATE);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(guest_wrote(argv[0], "R"));
    run = check_sample(backend, NULL, FALSE, NEST_ANSWER_UNREAD);
    must(check_sample(backend, VM_UUID, TRUE, NEST_ANSWER_YES) == run);
    must_do(backend->ops->stop(backend, VM_UUID, &error));
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
    define_guest(backend, &without);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(guest_wrote(argv[0], "R"));
    must(check_sample(backend, VM_UUID, TRUE, NEST_ANSWER_NO) != run);
    must_do(backend->ops->stop(backend, VM_UUID, &error));
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
}

static void scene_shutdown(char **argv)
{
    const Guest guest = {.name = "shut", .uuid = VM_UUID, .dir = argv[0]};
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    gint64 began;

    must_do(backend->ops->open(backend, &error));
    define_guest(backend, &guest);
    must_do(backend->ops->wait_off(backend, VM_UUID, 0, NULL, &error));
    must_fail(backend->ops->shutdown(backend, VM_UUID, &error), NEST_ERROR_VM_STATE);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(guest_wrote(argv[0], "R"));
    began = g_get_monotonic_time();
    must_fail(backend->ops->wait_off(backend, VM_UUID, 300, NULL, &error), NEST_ERROR_TIMEOUT);
    must(g_get_monotonic_time() - began < 2 * G_TIME_SPAN_SECOND);
    g_cancellable_cancel(cancelled);
    must_fail(
        backend->ops->wait_off(backend, VM_UUID, 30000, cancelled, &error), NEST_ERROR_ABORTED);
    must_do(backend->ops->shutdown(backend, VM_UUID, &error));
    began = g_get_monotonic_time();
    must_do(backend->ops->wait_off(backend, VM_UUID, 30000, NULL, &error));
    must(g_get_monotonic_time() - began < 4 * G_TIME_SPAN_SECOND);
    must(state_of(backend, VM_UUID) == NEST_VM_OFF);
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
}

static void scene_errors(char **argv)
{
    const Guest vmx = {.name = "vmx", .uuid = VM_UUID, .dir = argv[0], .cpu = FULL_VMX};
    const Guest twin = {
        .name = "vmx", .uuid = "6e657374-0000-4000-8000-000000000002", .dir = argv[0]};
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autofree char *vmx_xml = guest_xml(&vmx);
    g_autofree char *twin_xml = guest_xml(&twin);
    g_autofree char *doubt = NULL;
    g_autoptr(NestVmFacts) facts = NULL;
    g_autoptr(GError) error = NULL;

    must_do(backend->ops->open(backend, &error));
    must_fail(backend->ops->read(backend, VM_UUID, &facts, &error), NEST_ERROR_VM_NOT_FOUND);
    must_fail(backend->ops->stop(backend, VM_UUID, &error), NEST_ERROR_VM_NOT_FOUND);
    must_fail(backend->ops->redefine(backend, VM_UUID, vmx_xml, &error), NEST_ERROR_VM_NOT_FOUND);
    must_fail(backend->ops->define(backend, "<domain", &error), NEST_ERROR_INVALID_REQUEST);
    must_fail(backend->ops->define(
                  backend, "<domain type='qemu'><name>a</name><nonsense/></domain>", &error),
        NEST_ERROR_INVALID_REQUEST);
    must_do(backend->ops->check(backend, vmx_xml, &doubt, &error));
    must(doubt == NULL);
    must_fail(
        backend->ops->check(backend, "<domain type='qemu'><name>a</name></domain>", &doubt, &error),
        NEST_ERROR_INVALID_REQUEST);
    must_fail(backend->ops->read(backend, VM_UUID, &facts, &error), NEST_ERROR_VM_NOT_FOUND);
    define_guest(backend, &vmx);
    must_do(backend->ops->redefine(backend, VM_UUID, vmx_xml, &error));
    must_fail(backend->ops->define(backend, twin_xml, &error), NEST_ERROR_VM_EXISTS);
    must(!backend->ops->start(backend, VM_UUID, &error));
    must(strstr(error->message, "vmx") != NULL);
    must(nest_error_get_next(error) != NULL);
    must(nest_error_code(error) == NEST_ERROR_HOST_UNFIT);
    g_clear_error(&error);
    must(state_of(backend, VM_UUID) == NEST_VM_OFF);
    must_do(backend->ops->stop(backend, VM_UUID, &error));
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
}

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

/* ROOT POWERS_OFF: starts a guest and waits to be killed. */
static void scene_run(char **argv)
{
    const Guest guest = {.name = "runs",
        .uuid = VM_UUID,
        .dir = argv[0],
        .powers_off = g_str_equal(argv[1], "powers-off")};
    g_autofree char *path = g_build_filename(argv[0], "run/qemu/runs.pid", NULL);
    g_autofree char *pid = NULL;
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(GError) error = NULL;

    must_do(backend->ops->open(backend, &error));
    define_guest(backend, &guest);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must_do(g_file_get_contents(path, &pid, NULL, &error));
    printf("pid %s\n", g_strstrip(pid));
    fflush(stdout);
    sleep_for_ever();
}

/* A QEMU that hangs holds up one look at all of them, and is passed over then. */
static void check_passed_over(NestBackend *backend)
{
    g_autoptr(GPtrArray) late = NULL, samples = NULL;
    g_autoptr(GError) error = NULL;
    gint64 began;

    backend->ops->sample(backend, NULL, FALSE, &late, NULL);
    began = g_get_monotonic_time();
    must_do(backend->ops->sample(backend, NULL, FALSE, &samples, &error));
    must(g_get_monotonic_time() - began < G_TIME_SPAN_SECOND);
    must(samples->len == 1);
    g_clear_pointer(&samples, g_ptr_array_unref);
    must_do(backend->ops->sample(backend, VM_UUID, TRUE, &samples, &error));
    must(g_get_monotonic_time() - began < 4 * G_TIME_SPAN_SECOND);
    must(((NestVmSample *)g_ptr_array_index(samples, 0))->switched_on == NEST_ANSWER_UNREAD);
}

/* ROOT STATE: what was left must be in that state right after opening, and can be stopped. */
static void scene_find(char **argv)
{
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(GError) error = NULL;
    gint64 began = g_get_monotonic_time();
    NestVmState state;

    must_do(backend->ops->open(backend, &error));
    must(g_get_monotonic_time() - began < 8 * G_TIME_SPAN_SECOND);
    if (g_str_equal(argv[1], "hangs")) {
        check_passed_over(backend);
        must_fail(backend->ops->shutdown(backend, VM_UUID, &error), NEST_ERROR_TIMEOUT);
    } else {
        state = state_of(backend, VM_UUID);
        must(state == (g_str_equal(argv[1], "running") ? NEST_VM_RUNNING : NEST_VM_OFF));
    }
    must_do(backend->ops->stop(backend, VM_UUID, &error));
    must(state_of(backend, VM_UUID) == NEST_VM_OFF);
    must_do(backend->ops->wait_off(backend, VM_UUID, 0, NULL, &error));
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
}

static void scene_hold(char **argv)
{
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(GError) error = NULL;

    must_do(backend->ops->open(backend, &error));
    printf("open\n");
    fflush(stdout);
    sleep_for_ever();
}

/* ROOT PID: the process that holds it. */
static void scene_second(char **argv)
{
    g_autoptr(NestBackend) backend = embedded(argv[0]);
    g_autoptr(GError) error = NULL;

    must(!backend->ops->open(backend, &error));
    must(strstr(error->message, argv[1]) != NULL);
    must(nest_error_code(error) == NEST_ERROR_ALREADY_RUNNING);
}

/* A /dev/kvm that everybody may open, as udev makes it: with one that QEMU's user cannot open,
 * libvirt probes for seconds at each call. */
static void open_up_kvm(void)
{
    struct stat status;

    if (stat("/dev/kvm", &status) != 0)
        return;
    must(unshare(CLONE_NEWNS) == 0);
    must(mknod("/run/kvm", S_IFCHR | 0600, status.st_rdev) == 0 || errno == EEXIST);
    must(chmod("/run/kvm", 0666) == 0);
    must(mount("/run/kvm", "/dev/kvm", NULL, MS_BIND, NULL) == 0);
}

/* DIR RUN: QEMU as nobody, below a strict umask, with the run directory elsewhere. */
static void scene_user(char **argv)
{
    const NestLibvirtOptions options = {
        .uri = "embed", .root = argv[0], .run_root = argv[1], .qemu_user = "nobody"};
    const Guest guest = {.name = "user", .uuid = VM_UUID, .dir = argv[0]};
    g_autofree char *pid_path = g_build_filename(argv[1], "qemu/user.pid", NULL);
    g_autofree char *pid = NULL;
    g_autofree char *process = NULL;
    g_autoptr(NestBackend) backend = nest_backend_libvirt_new(&options);
    g_autoptr(GError) error = NULL;
    struct stat status;

    open_up_kvm();
    umask(077);
    must_do(backend->ops->open(backend, &error));
    define_guest(backend, &guest);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(guest_wrote(argv[0], "R"));
    must_do(g_file_get_contents(pid_path, &pid, NULL, &error));
    process = g_strdup_printf("/proc/%d/stat", atoi(pid));
    must(stat(process, &status) == 0);
    must(status.st_uid != 0);
    must_do(backend->ops->save(backend, VM_UUID, &error));
    check_saved(backend);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(state_of(backend, VM_UUID) == NEST_VM_RUNNING);
    must_do(backend->ops->stop(backend, VM_UUID, &error));
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
}

static const struct {
    const char *name;
    void (*play)(char **argv);
} scenes[] = {
    {"caps", scene_caps},
    {"life", scene_life},
    {"sample", scene_sample},
    {"shutdown", scene_shutdown},
    {"errors", scene_errors},
    {"run", scene_run},
    {"find", scene_find},
    {"hold", scene_hold},
    {"second", scene_second},
    {"user", scene_user},
    {"system", scene_system},
    {"boot", scene_boot},
    {"boot-left", scene_boot_left},
    {"boot-found", scene_boot_found},
};

int scene_main(int argc, char **argv)
{
    /* As nestd does: a libvirtd that goes away must not take us along. */
    signal(SIGPIPE, SIG_IGN);
    for (gsize i = 0; i < G_N_ELEMENTS(scenes); i++) {
        if (!g_str_equal(scenes[i].name, argv[1]))
            continue;
        scenes[i].play(argv + 2);
        return 0;
    }
    return 2;
}
