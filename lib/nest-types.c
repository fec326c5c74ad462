/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-name.h"
#include "nest-record-table.h"
#include "nest-record.h"
#include <string.h>

const char *const nest_vm_state_nicks[] = {
    "unknown", "off", "saved", "running", "paused", "shutting-down", "crashed", NULL};
const char *const nest_accel_nicks[] = {"auto", "kvm", "tcg", NULL};
const char *const nest_extension_nicks[] = {"none", "vmx", "svm", NULL};
const char *const nest_nesting_nicks[] = {"off", "implicit", "unenforced", "on", NULL};
const char *const nest_activity_nicks[] = {
    "none", "unknown", "off", "exposed", "armed", "hosting", NULL};
const char *const nest_trust_nicks[] = {"trusted", "untrusted", NULL};
const char *const nest_verdict_nicks[] = {
    "pass", "info", "not-applicable", "unknown", "warn", "fail", NULL};
const char *const nest_scope_nicks[] = {"host", "vm", "net", "guest", "guard", NULL};
const char *const nest_action_say_nicks[] = {"ok", "warn", "refuse", "refuse-force-too", NULL};
const char *const nest_outside_nicks[] = {"restore", "migrate-in", NULL};
const char *const nest_plan_verdict_nicks[] = {"steps", "no-change", "refused", NULL};
const char *const nest_operation_state_nicks[] = {
    "pending", "running", "done", "failed", "rolled-back", "aborted", NULL};
const char *const nest_step_state_nicks[] = {
    "pending", "running", "done", "failed", "undone", "skipped", NULL};

static const NestField nest_check_fields[] = {
    FIELD(NestCheck, id, STRING, REQUIRED),
    FIELD(NestCheck, title, STRING, OPTIONAL),
    NICKS(NestCheck, verdict, OPTIONAL, nest_verdict_nicks),
    FIELD(NestCheck, message, STRING, OPTIONAL),
    FIELD(NestCheck, read, STRING, OPTIONAL),
    FIELD(NestCheck, fix, STRING, OPTIONAL),
    FIELD(NestCheck, ignored, STRING, OPTIONAL),
    FIELD(NestCheck, ignored_until, STRING, OPTIONAL),
};
RECORD(nest_check, NestCheck, "check");

static const NestField nest_check_info_fields[] = {
    FIELD(NestCheckInfo, id, STRING, REQUIRED),
    NICKS(NestCheckInfo, scope, OPTIONAL, nest_scope_nicks),
    FIELD(NestCheckInfo, title, STRING, OPTIONAL),
    NICKS(NestCheckInfo, level, OPTIONAL, nest_verdict_nicks),
    FIELD(NestCheckInfo, meaning, STRING, OPTIONAL),
    FIELD(NestCheckInfo, why, STRING, OPTIONAL),
    FIELD(NestCheckInfo, fix, STRING, OPTIONAL),
    FIELD(NestCheckInfo, source, STRING, OPTIONAL),
};
RECORD(nest_check_info, NestCheckInfo, "check of the catalogue");

static const NestField nest_check_report_fields[] = {
    FIELD(NestCheckReport, uuid, STRING, OPTIONAL),
    FIELD(NestCheckReport, name, STRING, OPTIONAL),
    FIELD(NestCheckReport, supports, BOOL, OPTIONAL),
    NESTED(NestCheckReport, checks, RECORDS, OPTIONAL, nest_check_record),
};
RECORD(nest_check_report, NestCheckReport, "report of checks");

static const NestField nest_interface_fields[] = {
    FIELD(NestInterface, type, STRING, OPTIONAL),
    FIELD(NestInterface, source, STRING, OPTIONAL),
    FIELD(NestInterface, mac, STRING, OPTIONAL),
    FIELD(NestInterface, target, STRING, OPTIONAL),
    FIELD(NestInterface, filter, STRING, OPTIONAL),
};
RECORD(nest_interface, NestInterface, "interface");

