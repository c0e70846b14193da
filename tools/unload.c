// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth unload: remove the module.
 */
#include <stdio.h>

#include "command.h"
#include "module.h"

static int unload(void)
{
	struct kmod_ctx *context;
	int code;

	code = module_context(&context);
	if (code)
		return code;
	if (module_is_loaded(context)) {
		code = module_remove(context);
		if (!code)
			puts("unloaded");
	} else {
		puts("not loaded");
	}
	kmod_unref(context);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	int option, code;

	option = getopt_long(argc, argv, ":hV", options, NULL);
	if (option != -1)
		return common_option(command, option);
	code = no_arguments(argc, argv);
	return code ? code : unload();
}

const struct command command_unload = {
	.name = "unload",
	.synopsis = "",
	.summary = "unload the kernel module",
	.help = "",
	.run = run,
};
