/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "nest-codec.h"
#include "nest-error.h"

static const NestRecord *const records[] = {&nest_check_record, &nest_interface_record,
    &nest_vm_summary_record, &nest_vm_record, &nest_problem_record, &nest_host_record,
    &nest_status_record, &nest_plan_item_record, &nest_plan_record, &nest_step_record,
    &nest_operation_record, &nest_event_record, &nest_vm_spec_record, &nest_nested_wish_record,
    &nest_state_wish_record, &nest_memory_wish_record, &nest_about_record};

/* What has been decoded is encoded as text that decodes to the same. */
static void try_record(
    const NestRecord *record, const char *text, gssize length, NestCodecMode mode)
{
    g_autoptr(GError) error = NULL;
    gpointer value = nest_codec_from_text(record, text, length, mode, &error);
    g_assert((value == NULL) == (error != NULL));
    if (value == NULL) {
        g_assert(nest_error_code(error) == NEST_ERROR_INVALID_REQUEST);
        return;
    }
    g_autofree char *encoded = nest_codec_to_text(record, value);
    gpointer again = nest_codec_from_text(record, encoded, -1, NEST_CODEC_STRICT, &error);
    g_assert_no_error(error);
    g_autofree char *encoded_again = nest_codec_to_text(record, again);
    g_assert_cmpstr(encoded, ==, encoded_again);
    gpointer copy = nest_record_copy(record, again);
    g_autofree char *encoded_copy = nest_codec_to_text(record, copy);
    g_assert_cmpstr(encoded, ==, encoded_copy);
    nest_record_free(record, copy);
    nest_record_free(record, again);
    nest_record_free(record, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (guint i = 0; i < G_N_ELEMENTS(records); i++) {
        try_record(records[i], (const char *)data, size, NEST_CODEC_STRICT);
        try_record(records[i], (const char *)data, size, NEST_CODEC_LENIENT);
    }
    return 0;
}
