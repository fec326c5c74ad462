/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-place.h"
#include "nest-test.h"
#include "nest-vm-view.h"

/* A VM and its host for tests of what decides. Fill in what matters; the rest is a good KVM VM on
 * the recorded host intel-ready that is off and has nesting hidden. */
typedef struct {
    const char *host; /* name of a recorded host; "" for none */
    const char *type; /* of the domain */
    const char *arch;
    const char *cpu; /* the <cpu> element */
    const char *live_cpu; /* what runs, NULL: nothing */
    const char *devices; /* further devices */
    guint memory_mib, current_mib, vcpus;
    gboolean balloon, saved, no_caps, broken;
    guint64 saved_bytes;
    guint snapshots;
    NestVmState state; /* UNKNOWN counts as off */
    gboolean state_unknown;
    NestExtension kvm_extension; /* of caps; NONE: what the host gives */
    gboolean kvm_offers_none, tcg_offers_none;
    NestActivity activity; /* as sampled */
} TestVm;

typedef struct {
    NestVmFacts *facts;
    NestDomain *domain, *live;
    NestHostFacts *host;
    NestBackendCaps *caps;
    NestVmMarks marks;
    NestVmView view;
} TestView;

#define CPU_ON(name) \
    "<cpu mode='host-passthrough' check='full'><feature policy='require' name='" name "'/></cpu>"
#define CPU_TCG_ON "<cpu mode='maximum' check='full'><feature policy='require' name='svm'/></cpu>"
#define CPU_OFF \
    "<cpu mode='host-passthrough'><feature policy='disable' name='vmx'/>" \
    "<feature policy='disable' name='svm'/></cpu>"
#define CPU_MODE(mode) "<cpu mode='" mode "'/>"
#define NIC(type, filter) \
    "<interface type='" type "'><mac address='52:54:00:00:00:01'/>" filter "</interface>"
#define FILTER(name) "<filterref filter='" name "'/>"

static inline char *test_vm_xml(const TestVm *vm, const char *cpu)
{
    guint memory = vm->memory_mib != 0 ? vm->memory_mib : 4096;
    guint current = vm->current_mib != 0 ? vm->current_mib : memory;
    return g_strdup_printf(
        "<domain type='%s'><name>DemoVM</name>"
        "<uuid>6ba7b810-9dad-11d1-80b4-00c04fd430c8</uuid>"
        "<memory unit='MiB'>%u</memory><currentMemory unit='MiB'>%u</currentMemory>"
        "<vcpu>%u</vcpu><os><type arch='%s' machine='pc-q35-7.2'>hvm</type></os>%s"
        "<devices>%s<memballoon model='%s'/></devices></domain>",
        vm->type != NULL ? vm->type : "kvm", memory, current, vm->vcpus != 0 ? vm->vcpus : 2,
        vm->arch != NULL ? vm->arch : "x86_64", cpu, vm->devices != NULL ? vm->devices : "",
        vm->balloon ? "virtio" : "none");
}

static inline NestDomain *test_read(const char *xml)
{
    g_autoptr(GError) error = NULL;
    NestDomain *domain = nest_domain_read(xml, &error);
    assert_no_error(error);
    return domain;
}

static inline NestHostFacts *test_host(const char *name)
{
    g_autofree char *root = g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts", name, NULL);
    assert_true(g_file_test(root, G_FILE_TEST_IS_DIR));
    return nest_host_probe(root);
}

/* What the advisories that nestd was built with say of its kernel. */
static inline NestAdvice *test_advice(const char *name, const NestHostFacts *facts)
{
    g_autofree char *root = g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts", name, NULL);
    g_autoptr(NestAdvisories) advisories = nest_advisories_load("/nonexistent");
    g_autoptr(NestHostPlace) place = nest_host_place_new(root, advisories);
    return nest_host_place_advise(place, facts);
}

static inline NestBackendCaps *test_caps(const NestHostFacts *host)
{
    NestBackendCaps *caps = g_new0(NestBackendCaps, 1);
    caps->uri = g_strdup("test:///");
    caps->qemu_version = g_strdup("7.2.22");
    caps->libvirt_version = g_strdup("9.0.0");
    caps->machines = g_strsplit("pc q35 pc-q35-7.2 pc-q35-4.2", " ", -1);
    caps->old_machines = g_strsplit("pc-q35-4.2", " ", -1);
    caps->kvm = caps->tcg = TRUE;
    if (host != NULL && nest_host_kvm_nests(host))
        caps->kvm_extension = nest_host_extension(host);
    caps->tcg_extension = NEST_EXTENSION_SVM;
    return caps;
}

/* Points view at what is there now. */
static inline void test_view_refresh(TestView *test)
{
    test->view =
        (NestVmView){test->facts, test->domain, test->live, test->host, test->caps, &test->marks};
}

static inline TestView *test_view_new(const TestVm *vm)
{
    TestView *test = g_new0(TestView, 1);
    const char *host = vm->host != NULL ? vm->host : "intel-ready";
    NestVmFacts *facts = test->facts = g_new0(NestVmFacts, 1);
    facts->uuid = g_strdup("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    facts->name = g_strdup("DemoVM");
    facts->state = vm->state != NEST_VM_UNKNOWN || vm->state_unknown ? vm->state : NEST_VM_OFF;
    facts->saved_state = vm->saved;
    facts->saved_bytes = vm->saved_bytes;
    facts->snapshots = vm->snapshots;
    facts->xml = test_vm_xml(vm, vm->cpu != NULL ? vm->cpu : CPU_OFF);
    if (vm->live_cpu != NULL)
        facts->live_xml = test_vm_xml(vm, vm->live_cpu);
    test->domain = vm->broken ? NULL : test_read(facts->xml);
    test->live = vm->live_cpu != NULL ? test_read(facts->live_xml) : NULL;
    test->host = *host != '\0' ? test_host(host) : NULL;
    test->caps = vm->no_caps ? NULL : test_caps(test->host);
    if (test->caps != NULL && (vm->kvm_extension != NEST_EXTENSION_NONE || vm->kvm_offers_none))
        test->caps->kvm_extension = vm->kvm_extension;
    if (test->caps != NULL && vm->tcg_offers_none)
        test->caps->tcg_extension = NEST_EXTENSION_NONE;
    test->marks.activity = vm->activity;
    test_view_refresh(test);
    return test;
}

static inline void test_view_free(TestView *test)
{
    nest_vm_facts_free(test->facts);
    nest_domain_free(test->domain);
    nest_domain_free(test->live);
    nest_host_facts_free(test->host);
    nest_backend_caps_free(test->caps);
    g_free(test);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestView, test_view_free)
