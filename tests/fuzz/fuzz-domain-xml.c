/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "nest-domain-xml.h"
#include "nest-error.h"
#include <string.h>

static const NestDomainWish wishes[] = {
    {.nesting = NEST_WISH_EXPOSE,
        .extension = NEST_EXTENSION_SVM,
        .fix_memory = TRUE,
        .memory_kib = 1048576,
        .allow_macs = TRUE},
    {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX, .memory_kib = 1048576},
    {.nesting = NEST_WISH_HIDE, .fix_memory = TRUE, .allow_macs = TRUE},
};

/* What can be edited is as wished afterwards, and editing it again changes nothing; what cannot
 * is refused for one of the reasons of the contract. */
static void try_wish(const char *xml, const NestDomainWish *wish)
{
    g_autoptr(GError) error = NULL, none = NULL;
    g_autofree char *edited = nest_domain_edit(xml, wish, &error);
    if (edited == NULL) {
        NestErrorCode code = nest_error_code(error);
        g_assert(code == NEST_ERROR_INVALID_REQUEST || code == NEST_ERROR_UNSUPPORTED ||
            code == NEST_ERROR_VM_UNFIT);
        return;
    }
    g_assert(nest_domain_satisfies(edited, wish, &none));
    g_autofree char *again = nest_domain_edit(edited, wish, &none);
    g_assert_cmpstr(again, ==, edited);
    g_assert((strcmp(xml, edited) == 0) == nest_domain_satisfies(xml, wish, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const NestDomainWish no_wish = {0};
    g_autofree char *xml = g_strndup(size > 0 ? (const char *)data : "", size);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestDomain) domain = nest_domain_read(xml, &error);
    g_autofree char *same = nest_domain_edit(xml, &no_wish, NULL);
    g_autofree char *fingerprint = nest_domain_fingerprint(xml);
    g_assert_cmpuint(strlen(fingerprint), ==, 64);
    g_assert((domain == NULL) == (error != NULL));
    if (domain == NULL) {
        g_assert(nest_error_code(error) == NEST_ERROR_INVALID_REQUEST && same == NULL);
        return 0;
    }
    g_assert_cmpstr(same, ==, xml);
    for (guint i = 0; i < G_N_ELEMENTS(wishes); i++)
        try_wish(xml, &wishes[i]);
    return 0;
}
