/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record-table.h"

const char *const nest_guest_family_nicks[] = {"unknown", "linux", "windows", "other", NULL};

static const NestField nest_guest_fields[] = {
    FIELD(NestGuest, agent_version, STRING, OPTIONAL),
    NICKS(NestGuest, family, OPTIONAL, nest_guest_family_nicks),
    FIELD(NestGuest, os_id, STRING, OPTIONAL),
    FIELD(NestGuest, os, STRING, OPTIONAL),
    FIELD(NestGuest, kernel, STRING, OPTIONAL),
    FIELD(NestGuest, machine, STRING, OPTIONAL),
    FIELD(NestGuest, exec, BOOL, OPTIONAL),
    FIELD(NestGuest, write, BOOL, OPTIONAL),
    FIELD(NestGuest, blocked, STRV, OPTIONAL),
    FIELD(NestGuest, blocked_setting, STRING, OPTIONAL),
};
RECORD(nest_guest, NestGuest, "guest");

static const NestField nest_exec_wish_fields[] = {
    FIELD(NestExecWish, command, STRV, REQUIRED),
    FIELD(NestExecWish, env, STRV, OPTIONAL),
    FIELD(NestExecWish, cwd, STRING, OPTIONAL),
    FIELD(NestExecWish, input, STRING, OPTIONAL),
    FIELD(NestExecWish, shell, BOOL, OPTIONAL),
};
RECORD(nest_exec_wish, NestExecWish, "command");

static const NestField nest_exec_output_fields[] = {
    FIELD(NestExecOutput, out, STRING, OPTIONAL),
    FIELD(NestExecOutput, err, STRING, OPTIONAL),
    FIELD(NestExecOutput, ended, BOOL, OPTIONAL),
    FIELD(NestExecOutput, status, INT64, OPTIONAL),
    FIELD(NestExecOutput, signal, UINT, OPTIONAL),
    NESTED(NestExecOutput, problem, RECORD, OPTIONAL, nest_problem_record),
};
RECORD(nest_exec_output, NestExecOutput, "output of a command");

const char *const nest_verified_nicks[] = {"none", "size", "sha256", NULL};

static const NestField nest_file_fields[] = {
    FIELD(NestFile, path, STRING, OPTIONAL),
    FIELD(NestFile, size, UINT64, OPTIONAL),
    FIELD(NestFile, sha256, STRING, OPTIONAL),
    FIELD(NestFile, mode, STRING, OPTIONAL),
    NICKS(NestFile, verified, OPTIONAL, nest_verified_nicks),
};
RECORD(nest_file, NestFile, "file");

static const NestField nest_file_part_fields[] = {
    FIELD(NestFilePart, data, STRING, OPTIONAL),
    FIELD(NestFilePart, total, UINT64, OPTIONAL),
    FIELD(NestFilePart, ended, BOOL, OPTIONAL),
    NESTED(NestFilePart, file, RECORD, OPTIONAL, nest_file_record),
    NESTED(NestFilePart, problem, RECORD, OPTIONAL, nest_problem_record),
};
RECORD(nest_file_part, NestFilePart, "part of a file");

FREE(nest_file, NestFile)
FREE(nest_file_part, NestFilePart)
static const NestField nest_install_wish_fields[] = {
    FIELD(NestInstallWish, plan, STRING, OPTIONAL),
    FIELD(NestInstallWish, reboot, BOOL, OPTIONAL),
    FIELD(NestInstallWish, decline, STRV, OPTIONAL),
};
RECORD(nest_install_wish, NestInstallWish, "installation");

FREE(nest_install_wish, NestInstallWish)
FREE(nest_exec_wish, NestExecWish)
FREE(nest_exec_output, NestExecOutput)
FREE(nest_guest, NestGuest)
