/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* What the API speaks of, as plain structs. nest-codec.h turns each into JSON and back; the JSON
 * names are the field names, enumerations are the nicks given beside them. All strings are UTF-8,
 * owned by the struct and NULL where unknown, unless it says otherwise. Times are milliseconds
 * since 1970-01-01 UTC, 0 where they have not come. Memory is in KiB. */

typedef enum {
    NEST_VM_UNKNOWN, /* "unknown" */
    NEST_VM_OFF, /* "off" */
    NEST_VM_SAVED, /* "saved": off, and a saved state waits to be resumed */
    NEST_VM_RUNNING, /* "running" */
    NEST_VM_PAUSED, /* "paused" */
    NEST_VM_SHUTTING_DOWN, /* "shutting-down" */
    NEST_VM_CRASHED /* "crashed": its QEMU is there, the guest is not */
} NestVmState;

typedef enum {
    NEST_ACCEL_AUTO, /* "auto": only in a wish, never in a fact */
    NEST_ACCEL_KVM, /* "kvm" */
    NEST_ACCEL_TCG /* "tcg": QEMU's software CPU */
} NestAccel;

/* The virtualization extension of a CPU, by the name of its feature flag. */
typedef enum {
    NEST_EXTENSION_NONE, /* "none" */
    NEST_EXTENSION_VMX, /* "vmx": Intel VT-x */
    NEST_EXTENSION_SVM /* "svm": AMD-V */
} NestExtension;

typedef enum {
    NEST_NESTING_OFF, /* "off": hidden, or not there */
    NEST_NESTING_IMPLICIT, /* "implicit": the CPU mode may pass it on though nobody asked */
    NEST_NESTING_UNENFORCED, /* "unenforced": asked for, but a start without it would succeed */
    NEST_NESTING_ON /* "on": asked for and enforced */
} NestNesting;

/* What a running VM does with its extension, by what its vCPUs got at boot. */
typedef enum {
    NEST_ACTIVITY_NONE, /* "none": it does not run */
    NEST_ACTIVITY_UNKNOWN, /* "unknown": can't be told; to be treated as hosting */
    NEST_ACTIVITY_OFF, /* "off": it has no extension */
    NEST_ACTIVITY_EXPOSED, /* "exposed": it has the extension and has not switched it on */
    NEST_ACTIVITY_ARMED, /* "armed": its hypervisor has switched the extension on */
    NEST_ACTIVITY_HOSTING /* "hosting": inner VMs run */
} NestActivity;

#include "nest-types-given.h"

/* How far what runs in a VM is trusted. */
typedef enum {
    NEST_TRUST_TRUSTED, /* "trusted" */
    NEST_TRUST_UNTRUSTED /* "untrusted": it may attack the host */
} NestTrust;

typedef enum {
    NEST_VERDICT_PASS, /* "pass" */
    NEST_VERDICT_INFO, /* "info" */
    NEST_VERDICT_NOT_APPLICABLE, /* "not-applicable" */
    NEST_VERDICT_UNKNOWN, /* "unknown": could not be read; never counts as pass */
    NEST_VERDICT_WARN, /* "warn" */
    NEST_VERDICT_FAIL /* "fail" */
} NestVerdict;

/* The outcome of one check. */
typedef struct {
    char *id; /* "host.kvm.nested" */
    char *title; /* "nesting is allowed by the kernel module" */
    NestVerdict verdict;
    char *message; /* a sentence for people: "nested=N in kvm_intel" */
    char *read; /* what was read and where: "/sys/module/kvm_intel/parameters/nested: N" */
    char *fix; /* what to do, NULL where nothing is to be done */
    char *ignored; /* why the administrator has it ignored; NULL: it is not */
    char *ignored_until; /* the last day of that, "2027-01-31"; NULL: for ever */
} NestCheck;

typedef enum {
    NEST_SCOPE_HOST, /* "host" */
    NEST_SCOPE_VM, /* "vm" */
    NEST_SCOPE_NET, /* "net": the network of a VM */
    NEST_SCOPE_GUEST, /* "guest": inside the guest of a VM; ids guest.… and win.… */
    NEST_SCOPE_GUARD /* "guard": what nesting forbids; only in the catalogue */
} NestScope;

