/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-state.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-fake-seed.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FIELD(field, field_type) \
    { \
#field, field_type, 0, offsetof(NestFakeVm, field), NULL, NULL \
    }

#define CHECKPOINT(field, field_type) \
    { \
#field, field_type, 0, offsetof(NestFakeCheckpoint, field), NULL, NULL \
    }

static const NestField checkpoint_fields[] = {
    CHECKPOINT(name, NEST_FIELD_STRING),
    CHECKPOINT(time, NEST_FIELD_INT64),
    CHECKPOINT(current, NEST_FIELD_BOOL),
    CHECKPOINT(unfinished, NEST_FIELD_BOOL),
    CHECKPOINT(description, NEST_FIELD_STRING),
    CHECKPOINT(xml, NEST_FIELD_STRING),
    CHECKPOINT(live_xml, NEST_FIELD_STRING),
};

static const NestRecord checkpoint_record = {"fake checkpoint", sizeof(NestFakeCheckpoint),
    checkpoint_fields, G_N_ELEMENTS(checkpoint_fields)};

static const char *const start_log_nicks[] = {
    "unread", "clean", "misses-vmx", "misses-svm", "misses-both", NULL};

static const NestField vm_fields[] = {
    FIELD(uuid, NEST_FIELD_STRING),
    FIELD(name, NEST_FIELD_STRING),
    {"state", NEST_FIELD_ENUM, 0, offsetof(NestFakeVm, state), nest_vm_state_nicks, NULL},
    FIELD(saved_state, NEST_FIELD_BOOL),
    FIELD(saved_bytes, NEST_FIELD_UINT64),
    FIELD(saved_time, NEST_FIELD_INT64),
    FIELD(snapshots, NEST_FIELD_UINT),
    FIELD(autostart, NEST_FIELD_BOOL),
    FIELD(restarts, NEST_FIELD_UINT),
    FIELD(xml, NEST_FIELD_STRING),
    FIELD(live_xml, NEST_FIELD_STRING),
    FIELD(run, NEST_FIELD_INT64),
    FIELD(carried, NEST_FIELD_BOOL),
    {"start_log", NEST_FIELD_ENUM, 0, offsetof(NestFakeVm, start_log), start_log_nicks, NULL},
    FIELD(saved_xml, NEST_FIELD_STRING),
    {"checkpoints", NEST_FIELD_RECORDS, 0, offsetof(NestFakeVm, checkpoints), NULL,
        &checkpoint_record},
    FIELD(off_at, NEST_FIELD_INT64),
};

static const NestRecord vm_record = {
    "fake virtual machine", sizeof(NestFakeVm), vm_fields, G_N_ELEMENTS(vm_fields)};

typedef struct {
    NestFakeVm *vm;
    struct stat seen; /* of the file; st_ino 0: a seed without one */
} Entry;

struct NestFakeState {
    char *directory;
    GHashTable *entries; /* uuid → Entry */
    GHashTable *leaving; /* uuids of VMs with off_at */
    int edit_fd;
};

static void entry_free(gpointer data)
{
    Entry *entry = data;
    nest_fake_vm_free(entry->vm);
    g_free(entry);
}

NestFakeCheckpoint *nest_fake_checkpoint_copy(const NestFakeCheckpoint *checkpoint)
{
    return nest_record_copy(&checkpoint_record, checkpoint);
}

void nest_fake_checkpoint_free(NestFakeCheckpoint *checkpoint)
{
    nest_record_free(&checkpoint_record, checkpoint);
}

void nest_fake_vm_free(NestFakeVm *vm)
{
    nest_record_free(&vm_record, vm);
}

NestFakeVm *nest_fake_vm_copy(const NestFakeVm *vm)
{
    return nest_record_copy(&vm_record, vm);
}

void nest_fake_vm_power_off(NestFakeVm *vm)
{
    vm->state = NEST_VM_OFF;
    vm->off_at = 0;
    g_clear_pointer(&vm->live_xml, g_free);
}

static char *path_of(NestFakeState *state, const char *uuid, const char *suffix)
{
    return g_strconcat(state->directory, "/", uuid, suffix, NULL);
}

/* A seed that has never been changed has no file. */
static gboolean is_untouched(const Entry *entry)
{
    return entry != NULL && entry->seen.st_ino == 0;
}

static const NestFakeVm *refresh(NestFakeState *state, const char *uuid)
{
    struct stat now;
    g_autofree char *text = NULL;
    g_autofree char *path = path_of(state, uuid, ".json");
    g_autofree char *gone = path_of(state, uuid, ".gone");
    Entry *entry = g_hash_table_lookup(state->entries, uuid);
    if (stat(path, &now) < 0) {
        if (entry != NULL && (!is_untouched(entry) || access(gone, F_OK) == 0)) {
            g_hash_table_remove(state->entries, uuid);
            entry = NULL;
        }
        return entry != NULL ? entry->vm : NULL;
    }
    if (entry != NULL && entry->seen.st_ino == now.st_ino && entry->seen.st_size == now.st_size &&
        memcmp(&entry->seen.st_mtim, &now.st_mtim, sizeof now.st_mtim) == 0)
        return entry->vm;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_autoptr(GError) error = NULL;
    NestFakeVm *vm = nest_codec_from_text(&vm_record, text, -1, NEST_CODEC_STRICT, &error);
    if (vm == NULL)
        g_error("%s: %s", path, error->message);
    if (vm->off_at != 0 && !g_hash_table_contains(state->leaving, uuid)) /* uuid may be its key */
        g_hash_table_add(state->leaving, g_strdup(uuid));
    entry = g_new0(Entry, 1);
    entry->vm = vm;
    entry->seen = now;
    g_hash_table_replace(state->entries, g_strdup(uuid), entry);
    return vm;
}