static const NestField nest_action_fields[] = {
    FIELD(NestAction, id, STRING, REQUIRED),
    NICKS(NestAction, say, OPTIONAL, nest_action_say_nicks),
    FIELD(NestAction, reason, STRING, OPTIONAL),
    FIELD(NestAction, next, STRING, OPTIONAL),
};
RECORD(nest_action, NestAction, "action");

static const NestField nest_vm_summary_fields[] = {
    FIELD(NestVmSummary, uuid, STRING, REQUIRED),
    FIELD(NestVmSummary, name, STRING, REQUIRED),
    NICKS(NestVmSummary, state, OPTIONAL, nest_vm_state_nicks),
    NICKS(NestVmSummary, accel, OPTIONAL, nest_accel_nicks),
    NICKS(NestVmSummary, nesting, OPTIONAL, nest_nesting_nicks),
    NICKS(NestVmSummary, activity, OPTIONAL, nest_activity_nicks),
    FIELD(NestVmSummary, drift, BOOL, OPTIONAL),
    FIELD(NestVmSummary, asked, BOOL, OPTIONAL),
    FIELD(NestVmSummary, supports, BOOL, OPTIONAL),
    FIELD(NestVmSummary, failed, UINT, OPTIONAL),
    FIELD(NestVmSummary, errors, STRV, OPTIONAL),
    FIELD(NestVmSummary, warnings, UINT, OPTIONAL),
    FIELD(NestVmSummary, memory_kib, UINT64, OPTIONAL),
    FIELD(NestVmSummary, memory_min_kib, UINT64, OPTIONAL),
    FIELD(NestVmSummary, vcpus, UINT, OPTIONAL),
};
RECORD(nest_vm_summary, NestVmSummary, "virtual machine");

static const NestField nest_vm_fields[] = {
    FIELD(NestVm, uuid, STRING, REQUIRED),
    FIELD(NestVm, name, STRING, REQUIRED),
    NICKS(NestVm, state, OPTIONAL, nest_vm_state_nicks),
    NICKS(NestVm, accel, OPTIONAL, nest_accel_nicks),
    NICKS(NestVm, nesting, OPTIONAL, nest_nesting_nicks),
    NICKS(NestVm, activity, OPTIONAL, nest_activity_nicks),
    NICKS(NestVm, trust, OPTIONAL, nest_trust_nicks),
    FIELD(NestVm, drift, BOOL, OPTIONAL),
    FIELD(NestVm, asked, BOOL, OPTIONAL),
    FIELD(NestVm, supports, BOOL, OPTIONAL),
    NICKS(NestVm, extension, OPTIONAL, nest_extension_nicks),
    FIELD(NestVm, pending, BOOL, OPTIONAL),
    NESTED(NestVm, given, RECORD, OPTIONAL, nest_given_record),
    FIELD(NestVm, memory_kib, UINT64, OPTIONAL),
    FIELD(NestVm, memory_min_kib, UINT64, OPTIONAL),
    FIELD(NestVm, dynamic_memory, BOOL, OPTIONAL),
    FIELD(NestVm, mac_spoofing, BOOL, OPTIONAL),
    FIELD(NestVm, vcpus, UINT, OPTIONAL),
    FIELD(NestVm, cpu_mode, STRING, OPTIONAL),
    FIELD(NestVm, cpu_model, STRING, OPTIONAL),
    FIELD(NestVm, machine, STRING, OPTIONAL),
    FIELD(NestVm, saved_state, BOOL, OPTIONAL),
    FIELD(NestVm, saved_bytes, UINT64, OPTIONAL),
    FIELD(NestVm, snapshots, UINT, OPTIONAL),
    FIELD(NestVm, autostart, BOOL, OPTIONAL),
    FIELD(NestVm, console_log, STRING, OPTIONAL),
    FIELD(NestVm, operation, INT64, OPTIONAL),
    FIELD(NestVm, revision, STRING, OPTIONAL),
    NESTED(NestVm, interfaces, RECORDS, OPTIONAL, nest_interface_record),
    NESTED(NestVm, actions, RECORDS, OPTIONAL, nest_action_record),
    NESTED(NestVm, checks, RECORDS, OPTIONAL, nest_check_record),
};
RECORD(nest_vm, NestVm, "virtual machine");

