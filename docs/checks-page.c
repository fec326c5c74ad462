/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the man page nestd-checks(7), for scdoc, of the table of checks. */
#include "nest-check-catalogue.h"
#include "nest-record.h"
#include <stdio.h>

/* A line of text stays one: "++" breaks it. */
static void print_safely(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            printf("++\n\t");
            continue;
        }
        if (*text == '*' || *text == '_' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
}

static void print_head(void)
{
    puts("nestd-checks(7)\n\n"
         "# NAME\n\nnestd-checks - what nestd checks, why, and what to do\n\n"
         "# DESCRIPTION\n\n"
         "Each check passes, informs, does not apply, is unknown, warns or fails. What could not "
         "be read is unknown, and never counts as passed. The host or a virtual machine (VM) "
         "supports nested virtualization where no check failed, and none that is needed for that "
         "is unknown.\n\n"
         "*nestctl check* runs them, *nestctl explain* shows what is written here. After the name "
         "of each check comes the worst that it says.\n");
}

static void print_check(const NestCheckInfo *info)
{
    const char *const parts[] = {info->meaning, info->why, info->fix};
    printf("*%s* (%s)\n\t", info->id, nest_nick(nest_verdict_nicks, info->level));
    print_safely(info->scope == NEST_SCOPE_GUARD ? "Guards " : "Passes where ");
    print_safely(info->title);
    puts(".\n");
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        putchar('\t');
        print_safely(parts[i]);
        puts("\n");
    }
    printf("\tSource: ");
    print_safely(info->source);
    puts(".\n");
}

static const char guards[] =
    "What nesting forbids, and when. A VM is _alone_ where it has no virtualization extension, "
    "_exposed_ where it has one, _armed_ once a hypervisor in it has switched that on, and "
    "_hosting_ while an inner VM runs; what can't be found out counts as hosting. Nothing of this "
    "limits inner VMs themselves.\n\n"
    "What is refused can be forced, unless it says otherwise: with *--force*, with a *--reason* "
    "that is kept, and with the right *admin*. Where kernel or QEMU of the host can't carry nested "
    "state from one place to another, *parity=kvm* allows no more than *hyperv*.\n";

int main(void)
{
    static const char *const heads[] = {[NEST_SCOPE_HOST] = "CHECKS OF THE HOST",
        [NEST_SCOPE_VM] = "CHECKS OF A VM",
        [NEST_SCOPE_NET] = "CHECKS OF THE NETWORK OF A VM",
        [NEST_SCOPE_GUEST] = "CHECKS INSIDE THE GUEST OF A VM",
        [NEST_SCOPE_GUARD] = "GUARDS"};
    g_autoptr(GPtrArray) catalogue = nest_check_catalogue();
    print_head();
    for (guint scope = 0; scope < G_N_ELEMENTS(heads); scope++) {
        printf("# %s\n\n", heads[scope]);
        if (scope == NEST_SCOPE_GUARD)
            puts(guards);
        for (guint i = 0; i < catalogue->len; i++) {
            const NestCheckInfo *info = g_ptr_array_index(catalogue, i);
            if (info->scope == scope)
                print_check(info);
        }
    }
    puts("# SEE ALSO\n\n*nestctl*(1), *nestd*(8)");
    return fflush(stdout) == 0 ? 0 : 1;
}
