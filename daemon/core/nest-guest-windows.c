/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-windows.h"
#include "nest-error.h"
#include <string.h>

#define LINE_MAX_CHARS 32000 /* of 32767, Windows' own bound */

/* Runs of backslashes count only before a quotation mark. Source: Microsoft, "Parsing C
 * command-line arguments". */
static void append_word(GString *line, const char *word)
{
    if (*word != '\0' && strpbrk(word, " \t\n\v\"") == NULL) {
        g_string_append(line, word);
        return;
    }
    g_string_append_c(line, '"');
    for (const char *p = word;; p++) {
        gsize slashes = strspn(p, "\\");
        p += slashes;
        gboolean doubled = *p == '"' || *p == '\0';
        for (gsize i = 0; i < slashes * (doubled ? 2 : 1); i++)
            g_string_append_c(line, '\\');
        if (*p == '\0')
            break;
        g_string_append_printf(line, "%s%c", *p == '"' ? "\\" : "", *p);
    }
    g_string_append_c(line, '"');
}

char *nest_guest_windows_quote(const char *const *words)
{
    GString *line = g_string_new(NULL);
    for (; *words != NULL; words++) {
        if (line->len > 0)
            g_string_append_c(line, ' ');
        append_word(line, *words);
    }
    return g_string_free(line, FALSE);
}

/* An expression of PowerShell that is text. */
static char *text_of(const char *text, gssize length)
{
    g_autofree char *base64 =
        g_base64_encode((const guchar *)text, length < 0 ? strlen(text) : (gsize)length);
    return g_strdup_printf("(t '%s')", base64);
}

static void append_member(GString *script, const char *name, const char *text)
{
    g_autofree char *value = text_of(text, -1);
    g_string_append_printf(script, "$m.%s=%s\n", name, value);
}

static void append_command(GString *script, const NestExecWish *wish)
{
    g_autofree char *joined = wish->shell ? g_strjoinv(" ", wish->command) : NULL;
    g_autofree char *line = joined != NULL
        ? g_strdup_printf("/d /s /c \"%s\"", joined)
        : nest_guest_windows_quote((const char *const *)wish->command + 1);
    append_member(script, "FilePath", wish->shell ? "cmd.exe" : wish->command[0]);
    if (*line != '\0')
        append_member(script, "ArgumentList", line);
    if (wish->cwd != NULL)
        append_member(script, "WorkingDirectory", wish->cwd);
}

static void append_env(GString *script, const NestExecWish *wish)
{
    for (guint i = 0; wish->env != NULL && wish->env[i] != NULL; i++) {
        const char *value = strchr(wish->env[i], '=');
        g_autofree char *name = text_of(wish->env[i], value - wish->env[i]);
        g_autofree char *text = text_of(value + 1, -1);
        g_string_append_printf(
            script, "[Environment]::SetEnvironmentVariable(%s,%s)\n", name, text);
    }
}

static char *make_script(const char *folder, const NestExecWish *wish)
{
    GString *script = g_string_new("$ErrorActionPreference='Stop'\n"
                                   "$ProgressPreference='SilentlyContinue'\n"
                                   "function t($s){[Text.Encoding]::UTF8.GetString("
                                   "[Convert]::FromBase64String($s))}\n");
    g_autofree char *place = text_of(folder, -1);
    g_string_append_printf(script,
        "$d=%s\n"
        "try{\n"
        "[void][IO.Directory]::CreateDirectory($d)\n"
        "$m=@{RedirectStandardOutput=\"$d\\1\";RedirectStandardError=\"$d\\2\";"
        "NoNewWindow=$true;PassThru=$true}\n",
        place);
    append_env(script, wish);
    append_command(script, wish);
    if (wish->input != NULL)
        g_string_append(script,
            "$i=[IO.File]::Create(\"$d\\0\")\n"
            "[Console]::OpenStandardInput().CopyTo($i)\n"
            "$i.Close()\n"
            "$m.RedirectStandardInput=\"$d\\0\"\n");
    g_string_append(script,
        "$p=Start-Process @m\n"
        "$h=$p.Handle\n"
        "}catch{\n"
        "[Console]::Error.WriteLine($_.Exception.Message)\n"
        "Remove-Item -Recurse -Force -LiteralPath $d -ErrorAction SilentlyContinue\n"
        "exit 125\n"
        "}\n"
        "$p.WaitForExit()\n"
        "exit $p.ExitCode\n");
    return g_string_free(script, FALSE);
}

/* cmd.exe, which runs these, takes words apart in a way of its own. */
static gboolean is_batch(const char *program)
{
    g_autofree char *lower = g_ascii_strdown(program, -1);
    return g_str_has_suffix(lower, ".bat") || g_str_has_suffix(lower, ".cmd");
}

static char *encode(const char *script)
{
    glong length = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(script, -1, NULL, &length, NULL);
    for (glong i = 0; i < length; i++)
        wide[i] = GUINT16_TO_LE(wide[i]);
    return g_base64_encode((const guchar *)wide, (gsize)length * sizeof *wide);
}

GStrv nest_guest_windows_begin(const char *folder, const NestExecWish *wish, GError **error)
{
    if (!wish->shell && is_batch(wish->command[0])) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "run it with --shell",
            "a batch file can't be started with arguments that mean the same to it");
        return NULL;
    }
    g_autofree char *script = make_script(folder, wish);
    g_autofree char *encoded = encode(script);
    if (strlen(encoded) > LINE_MAX_CHARS) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, "put what is long into a file",
            "the command is too long for Windows");
        return NULL;
    }
    const char *const words[] = {
        "-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded, NULL};
    return g_strdupv((char **)words);
}

char *nest_guest_windows_temp(const char *printed)
{
    static const char plain[] = "\\_-.";
    g_autofree char *root = g_strstrip(g_strdup(printed));
    gsize length = strlen(root);
    if (length < 4 || length > 100 || !g_ascii_isalpha(root[0]) || root[1] != ':' ||
        root[2] != '\\')
        return NULL;
    for (gsize i = 2; i < length; i++)
        if (!g_ascii_isalnum(root[i]) && strchr(plain, root[i]) == NULL)
            return NULL;
    return g_strconcat(root, "\\Temp", NULL);
}