static const NestField nest_problem_fields[] = {
    FIELD(NestProblem, kind, STRING, REQUIRED),
    FIELD(NestProblem, title, STRING, OPTIONAL),
    FIELD(NestProblem, detail, STRING, OPTIONAL),
    FIELD(NestProblem, next, STRING, OPTIONAL),
    FIELD(NestProblem, check, STRING, OPTIONAL),
};
RECORD(nest_problem, NestProblem, "problem");

static const NestField nest_host_fields[] = {
    FIELD(NestHost, name, STRING, OPTIONAL),
    FIELD(NestHost, manufacturer, STRING, OPTIONAL),
    FIELD(NestHost, model, STRING, OPTIONAL),
    FIELD(NestHost, os, STRING, OPTIONAL),
    FIELD(NestHost, kernel, STRING, OPTIONAL),
    FIELD(NestHost, kernel_build, STRING, OPTIONAL),
    FIELD(NestHost, arch, STRING, OPTIONAL),
    FIELD(NestHost, cpu_vendor, STRING, OPTIONAL),
    FIELD(NestHost, cpu_model, STRING, OPTIONAL),
    FIELD(NestHost, cpus, UINT, OPTIONAL),
    NICKS(NestHost, extension, OPTIONAL, nest_extension_nicks),
    FIELD(NestHost, slat, BOOL, OPTIONAL),
    FIELD(NestHost, firmware_locked, BOOL, OPTIONAL),
    FIELD(NestHost, kvm_module, STRING, OPTIONAL),
    FIELD(NestHost, nested_parameter, STRING, OPTIONAL),
    FIELD(NestHost, slat_parameter, STRING, OPTIONAL),
    FIELD(NestHost, kvm_usable, BOOL, OPTIONAL),
    FIELD(NestHost, kvm_error, STRING, OPTIONAL),
    FIELD(NestHost, hypervisor_present, BOOL, OPTIONAL),
    FIELD(NestHost, outer_hypervisor, STRING, OPTIONAL),
    FIELD(NestHost, extension_owner, STRING, OPTIONAL),
    FIELD(NestHost, qemu_version, STRING, OPTIONAL),
    FIELD(NestHost, libvirt_version, STRING, OPTIONAL),
    FIELD(NestHost, backend_uri, STRING, OPTIONAL),
    FIELD(NestHost, supports, BOOL, OPTIONAL),
    FIELD(NestHost, tcg_supports, BOOL, OPTIONAL),
    NESTED(NestHost, checks, RECORDS, OPTIONAL, nest_check_record),
    NESTED(NestHost, proofs, RECORDS, OPTIONAL, nest_proof_record),
};
RECORD(nest_host, NestHost, "host");

static const NestField nest_status_fields[] = {
    NESTED(NestStatus, host, RECORD, REQUIRED, nest_host_record),
    NESTED(NestStatus, vms, RECORDS, OPTIONAL, nest_vm_record),
};
RECORD(nest_status, NestStatus, "status");

static const NestField nest_plan_item_fields[] = {
    FIELD(NestPlanItem, id, STRING, OPTIONAL),
    FIELD(NestPlanItem, title, STRING, OPTIONAL),
    FIELD(NestPlanItem, current, STRING, OPTIONAL),
    FIELD(NestPlanItem, target, STRING, OPTIONAL),
    FIELD(NestPlanItem, detail, STRING, OPTIONAL),
    FIELD(NestPlanItem, optional, BOOL, OPTIONAL),
    FIELD(NestPlanItem, destructive, BOOL, OPTIONAL),
};
RECORD(nest_plan_item, NestPlanItem, "plan item");

