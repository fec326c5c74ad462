/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-domain-extras.h"
#include "nest-types.h"

/* Domain XML, pure: text in, text or facts out. Nothing here talks to libvirt.
 *
 * Every function bounds its input (NEST_DOMAIN_XML_MAX bytes, no DTD, no entities, no network) and
 * reports NEST_ERROR_INVALID_REQUEST for XML that is not a libvirt domain. */
#define NEST_DOMAIN_XML_MAX (8 * 1024 * 1024)

/* The policy attribute of a <feature> in <cpu>. */
typedef enum {
    NEST_POLICY_UNSET,
    NEST_POLICY_FORCE,
    NEST_POLICY_REQUIRE,
    NEST_POLICY_OPTIONAL,
    NEST_POLICY_DISABLE,
    NEST_POLICY_FORBID
} NestFeaturePolicy;

/* What a definition says, as far as nesting is concerned. */
typedef struct {
    char *uuid;
    char *name;
    char *type; /* "kvm", "qemu", … */
    NestAccel accel; /* kvm for "kvm", else tcg */
    char *arch;
    char *machine;
    guint vcpus; /* at most */
    guint64 memory_kib; /* at most, and at boot */
    guint64 current_memory_kib; /* what the balloon leaves; equal where memory is fixed */
    gboolean memory_divided; /* into NUMA cells, or with room for more: it has no one number */
    gboolean balloon; /* a balloon that can change memory at run time */
    char *cpu_mode; /* NULL: no <cpu>, the hypervisor's default */
    char *cpu_model;
    gboolean check_full;
    NestFeaturePolicy vmx;
    NestFeaturePolicy svm;
    gboolean cpu_override; /* <qemu:commandline> chooses the CPU: nothing of this is sure */
    char *console_log; /* the file that the first serial port is logged to */
    GPtrArray *interfaces; /* NestInterface */
    NestDomainExtras extras;
} NestDomain;

void nest_domain_free(NestDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestDomain, nest_domain_free)

NestDomain *nest_domain_read(const char *xml, GError **error);

/* How far domain exposes extension. Facts F1, F2, F12, F14, F16 of docs/facts.md: only
 * host-passthrough (KVM) or maximum (TCG) with check='full' and policy='require' is enforced. */
NestNesting nest_domain_nesting(const NestDomain *domain, NestExtension extension);

/* TRUE if memory can change while the VM runs: the balloon is there and current differs from the
 * maximum. */
gboolean nest_domain_memory_is_dynamic(const NestDomain *domain);

/* TRUE if filter (the name of an nwfilter) is one of libvirt's own that drop frames with a MAC
 * address other than the interface's. */
gboolean nest_filter_blocks_foreign_macs(const char *filter);

/* What shall become of a definition. A zeroed wish changes nothing. */
typedef struct {
    enum { NEST_WISH_KEEP, NEST_WISH_EXPOSE, NEST_WISH_HIDE } nesting;
    NestExtension extension; /* to expose; HIDE hides both */
    gboolean fix_memory; /* current = maximum, balloon model none */
    guint64 memory_kib; /* raise both to this; 0: leave */
    gboolean allow_macs; /* drop the filterrefs that block foreign MAC addresses */
    const char *const *filters; /* that block them too, beside libvirt's own; borrowed, nullable */
    gboolean open_ports; /* no port of an interface is isolated any more */
} NestDomainWish;

/* The definition as wished. Every byte that the wish does not name comes out as it went in:
 * unknown elements, comments, order, quotes, white space. A definition that already is as wished
 * comes out byte for byte, so editing twice is editing once.
 *
 * EXPOSE gives a VM of type kvm the CPU host-passthrough, one of type qemu the CPU maximum, with
 * check='full' and the extension required, and keeps topology, NUMA cells, cache and the other
 * features. HIDE keeps the CPU, disables both extensions and asks for no part of them any more
 * (with npt required but svm disabled, check='full' lets no VM start). Errors:
 * NEST_ERROR_UNSUPPORTED where the type or architecture has no such extension, NEST_ERROR_VM_UNFIT
 * where the definition stands in the way (NUMA cells and memory_kib, a CPU from
 * <qemu:commandline>). */
char *nest_domain_edit(const char *xml, const NestDomainWish *wish, GError **error);

/* The definition with so much memory now; with most, also at most, and at boot. What else it says
 * comes out as it went in. VM_UNFIT where NUMA cells or plugged memory stand in the way of most. */
char *nest_domain_set_memory(const char *xml, guint64 kib, gboolean most, GError **error);

/* TRUE if the definition is as wished; else error is NEST_ERROR_NOT_VERIFIED and says what is
 * not. For the read-back: libvirt may write the same thing in other words. */
gboolean nest_domain_satisfies(const char *xml, const NestDomainWish *wish, GError **error);

/* A hash (hex) of the definition, the same for every way libvirt prints the same definition: it
 * does not see order and quotes of attributes, order of controllers, white space between elements,
 * comments. What cannot be parsed has a hash too; NULL gives NULL. */
char *nest_domain_fingerprint(const char *xml);

/* TRUE if both have the same fingerprint. */
gboolean nest_domain_same(const char *a, const char *b);

/* The definition of a new VM. spec must have been checked. accel is KVM or TCG (never AUTO);
 * disk_path is the disk to attach or NULL; extension is what spec->nested shall expose. A
 * virtio serial port for the guest agent, a serial console on a pty, logged to console_log unless
 * that is NULL, and a balloon unless nested are included. Without spec->network there is no
 * interface. A disk boots before the ISO: a new, empty one falls through to it. Not nested means
 * that both extensions are disabled. */
typedef struct {
    const char *uuid;
    NestAccel accel;
    NestExtension extension;
    const char *disk_path;
    const char *disk_format;
    const char *console_log;
} NestNewDomain;
char *nest_domain_new_xml(const NestVmSpec *spec, const NestNewDomain *chosen);

/* The definition of a transient VM that boots the file kernel, writes its serial port to the file
 * console, and has nothing else. It ends where its guest resets or turns it off. accel, extension
 * and like as in NestBoot. Errors: as nest_domain_likeness(), and only with like. */
typedef struct {
    const char *name;
    NestAccel accel;
    NestExtension extension;
    const char *kernel;
    const char *cmdline;
    const char *console;
    const char *like; /* NULL: as a VM that nests */
    gboolean brief; /* libvirt is to read the CPU that QEMU gives in two questions, not in one for
                     * each of its 400 properties; it knows less of QEMU's then */
    const char *firmware; /* a file; NULL: what QEMU brings for the machine */
} NestBootDomain;
char *nest_domain_boot_xml(const NestBootDomain *boot, GError **error);
