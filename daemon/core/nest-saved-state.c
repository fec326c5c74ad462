/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-saved-state.h"
#include "nest-codec.h"
#include "nest-guard-image.h"
#include "nest-record.h"

typedef struct {
    char *kernel;
    char *qemu_version;
    NestNesting nesting; /* of what ran */
    NestActivity activity;
    gint64 time; /* of the file, 0: not known */
} Note;

static const NestField note_fields[] = {
    {"kernel", NEST_FIELD_STRING, NEST_FIELD_OPTIONAL, offsetof(Note, kernel), NULL, NULL},
    {"qemu_version", NEST_FIELD_STRING, NEST_FIELD_OPTIONAL, offsetof(Note, qemu_version), NULL,
        NULL},
    {"nesting", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(Note, nesting), nest_nesting_nicks,
        NULL},
    {"activity", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(Note, activity),
        nest_activity_nicks, NULL},
    {"time", NEST_FIELD_INT64, NEST_FIELD_OPTIONAL, offsetof(Note, time), NULL, NULL},
};
static const NestRecord note_record = {
    "saved state", sizeof(Note), note_fields, G_N_ELEMENTS(note_fields)};

static void note_free(Note *note)
{
    nest_record_free(&note_record, note);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Note, note_free)

static Note *read_note(const char *text)
{
    return text != NULL ? nest_codec_from_text(&note_record, text, -1, NEST_CODEC_LENIENT, NULL)
                        : NULL;
}

char *nest_saved_note(const NestVmView *view)
{
    NestVmView running = *view;
    running.domain = view->live != NULL ? view->live : view->domain;
    Note note = {view->host != NULL ? view->host->kernel : NULL,
        view->caps != NULL ? view->caps->qemu_version : NULL, nest_vm_view_nesting(&running),
        nest_vm_view_activity(view), 0};
    return nest_codec_to_text(&note_record, &note);
}

char *nest_saved_note_at(const char *text, gint64 time)
{
    g_autoptr(Note) note = read_note(text);
    if (note == NULL)
        return NULL;
    note->time = time;
    return nest_codec_to_text(&note_record, note);
}

/* By what it says itself, where that can be read. */
static NestNesting foreign_nesting(const NestVmView *view)
{
    const char *xml = view->facts->saved_xml;
    return xml != NULL ? nest_vm_view_nesting_by(view, xml) : nest_vm_view_nesting(view);
}

NestGuardVerdict *nest_saved_judge(const NestVmView *view, NestParity parity)
{
    gint64 time = view->facts->saved_time;
    g_autoptr(Note) note = read_note(view->marks != NULL ? view->marks->saved : NULL);
    gboolean ours = note != NULL && time != 0 && note->time == time;
    NestCheckpoint image = {.memory = TRUE,
        .nesting = ours ? note->nesting : foreign_nesting(view),
        .activity = ours ? note->activity : NEST_ACTIVITY_UNKNOWN,
        .kernel = ours ? note->kernel : NULL,
        .qemu_version = ours ? note->qemu_version : NULL};
    return nest_guard_judge_image(NEST_GUARD_RESTORE, view, &image, parity);
}
