/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"
#include <stddef.h>

/* Every struct of nest-types.h is described by one const table of its fields. Freeing, copying,
 * encoding and decoding are written once, over the tables: a new field is one line. */

typedef enum {
    NEST_FIELD_STRING, /* char * */
    NEST_FIELD_STRV, /* GStrv */
    NEST_FIELD_BOOL, /* gboolean */
    NEST_FIELD_UINT, /* guint */
    NEST_FIELD_UINT64, /* guint64 */
    NEST_FIELD_INT64, /* gint64 */
    NEST_FIELD_ENUM, /* an enum; nicks is its NULL-terminated list of names in order */
    NEST_FIELD_RECORD, /* pointer to a struct described by record */
    NEST_FIELD_RECORDS /* GPtrArray of such pointers */
} NestFieldType;

typedef enum {
    NEST_FIELD_OPTIONAL = 0,
    NEST_FIELD_REQUIRED = 1 /* must be in JSON that is decoded, and not null */
} NestFieldFlags;

typedef struct NestRecord NestRecord;

typedef struct {
    const char *name;
    NestFieldType type;
    NestFieldFlags flags;
    size_t offset;
    const char *const *nicks;
    const NestRecord *record;
} NestField;

struct NestRecord {
    const char *name; /* for messages: "virtual machine" */
    size_t size;
    const NestField *fields;
    guint n_fields;
};

extern const char *const nest_vm_state_nicks[];
extern const char *const nest_accel_nicks[];
extern const char *const nest_extension_nicks[];
extern const char *const nest_nesting_nicks[];
extern const char *const nest_activity_nicks[];
extern const char *const nest_presence_nicks[];
extern const char *const nest_witness_nicks[];
extern const char *const nest_flaw_nicks[];
extern const char *const nest_trust_nicks[];
extern const char *const nest_verdict_nicks[];
extern const char *const nest_scope_nicks[];
extern const char *const nest_action_say_nicks[];
extern const char *const nest_outside_nicks[];
extern const char *const nest_plan_verdict_nicks[];
extern const char *const nest_operation_state_nicks[];
extern const char *const nest_step_state_nicks[];
extern const char *const nest_guest_family_nicks[];
extern const char *const nest_verified_nicks[];

extern const NestRecord nest_check_record, nest_check_info_record, nest_check_report_record,
    nest_interface_record, nest_vm_summary_record, nest_vm_record, nest_problem_record,
    nest_host_record, nest_status_record, nest_plan_item_record, nest_plan_record, nest_step_record,
    nest_operation_record, nest_event_record, nest_revision_record, nest_vm_spec_record,
    nest_nested_wish_record, nest_undo_wish_record, nest_host_wish_record, nest_state_wish_record,
    nest_memory_wish_record, nest_action_record, nest_checkpoint_record,
    nest_checkpoint_wish_record, nest_apply_wish_record, nest_migration_wish_record,
    nest_restart_wish_record, nest_trust_wish_record, nest_about_record;

extern const NestRecord nest_xml_plan_record, nest_xml_wish_record, nest_guard_wish_record;
extern const NestRecord nest_proof_record, nest_proof_exit_record, nest_proof_pass_record,
    nest_proof_wish_record;
extern const NestRecord nest_given_record;
extern const NestRecord nest_install_wish_record;
extern const NestRecord nest_guest_record, nest_exec_wish_record, nest_exec_output_record,
    nest_file_record, nest_file_part_record;
extern const NestRecord nest_inner_vm_record, nest_inner_vms_record, nest_inner_spec_record,
    nest_inner_wish_record, nest_inner_console_record, nest_tree_sum_record, nest_tree_vm_record,
    nest_tree_record;
extern const NestRecord nest_measure_record, nest_verification_record;

/* A zeroed struct whose arrays are there and empty. */
gpointer nest_record_new(const NestRecord *record);

/* Frees value and all it owns; NULL is fine. */
void nest_record_free(const NestRecord *record, gpointer value);

/* A deep copy. NULL gives NULL. */
gpointer nest_record_copy(const NestRecord *record, gconstpointer value);

/* The nick of value, "unknown" where it is out of range. */
const char *nest_nick(const char *const *nicks, guint value);

/* The value of nick, FALSE where there is none. */
gboolean nest_nick_parse(const char *const *nicks, const char *nick, guint *ret_value);

/* TRUE if the check is of concern (unknown, warned, failed), or failed, and is not ignored. */
gboolean nest_check_concerns(const NestCheck *check);
gboolean nest_check_failed(const NestCheck *check);
