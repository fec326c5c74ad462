/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard-table.h"

const char *const nest_guard_phase_nicks[] = {"alone", "exposed", "armed", "hosting", NULL};
const char *const nest_parity_nicks[] = {"hyperv", "kvm", "strict", NULL};

/* A cell of the table. */
typedef enum {
    OK,
    WARN,
    REFUSE,
    NEVER,
    EARLY, /* warn; strict refuses it already here */
    PARITY, /* refuse, and under kvm warn */
    CARRIED, /* refuse, and under kvm warn where nested state is carried */
    MENDED, /* refuse where nested state is carried well, else never */
    AS_INTEL /* the software CPU does what Intel's does; zero would be OK */
} Cell;

/* Columns: exposed, armed, hosting on Intel, hosting on AMD, and armed or hosting on the software
 * CPU. Where a VM has no extension all is well but for what is below. */
typedef struct {
    NestGuardAbout about;
    Cell exposed, armed, intel, amd, tcg;
} Row;

#define DATA_LOSS "the inner VMs are cut off in the middle of what they do"
#define STATE_LOST "the state of the VMs inside would be lost"
#define FIRST "nestctl shutdown %s"
#define SHUT_INNER "shut the inner VMs down first"
#define KERNEL_DOC "the kernel's running-nested-guests.rst"
#define LIST_2015 "Hyper-V's list for nesting VMs"
#define GENERAL "what the operation does to a VM in a VM"