/* What a check or a guard is, whatever its outcome: a row of the catalogue. All strings are set. */
typedef struct {
    char *id;
    NestScope scope; /* by the first part of the id */
    char *title; /* what holds where it passes; of a guard: what is guarded */
    NestVerdict level; /* the worst that it says, but for unknown: info, warn or fail (refused) */
    char *meaning; /* what it looks at */
    char *why; /* why that matters */
    char *fix; /* what to do by hand */
    char *source; /* where the rule is from */
} NestCheckInfo;

/* What came of the checks of the host or of a VM. */
typedef struct {
    char *uuid; /* of the VM, NULL for the host */
    char *name;
    gboolean supports; /* the verdict; over all checks, shown or not */
    GPtrArray *checks; /* NestCheck */
} NestCheckReport;

typedef enum {
    NEST_ACTION_OK, /* "ok" */
    NEST_ACTION_WARN, /* "warn" */
    NEST_ACTION_REFUSE, /* "refuse": unless it is forced */
    NEST_ACTION_NEVER /* "refuse-force-too" */
} NestActionSay;

/* What can be asked of a VM in its present state. */
typedef struct {
    char *id; /* "save" */
    NestActionSay say;
    char *reason; /* NULL where it is ok */
    char *next; /* what to do instead, NULL where nothing is known */
} NestAction;

typedef struct {
    char *type; /* "user", "bridge", "network", "direct", … as in domain XML */
    char *source; /* bridge or network name */
    char *mac;
    char *target; /* tap device of a running VM */
    char *filter; /* name of the filterref */
} NestInterface;

typedef struct {
    char *uuid;
    char *name;
    NestVmState state;
    NestAccel accel;
    NestNesting nesting; /* by the stored configuration */
    NestActivity activity;
    gboolean drift, asked; /* as in NestVm */
    gboolean supports; /* the verdict: no check of this VM failed */
    guint failed; /* checks failed */
    GStrv errors; /* their ids */
    guint warnings; /* checks warned or unknown */
    guint64 memory_kib; /* at most, and at boot */
    guint64 memory_min_kib; /* lower than memory_kib where memory is dynamic */
    guint vcpus;
} NestVmSummary;

typedef struct {
    char *uuid;
    char *name;
    NestVmState state;
    NestAccel accel;
    NestNesting nesting;
    NestActivity activity;
    NestTrust trust;
    gboolean drift; /* nestd switched nesting on, and somebody else changed what that rests on */
    gboolean asked; /* nestd was asked for nesting, and not to take it off since */
    gboolean supports;
    NestExtension extension; /* what nesting would use in this VM */
    gboolean pending; /* what runs differs from the configuration: power off to apply */
    NestGiven *given; /* NULL: it does not run */
    guint64 memory_kib;
    guint64 memory_min_kib;
    gboolean dynamic_memory;
    gboolean mac_spoofing; /* no interface filters foreign MAC addresses */
    guint vcpus;
    char *cpu_mode; /* "host-passthrough", "maximum", "custom", … */
    char *cpu_model;
    char *machine;
    gboolean saved_state;
    guint64 saved_bytes;
    guint snapshots;
    gboolean autostart;
    char *console_log; /* the file that the serial console is logged to */
    gint64 operation; /* the operation under way, 0 for none */
    char *revision; /* changes whenever the definition changes; the ETag */
    GPtrArray *interfaces; /* NestInterface */
    GPtrArray *actions; /* NestAction; empty where only what is wrong is told */
    GPtrArray *checks; /* NestCheck */
} NestVm;

