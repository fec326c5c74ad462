/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-gift.h"
#include <string.h>

void nest_gift_free(NestGift *gift)
{
    if (gift == NULL)
        return;
    g_free(gift->reason);
    g_free(gift->next);
    g_free(gift->read);
    g_free(gift);
}

const char *nest_gift_extension_text(NestExtension extension)
{
    return extension == NEST_EXTENSION_VMX ? "vmx"
        : extension == NEST_EXTENSION_SVM  ? "svm"
                                           : "VT-x or AMD-V";
}

static NestGift *answer(NestGiftAnswer value, char *reason, char *next, char *read)
{
    NestGift *gift = g_new0(NestGift, 1);
    *gift = (NestGift){value, reason, next, read};
    return gift;
}

NestGift *nest_gift_of_tcg(const NestBackendCaps *caps)
{
    if (caps == NULL)
        return answer(NEST_GIFT_UNKNOWN, g_strdup("the hypervisor has not been asked yet"),
            g_strdup("wait until the backend is open: nestctl status"),
            g_strdup("domain capabilities: not read"));
    if (caps->tcg && caps->tcg_extension != NEST_EXTENSION_NONE)
        return answer(NEST_GIFT_YES, NULL, NULL, g_strdup("domain capabilities: TCG offers svm"));
    return answer(NEST_GIFT_NEVER, g_strdup("QEMU's software CPU offers no svm here"),
        g_strdup("install a QEMU with TCG for x86_64"),
        g_strdup_printf("domain capabilities: TCG %s", caps->tcg ? "without svm" : "not offered"));
}

/* A sentence's end for those who may fall back on the software CPU. */
static char *or_tcg(const NestBackendCaps *caps, const char *next)
{
    gboolean works = caps == NULL || (caps->tcg && caps->tcg_extension != NEST_EXTENSION_NONE);
    return works
        ? g_strdup_printf("%s, or create the VM with --accel tcg: slow, but it nests", next)
        : g_strdup(next);
}

/* Another hypervisor runs below this host's kernel; NULL where none does. */
static NestGift *owned_below(const NestHostFacts *host, const NestBackendCaps *caps)
{
    if (host->xen_control)
        return answer(NEST_GIFT_NEVER,
            g_strdup("Xen owns the virtualization extension of this host"),
            or_tcg(caps, "boot this host without Xen"),
            g_strdup("/proc/xen/capabilities: control_d"));
    if (host->mshv && !nest_host_hardware_kvm(host))
        return answer(NEST_GIFT_NEVER,
            g_strdup("Hyper-V owns the virtualization extension of this host"),
            or_tcg(caps, "boot this host without Hyper-V"), g_strdup("/dev/mshv: is there"));
    return NULL;
}

/* The host has no extension to give. */
static NestGift *no_extension(const NestHostFacts *host, const NestBackendCaps *caps)
{
    const char *read = "/proc/cpuinfo: no vmx and no svm among the flags";
    if (host->firmware_locked)
        return answer(NEST_GIFT_NEVER,
            g_strdup("firmware has locked the virtualization extension of this host"),
            or_tcg(caps,
                "enable VT-x or AMD-V (SVM) in the firmware setup and switch the host off and on"),
            g_strdup(host->firmware_lock_read));
    if (g_strcmp0(host->kvm_module, "kvm_pvm") == 0)
        return answer(NEST_GIFT_NEVER,
            g_strdup("KVM is software (kvm_pvm) on this host: it has no extension to pass on"),
            or_tcg(caps, "use a host with VT-x or AMD-V"), g_strdup("/sys/module/kvm_pvm: loaded"));
    if (host->hypervisor)
        return answer(NEST_GIFT_NEVER,
            g_strdup_printf("this host is itself a VM, and its hypervisor%s%s does not pass VT-x "
                            "or AMD-V on",
                host->outer_hypervisor != NULL ? " " : "",
                host->outer_hypervisor != NULL ? host->outer_hypervisor : ""),
            or_tcg(caps, "enable nesting for this host one level up"), g_strdup(read));
    return answer(NEST_GIFT_NEVER, g_strdup("the CPU of this host shows neither VT-x nor AMD-V"),
        or_tcg(caps, "look whether firmware can enable it"), g_strdup(read));
}

