/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <libvirt/libvirt-qemu.h>
#include <string.h>

/* Libvirt asks the agent whether it is there before each command, twice if it must, and waits 5 s
 * for each; then timeout_s. It drops answers to questions of before by the number in its own. This
 * is for a libvirt that hangs. */
#define MORE_SECONDS 15

typedef struct {
    virDomainPtr domain;
    char *command;
    int timeout_s;
    char *answer; /* of malloc() */
} Question;

static void question_free(gpointer data)
{
    Question *question = data;

    virDomainFree(question->domain);
    free(question->answer);
    g_free(question->command);
    g_free(question);
}

static void explain(virDomainPtr domain, GError **error)
{
    g_autoptr(GError) problem = NULL;

    nest_virt_error_set_domain(&problem, domain, "ask the guest agent of");
    if (nest_error_code(problem) != NEST_ERROR_VM_STATE) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return;
    }
    const char *name = virDomainGetName(domain);
    g_autofree char *next =
        g_strdup_printf("nestctl start %s, or where it is paused: nestctl resume %s", name, name);
    nest_set_error(
        error, NEST_ERROR_VM_STATE, next, "%s does not run: its guest can't be asked", name);
}

static gboolean ask(gpointer data, GError **error)
{
    Question *question = data;

    question->answer =
        virDomainQemuAgentCommand(question->domain, question->command, question->timeout_s, 0);
    if (question->answer != NULL)
        return TRUE;
    explain(question->domain, error);
    return FALSE;
}

static gboolean check_length(const Question *question, GError **error)
{
    if (strlen(question->answer) <= NEST_BACKEND_ANSWER_MAX)
        return TRUE;
    nest_set_error(error, NEST_ERROR_GUEST_AGENT, NULL,
        "the guest agent of %s answered with more than %u MiB", virDomainGetName(question->domain),
        NEST_BACKEND_ANSWER_MAX >> 20);
    return FALSE;
}

gboolean nest_libvirt_agent(NestBackend *backend, const char *uuid, const char *command,
    guint timeout_s, char **ret_answer, GError **error)
{
    NestLibvirt *self = (NestLibvirt *)backend;
    g_autoptr(virDomain) domain = NULL;

    if (!nest_libvirt_domain(self, uuid, &domain, error))
        return FALSE;
    g_autofree char *failure =
        g_strdup_printf("Cannot ask the guest agent of %s", virDomainGetName(domain));
    Question *question = g_new0(Question, 1);
    question->domain = g_steal_pointer(&domain);
    question->command = g_strdup(command);
    question->timeout_s = (int)timeout_s;
    if (!nest_libvirt_run(
            ask, question, question_free, (timeout_s + MORE_SECONDS) * 1000, failure, error))
        return FALSE;
    gboolean good = check_length(question, error);
    if (good)
        *ret_answer = g_strdup(question->answer);
    question_free(question);
    return good;
}
