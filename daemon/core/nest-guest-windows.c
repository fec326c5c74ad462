/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-windows.h"
#include "nest-error.h"
#include <string.h>

#define SAID_MAX 600
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

/* What PowerShell prints itself when it runs below a service would be XML. */
#define FIRST \
    "$ErrorActionPreference='Stop'\n" \
    "$ProgressPreference='SilentlyContinue'\n" \
    "function t($s){[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($s))}\n"

static char *make_script(const char *folder, const NestExecWish *wish)
{
    GString *script = g_string_new(FIRST);
    g_autofree char *place = text_of(folder, -1);
    g_string_append_printf(script,
        "$d=%s\n"
        "try{\n"
        "[void][IO.Directory]::CreateDirectory($d)\n"
        "$o=[Diagnostics.Process]::GetCurrentProcess()\n"
        "[IO.File]::WriteAllText(\"$d\\pid\",\"$($o.Id) $($o.StartTime.Ticks)\")\n"
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

/* As -EncodedCommand wants it. */
static char *encode(const char *script)
{
    glong length = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(script, -1, NULL, &length, NULL);
    for (glong i = 0; i < length; i++)
        wide[i] = GUINT16_TO_LE(wide[i]);
    return g_base64_encode((const guchar *)wide, (gsize)length * sizeof *wide);
}

static GStrv powershell(const char *encoded)
{
    const char *const words[] = {"powershell.exe", "-NoLogo", "-NoProfile", "-NonInteractive",
        "-EncodedCommand", encoded, NULL};
    return g_strdupv((char **)words);
}

char *nest_guest_windows_encode(const char *script)
{
    g_autofree char *whole =
        g_strdup_printf(FIRST "try{[Console]::OutputEncoding=[Text.Encoding]::UTF8}catch{}\n"
                              "function last($s){$s=$s.Trim()\n"
                              "if($s.Length -gt %d){$s=$s.Substring($s.Length-%d)}\n"
                              "$s}\n"
                              "try{$said=&{\n%s\n}|Out-String}\n"
                              "catch{[Console]::Error.Write((last($_|Out-String))); exit 1}\n"
                              "[Console]::Out.Write((last $said))\n",
            SAID_MAX, SAID_MAX, script);
    return encode(whole);
}

GStrv nest_guest_windows_script(const char *script)
{
    g_autofree char *encoded = nest_guest_windows_encode(script);
    return powershell(encoded);
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
    return powershell(encoded);
}

static GStrv command_of(const char *first, ...)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    va_list rest;
    va_start(rest, first);
    for (const char *word = first; word != NULL; word = va_arg(rest, const char *))
        g_strv_builder_add(words, word);
    va_end(rest);
    return g_strv_builder_end(words);
}

GStrv nest_guest_windows_where(void)
{
    return command_of("cmd.exe", "/d", "/c", "echo", "%SystemRoot%", NULL);
}

GStrv nest_guest_windows_kill(gint64 pid)
{
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, pid);
    return command_of("taskkill.exe", "/f", "/t", "/pid", number, NULL);
}

GStrv nest_guest_windows_drop(const char *folder)
{
    return command_of("cmd.exe", "/d", "/c", "rd", "/s", "/q", folder, NULL);
}

GStrv nest_guest_windows_clear(const char *path)
{
    g_autofree char *place = text_of(path, -1);
    g_autofree char *script =
        g_strdup_printf("$d=%s\n"
                        "if(-not(Test-Path -LiteralPath $d)){return}\n"
                        "try{\n"
                        "$w=[IO.File]::ReadAllText(\"$d\\pid\").Split(' ')\n"
                        "$p=[Diagnostics.Process]::GetProcessById([int]$w[0])\n"
                        "if($p.StartTime.Ticks -eq [long]$w[1]){\n"
                        "[void](taskkill.exe /f /t /pid $w[0]); [void]$p.WaitForExit(5000)}\n"
                        "}catch{}\n"
                        "Remove-Item -Recurse -Force -LiteralPath $d\n"
                        "'gone'\n",
            place);
    return nest_guest_windows_script(script);
}

/* ---- files ---- */

/* Only Windows itself and its administrators may read the part. What a disk has free is not gone by
 * where it does not say. */
