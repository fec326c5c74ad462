/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-shell.h"
#include "nest-error.h"
#include "nest-record.h"
#include <string.h>

#define PATH_BYTES_MAX 4000
#define WINDOWS_BYTES_MAX \
    1000 /* what its command line has room for, as often as it is in there \
          */
#define SHA256_DIGITS 64

/* look: of process $1, group in g, and in w what no other process has, not even after a restart of
 * the guest: when it began, and in which run. What is in brackets before may hold anything. */
#define LOOK_AT_A_PROCESS \
    "look() {\n" \
    "    w=; [ -r \"/proc/$1/stat\" ] && read -r s <\"/proc/$1/stat\" || return 1\n" \
    "    set -f; set -- ${s##*)}; shift 2; g=$1; shift 17; w=$1\n" \
    "    read -r s </proc/sys/kernel/random/boot_id && w=$w,$s\n" \
    "}\n"

/* 1: the folder, 2: where to run, then the command. */
static const char begin_script[] = LOOK_AT_A_PROCESS
    "d=$1 c=$2; shift 2; u=$(umask); umask 077\n"
    "mkdir \"$d\" || exit 125\n"
    "[ -z \"$c\" ] || cd \"$c\" || { rmdir \"$d\"; exit 125; }\n"
    "g=$$; look $$\n"
    "{ echo $$ $w >\"$d/pid\" && : >\"$d/1\" && : >\"$d/2\"; } || { rm -rf \"$d\"; exit 125; }\n"
    "umask \"$u\"; exec >>\"$d/1\" 2>>\"$d/2\"\n"
    "[ \"$g\" != $$ ] && command -v setsid >/dev/null && exec setsid \"$@\"\n"
    "exec \"$@\"\n";

/* 1: the folder or part. Only what its owner has written there is believed: somebody else may have
 * made it again. */
static const char clear_script[] = LOOK_AT_A_PROCESS
    "d=$1; [ -e \"$d\" ] || exit 0\n"
    "runs() { look \"$p\" && [ \"$w\" = \"$k\" ]; }\n"
    "p= k=; [ -d \"$d\" ] && [ ! -h \"$d\" ] && [ -O \"$d\" ] && read -r p k <\"$d/pid\"\n"
    "if [ -n \"$k\" ] && runs; then\n"
    "    kill -s TERM -- \"-$p\" || kill -s TERM \"$p\"; n=0\n"
    "    while [ $n -lt 3 ] && runs; do sleep 1; n=$((n + 1)); done\n"
    "    kill -s KILL -- \"-$p\" || { runs && kill -s KILL \"$p\"; }\n"
    "fi 2>/dev/null\n"
    "rm -rf \"$d\" && echo gone\n";

/* 1: the path. A file name may end with what $() takes away. */
static const char place_script[] = "set -fu; [ -h \"$1\" ] || exit 0\n"
                                   "r=$(readlink -f \"$1\" && echo .) || { echo \"$1 is a link "
                                   "that leads nowhere\" >&2; exit 1; }\n"
                                   "printf %s \"${r%??}\"\n";

/* 1: the part, 2: the file, 3: its folder, 4: KiB that are needed. What df says in another form
 * than POSIX has is not gone by. */
static const char prepare_script[] =
    "set -fCu; umask 077; p=$1 f=$2 d=$3 n=$4\n"
    "no() { echo \"$*\" >&2; exit 1; }\n"
    "[ -d \"$d\" ] || no \"there is no folder $d\"\n"
    "[ ! -e \"$f\" ] || [ -f \"$f\" ] || no \"$f is no ordinary file\"\n"
    "set -- $(df -Pk \"$d\" 2>/dev/null | tail -n 1)\n"
    "case ${4:-x} in\n"
    "    *[!0-9]*) ;;\n"
    "    *) [ \"$4\" -ge \"$n\" ] || no \"it needs $n KiB, and $4 KiB are free in $d\" ;;\n"
    "esac\n"
    ": >\"$p\"\n";

