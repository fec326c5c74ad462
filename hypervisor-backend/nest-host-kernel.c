/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-kernel.h"
#include "nest-changelog.h"
#include "nest-host-file.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BANNER_MAX 1024

/* Who builds kernels says so in /proc/version, before the version of the package:
 * "#1 SMP PREEMPT_DYNAMIC Debian 6.1.187-1 (2026-09-07)". */
static const struct {
    const char *mark, *distribution;
    gboolean exact;
} builders[] = {
    {" Debian ", "debian", TRUE},
    {" PMX ", "proxmox", FALSE},
    {" PVE ", "proxmox", FALSE},
};

/* Releases whose kernels get mends of their own, and keep the number that they were made of. */
static const char *const own_mends[] = {".el", ".amzn", "uek", "-pve", ".oe", ".an8", NULL};

/* Where the changelog of the kernel's package may be, the first counts; %s is the release. Ubuntu's
 * linux-image is made by the source that signs it, and its own changelog names no flaws; Debian has
 * no linux-modules. */
static const char *const changelogs[] = {
    "usr/share/doc/linux-modules-%s/changelog.Debian.gz",
    "usr/share/doc/linux-image-%s/changelog.Debian.gz",
    "usr/share/doc/proxmox-kernel-%s/changelog.Debian.gz",
    "usr/share/doc/proxmox-kernel-%s-signed/changelog.Debian.gz",
    "usr/share/doc/pve-kernel-%s/changelog.Debian.gz",
};

static void clear(gpointer data)
{
    NestHostKernel *kernel = data;
    char *strings[] = {kernel->release, kernel->version, kernel->distribution, kernel->package,
        kernel->changelog, kernel->changelog_error, kernel->key};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_strfreev(kernel->mentioned);
}

NestHostKernel *nest_host_kernel_ref(NestHostKernel *kernel)
{
    return g_atomic_rc_box_acquire(kernel);
}

void nest_host_kernel_unref(NestHostKernel *kernel)
{
    if (kernel != NULL)
        g_atomic_rc_box_release_full(kernel, clear);
}

static char *first_word(const char *text)
{
    return g_strndup(text, strcspn(text, " ()\t"));
}

/* "6.1.187-1" → "6.1.187", "7.2~rc5-1~exp1" → "7.2~rc5", "6.18.44-arch1-1" → "6.18.44" */
static char *leading_version(const char *text)
{
    gsize length = strspn(text, "0123456789.");
    if (strncmp(text + length, "-rc", 3) == 0 || strncmp(text + length, "~rc", 3) == 0)
        length += 3 + strspn(text + length + 3, "0123456789");
    while (length > 0 && text[length - 1] == '.')
        length--;
    return length > 0 ? g_strndup(text, length) : NULL;
}

static gboolean read_builder(const char *banner, NestHostKernel *kernel)
{
    for (guint i = 0; banner != NULL && i < G_N_ELEMENTS(builders); i++) {
        const char *at = g_strrstr(banner, builders[i].mark);
        if (at == NULL)
            continue;
        g_autofree char *package = first_word(at + strlen(builders[i].mark));
        kernel->package = nest_host_file_clean(package);
        if (kernel->package == NULL)
            return FALSE;
        kernel->version = leading_version(kernel->package);
        kernel->distribution = g_strdup(builders[i].distribution);
        kernel->exact = builders[i].exact && kernel->version != NULL;
        return TRUE;
    }
    return FALSE;
}

/* /proc/version_signature of Ubuntu: "Ubuntu 5.15.0-91.101-generic 5.15.131". */
static gboolean read_signature(const char *root, NestHostKernel *kernel)
{
    g_autofree char *line = nest_host_file_line(root, "proc/version_signature", NULL);
    g_auto(GStrv) words = g_strsplit(line != NULL ? line : "", " ", 4);
    if (g_strv_length(words) != 3 || strcmp(words[0], "Ubuntu") != 0)
        return FALSE;
    const char *flavour = strrchr(words[1], '-');
    kernel->package = flavour != NULL && !g_ascii_isdigit(flavour[1])
        ? g_strndup(words[1], flavour - words[1])
        : g_strdup(words[1]);
    kernel->version = leading_version(words[2]);
    kernel->distribution = g_strdup("ubuntu");
    return TRUE;
}

/* Debian, Ubuntu, SUSE and others name a release "6.1.0-37-amd64", whatever it is made of. */
static gboolean is_abi_name(const char *release)
{
    unsigned major, minor, patch;
    int end = 0;
    return sscanf(release, "%3u.%3u.%5u%n", &major, &minor, &patch, &end) == 3 && patch == 0 &&
        release[end] == '-' && strncmp(release + end, "-rc", 3) != 0;
}

/* "5.14.21-150500.55.39-default": SUSE keeps the number of the service pack through all of its
 * mends. Tumbleweed's kernels are named alike and raise it. */
