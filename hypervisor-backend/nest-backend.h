/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"
#include <gio/gio.h>

/* The hypervisor, behind a table of functions. The contract of all slots:
 * - they block, may be called from any thread, and concurrently for different VMs;
 * - FALSE exactly when error is set; out-parameters are untouched then;
 * - errors are in the NEST_ERROR domain; a VM that is not there is VM_NOT_FOUND, a connection
 *   that is gone is BACKEND_UNAVAILABLE, what the hypervisor says no to is HYPERVISOR with its
 *   own words in the message;
 * - on failure the VM is as it was, unless the slot says otherwise: read it back. */

typedef struct NestBackend NestBackend;

#define NEST_BACKEND_CHECKPOINTS_MAX 512
#define NEST_BACKEND_ANSWER_MAX (10u * 1024 * 1024)

/* What was read of a VM's snapshots. */
typedef struct {
    guint read; /* of how many */
    guint with_memory; /* so many hold the memory, and with it the CPU, of a VM that ran */
    char *memory_name; /* of the first of them */
    guint without; /* the definition in so many does not ask for an extension */
    char *without_name;
} NestSnapshotFacts;

void nest_snapshot_facts_free(NestSnapshotFacts *facts);

/* What QEMU's log of the last start says of the extensions. */
typedef enum {
    NEST_START_LOG_UNREAD,
    NEST_START_LOG_CLEAN, /* it was read back to the start, and none is missing */
    NEST_START_LOG_MISSES_VMX, /* it was asked for, and the host did not give it */
    NEST_START_LOG_MISSES_SVM,
    NEST_START_LOG_MISSES_BOTH
} NestStartLog;

/* A checkpoint (libvirt: snapshot) of a VM. */
typedef struct {
    char *name;
    gint64 time; /* ms of the epoch */
    gboolean memory; /* it ran, and its memory is kept too */
    gboolean current;
    gboolean unfinished; /* its making was begun, and may have got anywhere */
    char *description; /* what its maker wrote, NULL where nothing */
    char *xml; /* the definition of then, of what ran if it ran; NULL where it is not kept */
} NestBackendCheckpoint;

void nest_backend_checkpoint_free(NestBackendCheckpoint *checkpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestBackendCheckpoint, nest_backend_checkpoint_free)

/* What the hypervisor has of one VM, read in one go. */
typedef struct {
    char *uuid;
    char *name;
    NestVmState state;
    gboolean saved_state;
    guint64 saved_bytes; /* of the saved state, 0 where unknown */
    gint64 saved_time; /* when that was last written to, µs of the epoch; 0 where unknown */
    char *saved_xml; /* what it runs by when it is resumed, without secrets; NULL: nothing is saved,
                      * or that can't be told */
    guint snapshots;
    NestSnapshotFacts *snapshot_facts; /* NULL: not read, or there are none */
    GStrv messages; /* what the hypervisor warns of while it runs: taints, deprecations; NULL: not
                     * told */
    NestStartLog start_log; /* of what runs */
    int run; /* another number after each start; -1: it does not run, or that is not known */
    gboolean booted; /* it runs since it booted, and its state was not brought in */
    gint64 since; /* when its QEMU was started, ms of the epoch; 0 where unknown */
    gboolean autostart;
    char *xml; /* the stored definition with its secrets, so that it can be defined again: never to
                * be shown or logged */
    char *live_xml; /* what runs, without secrets; NULL where nothing does */
} NestVmFacts;

void nest_vm_facts_free(NestVmFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestVmFacts, nest_vm_facts_free)

/* What the hypervisor can do on this host. */
typedef struct {
    char *uri;
    char *qemu_version; /* "7.2.22", NULL unknown */
    char *libvirt_version; /* "9.0.0" */
    gboolean kvm; /* domains of type kvm with host-passthrough are offered */
    gboolean tcg; /* domains of type qemu with mode maximum are offered */
    NestExtension kvm_extension; /* what it would give to a kvm domain; NONE where nested is off */
    NestExtension tcg_extension; /* SVM, or NONE */
    gboolean networks; /* libvirt virtual networks and nwfilters exist here */
    GStrv machines; /* types of machines that QEMU has for x86_64; NULL: not known */
    GStrv old_machines; /* those of them that it will give up */
} NestBackendCaps;

NestBackendCaps *nest_backend_caps_copy(const NestBackendCaps *caps); /* NULL gives NULL */
void nest_backend_caps_free(NestBackendCaps *caps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestBackendCaps, nest_backend_caps_free)

typedef enum { NEST_ANSWER_UNREAD, NEST_ANSWER_NO, NEST_ANSWER_YES } NestAnswer;

/* What a running VM did with its extension at one moment, over all of its virtual CPUs. Facts F4,
 * F5, F18 and F19 of docs/facts.md. */
