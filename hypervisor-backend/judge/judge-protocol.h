/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What nestd-judge answers on its standard output, once: "judge-1 VERDICT[ WORDS]\n". WORDS are
 * libvirt's or its own, in one line. Nothing else, and nothing at all, is an answer. */
#define JUDGE_VERSION "judge-1"
#define JUDGE_GOOD "good"
#define JUDGE_REFUSED "refused" /* libvirt's parser calls it wrong, whatever the hypervisor */
#define JUDGE_UNKNOWN "unknown" /* what it says may be due to where it was asked */
#define JUDGE_BROKEN "broken" /* it could not be asked */

/* Of a whole answer, in bytes. */
#define JUDGE_ANSWER_MAX 2048

/* Of a definition, in bytes: more than nestd ever takes. */
#define JUDGE_INPUT_MAX (16 * 1024 * 1024)