static void refresh_all(NestFakeState *state)
{
    const char *file;
    GHashTableIter iter;
    gpointer key, value;
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GDir) directory = g_dir_open(state->directory, 0, NULL);
    while (directory != NULL && (file = g_dir_read_name(directory)) != NULL) {
        const char *dot = strrchr(file, '.');
        if (file[0] != '.' && (g_str_has_suffix(file, ".json") || g_str_has_suffix(file, ".gone")))
            g_hash_table_add(names, g_strndup(file, (gsize)(dot - file)));
    }
    g_hash_table_iter_init(&iter, state->entries);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!is_untouched(value))
            g_hash_table_add(names, g_strdup(key));
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        refresh(state, key);
}

static void seed(NestFakeState *state, guint index)
{
    Entry *entry = g_new0(Entry, 1);
    entry->vm = nest_record_new(&vm_record);
    entry->vm->uuid = nest_fake_seed_uuid(index);
    entry->vm->name = nest_fake_seed_name(index);
    entry->vm->xml = nest_fake_seed_xml(index);
    entry->vm->state = NEST_VM_OFF;
    g_hash_table_insert(state->entries, g_strdup(entry->vm->uuid), entry);
}

NestFakeState *nest_fake_state_new(const char *directory, guint seeds)
{
    NestFakeState *state = g_new0(NestFakeState, 1);
    g_autofree char *edit = g_build_filename(directory, "edit", NULL);
    state->directory = g_strdup(directory);
    state->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    state->leaving = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    state->edit_fd = open(edit, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (state->edit_fd < 0)
        g_error("%s: %s", edit, g_strerror(errno));
    for (guint i = 1; i <= seeds; i++)
        seed(state, i);
    refresh_all(state);
    return state;
}

void nest_fake_state_free(NestFakeState *state)
{
    close(state->edit_fd);
    g_hash_table_unref(state->entries);
    g_hash_table_unref(state->leaving);
    g_free(state->directory);
    g_free(state);
}

void nest_fake_state_hold(NestFakeState *state)
{
    if (flock(state->edit_fd, LOCK_EX) < 0)
        g_error("%s: %s", state->directory, g_strerror(errno));
}

void nest_fake_state_release(NestFakeState *state)
{
    flock(state->edit_fd, LOCK_UN);
}

const NestFakeVm *nest_fake_state_get(NestFakeState *state, const char *uuid)
{
    return refresh(state, uuid);
}

GPtrArray *nest_fake_state_all(NestFakeState *state)
{
    gpointer entry;
    GHashTableIter iter;
    GPtrArray *vms = g_ptr_array_new();
    refresh_all(state);
    g_hash_table_iter_init(&iter, state->entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        g_ptr_array_add(vms, ((Entry *)entry)->vm);
    return vms;
}

const NestFakeVm *nest_fake_state_by_name(NestFakeState *state, const char *name)
{
    g_autoptr(GPtrArray) vms = nest_fake_state_all(state);
    for (guint i = 0; i < vms->len; i++) {
        const NestFakeVm *vm = g_ptr_array_index(vms, i);
        if (strcmp(vm->name, name) == 0)
            return vm;
    }
    return NULL;
}

static gboolean write_file(
    NestFakeState *state, const char *uuid, const char *suffix, const char *text, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autofree char *path = path_of(state, uuid, suffix);
    g_autofree char *next = g_strconcat(state->directory, "/.next", NULL);
    unlink(next); /* of a process that was killed: it would not be truncated */
    if (!g_file_set_contents_full(next, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, &local)) {
        nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "%s", local->message);
        return FALSE;
    }
    if (g_rename(next, path) == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "%s: %s", path, g_strerror(errno));
    return FALSE;
}

gboolean nest_fake_state_put(NestFakeState *state, NestFakeVm *vm, GError **error)
{
    G_GNUC_UNUSED g_autoptr(NestFakeVm) owned = vm;
    g_autofree char *text = nest_codec_to_text(&vm_record, vm);
    g_autofree char *gone = path_of(state, vm->uuid, ".gone");
    if (!write_file(state, vm->uuid, ".json", text, error))
        return FALSE;
    unlink(gone);
    refresh(state, vm->uuid);
    return TRUE;
}

gboolean nest_fake_state_remove(NestFakeState *state, const char *uuid, GError **error)
{
    g_autofree char *path = path_of(state, uuid, ".json");
    if (g_str_has_prefix(uuid, "5eed0000-") && !write_file(state, uuid, ".gone", "", error))
        return FALSE;
    unlink(path);
    g_hash_table_remove(state->entries, uuid);
    return TRUE;
}

gint64 nest_fake_state_settle(NestFakeState *state)
{
    gint64 next = 0;
    const gint64 now = g_get_real_time() / 1000;
    g_autofree gpointer *uuids = g_hash_table_get_keys_as_array(state->leaving, NULL);
    for (guint i = 0; uuids[i] != NULL; i++) {
        const NestFakeVm *vm = refresh(state, uuids[i]);
        if (vm != NULL && vm->off_at > now) {
            next = next == 0 ? vm->off_at : MIN(next, vm->off_at);
            continue;
        }
        if (vm != NULL && vm->off_at != 0) {
            NestFakeVm *off = nest_fake_vm_copy(vm);
            nest_fake_vm_power_off(off);
            nest_fake_state_put(state, off, NULL);
        }
        g_hash_table_remove(state->leaving, uuids[i]);
    }
    return next;
}