static const NestField nest_plan_fields[] = {
    FIELD(NestPlan, hash, STRING, OPTIONAL),
    FIELD(NestPlan, uuid, STRING, OPTIONAL),
    FIELD(NestPlan, name, STRING, OPTIONAL),
    FIELD(NestPlan, enable, BOOL, OPTIONAL),
    NICKS(NestPlan, verdict, OPTIONAL, nest_plan_verdict_nicks),
    NESTED(NestPlan, items, RECORDS, OPTIONAL, nest_plan_item_record),
    FIELD(NestPlan, warnings, STRV, OPTIONAL),
    NESTED(NestPlan, problem, RECORD, OPTIONAL, nest_problem_record),
};
RECORD(nest_plan, NestPlan, "plan");

/* A NestXmlPlan begins with its plan, so the members are where they are in that. */
static const NestField nest_xml_plan_fields[] = {
    FIELD(NestPlan, hash, STRING, OPTIONAL),
    FIELD(NestPlan, uuid, STRING, OPTIONAL),
    FIELD(NestPlan, name, STRING, OPTIONAL),
    FIELD(NestPlan, enable, BOOL, OPTIONAL),
    NICKS(NestPlan, verdict, OPTIONAL, nest_plan_verdict_nicks),
    NESTED(NestPlan, items, RECORDS, OPTIONAL, nest_plan_item_record),
    FIELD(NestPlan, warnings, STRV, OPTIONAL),
    NESTED(NestPlan, problem, RECORD, OPTIONAL, nest_problem_record),
    FIELD(NestXmlPlan, xml, STRING, OPTIONAL),
};
RECORD(nest_xml_plan, NestXmlPlan, "plan");
G_STATIC_ASSERT(offsetof(NestXmlPlan, plan) == 0);
G_STATIC_ASSERT(G_N_ELEMENTS(nest_xml_plan_fields) == G_N_ELEMENTS(nest_plan_fields) + 1);

static const NestField nest_step_fields[] = {
    FIELD(NestStep, id, STRING, OPTIONAL),
    FIELD(NestStep, title, STRING, OPTIONAL),
    NICKS(NestStep, state, OPTIONAL, nest_step_state_nicks),
    FIELD(NestStep, started, INT64, OPTIONAL),
    FIELD(NestStep, finished, INT64, OPTIONAL),
};
RECORD(nest_step, NestStep, "step");

static const NestField nest_operation_fields[] = {
    FIELD(NestOperation, id, INT64, REQUIRED),
    FIELD(NestOperation, kind, STRING, OPTIONAL),
    FIELD(NestOperation, uuid, STRING, OPTIONAL),
    FIELD(NestOperation, name, STRING, OPTIONAL),
    NICKS(NestOperation, state, OPTIONAL, nest_operation_state_nicks),
    FIELD(NestOperation, created, INT64, OPTIONAL),
    FIELD(NestOperation, started, INT64, OPTIONAL),
    FIELD(NestOperation, finished, INT64, OPTIONAL),
    FIELD(NestOperation, uid, UINT, OPTIONAL),
    FIELD(NestOperation, pid, INT64, OPTIONAL),
    NESTED(NestOperation, steps, RECORDS, OPTIONAL, nest_step_record),
    FIELD(NestOperation, note, STRING, OPTIONAL),
    NESTED(NestOperation, problem, RECORD, OPTIONAL, nest_problem_record),
};
RECORD(nest_operation, NestOperation, "operation");

static const NestField nest_event_fields[] = {
    FIELD(NestEvent, id, INT64, REQUIRED),
    FIELD(NestEvent, time, INT64, OPTIONAL),
    FIELD(NestEvent, kind, STRING, OPTIONAL),
    FIELD(NestEvent, uuid, STRING, OPTIONAL),
    FIELD(NestEvent, name, STRING, OPTIONAL),
    FIELD(NestEvent, operation, INT64, OPTIONAL),
    FIELD(NestEvent, message, STRING, OPTIONAL),
};
RECORD(nest_event, NestEvent, "event");

