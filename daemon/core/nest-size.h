/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Memory sizes as people read them: "512 MiB", "1.5 GiB", "4 GiB". Rounded to one decimal. */
char *nest_size_text(guint64 kib);

/* "1–4 GiB", "512 MiB–4 GiB"; one size where both are equal. */
char *nest_size_range(guint64 from_kib, guint64 to_kib);
