/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend-fake.h"
#include "nest-error.h"
#include "nest-fake-checkpoint.h"
#include "nest-fake-effect.h"
#include "nest-fake-networks.h"
#include "nest-fake-sample.h"
#include "nest-judge.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static NestFake *fake_of(NestBackend *backend)
{
    return (NestFake *)backend;
}

static void emit(NestFake *fake, NestBackendEvent event, const char *uuid)
{
    if (fake->handler != NULL)
        fake->handler(event, uuid, fake->user_data);
}

static void lose(NestFake *fake)
{
    g_autofree char *path = g_build_filename(fake->directory, "lost", NULL);
    g_mutex_lock(&fake->lock);
    fake->connected = FALSE;
    g_mutex_unlock(&fake->lock);
    unlink(path);
    emit(fake, NEST_BACKEND_LOST, NULL);
}

static void on_file(const char *file, gboolean removed, gpointer data)
{
    NestFake *fake = data;
    const char *dot = strrchr(file, '.');
    const gboolean gone = g_strcmp0(dot, ".gone") == 0;
    if (strcmp(file, "lost") == 0 && !removed)
        lose(fake);
    if (file[0] == '.' || (g_strcmp0(dot, ".json") != 0 && (!gone || removed)))
        return;
    g_autofree char *uuid = g_strndup(file, (gsize)(dot - file));
    g_mutex_lock(&fake->lock);
    const gboolean connected = fake->connected;
    const gboolean there = nest_fake_state_get(fake->state, uuid) != NULL;
    g_mutex_unlock(&fake->lock);
    if (connected)
        emit(fake, there ? NEST_BACKEND_VM_CHANGED : NEST_BACKEND_VM_GONE, uuid);
}

static gint64 on_tick(gpointer data)
{
    NestFake *fake = data;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fake->lock);
    nest_fake_state_hold(fake->state);
    gint64 next = nest_fake_state_settle(fake->state);
    nest_fake_state_release(fake->state);
    return next;
}

static const NestFakeWatchFuncs watch_funcs = {on_file, on_tick};

static gboolean fake_open(NestBackend *self, GError **error)
{
    NestFake *fake = fake_of(self);
    NestFakeCall call = {.slot = "open"};
    if (!nest_fake_call_run(fake, &call, nest_fake_effect_open, error))
        return FALSE;
    if (fake->watch == NULL)
        fake->watch = nest_fake_watch_new(fake->directory, &watch_funcs, fake);
    return TRUE;
}

static gboolean fake_caps(NestBackend *self, NestBackendCaps **ret_caps, GError **error)
{
    NestFakeCall call = {.slot = "caps"};
    if (!nest_fake_call_run(fake_of(self), &call, nest_fake_effect_caps, error))
        return FALSE;
    *ret_caps = call.caps;
    return TRUE;
}

static gboolean fake_list(NestBackend *self, GPtrArray **ret_facts, GError **error)
{
    NestFakeCall call = {.slot = "list"};
    if (!nest_fake_call_run(fake_of(self), &call, nest_fake_effect_list, error))
        return FALSE;
    *ret_facts = call.list;
    return TRUE;
}

static gboolean fake_read(
    NestBackend *self, const char *uuid, NestVmFacts **ret_facts, GError **error)
{
    NestFakeCall call = {.slot = "read", .uuid = uuid};
    if (!nest_fake_call_run(fake_of(self), &call, nest_fake_effect_read, error))
        return FALSE;
    *ret_facts = call.facts;
    return TRUE;
}

/* The real one, for it has no effect. */
static gboolean fake_check(NestBackend *self, const char *xml, char **ret_doubt, GError **error)
{
    NestFakeCall call = {.slot = "check", .xml = xml};
    return nest_fake_call_run(fake_of(self), &call, nest_fake_call_check, error) &&
        nest_judge_check(nest_judge_program(), NEST_JUDGE_TIMEOUT_MS, xml, ret_doubt, error);
}

