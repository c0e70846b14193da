/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel module, as load and unload see it.
 */
#ifndef LABYRINTH_MODULE_H
#define LABYRINTH_MODULE_H

#include <stdbool.h>

#include <libkmod.h>

#define MODULE_NAME	"labyrinth"

/* All report their own errors, and return an &enum exit_code. */
int module_context(struct kmod_ctx **context);
int module_find(struct kmod_ctx *context, const char *file, struct kmod_module **module);
int module_insert(struct kmod_module *module, bool from_file, const char *parameters);
int module_remove(struct kmod_ctx *context);

bool module_is_loaded(struct kmod_ctx *context);

/* edu.c */
void edu_count(unsigned int *all, unsigned int *idle);

#endif /* LABYRINTH_MODULE_H */