static const NestField nest_revision_fields[] = {
    FIELD(NestRevision, id, INT64, REQUIRED),
    FIELD(NestRevision, time, INT64, OPTIONAL),
    FIELD(NestRevision, kind, STRING, OPTIONAL),
    FIELD(NestRevision, operation, INT64, OPTIONAL),
    FIELD(NestRevision, uid, INT64, OPTIONAL),
    FIELD(NestRevision, summary, STRING, OPTIONAL),
};
RECORD(nest_revision, NestRevision, "revision");

static const NestField nest_vm_spec_fields[] = {
    FIELD(NestVmSpec, name, STRING, REQUIRED),
    FIELD(NestVmSpec, memory_kib, UINT64, REQUIRED),
    FIELD(NestVmSpec, memory_min_kib, UINT64, OPTIONAL),
    FIELD(NestVmSpec, vcpus, UINT, OPTIONAL),
    FIELD(NestVmSpec, disk_bytes, UINT64, OPTIONAL),
    FIELD(NestVmSpec, disk, STRING, OPTIONAL),
    FIELD(NestVmSpec, disk_format, STRING, OPTIONAL),
    FIELD(NestVmSpec, iso, STRING, OPTIONAL),
    FIELD(NestVmSpec, kernel, STRING, OPTIONAL),
    FIELD(NestVmSpec, initrd, STRING, OPTIONAL),
    FIELD(NestVmSpec, cmdline, STRING, OPTIONAL),
    FIELD(NestVmSpec, network, STRING, OPTIONAL),
    FIELD(NestVmSpec, filter, STRING, OPTIONAL),
    NICKS(NestVmSpec, accel, OPTIONAL, nest_accel_nicks),
    FIELD(NestVmSpec, nested, BOOL, OPTIONAL),
};
RECORD(nest_vm_spec, NestVmSpec, "virtual machine");

static const NestField nest_nested_wish_fields[] = {
    FIELD(NestNestedWish, enabled, BOOL, REQUIRED),
    FIELD(NestNestedWish, plan, STRING, OPTIONAL),
    FIELD(NestNestedWish, decline, STRV, OPTIONAL),
};
RECORD(nest_nested_wish, NestNestedWish, "nesting");

static const NestField nest_xml_wish_fields[] = {
    FIELD(NestXmlWish, xml, STRING, REQUIRED),
    FIELD(NestXmlWish, enabled, BOOL, REQUIRED),
    FIELD(NestXmlWish, decline, STRV, OPTIONAL),
    NICKS(NestXmlWish, extension, OPTIONAL, nest_extension_nicks),
};
RECORD(nest_xml_wish, NestXmlWish, "definition");

static const NestField nest_guard_wish_fields[] = {
    NICKS(NestGuardWish, operation, REQUIRED, nest_outside_nicks),
    FIELD(NestGuardWish, xml, STRING, REQUIRED),
};
RECORD(nest_guard_wish, NestGuardWish, "question to a guard");

static const NestField nest_undo_wish_fields[] = {
    FIELD(NestUndoWish, to, INT64, OPTIONAL),
    FIELD(NestUndoWish, plan, STRING, OPTIONAL),
};
RECORD(nest_undo_wish, NestUndoWish, "undo");

static const NestField nest_host_wish_fields[] = {
    FIELD(NestHostWish, plan, STRING, OPTIONAL),
    FIELD(NestHostWish, decline, STRV, OPTIONAL),
};
RECORD(nest_host_wish, NestHostWish, "repair of the host");

static const NestField nest_state_wish_fields[] = {
    NICKS(NestStateWish, state, REQUIRED, nest_vm_state_nicks),
    FIELD(NestStateWish, force, BOOL, OPTIONAL),
    FIELD(NestStateWish, timeout, UINT, OPTIONAL),
    FIELD(NestStateWish, reason, STRING, OPTIONAL),
    FIELD(NestStateWish, discard_saved_state, BOOL, OPTIONAL),
    FIELD(NestStateWish, restore, BOOL, OPTIONAL),
};
RECORD(nest_state_wish, NestStateWish, "state");