static gboolean call_define(
    NestBackend *self, const char *xml, NestFakeEffect effect, GError **error)
{
    g_autoptr(NestDomain) domain = nest_domain_read(xml, error);
    if (domain == NULL)
        return FALSE;
    if (domain->name == NULL || domain->uuid == NULL) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "XML error: the fake wants a domain with both name and uuid");
        return FALSE;
    }
    NestFakeCall call = {.slot = "define", .uuid = domain->uuid, .name = domain->name, .xml = xml};
    return nest_fake_call_run(fake_of(self), &call, effect, error);
}

static gboolean fake_define(NestBackend *self, const char *xml, GError **error)
{
    return call_define(self, xml, nest_fake_effect_define, error);
}

/* Counts as define. */
static gboolean fake_redefine(NestBackend *self, const char *uuid, const char *xml, GError **error)
{
    return call_define(self, xml, nest_fake_effect_redefine, error);
}

static gboolean call_vm(
    NestBackend *self, const char *slot, const char *uuid, NestFakeEffect effect, GError **error)
{
    NestFakeCall call = {.slot = slot, .uuid = uuid};
    return nest_fake_call_run(fake_of(self), &call, effect, error);
}

static gboolean fake_undefine(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "undefine", uuid, nest_fake_effect_undefine, error);
}

static gboolean fake_start(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "start", uuid, nest_fake_effect_start, error);
}

static gboolean fake_shutdown(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "shutdown", uuid, nest_fake_effect_shutdown, error);
}

static gboolean fake_stop(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "stop", uuid, nest_fake_effect_stop, error);
}

static gboolean fake_pause(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "pause", uuid, nest_fake_effect_pause, error);
}

static gboolean fake_resume(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "resume", uuid, nest_fake_effect_resume, error);
}

static gboolean fake_set_memory(NestBackend *self, const char *uuid, guint64 kib, GError **error)
{
    NestFakeCall call = {.slot = "set_memory", .uuid = uuid, .kib = kib};
    return nest_fake_call_run(fake_of(self), &call, nest_fake_effect_set_memory, error);
}

static gboolean fake_save(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "save", uuid, nest_fake_effect_save, error);
}

static gboolean fake_drop_saved_state(NestBackend *self, const char *uuid, GError **error)
{
    return call_vm(self, "drop_saved_state", uuid, nest_fake_effect_drop, error);
}

/* One look at the VM: TRUE if nothing runs; else with error unset, one has to look again. */
static gboolean is_off(NestFake *fake, const char *uuid, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fake->lock);
    if (!fake->connected) {
        nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, NULL,
            "the connection to the fake hypervisor is gone");
        return FALSE;
    }
    nest_fake_state_hold(fake->state);
    nest_fake_state_settle(fake->state);
    const NestFakeVm *vm = nest_fake_state_get(fake->state, uuid);
    nest_fake_state_release(fake->state);
    return vm == NULL || vm->state == NEST_VM_OFF;
}

static gboolean fake_wait_off(NestBackend *self, const char *uuid, guint timeout_ms,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) local = NULL;
    const gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    if (!call_vm(self, "wait_off", uuid, nest_fake_effect_find, error))
        return FALSE;
    while (!is_off(fake_of(self), uuid, &local)) {
        if (local == NULL && g_cancellable_is_cancelled(cancellable))
            nest_set_error(&local, NEST_ERROR_ABORTED, NULL, "waiting was cancelled");
        if (local == NULL && g_get_monotonic_time() >= deadline)
            nest_set_error(
                &local, NEST_ERROR_TIMEOUT, NULL, "the domain still runs after %u ms", timeout_ms);
        if (local != NULL) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        g_usleep(2000);
    }
    return TRUE;
}

static void fake_set_handler(NestBackend *self, NestBackendHandler handler, gpointer user_data)
{
    fake_of(self)->handler = handler;
    fake_of(self)->user_data = user_data;
}

static void remove_directory(const char *path)
{
    const char *file;
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    while (directory != NULL && (file = g_dir_read_name(directory)) != NULL) {
        g_autofree char *inside = g_build_filename(path, file, NULL);
        unlink(inside);
    }
    g_rmdir(path);
}

