/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-link-setting.h"
#include "nest-error.h"
#include "nest-host-file.h"
#include "nest-netlink.h"
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BOOT_LENGTH 8
#define MESSAGE_MAX 512

/* The flags by the names that bridge(8) and ip-link(8) have for them. */
typedef struct {
    const char *name;
    guint type;
    gsize offset;
} Flag;

static const Flag port_flags[] = {
    {"learning", IFLA_BRPORT_LEARNING, offsetof(NestLink, learning)},
    {"flood", IFLA_BRPORT_UNICAST_FLOOD, offsetof(NestLink, flood)},
    {"isolated", IFLA_BRPORT_ISOLATED, offsetof(NestLink, isolated)},
    {"guard", IFLA_BRPORT_GUARD, offsetof(NestLink, guard)},
    {"locked", IFLA_BRPORT_LOCKED, offsetof(NestLink, locked)},
};
static const Flag function_flags[] = {
    {"spoofchk", IFLA_VF_SPOOFCHK, offsetof(NestVf, spoofchk)},
    {"trust", IFLA_VF_TRUST, offsetof(NestVf, trust)},
};

/* ---- text ---- */

char *nest_link_setting_boot(const char *root)
{
    g_autofree char *id = nest_host_file_line(root, "proc/sys/kernel/random/boot_id", NULL);
    return id != NULL && g_ascii_isxdigit(*id) ? g_strndup(id, BOOT_LENGTH) : g_strdup("-");
}

static char *mac_text(const NestVf *vf)
{
    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", vf->mac[0], vf->mac[1], vf->mac[2],
        vf->mac[3], vf->mac[4], vf->mac[5]);
}

char *nest_link_setting_target(const NestLink *link, const NestVf *vf, const char *boot)
{
    if (vf == NULL)
        return g_strdup_printf("%s %u %s", link->name, link->index, boot);
    g_autofree char *mac = mac_text(vf);
    return g_strdup_printf("%s %u %s %u %s", link->name, link->index, boot, vf->number, mac);
}

char *nest_link_setting_value(const NestLink *link, const NestVf *vf)
{
    const Flag *flags = vf != NULL ? function_flags : port_flags;
    gsize n = vf != NULL ? G_N_ELEMENTS(function_flags) : G_N_ELEMENTS(port_flags);
    const guint8 *of = vf != NULL ? (const guint8 *)vf : (const guint8 *)link;
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < n; i++) {
        NestFlag state = *(const NestFlag *)(of + flags[i].offset);
        if (state != NEST_FLAG_UNKNOWN)
            g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "", flags[i].name,
                state == NEST_FLAG_ON ? "on" : "off");
    }
    return g_string_free(text, FALSE);
}

/* What is behind "flag=" among words; NULL where it is not there. */
static const char *state_of(const char *const *words, const char *flag)
{
    for (; *words != NULL; words++)
        if (g_str_has_prefix(*words, flag) && (*words)[strlen(flag)] == '=')
            return *words + strlen(flag) + 1;
    return NULL;
}

char *nest_link_setting_with(const char *value, const char *flag, gboolean on)
{
    g_auto(GStrv) words = g_strsplit(value, " ", -1);
    for (guint i = 0; words[i] != NULL; i++) {
        if (!g_str_has_prefix(words[i], flag) || words[i][strlen(flag)] != '=')
            continue;
        g_free(words[i]);
        words[i] = g_strdup_printf("%s=%s", flag, on ? "on" : "off");
    }
    return g_strjoinv(" ", words);
}

char *nest_link_setting_difference(const char *value, const char *other)
{
    g_auto(GStrv) words = g_strsplit(value, " ", -1), others = g_strsplit(other, " ", -1);
    GString *text = g_string_new(NULL);
    for (guint i = 0; words[i] != NULL; i++) {
        if (g_strv_contains((const char *const *)others, words[i]))
            continue;
        g_strdelimit(words[i], "=", ' ');
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", words[i]);
    }
    return g_string_free(text, FALSE);
}

/* ---- targets ---- */

typedef struct {
    char device[16], boot[BOOT_LENGTH + 1], mac[18];
    guint index, number;
    gboolean function;
} Target;

static gboolean parse(const char *text, Target *ret_target)
{
    Target target = {0};
    int n = sscanf(text, "%15s %u %8s %u %17s", target.device, &target.index, target.boot,
        &target.number, target.mac);
    target.function = n == 5;
    *ret_target = target;
    return n == 3 || n == 5;
}

static gboolean parse_or_fail(const char *text, Target *ret_target, GError **error)
{
    if (parse(text, ret_target))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INTERNAL, NULL, "\"%s\" is no device of the network", text);
    return FALSE;
}

static char *name_of(const Target *target)
{
    return target->function
        ? g_strdup_printf("virtual function %u of %s", target->number, target->device)
        : g_strdup_printf("bridge port %s", target->device);
}

char *nest_link_setting_name(const char *target)
{
    Target parsed;
    return parse(target, &parsed) ? name_of(&parsed) : g_strdup(target);
}

