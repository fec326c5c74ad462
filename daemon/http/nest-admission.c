/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-admission.h"

struct NestAdmission {
    guint connections;
    guint connections_per_user;
    guint total;
    GHashTable *users; /* uid → connections, both as pointers */
};

NestAdmission *nest_admission_new(guint connections, guint connections_per_user)
{
    NestAdmission *admission = g_new0(NestAdmission, 1);
    admission->connections = connections;
    admission->connections_per_user = connections_per_user;
    admission->users = g_hash_table_new(NULL, NULL);
    return admission;
}

void nest_admission_free(NestAdmission *admission)
{
    if (admission == NULL)
        return;
    g_hash_table_unref(admission->users);
    g_free(admission);
}

static guint of_user(const NestAdmission *admission, uid_t uid)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(admission->users, GUINT_TO_POINTER(uid)));
}

static void set_user(NestAdmission *admission, uid_t uid, guint count)
{
    if (count == 0)
        g_hash_table_remove(admission->users, GUINT_TO_POINTER(uid));
    else
        g_hash_table_insert(admission->users, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(count));
}

gboolean nest_admission_enter(NestAdmission *admission, uid_t uid)
{
    guint reserve = uid == 0 ? NEST_ROOT_RESERVE : 0;
    guint count = of_user(admission, uid);
    if (admission->total >= admission->connections + reserve ||
        count >= admission->connections_per_user + reserve)
        return FALSE;
    admission->total++;
    set_user(admission, uid, count + 1);
    return TRUE;
}

void nest_admission_leave(NestAdmission *admission, uid_t uid)
{
    admission->total--;
    set_user(admission, uid, of_user(admission, uid) - 1);
}

guint nest_admission_total(const NestAdmission *admission)
{
    return admission->total;
}
