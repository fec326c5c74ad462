/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"

#define FLAG(member, name, letter, help) \
    { \
        name, letter, offsetof(NestArguments, member), NULL, help \
    }
#define VALUE(member, name, letter, value, help) \
    { \
        name, letter, offsetof(NestArguments, member), value, help \
    }
#define NO_WAIT FLAG(no_wait, "no-wait", '\0', "return as soon as the operation has begun")
#define FORCE FLAG(force, "force", '\0', "also what a guard refuses; needs the right admin")
#define REASON VALUE(reason, "reason", '\0', "TEXT", "why it is forced, to be kept")
#define YES FLAG(yes, "yes", 'y', "do not ask")
/* Of every new VM, on the host or inside another. */
#define NEW_VM \
    VALUE(vcpus, "vcpus", '\0', "N", "its virtual CPUs (1)"), \
        VALUE(disk, "disk", '\0', "SIZE|PATH[,format=raw|qcow2]", \
            "a new disk, or an existing image"), \
        VALUE(iso, "iso", '\0', "PATH", "an image to boot from and install"), \
        VALUE(kernel, "kernel", '\0', "PATH", "boot this kernel directly"), \
        VALUE(initrd, "initrd", '\0', "PATH", "and this initial RAM disk"), \
        VALUE(cmdline, "cmdline", '\0', "TEXT", "and this kernel command line")

static const NestOption status_options[] = {
    FLAG(verbose, "verbose", 'v', "show every check and what was read for it"),
    {NULL},
};

static const NestOption check_options[] = {
    FLAG(all, "all", 'a', "also those that passed, inform or do not apply"),
    FLAG(failed, "failed", '\0', "only those that failed"),
    VALUE(scope, "scope", '\0', "host|vm|net|guest",
        "only of the host, of VMs, of their networks, of what is inside"),
    FLAG(verbose, "verbose", 'v', "all, and what was read for each"),
    {NULL},
};

static const NestOption checks_options[] = {
    FLAG(names, "names", '\0', "only the names, one a line"),
    {NULL},
};

static const NestOption prove_options[] = {
    VALUE(accel, "accel", '\0', "auto|kvm|tcg", "what shall run it: KVM, or QEMU's software CPU"),
    FLAG(history, "history", '\0', "show what was proved of this host, over time"),
    {NULL},
};

static const NestOption list_options[] = {
    FLAG(names, "names", '\0', "only the names, one a line"),
    {NULL},
};

static const NestOption create_options[] = {
    VALUE(memory, "memory", 'm', "SIZE|MIN-MAX", "its memory; MIN-MAX makes it dynamic"),
    NEW_VM,
    VALUE(network, "network", '\0', "none|user|bridge=BR|network=NET", "its network"),
    VALUE(filter, "filter", '\0', "NAME", "a network filter for its interface"),
    VALUE(accel, "accel", '\0', "auto|kvm|tcg", "run by KVM or by QEMU's software CPU"),
    FLAG(nested, "nested", '\0', "with the virtualization extensions exposed"),
    NO_WAIT,
    {NULL},
};

static const NestOption exec_options[] = {
    {"env", '\0', offsetof(NestArguments, env), "NAME=VALUE",
        "a variable of its environment; again for more", TRUE},
    VALUE(cwd, "cwd", '\0', "DIR", "where it runs"),
    FLAG(shell, "shell", '\0', "COMMAND is a line for /bin/sh, in Windows for cmd.exe"),
    VALUE(
        input, "input", '\0', "FILE|-", "its standard input, up to 700 KiB; - is that of nestctl"),
    {NULL},
};

static const NestOption file_options[] = {
    VALUE(mode, "mode", '\0', "OCTAL|keep",
        "the permissions that it gets; keep: those that it has where it comes from"),
    {NULL},
};

static const NestOption install_options[] = {
    YES,
    FLAG(dry_run, "dry-run", 'n', "show the plan and change nothing"),
    FLAG(reboot, "reboot", '\0', "restart the guest where something needs it"),
    NO_WAIT,
    {NULL},
};

#define BY VALUE(by, "by", '\0', "HYPERVISOR", "of that one in the guest, where there are several")