static const NestVf *find_function(const NestLink *link, const Target *target)
{
    for (guint i = 0; link->vfs != NULL && i < link->vfs->len; i++) {
        const NestVf *vf = &g_array_index(link->vfs, NestVf, i);
        g_autofree char *mac = mac_text(vf);
        if (vf->number == target->number && strcmp(mac, target->mac) == 0)
            return vf;
    }
    return NULL;
}

gboolean nest_link_setting_read(
    const char *root, const char *target, char **ret_value, GError **error)
{
    Target wanted;
    if (!parse_or_fail(target, &wanted, error))
        return FALSE;
    g_autofree char *boot = nest_link_setting_boot(root);
    if (strcmp(boot, wanted.boot) != 0)
        return TRUE;
    g_autoptr(NestLinks) links = nest_links_read(root);
    if (links->error != NULL) {
        nest_set_error(error, NEST_ERROR_HOST_UNFIT, NULL,
            "the network of this host can't be read: %s", links->error);
        return FALSE;
    }
    const NestLink *link = nest_links_find(links, wanted.device);
    if (link == NULL || link->index != wanted.index)
        return TRUE;
    const NestVf *vf = wanted.function ? find_function(link, &wanted) : NULL;
    if (wanted.function ? vf != NULL : link->port)
        *ret_value = nest_link_setting_value(link, vf);
    return TRUE;
}

/* ---- the kernel ---- */

typedef struct {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
        guint8 attributes[MESSAGE_MAX];
    } bytes;
    gsize length; /* of the attributes */
} Message;

static struct nlattr *add(Message *message, guint type, const void *data, gsize length)
{
    g_assert(message->length + NLA_HDRLEN + NLA_ALIGN(length) <= MESSAGE_MAX);
    struct nlattr *attribute = (struct nlattr *)(message->bytes.attributes + message->length);
    *attribute = (struct nlattr){(guint16)(NLA_HDRLEN + length), (guint16)type};
    if (length > 0)
        memcpy((guint8 *)attribute + NLA_HDRLEN, data, length);
    message->length += NLA_HDRLEN + NLA_ALIGN(length);
    return attribute;
}

static struct nlattr *begin(Message *message, guint type)
{
    return add(message, type | NLA_F_NESTED, NULL, 0);
}

static void end(const Message *message, struct nlattr *nest)
{
    const guint8 *here = message->bytes.attributes + message->length;
    nest->nla_len = (guint16)(here - (const guint8 *)nest);
}

static void add_port(Message *message, const char *const *words)
{
    struct nlattr *port = begin(message, IFLA_PROTINFO);
    for (guint i = 0; i < G_N_ELEMENTS(port_flags); i++) {
        const char *state = state_of(words, port_flags[i].name);
        guint8 on = g_strcmp0(state, "on") == 0;
        if (state != NULL)
            add(message, port_flags[i].type, &on, sizeof on);
    }
    end(message, port);
}

/* struct ifla_vf_spoofchk and struct ifla_vf_trust are both a number and a setting. */
static void add_function(Message *message, guint number, const char *const *words)
{
    struct nlattr *list = begin(message, IFLA_VFINFO_LIST), *vf = begin(message, IFLA_VF_INFO);
    for (guint i = 0; i < G_N_ELEMENTS(function_flags); i++) {
        const char *state = state_of(words, function_flags[i].name);
        guint32 setting[] = {number, g_strcmp0(state, "on") == 0};
        if (state != NULL)
            add(message, function_flags[i].type, setting, sizeof setting);
    }
    end(message, vf);
    end(message, list);
}

static gboolean fail(const Target *target, int number, GError **error)
{
    g_autofree char *name = name_of(target);
    const char *next = number == EPERM ? "see that nestd has the capability CAP_NET_ADMIN"
        : number == EOPNOTSUPP         ? "change it by hand, as the driver of the device wants it"
                                       : NULL;
    nest_set_error(
        error, NEST_ERROR_HOST_UNFIT, next, "%s can't be changed: %s", name, g_strerror(number));
    return FALSE;
}

gboolean nest_link_setting_put(const char *target, const char *value, GError **error)
{
    Target wanted;
    Message message = {.bytes.header.nlmsg_type = RTM_SETLINK};
    g_auto(GStrv) split = g_strsplit(value, " ", -1);
    const char *const *words = (const char *const *)split;
    if (!parse_or_fail(target, &wanted, error))
        return FALSE;
    message.bytes.info.ifi_index = (int)wanted.index;
    message.bytes.info.ifi_family = wanted.function ? AF_UNSPEC : AF_BRIDGE;
    if (wanted.function)
        add_function(&message, wanted.number, words);
    else
        add_port(&message, words);
    gsize length = offsetof(Message, bytes.attributes) + message.length;
    int number = nest_netlink_change(NETLINK_ROUTE, &message.bytes.header, length);
    return number == 0 || fail(&wanted, number, error);
}
