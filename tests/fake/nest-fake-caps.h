/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-domain-xml.h"

/* "kvm=vmx,tcg=svm,qemu=7.2.22,libvirt=9.0.0,networks=0", in which what is not named keeps the
 * value given here; NULL: all do. kvm and tcg: off (not there), none (no extension), vmx or svm. A
 * word that is not known aborts the process. */
NestBackendCaps *nest_fake_caps_parse(const char *text);

/* TRUE if a host of caps starts domain; otherwise, in libvirt's words, HOST_UNFIT where an enforced
 * extension is missing and UNSUPPORTED where domains of that type are not offered. An extension
 * that is not enforced does not matter, as with libvirt (docs/facts.md, F1). */
gboolean nest_fake_caps_can_run(
    const NestBackendCaps *caps, const NestDomain *domain, GError **error);