static void fake_free(NestBackend *self)
{
    NestFake *fake = fake_of(self);
    nest_fake_watch_free(fake->watch);
    nest_fake_state_free(fake->state);
    nest_fake_control_free(fake->control);
    nest_domain_schema_free(fake->schema);
    if (fake->root_fd >= 0)
        close(fake->root_fd);
    if (fake->temporary)
        remove_directory(fake->directory);
    g_free(fake->directory);
    g_free(fake->control_path);
    g_hash_table_unref(fake->sampled);
    g_mutex_clear(&fake->lock);
    g_free(fake);
}

static const NestBackendOps fake_ops = {
    .open = fake_open,
    .free = fake_free,
    .caps = fake_caps,
    .list = fake_list,
    .read = fake_read,
    .check = fake_check,
    .define = fake_define,
    .redefine = fake_redefine,
    .undefine = fake_undefine,
    .start = fake_start,
    .shutdown = fake_shutdown,
    .stop = fake_stop,
    .pause = fake_pause,
    .resume = fake_resume,
    .restart = nest_fake_restart,
    .set_memory = fake_set_memory,
    .checkpoints = nest_fake_checkpoints,
    .checkpoint = nest_fake_checkpoint,
    .apply_checkpoint = nest_fake_apply_checkpoint,
    .delete_checkpoint = nest_fake_delete_checkpoint,
    .migrate = nest_fake_migrate,
    .save = fake_save,
    .drop_saved_state = fake_drop_saved_state,
    .wait_off = fake_wait_off,
    .sample = nest_fake_sample,
    .agent = nest_fake_agent,
    .boot = nest_fake_boot,
    .networks = nest_fake_networks,
    .set_handler = fake_set_handler,
};

/* The value of an environment variable, NULL where it is unset or empty. */
static const char *environment(const char *name)
{
    const char *value = g_getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

NestBackend *nest_backend_fake_new(const char *directory)
{
    NestFake *fake = g_new0(NestFake, 1);
    const char *seeds = environment("NEST_FAKE_VMS");
    const char *wanted = directory != NULL ? directory : environment("NEST_FAKE_DIR");
    fake->base.ops = &fake_ops;
    fake->schema = nest_domain_schema_new(nest_domain_schema_file);
    fake->root_fd = -1;
    fake->sampled = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake->temporary = wanted == NULL;
    fake->directory = wanted != NULL ? g_strdup(wanted) : g_dir_make_tmp("nest-XXXXXX", NULL);
    if (fake->directory == NULL || g_mkdir_with_parents(fake->directory, 0700) < 0)
        g_error("the fake hypervisor has no directory: %s", g_strerror(errno));
    fake->control_path = environment("NEST_FAKE_CONTROL") != NULL
        ? g_strdup(environment("NEST_FAKE_CONTROL"))
        : g_build_filename(fake->directory, "control", NULL);
    g_autofree char *calls = g_build_filename(fake->directory, "calls", NULL);
    const gboolean off = g_strcmp0(environment("NEST_FAKE_CALLS"), "off") == 0;
    fake->control = nest_fake_control_new(fake->control_path, off ? NULL : calls,
        g_strcmp0(environment("NEST_FAKE_COUNT"), "all") == 0);
    fake->state = nest_fake_state_new(fake->directory, seeds != NULL ? (guint)atoi(seeds) : 0);
    g_mutex_init(&fake->lock);
    return &fake->base;
}

void nest_backend_fake_control(NestBackend *backend, const char *rules)
{
    NestFake *fake = fake_of(backend);
    g_autofree char *next = g_strconcat(fake->control_path, ".next", NULL);
    if (!g_file_set_contents(next, rules, -1, NULL) || g_rename(next, fake->control_path) < 0)
        g_error("%s can't be written: %s", fake->control_path, g_strerror(errno));
}

const char *nest_backend_fake_directory(NestBackend *backend)
{
    return fake_of(backend)->directory;
}