static const NestField nest_memory_wish_fields[] = {
    FIELD(NestMemoryWish, memory_kib, UINT64, REQUIRED),
    FIELD(NestMemoryWish, force, BOOL, OPTIONAL),
    FIELD(NestMemoryWish, reason, STRING, OPTIONAL),
};
RECORD(nest_memory_wish, NestMemoryWish, "memory");

static const NestField nest_checkpoint_fields[] = {
    FIELD(NestCheckpoint, name, STRING, REQUIRED),
    FIELD(NestCheckpoint, time, INT64, OPTIONAL),
    FIELD(NestCheckpoint, memory, BOOL, OPTIONAL),
    FIELD(NestCheckpoint, current, BOOL, OPTIONAL),
    NICKS(NestCheckpoint, nesting, OPTIONAL, nest_nesting_nicks),
    NICKS(NestCheckpoint, activity, OPTIONAL, nest_activity_nicks),
    FIELD(NestCheckpoint, kernel, STRING, OPTIONAL),
    FIELD(NestCheckpoint, qemu_version, STRING, OPTIONAL),
    FIELD(NestCheckpoint, unfinished, BOOL, OPTIONAL),
};
RECORD(nest_checkpoint, NestCheckpoint, "checkpoint");

static const NestField nest_checkpoint_wish_fields[] = {
    FIELD(NestCheckpointWish, name, STRING, OPTIONAL),
    FIELD(NestCheckpointWish, disk_only, BOOL, OPTIONAL),
    FIELD(NestCheckpointWish, force, BOOL, OPTIONAL),
    FIELD(NestCheckpointWish, reason, STRING, OPTIONAL),
};
RECORD(nest_checkpoint_wish, NestCheckpointWish, "checkpoint");

static const NestField nest_migration_wish_fields[] = {
    FIELD(NestMigrationWish, to, STRING, REQUIRED),
    FIELD(NestMigrationWish, offline, BOOL, OPTIONAL),
    FIELD(NestMigrationWish, timeout, UINT, OPTIONAL),
    FIELD(NestMigrationWish, force, BOOL, OPTIONAL),
    FIELD(NestMigrationWish, reason, STRING, OPTIONAL),
};
RECORD(nest_migration_wish, NestMigrationWish, "migration");

static const NestField nest_restart_wish_fields[] = {
    FIELD(NestRestartWish, reset, BOOL, OPTIONAL),
    FIELD(NestRestartWish, timeout, UINT, OPTIONAL),
    FIELD(NestRestartWish, force, BOOL, OPTIONAL),
    FIELD(NestRestartWish, reason, STRING, OPTIONAL),
};
RECORD(nest_restart_wish, NestRestartWish, "restart");

static const NestField nest_apply_wish_fields[] = {
    FIELD(NestApplyWish, force, BOOL, OPTIONAL),
    FIELD(NestApplyWish, reason, STRING, OPTIONAL),
};
RECORD(nest_apply_wish, NestApplyWish, "applying");

static const NestField nest_trust_wish_fields[] = {
    NICKS(NestTrustWish, trust, REQUIRED, nest_trust_nicks),
};
RECORD(nest_trust_wish, NestTrustWish, "trust");

static const NestField nest_about_fields[] = {
    FIELD(NestAbout, version, STRING, OPTIONAL),
    FIELD(NestAbout, backend, STRING, OPTIONAL),
    FIELD(NestAbout, backend_uri, STRING, OPTIONAL),
    NESTED(NestAbout, problem, RECORD, OPTIONAL, nest_problem_record),
    FIELD(NestAbout, started, INT64, OPTIONAL),
    FIELD(NestAbout, vms, UINT, OPTIONAL),
};
RECORD(nest_about, NestAbout, "service");

