/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-qmp-disks.h"
#include "nest-codec.h"
#include <string.h>

const char *const nest_qmp_disks_ask = "{\"execute\":\"query-block\"}";

typedef struct {
    char *node, *driver, *file;
    gboolean read_only;
} Inserted;

typedef struct {
    Inserted *inserted; /* NULL: an empty drive */
} Drive;

typedef struct {
    char *desc;
} Failure;

typedef struct {
    Failure *error;
    GPtrArray *drives;
} Answer;

static const NestField inserted_fields[] = {
    {"node-name", NEST_FIELD_STRING, NEST_FIELD_REQUIRED, offsetof(Inserted, node), NULL, NULL},
    {"drv", NEST_FIELD_STRING, NEST_FIELD_REQUIRED, offsetof(Inserted, driver), NULL, NULL},
    {"file", NEST_FIELD_STRING, NEST_FIELD_OPTIONAL, offsetof(Inserted, file), NULL, NULL},
    {"ro", NEST_FIELD_BOOL, NEST_FIELD_REQUIRED, offsetof(Inserted, read_only), NULL, NULL},
};
static const NestRecord inserted_record = {
    "inserted disk", sizeof(Inserted), inserted_fields, G_N_ELEMENTS(inserted_fields)};

static const NestField drive_fields[] = {
    {"inserted", NEST_FIELD_RECORD, NEST_FIELD_OPTIONAL, offsetof(Drive, inserted), NULL,
        &inserted_record},
};
static const NestRecord drive_record = {
    "drive", sizeof(Drive), drive_fields, G_N_ELEMENTS(drive_fields)};

static const NestField failure_fields[] = {
    {"desc", NEST_FIELD_STRING, NEST_FIELD_OPTIONAL, offsetof(Failure, desc), NULL, NULL},
};
static const NestRecord failure_record = {
    "failure", sizeof(Failure), failure_fields, G_N_ELEMENTS(failure_fields)};

static const NestField answer_fields[] = {
    {"error", NEST_FIELD_RECORD, NEST_FIELD_OPTIONAL, offsetof(Answer, error), NULL,
        &failure_record},
    {"return", NEST_FIELD_RECORDS, NEST_FIELD_OPTIONAL, offsetof(Answer, drives), NULL,
        &drive_record},
};
/* What a command answers that has nothing to tell lacks the second. */
static const NestRecord drives_record = {
    "answer", sizeof(Answer), answer_fields, G_N_ELEMENTS(answer_fields)};
static const NestRecord done_record = {
    "answer", sizeof(Answer), answer_fields, G_N_ELEMENTS(answer_fields) - 1};

static gboolean failed(const Answer *answer, GError **error)
{
    if (answer->error == NULL)
        return FALSE;
    nest_set_error(error, NEST_ERROR_HYPERVISOR, NULL, "QEMU can't: %s",
        answer->error->desc != NULL ? answer->error->desc : "it does not say why");
    return TRUE;
}

static Answer *read_answer(const NestRecord *record, const char *text, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Answer *answer = nest_codec_from_text(record, text, -1, NEST_CODEC_LENIENT, &cause);
    if (answer == NULL)
        nest_set_error(
            error, NEST_ERROR_HYPERVISOR, NULL, "QEMU's answer makes no sense: %s", cause->message);
    return answer;
}

/* Node names are libvirt's, without anything to be escaped in JSON; others are not served. */
static gboolean is_plain(const char *text)
{
    return *text != '\0' && strpbrk(text, "\"\\\n") == NULL;
}

static gboolean add_disk(GString *actions, const Inserted *disk, const char *name, GError **error)
{
    if (disk == NULL || disk->read_only)
        return TRUE;
    if (strcmp(disk->driver, "qcow2") != 0 || !is_plain(disk->node)) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "convert it: qemu-img convert -O qcow2",
            "only qcow2 images can keep a checkpoint, and %s is %s",
            disk->file != NULL ? disk->file : disk->node, disk->driver);
        return FALSE;
    }
    g_string_append_printf(actions,
        "%s{\"type\":\"blockdev-snapshot-internal-sync\",\"data\":{\"device\":\"%s\","
        "\"name\":\"%s\"}}",
        actions->len > 0 ? "," : "", disk->node, name);
    return TRUE;
}

static gboolean add_disks(
    GString *actions, const GPtrArray *drives, const char *name, GError **error)
{
    for (guint i = 0; i < drives->len; i++) {
        const Drive *drive = g_ptr_array_index(drives, i);
        if (!add_disk(actions, drive->inserted, name, error))
            return FALSE;
    }
    if (actions->len > 0)
        return TRUE;
    nest_set_error(
        error, NEST_ERROR_VM_UNFIT, NULL, "there is no disk that could keep a checkpoint");
    return FALSE;
}

char *nest_qmp_disks_keep(const char *text, const char *name, GError **error)
{
    g_autoptr(GString) actions = g_string_new(NULL);
    Answer *answer = read_answer(&drives_record, text, error);
    gboolean good =
        answer != NULL && !failed(answer, error) && add_disks(actions, answer->drives, name, error);
    nest_record_free(&drives_record, answer);
    return good ? g_strdup_printf("{\"execute\":\"transaction\",\"arguments\":{\"actions\":[%s]}}",
                      actions->str)
                : NULL;
}

gboolean nest_qmp_disks_done(const char *text, GError **error)
{
    Answer *answer = read_answer(&done_record, text, error);
    gboolean good = answer != NULL && !failed(answer, error);
    nest_record_free(&done_record, answer);
    return good;
}
