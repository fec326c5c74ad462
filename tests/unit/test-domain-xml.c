/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-data.h"
#include "nest-patch.h"
#include <string.h>

/* Appends where in the text element stands, with its indentation, and the markup it leaves. */
static void cut(const NestDocument *document, const xmlNode *element, GArray *ranges)
{
    const NestSpan *span = nest_document_span(document, element);
    g_autofree char *indent = nest_document_indent(document, element);
    gsize range[2] = {span->start - strlen(indent), span->end};
    if (element != NULL)
        g_array_append_vals(ranges, range, 2);
}

static void cut_children(
    const NestDocument *document, const xmlNode *parent, const char *name, GArray *ranges)
{
    for (xmlNode *child = nest_element_child(parent, name); child != NULL;
         child = nest_element_next(child, name))
        cut(document, child, ranges);
}

/* The text without what a wish may touch: all bytes of it must come out of any edit. */
static char *untouched(const char *text, const NestDomainWish *wish)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestDocument) document = nest_document_parse(text, &error);
    assert_no_error(error);
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(gsize));
    const xmlNode *devices = nest_element_child(document->root, "devices");
    const xmlNode *interface = nest_element_child(devices, "interface");
    if (wish->memory_kib != 0 || wish->fix_memory) {
        cut_children(document, document->root, "memory", ranges);
        cut_children(document, document->root, "currentMemory", ranges);
    }
    if (wish->nesting != NEST_WISH_KEEP)
        cut_children(document, document->root, "cpu", ranges);
    for (; wish->allow_macs && interface != NULL;
         interface = nest_element_next(interface, "interface"))
        cut_children(document, interface, "filterref", ranges);
    if (wish->fix_memory && nest_element_child(devices, NULL) == NULL)
        cut(document, devices, ranges);
    else if (wish->fix_memory)
        cut_children(document, devices, "memballoon", ranges);
    GString *rest = g_string_new(NULL);
    gsize done = 0;
    for (guint i = 0; i < ranges->len; i += 2) {
        gsize start = g_array_index(ranges, gsize, i);
        g_string_append_len(rest, text + done, start - done);
        done = g_array_index(ranges, gsize, i + 1);
    }
    g_string_append(rest, text + done);
    return g_string_free(rest, FALSE);
}

static void assert_edit_holds(const char *xml, const NestDomainWish *wish)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *edited = nest_domain_edit(xml, wish, &error);
    if (edited == NULL) {
        NestErrorCode code = nest_error_code(error);
        assert_true(code == NEST_ERROR_UNSUPPORTED || code == NEST_ERROR_VM_UNFIT);
        return;
    }
    nest_domain_satisfies(edited, wish, &error);
    assert_no_error(error);
    g_autofree char *again = nest_domain_edit(edited, wish, &error);
    assert_no_error(error);
    assert_string_equal(again, edited);
    gboolean was_so = nest_domain_satisfies(xml, wish, NULL);
    assert_int_equal(was_so, strcmp(xml, edited) == 0);
    g_autofree char *before = untouched(xml, wish);
    g_autofree char *after = untouched(edited, wish);
    if (strstr(xml, "<devices/>") == NULL)
        assert_string_equal(before, after);
}

static void for_each_file(void (*check)(const char *xml))
{
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "domains", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    assert_non_null(dir);
    guint files = 0;
    for (const char *name; (name = g_dir_read_name(dir)) != NULL; files++) {
        g_autofree char *xml = load_domain(name);
        print_message("# %s\n", name);
        check(xml);
    }
    assert_true(files >= 12);
}

static void check_wishes(const char *xml)
{
    for (guint i = 0; i < G_N_ELEMENTS(wishes); i++)
        assert_edit_holds(xml, &wishes[i]);
}

static void check_no_wish(const char *xml)
{
    g_autoptr(GError) error = NULL;
    NestDomainWish wish = {0};
    g_autofree char *edited = nest_domain_edit(xml, &wish, &error);
    assert_no_error(error);
    assert_string_equal(edited, xml);
    assert_true(nest_domain_satisfies(xml, &wish, NULL));
}

static void test_properties(void **state)
{
    for_each_file(check_wishes);
}

static void test_no_wish_is_identity(void **state)
{
    for_each_file(check_no_wish);
}