typedef struct {
    char *name;
    char *manufacturer;
    char *model;
    char *os; /* PRETTY_NAME of os-release */
    char *kernel; /* uname release */
    char *kernel_build; /* uname version */
    char *arch;
    char *cpu_vendor; /* "GenuineIntel", "AuthenticAMD", … */
    char *cpu_model;
    guint cpus;
    NestExtension extension;
    gboolean slat; /* EPT or NPT */
    gboolean firmware_locked; /* the extension is there but firmware has locked it */
    char *kvm_module; /* "kvm_intel", "kvm_amd", "kvm_pvm", NULL */
    char *nested_parameter; /* as sysfs prints it: Y, N, 1, 0 */
    char *slat_parameter; /* the same of ept or npt */
    gboolean kvm_usable; /* /dev/kvm opened and a VM created on it */
    char *kvm_error; /* why not */
    gboolean hypervisor_present; /* this host is itself a VM */
    char *outer_hypervisor; /* "KVM", "Hyper-V", … */
    char *extension_owner; /* what else owns the extension: "xen", "mshv", "vboxdrv", … */
    char *qemu_version;
    char *libvirt_version;
    char *backend_uri;
    gboolean supports; /* the verdict */
    gboolean tcg_supports; /* VMs of class TCG can nest (software AMD-V) */
    GPtrArray *checks; /* NestCheck */
    GPtrArray *proofs; /* NestProof: the last of each accel that was tried */
} NestHost;

typedef struct {
    NestHost *host;
    GPtrArray *vms; /* NestVm; checks holds those that did not pass */
} NestStatus;

typedef enum {
    NEST_PLAN_STEPS, /* "steps": items wait to be applied */
    NEST_PLAN_NO_CHANGE, /* "no-change": nothing to do */
    NEST_PLAN_REFUSED /* "refused": problem says why */
} NestPlanVerdict;

typedef struct {
    char *kind; /* nest_error_kind() */
    char *title;
    char *detail;
    char *next;
    char *check; /* or guard that it comes from, "guard.save"; NULL: none */
} NestProblem;

typedef struct {
    char *id; /* "saved-state", "power-off", "extensions", "dynamic-memory", … */
    char *title; /* "dynamic memory off" */
    char *current; /* "1–4 GiB" */
    char *target; /* "4 GiB fixed, balloon removed" */
    char *detail; /* a warning or reason, NULL where none */
    gboolean optional;
    gboolean destructive; /* cannot be taken back */
} NestPlanItem;

typedef struct {
    char *hash; /* of everything the plan was made from and does; hex */
    char *uuid; /* of the VM, NULL for the host */
    char *name;
    gboolean enable; /* of an undo: nesting is on after it */
    NestPlanVerdict verdict;
    GPtrArray *items; /* NestPlanItem, in the order shown */
    GStrv warnings; /* sentences; what will not work even after the plan is applied */
    NestProblem *problem; /* set if and only if refused */
} NestPlan;

/* The same for a definition that came with the request. */
typedef struct {
    NestPlan plan; /* uuid and name may be NULL: those of the definition */
    char *xml; /* what the plan makes of it; NULL where it is refused */
} NestXmlPlan;

typedef enum {
    NEST_OP_PENDING, /* "pending": committed, not begun */
    NEST_OP_RUNNING, /* "running" */
    NEST_OP_DONE, /* "done" */
    NEST_OP_FAILED, /* "failed": could not be taken back, or there was nothing to take back */
    NEST_OP_ROLLED_BACK, /* "rolled-back": failed, and everything is as before */
    NEST_OP_ABORTED /* "aborted": on request, and everything is as before */
} NestOperationState;

typedef enum {
    NEST_STEP_PENDING, /* "pending" */
    NEST_STEP_RUNNING, /* "running" */
    NEST_STEP_DONE, /* "done" */
    NEST_STEP_FAILED, /* "failed" */
    NEST_STEP_UNDONE, /* "undone" */
    NEST_STEP_SKIPPED /* "skipped" */
} NestStepState;

typedef struct {
    char *id;
    char *title;
    NestStepState state;
    gint64 started;
    gint64 finished;
} NestStep;

typedef struct {
    gint64 id;
    char *kind; /* "enable", "disable", "undo", "create", "start", … */
    char *uuid; /* of the VM, NULL for the host */
    char *name;
    NestOperationState state;
    gint64 created;
    gint64 started;
    gint64 finished;
    guint uid; /* who asked */
    gint64 pid;
    GPtrArray *steps; /* NestStep */
    char *note; /* what a person should know of how it ended, NULL where nothing */
    NestProblem *problem; /* set if it failed, was rolled back or aborted */
} NestOperation;

