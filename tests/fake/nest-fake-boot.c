/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-fake-call.h"
#include "nest-proof.h"
#include "proof/proof-protocol.h"
#include <stdlib.h>
#include <string.h>

/* A VM that exists in one call: it says what the proof program would, of the seed that it was
 * given. set:report: another code, "cut" for a report without its end, or "spew" for one between
 * 60 KiB of anything. set:cycles: what an exit costs at least (2000). */

static void add_noise(GString *text)
{
    for (guint i = 0; i < 30 * 1024; i++)
        g_string_append_c(text, (char)(i * 7 % 255 + 1));
    g_string_append(text, "\r\n");
}

static char *report(NestExtension extension, guint32 seed, const char *said, guint64 cycles)
{
    gboolean spews = g_str_equal(said, "spew");
    const char *code = spews ? "proved" : said;
    const char *name = extension == NEST_EXTENSION_VMX ? "vmx" : "svm";
    gboolean proved = g_str_equal(code, "proved");
    GString *text = g_string_new("\r\n");
    if (spews)
        add_noise(text);
    g_string_append_printf(text, "nest-proof 1 begin seed=0x%x\r\n", seed);
    g_string_append_printf(text, "nest-proof 1 cpu vendor=Fake extension=%s\r\n", name);
    g_string_append_printf(text,
        "nest-proof 1 capabilities extension=%s present=nested absent=more\r\n"
        "nest-proof 1 clock tsc-khz=2000000\r\n",
        name);
    g_string_append_printf(text, "nest-proof 1 pass name=shadow result=%s answer=0x%x exits=65\r\n",
        proved ? "ok" : code, proof_answer(seed));
    g_string_append_printf(text,
        "nest-proof 1 exit pass=shadow kind=cpuid count=64 min=%" G_GUINT64_FORMAT
        " median=%" G_GUINT64_FORMAT "\r\n",
        cycles, cycles + 500);
    if (spews)
        add_noise(text);
    if (!g_str_equal(code, "cut"))
        g_string_append_printf(text, "nest-proof 1 end code=%s lines=7\r\n", code);
    return g_string_free(text, FALSE);
}

/* A CPU without an extension. */
static char *bare_report(guint32 seed)
{
    return g_strdup_printf("nest-proof 1 begin seed=0x%x\n"
                           "nest-proof 1 cpu vendor=Fake extension=none\n"
                           "nest-proof 1 end code=not-supported lines=3\n",
        seed);
}

/* What the CPU of boot->like has. FALSE where there is no telling. */
static gboolean find_extension(const NestBoot *boot, NestExtension *ret_extension, GError **error)
{
    NestBootDomain wanted = {"boot", boot->accel, boot->extension, "k", "c", "s", boot->like};
    g_autofree char *xml = nest_domain_boot_xml(&wanted, error);
    g_autoptr(NestDomain) domain = xml != NULL ? nest_domain_read(xml, error) : NULL;
    if (domain == NULL)
        return FALSE;
    *ret_extension = NEST_EXTENSION_NONE;
    if (nest_domain_nesting(domain, NEST_EXTENSION_SVM) != NEST_NESTING_OFF)
        *ret_extension = NEST_EXTENSION_SVM;
    if (nest_domain_nesting(domain, NEST_EXTENSION_VMX) != NEST_NESTING_OFF)
        *ret_extension = NEST_EXTENSION_VMX;
    return TRUE;
}

static gboolean can_have(NestFake *fake, NestExtension extension, GError **error)
{
    if (extension != NEST_EXTENSION_NONE || !fake->connected)
        return TRUE;
    nest_set_error(error, NEST_ERROR_HOST_UNFIT, NULL,
        "Cannot start a virtual machine: the fake hypervisor has no extension");
    return FALSE;
}

static gboolean effect_boot(NestFake *fake, NestFakeCall *call, GError **error)
{
    return TRUE;
}

gboolean nest_fake_boot(NestBackend *backend, const NestBoot *boot, GCancellable *cancellable,
    GBytes **ret_console, GError **error)
{
    NestFake *fake = (NestFake *)backend;
    NestFakeCall call = {.slot = "boot"};
    const char *seed = strstr(boot->cmdline, "seed=");
    g_autofree char *code = nest_fake_control_setting(fake->control, "report");
    g_autofree char *cycles = nest_fake_control_setting(fake->control, "cycles");
    NestExtension extension = boot->extension;
    if (!nest_fake_call_run(fake, &call, effect_boot, error) ||
        (boot->like == NULL && !can_have(fake, extension, error)) ||
        (boot->like != NULL && !find_extension(boot, &extension, error)))
        return FALSE;
    if (g_cancellable_set_error_if_cancelled(cancellable, NULL)) {
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "booting was cancelled");
        return FALSE;
    }
    guint32 number = seed != NULL ? (guint32)strtoul(seed + strlen("seed="), NULL, 16) : 0;
    char *text = extension == NEST_EXTENSION_NONE && boot->like != NULL
        ? bare_report(number)
        : report(extension, number, code != NULL ? code : "proved",
              cycles != NULL ? g_ascii_strtoull(cycles, NULL, 10) : 2000);
    *ret_console = g_bytes_new_take(text, strlen(text));
    return TRUE;
}
