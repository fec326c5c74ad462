/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-caps.h"
#include "nest-error.h"
#include <string.h>

static gboolean set_accel(const char *value, gboolean *ret_there, NestExtension *ret_extension)
{
    static const struct {
        const char *word;
        gboolean there;
        NestExtension extension;
    } words[] = {
        {"off", FALSE, NEST_EXTENSION_NONE},
        {"none", TRUE, NEST_EXTENSION_NONE},
        {"vmx", TRUE, NEST_EXTENSION_VMX},
        {"svm", TRUE, NEST_EXTENSION_SVM},
    };
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(words[i].word, value) != 0)
            continue;
        *ret_there = words[i].there;
        *ret_extension = words[i].extension;
        return TRUE;
    }
    return FALSE;
}

static gboolean set_cap(NestBackendCaps *caps, const char *pair)
{
    g_auto(GStrv) parts = g_strsplit(pair, "=", 2);
    const char *key = parts[0], *value = key != NULL && parts[1] != NULL ? parts[1] : "";
    if (g_strcmp0(key, "kvm") == 0)
        return set_accel(value, &caps->kvm, &caps->kvm_extension);
    if (g_strcmp0(key, "tcg") == 0)
        return set_accel(value, &caps->tcg, &caps->tcg_extension);
    if (g_strcmp0(key, "qemu") == 0) {
        g_free(caps->qemu_version);
        caps->qemu_version = g_strdup(value);
        return TRUE;
    }
    if (g_strcmp0(key, "libvirt") == 0) {
        g_free(caps->libvirt_version);
        caps->libvirt_version = g_strdup(value);
        return TRUE;
    }
    if (g_strcmp0(key, "networks") == 0) {
        caps->networks = strcmp(value, "1") == 0;
        return caps->networks || strcmp(value, "0") == 0;
    }
    return FALSE;
}

NestBackendCaps *nest_fake_caps_parse(const char *text)
{
    NestBackendCaps *caps = g_new0(NestBackendCaps, 1);
    g_auto(GStrv) pairs = g_strsplit(text != NULL ? text : "", ",", -1);
    caps->uri = g_strdup("fake:///");
    caps->qemu_version = g_strdup("7.2.22");
    caps->libvirt_version = g_strdup("9.0.0");
    caps->machines = g_strsplit("pc q35 pc-i440fx-7.2 pc-q35-7.2 pc-i440fx-2.0", " ", -1);
    caps->old_machines = g_strsplit("pc-i440fx-2.0", " ", -1);
    caps->kvm = caps->tcg = TRUE;
    caps->kvm_extension = NEST_EXTENSION_VMX;
    caps->tcg_extension = NEST_EXTENSION_SVM;
    for (guint i = 0; pairs[i] != NULL; i++)
        if (!set_cap(caps, pairs[i]))
            g_error("NEST_FAKE_CAPS: can't understand \"%s\"", pairs[i]);
    return caps;
}

static gboolean lacks(NestFeaturePolicy policy, NestExtension wanted, NestExtension given)
{
    return policy == NEST_POLICY_REQUIRE && wanted != given;
}

gboolean nest_fake_caps_can_run(
    const NestBackendCaps *caps, const NestDomain *domain, GError **error)
{
    const gboolean kvm = domain->accel == NEST_ACCEL_KVM;
    const NestExtension given = kvm ? caps->kvm_extension : caps->tcg_extension;
    const gboolean vmx = lacks(domain->vmx, NEST_EXTENSION_VMX, given);
    const gboolean svm = lacks(domain->svm, NEST_EXTENSION_SVM, given);
    if (kvm ? !caps->kvm : !caps->tcg) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
            "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not support "
            "virt type '%s'",
            domain->type);
        return FALSE;
    }
    if (!domain->check_full || (!vmx && !svm))
        return TRUE;
    nest_set_error(error, NEST_ERROR_HOST_UNFIT, NULL,
        "operation failed: guest CPU doesn't match specification: missing features: %s%s%s",
        vmx ? "vmx" : "", vmx && svm ? "," : "", svm ? "svm" : "");
    return FALSE;
}
