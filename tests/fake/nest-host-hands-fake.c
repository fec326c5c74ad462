/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-hands-fake.h"
#include "nest-fake-call.h"
#include "nest-host-file.h"
#include "nest-host-modprobe.h"
#include "nest-link-setting.h"
#include "nest-saved-file.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE "[kvm]\napi-version=12\nvm-created=true\nnested-state=4224\n"

typedef struct {
    NestHostHands base;
    NestFakeControl *control;
    char *root;
} Hands;

typedef struct {
    const char *target; /* the module or the path */
    const char *value; /* the parameter, the file or the access */
    gboolean tampered;
} Work;

typedef gboolean (*Effect)(const Hands *hands, const Work *work, GError **error);

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void write_below(const Hands *hands, const char *path, const char *text)
{
    g_autofree char *full = g_build_filename(hands->root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);
    g_autoptr(GError) error = NULL;
    mode_t mask = umask(0022);
    g_mkdir_with_parents(folder, 0755);
    if (!g_file_set_contents_full(full, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0666, &error))
        g_error("%s", error->message);
    umask(mask);
}

static gboolean is_on(const char *value)
{
    return strcmp(value, "1") == 0 || strcmp(value, "Y") == 0;
}

static gboolean configured(const Hands *hands, const char *module)
{
    g_auto(GStrv) where = NULL, values = NULL;
    g_autofree char *error = NULL;
    guint i = 0;
    G_GNUC_UNUSED g_autofree char *found =
        nest_host_modprobe_find(hands->root, module, FALSE, "nested", &where, &values, &error);
    return !nest_host_modprobe_winner(where, &i) || is_on(values[i]);
}

/* The lines of proc/modules but the one of module, and added. */
static void edit_modules(const Hands *hands, const char *module, const char *added)
{
    g_autofree char *old = nest_host_file_text(hands->root, "proc/modules", 65536, NULL);
    g_autofree char *start = g_strconcat(module, " ", NULL);
    g_autoptr(GString) text = g_string_new("kvm 1 0 - Live 0x0\n");
    char *next = old;
    while (next != NULL) {
        const char *line = strsep(&next, "\n");
        if (*line != '\0' && !g_str_has_prefix(line, start) && !g_str_has_prefix(line, "kvm "))
            g_string_append_printf(text, "%s\n", line);
    }
    g_string_append(text, added);
    write_below(hands, "proc/modules", text->str);
}

static gboolean load_module(const Hands *hands, const Work *work, GError **error)
{
    const char *given = work->value != NULL ? work->value + strlen("nested=") : NULL;
    gboolean on = work->tampered ? FALSE
        : given != NULL          ? is_on(given)
                                 : configured(hands, work->target);
    gboolean amd = strcmp(work->target, "kvm_amd") == 0;
    g_autofree char *folder = g_strdup_printf("sys/module/%s", work->target);
    g_autofree char *nested = g_strconcat(folder, "/parameters/nested", NULL);
    g_autofree char *slat = g_strconcat(folder, amd ? "/parameters/npt" : "/parameters/ept", NULL);
    g_autofree char *users = g_strconcat(folder, "/refcnt", NULL);
    g_autofree char *line = g_strdup_printf("%s 1 0 - Live 0x0\n", work->target);
    write_below(hands, nested, amd ? (on ? "1\n" : "0\n") : (on ? "Y\n" : "N\n"));
    write_below(hands, slat, amd ? "1\n" : "Y\n");
    write_below(hands, users, "0\n");
    if (!nest_host_file_exists(hands->root, "dev/kvm"))
        write_below(hands, "dev/kvm", DEVICE);
    edit_modules(hands, work->target, line);
    return TRUE;
}

static void remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_folder(path);
        else
            g_unlink(path);
    }
    g_rmdir(folder);
}

static gboolean unload_module(const Hands *hands, const Work *work, GError **error)
{
    g_autofree char *folder = g_strdup_printf("sys/module/%s", work->target);
    g_autofree char *path = g_strconcat(folder, "/refcnt", NULL);
    g_autofree char *users = nest_host_file_line(hands->root, path, NULL);
    g_autofree char *full = g_build_filename(hands->root, folder, NULL);
    if (users != NULL && strcmp(users, "0") != 0) {
        nest_set_error(error, NEST_ERROR_HOST_BUSY, "turn off every VM of KVM, or reboot",
            "%s can't be unloaded: Module %s is in use", work->target, work->target);
        return FALSE;
    }
    remove_folder(full);
    edit_modules(hands, work->target, "");
    return TRUE;
}

