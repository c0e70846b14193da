// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `labyrinth info` and `labyrinth stat` have in common: one device is shown.
 */
#include "command.h"

/* Runs a subcommand that has no other options than these. */
int show_device(const struct command *command, int argc, char **argv, show_function *show)
{
	static const struct option options[] = {
		DEVICE_OPTION,
		COLUMNS_OPTION,
		JSON_OPTION,
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	const char *choice = NULL;
	struct labyrinth_device *dev;
	struct style style = { .json = false };
	int option, code;

	while ((option = getopt_long(argc, argv, ":d:jc:hV", options, NULL)) != -1) {
		if (option == 'd')
			choice = optarg;
		else if (!style_option(&style, option))
			return common_option(command, option);
	}
	code = no_arguments(argc, argv);
	if (!code)
		code = columns_check(command, &style);
	if (code)
		return code;
	dev = select_device(choice, &code);
	if (!dev)
		return code;
	code = show(dev, &style);
	labyrinth_device_close(dev);
	return code;
}
