/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend-world.h"
#include "nest-error.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define CONFIG "/etc/libvirt/libvirtd.conf"

static Child start_daemon(void)
{
    static const char *const argv[] = {"libvirtd", "-f", CONFIG, NULL};
    gint64 deadline = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;
    Child daemon = child_spawn(argv);

    /* It does not tell when its socket is there. */
    while (!nest_backend_libvirt_system_answers(5000)) {
        must(g_get_monotonic_time() < deadline);
        g_usleep(50000);
    }
    return daemon;
}

static void define_guest(NestBackend *backend, const char *dir)
{
    const Guest guest = {.name = "sys", .uuid = VM_UUID, .dir = dir};
    g_autofree char *xml = guest_xml(&guest);
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;

    must_do(backend->ops->define(backend, xml, &error));
    must_do(backend->ops->list(backend, &all, &error));
    must(all->len == 1);
}

static void must_run(NestBackend *backend)
{
    g_autoptr(NestVmFacts) facts = NULL;
    g_autoptr(GError) error = NULL;

    must_do(backend->ops->read(backend, VM_UUID, &facts, &error));
    must(facts->state == NEST_VM_RUNNING);
}

static void daemon_dies(NestBackend *backend, Ear *ear, Child *daemon)
{
    g_autoptr(NestVmFacts) facts = NULL;
    g_autoptr(GError) error = NULL;

    child_kill(daemon);
    must(ear_hears(ear, "lost -"));
    must_fail(backend->ops->read(backend, VM_UUID, &facts, &error), NEST_ERROR_BACKEND_UNAVAILABLE);
    must_fail(backend->ops->open(backend, &error), NEST_ERROR_BACKEND_UNAVAILABLE);
    *daemon = start_daemon();
    must_do(backend->ops->open(backend, &error));
    must_run(backend);
}

static void daemon_hangs(NestBackend *backend, Ear *ear, const Child *daemon)
{
    g_autoptr(GError) error = NULL;
    gint64 began = g_get_monotonic_time();

    kill(daemon->pid, SIGSTOP);
    must_fail(backend->ops->wait_off(backend, VM_UUID, 60000, NULL, &error),
        NEST_ERROR_BACKEND_UNAVAILABLE);
    must(g_get_monotonic_time() - began < 25 * G_TIME_SPAN_SECOND);
    must(ear_hears(ear, "lost -"));
    began = g_get_monotonic_time();
    must(!nest_backend_libvirt_system_answers(500));
    must(g_get_monotonic_time() - began < 2 * G_TIME_SPAN_SECOND);
    must_fail(backend->ops->open(backend, &error), NEST_ERROR_BACKEND_UNAVAILABLE);
    must(g_get_monotonic_time() - began < 15 * G_TIME_SPAN_SECOND);
    kill(daemon->pid, SIGCONT);
    must_do(backend->ops->open(backend, &error));
    must_run(backend);
}

void scene_system(char **argv)
{
    const NestLibvirtOptions options = {.uri = "qemu:///system"};
    g_autoptr(NestBackend) backend = nest_backend_libvirt_new(&options);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestBackendCaps) caps = NULL;
    Child daemon;
    Ear ear;

    must_do(g_file_set_contents("/etc/libvirt/qemu.conf",
        "stdio_handler = \"file\"\nuser = \"root\"\ngroup = \"root\"\n", -1, &error));
    must_do(g_file_set_contents(CONFIG,
        "auth_unix_rw = \"none\"\nlog_outputs = \"3:file:/var/log/libvirtd.log\"\n", -1, &error));
    must(!nest_backend_libvirt_system_answers(1000));
    ear_attach(&ear, backend);
    must_fail(backend->ops->open(backend, &error), NEST_ERROR_BACKEND_UNAVAILABLE);

    daemon = start_daemon();
    must_do(backend->ops->open(backend, &error));
    must_do(backend->ops->caps(backend, &caps, &error));
    must(caps->tcg && caps->tcg_extension == NEST_EXTENSION_SVM);
    define_guest(backend, argv[0]);
    must_do(backend->ops->start(backend, VM_UUID, &error));
    must(ear_hears(&ear, "changed " VM_UUID));
    must_run(backend);
    daemon_dies(backend, &ear, &daemon);
    daemon_hangs(backend, &ear, &daemon);
    must_do(backend->ops->stop(backend, VM_UUID, &error));
    must(ear_hears(&ear, "changed " VM_UUID));
    must_do(backend->ops->undefine(backend, VM_UUID, &error));
    must(ear_hears(&ear, "gone " VM_UUID));
    child_kill(&daemon);
}