typedef struct {
    gint64 id; /* grows; the Last-Event-ID */
    gint64 time;
    char *kind; /* "vm-started", "operation-finished", … */
    char *uuid; /* of the VM, NULL where none */
    char *name;
    gint64 operation; /* 0 where none */
    char *message; /* one sentence for people */
} NestEvent;

/* What an operation of nestd changed in the definition of a VM. */
typedef struct {
    gint64 id;
    gint64 time;
    char *kind; /* of the operation: "enable", …; NULL where that is forgotten */
    gint64 operation;
    gint64 uid; /* who asked; -1 where the operation is forgotten */
    char *summary; /* what changed, for people */
} NestRevision;

/* What a new VM shall be; unset fields are NULL, 0 or FALSE. */
typedef struct {
    char *name;
    guint64 memory_kib;
    guint64 memory_min_kib; /* 0: fixed memory */
    guint vcpus; /* 0: 1 */
    guint64 disk_bytes; /* > 0: a new qcow2 disk */
    char *disk; /* or the path of an existing image */
    char *disk_format; /* of the existing image: "qcow2" or "raw"; never probed */
    char *iso;
    char *kernel, *initrd, *cmdline;
    char *network; /* "none", "user", "bridge=BR", "network=NET" */
    char *filter; /* an nwfilter for the interface */
    NestAccel accel;
    gboolean nested;
} NestVmSpec;

/* POST /v1/host/proof */
typedef struct {
    NestAccel accel; /* AUTO: KVM where there is one */
} NestProofWish;

/* PUT /v1/vms/{vm}/nested */
typedef struct {
    gboolean enabled;
    char *plan; /* the hash of the plan that was shown; NULL: whatever is true now */
    GStrv decline; /* ids of optional plan items to leave out */
} NestNestedWish;

#define NEST_XML_MAX (5 * 1024 * 1024)

/* POST /v1/plan */
typedef struct {
    char *xml; /* a libvirt domain definition, at most NEST_XML_MAX bytes */
    gboolean enabled;
    GStrv decline; /* ids of optional plan items to leave out */
    NestExtension extension; /* of the host that it is for, where nesting is on; NONE: this host */
} NestXmlWish;

/* PUT /v1/vms/{vm}/undo, PUT /v1/host/undo */
typedef struct {
    gint64 to; /* the revision to take back; 0: the newest */
    char *plan; /* the hash of the plan that was shown; NULL: whatever is true now */
} NestUndoWish;

/* PUT /v1/host/fix */
typedef struct {
    char *plan; /* the hash of the plan that was shown; NULL: whatever is true now */
    GStrv decline; /* ids of optional plan items to leave out */
} NestHostWish;

/* PUT /v1/vms/{vm}/state: running = start (or resume from a saved state, or from a pause), off =
 * shut down by ACPI, off and force = power off, saved = save to disk and turn off, paused = stop
 * its CPUs. */
typedef struct {
    NestVmState state;
    gboolean force; /* with reason: also what a guard refuses */
    guint timeout; /* seconds a shutdown may take; 0: the configured time */
    char *reason; /* why a guard is overridden; NULL: none is */
    gboolean discard_saved_state; /* running: boot, and lose the saved state if there is one */
    gboolean restore; /* running: from its saved state, and not otherwise */
} NestStateWish;

/* PUT /v1/vms/{vm}/trust */
typedef struct {
    NestTrust trust;
} NestTrustWish;

/* GET /v1 */
typedef struct {
    char *version;
    char *backend; /* "opening", "open", "unavailable" */
    char *backend_uri;
    NestProblem *problem; /* why the backend is unavailable */
    gint64 started;
    guint vms;
} NestAbout;

#include "nest-types-checkpoint.h"
#include "nest-types-guest.h"
#include "nest-types-inner.h"
#include "nest-types-proof.h"