/* 1: the part, 2: the file, 3: mode or nothing, 4: bytes, 5: SHA-256. */
static const char finish_script[] =
    "set -fu; p=$1 f=$2 m=$3 n=$4 h=$5 how=size\n"
    "no() { echo \"$*\" >&2; exit 1; }\n"
    "g=$(wc -c <\"$p\") && [ \"$g\" -eq \"$n\" ] || no \"${g:-0} of $n bytes have arrived\"\n"
    "if command -v sha256sum >/dev/null; then\n"
    "    g=$(sha256sum <\"$p\") && [ \"${g%% *}\" = \"$h\" ] || no \"its SHA-256 is another one\"\n"
    "    how=sha256\n"
    "fi\n"
    "if [ -f \"$f\" ] && o=$(stat -L -c %u:%g \"$f\" 2>/dev/null); then\n"
    "    chown \"$o\" \"$p\" || exit 1\n"
    "    [ -n \"$m\" ] || m=$(stat -L -c %a \"$f\")\n"
    "fi\n"
    "[ -n \"$m\" ] || m=644\n"
    "sync \"$p\" 2>/dev/null\n"
    "chmod \"$m\" \"$p\" && mv -f \"$p\" \"$f\" && echo \"$how $m\"\n";

static const char kill_script[] =
    "kill -s \"$1\" -- \"-$2\" 2>/dev/null || kill -s \"$1\" \"$2\"\n";
static const char drop_script[] = "rm -rf \"$1\"\n";

/* 1: the file, 2: bytes. A file that can't be read twice, as a device, is not looked at. */
static const char sum_script[] =
    "set -fu; [ -f \"$1\" ] || exit 0\n"
    "n=$(stat -L -c %s \"$1\" 2>/dev/null) || n=$(wc -c <\"$1\") || exit 0\n"
    "m=$(stat -L -c %a \"$1\" 2>/dev/null) || m=-\n"
    "h=-; command -v sha256sum >/dev/null && h=$(head -c \"$2\" \"$1\" | sha256sum)\n"
    "echo \"$n\" \"$m\" \"${h%% *}\"\n";

static GStrv sh(const char *script, ...)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    const char *word;
    va_list rest;
    g_strv_builder_add_many(words, "/bin/sh", "-c", script, "sh", NULL);
    va_start(rest, script);
    while ((word = va_arg(rest, const char *)) != NULL)
        g_strv_builder_add(words, word);
    va_end(rest);
    return g_strv_builder_end(words);
}

/* ---- a command ---- */

GStrv nest_guest_shell_begin(const char *folder, const NestExecWish *wish)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    const char *cwd = wish->cwd != NULL ? wish->cwd : "";
    g_strv_builder_add_many(words, "/bin/sh", "-c", begin_script, "sh", folder, cwd, NULL);
    if (wish->env != NULL && *wish->env != NULL) {
        g_strv_builder_add(words, "env");
        g_strv_builder_addv(words, (const char **)wish->env);
        g_strv_builder_add_many(words, "sh", "-c", "exec \"$@\"", "sh", NULL);
    }
    g_autofree char *line = wish->shell ? g_strjoinv(" ", wish->command) : NULL;
    if (line != NULL)
        g_strv_builder_add_many(words, "/bin/sh", "-c", line, NULL);
    else
        g_strv_builder_addv(words, (const char **)wish->command);
    return g_strv_builder_end(words);
}

GStrv nest_guest_shell_kill(const char *signal, gint64 pid)
{
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, pid);
    return sh(kill_script, signal, number, NULL);
}

GStrv nest_guest_shell_drop(const char *path)
{
    return sh(drop_script, path, NULL);
}

GStrv nest_guest_shell_clear(const char *path)
{
    return sh(clear_script, path, NULL);
}

/* ---- a file is put ---- */

gboolean nest_guest_shell_is_windows(const char *path)
{
    return g_ascii_isalpha(path[0]) && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
}

/* In Windows, where / does as well, a second colon would name something else than a file. */
static const char *name_of(const char *path)
{
    const char *name = strrchr(path, '/');
    if (!nest_guest_shell_is_windows(path))
        return *path == '/' ? name + 1 : NULL;
    const char *other = strrchr(path, '\\');
    return strchr(path + 2, ':') == NULL ? MAX(name, other) + 1 : NULL;
}

