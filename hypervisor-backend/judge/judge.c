/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has libvirt's own parser judge one domain definition, by libvirt's test driver: that runs, opens
 * and remembers nothing beyond this process, which gives up all rights before it reads the
 * definition (decision 0009). The root's type must be "test" already. */
#include "confine.h"
#include "judge-protocol.h"
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The least that the driver takes for a host. */
static const char node[] = "<node/>";

/* Once, and never back. At exit handlers of libraries would run, which need what was given up. */
static _Noreturn void answer(const char *verdict, const char *words)
{
    char line[JUDGE_ANSWER_MAX];
    int length = snprintf(line, sizeof line - 1, JUDGE_VERSION " %s %s", verdict, words);
    if (length >= (int)sizeof line - 1)
        length = sizeof line - 2;
    for (int i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    line[length++] = '\n';
    _exit(write(STDOUT_FILENO, line, length) == length ? 0 : 1);
}

static void say_nothing(void *data, virErrorPtr error)
{
}

static const char *last_words(void)
{
    const char *words = virGetLastErrorMessage();
    static const char kind[] = "XML error: ";
    return strncmp(words, kind, sizeof kind - 1) == 0 ? words + sizeof kind - 1 : words;
}

static virConnectPtr open_driver(void)
{
    char uri[64];
    int fd = memfd_create("node", 0);
    if (fd < 0 || write(fd, node, sizeof node - 1) != sizeof node - 1)
        return NULL;
    snprintf(uri, sizeof uri, "test:///proc/self/fd/%d", fd);
    virConnectPtr connection = virConnectOpen(uri);
    close(fd);
    return connection;
}

/* All of standard input, NULL where it is too much. */
static char *read_all(void)
{
    char *text = malloc(JUDGE_INPUT_MAX + 1);
    size_t length = 0;
    ssize_t n;
    while (text != NULL && (n = read(STDIN_FILENO, text + length, JUDGE_INPUT_MAX - length)) > 0)
        length += n;
    if (text == NULL || n < 0 || length == JUDGE_INPUT_MAX)
        return NULL;
    text[length] = '\0';
    return text;
}

/* Everything else the driver may say because it is not the hypervisor that the definition is for:
 * it knows no architecture but one, and other features. */
static int is_about_form(int code)
{
    return code == VIR_ERR_XML_ERROR || code == VIR_ERR_XML_DETAIL ||
        code == VIR_ERR_XML_INVALID_SCHEMA;
}

int main(void)
{
    const char *kept = confine_begin();
    if (kept != NULL)
        answer(JUDGE_BROKEN, kept);
    setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", 1);
    setenv("HOME", "/nonexistent", 1);
    virSetErrorFunc(NULL, say_nothing);
    virConnectPtr connection = virInitialize() == 0 ? open_driver() : NULL;
    if (connection == NULL)
        answer(JUDGE_BROKEN, last_words());
    kept = confine_finish();
    if (kept != NULL)
        answer(JUDGE_BROKEN, kept);
    char *text = read_all();
    if (text == NULL)
        answer(JUDGE_BROKEN, "the definition can't be read");
    if (virDomainDefineXMLFlags(connection, text, 0) != NULL)
        answer(JUDGE_GOOD, "");
    answer(is_about_form(virGetLastErrorCode()) ? JUDGE_REFUSED : JUDGE_UNKNOWN, last_words());
}
