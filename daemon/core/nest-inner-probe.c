/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-inner-probe.h"
#include "nest-error.h"
#include "nest-inner-way.h"
#include "nest-name.h"
#include "nest-qemu-words.h"
#include <string.h>

#define LINES_MAX 20000
#define PID_DIGITS_MAX 10

/* Command lines are told in hexadecimal, for they may hold anything. A kernel thread has none. */
static const char script[] =
    "hex() { head -c 65536 | od -An -v -tx1 | tr -d ' \\n'; echo; }\n"
    "echo nestd-inner\n"
    "for t in virsh incus lxc; do command -v $t >/dev/null && echo \"tool $t\"; done\n"
    "[ -d /etc/pve ] && command -v pvesh >/dev/null && echo 'tool pvesh'\n"
    "for t in \"qemu-system-$(uname -m)\" qemu-kvm /usr/libexec/qemu-kvm kvm; do\n"
    "    command -v \"$t\" >/dev/null && echo \"qemu $t\" && break\n"
    "done\n"
    "[ -w /dev/kvm ] && echo kvm\n"
    "for d in " NEST_INNER_FOLDER "/*/; do\n"
    "    [ -f \"$d/argv\" ] || continue\n"
    "    d=${d%/}; printf 'kept %s ' \"${d##*/}\"; hex <\"$d/argv\"\n"
    "done\n"
    "for p in /proc/[0-9]*; do\n"
    "    read -r c 2>/dev/null <\"$p/comm\" || continue\n"
    "    case $c in\n"
    "        qemu-system*|qemu-kvm|kvm) k=qemu ;;\n"
    "        cloud-hyperviso*|firecracker|VBoxHeadless|vmware-vmx) k=$c ;;\n"
    "        *) continue ;;\n"
    "    esac\n"
    "    printf 'process %s %s ' \"${p#/proc/}\" $k; hex 2>/dev/null <\"$p/cmdline\"\n"
    "done\n"
    "exit 0\n";
const char *const nest_inner_probe_words[] = {"/bin/sh", "-c", script, NULL};

void nest_inner_probe_free(NestInnerProbe *probe)
{
    if (probe == NULL)
        return;
    g_strfreev(probe->tools);
    g_free(probe->qemu);
    g_clear_pointer(&probe->kept, g_ptr_array_unref);
    g_clear_pointer(&probe->processes, g_ptr_array_unref);
    g_free(probe);
}

gboolean nest_inner_probe_has(const NestInnerProbe *probe, const char *tool)
{
    return g_strv_contains((const char *const *)probe->tools, tool);
}

/* What was told in hexadecimal, each word ended by a zero. NULL: it is no such text, or nothing. */
static char **read_words(const char *hex)
{
    gsize length = strlen(hex) / 2;
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autoptr(GString) word = g_string_new(NULL);
    if (length == 0 || strspn(hex, "0123456789abcdef") != 2 * length || hex[2 * length] != '\0')
        return NULL;
    for (gsize i = 0; i < length; i++) {
        int c = g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]);
        if (c != 0) {
            g_string_append_c(word, (char)c);
            continue;
        }
        g_strv_builder_add(words, word->str);
        g_string_truncate(word, 0);
    }
    return g_strv_builder_end(words);
}

static NestInnerVm *new_vm(const char *name, const char *by, const NestQemuWords *said)
{
    NestInnerVm *vm = nest_inner_vm_new(name, by);
    vm->memory_kib = said->memory_kib;
    vm->vcpus = said->vcpus;
    return vm;
}

/* NAME HEX */
static void add_kept(NestInnerProbe *probe, const char *rest)
{
    g_auto(GStrv) parts = g_strsplit(rest, " ", 2);
    g_auto(NestQemuWords) said = {0};
    if (probe->kept->len == NEST_INNER_MAX || g_strv_length(parts) != 2 ||
        !nest_name_check(parts[0], "virtual machine", NULL))
        return;
    g_auto(GStrv) words = read_words(parts[1]);
    if (words == NULL)
        return;
    nest_qemu_words_read(words, &said);
    NestInnerVm *vm = new_vm(parts[0], nest_inner_qemu.id, &said);
    vm->state = NEST_VM_OFF;
    g_ptr_array_add(probe->kept, vm);
}

