/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-document.h"

/* Changes to the text of a document. They are collected and made at once by nest_patch_apply();
 * each is seen against the document as it was parsed, and none may touch what another one takes
 * out. Every byte that no change names is kept. Private to the domain XML files. */
typedef struct {
    const NestDocument *document;
    GArray *changes;
} NestPatch;

NestPatch *nest_patch_new(const NestDocument *document);
void nest_patch_free(NestPatch *patch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestPatch, nest_patch_free)

/* Sets an attribute, or takes it out where value is NULL. No change where it is so already.
 * value needs no escaping. */
void nest_patch_attribute(
    NestPatch *patch, const xmlNode *element, const char *name, const char *value);

/* Makes text, which needs no escaping, all that stands in element. */
void nest_patch_text(NestPatch *patch, const xmlNode *element, const char *text);

/* Takes an element out, and its line if nothing else stands there. */
void nest_patch_remove(NestPatch *patch, const xmlNode *element);

/* Puts markup in the place of element. */
void nest_patch_replace(NestPatch *patch, const xmlNode *element, const char *markup);

/* Puts lines of markup behind what stands in parent, or behind (or before) element, each line
 * indented like its new siblings. A tab at the start of a line is one level deeper. At most one
 * append for each parent. */
void nest_patch_append(NestPatch *patch, const xmlNode *parent, const char *const *lines);
void nest_patch_insert_after(NestPatch *patch, const xmlNode *element, const char *const *lines);
void nest_patch_insert_before(NestPatch *patch, const xmlNode *element, const char *const *lines);

/* The text with all changes made. */
char *nest_patch_apply(NestPatch *patch);