static gboolean is_of_suse(const char *release, const char *distribution)
{
    static const char *const flavours[] = {"-default", "-azure", "-rt", "-kvmsmall", "-debug"};
    static const char *const ids[] = {"sles", "sles_sap", "sled", "sle-micro", "sl-micro",
        "opensuse-leap", "opensuse-leap-micro", NULL};
    if (g_strcmp0(distribution, "opensuse-tumbleweed") == 0)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(flavours); i++)
        if (g_str_has_suffix(release, flavours[i]))
            return TRUE;
    return distribution != NULL && g_strv_contains(ids, distribution);
}

static gboolean is_exact(const char *release, const char *distribution)
{
    if (is_of_suse(release, distribution))
        return FALSE;
    for (guint i = 0; own_mends[i] != NULL; i++)
        if (strstr(release, own_mends[i]) != NULL)
            return FALSE;
    return !is_abi_name(release);
}

static char *os_release_id(const char *root)
{
    static const char *const paths[] = {"etc/os-release", "usr/lib/os-release"};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *text = nest_host_file_text(root, paths[i], NEST_HOST_FILE_MAX, NULL);
        char *next = text;
        while (next != NULL) {
            const char *line = strsep(&next, "\n");
            g_autofree char *id =
                g_str_has_prefix(line, "ID=") ? g_shell_unquote(line + strlen("ID="), NULL) : NULL;
            if (id != NULL)
                return nest_host_file_clean(id);
        }
    }
    return NULL;
}

static void read_release(const char *root, NestHostKernel *kernel)
{
    kernel->distribution = os_release_id(root);
    if (kernel->release == NULL)
        return;
    kernel->version = leading_version(kernel->release);
    kernel->exact = kernel->version != NULL && is_exact(kernel->release, kernel->distribution);
    /* The release of a Red Hat kernel is the version of its package, and the architecture. */
    gboolean rpm = strstr(kernel->release, ".el") != NULL ||
        strstr(kernel->release, ".fc") != NULL || strstr(kernel->release, ".amzn") != NULL;
    const char *arch = strrchr(kernel->release, '.');
    if (rpm && arch != NULL)
        kernel->package = g_strndup(kernel->release, arch - kernel->release);
}

static gboolean is_live_patched(const char *root)
{
    g_autofree char *path = g_build_filename(root, "sys/kernel/livepatch", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    return dir != NULL && g_dir_read_name(dir) != NULL;
}

/* A release that is no plain word would lead out of the folder. */
static gboolean is_plain(const char *release)
{
    for (const char *c = release; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr("._+~-", *c) == NULL)
            return FALSE;
    return *release != '\0';
}

/* The path of the changelog, NULL where there is none; ret_stamp tells whether it has changed. */
static char *find_changelog(const char *root, const char *release, char **ret_stamp)
{
    for (guint i = 0; release != NULL && is_plain(release) && i < G_N_ELEMENTS(changelogs); i++) {
        g_auto(GStrv) parts = g_strsplit(changelogs[i], "%s", 2);
        g_autofree char *path = g_strjoinv(release, parts);
        g_autofree char *full = g_build_filename(root, path, NULL);
        struct stat status;
        if (stat(full, &status) != 0)
            continue;
        *ret_stamp = g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld",
            (gint64)status.st_size, (gint64)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        return g_steal_pointer(&path);
    }
    return NULL;
}

static void read_changelog(
    const char *root, const char *path, const char *const *words, NestHostKernel *kernel)
{
    if (path == NULL) {
        kernel->changelog_error = g_strdup("its package has left no changelog");
    } else if (kernel->package == NULL) {
        kernel->changelog_error = g_strdup("which build of its package runs is not known");
    } else {
        kernel->mentioned =
            nest_changelog_find(root, path, kernel->package, words, &kernel->changelog_error);
        kernel->changelog = g_strconcat("/", path, NULL);
    }
    if (kernel->mentioned == NULL)
        kernel->mentioned = g_new0(char *, 1);
}

NestHostKernel *nest_host_kernel_read(
    const char *root, const char *const *words, NestHostKernel *previous)
{
    g_autofree char *banner = nest_host_file_text(root, "proc/version", BANNER_MAX, NULL);
    g_autofree char *release = nest_host_file_line(root, "proc/sys/kernel/osrelease", NULL);
    g_autofree char *stamp = NULL;
    g_autofree char *path = find_changelog(root, release, &stamp);
    gboolean live_patched = is_live_patched(root);
    g_autofree char *key = g_strdup_printf("%s|%s|%s|%s|%d", release != NULL ? release : "",
        banner != NULL ? banner : "", path != NULL ? path : "", stamp != NULL ? stamp : "",
        live_patched);
    if (previous != NULL && strcmp(previous->key, key) == 0)
        return nest_host_kernel_ref(previous);
    NestHostKernel *kernel = g_atomic_rc_box_new0(NestHostKernel);
    kernel->release = g_steal_pointer(&release);
    kernel->live_patched = live_patched;
    kernel->key = g_steal_pointer(&key);
    if (!read_builder(banner, kernel) && !read_signature(root, kernel))
        read_release(root, kernel);
    read_changelog(root, path, words, kernel);
    return kernel;
}
