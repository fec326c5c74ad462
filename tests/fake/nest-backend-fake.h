/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* A hypervisor for tests. It behaves like libvirt's QEMU driver where it matters to nestd, keeps
 * its VMs in a directory (nest-fake-state.h) so that they outlive the process, and goes wrong as a
 * control file says (nest-fake-control.h). Files in the directory:
 *
 *   UUID.json   a VM             control   what goes wrong    lost   renamed there: the
 *   NAME.agent  the socket of the agent inside a VM (nest-fake-agent.c)
 *   NAME.xml    a network or a filter of libvirt, where caps say networks=1
 *   lock        held while open  calls     what was called           connection breaks (LOST)
 *
 * Environment: NEST_FAKE_DIR the directory; NEST_FAKE_CONTROL another control file;
 * NEST_FAKE_CAPS "kvm=vmx,tcg=svm,networks=0" (kvm, tcg: off, none, vmx or svm);
 * NEST_FAKE_VMS=N so many stopped VMs exist without files; NEST_FAKE_CALLS=off no calls file;
 * NEST_FAKE_COUNT=all rules count the calls of earlier processes too.
 *
 * A guest that is asked to shut down runs on for shutdown-ms, also while no process looks, and is
 * off then. */

/* directory NULL: NEST_FAKE_DIR, else one of its own that is removed with the backend. */
NestBackend *nest_backend_fake_new(const char *directory);

/* Replaces the control file's text, from within a test. */
void nest_backend_fake_control(NestBackend *backend, const char *rules);

const char *nest_backend_fake_directory(NestBackend *backend);
