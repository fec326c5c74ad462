/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The first lines of the head of an answer: status, Date and, where not NULL, Content-Type. */
GString *nest_answer_begin(gboolean http10, guint status, const char *type);

/* The whole head of an answer that is a stream. */
GString *nest_answer_stream(gboolean http10, const char *type);