#define NEST_TYPE_AUTOPTR(Type, free_function) \
    void free_function(Type *value); \
    G_DEFINE_AUTOPTR_CLEANUP_FUNC(Type, free_function)

NEST_TYPE_AUTOPTR(NestCheck, nest_check_free)
NEST_TYPE_AUTOPTR(NestCheckInfo, nest_check_info_free)
NEST_TYPE_AUTOPTR(NestCheckReport, nest_check_report_free)
NEST_TYPE_AUTOPTR(NestInterface, nest_interface_free)
NEST_TYPE_AUTOPTR(NestAction, nest_action_free)
NEST_TYPE_AUTOPTR(NestVmSummary, nest_vm_summary_free)
NEST_TYPE_AUTOPTR(NestVm, nest_vm_free)
NEST_TYPE_AUTOPTR(NestHost, nest_host_free)
NEST_TYPE_AUTOPTR(NestStatus, nest_status_free)
NEST_TYPE_AUTOPTR(NestProblem, nest_problem_free)
NEST_TYPE_AUTOPTR(NestPlanItem, nest_plan_item_free)
NEST_TYPE_AUTOPTR(NestPlan, nest_plan_free)
NEST_TYPE_AUTOPTR(NestXmlPlan, nest_xml_plan_free)
NEST_TYPE_AUTOPTR(NestStep, nest_step_free)
NEST_TYPE_AUTOPTR(NestOperation, nest_operation_free)
NEST_TYPE_AUTOPTR(NestEvent, nest_event_free)
NEST_TYPE_AUTOPTR(NestRevision, nest_revision_free)
NEST_TYPE_AUTOPTR(NestProofWish, nest_proof_wish_free)
NEST_TYPE_AUTOPTR(NestVmSpec, nest_vm_spec_free)
NEST_TYPE_AUTOPTR(NestNestedWish, nest_nested_wish_free)
NEST_TYPE_AUTOPTR(NestXmlWish, nest_xml_wish_free)
NEST_TYPE_AUTOPTR(NestGuardWish, nest_guard_wish_free)
NEST_TYPE_AUTOPTR(NestUndoWish, nest_undo_wish_free)
NEST_TYPE_AUTOPTR(NestHostWish, nest_host_wish_free)
NEST_TYPE_AUTOPTR(NestStateWish, nest_state_wish_free)
NEST_TYPE_AUTOPTR(NestMemoryWish, nest_memory_wish_free)
NEST_TYPE_AUTOPTR(NestCheckpoint, nest_checkpoint_free)
NEST_TYPE_AUTOPTR(NestCheckpointWish, nest_checkpoint_wish_free)
NEST_TYPE_AUTOPTR(NestApplyWish, nest_apply_wish_free)
NEST_TYPE_AUTOPTR(NestRestartWish, nest_restart_wish_free)
NEST_TYPE_AUTOPTR(NestMigrationWish, nest_migration_wish_free)
NEST_TYPE_AUTOPTR(NestTrustWish, nest_trust_wish_free)
NEST_TYPE_AUTOPTR(NestAbout, nest_about_free)

/* New, empty structs whose arrays are there and empty. */
NestVm *nest_vm_new(void);
NestHost *nest_host_new(void);
NestPlan *nest_plan_new(void);
NestOperation *nest_operation_new(void);

NestOperation *nest_operation_copy(const NestOperation *operation);

/* TRUE once the operation will not change any more. */
gboolean nest_operation_ended(const NestOperation *operation);

/* The problem that error is, and back. from_error never returns NULL. */
NestProblem *nest_problem_from_error(const GError *error);
NestProblem *nest_problem_copy(const NestProblem *problem);
void nest_problem_to_error(const NestProblem *problem, GError **error);

/* TRUE if name can be the name of a VM: 1 to 63 characters of A-Z a-z 0-9 . _ -, the first one a
 * letter or digit, and not of the form of a UUID. Stricter than libvirt, so that a name is safe
 * in paths, arguments and terminals. Else error is NEST_ERROR_INVALID_REQUEST. */
gboolean nest_vm_name_check(const char *name, GError **error);