static const NestOption guest_create_options[] = {
    VALUE(memory, "memory", 'm', "SIZE", "its memory"),
    NEW_VM,
    VALUE(network, "network", '\0', "none|user|bridge=BR|network=NET", "its network (user)"),
    VALUE(accel, "accel", '\0', "auto|kvm|tcg", "run by KVM or by QEMU's software CPU"),
    BY,
    FLAG(start, "start", '\0', "and start it"),
    NO_WAIT,
    {NULL},
};

static const NestOption inner_options[] = {BY, NO_WAIT, {NULL}};

static const NestOption inner_stop_options[] = {
    FLAG(force, "force", '\0', "turn it off at once"),
    VALUE(timeout, "timeout", '\0', "SECONDS", "how long it may take to shut down"),
    BY,
    NO_WAIT,
    {NULL},
};

static const NestOption inner_console_options[] = {BY, {NULL}};
static const NestOption inner_delete_options[] = {YES, BY, NO_WAIT, {NULL}};

static const NestOption wait_options[] = {NO_WAIT, {NULL}};

static const NestOption checkpoint_options[] = {
    FLAG(disk_only, "disk-only", '\0', "without its memory, though it runs"),
    FORCE,
    REASON,
    NO_WAIT,
    {NULL},
};

static const NestOption guarded_options[] = {FORCE, REASON, NO_WAIT, {NULL}};

static const NestOption start_options[] = {
    FLAG(discard_saved_state, "discard-saved-state", '\0', "boot, and lose its saved state"),
    FORCE,
    REASON,
    NO_WAIT,
    {NULL},
};

static const NestOption migrate_options[] = {
    FLAG(offline, "offline", '\0', "it is off, and only its definition moves"),
    VALUE(timeout, "timeout", '\0', "SECONDS", "how long it may take (3600)"),
    FORCE,
    REASON,
    NO_WAIT,
    {NULL},
};

static const NestOption shutdown_options[] = {
    VALUE(timeout, "timeout", '\0', "SECONDS", "how long it may take"),
    NO_WAIT,
    {NULL},
};

static const NestOption reboot_options[] = {
    VALUE(timeout, "timeout", '\0', "SECONDS", "how long it may take"),
    FORCE,
    REASON,
    NO_WAIT,
    {NULL},
};

static const NestOption delete_options[] = {
    YES,
    FLAG(keep_disks, "keep-disks", '\0', "leave its disk images where they are"),
    NO_WAIT,
    {NULL},
};

static const NestOption nested_options[] = {
    YES,
    FLAG(dry_run, "dry-run", 'n', "show the plan and change nothing"),
    FLAG(no_mac_spoofing, "no-mac-spoofing", '\0', "leave the network filters as they are"),
    FLAG(no_memory, "no-memory", '\0', "leave the amount of memory as it is"),
    NO_WAIT,
    {NULL},
};

static const NestOption plan_options[] = {
    VALUE(xml, "xml", '\0', "FILE|-", "the definition; - reads it from standard input"),
    FLAG(disable, "disable", '\0', "to hide the virtualization extensions"),
    VALUE(extension, "extension", '\0', "vmx|svm", "for a host with this one, not for this host"),
    FLAG(no_mac_spoofing, "no-mac-spoofing", '\0', "leave the network filters as they are"),
    FLAG(no_memory, "no-memory", '\0', "leave the amount of memory as it is"),
    {NULL},
};

static const NestOption guard_options[] = {
    VALUE(xml, "xml", '\0', "FILE|-", "the definition; - reads it from standard input"),
    {NULL},
};

static const NestOption audit_options[] = {
    FLAG(close, "close", '\0', "disable nesting in each of them"),
    YES,
    {NULL},
};

static const NestOption undo_options[] = {
    VALUE(to, "to", '\0', "REV", "take this revision back, not the newest"),
    YES,
    FLAG(dry_run, "dry-run", 'n', "show the plan and change nothing"),
    NO_WAIT,
    {NULL},
};

static const NestOption host_fix_options[] = {
    YES,
    FLAG(dry_run, "dry-run", 'n', "show the plan and change nothing"),
    NO_WAIT,
    {NULL},
};