// clang-format off
static const Row rows[NEST_N_GUARDS] = {
    [NEST_GUARD_START] = {{"guard.start", "started", "it could not nest", NULL,
        "starting a VM", "docs/facts.md F1 and F16"},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_RESTORE] = {{"guard.restore", "resumed from its saved state",
        "what was saved may not run here, or not as it is set up now",
        "nestctl start --discard-saved-state %s", "starting a VM from its saved state",
        "docs/facts.md F20 and F22"},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_SHUTDOWN] = {{"guard.shutdown", "shut down",
        "the inner VMs end with it unless its system shuts them down", NULL,
        "asking a VM to shut down", GENERAL},
        OK, WARN, WARN, WARN, AS_INTEL},
    [NEST_GUARD_STOP] = {{"guard.stop", "powered off", DATA_LOSS,
        "nestctl shutdown %s; or, all the same: nestctl stop %s --force --reason TEXT",
        "powering a VM off", GENERAL},
        OK, WARN, REFUSE, REFUSE, AS_INTEL},
    [NEST_GUARD_RESET] = {{"guard.reset", "reset", DATA_LOSS,
        "nestctl reboot %s; or, all the same: nestctl reset %s --force --reason TEXT",
        "resetting a VM", "QEMU's issue 530; AMD since QEMU 5.1"},
        OK, WARN, REFUSE, REFUSE, AS_INTEL},
    [NEST_GUARD_REBOOT] = {{"guard.reboot", "rebooted",
        "the inner VMs end with it unless its system shuts them down, and a change of its CPU waits "
        "until it is powered off", NULL, "rebooting a VM", "docs/facts.md F15"},
        OK, OK, WARN, WARN, AS_INTEL},
    [NEST_GUARD_PAUSE] = {{"guard.pause", "paused", "the clocks of the inner VMs jump", NULL,
        "pausing a VM", GENERAL},
        OK, OK, WARN, WARN, AS_INTEL},
    [NEST_GUARD_SAVE] = {{"guard.save", "saved", STATE_LOST, FIRST,
        "saving a VM's memory to disk", "docs/facts.md F6, F7, F20 and F22; " LIST_2015},
        EARLY, CARRIED, CARRIED, MENDED, NEVER},
    [NEST_GUARD_CHECKPOINT] = {{"guard.checkpoint", "checkpointed with its memory", STATE_LOST,
        "nestctl checkpoint create %s --disk-only; or: nestctl shutdown %s", "a checkpoint of disks and memory", "docs/facts.md F6, F7, F20 and F22"},
        EARLY, CARRIED, CARRIED, MENDED, NEVER},
    [NEST_GUARD_CHECKPOINT_DISK] = {{"guard.checkpoint-disk", "checkpointed while it runs",
        "the disks of the inner VMs are as after a power cut", FIRST,
        "a checkpoint of the disks of a running VM", GENERAL},
        OK, OK, WARN, WARN, AS_INTEL},
    [NEST_GUARD_CHECKPOINT_OFF] = {{"guard.checkpoint-off", "checkpointed", NULL, NULL,
        "a checkpoint of a VM that is off", GENERAL},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_APPLY] = {{"guard.apply", "put back to a checkpoint",
        "what it runs, inner VMs included, is thrown away", FIRST,
        "applying a checkpoint to a running VM", LIST_2015 "; docs/facts.md F7 and F20"},
        PARITY, CARRIED, CARRIED, NEVER, PARITY},
    [NEST_GUARD_APPLY_OFF] = {{"guard.apply-off", "put back to a checkpoint",
        "nesting in it becomes what it was then", "nestctl enable %s",
        "applying a checkpoint of disks", GENERAL},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_APPLY_MEMORY] = {{"guard.apply-memory", "put back to a checkpoint with memory",
        "what was running then may not run on", "delete the checkpoint, and make another",
        "applying a checkpoint with memory to a VM that is off", "docs/facts.md F7 and F22"},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_MIGRATE] = {{"guard.migrate", "migrated while it runs", STATE_LOST, FIRST,
        "live migration to another host", KERNEL_DOC "; docs/facts.md F7 and F22"},
        EARLY, CARRIED, CARRIED, MENDED, NEVER},
    [NEST_GUARD_MIGRATE_IN] = {{"guard.migrate-in", "taken over from another host while it runs",
        STATE_LOST, "migrate it while it is off", "live migration to this host",
        KERNEL_DOC},
        WARN, WARN, REFUSE, NEVER, NEVER},
    [NEST_GUARD_MIGRATE_INNER] = {{"guard.migrate-inner", "migrated", NULL, NULL,
        "migration of an inner VM between VMs", KERNEL_DOC},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_MIGRATE_OFF] = {{"guard.migrate-off", "migrated", NULL, NULL,
        "migration of a VM that is off", GENERAL},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_MEMORY] = {{"guard.memory", "given more or less memory",
        "its hypervisor counts on all of its memory", FIRST,
        "resizing the memory of a running VM", LIST_2015 "; docs/facts.md F10 and F23"},
        PARITY, PARITY, PARITY, PARITY, AS_INTEL},
    [NEST_GUARD_MEMORY_DEVICE] = {{"guard.memory-device", "given other memory",
        "unplugging may hit memory of the inner VMs", FIRST,
        "plugging and unplugging memory", LIST_2015},
        EARLY, PARITY, PARITY, PARITY, AS_INTEL},
    [NEST_GUARD_VCPU_ADD] = {{"guard.vcpu-add", "given more CPUs while it runs",
        "the new CPU differs from those its hypervisor knows, and stays off", FIRST,
        "plugging CPUs", "reports of \"Inconsistent VMCS config\""},
        WARN, REFUSE, REFUSE, REFUSE, AS_INTEL},
    [NEST_GUARD_VCPU_REMOVE] = {{"guard.vcpu-remove", "given fewer CPUs while it runs",
        "the CPU may be running an inner VM", FIRST, "unplugging CPUs", GENERAL},
        WARN, REFUSE, REFUSE, REFUSE, AS_INTEL},
    [NEST_GUARD_CPU] = {{"guard.cpu", "given another CPU while it runs",
        "a CPU changes only when it is powered off", FIRST,
        "changing the CPU of a running VM", "docs/facts.md F15"},
        REFUSE, REFUSE, REFUSE, REFUSE, AS_INTEL},
    [NEST_GUARD_DISABLE] = {{"guard.disable", "disabled for nesting",
        "its inner VMs will not start any more", FIRST,
        "hiding the extension from a VM that has inner VMs", GENERAL},
        WARN, WARN, REFUSE, REFUSE, AS_INTEL},
    [NEST_GUARD_NETWORK] = {{"guard.network", "cut off from a network",
        "its inner VMs lose that network too", SHUT_INNER,
        "unplugging an interface or tightening its filter", GENERAL},
        OK, WARN, WARN, WARN, AS_INTEL},
    [NEST_GUARD_DEVICE] = {{"guard.device", "deprived of a device",
        "an inner VM may be using it", SHUT_INNER,
        "unplugging a device", GENERAL},
        OK, WARN, REFUSE, REFUSE, AS_INTEL},
    [NEST_GUARD_DUMP] = {{"guard.dump", "dumped", "the inner VMs stand still meanwhile", NULL,
        "dumping a VM's memory", "libvirt 11.5's notes"},
        OK, WARN, WARN, WARN, AS_INTEL},
    [NEST_GUARD_BACKUP] = {{"guard.backup", "backed up", NULL, NULL,
        "backing up disks", GENERAL},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_FREEZE] = {{"guard.freeze", "frozen",
        "the file systems of the inner VMs are not frozen with it", NULL,
        "freezing file systems", GENERAL},
        OK, OK, WARN, WARN, AS_INTEL},
    [NEST_GUARD_MODULE] = {{"guard.module", "kept running while the KVM module is reloaded",
        "the module is in use", "turn all virtual machines off first",
        "reloading the KVM module of the host", GENERAL},
        REFUSE, REFUSE, NEVER, NEVER, AS_INTEL},
    [NEST_GUARD_HOST_SAVE] = {{"guard.host-save", "saved while the host shuts down", STATE_LOST,
        "have libvirt-guests shut VMs down instead", "shutting the host down, saving its VMs",
        "docs/facts.md F6, F7 and F22"},
        WARN, REFUSE, REFUSE, NEVER, NEVER},
    [NEST_GUARD_HOST_UPGRADE] = {{"guard.host-upgrade", "kept over an upgrade of the host",
        "states that were saved before may not run on afterwards", NULL,
        "upgrading kernel or QEMU of the host", "reports of saved states that no longer load"},
        OK, WARN, WARN, WARN, AS_INTEL},
    [NEST_GUARD_DELETE] = {{"guard.delete", "deleted", NULL, NULL,
        "deleting a VM that is off", GENERAL},
        OK, OK, OK, OK, AS_INTEL},
    [NEST_GUARD_EXEC] = {{"guard.exec", "entered", NULL, NULL,
        "running a program in a VM", GENERAL},
        OK, OK, OK, OK, AS_INTEL},
};
// clang-format on

