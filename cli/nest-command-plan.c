/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-plan-view.h"
#include "nest-record.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Plans for definitions in files: the plan is for people and goes to stderr, the definition is for
 * whatever comes behind the pipe. */

static gboolean read_all(int fd, GString *text)
{
    char block[64 * 1024];
    while (text->len <= NEST_XML_MAX) {
        gssize got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        g_string_append_len(text, block, got);
    }
    return TRUE;
}

static gboolean check_text(const char *file, const GString *text, GError **error)
{
    if (text->len > NEST_XML_MAX) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL, "%s has more than %d MiB", file,
            NEST_XML_MAX / (1024 * 1024));
        return FALSE;
    }
    if (g_utf8_validate(text->str, text->len, NULL))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
        "convert it first, for example with iconv -t UTF-8", "%s is not a text in UTF-8", file);
    return FALSE;
}

/* The content of the file, of standard input for "-". */
static char *read_definition(const char *file, GError **error)
{
    gboolean standard = strcmp(file, "-") == 0;
    const char *name = standard ? "what came on standard input" : file;
    g_autoptr(GString) text = g_string_new(NULL);
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    gboolean good = fd >= 0 && read_all(fd, text);
    int problem = errno;
    if (fd >= 0 && !standard)
        close(fd);
    if (!good) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "%s can't be read: %s", name,
            g_strerror(problem));
        return NULL;
    }
    return check_text(name, text, error) ? g_strdup(text->str) : NULL;
}

static GStrv declined(const NestArguments *arguments)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (arguments->no_mac_spoofing) {
        g_strv_builder_add(builder, "mac-spoofing");
        g_strv_builder_add(builder, "port-isolation");
    }
    if (arguments->no_memory)
        g_strv_builder_add(builder, "memory");
    return g_strv_builder_end(builder);
}

static void show(NestCli *cli, const NestXmlPlan *made)
{
    const NestPlan *plan = &made->plan;
    const char *name = plan->name != NULL ? plan->name : "the definition";
    if (plan->verdict == NEST_PLAN_STEPS)
        nest_plan_view_print(
            cli->output, plan, plan->enable ? "enable nesting" : "disable nesting");
    else if (plan->enable)
        nest_output_line(cli->output, "%s is already set up for nesting.", name);
    else
        nest_output_line(cli->output, "Nesting is already off in %s.", name);
    if (!nest_cli_answer(cli))
        nest_output_raw(cli->output, made->xml);
}

static gboolean refused(NestCli *cli, const NestPlan *plan, GError **error)
{
    nest_cli_answer(cli);
    if (plan->problem != NULL)
        nest_problem_to_error(plan->problem, error);
    else
        nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL, "nestd refuses without saying why");
    return FALSE;
}

gboolean nest_command_plan(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    if (arguments->xml == NULL) {
        nest_set_error(error, NEST_ERROR_USAGE, "of a VM that is defined: nestctl enable -n VM",
            "plan needs --xml with a file");
        return FALSE;
    }
    g_autofree char *xml = read_definition(arguments->xml, error);
    if (xml == NULL)
        return FALSE;
    g_auto(GStrv) decline = declined(arguments);
    guint extension = NEST_EXTENSION_NONE;
    if (arguments->extension != NULL &&
        (!nest_nick_parse(nest_extension_nicks, arguments->extension, &extension) ||
            extension == NEST_EXTENSION_NONE)) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help plan",
            "--extension is vmx or svm, not \"%s\"", arguments->extension);
        return FALSE;
    }
    NestXmlWish wish = {xml, !arguments->disable, decline, extension};
    g_autoptr(NestXmlPlan) made = nest_client_plan_xml(cli->client, &wish, cli->cancellable, error);
    if (made == NULL)
        return FALSE;
    if (made->plan.verdict == NEST_PLAN_REFUSED || made->xml == NULL)
        return refused(cli, &made->plan, error);
    nest_output_aside(cli->output);
    show(cli, made);
    return TRUE;
}
