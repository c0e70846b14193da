// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth load: insert the module, and wait for its devices.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "module.h"

/* Probing is over when insmod returns, but udev may still be making the node. */
#define WAIT_MS		2000
#define STEP_MS		20

static bool names_parameter(const char *parmtype, const char *argument)
{
	size_t length = strcspn(parmtype, ":");

	return !strncmp(parmtype, argument, length) && argument[length] == '=';
}

/* The kernel loads a module with an unknown parameter all the same: look before. */
static bool parameter_known(const struct kmod_list *info, const char *argument)
{
	const struct kmod_list *entry;

	kmod_list_foreach(entry, info)
		if (!strcmp(kmod_module_info_get_key(entry), "parmtype") &&
		    names_parameter(kmod_module_info_get_value(entry), argument))
			return true;
	return false;
}

static int check_parameters(struct kmod_module *module, int count, char **arguments)
{
	struct kmod_list *info = NULL;
	int code = EXIT_DONE;
	int error, i;

	error = kmod_module_get_info(module, &info);
	if (error < 0)
		return failed("cannot read the module %s: %s", kmod_module_get_path(module),
			      strerror(-error));
	for (i = 0; i < count && code == EXIT_DONE; i++)
		if (!parameter_known(info, arguments[i]))
			code = usage_error("the module has no parameter '%.*s' (modinfo %s)",
					   (int)strcspn(arguments[i], "="), arguments[i],
					   kmod_module_get_path(module));
	kmod_module_info_free_list(info);
	return code;
}

static char *join(int count, char **arguments)
{
	size_t size = 1;
	char *text;
	int i;

	for (i = 0; i < count; i++)
		size += strlen(arguments[i]) + 1;
	text = calloc(1, size);
	for (i = 0; text && i < count; i++) {
		if (i)
			strcat(text, " ");
		strcat(text, arguments[i]);
	}
	return text;
}

static int wait_for_devices(int expected)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	int found, waited;

	for (waited = 0; waited <= WAIT_MS; waited += STEP_MS) {
		found = labyrinth_devices_list(NULL, 0);
		if (found >= expected)
			break;
		nanosleep(&step, NULL);
	}
	if (found <= 0) {
		failed("loaded, but /dev/labyrinthN did not appear; see dmesg");
		return EXIT_NO_DEVICE;
	}
	printf("loaded: %d device%s\n", found, found == 1 ? "" : "s");
	return EXIT_DONE;
}

/*
 * Inserting the module succeeds whatever becomes of the devices. When the driver wants
 * none of them, its parameters may be to blame: it must go, for other ones to work.
 */
static int check_devices(struct kmod_ctx *context)
{
	unsigned int all, idle;
	int code;

	edu_count(&all, &idle);
	if (!all) {
		failed("loaded, but found no edu device to drive (in QEMU: -device edu)");
		return EXIT_NO_DEVICE;
	}
	if (!idle)
		return wait_for_devices(all);
	if (idle < all)
		return failed("loaded, but could not start %u of %u edu devices; see dmesg",
			      idle, all);
	code = module_remove(context);
	return code ? code :
	       failed("not loaded: could not start %u of %u edu devices; see dmesg", idle, all);
}

static int already_loaded(int count)
{
	if (count)
		return failed("already loaded, parameters have no effect: labyrinth unload first");
	puts("already loaded");
	return EXIT_DONE;
}

static int insert(struct kmod_ctx *context, const char *file, int count, char **arguments)
{
	struct kmod_module *module = NULL;
	char *parameters;
	int code;

	code = module_find(context, file, &module);
	if (code)
		return code;
	code = check_parameters(module, count, arguments);
	if (code)
		goto out;

	parameters = join(count, arguments);
	if (parameters)
		code = module_insert(module, file, parameters);
	else
		code = failed("out of memory");
	free(parameters);
out:
	kmod_module_unref(module);
	return code;
}

static int load(const char *file, int count, char **arguments)
{
	struct kmod_ctx *context;
	int code;

	code = module_context(&context);
	if (code)
		return code;
	if (module_is_loaded(context)) {
		code = already_loaded(count);
	} else {
		code = insert(context, file, count, arguments);
		if (!code)
			code = check_devices(context);
	}
	kmod_unref(context);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "module", required_argument, NULL, 'm' },
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	const char *file = NULL;
	int option, i;

	while ((option = getopt_long(argc, argv, ":m:hV", options, NULL)) != -1) {
		if (option != 'm')
			return common_option(command, option);
		file = optarg;
	}
	for (i = optind; i < argc; i++)
		if (!strchr(argv[i], '=') || argv[i][0] == '=')
			return usage_error("'%s' is not a parameter: write NAME=VALUE", argv[i]);
	return load(file, argc - optind, argv + optind);
}

const struct command command_load = {
	.name = "load",
	.synopsis = "[--module FILE.ko] [NAME=VALUE...]",
	.summary = "load the kernel module, with parameters",
	.help = "  -m, --module FILE load this file instead of the installed module\n"
		"  NAME=VALUE        a module parameter, such as max=512 (see modinfo)\n",
	.run = run,
};
