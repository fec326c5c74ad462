/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-marks.h"

/* The marks of all VMs, by UUID. All functions are for any thread. */
typedef struct NestMarks NestMarks;

/* Those that the store has. trust: of VMs without a label. */
NestMarks *nest_marks_load(NestStore *store, NestTrust trust, GError **error);
void nest_marks_free(NestMarks *marks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestMarks, nest_marks_free)

/* Never NULL; marks NULL gives the defaults. */
NestVmMarks *nest_marks_get(NestMarks *marks, const char *uuid);
NestStoredMark *nest_marks_get_stored(NestMarks *marks, const char *uuid);

/* TRUE if there is a VM that is not trusted, or those without a label are not. */
gboolean nest_marks_distrust(NestMarks *marks);

/* Memory only: what was stored with an operation, and what is never stored. Activity NONE is
 * forgotten. */
void nest_marks_put(NestMarks *marks, const NestStoredMark *mark);
void nest_marks_set_activity(NestMarks *marks, const char *uuid, NestActivity activity);

/* What a sample of its run so numbered tells. Memory only. */
void nest_marks_set_exposed(NestMarks *marks, const char *uuid, int run, NestAnswer exposed);
/* nestd saw the VM start, with the definition of that fingerprint. Memory only. */
void nest_marks_set_started(NestMarks *marks, const char *uuid, int run, const char *fingerprint);
void nest_marks_forget_run(NestMarks *marks, const char *uuid);

/* The VM was started by somebody else. TRUE where that is new: to be stored. Memory only. */
gboolean nest_marks_started(NestMarks *marks, const char *uuid);

/* Stores the label, then keeps it. labelled FALSE: it has none, and trust does not count. */
gboolean nest_marks_set_trust(
    NestMarks *marks, const char *uuid, gboolean labelled, NestTrust trust, GError **error);