typedef struct {
    char uuid[37];
    gint64 time; /* monotonic, µs: when it was taken */
    int run; /* another number after each start; -1 unknown */
    gboolean booted; /* it runs since it booted, and was neither resumed from a saved state, nor
                      * brought here, nor paused since */
    gboolean carried; /* its state was brought in: restored, migrated, from a snapshot */
    gboolean paused; /* its CPUs do not run */
    gboolean counted; /* KVM's statistics were read: the two that follow */
    guint64 nested_run; /* entries into inner VMs; begins at 0 with each run */
    gboolean guest_mode; /* a CPU is in an inner VM right now */
    gboolean asked; /* the monitor was asked: the two that follow */
    NestAnswer exposed; /* its CPU has the extension */
    NestAnswer switched_on; /* it has switched it on: CR4.VMXE or EFER.SVME */
} NestVmSample;

typedef enum {
    NEST_BACKEND_VM_CHANGED, /* uuid: definition or state; read it again */
    NEST_BACKEND_VM_GONE, /* uuid: not defined any more */
    NEST_BACKEND_LOST, /* uuid NULL: the connection broke; open() again */
} NestBackendEvent;

/* Called on a thread of the backend's own, never while one of its locks is held. Must not block. */
typedef void (*NestBackendHandler)(NestBackendEvent event, const char *uuid, gpointer user_data);

/* A VM that exists nowhere but in one call. */
typedef struct {
    NestAccel accel; /* KVM or TCG */
    NestExtension extension; /* that its CPU must have, enforced as in VMs that nest; NONE: as it
                              * comes */
    GBytes *kernel;
    const char *cmdline;
    guint timeout_ms; /* from the call on; then it is powered off */
    const char *end; /* the line of its console that begins so is the last that matters; NULL: what
                      * comes until it is off */
    const char *like; /* the definition of a VM whose machine, accel and CPU it shall have, but for
                       * how many there are; NULL: those above */
} NestBoot;

/* Why one of two lists could not be read; NULL: it could. */
typedef struct {
    char *networks, *filters;
} NestUnlisted;

void nest_unlisted_clear(NestUnlisted *unlisted);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestUnlisted, nest_unlisted_clear)