static gboolean write_file(const Hands *hands, const Work *work, GError **error)
{
    if (!nest_saved_file_put(hands->root, work->target, work->value, error))
        return FALSE;
    if (work->tampered)
        write_below(hands, work->target, "# somebody else's\n");
    return TRUE;
}

static gboolean change_access(const Hands *hands, const Work *work, GError **error)
{
    return nest_host_hands_set_access(hands->root, work->target, work->value, error);
}

/* Of the running host, where that is the one that is read: main() lets nobody but tests with a
 * network of their own come here. */
static gboolean change_link(const Hands *hands, const Work *work, GError **error)
{
    static const char *const files[][2] = {{"learning", "learning"}, {"flood", "unicast_flood"},
        {"isolated", "isolated"}, {"guard", "bpdu_guard"}};
    if (work->tampered)
        return TRUE;
    if (strcmp(hands->root, "/") == 0)
        return nest_link_setting_put(work->target, work->value, error);
    g_auto(GStrv) words = g_strsplit(work->value, " ", -1);
    g_autofree char *device = g_strndup(work->target, strcspn(work->target, " "));
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *on = g_strconcat(files[i][0], "=on", NULL);
        g_autofree char *path = g_strdup_printf("sys/class/net/%s/brport/%s", device, files[i][1]);
        write_below(hands, path, g_strv_contains((const char *const *)words, on) ? "1\n" : "0\n");
    }
    return TRUE;
}

/* All other effects are below a root of the test's. */
static gboolean leave_machine(const Hands *hands, GError **error)
{
    if (strcmp(hands->root, "/") != 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL, "this is the machine that tests run on");
    return FALSE;
}

static gboolean run(
    NestHostHands *self, const char *slot, const Work *given, Effect effect, GError **error)
{
    Hands *hands = (Hands *)self;
    Work work = *given;
    gboolean ok = FALSE;
    g_autoptr(GError) local = NULL;
    g_auto(NestFakeVerdict) verdict = {0};
    g_autofree char *name = g_path_get_basename(work.target);
    nest_fake_control_begin(hands->control, slot, NULL, name, &verdict);
    work.tampered = verdict.tamper != NULL;
    while (verdict.hang && nest_fake_control_hangs(hands->control, &verdict, slot, NULL, name))
        g_usleep(5000);
    if (verdict.crash_before)
        die();
    if (!verdict.fail_before)
        ok =
            (effect == change_link || leave_machine(hands, &local)) && effect(hands, &work, &local);
    if (verdict.crash_after)
        die();
    if (verdict.fail_before || (ok && verdict.fail_after))
        nest_set_error(&local, verdict.code, NULL, "%s", verdict.message);
    nest_fake_control_ended(hands->control, &verdict, slot, NULL, local);
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean load(NestHostHands *self, const char *module, const char *parameter, GError **error)
{
    return run(self, "load", &(Work){module, parameter, FALSE}, load_module, error);
}

static gboolean unload(NestHostHands *self, const char *module, GError **error)
{
    return run(self, "unload", &(Work){module, NULL, FALSE}, unload_module, error);
}

static gboolean put_file(NestHostHands *self, const char *path, const char *saved, GError **error)
{
    return run(self, "put_file", &(Work){path, saved, FALSE}, write_file, error);
}

static gboolean set_access(
    NestHostHands *self, const char *path, const char *access, GError **error)
{
    return run(self, "set_access", &(Work){path, access, FALSE}, change_access, error);
}

static gboolean set_link(NestHostHands *self, const char *target, const char *value, GError **error)
{
    return run(self, "set_link", &(Work){target, value, FALSE}, change_link, error);
}

static void free_hands(NestHostHands *self)
{
    Hands *hands = (Hands *)self;
    g_free(hands->root);
    g_free(hands);
}

NestHostHands *nest_host_hands_fake_new(NestBackend *fake, const char *root)
{
    static const NestHostHandsOps ops = {load, unload, put_file, set_access, set_link, free_hands};
    Hands *hands = g_new0(Hands, 1);
    hands->base.ops = &ops;
    hands->control = ((NestFake *)fake)->control;
    hands->root = g_strdup(root);
    return &hands->base;
}
