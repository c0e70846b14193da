// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `labyrinth copy`, `send` and `receive` are asked for: a device and two names.
 */
#include "copy.h"

/*
 * Runs a subcommand that has no other options than these. The second name may be left
 * out unless @both; @usage tells what the names are.
 */
int request_run(const struct command *command, int argc, char **argv, bool both,
		const char *usage, request_function *run)
{
	static const struct option options[] = {
		DEVICE_OPTION,
		JSON_OPTION,
		{ "quiet", no_argument, NULL, 'q' },
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	struct request request = { .quiet = false };
	int option;

	while ((option = getopt_long(argc, argv, ":d:jqhV", options, NULL)) != -1) {
		if (option == 'd')
			request.device = optarg;
		else if (option == 'q')
			request.quiet = true;
		else if (option == 'j')
			request.json = true;
		else
			return common_option(command, option);
	}
	argc -= optind;
	argv += optind;
	if (argc < (both ? 2 : 1) || argc > 2 || !*argv[0] || (argc == 2 && !*argv[1]))
		return usage_error("%s", usage);
	request.first = argv[0];
	request.second = argv[1];
	return run(&request);
}