const NestGuardAbout *nest_guard_about(NestGuarded operation)
{
    return &rows[operation].about;
}

static Cell hosting_cell(const Row *row, NestGuardMake make)
{
    return make == NEST_GUARD_AMD ? row->amd : row->intel;
}

static Cell cell_of(NestGuarded operation, const NestGuardState *state)
{
    const Row *row = &rows[operation];
    gboolean on = state->phase >= NEST_GUARD_ARMED;
    if (on && state->make == NEST_GUARD_TCG && row->tcg != AS_INTEL)
        return row->tcg;
    switch (state->phase) {
    case NEST_GUARD_EXPOSED:
        return row->exposed;
    case NEST_GUARD_ARMED:
        return row->armed;
    case NEST_GUARD_HOSTING:
        return hosting_cell(row, state->make);
    default:
        /* What no VM that runs allows, nesting or not. */
        return operation == NEST_GUARD_CPU || operation == NEST_GUARD_MODULE ? REFUSE : OK;
    }
}

/* Nothing has to be carried before a hypervisor has switched the extension on. */
static gboolean is_carried(const NestGuardState *state)
{
    return state->phase < NEST_GUARD_ARMED ||
        (state->make != NEST_GUARD_TCG && state->stack >= NEST_GUARD_CARRIES);
}

NestGuardSay nest_guard_table_say(
    NestGuarded operation, const NestGuardState *state, NestParity parity)
{
    gboolean kvm = parity == NEST_PARITY_KVM;
    switch (cell_of(operation, state)) {
    case WARN:
        return NEST_SAY_WARN;
    case EARLY:
        return parity == NEST_PARITY_STRICT ? NEST_SAY_REFUSE : NEST_SAY_WARN;
    case PARITY:
        return kvm ? NEST_SAY_WARN : NEST_SAY_REFUSE;
    case CARRIED:
        return kvm && is_carried(state) ? NEST_SAY_WARN : NEST_SAY_REFUSE;
    case MENDED:
        return state->stack == NEST_GUARD_CARRIES_WELL ? NEST_SAY_REFUSE : NEST_SAY_NEVER;
    case REFUSE:
        return NEST_SAY_REFUSE;
    case NEVER:
        return NEST_SAY_NEVER;
    case OK:
    case AS_INTEL:
        break;
    }
    return NEST_SAY_OK;
}

gboolean nest_guard_table_by_policy(
    NestGuarded operation, const NestGuardState *state, NestParity parity)
{
    return nest_guard_table_say(operation, state, parity) >= NEST_SAY_REFUSE &&
        nest_guard_table_say(operation, state, NEST_PARITY_KVM) < NEST_SAY_REFUSE;
}

NestGuardSay nest_guard_table_worst(NestGuarded operation, NestParity parity)
{
    NestGuardSay worst = NEST_SAY_OK;
    for (guint phase = 0; phase < NEST_N_GUARD_PHASES; phase++) {
        for (guint make = 0; make < NEST_N_GUARD_MAKES; make++) {
            NestGuardState state = {phase, make, NEST_GUARD_LOSES};
            worst = MAX(worst, nest_guard_table_say(operation, &state, parity));
        }
    }
    return worst;
}
