/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-inner-way.h"
#include <string.h>

/* A guest that has QEMU and nothing that manages it: nestd keeps each VM in a folder of its own,
 * with the command line that runs it, its process' number, its console and its disk. A VM is there
 * once the file argv is, and runs while a process has its pidfile: what a crash leaves half done is
 * neither. */

#define FOLDER NEST_INNER_FOLDER

/* A comma in the value of a list is written twice. */
static char *escape(const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);
    return g_strjoinv(",,", parts);
}

static void add_drive(GStrvBuilder *words, const char *path, const char *more)
{
    g_autofree char *file = escape(path);
    nest_inner_words_add(words, "-drive", "file=%s,%s", file, more);
}

static void add_disks(GStrvBuilder *words, const NestInnerSpec *spec)
{
    g_autofree char *more = g_strdup_printf("if=virtio,format=%s",
        spec->disk_bytes > 0 || spec->disk_format == NULL ? "qcow2" : spec->disk_format);
    g_autofree char *own = g_strdup_printf(FOLDER "/%s/disk.qcow2", spec->name);
    if (spec->disk_bytes > 0 || spec->disk != NULL)
        add_drive(words, spec->disk_bytes > 0 ? own : spec->disk, more);
    if (spec->iso != NULL)
        add_drive(words, spec->iso, "media=cdrom,format=raw,readonly=on");
}

/* Without a boot ROM: nothing boots from these networks. */
static void add_network(GStrvBuilder *words, const char *network)
{
    const char *bridge = network != NULL && g_str_has_prefix(network, "bridge=") ? network : NULL;
    if (g_strcmp0(network, "none") == 0)
        return;
    g_autofree char *name = bridge != NULL ? escape(bridge + strlen("bridge=")) : NULL;
    if (name != NULL)
        nest_inner_words_add(words, "-netdev", "bridge,id=net0,br=%s", name);
    else
        nest_inner_words_add(words, "-netdev", "user,id=net0");
    nest_inner_words_add(words, "-device", "virtio-net-pci,netdev=net0,romfile=");
}

static void add_boot(GStrvBuilder *words, const NestInnerSpec *spec)
{
    if (spec->kernel != NULL)
        nest_inner_words_add(words, "-kernel", "%s", spec->kernel);
    if (spec->kernel != NULL && spec->initrd != NULL)
        nest_inner_words_add(words, "-initrd", "%s", spec->initrd);
    if (spec->kernel != NULL && spec->cmdline != NULL)
        nest_inner_words_add(words, "-append", "%s", spec->cmdline);
}

/* Nested once, as what create gives otherwise: the VM can't nest in turn. */
static void add_machine(GStrvBuilder *words, const NestInnerSpec *spec, gboolean kvm)
{
    nest_inner_words_add(words, "-name", "guest=%s", spec->name);
    g_strv_builder_add_many(words, "-nodefaults", "-no-user-config", NULL);
    nest_inner_words_add(words, "-display", "none");
    nest_inner_words_add(words, "-machine", "q35,accel=%s", kvm ? "kvm" : "tcg");
    nest_inner_words_add(words, "-cpu", "%s,vmx=off,svm=off", kvm ? "host" : "max");
    nest_inner_words_add(words, "-m", "%" G_GUINT64_FORMAT "k", spec->memory_kib);
    nest_inner_words_add(words, "-smp", "%u", MAX(spec->vcpus, 1));
}

static void add_words(GStrvBuilder *words, const NestInnerSpec *spec, const NestInnerProbe *probe)
{
    gboolean kvm = spec->accel == NEST_ACCEL_KVM || (spec->accel == NEST_ACCEL_AUTO && probe->kvm);
    g_strv_builder_add(words, probe->qemu != NULL ? probe->qemu : "qemu-system-x86_64");
    add_machine(words, spec, kvm);
    add_disks(words, spec);
    add_boot(words, spec);
    add_network(words, spec->network);
    nest_inner_words_add(words, "-serial", "file:" FOLDER "/%s/console.log", spec->name);
    nest_inner_words_add(
        words, "-chardev", "pipe,id=monitor,path=" FOLDER "/%s/monitor", spec->name);
    nest_inner_words_add(words, "-mon", "chardev=monitor,mode=control");
    nest_inner_words_add(words, "-pidfile", FOLDER "/%s/pid", spec->name);
    g_strv_builder_add(words, "-daemonize");
}