static const char prepare_script[] =
    "$d=[IO.Path]::GetDirectoryName($f)\n"
    "if(-not [IO.Directory]::Exists($d)){throw \"there is no folder $d\"}\n"
    "if([IO.File]::Exists($f) -and "
    "([IO.File]::GetAttributes($f) -band [IO.FileAttributes]::ReparsePoint))"
    "{throw \"$f is a link: give the file that it leads to\"}\n"
    "if([IO.Directory]::Exists($f)){throw \"$f is no ordinary file\"}\n"
    "$v=$n; try{$v=(New-Object IO.DriveInfo([IO.Path]::GetPathRoot($f))).AvailableFreeSpace}"
    "catch{}\n"
    "if($v -lt $n){throw \"it needs $n bytes, and $v bytes are free in $d\"}\n"
    "$a=New-Object Security.AccessControl.FileSecurity\n"
    "$a.SetAccessRuleProtection($true,$false)\n"
    "foreach($s in 'S-1-5-18','S-1-5-32-544'){"
    "$w=New-Object Security.Principal.SecurityIdentifier($s)\n"
    "$a.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule("
    "$w,'FullControl','Allow')))}\n"
    "(New-Object IO.FileStream($p,[IO.FileMode]::CreateNew,"
    "[Security.AccessControl.FileSystemRights]::FullControl,[IO.FileShare]::None,4096,"
    "[IO.FileOptions]::None,$a)).Close()\n";

/* The SHA-256 of the first $n bytes of $f. */
#define SUM \
    "function sum($f,$n){\n" \
    "$s=[IO.File]::Open($f,'Open','Read','ReadWrite')\n" \
    "try{$h=[Security.Cryptography.SHA256]::Create(); $b=New-Object byte[] 1048576\n" \
    "while($n -gt 0 -and ($r=$s.Read($b,0,[Math]::Min($n,$b.Length))) -gt 0){" \
    "[void]$h.TransformBlock($b,0,$r,$b,0); $n-=$r}\n" \
    "[void]$h.TransformFinalBlock($b,0,0)\n" \
    "[BitConverter]::ToString($h.Hash).Replace('-','').ToLower()\n" \
    "}finally{$s.Close()}}\n"

/* What is replaced keeps who may do what with it; what is new gets that from its folder. */
static const char finish_script[] =
    SUM "$g=(New-Object IO.FileInfo($p)).Length\n"
        "if($g -ne $n){throw \"$g of $n bytes have arrived\"}\n"
        "if((sum $p $n) -ne $h){throw 'its SHA-256 is another one'}\n"
        "if([IO.File]::Exists($f)){[IO.File]::Replace($p,$f,[NullString]::Value,$true)}\n"
        "else{$a=New-Object Security.AccessControl.FileSecurity\n"
        "$a.SetAccessRuleProtection($false,$false)\n"
        "[IO.File]::SetAccessControl($p,$a); [IO.File]::Move($p,$f)}\n"
        "'sha256 -'\n";

/* What says how long it is must not be a link. */
static const char sum_script[] =
    SUM "if(-not [IO.File]::Exists($f)){return}\n"
        "$s=[IO.File]::Open($f,'Open','Read','ReadWrite'); $g=$s.Length; $s.Close()\n"
        "\"$g - $(sum $f $n)\"\n";

/* script, with part (nullable) as $p, path as $f, size as $n, and sha256 (nullable) as $h. */
static GStrv file_script(
    const char *script, const char *part, const char *path, guint64 size, const char *sha256)
{
    g_autofree char *p = text_of(part != NULL ? part : "", -1), *f = text_of(path, -1);
    g_autofree char *whole =
        g_strdup_printf("$p=%s\n$f=%s\n$n=[long]%" G_GUINT64_FORMAT "\n$h='%s'\n%s", p, f, size,
            sha256 != NULL ? sha256 : "", script);
    return nest_guest_windows_script(whole);
}

GStrv nest_guest_windows_prepare(const char *part, const char *path, guint64 size)
{
    return file_script(prepare_script, part, path, size, NULL);
}

GStrv nest_guest_windows_finish(
    const char *part, const char *path, const char *mode, guint64 size, const char *sha256)
{
    return file_script(finish_script, part, path, size, sha256);
}

GStrv nest_guest_windows_sum(const char *path, guint64 size)
{
    return file_script(sum_script, NULL, path, size, NULL);
}

/* ---- what it says ---- */

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