/* TRUE: the process runs a VM that is kept, which its pidfile tells. */
static gboolean is_kept(NestInnerProbe *probe, const char *pidfile)
{
    gsize before = strlen(NEST_INNER_FOLDER "/");
    if (pidfile == NULL || !g_str_has_prefix(pidfile, NEST_INNER_FOLDER "/") ||
        !g_str_has_suffix(pidfile + before, "/pid"))
        return FALSE;
    gsize length = strlen(pidfile + before) - strlen("/pid");
    for (guint i = 0; i < probe->kept->len; i++) {
        NestInnerVm *vm = g_ptr_array_index(probe->kept, i);
        if (strncmp(vm->name, pidfile + before, length) != 0 || vm->name[length] != '\0')
            continue;
        vm->state = NEST_VM_RUNNING;
        return TRUE;
    }
    return FALSE;
}

/* The script says no other ones, but it is the guest that says so. */
static gboolean is_process(const char *pid, const char *kind)
{
    static const char *const kinds[] = {
        "qemu", "cloud-hyperviso", "firecracker", "VBoxHeadless", "vmware-vmx", NULL};
    gsize length = strlen(pid);
    return length > 0 && length <= PID_DIGITS_MAX && strspn(pid, "0123456789") == length &&
        g_strv_contains(kinds, kind);
}

/* PID KIND HEX */
static void add_process(NestInnerProbe *probe, const char *rest)
{
    g_auto(GStrv) parts = g_strsplit(rest, " ", 3);
    g_auto(NestQemuWords) said = {0};
    if (g_strv_length(parts) != 3 || !is_process(parts[0], parts[1]))
        return;
    g_auto(GStrv) words = read_words(parts[2]);
    if (words == NULL)
        return;
    gboolean qemu = strcmp(parts[1], "qemu") == 0;
    if (qemu)
        nest_qemu_words_read(words, &said);
    if (is_kept(probe, said.pidfile))
        return;
    g_autofree char *number = g_strdup_printf("process %s", parts[0]);
    NestInnerVm *vm = new_vm(said.name != NULL ? said.name : number, parts[1], &said);
    vm->id = g_steal_pointer(&number);
    vm->state = NEST_VM_RUNNING;
    vm->managed = FALSE;
    g_ptr_array_add(probe->processes, vm);
}

static NestInnerProbe *probe_new(void)
{
    NestInnerProbe *probe = g_new0(NestInnerProbe, 1);
    probe->kept = g_ptr_array_new_with_free_func((GDestroyNotify)nest_inner_vm_free);
    probe->processes = g_ptr_array_new_with_free_func((GDestroyNotify)nest_inner_vm_free);
    return probe;
}

static void read_line(NestInnerProbe *probe, const char *line, GStrvBuilder *tools)
{
    const char *rest = strchr(line, ' ');
    rest = rest != NULL ? rest + 1 : "";
    if (strcmp(line, "kvm") == 0) {
        probe->kvm = TRUE;
    } else if (g_str_has_prefix(line, "tool ")) {
        g_strv_builder_add(tools, rest);
    } else if (g_str_has_prefix(line, "qemu ") && probe->qemu == NULL) {
        probe->qemu = g_utf8_make_valid(rest, -1);
        g_strv_builder_add(tools, "qemu");
    } else if (g_str_has_prefix(line, "kept ")) {
        add_kept(probe, rest);
    } else if (g_str_has_prefix(line, "process ")) {
        add_process(probe, rest);
    }
}

NestInnerProbe *nest_inner_probe_read(const GString *text, GError **error)
{
    g_autoptr(NestInnerProbe) probe = probe_new();
    g_autoptr(GStrvBuilder) tools = g_strv_builder_new();
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", LINES_MAX);
    if (g_strcmp0(lines[0], "nestd-inner") != 0) {
        nest_set_error(error, NEST_ERROR_GUEST_AGENT, NULL,
            "what the guest says of its hypervisors can't be understood");
        return NULL;
    }
    for (guint i = 1; lines[i] != NULL; i++)
        read_line(probe, lines[i], tools);
    probe->tools = g_strv_builder_end(tools);
    return g_steal_pointer(&probe);
}