/* 1: the folder, 2: the size of a new disk or 0, then the command line. A folder without argv is
 * what a crash left. */
static const char create_script[] =
    "d=$1 s=$2; shift 2; umask 077\n"
    "[ ! -e \"$d/argv\" ] || { echo \"$d is there already\" >&2; exit 1; }\n"
    "rm -rf \"$d\"; mkdir -p \"$d\" || exit 1\n"
    "mkfifo \"$d/monitor.in\" \"$d/monitor.out\" &&\n"
    "    { [ \"$s\" = 0 ] || qemu-img create -q -f qcow2 \"$d/disk.qcow2\" \"$s\" >&2; } &&\n"
    "    printf '%s\\0' \"$@\" >\"$d/argv.new\" && sync &&\n"
    "    mv \"$d/argv.new\" \"$d/argv\" && exit 0\n"
    "rm -rf \"$d\"\n"
    "exit 1\n";

static gboolean create(const NestInnerSpec *spec, const NestInnerProbe *probe,
    NestInnerCommand *ret_command, GError **error)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *folder = g_strdup_printf(FOLDER "/%s", spec->name);
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, spec->disk_bytes);
    g_strv_builder_add_many(words, "/bin/sh", "-c", create_script, "sh", folder, size, NULL);
    add_words(words, spec, probe);
    ret_command->words = g_strv_builder_end(words);
    return TRUE;
}

/* In a scope of its own where systemd is, so that it outlives a restart of the agent. */
static const char start_script[] =
    "cd / && s=; [ -d /run/systemd/system ] && command -v systemd-run >/dev/null &&\n"
    "    s='systemd-run --quiet --collect --scope'\n"
    "exec xargs -0 $s env <\"$1/argv\"\n";

/* Only the process whose command line names the pidfile is the VM. */
#define IS_IT \
    "{ read -r p <\"$1/pid\"; } 2>/dev/null\n" \
    "is_it() { tr '\\0' '\\n' 2>/dev/null <\"/proc/$p/cmdline\" | grep -qxF \"$1/pid\"; }\n"

static const char stop_script[] =
    IS_IT "for s in TERM KILL; do\n"
          "    is_it \"$1\" || exit 0\n"
          "    kill -s $s \"$p\"\n"
          "    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
          "        is_it \"$1\" || exit 0\n"
          "        sleep 0.1 2>/dev/null || sleep 1\n"
          "    done\n"
          "done\n"
          "echo 'it can not be killed' >&2; exit 1\n";

/* Opened for both, a pipe that nobody reads does not hold the shell up. */
static const char shut_down_script[] = IS_IT
    "is_it \"$1\" || exit 0\n"
    "[ -p \"$1/monitor.in\" ] || { echo 'it was made without a monitor to ask it' >&2; exit 1; }\n"
    "printf '%s\\n' '{\"execute\":\"qmp_capabilities\"}' '{\"execute\":\"system_powerdown\"}' \\\n"
    "    1<>\"$1/monitor.in\"\n";

static void set_script(NestInnerCommand *command, const char *script, const char *name)
{
    g_autofree char *folder = g_strdup_printf(FOLDER "/%s", name);
    nest_inner_command_set(command, "/bin/sh", "-c", script, "sh", folder, NULL);
}

static void start(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    set_script(ret_command, start_script, vm->name);
}

static void shut_down(const NestInnerVm *vm, guint seconds, NestInnerCommand *ret_command)
{
    set_script(ret_command, shut_down_script, vm->name);
}

static void stop(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    set_script(ret_command, stop_script, vm->name);
}

/* Without argv it is not there any more. */
static const char remove_script[] = IS_IT "! is_it \"$1\" || { echo 'it runs' >&2; exit 1; }\n"
                                          "rm -f \"$1/argv\" && rm -rf \"$1\"\n";

static void take_away(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    set_script(ret_command, remove_script, vm->name);
}

static gboolean console(
    const NestInnerVm *vm, const GString *definition, NestInnerCommand *ret_command)
{
    g_autofree char *path = g_strdup_printf(FOLDER "/%s/console.log", vm->name);
    nest_inner_command_tail(ret_command, path);
    return TRUE;
}

/* What is kept comes from the probe. */
const NestInnerWay nest_inner_qemu = {
    "qemu", "qemu", NULL, NULL, create, start, shut_down, stop, take_away, NULL, console};
