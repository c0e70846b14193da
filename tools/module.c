// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding, inserting and removing the kernel module with libkmod.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "module.h"

/* libkmod would write its own lines; ours say what to do as well. */
static void no_log(void *data, int priority, const char *file, int line, const char *function,
		   const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)function;
	(void)format;
	(void)args;
}

int module_context(struct kmod_ctx **context)
{
	*context = kmod_new(NULL, NULL);
	if (!*context)
		return failed("out of memory");
	kmod_set_log_fn(*context, no_log, NULL);
	return EXIT_DONE;
}

bool module_is_loaded(struct kmod_ctx *context)
{
	struct kmod_module *module;
	int state;

	if (kmod_module_new_from_name(context, MODULE_NAME, &module) < 0)
		return false;
	state = kmod_module_get_initstate(module);
	kmod_module_unref(module);
	return state >= 0;
}

static int not_found(void)
{
	struct utsname system;

	uname(&system);
	return failed("no module for kernel %s: make dkms, or make and name it (--module)",
		      system.release);
}

int module_find(struct kmod_ctx *context, const char *file, struct kmod_module **module)
{
	struct kmod_list *found = NULL;
	int error;

	if (file) {
		error = kmod_module_new_from_path(context, file, module);
		if (error < 0)
			return failed("cannot use %s: %s", file, strerror(-error));
		return EXIT_DONE;
	}
	error = kmod_module_new_from_lookup(context, MODULE_NAME, &found);
	if (error < 0 || !found)
		return not_found();
	*module = kmod_module_get_module(found);
	kmod_module_unref_list(found);
	return EXIT_DONE;
}

static int insert_failed(int error)
{
	struct utsname system;

	uname(&system);
	switch (error) {
	case EPERM:
	case EACCES:
		return failed("loading a module needs root (try: sudo labyrinth load)");
	case ENOENT:
		return failed("the module needs something that kernel %s does not have; see dmesg",
			      system.release);
	case ENOEXEC:
		return failed("the module was not built for kernel %s: build it again (make)",
			      system.release);
	case ENOKEY:
	case EKEYREJECTED:
		return failed("the kernel wants it signed (Secure Boot): sign it, or boot without");
	case EINVAL:
		return failed("the module refused a parameter's value; see dmesg");
	default:
		return failed("cannot load the module: %s; see dmesg", strerror(error));
	}
}

int module_insert(struct kmod_module *module, bool from_file, const char *parameters)
{
	int error;

	if (from_file)
		error = kmod_module_insert_module(module, 0, parameters);
	else
		error = kmod_module_probe_insert_module(module, KMOD_PROBE_FAIL_ON_LOADED,
							parameters, NULL, NULL, NULL);
	return error ? insert_failed(error < 0 ? -error : EPERM) : EXIT_DONE;
}

static int remove_failed(struct kmod_module *module, int error)
{
	char holders[256];

	switch (error) {
	case EPERM:
		return failed("unloading a module needs root (try: sudo labyrinth unload)");
	case EBUSY:
	case EAGAIN:
		holders_describe(holders, sizeof(holders));
		return failed("the module is in use (references: %d): %s; end that first",
			      kmod_module_get_refcnt(module), holders);
	default:
		return failed("cannot unload the module: %s; see dmesg", strerror(error));
	}
}

int module_remove(struct kmod_ctx *context)
{
	struct kmod_module *module;
	int error, code = EXIT_DONE;

	error = kmod_module_new_from_name(context, MODULE_NAME, &module);
	if (error < 0)
		return failed("cannot unload the module: %s", strerror(-error));
	error = kmod_module_remove_module(module, 0);
	if (error)
		code = remove_failed(module, -error);
	kmod_module_unref(module);
	return code;
}