static const struct {
    const char *file;
    NestDomainWish wish;
    const char *before, *after;
} texts[] = {
    {"host-passthrough.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX},
        "  <cpu mode=\"host-passthrough\"/>\n",
        "  <cpu mode=\"host-passthrough\" check=\"full\" migratable=\"on\">\n"
        "    <feature policy='require' name='vmx'/>\n"
        "  </cpu>\n"},
    {"no-cpu.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_SVM}, "  </os>\n",
        "  </os>\n"
        "  <cpu mode='maximum' check='full' migratable='on'>\n"
        "    <feature policy='require' name='svm'/>\n"
        "  </cpu>\n"},
    {"no-cpu.xml", {.nesting = NEST_WISH_HIDE}, "  </os>\n",
        "  </os>\n"
        "  <cpu mode='custom' match='exact' check='none'>\n"
        "    <model fallback='forbid'>qemu64</model>\n"
        "    <feature policy='disable' name='vmx'/>\n"
        "    <feature policy='disable' name='svm'/>\n"
        "  </cpu>\n"},
    {"custom-epyc.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_SVM},
        "  <cpu mode='custom' match='exact' check='partial'>\n"
        "    <model fallback='forbid' vendor_id='AuthenticAMD'>EPYC-Rome</model>\n"
        "    <vendor>AMD</vendor>\n"
        "    <feature policy='require' name='x2apic'/>\n"
        "    <feature policy='disable' name='svm'/>\n",
        "  <cpu mode='host-passthrough' check='full' migratable='on'>\n"
        "    <feature policy='require' name='x2apic'/>\n"
        "    <feature policy='require' name='svm'/>\n"},
    {"svm-parts.xml", {.nesting = NEST_WISH_HIDE},
        "    <feature policy='require' name='npt'/>\n"
        "    <feature policy='require' name='nrip-save'/>\n"
        "    <feature policy='disable' name='vgif'/>\n"
        "    <feature policy='require' name='aes'/>\n",
        "    <feature policy='disable' name='vgif'/>\n"
        "    <feature policy='require' name='aes'/>\n"
        "    <feature policy='disable' name='vmx'/>\n"
        "    <feature policy='disable' name='svm'/>\n"},
    {"qemu-commandline.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX},
        "<cpu mode='host-passthrough' check='none' migratable='off'>",
        "<cpu mode='host-passthrough' check='full' migratable='off'>"},
    {"units.xml", {.fix_memory = TRUE}, "<currentMemory unit=\"mb\">1000</currentMemory>",
        "<currentMemory unit=\"G\">3</currentMemory>"},
    {"crlf-tabs.xml", {.nesting = NEST_WISH_HIDE}, "migratable='on'/>\r\n",
        "migratable='on'>\r\n"
        "\t\t<feature policy='disable' name='vmx'/>\r\n"
        "\t\t<feature policy='disable' name='svm'/>\r\n"
        "\t</cpu>\r\n"},
    {"topology-only.xml", {.fix_memory = TRUE}, "  <devices/>\n",
        "  <devices>\n    <memballoon model='none'/>\n  </devices>\n"},
    {"host-passthrough.xml", {.memory_kib = 5000000},
        "  <memory>4194304</memory>\n  <currentMemory>4194304</currentMemory>\n",
        "  <memory>5000000</memory>\n  <currentMemory>5000000</currentMemory>\n"},
    {"host-model.xml", {.memory_kib = 5000000}, "<currentMemory unit='KiB'>4194304</currentMemory>",
        "<currentMemory unit='KiB'>5000000</currentMemory>"},
};

/* What an edit puts where, to the letter. */
static void test_edit_text(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml = load_domain(texts[i].file);
        g_autofree char *edited = nest_domain_edit(xml, &texts[i].wish, &error);
        assert_no_error(error);
        g_autoptr(GString) expected = g_string_new(xml);
        assert_int_equal(g_string_replace(expected, texts[i].before, texts[i].after, 0), 1);
        assert_string_equal(edited, expected->str);
    }
}

static const struct {
    const char *file;
    NestDomainWish wish;
    NestErrorCode code;
    const char *says;
} refusals[] = {
    {"no-cpu.xml", {.nesting = NEST_WISH_EXPOSE}, NEST_ERROR_INVALID_REQUEST, "no extension"},
    {"no-cpu.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX},
        NEST_ERROR_UNSUPPORTED, "no vmx"},
    {"aarch64.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_SVM},
        NEST_ERROR_UNSUPPORTED, "aarch64"},
    {"qemu-cpu-override.xml", {.nesting = NEST_WISH_HIDE}, NEST_ERROR_VM_UNFIT, "qemu:commandline"},
    {"topology-numa.xml", {.memory_kib = 9999999}, NEST_ERROR_VM_UNFIT, "NUMA"},
    {"units.xml", {.memory_kib = 9999999}, NEST_ERROR_VM_UNFIT, "NUMA"},
};

static void test_edit_refusals(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml = load_domain(refusals[i].file);
        assert_null(nest_domain_edit(xml, &refusals[i].wish, &error));
        assert_nest_error(error, refusals[i].code, refusals[i].says);
    }
}

