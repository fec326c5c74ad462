/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-hands.h"
#include "nest-child.h"
#include "nest-error.h"
#include "nest-host-file.h"
#include "nest-link-setting.h"
#include "nest-saved-file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 4096 /* of what modprobe says */

typedef struct {
    NestHostHands base;
    char *root;
    char *modprobe;
    guint timeout_ms;
    gboolean elsewhere; /* root is not the running host, whose modules are no business of it */
} Hands;

/* "modprobe: FATAL: Module kvm_intel is in use." becomes "Module kvm_intel is in use". */
static char *first_words(const GString *words)
{
    g_autofree char *line = g_strndup(words->str, strcspn(words->str, "\n"));
    char *shown = nest_host_file_clean(line);
    if (shown == NULL)
        return g_strdup("modprobe does not say why");
    static const char *const starts[] = {"modprobe: ", "FATAL: ", "ERROR: "};
    for (guint i = 0; i < G_N_ELEMENTS(starts); i++)
        if (g_str_has_prefix(shown, starts[i]))
            memmove(shown, shown + strlen(starts[i]), strlen(shown) - strlen(starts[i]) + 1);
    if (g_str_has_suffix(shown, "."))
        shown[strlen(shown) - 1] = '\0';
    return shown;
}

static void complain(const NestChild *child, const char *module, gboolean loading, GError **error)
{
    g_autofree char *words = first_words(child->words);
    if (!loading && strstr(words, "in use") != NULL)
        nest_set_error(error, NEST_ERROR_HOST_BUSY, "turn off every VM of KVM, or reboot",
            "%s can't be unloaded: %s", module, words);
    else
        nest_set_error(error, NEST_ERROR_HOST_UNFIT,
            "the kernel log may say why: dmesg | grep -i kvm", "%s can't be %s: %s", module,
            loading ? "loaded" : "unloaded", words);
}

static gboolean judge(
    NestChild *child, guint timeout_ms, const char *module, gboolean loading, GError **error)
{
    if (!nest_child_attend(child, timeout_ms)) {
        nest_set_error(error, NEST_ERROR_TIMEOUT, "read the kernel log: dmesg",
            "modprobe did not %s %s within %u ms", loading ? "load" : "unload", module, timeout_ms);
        return FALSE;
    }
    if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0)
        return TRUE;
    complain(child, module, loading, error);
    return FALSE;
}

static gboolean run(const Hands *hands, const char *module, const char *const *words,
    gboolean loading, GError **error)
{
    static char *nothing[] = {NULL};
    g_autoptr(GError) problem = NULL;
    g_auto(NestChild) child = nest_child_init(WORDS_MAX);
    if (hands->elsewhere) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, "leave host-root in nestd.conf at /",
            "%s can't be %s: this is not the running host", module,
            loading ? "loaded" : "unloaded");
        return FALSE;
    }
    if (!g_spawn_async_with_pipes("/", (char **)words, nothing,
            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, &child.pid, NULL,
            NULL, &child.words_fd, &problem)) {
        nest_set_error(error, NEST_ERROR_HOST_UNFIT, "install kmod", "%s", problem->message);
        return FALSE;
    }
    return judge(&child, hands->timeout_ms, module, loading, error);
}

static gboolean load(NestHostHands *self, const char *module, const char *parameter, GError **error)
{
    Hands *hands = (Hands *)self;
    const char *words[] = {hands->modprobe, "--", module, parameter, NULL};
    return run(hands, module, words, TRUE, error);
}

static gboolean unload(NestHostHands *self, const char *module, GError **error)
{
    Hands *hands = (Hands *)self;
    const char *words[] = {hands->modprobe, "-r", "--", module, NULL};
    return run(hands, module, words, FALSE, error);
}

static gboolean put_file(NestHostHands *self, const char *path, const char *saved, GError **error)
{
    return nest_saved_file_put(((Hands *)self)->root, path, saved, error);
}

gboolean nest_host_hands_set_access(
    const char *root, const char *path, const char *access, GError **error)
{
    guint mode, uid, gid;
    g_autofree char *full = g_build_filename(root, path, NULL);
    if (sscanf(access, "%o %u %u", &mode, &uid, &gid) != 3) {
        nest_set_error(error, NEST_ERROR_INTERNAL, NULL, "the access \"%s\" is none", access);
        return FALSE;
    }
    int fd = open(full, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    g_autofree char *by_fd = g_strdup_printf("/proc/self/fd/%d", fd);
    gboolean ok = fd >= 0 && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0 &&
        chmod(by_fd, mode & 07777) == 0;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (!ok)
        nest_set_error(error, NEST_ERROR_HOST_UNFIT, NULL, "the access to /%s can't be set: %s",
            path, g_strerror(code));
    return ok;
}

static gboolean set_access(
    NestHostHands *self, const char *path, const char *access, GError **error)
{
    return nest_host_hands_set_access(((Hands *)self)->root, path, access, error);
}

static gboolean set_link(NestHostHands *self, const char *target, const char *value, GError **error)
{
    if (strcmp(((Hands *)self)->root, "/") == 0)
        return nest_link_setting_put(target, value, error);
    g_autofree char *name = nest_link_setting_name(target);
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, "leave host-root in nestd.conf at /",
        "%s can't be changed: this is not the running host", name);
    return FALSE;
}

static void free_hands(NestHostHands *self)
{
    Hands *hands = (Hands *)self;
    g_free(hands->root);
    g_free(hands->modprobe);
    g_free(hands);
}

static char *find_modprobe(void)
{
    static const char *const paths[] = {
        "/sbin/modprobe", "/usr/sbin/modprobe", "/usr/bin/modprobe"};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        if (access(paths[i], X_OK) == 0)
            return g_strdup(paths[i]);
    return g_strdup(paths[0]);
}

NestHostHands *nest_host_hands_new(const char *root, const char *modprobe, guint timeout_ms)
{
    static const NestHostHandsOps ops = {load, unload, put_file, set_access, set_link, free_hands};
    Hands *hands = g_new0(Hands, 1);
    hands->base.ops = &ops;
    hands->root = g_strdup(root);
    hands->modprobe = modprobe != NULL ? g_strdup(modprobe) : find_modprobe();
    hands->timeout_ms = timeout_ms;
    hands->elsewhere = modprobe == NULL && strcmp(root, "/") != 0;
    return &hands->base;
}
