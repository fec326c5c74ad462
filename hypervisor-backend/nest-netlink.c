/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-netlink.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PART_MAX (256 * 1024) /* more than the kernel puts into one */
#define ANSWER_MAX (64 * 1024 * 1024)
#define ANSWER_SECONDS 2

static gboolean fail(char **ret_error, int number)
{
    if (ret_error != NULL)
        *ret_error = g_strdup_printf("netlink: %s", g_strerror(number));
    return FALSE;
}

gboolean nest_netlink_walk(const guint8 *bytes, gsize length, NestNetlinkHandler handler,
    gpointer user_data, char **ret_error)
{
    while (length >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *header = (const struct nlmsghdr *)bytes;
        if (header->nlmsg_len < sizeof *header || header->nlmsg_len > length)
            return fail(ret_error, EBADMSG);
        gsize payload = header->nlmsg_len - sizeof *header;
        if (header->nlmsg_type == NLMSG_DONE)
            return FALSE;
        if (header->nlmsg_type == NLMSG_ERROR) {
            int number = 0;
            if (payload >= sizeof number)
                memcpy(&number, bytes + sizeof *header, sizeof number);
            return fail(ret_error, number != 0 ? -number : EBADMSG);
        }
        handler(header, bytes + sizeof *header, payload, user_data);
        gsize step = MIN(NLMSG_ALIGN(header->nlmsg_len), length);
        bytes += step;
        length -= step;
    }
    return TRUE;
}

static gboolean receive(
    int fd, guint8 *buffer, NestNetlinkHandler handler, gpointer user_data, char **ret_error)
{
    gsize total = 0;
    char *error = NULL;
    while (total < ANSWER_MAX) {
        ssize_t n = recv(fd, buffer, PART_MAX, MSG_TRUNC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || n > PART_MAX)
            return fail(ret_error, n < 0 ? errno : EMSGSIZE);
        total += (gsize)n;
        if (n == 0 || !nest_netlink_walk(buffer, (gsize)n, handler, user_data, &error))
            break;
    }
    if (error == NULL && total < ANSWER_MAX)
        return TRUE;
    if (ret_error != NULL)
        *ret_error = error != NULL ? error : g_strdup("netlink: the answer has no end");
    else
        g_free(error);
    return FALSE;
}

/* A socket that request was sent on, with patience for the answer; -1 with errno. */
static int ask(int protocol, struct nlmsghdr *request, gsize length, guint flags)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -1;
    request->nlmsg_len = (guint32)length;
    request->nlmsg_flags = (guint16)(NLM_F_REQUEST | flags);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        sendto(fd, request, length, 0, (const struct sockaddr *)&kernel, sizeof kernel) ==
            (ssize_t)length)
        return fd;
    int number = errno;
    close(fd);
    errno = number;
    return -1;
}

gboolean nest_netlink_dump(int protocol, struct nlmsghdr *request, gsize length,
    NestNetlinkHandler handler, gpointer user_data, char **ret_error)
{
    int fd = ask(protocol, request, length, NLM_F_DUMP);
    if (fd < 0)
        return fail(ret_error, errno);
    g_autofree guint8 *buffer = g_malloc(PART_MAX);
    gboolean good = receive(fd, buffer, handler, user_data, ret_error);
    close(fd);
    return good;
}

/* An acknowledgement is an error with the number 0. */
int nest_netlink_change(int protocol, struct nlmsghdr *request, gsize length)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        guint8 rest[1024]; /* the request again, and words for people */
    } answer;
    int fd = ask(protocol, request, length, NLM_F_ACK);
    if (fd < 0)
        return errno;
    ssize_t n;
    do
        n = recv(fd, &answer, sizeof answer, 0);
    while (n < 0 && errno == EINTR);
    int number = n < 0 ? errno
        : n < (ssize_t)NLMSG_LENGTH(sizeof(int)) || answer.header.nlmsg_type != NLMSG_ERROR
        ? EBADMSG
        : -answer.error.error;
    close(fd);
    return number;
}

gboolean nest_netlink_next(const guint8 **bytes, gsize *length, NestAttribute *ret_attribute)
{
    struct nlattr header;
    if (*length < sizeof header)
        return FALSE;
    memcpy(&header, *bytes, sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > *length)
        return FALSE;
    *ret_attribute = (NestAttribute){
        header.nla_type & NLA_TYPE_MASK, *bytes + sizeof header, header.nla_len - sizeof header};
    gsize step = MIN((gsize)NLA_ALIGN(header.nla_len), *length);
    *bytes += step;
    *length -= step;
    return TRUE;
}

gboolean nest_netlink_find(
    const guint8 *bytes, gsize length, guint type, NestAttribute *ret_attribute)
{
    NestAttribute attribute;
    while (nest_netlink_next(&bytes, &length, &attribute))
        if (attribute.type == type) {
            *ret_attribute = attribute;
            return TRUE;
        }
    return FALSE;
}

guint8 nest_netlink_u8(const NestAttribute *attribute)
{
    return attribute->length >= 1 ? attribute->data[0] : 0;
}

guint32 nest_netlink_u32(const NestAttribute *attribute)
{
    guint32 value = 0;
    if (attribute->length >= sizeof value)
        memcpy(&value, attribute->data, sizeof value);
    return value;
}

char *nest_netlink_text(const NestAttribute *attribute)
{
    g_autofree char *text = g_strndup((const char *)attribute->data, attribute->length);
    return *text != '\0' ? g_utf8_make_valid(text, -1) : NULL;
}
