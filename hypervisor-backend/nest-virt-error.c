/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-virt-error.h"
#include <libvirt/virterror.h>
#include <string.h>

#define TEXT_MAX 1000

static const struct {
    int number;
    NestErrorCode code;
} rows[] = {
    {VIR_ERR_NO_DOMAIN, NEST_ERROR_VM_NOT_FOUND},
    {VIR_ERR_INVALID_DOMAIN, NEST_ERROR_VM_NOT_FOUND},
    {VIR_ERR_DOM_EXIST, NEST_ERROR_VM_EXISTS},
    {VIR_ERR_OPERATION_INVALID, NEST_ERROR_VM_STATE},
    {VIR_ERR_RESOURCE_BUSY, NEST_ERROR_VM_BUSY},
    {VIR_ERR_BLOCK_COPY_ACTIVE, NEST_ERROR_VM_BUSY},
    {VIR_ERR_XML_ERROR, NEST_ERROR_INVALID_REQUEST},
    {VIR_ERR_XML_DETAIL, NEST_ERROR_INVALID_REQUEST},
    {VIR_ERR_XML_INVALID_SCHEMA, NEST_ERROR_INVALID_REQUEST},
    {VIR_ERR_INVALID_ARG, NEST_ERROR_INVALID_REQUEST},
    {VIR_ERR_INVALID_MAC, NEST_ERROR_INVALID_REQUEST},
    {VIR_ERR_CPU_INCOMPATIBLE, NEST_ERROR_HOST_UNFIT},
    {VIR_ERR_NO_SUPPORT, NEST_ERROR_UNSUPPORTED},
    {VIR_ERR_CONFIG_UNSUPPORTED, NEST_ERROR_UNSUPPORTED},
    {VIR_ERR_ARGUMENT_UNSUPPORTED, NEST_ERROR_UNSUPPORTED},
    {VIR_ERR_OPERATION_UNSUPPORTED, NEST_ERROR_UNSUPPORTED},
    {VIR_ERR_OPERATION_TIMEOUT, NEST_ERROR_TIMEOUT},
    {VIR_ERR_AGENT_UNRESPONSIVE, NEST_ERROR_GUEST_AGENT},
    {VIR_ERR_AGENT_UNSYNCED, NEST_ERROR_GUEST_AGENT},
    {VIR_ERR_OPERATION_ABORTED, NEST_ERROR_ABORTED},
    {VIR_ERR_CONF_SYNTAX, NEST_ERROR_CONFIG},
    {VIR_ERR_NO_CONNECT, NEST_ERROR_BACKEND_UNAVAILABLE},
    {VIR_ERR_INVALID_CONN, NEST_ERROR_BACKEND_UNAVAILABLE},
    {VIR_ERR_UNKNOWN_HOST, NEST_ERROR_BACKEND_UNAVAILABLE},
    {VIR_ERR_RPC, NEST_ERROR_BACKEND_UNAVAILABLE},
    {VIR_ERR_AUTH_FAILED, NEST_ERROR_BACKEND_UNAVAILABLE},
    {VIR_ERR_AUTH_CANCELLED, NEST_ERROR_BACKEND_UNAVAILABLE},
    {VIR_ERR_AUTH_UNAVAILABLE, NEST_ERROR_BACKEND_UNAVAILABLE},
};

NestErrorCode nest_virt_error_code(int number)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].number == number)
            return rows[i].code;
    return NEST_ERROR_HYPERVISOR;
}

/* Of what else the message may have in it, names of files are no word of it. */
static gboolean names_extension(const char *message)
{
    return g_regex_match_simple(
        "(?<![[:alnum:]/-])(vmx|svm)(?![[:alnum:]/-]|\\.[[:alnum:]])", message, 0, 0);
}

