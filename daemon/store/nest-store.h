/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* What nestd must not forget, in SQLite (WAL, synchronous=FULL): intents and outcomes of
 * operations, revisions of definitions, events, audit, settings, and the last known state of every
 * VM, so that reads are answered before the hypervisor is open.
 *
 * All functions may be called from any thread. Writers share one connection behind one lock
 * (BEGIN IMMEDIATE); readers use a second one and never wait for a commit. Errors are
 * NEST_ERROR_STORE, NEST_ERROR_STORE_FULL (no space, quota, read-only) or
 * NEST_ERROR_ALREADY_RUNNING (another process has the directory). After a failed write nothing of
 * it is there, and the next write is tried afresh. Only where the disk failed to confirm it, and
 * nestd is killed before its next write, it may be there at the next start: like a commit whose
 * answer nobody got. */
typedef struct NestStore NestStore;

/* Opens directory/nestd.db, creating and migrating as needed. A database newer than this program,
 * a corrupt one, or a failed migration is an error and changes nothing. Before a migration the
 * database is copied to nestd.db.vVERSION.bak. A directory that is missing is made with mode 0700;
 * one that others can write to is refused; files have mode 0600, whatever the umask is. */
NestStore *nest_store_open(const char *directory, GError **error);
void nest_store_close(NestStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestStore, nest_store_close)

/* Settings: small strings. get returns TRUE with NULL where the key is not set; setting NULL
 * removes it. */
gboolean nest_store_get_setting(
    NestStore *store, const char *key, char **ret_value, GError **error);
gboolean nest_store_set_setting(
    NestStore *store, const char *key, const char *value, GError **error);

typedef struct {
    const char *key;
    const char *value; /* NULL: it is removed */
} NestStoreSetting;

/* One transaction: sets settings, which end with a row without key, and appends events (array of
 * NestEvent), whose ids and times are set. */
gboolean nest_store_note(
    NestStore *store, const NestStoreSetting *settings, GPtrArray *events, GError **error);

/* The values of the keys that begin with prefix, ordered by key: array of char * that frees its
 * elements. */
gboolean nest_store_settings(
    NestStore *store, const char *prefix, GPtrArray **ret_values, GError **error);

/* The last known state of a VM. */
typedef struct {
    char *uuid;
    char *name;
    char *text; /* JSON of NestVm; NULL where it was listed */
    char *summary; /* JSON of NestVmSummary */
    char *state; /* its nick; NULL: not known */
    char *revision; /* NULL: not known */
} NestStoredVm;
void nest_stored_vm_free(NestStoredVm *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestStoredVm, nest_stored_vm_free)

/* All of them without their texts, ordered by name: array of NestStoredVm that frees its
 * elements. */
gboolean nest_store_vms(NestStore *store, GPtrArray **ret_vms, GError **error);

/* The text of one; NULL where there is none. */
gboolean nest_store_vm_text(NestStore *store, const char *uuid, char **ret_text, GError **error);

/* One transaction: put the changed (array of NestStoredVm), forget the gone (uuids, NULL for
 * none), append the events (array of NestEvent, NULL for none), whose ids and times are set. */
gboolean nest_store_sync_vms(NestStore *store, const GPtrArray *changed, const char *const *gone,
    GPtrArray *events, GError **error);

/* What nestd itself knows of a VM, whatever the hypervisor says; all defaults where it knows
 * nothing. Stays when the VM is gone: it may come back, by another definition or connection. */
typedef struct {
    char *uuid;
    gboolean labelled; /* trust was set; else it is as configured */
    NestTrust trust;
    gboolean guarded; /* nestd switched nesting on, and it was not switched off through nestd */
    char *left_as; /* the fingerprint of the definition as nestd left it; NULL: not known */
    gboolean fresh; /* not started since nesting was switched on */
    char *saved; /* JSON of whoever saved it; NULL: nestd did not, or it was resumed */
    char *open; /* what of its interfaces nestd left open, nest-barrier.h; NULL: nothing */
} NestStoredMark;
NestStoredMark *nest_store_mark_new(const char *uuid);
NestStoredMark *nest_store_mark_copy(const NestStoredMark *mark);
void nest_stored_mark_free(NestStoredMark *mark);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestStoredMark, nest_stored_mark_free)

/* Every mark that differs from the defaults: array of NestStoredMark that frees its elements. */
gboolean nest_store_marks(NestStore *store, GPtrArray **ret_marks, GError **error);

