/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent-shape.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-inner-way.h"
#include <string.h>

/* Hyper-V in a Windows guest, over PowerShell. What a script is to work on comes as JSON in base64,
 * so that nothing of it can be taken for a part of the script. */

#define RUN "powershell.exe", "-NoProfile", "-NonInteractive", "-OutputFormat", "Text"
#define FRAME \
    "$ErrorActionPreference='Stop'; $ProgressPreference='SilentlyContinue'\n" \
    "[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false\n" \
    "$a=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('%s'))|ConvertFrom-Json\n" \
    "try {\n%s\n} catch { [Console]::Error.WriteLine($_.Exception.Message); exit 1 }\n"

#define FOLDER \
    "$f=Join-Path (Get-VMHost).VirtualHardDiskPath 'nestd'\n" /* what is there is nestd's */

/* PowerShell's own form of a script as one word: base64 of UTF-16. */
static void set_script(NestInnerCommand *command, const char *script, const char *json)
{
    glong length = 0;
    g_autofree char *arguments = g_base64_encode((const guchar *)json, strlen(json));
    g_autofree char *text = g_strdup_printf(FRAME, arguments, script);
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &length, NULL);
    g_autofree char *word = g_base64_encode((const guchar *)wide, (gsize)length * sizeof *wide);
    nest_inner_command_set(command, RUN, "-EncodedCommand", word, NULL);
}

typedef struct {
    char *name, *id, *state;
    guint64 memory;
    guint vcpus;
} Vm;
static const NestField vm_fields[] = {
    ROW(Vm, name, "name", STRING, REQUIRED, NULL),
    ROW(Vm, id, "id", STRING, REQUIRED, NULL),
    ROW(Vm, state, "state", STRING, REQUIRED, NULL),
    ROW(Vm, memory, "memory", UINT64, REQUIRED, NULL),
    ROW(Vm, vcpus, "vcpus", UINT, REQUIRED, NULL),
};
SHAPE(vm, Vm, "virtual machine");

typedef struct {
    gboolean absent;
    GPtrArray *vms;
} Vms;
static const NestField vms_fields[] = {
    ROW(Vms, absent, "absent", BOOL, OPTIONAL, NULL),
    ROW(Vms, vms, "vms", RECORDS, OPTIONAL, &vm_record),
};
SHAPE(vms, Vms, "list");

static void list(NestInnerCommand *ret_command)
{
    static const char script[] =
        "if (-not (Get-Command Get-VM -ErrorAction SilentlyContinue)) {\n"
        "  '{\"absent\":true}'; exit 0 }\n"
        "$v=@(Get-VM | ForEach-Object { @{ name=$_.Name; id=\"$($_.Id)\"; state=\"$($_.State)\";\n"
        "  memory=[Math]::Max([long]$_.MemoryStartup,[long]$_.MemoryAssigned);\n"
        "  vcpus=[int]$_.ProcessorCount } })\n"
        "ConvertTo-Json -Compress -Depth 3 @{ vms=$v }";
    set_script(ret_command, script, "{}");
}

/* "RunningCritical" and its like: the disks can't be reached. */
static NestVmState read_state(const char *state)
{
    static const struct {
        const char *start;
        NestVmState state;
    } rows[] = {{"Running", NEST_VM_RUNNING}, {"Starting", NEST_VM_RUNNING}, {"Off", NEST_VM_OFF},
        {"Saved", NEST_VM_SAVED}, {"FastSaved", NEST_VM_SAVED}, {"Paus", NEST_VM_PAUSED},
        {"Stopping", NEST_VM_SHUTTING_DOWN}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_has_prefix(state, rows[i].start))
            return rows[i].state;
    return NEST_VM_UNKNOWN;
}