NestErrorCode nest_virt_error_start_code(int number, const char *message)
{
    NestErrorCode code = nest_virt_error_code(number);

    if (code == NEST_ERROR_HYPERVISOR && message != NULL && names_extension(message))
        return NEST_ERROR_HOST_UNFIT;
    return code;
}

NestErrorCode nest_virt_error_define_code(int number, const char *message)
{
    NestErrorCode code = nest_virt_error_code(number);

    if (code == NEST_ERROR_HYPERVISOR && message != NULL &&
        g_regex_match_simple("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", message, 0, 0))
        return NEST_ERROR_VM_EXISTS;
    return code;
}

char *nest_virt_error_text(const char *message)
{
    g_autofree char *text = g_utf8_make_valid(message != NULL ? message : "", -1);
    gsize length;

    for (char *at = text; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            *at = ' ';
    if (strlen(text) > TEXT_MAX)
        *g_utf8_find_prev_char(text, text + TEXT_MAX + 1) = '\0';
    g_strstrip(text);
    length = strlen(text);
    if (length > 0 && text[length - 1] == '.')
        text[length - 1] = '\0';
    if (*text == '\0')
        return g_strdup("no reason given");
    return g_steal_pointer(&text);
}

static const char *next_for(NestErrorCode code)
{
    switch (code) {
    case NEST_ERROR_HOST_UNFIT:
        return "see 'nestctl status' for what this host lacks, or take nesting off the VM again";
    case NEST_ERROR_BACKEND_UNAVAILABLE:
        return "check that the libvirt daemon runs and that nestd may connect to it";
    case NEST_ERROR_GUEST_AGENT:
        return "install qemu-guest-agent in the guest, start it, and wait until the guest has "
               "booted";
    case NEST_ERROR_TIMEOUT:
        return "its QEMU may hang: try again, or power the VM off";
    default:
        return NULL;
    }
}

typedef NestErrorCode (*CodeFunction)(int number, const char *message);

static NestErrorCode plain_code(int number, const char *message)
{
    return nest_virt_error_code(number);
}

/* Takes last over. */
static void set(GError **error, virErrorPtr last, virConnectPtr connection, CodeFunction code_of,
    const char *what)
{
    g_autofree char *text = nest_virt_error_text(last != NULL ? last->message : NULL);
    NestErrorCode code = code_of(last != NULL ? last->code : VIR_ERR_OK, text);

    if (connection != NULL && virConnectIsAlive(connection) == 0)
        code = NEST_ERROR_BACKEND_UNAVAILABLE;
    nest_set_error(error, code, next_for(code), "%s: %s", what, text);
    if (last != NULL)
        virFreeError(last);
}

void nest_virt_error_set(GError **error, virConnectPtr connection, const char *what)
{
    set(error, virSaveLastError(), connection, plain_code, what);
}

static NestErrorCode open_code(int number, const char *message)
{
    return number == VIR_ERR_CONF_SYNTAX ? NEST_ERROR_CONFIG : NEST_ERROR_BACKEND_UNAVAILABLE;
}

void nest_virt_error_set_open(GError **error, const char *what)
{
    set(error, virSaveLastError(), NULL, open_code, what);
}

static void set_domain(GError **error, virDomainPtr domain, CodeFunction code_of, const char *verb)
{
    virErrorPtr last = virSaveLastError();
    g_autofree char *what = g_strdup_printf("Cannot %s %s", verb, virDomainGetName(domain));

    set(error, last, virDomainGetConnect(domain), code_of, what);
}

void nest_virt_error_set_domain(GError **error, virDomainPtr domain, const char *verb)
{
    set_domain(error, domain, plain_code, verb);
}

void nest_virt_error_set_start(GError **error, virDomainPtr domain)
{
    set_domain(error, domain, nest_virt_error_start_code, "start");
}

void nest_virt_error_set_define(GError **error, virConnectPtr connection)
{
    set(error, virSaveLastError(), connection, nest_virt_error_define_code,
        "Cannot store the definition");
}
