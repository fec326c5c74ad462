/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-inner-probe.h"

/* How the hypervisors that may be inside a VM are asked to do things: one row each, in its own
 * file. All of it is pure; nest-inner.h carries it out.
 *
 * No name and no path ever gets into a program's text: they are arguments of their own. */

typedef struct {
    char **words; /* the program and its arguments */
    char *input; /* for its standard input, NULL none */
} NestInnerCommand;
void nest_inner_command_clear(NestInnerCommand *command);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestInnerCommand, nest_inner_command_clear)

typedef struct NestInnerWay NestInnerWay;

struct NestInnerWay {
    const char *id;
    const char *tool; /* what nest-inner-probe.h finds where it is there; NULL: of Windows */
    void (*list)(NestInnerCommand *ret_command); /* NULL: the probe has */
    /* Adds NestInnerVm to vms. */
    gboolean (*read)(const GString *text, GPtrArray *vms, GError **error);
    /* UNSUPPORTED: such a one it can't make; INVALID_REQUEST: it takes no such name or file. */
    gboolean (*create)(const NestInnerSpec *spec, const NestInnerProbe *probe,
        NestInnerCommand *ret_command, GError **error);
    void (*start)(const NestInnerVm *vm, NestInnerCommand *ret_command);
    /* Asks what runs in it to shut down, and may wait for so many seconds until it has. */
    void (*shut_down)(const NestInnerVm *vm, guint seconds, NestInnerCommand *ret_command);
    void (*stop)(const NestInnerVm *vm, NestInnerCommand *ret_command); /* at once */
    /* Of one that is off, with the disk that create made for it. */
    void (*remove)(const NestInnerVm *vm, NestInnerCommand *ret_command);
    /* What prints the end of its console, given what definition (NULL: nothing) printed. FALSE: it
     * has none. */
    void (*definition)(const NestInnerVm *vm, NestInnerCommand *ret_command);
    gboolean (*console)(
        const NestInnerVm *vm, const GString *definition, NestInnerCommand *ret_command);
};

extern const NestInnerWay nest_inner_libvirt, nest_inner_incus, nest_inner_lxd, nest_inner_proxmox,
    nest_inner_qemu, nest_inner_hyperv;

/* In the order in which they are preferred, up to NULL. */
extern const NestInnerWay *const nest_inner_ways[];
const NestInnerWay *nest_inner_way_find(const char *id);

/* For the rows. words up to NULL; copied. */
void nest_inner_command_set(NestInnerCommand *command, ...) G_GNUC_NULL_TERMINATED;
/* An option and its value. */
void nest_inner_words_add(GStrvBuilder *words, const char *option, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* A console of a file of the guest. */
void nest_inner_command_tail(NestInnerCommand *command, const char *path);
/* Of text, which is JSON, or what JSON there is of another shape: error is GUEST_AGENT. */
gpointer nest_inner_way_decode(const NestRecord *record, const char *text, GError **error);
/* What a guest said, cut to a name's length and made UTF-8. */
char *nest_inner_way_text(const char *said);
/* name: as said. by: one of nestd's own words. */
NestInnerVm *nest_inner_vm_new(const char *name, const char *by);

#define NEST_INNER_CONSOLE_MAX "65536" /* bytes */