static gboolean read_list(const GString *text, GPtrArray *vms, GError **error)
{
    Vms *found = nest_inner_way_decode(&vms_record, text->str, error);
    if (found == NULL)
        return FALSE;
    gboolean absent = found->absent;
    for (guint i = 0; i < found->vms->len; i++) {
        const Vm *one = g_ptr_array_index(found->vms, i);
        NestInnerVm *vm = nest_inner_vm_new(one->name, nest_inner_hyperv.id);
        vm->id = nest_inner_way_text(one->id);
        vm->state = read_state(one->state);
        vm->memory_kib = one->memory >> 10;
        vm->vcpus = one->vcpus;
        g_ptr_array_add(vms, vm);
    }
    nest_record_free(&vms_record, found);
    if (absent)
        nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL, "Hyper-V is not installed");
    return !absent;
}

static gboolean refuse(const char *what, GError **error)
{
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL, "Hyper-V has no %s", what);
    return FALSE;
}

static gboolean create(const NestInnerSpec *spec, const NestInnerProbe *probe,
    NestInnerCommand *ret_command, GError **error)
{
    static const char script[] = FOLDER
        "$p=@{Name=$a.name;MemoryStartupBytes=1024*[long]$a.memory_kib;Generation=2}\n"
        "if ($a.disk_bytes -gt 0) {\n"
        "  New-Item -ItemType Directory -Force $f | Out-Null\n"
        "  $p.NewVHDPath=Join-Path $f ($a.name+'.vhdx')\n"
        "  $p.NewVHDSizeBytes=[long]$a.disk_bytes\n"
        "} elseif ($a.disk) { $p.VHDPath=$a.disk } else { $p.NoVHD=$true }\n"
        "if ($a.network -like 'network=*') { $p.SwitchName=$a.network.Substring(8) }\n"
        "$v=New-VM @p\n"
        "try {\n"
        "  Set-VM -VM $v -StaticMemory -ProcessorCount ([Math]::Max(1,[int]$a.vcpus))\n"
        "  if ($a.iso) { Set-VMFirmware -VM $v -FirstBootDevice (\n"
        "    Add-VMDvdDrive -VM $v -Path $a.iso -Passthru) }\n"
        "} catch {\n"
        "  Remove-VM -VM $v -Force; if ($p.NewVHDPath) { Remove-Item $p.NewVHDPath }; throw }";
    if (spec->kernel != NULL)
        return refuse("direct boot of a kernel: give it --iso or --disk", error);
    if (spec->network != NULL && g_str_has_prefix(spec->network, "bridge="))
        return refuse("bridges: name its switch with network=SWITCH", error);
    if (spec->accel == NEST_ACCEL_TCG)
        return refuse("software CPU", error);
    g_autofree char *json = nest_codec_to_text(&nest_inner_spec_record, spec);
    set_script(ret_command, script, json);
    return TRUE;
}

static void set_for(NestInnerCommand *command, const char *script, const NestInnerVm *vm)
{
    g_autofree char *json = nest_codec_to_text(&nest_inner_vm_record, vm);
    set_script(command, script, json);
}

static void start(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    set_for(ret_command, "Start-VM -VM (Get-VM -Id $a.id)", vm);
}

/* Force answers its questions; the guest is asked all the same. */
static void shut_down(const NestInnerVm *vm, guint seconds, NestInnerCommand *ret_command)
{
    set_for(ret_command, "Stop-VM -VM (Get-VM -Id $a.id) -Force", vm);
}

static void stop(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    set_for(ret_command, "Stop-VM -VM (Get-VM -Id $a.id) -TurnOff -Force", vm);
}

static void take_away(const NestInnerVm *vm, NestInnerCommand *ret_command)
{
    static const char script[] =
        FOLDER "$v=Get-VM -Id $a.id\n"
               "$d=@(Get-VMHardDiskDrive -VM $v | Where-Object {\n"
               "  \"$($_.Path)\".StartsWith($f+'\\', 'OrdinalIgnoreCase') })\n"
               "Remove-VM -VM $v -Force\n"
               "$d | ForEach-Object { Remove-Item -LiteralPath $_.Path }";
    set_for(ret_command, script, vm);
}

const NestInnerWay nest_inner_hyperv = {
    "hyper-v", NULL, list, read_list, create, start, shut_down, stop, take_away, NULL, NULL};
