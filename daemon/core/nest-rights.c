/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-rights.h"
#include <grp.h>
#include <pwd.h>
#include <string.h>

#define GROUPS_MAX 1024

typedef struct {
    uid_t uid;
    char *name; /* NULL: the uid has no name */
    gid_t groups[GROUPS_MAX];
    int n_groups;
} Identity;

static void look_up(Identity *identity, uid_t uid, gid_t gid)
{
    char buffer[16384];
    struct passwd entry, *found = NULL;
    identity->uid = uid;
    identity->name = NULL;
    identity->groups[0] = gid;
    identity->n_groups = 1;
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
        return;
    identity->name = g_strdup(entry.pw_name);
    int count = GROUPS_MAX;
    if (getgrouplist(entry.pw_name, gid, identity->groups, &count) >= 0)
        identity->n_groups = count;
}

static gboolean in_group(const Identity *identity, const char *name)
{
    char buffer[65536];
    struct group entry, *found = NULL;
    if (getgrnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
        return FALSE;
    for (int i = 0; i < identity->n_groups; i++)
        if (identity->groups[i] == entry.gr_gid)
            return TRUE;
    return FALSE;
}

static gboolean is_user(const Identity *identity, const char *name)
{
    guint64 uid;
    if (g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32 - 1, &uid, NULL))
        return identity->uid == uid;
    return g_strcmp0(identity->name, name) == 0;
}

static gboolean matches(const Identity *identity, GStrv list)
{
    for (guint i = 0; list != NULL && list[i] != NULL; i++) {
        if (g_str_has_prefix(list[i], "user:") && is_user(identity, list[i] + 5))
            return TRUE;
        if (g_str_has_prefix(list[i], "group:") && in_group(identity, list[i] + 6))
            return TRUE;
    }
    return FALSE;
}

NestRight nest_rights_of(const NestConfig *config, uid_t uid, gid_t gid)
{
    if (uid == 0)
        return NEST_RIGHT_ADMIN;
    const struct {
        NestRight right;
        GStrv list;
    } rows[] = {
        {NEST_RIGHT_ADMIN, config->admin},
        {NEST_RIGHT_MANAGE, config->manage},
        {NEST_RIGHT_OPERATE, config->operate},
        {NEST_RIGHT_VIEW, config->view},
    };
    Identity identity;
    look_up(&identity, uid, gid);
    NestRight right = NEST_RIGHT_NONE;
    for (guint i = 0; i < G_N_ELEMENTS(rows) && right == NEST_RIGHT_NONE; i++)
        if (matches(&identity, rows[i].list))
            right = rows[i].right;
    g_free(identity.name);
    return right;
}

const char *nest_right_name(NestRight right)
{
    static const char *const names[] = {"none", "view", "operate", "manage", "admin"};
    return names[MIN((guint)right, G_N_ELEMENTS(names) - 1)];
}