static const struct {
    const char *file;
    NestDomainWish wish;
    const char *says;
} flaws[] = {
    {"host-passthrough.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX},
        "enforce"},
    {"nested-vmx.xml", {.nesting = NEST_WISH_HIDE}, "disable both"},
    {"host-model.xml", {.fix_memory = TRUE}, "currentMemory"},
    {"hidden.xml", {.fix_memory = TRUE}, "balloon"},
    {"hidden.xml", {.memory_kib = 2000000}, "less memory"},
    {"filterrefs.xml", {.allow_macs = TRUE}, "filter"},
    {"qemu-cpu-override.xml", {.nesting = NEST_WISH_EXPOSE, .extension = NEST_EXTENSION_VMX},
        "commandline"},
};

static void test_satisfies_says_what_is_not(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(flaws); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml = load_domain(flaws[i].file);
        assert_false(nest_domain_satisfies(xml, &flaws[i].wish, &error));
        assert_nest_error(error, NEST_ERROR_NOT_VERIFIED, flaws[i].says);
    }
}

/* Changes that meet at one place come out in the order of the document, however they were made. */
static void test_patch_order(void **state)
{
    const char *xml = "<domain type='kvm'>\n <a/>\n <b/>\n <c/>\n</domain>";
    g_autoptr(NestDocument) document = nest_document_parse(xml, NULL);
    g_autoptr(NestPatch) patch = nest_patch_new(document);
    const xmlNode *a = nest_element_child(document->root, "a");
    const xmlNode *b = nest_element_child(document->root, "b");
    const xmlNode *c = nest_element_child(document->root, "c");
    nest_patch_remove(patch, b);
    nest_patch_insert_after(patch, a, (const char *const[]){"<x>", "\t<y/>", "</x>", NULL});
    nest_patch_insert_before(patch, c, (const char *const[]){"<z/>", NULL});
    nest_patch_text(patch, c, "<&");
    nest_patch_attribute(patch, c, "d", "'\"");
    nest_patch_append(patch, a, (const char *const[]){"<e/>", NULL});
    nest_patch_attribute(patch, a, "f", "g");
    g_autofree char *patched = nest_patch_apply(patch);
    assert_string_equal(patched,
        "<domain type='kvm'>\n <a f='g'>\n  <e/>\n </a>\n <x>\n  <y/>\n </x>\n <z/>\n"
        " <c d='&apos;&quot;'>&lt;&amp;</c>\n</domain>");
}

#define FEATURE(policy) "<feature policy='" policy "' name='svm'/>"

static void test_doubled_features(void **state)
{
    const char *xml =
        "<domain type='kvm'><memory>1</memory>"
        "<cpu mode='host-passthrough' check='full'>" FEATURE("require")
            FEATURE("disable") "<feature policy='force' name='vmx'/><feature policy='disable' "
                               "name='vmx'/></cpu></domain>";
    g_autoptr(GError) error = NULL;
    g_autofree char *exposed = nest_domain_edit(xml, &wishes[WISH_SVM], &error);
    assert_no_error(error);
    assert_non_null(strstr(exposed,
        "migratable='on'>" FEATURE("require") "<feature policy='disable' name='vmx'/></cpu>"));
    g_autofree char *hidden = nest_domain_edit(xml, &wishes[WISH_HIDE], &error);
    assert_no_error(error);
    assert_non_null(strstr(
        hidden, "check='full'>" FEATURE("disable") "<feature policy='disable' name='vmx'/></cpu>"));
}

static char *repeat(const char *before, const char *part, guint count, const char *after)
{
    GString *text = g_string_new(before);
    for (guint i = 0; i < count; i++)
        g_string_append(text, part);
    return g_string_free(g_string_append(text, after), FALSE);
}

static void test_large_definitions(void **state)
{
    g_autofree char *wide = repeat("<domain type='kvm'><memory>1</memory>\n  <devices>",
        "\n    <interface type='user'><filterref filter='clean-traffic'/></interface>", 20000,
        "\n  </devices>\n</domain>");
    assert_edit_holds(wide, &wishes[WISH_MACS]);
    g_autofree char *features = repeat("<domain type='kvm'><memory>1</memory><cpu>",
        "<feature name='svm'/>", 50000, "</cpu></domain>");
    assert_edit_holds(features, &wishes[WISH_HIDE]);
    g_autoptr(GError) error = NULL;
    g_autofree char *empty = nest_domain_edit("<domain type='kvm'/>", &wishes[WISH_VMX], &error);
    assert_no_error(error);
    assert_string_equal(empty,
        "<domain type='kvm'><cpu mode='host-passthrough' check='full' migratable='on'>"
        "<feature policy='require' name='vmx'/></cpu></domain>");
    assert_null(nest_domain_edit("<domain type='kvm'/>", &wishes[WISH_FIX], &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "no memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_no_wish_is_identity),
        cmocka_unit_test(test_edit_text),
        cmocka_unit_test(test_edit_refusals),
        cmocka_unit_test(test_satisfies_says_what_is_not),
        cmocka_unit_test(test_patch_order),
        cmocka_unit_test(test_doubled_features),
        cmocka_unit_test(test_large_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
