/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend-libvirt.h"
#include "nest-domain-schema.h"
#include <libvirt/libvirt.h>

/* Shared by the files of the libvirt backend, and by nobody else. */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virConnect, virConnectClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

typedef struct NestLibvirtAttempt NestLibvirtAttempt;

typedef struct {
    NestBackend base;
    NestLibvirtOptions options; /* strings owned */
    gboolean embed;
    NestDomainSchema *schema;
    NestBackendHandler handler;
    gpointer user_data;
    GMutex opening; /* one open() at a time; guards attempt and used */
    NestLibvirtAttempt *attempt; /* an open that did not answer in time, still under way */
    gboolean used; /* the loop was started */
    GMutex lock; /* guards what follows */
    GCond changed; /* signalled with each change of it */
    virConnectPtr connection; /* NULL before the first open */
    gboolean lost; /* connection is not usable any more */
    int lifecycle; /* the callback's id, -1 none */
    guint64 events; /* counts lifecycle events */
    guint endings; /* VMs of boot() that are about to go, or to come */
    int *unanswered; /* rc box, atomic: samples that QEMU has not answered */
    GMutex asking; /* one question about networks at a time */
    int *late; /* rc box, atomic: of those, how many were left to themselves */
    int *probing; /* the same of questions what QEMU can do */
} NestLibvirt;

/* nest-libvirt-connection.c */

/* Connects, with events, and settles. */
gboolean nest_libvirt_open(NestLibvirt *self, GError **error);

/* Closes what is open. No callback runs afterwards. */
void nest_libvirt_close(NestLibvirt *self);

/* The connection, a new reference. BACKEND_UNAVAILABLE where there is none. */
gboolean nest_libvirt_get(NestLibvirt *self, virConnectPtr *ret_connection, GError **error);

/* The persistent domain of uuid. */
gboolean nest_libvirt_domain(
    NestLibvirt *self, const char *uuid, virDomainPtr *ret_domain, GError **error);

/* Opens uri in a thread of its own; TIMEOUT if that takes longer than timeout_ms: the thread is
 * then left to itself. */
gboolean nest_libvirt_connect(
    const char *uri, guint timeout_ms, virConnectPtr *ret_connection, GError **error);

/* nest-libvirt-call.c */

/* Runs function(data) on a thread of its own, for what may wait for a QEMU for ever. TRUE: it did
 * within timeout_ms what it should. Else error is its own, or TIMEOUT, which begins with failure
 * ("Cannot save DemoVM"): the thread is then left to itself. Takes data over, but where it returns
 * TRUE. */
typedef gboolean (*NestLibvirtErrand)(gpointer data, GError **error);
gboolean nest_libvirt_run(NestLibvirtErrand function, gpointer data, GDestroyNotify free_data,
    guint timeout_ms, const char *failure, GError **error);

/* The same for what libvirt itself answers, which may have to ask another daemon, or a QEMU of its
 * own, that hangs. late (rc box, atomic) counts those that were left to themselves: as long
 * as there is one, this is TIMEOUT at once, for libvirt works on few calls of one client at a time.
 */
gboolean nest_libvirt_run_daemon(NestLibvirtErrand function, gpointer data,
    GDestroyNotify free_data, int *late, guint timeout_ms, const char *failure, GError **error);

/* Returns < 0 with libvirt's error set on failure. */
typedef int (*NestLibvirtFunction)(virDomainPtr domain);

/* Calls function on a thread of its own, for what waits for QEMU to answer; verb says what it does,
 * for errors. TIMEOUT if that takes
 * longer than timeout_ms: the thread is then left to itself, until QEMU answers or ends. */
gboolean nest_libvirt_call(virDomainPtr domain, NestLibvirtFunction function, guint timeout_ms,
    const char *verb, GError **error);

/* Waits for QEMU's answer to a question that is answered in its turn, once libvirt has attached
 * to it. */
int nest_libvirt_ask(virDomainPtr domain);

/* nest-libvirt-sample.c */

/* The sample of the contract. */
gboolean nest_libvirt_sample(
    NestLibvirt *self, const char *uuid, gboolean monitor, GPtrArray **ret_samples, GError **error);

/* nest-libvirt-run.c: slots of the contract. */

gboolean nest_libvirt_pause(NestBackend *backend, const char *uuid, GError **error);
gboolean nest_libvirt_resume(NestBackend *backend, const char *uuid, GError **error);
gboolean nest_libvirt_set_memory(
    NestBackend *backend, const char *uuid, guint64 kib, GError **error);

/* nest-libvirt-restart.c */

/* The restart of the contract. */
gboolean nest_libvirt_restart(NestBackend *backend, const char *uuid, gboolean hard,
    guint timeout_ms, GCancellable *cancellable, GError **error);

/* nest-libvirt-agent.c */

/* The agent of the contract. */
gboolean nest_libvirt_agent(NestBackend *backend, const char *uuid, const char *command,
    guint timeout_s, char **ret_answer, GError **error);

/* nest-libvirt-boot.c */