static const NestOption operations_options[] = {
    VALUE(limit, "limit", '\0', "N", "show the newest N (20)"),
    {NULL},
};

static const NestOption history_options[] = {
    VALUE(limit, "limit", '\0', "N", "show the newest N (50)"),
    {NULL},
};

static const NestOption events_options[] = {
    FLAG(follow, "follow", 'f', "go on with what comes"),
    VALUE(after, "after", '\0', "ID", "only what came after this event"),
    {NULL},
};

static const NestOption help_options[] = {
    FLAG(commands, "commands", '\0', "list commands and options for programs"),
    {NULL},
};

const NestCommand nest_commands[] = {
    {"status", "Get-NestedVirtStatus", "[VM…]", 0, G_MAXUINT, status_options, NEST_COMMAND_PLAIN,
        nest_command_status, "say whether the host and its VMs support nested virtualization",
        "First the verdict about the host, then the one about each virtual machine, each with the "
        "checks that failed and what to do about them.\n"
        "With VM only of these virtual machines. The exit status is 0 if the host and all these "
        "virtual machines pass, 1 if a check failed."},
    {"check", NULL, "[VM…]", 0, G_MAXUINT, check_options, NEST_COMMAND_PLAIN, nest_command_check,
        "run the checks of the host or of VMs",
        "Of the host, with VM of these virtual machines, with --scope vm, net or guest of all of "
        "them. "
        "Shows what did not pass, and what to do about it; more with --all.\n"
        "The exit status is 0 if none of them failed, 1 if one did."},
    {"checks", NULL, "", 0, 0, checks_options, NEST_COMMAND_PLAIN, nest_command_checks,
        "list the checks and guards there are",
        "Their names, the worst that each says, and what it wants or guards."},
    {"explain", NULL, "CHECK", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_explain,
        "explain a check or a guard",
        "What it looks at, why that matters, and what to do by hand."},
    {"prove", NULL, "[VM]", 0, 1, prove_options, NEST_COMMAND_PLAIN, nest_command_prove,
        "prove nesting by running an inner VM",
        "Boots a small VM with the CPU that enable gives, in which a program runs inner code by "
        "VT-x or AMD-V, and shows what leaving it and entering it again costs.\n"
        "With VM it has the CPU of that virtual machine instead, and its machine type: what it "
        "would get at its next start. It is left alone itself.\n"
        "The exit status is 0 if inner code ran, and 1 if it did not, with the cause."},
    {"verify", NULL, "VM", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_verify,
        "verify nesting inside a VM that runs",
        "Over the guest agent a program is run in the guest that runs an inner VM on KVM there, "
        "and shows what its exits, its CPU and its memory cost beside those of the VM itself. "
        "Windows is asked about its own hypervisor. Then what is inside is checked.\n"
        "The exit status is 0 if an inner VM ran, and 1 if it did not, with the cause."},
    {"list", NULL, "", 0, 0, list_options, NEST_COMMAND_PLAIN, nest_command_list,
        "list the virtual machines", "One line for each virtual machine."},
    {"show", NULL, "VM", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_show,
        "show what is known of a VM", "All that nestd knows of one virtual machine."},
    {"enable", "Enable-NestedVm", "VM", 1, 1, nested_options, NEST_COMMAND_CHANGES,
        nest_command_enable, "prepare a VM for nested virtualization",
        "Shows what will be changed, asks, does it, and proves that it was done. Nothing is half "
        "done: if a step fails, everything before it is taken back.\n"
        "With --yes it does not ask, also where the plan has changed since it was shown. Ctrl-C at "
        "the question changes nothing; later it asks nestd to take everything back."},
    {"disable", NULL, "VM", 1, 1, nested_options, NEST_COMMAND_CHANGES, nest_command_disable,
        "hide the virtualization extensions from a VM again",
        "The way back from enable, with the same plan, question and guarantees."},
    {"plan", NULL, "", 0, 0, plan_options, NEST_COMMAND_PLAIN, nest_command_plan,
        "plan nesting for a definition in a file",
        "For a libvirt domain that need not be defined anywhere. The plan goes to stderr, the "
        "resulting definition to stdout: every byte that the plan does not name is as it was.\n"
        "Nothing is defined or changed. What libvirt's schema or parser does not allow is "
        "refused."},
    {"guard", NULL, "restore|migrate-in", 1, 1, guard_options, NEST_COMMAND_PLAIN,
        nest_command_guard, "say whether libvirt may resume or take over a VM",
        "For libvirt's hook, which asks before somebody resumes a VM or brings it here without "
        "nestd. The definition is the one that the VM would run by."},
    {"audit", NULL, "", 0, 0, audit_options, NEST_COMMAND_CHANGES, nest_command_audit,
        "list the VMs that can nest though nobody asked nestd for it",
        "Each with the plan that closes it. --close asks about all of them, and disables nesting "
        "in "
        "each, one by one, with the same guarantees as disable.\n"
        "The exit status is 0 if there is none (any more), and 1 if there are."},
    {"history", NULL, "VM", 1, 1, history_options, NEST_COMMAND_PLAIN, nest_command_history,
        "list what nestd changed in a VM's definition",
        "The newest come first. Each can be taken back with undo."},
    {"undo", NULL, "VM", 1, 1, undo_options, NEST_COMMAND_CHANGES, nest_command_undo,
        "bring a VM's earlier definition back",
        "Takes the newest revision of history back, or the one of --to, with the same plan, "
        "question "
        "and guarantees as enable.\n"
        "Refused where the definition was changed since. An undo can be undone."},
    {"host fix", NULL, "", 0, 0, host_fix_options, NEST_COMMAND_CHANGES, nest_command_host_fix,
        "make this host fit for nesting",
        "Loads the KVM module that fits the CPU, switches nesting on in it, keeps that over "
        "reboots, lets QEMU use /dev/kvm, and has libvirt-guests shut VMs down instead of saving "
        "them; whatever of that is needed, with the same plan, question and guarantees as enable.\n"
        "Files of others are never edited but for the one key of libvirt-guests. The right admin "
        "is needed."},
    {"host undo", NULL, "", 0, 0, undo_options, NEST_COMMAND_CHANGES, nest_command_host_undo,
        "take a repair of this host back",
        "The newest revision of host history, or the one of --to.\n"
        "Refused where a file was changed since. An undo can be undone."},
    {"host history", NULL, "", 0, 0, history_options, NEST_COMMAND_PLAIN, nest_command_host_history,
        "list what nestd changed on this host", "The newest come first."},
    {"create", NULL, "NAME", 1, 1, create_options, NEST_COMMAND_CHANGES, nest_command_create,
        "create a VM",
        "Sizes are written like 512M, 4G or 4GiB; without a unit they are MiB. --memory is "
        "needed; --memory 1-4G makes the memory dynamic.\n"
        "--disk with a size makes a new disk, with a path it takes an existing image, whose format "
        "is never guessed from its content."},
    {"start", NULL, "VM", 1, 1, start_options, NEST_COMMAND_CHANGES, nest_command_start,
        "start a VM, or resume it from its saved state",
        "If it could not start with nesting, or its saved state could not run on, it says why "
        "instead."},
    {"restore", NULL, "VM", 1, 1, guarded_options, NEST_COMMAND_CHANGES, nest_command_restore,
        "resume a VM from its saved state", "Refused where it has none; start boots it then."},
    {"shutdown", NULL, "VM", 1, 1, shutdown_options, NEST_COMMAND_CHANGES, nest_command_shutdown,
        "ask the guest to shut down", "Asks by ACPI, and waits until the VM is off."},
    {"stop", NULL, "VM", 1, 1, guarded_options, NEST_COMMAND_CHANGES, nest_command_stop,
        "turn a VM off at once",
        "Like pulling the plug: the guest is not asked. Refused while it hosts other VMs, or may."},
    {"reboot", NULL, "VM", 1, 1, reboot_options, NEST_COMMAND_CHANGES, nest_command_reboot,
        "ask the guest to reboot",
        "Asks by ACPI, and waits until the guest has begun anew. A change of the VM's CPU still "
        "waits until it is off."},
    {"reset", NULL, "VM", 1, 1, guarded_options, NEST_COMMAND_CHANGES, nest_command_reset,
        "restart a VM at once",
        "Like pressing the reset button: the guest is not asked. Refused while it hosts other VMs, "
        "or may."},
    {"pause", NULL, "VM", 1, 1, guarded_options, NEST_COMMAND_CHANGES, nest_command_pause,
        "stop a VM's CPUs", "It keeps its memory, and goes on with resume."},
    {"resume", NULL, "VM", 1, 1, guarded_options, NEST_COMMAND_CHANGES, nest_command_resume,
        "have a paused VM go on", "What start does as well."},
    {"save", NULL, "VM", 1, 1, guarded_options, NEST_COMMAND_CHANGES, nest_command_save,
        "save a VM's memory to disk and turn it off",
        "The next start resumes it. Refused while it hosts other VMs, or may."},
    {"memory", NULL, "VM SIZE", 2, 2, guarded_options, NEST_COMMAND_CHANGES, nest_command_memory,
        "resize a VM's memory",
        "While it runs by its balloon, up to what it was started with; while it is off, the most "
        "that it has and what it boots with. Sizes are written like 512M, 4G or 4GiB; without a "
        "unit they are MiB."},
    {"trust", NULL, "VM [trusted|untrusted]", 1, 2, wait_options, NEST_COMMAND_CHANGES,
        nest_command_trust, "show or set whether a VM's guest is trusted",
        "An untrusted VM is kept from nesting where a flaw is open that it would reach by nesting; "
        "see the check vm.trust."},
    {"checkpoint create", NULL, "VM [CHECKPOINT]", 1, 2, checkpoint_options, NEST_COMMAND_CHANGES,
        nest_command_checkpoint_create, "keep a state of a VM to go back to",
        "Of its disks, which must be qcow2, and of its memory if it runs; it stands still "
        "meanwhile. With memory it is refused while the VM hosts other VMs, or may; --disk-only "
        "is not."},
    {"checkpoint list", NULL, "VM", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_checkpoint_list,
        "list the checkpoints of a VM", "The oldest come first."},
    {"checkpoint apply", NULL, "VM CHECKPOINT", 2, 2, guarded_options, NEST_COMMAND_CHANGES,
        nest_command_checkpoint_apply, "put a VM back to a checkpoint",
        "What it is and runs now is thrown away; it runs afterwards if it ran then. Refused while "
        "it runs and nests."},
    {"checkpoint delete", NULL, "VM CHECKPOINT", 2, 2, wait_options, NEST_COMMAND_CHANGES,
        nest_command_checkpoint_delete, "delete a checkpoint of a VM", "The VM stays as it is."},
    {"exec", NULL, "VM -- COMMAND…", 2, G_MAXUINT, exec_options, NEST_COMMAND_CHANGES,
        nest_command_exec, "run a command inside a VM",
        "Over the guest agent, without a network. Its output comes as it is printed, and its exit "
        "status is that of nestctl; 128 and the number of a signal that ended it. Ctrl-C kills "
        "it."},
    {"guest info", NULL, "VM", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_guest_info,
        "show what the agent inside a VM says of it",
        "Its system, the version of the agent, and what that may not do, with the line to change."},
    {"guest push", NULL, "VM LOCAL|- REMOTE", 3, 3, file_options, NEST_COMMAND_CHANGES,
        nest_command_guest_push, "put a file into a VM",
        "Over the guest agent, without a network. The file there is replaced at once when all has "
        "arrived, or stays as it was; Ctrl-C takes back what was begun. - reads standard input; a "
        "REMOTE that ends with / gets the name of LOCAL."},
    {"guest pull", NULL, "VM REMOTE LOCAL|-", 3, 3, file_options, NEST_COMMAND_CHANGES,
        nest_command_guest_pull, "get a file out of a VM",
        "Over the guest agent, without a network. LOCAL is replaced at once when all has come, or "
        "stays as it was. - writes to standard output; a LOCAL that is a folder gets the name of "
        "REMOTE."},
    {"guest list", NULL, "VM", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_guest_list,
        "list the VMs inside a VM",
        "Those of libvirt, Incus, LXD, Proxmox VE and Hyper-V in the guest, those that nestd made "
        "there with QEMU alone, and processes that run VMs."},
    {"guest create-vm", NULL, "VM INNER", 2, 2, guest_create_options, NEST_COMMAND_CHANGES,
        nest_command_guest_create_vm, "create a VM inside a VM",
        "With the first of the guest's libvirt, Incus, LXD, Proxmox VE, QEMU and Hyper-V that "
        "answers "
        "and can. All paths are those of the guest. Sizes are written as for create."},
    {"guest start", NULL, "VM INNER", 2, 2, inner_options, NEST_COMMAND_CHANGES,
        nest_command_guest_start, "start a VM inside a VM",
        "Through the hypervisor in the guest that has it."},
    {"guest stop", NULL, "VM INNER", 2, 2, inner_stop_options, NEST_COMMAND_CHANGES,
        nest_command_guest_stop, "ask a VM inside a VM to shut down, or turn it off",
        "Asks what runs in it, and waits until it is off. With --force it is like pulling the "
        "plug."},
    {"guest delete", NULL, "VM INNER", 2, 2, inner_delete_options, NEST_COMMAND_CHANGES,
        nest_command_guest_delete, "delete a VM inside a VM, and the disk made for it",
        "Through the hypervisor in the guest that has it. It must be off. Asks first, unless --yes "
        "is given."},
    {"guest console", NULL, "VM INNER", 2, 2, inner_console_options, NEST_COMMAND_PLAIN,
        nest_command_guest_console, "show what a VM inside a VM printed on its console",
        "The last 64 KiB of its serial console, where its hypervisor keeps that."},
    {"tree", NULL, "[VM]", 0, 1, NULL, NEST_COMMAND_PLAIN, nest_command_tree,
        "show the host, its VMs and the VMs inside them",
        "With memory and vCPUs of each and of all together; what is more than there is, is "
        "flagged. "
        "Running guests are asked over their agents, all within ten seconds."},
    {"guest install-hypervisor", NULL, "VM", 1, 1, install_options, NEST_COMMAND_CHANGES,
        nest_command_guest_install, "install a hypervisor in the guest of a VM",
        "KVM and libvirt by the packages of the guest's distribution, Hyper-V on Windows; whatever "
        "of that is missing, with the same plan and question as enable, and looked at afterwards.\n"
        "What was installed is not taken back. The guest is restarted only with --reboot."},
    {"migrate", NULL, "VM URI", 2, 2, migrate_options, NEST_COMMAND_CHANGES, nest_command_migrate,
        "move a VM to another host",
        "URI is the other host's libvirt, as qemu+ssh://HOST/system. The disks are not copied: "
        "both hosts must have them. Refused while it runs and hosts other VMs, or may. Ctrl-C "
        "stops it."},
    {"delete", NULL, "VM", 1, 1, delete_options, NEST_COMMAND_CHANGES, nest_command_delete,
        "delete a VM and the disks that nestd made for it", "Asks first, unless --yes is given."},
    {"operations", NULL, "", 0, 0, operations_options, NEST_COMMAND_PLAIN, nest_command_operations,
        "list what was and is being done", "The newest come first."},
    {"operation", NULL, "ID", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_operation,
        "show an operation with its steps", "Its steps, how it ended and why."},
    {"abort", NULL, "ID", 1, 1, NULL, NEST_COMMAND_PLAIN, nest_command_abort,
        "ask to abort an operation", "What it has done is taken back; operation ID tells the end."},
    {"events", NULL, "", 0, 0, events_options, NEST_COMMAND_CHANGES, nest_command_events,
        "show what happened", "With --follow it goes on until Ctrl-C."},
    {"version", NULL, "", 0, 0, NULL, NEST_COMMAND_PLAIN, nest_command_version,
        "show the versions of nestctl and nestd", "And whether the hypervisor is reachable."},
    {"help", NULL, "[COMMAND]", 0, 2, help_options, NEST_COMMAND_LOCAL, nest_command_help,
        "show help", "For nestctl, or for one command."},
    {NULL},
};