FREE(nest_check, NestCheck)
FREE(nest_check_info, NestCheckInfo)
FREE(nest_check_report, NestCheckReport)
FREE(nest_interface, NestInterface)
FREE(nest_action, NestAction)
FREE(nest_vm_summary, NestVmSummary)
FREE(nest_vm, NestVm)
FREE(nest_problem, NestProblem)
FREE(nest_host, NestHost)
FREE(nest_status, NestStatus)
FREE(nest_plan_item, NestPlanItem)
FREE(nest_plan, NestPlan)
FREE(nest_xml_plan, NestXmlPlan)
FREE(nest_step, NestStep)
FREE(nest_operation, NestOperation)
FREE(nest_event, NestEvent)
FREE(nest_revision, NestRevision)
FREE(nest_vm_spec, NestVmSpec)
FREE(nest_nested_wish, NestNestedWish)
FREE(nest_xml_wish, NestXmlWish)
FREE(nest_guard_wish, NestGuardWish)
FREE(nest_undo_wish, NestUndoWish)
FREE(nest_host_wish, NestHostWish)
FREE(nest_state_wish, NestStateWish)
FREE(nest_memory_wish, NestMemoryWish)
FREE(nest_checkpoint, NestCheckpoint)
FREE(nest_checkpoint_wish, NestCheckpointWish)
FREE(nest_restart_wish, NestRestartWish)
FREE(nest_migration_wish, NestMigrationWish)
FREE(nest_apply_wish, NestApplyWish)
FREE(nest_trust_wish, NestTrustWish)
FREE(nest_about, NestAbout)

NestVm *nest_vm_new(void)
{
    return nest_record_new(&nest_vm_record);
}

NestHost *nest_host_new(void)
{
    return nest_record_new(&nest_host_record);
}

NestPlan *nest_plan_new(void)
{
    return nest_record_new(&nest_plan_record);
}

NestOperation *nest_operation_new(void)
{
    return nest_record_new(&nest_operation_record);
}

NestOperation *nest_operation_copy(const NestOperation *operation)
{
    return nest_record_copy(&nest_operation_record, operation);
}

gboolean nest_check_concerns(const NestCheck *check)
{
    return check->verdict >= NEST_VERDICT_UNKNOWN && check->ignored == NULL;
}

gboolean nest_check_failed(const NestCheck *check)
{
    return check->verdict == NEST_VERDICT_FAIL && check->ignored == NULL;
}

gboolean nest_operation_ended(const NestOperation *operation)
{
    return operation->state != NEST_OP_PENDING && operation->state != NEST_OP_RUNNING;
}

NestProblem *nest_problem_from_error(const GError *error)
{
    NestErrorCode code = nest_error_code(error);
    NestProblem *problem = nest_record_new(&nest_problem_record);
    problem->kind = g_strdup(nest_error_kind(code));
    problem->title = g_strdup(nest_error_title(code));
    problem->detail = g_utf8_make_valid(error->message, -1);
    problem->next = g_strdup(nest_error_get_next(error));
    problem->check = g_strdup(nest_error_get_check(error));
    return problem;
}

NestProblem *nest_problem_copy(const NestProblem *problem)
{
    return nest_record_copy(&nest_problem_record, problem);
}

void nest_problem_to_error(const NestProblem *problem, GError **error)
{
    nest_set_error(error, nest_error_from_kind(problem->kind), problem->next, "%s",
        problem->detail != NULL ? problem->detail : problem->title);
    if (error != NULL)
        nest_error_set_check(*error, problem->check);
}

gboolean nest_vm_name_check(const char *name, GError **error)
{
    if (!nest_name_check(name, "virtual machine", error))
        return FALSE;
    if (!g_uuid_string_is_valid(name))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "choose a name that is not a UUID",
        "the name looks like the UUID of a virtual machine");
    return FALSE;
}
