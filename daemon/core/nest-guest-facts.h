/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* What a guest said of itself through its agent. Zeroed, nothing of it is read. */

typedef enum {
    NEST_AGENT_ANSWERS,
    NEST_AGENT_ABSENT, /* nobody has opened the channel in the guest */
    NEST_AGENT_UNSYNCED, /* it did not answer to being called at all, in time */
    NEST_AGENT_FAILED /* it answered, and then a command failed or took too long */
} NestAgentState;

typedef enum {
    NEST_GUEST_UNREAD,
    NEST_GUEST_LINUX,
    NEST_GUEST_WINDOWS,
    NEST_GUEST_OTHER
} NestGuestKind;

typedef enum {
    NEST_GUEST_MODULE_UNREAD,
    NEST_GUEST_MODULE_LOADED,
    NEST_GUEST_MODULE_REFUSED, /* "disabled by bios", "not supported by CPU" */
    NEST_GUEST_MODULE_ABSENT, /* the kernel came without it */
    NEST_GUEST_MODULE_IDLE /* it is there, and nothing has loaded it */
} NestGuestModule;

typedef enum {
    NEST_GUEST_DEVICE_UNREAD,
    NEST_GUEST_DEVICE_USABLE,
    NEST_GUEST_DEVICE_DENIED,
    NEST_GUEST_DEVICE_ABSENT
} NestGuestDevice;

typedef struct {
    NestAgentState agent;
    char *agent_error; /* where it does not answer */
    NestAnswer exec; /* guest-exec is allowed */
    char *exec_setting; /* the line that forbids it, where it is known */
    NestGuestKind kind;
    char *os; /* its name, for people */
    NestAnswer reboot_pending;
    NestAnswer blank_password; /* the administrator has one */
    guint64 memory_kib; /* available, 0: not read */
    guint64 disk_kib; /* free where images are kept, 0: not read */
    /* Linux */
    NestAnswer cpu_flag; /* vmx or svm in /proc/cpuinfo */
    NestGuestModule module; /* kvm_intel or kvm_amd */
    NestGuestDevice kvm; /* /dev/kvm, for those who run VMs */
    GStrv validate; /* what virt-host-validate fails or warns of; NULL: not read */
    GStrv tcg_domains; /* inner VMs of type qemu; NULL: not read */
    NestAnswer libvirt; /* is there */
    NestAnswer default_net; /* the network default is active */
    char *nested; /* the parameter of the module, NULL: not read */
    /* Windows */
    guint build; /* 0: not read */
    char *edition; /* EditionID */
    NestAnswer hyperv; /* the feature Microsoft-Hyper-V */
    NestAnswer platform; /* the feature VirtualMachinePlatform */
    NestAnswer wsl; /* version 2 is in use */
    NestAnswer hypervisor; /* HypervisorPresent */
    NestAnswer own_hypervisor; /* … and it is Windows' own: hvloader noted its start */
    char *launch_type; /* hypervisorlaunchtype */
    NestAnswer nested_refused; /* OFFERNESTEDVIRT=FALSE */
    NestAnswer vbs; /* virtualization-based security runs */
    NestAnswer secure_boot;
    NestAnswer event_124; /* after the last boot: VBS could not be switched off or on */
    NestAnswer vid; /* the Virtualization Infrastructure Driver works */
    guint inner_vms; /* that run, 0 also where that was not read */
} NestGuestFacts;

void nest_guest_facts_free(NestGuestFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestGuestFacts, nest_guest_facts_free)