gboolean nest_guest_shell_check_path(const char *path, GError **error)
{
    gsize max =
        path != NULL && nest_guest_shell_is_windows(path) ? WINDOWS_BYTES_MAX : PATH_BYTES_MAX;
    const char *name = path != NULL ? name_of(path) : NULL;
    if (name != NULL && *name != '\0' && strlen(path) <= max)
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
        "give it as /folder/file, in Windows as C:\\folder\\file",
        "the path of a file in a guest begins with / or a drive of Windows, does not end with a "
        "folder, and has at most %d bytes, in Windows %d",
        PATH_BYTES_MAX, WINDOWS_BYTES_MAX);
    return FALSE;
}

static char *folder_of(const char *path)
{
    const char *end = strrchr(path, '/');
    return end == path ? g_strdup("/") : g_strndup(path, (gsize)(end - path));
}

char *nest_guest_shell_part(const char *path, const char *mark)
{
    g_autofree char *folder = g_strndup(path, (gsize)(name_of(path) - path));
    return g_strconcat(folder, ".nestd-", mark, NULL);
}

GStrv nest_guest_shell_place(const char *path)
{
    return sh(place_script, path, NULL);
}

GStrv nest_guest_shell_prepare(const char *part, const char *path, guint64 size)
{
    g_autofree char *folder = folder_of(path);
    g_autofree char *kib = g_strdup_printf("%" G_GUINT64_FORMAT, (size + 1023) / 1024);
    return sh(prepare_script, part, path, folder, kib, NULL);
}

GStrv nest_guest_shell_finish(
    const char *part, const char *path, const char *mode, guint64 size, const char *sha256)
{
    g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    return sh(finish_script, part, path, mode != NULL ? mode : "", bytes, sha256, NULL);
}

static gboolean is_octal(const char *text)
{
    gsize length = strlen(text);
    return length >= 1 && length <= 5 && strspn(text, "01234567") == length;
}

gboolean nest_guest_shell_read_finished(const char *printed, NestFile *file)
{
    g_auto(GStrv) words = g_strsplit_set(printed != NULL ? printed : "", " \n", -1);
    guint verified = NEST_VERIFIED_NONE;
    if (g_strv_length(words) < 2 || !(is_octal(words[1]) || strcmp(words[1], "-") == 0) ||
        !nest_nick_parse(nest_verified_nicks, words[0], &verified))
        return FALSE;
    file->verified = verified;
    g_free(file->mode);
    file->mode = is_octal(words[1]) ? g_strdup(words[1]) : NULL;
    return TRUE;
}

/* ---- a file is got ---- */

GStrv nest_guest_shell_sum(const char *path, guint64 size)
{
    g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    return sh(sum_script, path, bytes, NULL);
}

/* A file of the kernel says that it is empty, and is not. */
static NestVerified judge(const NestFile *file, guint64 size, const char *sha256)
{
    if (size == 0 && file->size > 0)
        return NEST_VERIFIED_NONE;
    return strlen(sha256) == SHA256_DIGITS ? NEST_VERIFIED_SHA256 : NEST_VERIFIED_SIZE;
}

gboolean nest_guest_shell_compare(const char *printed, NestFile *file, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(printed != NULL ? printed : "", " \n", -1);
    guint64 size = 0;
    if (g_strv_length(words) < 3 ||
        !g_ascii_string_to_unsigned(words[0], 10, 0, G_MAXUINT64, &size, NULL))
        return TRUE;
    file->verified = judge(file, size, words[2]);
    gboolean same = file->verified == NEST_VERIFIED_NONE ||
        (size >= file->size &&
            (file->verified == NEST_VERIFIED_SIZE || strcmp(words[2], file->sha256) == 0));
    if (!same) {
        nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "try again",
            "%s is not in the guest what was read of it: it was changed meanwhile", file->path);
        return FALSE;
    }
    file->mode = is_octal(words[1]) ? g_strdup(words[1]) : NULL;
    return TRUE;
}