/* The boot of the contract. */
gboolean nest_libvirt_boot(NestBackend *backend, const NestBoot *boot, GCancellable *cancellable,
    GBytes **ret_console, GError **error);

/* nest-libvirt-ending.c: what comes after a VM of boot(). */

/* Where it has its files. It is named as the VM is. */
typedef struct {
    char *path;
    int lock; /* on it, as long as somebody minds it */
} NestBootFolder;

gboolean nest_libvirt_folder_make(NestLibvirt *self, NestBootFolder **ret_folder, GError **error);

/* The path of the file of that name in it. */
char *nest_libvirt_folder_file(const NestBootFolder *folder, const char *name);

/* With all that is in it, and the log of the VM. Takes folder over; NULL is none. */
void nest_libvirt_folder_remove(NestLibvirt *self, NestBootFolder *folder);

/* Powers domain off, and removes folder (nullable) once it is gone. Waits some seconds for that,
 * and leaves it to itself then. Takes both over. */
void nest_libvirt_end(NestLibvirt *self, virDomainPtr domain, NestBootFolder *folder);

/* The same for one that is about to turn itself off; does not wait. */
void nest_libvirt_let_end(NestLibvirt *self, virDomainPtr domain, NestBootFolder *folder);

/* Powers off what has that name. Does not wait. */
void nest_libvirt_end_named(NestLibvirt *self, const char *name);

/* So many more, or fewer, are on their way out. */
void nest_libvirt_count_ending(NestLibvirt *self, int more);

/* Waits until no more than so many are, or to deadline (monotonic time). FALSE: that took too long,
 * and self is still needed. */
gboolean nest_libvirt_await_endings(NestLibvirt *self, guint left, gint64 deadline);

/* Ends what a process that died in the middle left, if it is ours. */
void nest_libvirt_boot_clean(NestLibvirt *self, virConnectPtr connection);

/* nest-libvirt-checkpoint.c: likewise. */

gboolean nest_libvirt_checkpoints(
    NestBackend *backend, const char *uuid, GPtrArray **ret_checkpoints, GError **error);
gboolean nest_libvirt_checkpoint(NestBackend *backend, const char *uuid, const char *name,
    const char *description, gboolean disk_only, GError **error);
gboolean nest_libvirt_apply_checkpoint(
    NestBackend *backend, const char *uuid, const char *name, GError **error);
gboolean nest_libvirt_delete_checkpoint(
    NestBackend *backend, const char *uuid, const char *name, GError **error);

/* nest-libvirt-disks.c */

/* A checkpoint of the disks alone of a domain that runs. */
gboolean nest_libvirt_checkpoint_disks(
    virDomainPtr domain, const char *name, const char *description, GError **error);

/* nest-libvirt-migrate.c */

/* The migrate of the contract. */
gboolean nest_libvirt_migrate(NestBackend *backend, const char *uuid, const char *to,
    gboolean offline, guint timeout_ms, GCancellable *cancellable, GError **error);

/* nest-libvirt-wait.c */

/* The wait_off of the contract. */
gboolean nest_libvirt_wait_off(NestLibvirt *self, virDomainPtr domain, guint timeout_ms,
    GCancellable *cancellable, GError **error);

/* nest-libvirt-settle.c */

/* Waits until libvirt is attached to each running domain, or timeout_ms passed. Just after opening
 * it reports the states of before, and a power-off fails though it is done. */
void nest_libvirt_settle(NestLibvirt *self, virConnectPtr connection, guint timeout_ms);

/* nest-libvirt-vm.c */

/* The state of domain alone, and whether a saved state waits. */
gboolean nest_libvirt_state(virDomainPtr domain, NestVmState *ret_state, GError **error);

/* Where libvirt keeps what belongs to VMs; NULL where that is not known. */
typedef struct {
    char *saved; /* saved states */
    char *logs; /* of QEMU */
    char *run; /* what there is of running ones */
} NestLibvirtFolders;

NestLibvirtFolders nest_libvirt_folders(const NestLibvirt *self);
void nest_libvirt_folders_clear(NestLibvirtFolders *folders);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestLibvirtFolders, nest_libvirt_folders_clear)

gboolean nest_libvirt_facts(virDomainPtr domain, const NestLibvirtFolders *folders,
    NestVmFacts **ret_facts, GError **error);

/* nest-libvirt-snapshots.c */

/* Not more than it takes a while to read; NULL where they can't be listed. */
NestSnapshotFacts *nest_libvirt_snapshots(virDomainPtr domain);

/* nest-libvirt-networks.c */

/* The networks of the contract. */
gboolean nest_libvirt_networks(
    NestLibvirt *self, GPtrArray **ret_texts, NestUnlisted *ret_unlisted, GError **error);

/* Whether there are such things. */
gboolean nest_libvirt_has_networks(NestLibvirt *self);

/* nest-libvirt-caps.c */

gboolean nest_libvirt_caps(NestLibvirt *self, NestBackendCaps **ret_caps, GError **error);