char *nest_gift_nested_fix(const NestHostFacts *host)
{
    const char *module = host->kvm_module;
    return g_strdup_printf("stop every VM, then: nestctl host fix; by hand: modprobe -r %s && "
                           "modprobe %s nested=1, and to keep it \"options %s nested=1\" in "
                           "/etc/modprobe.d",
        module, module, module);
}

/* The CPU has the extension, KVM does not use it. */
static NestGift *no_hardware_kvm(const NestHostFacts *host)
{
    const char *module = nest_host_extension(host) == NEST_EXTENSION_VMX ? "kvm_intel" : "kvm_amd";
    if (g_strcmp0(host->kvm_module, module) != 0)
        return answer(NEST_GIFT_NOT_NOW,
            g_strdup_printf("the kernel module %s is not loaded", module),
            g_strdup_printf("nestctl host fix; by hand: modprobe %s", module),
            g_strdup_printf("/sys/module/%s: not there", module));
    gboolean taken = host->other_vms != NULL && host->other_vms[0] != NULL;
    return answer(NEST_GIFT_NOT_NOW,
        g_strdup_printf("/dev/kvm can't be used (%s)",
            host->kvm.error != NULL ? host->kvm.error : "no VM could be created"),
        taken ? g_strdup_printf("stop what else runs VMs here: %s", host->other_vms[0])
              : g_strdup_printf("load the module anew, modprobe %s, and see that nestd may open "
                                "/dev/kvm",
                    module),
        g_strdup_printf("/dev/kvm: %s", host->kvm.error));
}

NestGift *nest_gift_of_kvm(const NestHostFacts *host, const NestBackendCaps *caps)
{
    if (host == NULL || !host->cpuinfo_read)
        return answer(NEST_GIFT_UNKNOWN,
            g_strdup("what the CPU of this host can do could not be read"),
            g_strdup("see that nestd may read /proc/cpuinfo"),
            g_strdup_printf("/proc/cpuinfo: %s",
                host != NULL && host->cpuinfo_error != NULL ? host->cpuinfo_error : "not read"));
    NestExtension extension = nest_host_extension(host);
    NestGift *owned = owned_below(host, caps);
    if (owned != NULL)
        return owned;
    if (extension == NEST_EXTENSION_NONE)
        return no_extension(host, caps);
    if (!nest_host_hardware_kvm(host))
        return no_hardware_kvm(host);
    g_autofree char *read = g_strdup_printf("%s: %s", host->nested.path,
        host->nested.value != NULL ? host->nested.value : host->nested.error);
    if (host->nested.value == NULL)
        return answer(NEST_GIFT_UNKNOWN,
            g_strdup_printf("whether %s allows nesting could not be read", host->kvm_module),
            g_strdup_printf("see that nestd may read %s", host->nested.path),
            g_steal_pointer(&read));
    if (!nest_host_kvm_nests(host))
        return answer(NEST_GIFT_NOT_NOW,
            g_strdup_printf(
                "%s does not allow nesting (nested=%s)", host->kvm_module, host->nested.value),
            nest_gift_nested_fix(host), g_steal_pointer(&read));
    if (caps != NULL && caps->kvm_extension == NEST_EXTENSION_NONE)
        return answer(NEST_GIFT_NOT_NOW,
            g_strdup_printf("libvirt does not offer %s to VMs, though the kernel allows it",
                nest_gift_extension_text(extension)),
            g_strdup("look again in a minute: libvirt probes anew after a change; otherwise see "
                     "that QEMU may open /dev/kvm"),
            g_strdup("domain capabilities: no extension for KVM"));
    return answer(NEST_GIFT_YES, NULL, NULL, g_steal_pointer(&read));
}
