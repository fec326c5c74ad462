/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-tuning.h"
#include "nest-types.h"

/* What the host's hardware and kernel can do, read below a root directory ("/" for the running
 * host) and, where reading proves nothing, tried. */

typedef struct {
    gboolean present; /* the device node exists */
    gboolean opened;
    int api_version; /* KVM_GET_API_VERSION, -1 where it could not be asked */
    gboolean vm_created;
    /* What KVM_CHECK_EXTENSION says, -1 unknown. */
    int nested_state; /* KVM_CAP_NESTED_STATE */
    int exception_payload; /* KVM_CAP_EXCEPTION_PAYLOAD */
    int binary_stats; /* KVM_CAP_BINARY_STATS_FD */
    int evmcs; /* KVM_CAP_HYPERV_ENLIGHTENED_VMCS */
    char *access; /* of the device: mode, user and group, "0660 0 104"; NULL: not known */
    gint64 group; /* the group kvm, -1: there is none */
    char *error; /* why it is not usable, NULL where it is */
} NestKvmFacts;

typedef struct {
    char *hostname;
    char *arch;
    char *kernel; /* release */
    char *kernel_build; /* uname -v: distributions rebuild a kernel under the same release */
    char *os;
    char *manufacturer, *model; /* DMI */
    char *cpu_vendor, *cpu_model;
    guint cpus;
    gboolean cpuinfo_read; /* FALSE: nothing below about the CPU is known */
    char *cpuinfo_error; /* why not */
    gboolean vmx, svm, ept, npt, hypervisor;
    gboolean tsx; /* rtm or hle */
    gboolean md_clear, flush_l1d; /* ways to flush what a CPU may leak; guests use them too */
    char *outer_hypervisor; /* "KVM", "Hyper-V", "VMware", "Xen", … NULL where none or unknown */
    gboolean firmware_locked, firmware_lock_known;
    char *firmware_lock_read; /* what was read and where, or why it could not be */
    char *kvm_module; /* "kvm_intel", "kvm_amd", "kvm_pvm" or NULL */
    NestFact nested; /* the module's parameter */
    NestFact slat_parameter; /* ept / npt parameter */
    NestKvmFacts kvm;
    gboolean xen_control; /* dom0 */
    char *xen_error; /* it runs on Xen, and whether it controls it could not be read */
    gboolean mshv; /* Hyper-V root partition */
    GStrv other_modules; /* loaded modules that take the extension: "vboxdrv", "vmmon" */
    NestHostTuning tuning;
    GStrv other_vms; /* processes that run VMs on them: "VBoxHeadless", "vmware-vmx" */
} NestHostFacts;

/* Never fails: what could not be read is NULL, FALSE or says why. Below a root other than "/" only
 * files count, so that a recorded host gives the same facts everywhere: a regular file dev/kvm is
 * the record of a try (nest-kvm-try.h), CPUID is not asked. Blocks for some milliseconds. */
NestHostFacts *nest_host_probe(const char *root);

/* Only kernel, CPU, kvm_module and its parameters of them: what nesting depends on. Tries nothing.
 */
NestHostFacts *nest_host_probe_nesting(const char *root);
void nest_host_facts_free(NestHostFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostFacts, nest_host_facts_free)

/* The extension the CPU has and the kernel shows; NONE where it has none or it is locked. */
NestExtension nest_host_extension(const NestHostFacts *facts);

/* TRUE if a KVM VM on this host can be given the extension: hardware KVM, usable, nested on. */
gboolean nest_host_kvm_nests(const NestHostFacts *facts);

/* TRUE if /dev/kvm works and is backed by VT-x or AMD-V, not by software. */
gboolean nest_host_hardware_kvm(const NestHostFacts *facts);

/* TRUE if EPT or NPT is there and the KVM module uses it. */
gboolean nest_host_slat(const NestHostFacts *facts);

/* TRUE if the KVM module says that it allows nesting: Y (Intel) or 1 (AMD). */
gboolean nest_host_nested(const NestHostFacts *facts);