/* One transaction: put mark, append events (NULL for none), whose ids and times are set. */
gboolean nest_store_put_mark(
    NestStore *store, const NestStoredMark *mark, GPtrArray *events, GError **error);

/* The VM was started: its mark, where it has one, is not fresh any more; the rest of it stays. */
gboolean nest_store_mark_started(NestStore *store, const char *uuid, GError **error);

/* An operation with what recovery needs to finish it or take it back. */
typedef struct {
    NestOperation *operation;
    char *before_xml; /* the definition to go back to, NULL where none */
    char *after_xml; /* the definition to reach, NULL where none */
    char *detail; /* JSON, the job's own, NULL where none */
    char *forced; /* the guards that were overridden, and why; NULL where none was */
    NestStoredMark *mark; /* of the VM from the end of the operation on; NULL: as it was */
} NestIntent;
void nest_intent_free(NestIntent *intent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestIntent, nest_intent_free)

/* One transaction: the operation (pending; its id and created are set), its intent, an audit row
 * with uid and pid of the operation, and an "operation-started" event. Where guards were
 * overridden, another audit row and a "guard-forced" event say so. */
gboolean nest_store_begin_operation(NestStore *store, NestIntent *intent, GError **error);

/* State and steps of an operation under way. One whose state is an end is refused (INTERNAL), as
 * is one in finish that has not ended; one that is not stored as under way is an error (STORE). */
gboolean nest_store_update_operation(
    NestStore *store, const NestOperation *operation, GError **error);

/* One transaction: the ended operation, an "operation-finished" event, a revision of the
 * definition where it ended as done and intent has an after_xml that differs from before_xml, and
 * its mark where it has one. */
gboolean nest_store_finish_operation(NestStore *store, const NestIntent *intent, GError **error);

/* Operations that have not ended, oldest first: array of NestIntent that frees its elements. */
gboolean nest_store_unfinished(NestStore *store, GPtrArray **ret_intents, GError **error);

/* Newest first, at most limit, with an id below before (0: no bound): array of NestOperation that
 * frees its elements. */
gboolean nest_store_operations(
    NestStore *store, gint64 before, guint limit, GPtrArray **ret_operations, GError **error);

/* OPERATION_NOT_FOUND where there is none. */
gboolean nest_store_operation(
    NestStore *store, gint64 id, NestOperation **ret_operation, GError **error);

/* A definition as an operation of nestd changed it. */
typedef struct {
    gint64 id;
    gint64 time;
    gint64 operation;
    char *kind; /* of the operation; NULL where an older nestd forgot that */
    gint64 uid; /* who asked; -1 likewise */
    char *before_xml; /* NULL where the VM was created; with its secrets, as after_xml */
    char *after_xml;
} NestStoredRevision;
void nest_stored_revision_free(NestStoredRevision *revision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestStoredRevision, nest_stored_revision_free)

/* Of one VM (uuid NULL: of the host, whose after_xml is the change as JSON), newest first, with
 * lower ids than before (0: all), at most limit: array of NestStoredRevision that frees its
 * elements. */
gboolean nest_store_revisions(NestStore *store, const char *uuid, gint64 before, guint limit,
    GPtrArray **ret_revisions, GError **error);

/* That revision of the VM, the newest for id 0; *ret_revision is NULL where there is none. */
gboolean nest_store_revision(NestStore *store, const char *uuid, gint64 id,
    NestStoredRevision **ret_revision, GError **error);

/* Appends events in one transaction; their ids and times are set. */
gboolean nest_store_add_events(NestStore *store, GPtrArray *events, GError **error);

/* Events with an id above after, oldest first, at most limit: array of NestEvent that frees its
 * elements. */
gboolean nest_store_events(
    NestStore *store, gint64 after, guint limit, GPtrArray **ret_events, GError **error);
gboolean nest_store_last_event(NestStore *store, gint64 *ret_id, GError **error);

/* Called after each commit that appended events, on the thread that committed. Set once, before
 * the store is shared. */
typedef void (*NestStoreNotify)(gpointer user_data);
void nest_store_set_notify(NestStore *store, NestStoreNotify notify, gpointer user_data);

/* Forgets ended operations beyond the newest keep_operations, with audit and intents, and events
 * beyond the newest keep_events. Revisions stay, and so do, without their intents, the operations
 * that made them and those that forced a guard. */
gboolean nest_store_trim(
    NestStore *store, guint keep_operations, guint keep_events, GError **error);
