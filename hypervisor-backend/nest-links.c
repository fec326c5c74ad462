/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-links.h"
#include "nest-host-file.h"
#include <stdio.h>
#include <string.h>

void nest_link_free(NestLink *link)
{
    if (link == NULL)
        return;
    g_free(link->name);
    g_free(link->kind);
    g_free(link->mode);
    g_clear_pointer(&link->vfs, g_array_unref);
    g_free(link);
}

static int compare_index(gconstpointer a, gconstpointer b)
{
    const NestLink *one = *(NestLink *const *)a, *other = *(NestLink *const *)b;
    return one->index < other->index ? -1 : one->index > other->index;
}

NestLinks *nest_links_new(GPtrArray *devices)
{
    NestLinks *links = g_new0(NestLinks, 1);
    links->all = devices;
    links->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_sort(devices, compare_index);
    for (guint i = 0; i < devices->len; i++) {
        NestLink *link = g_ptr_array_index(devices, i);
        g_hash_table_insert(links->by_name, link->name, link);
    }
    return links;
}

void nest_links_free(NestLinks *links)
{
    if (links == NULL)
        return;
    g_hash_table_unref(links->by_name);
    g_ptr_array_unref(links->all);
    g_free(links->error);
    g_free(links);
}

/* ---- files ---- */

/* A number in the file NAME of a device; FALSE where there is none. */
static gboolean read_number(const char *root, const char *device, const char *name, guint64 *number)
{
    g_autofree char *path = g_build_filename("sys/class/net", device, name, NULL);
    g_autofree char *line = nest_host_file_line(root, path, NULL);
    if (line == NULL)
        return FALSE;
    gboolean hex = g_str_has_prefix(line, "0x");
    return g_ascii_string_to_unsigned(
        hex ? line + 2 : line, hex ? 16 : 10, 0, G_MAXUINT32, number, NULL);
}

static guint read_uint(const char *root, const char *device, const char *name)
{
    guint64 number = 0;
    return read_number(root, device, name, &number) ? (guint)number : 0;
}

static NestFlag read_switch(const char *root, const char *device, const char *name)
{
    guint64 number = 0;
    if (!read_number(root, device, name, &number))
        return NEST_FLAG_UNKNOWN;
    return number != 0 ? NEST_FLAG_ON : NEST_FLAG_OFF;
}

static gboolean has(const char *root, const char *device, const char *name)
{
    g_autofree char *path = g_build_filename("sys/class/net", device, name, NULL);
    return nest_host_file_exists(root, path);
}

static const char *kind_of(const char *root, const char *device)
{
    static const char *const marks[][2] = {
        {"bridge", "bridge"}, {"tun_flags", "tun"}, {"macvtap", "macvtap"}};
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
        if (has(root, device, marks[i][0]))
            return marks[i][1];
    return NULL;
}

static NestLink *read_device(const char *root, const char *device)
{
    NestLink *link = g_new0(NestLink, 1);
    link->name = g_strdup(device);
    link->kind = g_strdup(kind_of(root, device));
    link->index = read_uint(root, device, "ifindex");
    link->mtu = read_uint(root, device, "mtu");
    link->master = read_uint(root, device, "master/ifindex");
    link->lower = read_uint(root, device, "iflink");
    if (link->lower == link->index)
        link->lower = 0;
    link->port = has(root, device, "brport");
    if (link->port) {
        link->learning = read_switch(root, device, "brport/learning");
        link->flood = read_switch(root, device, "brport/unicast_flood");
        link->isolated = read_switch(root, device, "brport/isolated");
        link->guard = read_switch(root, device, "brport/bpdu_guard");
    }
    if (g_strcmp0(link->kind, "bridge") == 0) {
        link->calls_firewall = read_switch(root, device, "bridge/nf_call_iptables");
        link->stp = read_switch(root, device, "bridge/stp_state");
    }
    return link;
}

NestLinks *nest_links_read_files(const char *root)
{
    g_autofree char *path = g_build_filename(root, "sys/class/net", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) directory = g_dir_open(path, 0, &error);
    GPtrArray *devices = g_ptr_array_new_with_free_func((GDestroyNotify)nest_link_free);
    const char *name;
    while (directory != NULL && devices->len < NEST_LINKS_MAX &&
        (name = g_dir_read_name(directory)) != NULL)
        if (has(root, name, "ifindex"))
            g_ptr_array_add(devices, read_device(root, name));
    NestLinks *links = nest_links_new(devices);
    if (directory == NULL)
        links->error = g_strdup_printf("/sys/class/net: %s", error->message);
    return links;
}

NestLinks *nest_links_read(const char *root)
{
    NestLinks *links = strcmp(root, "/") == 0 ? nest_links_ask_kernel(NULL) : NULL;
    return links != NULL ? links : nest_links_read_files(root);
}

/* ---- questions ---- */

const NestLink *nest_links_find(const NestLinks *links, const char *name)
{
    return name != NULL ? g_hash_table_lookup(links->by_name, name) : NULL;
}

const NestLink *nest_links_at(const NestLinks *links, guint index)
{
    guint low = 0, high = links->all->len;
    while (index != 0 && low < high) {
        guint middle = low + (high - low) / 2;
        const NestLink *link = g_ptr_array_index(links->all, middle);
        if (link->index == index)
            return link;
        if (link->index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const NestLink *nest_links_uplink(const NestLinks *links, const NestLink *bridge)
{
    const NestLink *found = NULL;
    for (guint i = 0; bridge != NULL && i < links->all->len; i++) {
        const NestLink *link = g_ptr_array_index(links->all, i);
        if (link->master != bridge->index || g_strcmp0(link->kind, "tun") == 0)
            continue;
        if (found == NULL || link->mtu < found->mtu)
            found = link;
    }
    return found;
}

static gboolean parse_mac(const char *text, guint8 mac[6])
{
    int used = 0;
    return text != NULL &&
        sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
            &mac[4], &mac[5], &used) == 6 &&
        text[used] == '\0';
}

const NestVf *nest_links_vf(const NestLinks *links, const char *mac, const NestLink **ret_device)
{
    guint8 wanted[6];
    if (!parse_mac(mac, wanted))
        return NULL;
    for (guint i = 0; i < links->all->len; i++) {
        const NestLink *link = g_ptr_array_index(links->all, i);
        for (guint v = 0; link->vfs != NULL && v < link->vfs->len; v++) {
            const NestVf *vf = &g_array_index(link->vfs, NestVf, v);
            if (memcmp(vf->mac, wanted, sizeof wanted) == 0) {
                *ret_device = link;
                return vf;
            }
        }
    }
    return NULL;
}

char *nest_link_text(const NestLink *link)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s %s %u %u %u %u %d %s %d %d%d%d%d%d %d%d", link->name,
        link->kind != NULL ? link->kind : "-", link->index, link->mtu, link->master, link->lower,
        link->promiscuous, link->mode != NULL ? link->mode : "-", link->port, link->learning,
        link->flood, link->isolated, link->guard, link->locked, link->calls_firewall, link->stp);
    for (guint i = 0; link->vfs != NULL && i < link->vfs->len; i++) {
        const NestVf *vf = &g_array_index(link->vfs, NestVf, i);
        g_string_append_printf(text, " %u:%02x%02x%02x%02x%02x%02x:%d%d", vf->number, vf->mac[0],
            vf->mac[1], vf->mac[2], vf->mac[3], vf->mac[4], vf->mac[5], vf->spoofchk, vf->trust);
    }
    return g_string_free(text, FALSE);
}