typedef struct {
    /* Connects and waits until what it reports of running VMs is settled. Callable again after
     * LOST or a failure. ALREADY_RUNNING where another process holds the same root. */
    gboolean (*open)(NestBackend *self, GError **error);
    /* Frees everything. VMs go on running. */
    void (*free)(NestBackend *self);
    gboolean (*caps)(NestBackend *self, NestBackendCaps **ret_caps, GError **error);
    /* Every persistent VM: array of NestVmFacts. VMs that vanish meanwhile are left out. */
    gboolean (*list)(NestBackend *self, GPtrArray **ret_facts, GError **error);
    gboolean (*read)(NestBackend *self, const char *uuid, NestVmFacts **ret_facts, GError **error);
    /* Whether define would take the form of xml; no effect. INVALID_REQUEST says what is wrong.
     * *ret_doubt: why that was not looked at as closely as it should have been, NULL if it was. */
    gboolean (*check)(NestBackend *self, const char *xml, char **ret_doubt, GError **error);
    /* Defines or re-defines, validated against the hypervisor's schema. */
    gboolean (*define)(NestBackend *self, const char *xml, GError **error);
    /* Replaces the definition of a VM that is there by xml, which came from the hypervisor but for
     * what nestd edited: its parser judges it, its schema, several times slower, does not. */
    gboolean (*redefine)(NestBackend *self, const char *uuid, const char *xml, GError **error);
    /* Removes the definition (and NVRAM) of a VM that is off; its saved state goes with it. */
    gboolean (*undefine)(NestBackend *self, const char *uuid, GError **error);
    /* Boots, or resumes from the saved state. On failure the VM is off. */
    gboolean (*start)(NestBackend *self, const char *uuid, GError **error);
    /* Asks the guest to shut down; returns at once. */
    gboolean (*shutdown)(NestBackend *self, const char *uuid, GError **error);
    /* Powers off. TRUE too if it was off already. */
    gboolean (*stop)(NestBackend *self, const char *uuid, GError **error);
    /* Stops its CPUs, and has them go on. */
    gboolean (*pause)(NestBackend *self, const char *uuid, GError **error);
    gboolean (*resume)(NestBackend *self, const char *uuid, GError **error);
    /* Has the guest of a VM that runs begin anew within the same QEMU, and waits until it did: hard
     * by the reset button, else by asking it. TIMEOUT after timeout_ms, ABORTED if cancelled: who
     * was asked may still do so; VM_STATE where it turned off instead. */
    gboolean (*restart)(NestBackend *self, const char *uuid, gboolean hard, guint timeout_ms,
        GCancellable *cancellable, GError **error);
    /* Asks the balloon of a VM that runs to leave the guest so much; the guest may take its time,
     * or have no driver for it: read it back. */
    gboolean (*set_memory)(NestBackend *self, const char *uuid, guint64 kib, GError **error);
    gboolean (*save)(NestBackend *self, const char *uuid, GError **error);
    /* The checkpoints of a VM, oldest first, at most NEST_BACKEND_CHECKPOINTS_MAX: array of
     * NestBackendCheckpoint that frees its elements. */
    gboolean (*checkpoints)(
        NestBackend *self, const char *uuid, GPtrArray **ret_checkpoints, GError **error);
    /* Of the disks, and of the memory if it runs and disk_only is not wished, within the disk
     * images. A name that is taken is refused. The guest stands still meanwhile. On failure it may
     * be there, unfinished: delete it. */
    gboolean (*checkpoint)(NestBackend *self, const char *uuid, const char *name,
        const char *description, gboolean disk_only, GError **error);
    /* Puts the VM back to it: it runs afterwards if it ran then, and its definition is that of
     * then. On failure it may be off. */
    gboolean (*apply_checkpoint)(
        NestBackend *self, const char *uuid, const char *name, GError **error);
    /* TRUE too if there is none of that name. */
    gboolean (*delete_checkpoint)(
        NestBackend *self, const char *uuid, const char *name, GError **error);
    /* Moves the VM to the libvirt at uri to: as it runs, or with offline its definition while it is
     * off. It is persistent there and gone here then. TIMEOUT after timeout_ms, ABORTED if
     * cancelled; NOT_VERIFIED where it may still be on its way. UNSUPPORTED where what runs it
     * can't do this. */
    gboolean (*migrate)(NestBackend *self, const char *uuid, const char *to, gboolean offline,
        guint timeout_ms, GCancellable *cancellable, GError **error);
    gboolean (*drop_saved_state)(NestBackend *self, const char *uuid, GError **error);
    /* Waits until no QEMU runs for uuid. TIMEOUT after timeout_ms, ABORTED if cancelled. */
    gboolean (*wait_off)(NestBackend *self, const char *uuid, guint timeout_ms,
        GCancellable *cancellable, GError **error);
    /* One look at every running persistent VM, or at the one of uuid (VM_STATE where it does not
     * run): array of NestVmSample that frees its elements. A VM that is busy or does not answer
     * comes without what could not be read. monitor (with a uuid only): ask QEMU for its registers
     * too, which taints the VM; that it did not answer is no error. TIMEOUT after a few seconds. */
    gboolean (*sample)(NestBackend *self, const char *uuid, gboolean monitor,
        GPtrArray **ret_samples, GError **error);
    /* Gives command (JSON) to the agent inside a VM that runs, and waits for its answer, of at most
     * NEST_BACKEND_ANSWER_MAX bytes: JSON too, as the guest wrote it. What it says after
     * timeout_s is dropped. GUEST_AGENT where there is none, it does not answer in time, or what it
     * answers can't be read; UNSUPPORTED where the VM has no channel for one; VM_STATE where the VM
     * does not run; HYPERVISOR where the agent says no. */
    gboolean (*agent)(NestBackend *self, const char *uuid, const char *command, guint timeout_s,
        char **ret_answer, GError **error);
    /* Boots a small VM from boot->kernel, and waits for the line boot->end, or until it is off.
     * ret_console is what came over its serial port, its first 64 KiB, also where it had to be
     * powered off. HOST_UNFIT where the CPU can't be had, UNSUPPORTED or VM_UNFIT where that of
     * boot->like can't be told. TIMEOUT where it can't be started in time. ABORTED if cancelled.
     * The VM is gone then, or about to go by itself: it is by the time free() returns and, where
     * this process died in the middle, open() again. */
    gboolean (*boot)(NestBackend *self, const NestBoot *boot, GCancellable *cancellable,
        GBytes **ret_console, GError **error);
    /* The definitions of all virtual networks and network filters: array of XML. One list counts
     * without the other, for which *ret_unlisted (empty before) says why; it fails where neither is
     * there, with UNSUPPORTED where the hypervisor has none. A NULL slot counts as that. */
    gboolean (*networks)(
        NestBackend *self, GPtrArray **ret_texts, NestUnlisted *ret_unlisted, GError **error);
    /* One handler; set before open. */
    void (*set_handler)(NestBackend *self, NestBackendHandler handler, gpointer user_data);
} NestBackendOps;

/* Implementations put this first in their own struct. */
struct NestBackend {
    const NestBackendOps *ops;
};

static inline void nest_backend_free(NestBackend *backend)
{
    if (backend != NULL)
        backend->ops->free(backend);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestBackend, nest_backend_free)
