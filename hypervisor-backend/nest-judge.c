/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-judge.h"
#include "judge/judge-protocol.h"
#include "nest-child.h"
#include "nest-error.h"
#include "nest-host-file.h"
#include "nest-patch.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

const char *nest_judge_program(void)
{
    const char *given = g_getenv("NESTD_JUDGE");
    return given != NULL ? given : NEST_JUDGE_PROGRAM;
}

/* As the test driver takes it. Its own architecture is another than the hypervisor's. */
static char *for_test_driver(const char *xml, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    if (document == NULL)
        return NULL;
    g_autoptr(NestPatch) patch = nest_patch_new(document);
    const xmlNode *os = nest_element_child(document->root, "os");
    const xmlNode *type = nest_element_child(os, "type");
    g_autofree char *arch = type != NULL ? nest_element_get(type, "arch") : NULL;
    nest_patch_attribute(patch, document->root, "type", "test");
    if (type != NULL && arch == NULL)
        nest_patch_attribute(patch, type, "arch", "x86_64");
    return nest_patch_apply(patch);
}

/* A file without a name, read from its start; -1 with errno. */
static int file_of(const char *text)
{
    gsize length = strlen(text), done = 0;
    int fd = memfd_create("definition", MFD_CLOEXEC);
    while (fd >= 0 && done < length) {
        ssize_t n = pwrite(fd, text + done, length - done, done);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += n;
    }
    return fd;
}

static gboolean start(NestChild *child, const char *program, const char *text, GError **error)
{
    const char *words[] = {program, NULL};
    static char *nothing[] = {NULL};
    int fd = file_of(text);
    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s", g_strerror(errno));
        return FALSE;
    }
    gboolean started = g_spawn_async_with_pipes_and_fds("/", words, (const char *const *)nothing,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
        fd, -1, -1, NULL, NULL, 0, &child->pid, NULL, &child->words_fd, NULL, error);
    close(fd);
    return started;
}

static char *why_silent(const NestChild *child)
{
    if (WIFSIGNALED(child->status))
        return g_strdup_printf("it was ended by signal %d", WTERMSIG(child->status));
    return g_strdup_printf("it ended with status %d and no answer", WEXITSTATUS(child->status));
}

/* What follows when the answer starts with the verdict, else NULL. */
static const char *words_of(const char *line, const char *verdict)
{
    const char start[] = JUDGE_VERSION " ";
    gsize length = strlen(verdict);
    if (!g_str_has_prefix(line, start) || strncmp(line + sizeof start - 1, verdict, length) != 0)
        return NULL;
    const char *rest = line + sizeof start - 1 + length;
    return *rest == ' ' ? rest + 1 : *rest == '\0' ? rest : NULL;
}

/* line: the answer, of which nothing is believed but its form. */
static gboolean weigh(const char *line, char **ret_doubt, GError **error)
{
    const char *refused = words_of(line, JUDGE_REFUSED), *broken = words_of(line, JUDGE_BROKEN);
    if (refused != NULL) {
        g_autofree char *words = nest_host_file_clean(refused);
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
            "compare it with https://libvirt.org/formatdomain.html",
            "libvirt would refuse this definition: %s",
            words != NULL ? words : "it does not say why");
        return FALSE;
    }
    if (broken != NULL)
        *ret_doubt = nest_host_file_clean(broken);
    else if (words_of(line, JUDGE_GOOD) == NULL && words_of(line, JUDGE_UNKNOWN) == NULL)
        *ret_doubt = g_strdup("its answer is none");
    return TRUE;
}

/* The answer, in *ret_line; FALSE: there is none, for which *ret_doubt is the reason. */
static gboolean ask(
    const char *program, guint timeout_ms, const char *text, char **ret_line, char **ret_doubt)
{
    g_autoptr(GError) problem = NULL;
    g_auto(NestChild) child = nest_child_init(JUDGE_ANSWER_MAX);
    if (!start(&child, program, text, &problem))
        *ret_doubt = g_strdup(problem->message);
    else if (!nest_child_attend(&child, timeout_ms))
        *ret_doubt = g_strdup_printf("it took longer than %u ms", timeout_ms);
    else if (child.words->len == 0 || !WIFEXITED(child.status))
        *ret_doubt = why_silent(&child);
    else
        *ret_line = g_strndup(child.words->str, strcspn(child.words->str, "\n"));
    return *ret_doubt == NULL;
}

gboolean nest_judge_check(
    const char *program, guint timeout_ms, const char *xml, char **ret_doubt, GError **error)
{
    g_autofree char *text = for_test_driver(xml, error);
    g_autofree char *line = NULL;
    g_autofree char *doubt = NULL;
    if (text == NULL)
        return FALSE;
    if (ask(program, timeout_ms, text, &line, &doubt) && !weigh(line, &doubt, error))
        return FALSE;
    *ret_doubt = doubt != NULL ? g_strdup_printf("%s: %s", program, doubt) : NULL;
    return TRUE;
}
