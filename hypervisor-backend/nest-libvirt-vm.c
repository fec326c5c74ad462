/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-start-log.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How often the facts are read again because the VM changed its state meanwhile. */
#define ATTEMPTS 3

static gboolean fail(virDomainPtr domain, GError **error)
{
    nest_virt_error_set_domain(error, domain, "read");
    return FALSE;
}

static NestVmState state_from_libvirt(int state, int reason)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
        return NEST_VM_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return reason == VIR_DOMAIN_PAUSED_CRASHED ? NEST_VM_CRASHED : NEST_VM_PAUSED;
    case VIR_DOMAIN_PMSUSPENDED:
        return NEST_VM_PAUSED;
    case VIR_DOMAIN_SHUTDOWN:
        return NEST_VM_SHUTTING_DOWN;
    case VIR_DOMAIN_SHUTOFF:
        return NEST_VM_OFF;
    case VIR_DOMAIN_CRASHED:
        return NEST_VM_CRASHED;
    default:
        return NEST_VM_UNKNOWN;
    }
}

gboolean nest_libvirt_state(virDomainPtr domain, NestVmState *ret_state, GError **error)
{
    int state, reason;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return fail(domain, error);
    *ret_state = state_from_libvirt(state, reason);
    return TRUE;
}

void nest_libvirt_folders_clear(NestLibvirtFolders *folders)
{
    g_free(folders->saved);
    g_free(folders->logs);
    g_free(folders->run);
}

NestLibvirtFolders nest_libvirt_folders(const NestLibvirt *self)
{
    NestLibvirtFolders folders = {NULL, NULL, NULL};

    if (self->embed) {
        folders.saved = g_build_filename(self->options.root, "lib", "qemu", "save", NULL);
        folders.logs = g_build_filename(self->options.root, "log", "qemu", NULL);
        folders.run = g_build_filename(self->options.root, "run", "qemu", NULL);
    } else if (strcmp(self->options.uri, "qemu:///system") == 0) {
        folders.saved = g_strdup("/var/lib/libvirt/qemu/save");
        folders.logs = g_strdup("/var/log/libvirt/qemu");
        folders.run = g_strdup("/run/libvirt/qemu");
    }
    return folders;
}

static void read_saved(const char *directory, const char *name, NestVmFacts *facts)
{
    g_autofree char *path = g_strdup_printf("%s/%s.save", directory, name);
    struct stat status;

    if (strchr(name, '/') != NULL || stat(path, &status) != 0)
        return;
    facts->saved_bytes = (guint64)status.st_size;
    facts->saved_time =
        (gint64)status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
}

/* libvirt has QEMU write the file when it starts it. */
static gint64 read_since(const char *directory, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%s.pid", directory, name);
    struct stat status;

    if (strchr(name, '/') != NULL || stat(path, &status) != 0)
        return 0;
    return (gint64)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / G_USEC_PER_SEC;
}

/* What a driver cannot tell counts as none. */
static gboolean count_snapshots(virDomainPtr domain, guint *ret_n, GError **error)
{
    int n = virDomainSnapshotNum(domain, 0);

    if (n < 0 && virGetLastErrorCode() != VIR_ERR_NO_SUPPORT)
        return fail(domain, error);
    *ret_n = n > 0 ? (guint)n : 0;
    return TRUE;
}

/* What is told of VMs that run; an older libvirt has no messages (before 7.1). */
static void read_run(virDomainPtr domain, const NestLibvirtFolders *folders, NestVmFacts *facts)
{
    char **messages = NULL;
    int state, reason, n = virDomainGetMessages(domain, &messages, 0);
    unsigned int id = virDomainGetID(domain);

    facts->run = id == (unsigned int)-1 ? -1 : (int)id;
    facts->booted = virDomainGetState(domain, &state, &reason, 0) == 0 &&
        state == VIR_DOMAIN_RUNNING && reason == VIR_DOMAIN_RUNNING_BOOTED;
    if (folders->run != NULL)
        facts->since = read_since(folders->run, facts->name);
    if (n >= 0) {
        facts->messages = g_new0(char *, n + 1);
        for (int i = 0; i < n; i++) {
            facts->messages[i] = g_utf8_make_valid(messages[i], -1);
            free(messages[i]);
        }
        free(messages);
    }
    /* Whoever asks for nothing can't miss it. */
    if (folders->logs != NULL &&
        (strstr(facts->live_xml, "'vmx'") != NULL || strstr(facts->live_xml, "'svm'") != NULL))
        facts->start_log = nest_start_log_read(folders->logs, facts->name);
}

static gboolean read_once(
    virDomainPtr domain, const NestLibvirtFolders *folders, NestVmFacts *facts, GError **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    int autostart = 0, saved;

    if (virDomainGetUUIDString(domain, uuid) < 0 ||
        (saved = virDomainHasManagedSaveImage(domain, 0)) < 0 ||
        virDomainGetAutostart(domain, &autostart) < 0)
        return fail(domain, error);
    facts->uuid = g_strdup(uuid);
    facts->name = g_strdup(virDomainGetName(domain));
    facts->autostart = autostart != 0;
    facts->saved_state = saved > 0;
    if (saved > 0 && folders->saved != NULL)
        read_saved(folders->saved, facts->name, facts);
    if (saved > 0)
        facts->saved_xml = virDomainManagedSaveGetXMLDesc(domain, 0);
    if (!count_snapshots(domain, &facts->snapshots, error))
        return FALSE;
    if (facts->snapshots > 0)
        facts->snapshot_facts = nest_libvirt_snapshots(domain);
    facts->xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
    if (facts->xml == NULL)
        return fail(domain, error);
    if (facts->state == NEST_VM_OFF)
        return TRUE;
    facts->live_xml = virDomainGetXMLDesc(domain, 0);
    if (facts->live_xml == NULL)
        return fail(domain, error);
    read_run(domain, folders, facts);
    return TRUE;
}

gboolean nest_libvirt_facts(
    virDomainPtr domain, const NestLibvirtFolders *folders, NestVmFacts **ret_facts, GError **error)
{
    g_autoptr(NestVmFacts) facts = NULL;
    NestVmState after = NEST_VM_UNKNOWN;
    gboolean settled = FALSE;

    for (int i = 0; i < ATTEMPTS && !settled; i++) {
        g_clear_pointer(&facts, nest_vm_facts_free);
        facts = g_new0(NestVmFacts, 1);
        facts->run = -1;
        if (!nest_libvirt_state(domain, &facts->state, error) ||
            !read_once(domain, folders, facts, error) || !nest_libvirt_state(domain, &after, error))
            return FALSE;
        settled = after == facts->state;
    }
    if (!settled) {
        nest_set_error(error, NEST_ERROR_VM_BUSY, "try again",
            "%s changes its state again and again", facts->name);
        return FALSE;
    }
    if (facts->state == NEST_VM_OFF && facts->saved_state)
        facts->state = NEST_VM_SAVED;
    *ret_facts = g_steal_pointer(&facts);
    return TRUE;
}
