// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth top: all pools and who has their pages, live.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top.h"

#define MAX_DEVICES	256		/* as many as there can be minor numbers */

struct request {
	const char *device;
	struct view view;
};

/* Which devices to look at this time: they come and go. */
static size_t find_devices(const struct request *request, unsigned int *numbers)
{
	int found;

	/* It was found before: where it is gone, looking at it says so. */
	if (request->device)
		return 1;
	found = labyrinth_devices_list(numbers, MAX_DEVICES);
	if (found < 0)
		return 0;
	return found < MAX_DEVICES ? found : MAX_DEVICES;
}

static int watch(struct request *request, unsigned int *numbers)
{
	struct sample before = { .when = 0 }, sample;
	int code = EXIT_DONE;
	bool more = true;

	while (more) {
		const size_t count = find_devices(request, numbers);

		if (!sample_take(&sample, numbers, count, before.when ? &before : NULL)) {
			code = EXIT_FAILED;
			more = false;
		} else {
			sort_holders(&sample, request->view.key, request->view.reversed);
			screen_draw(&sample, &request->view);
			more = keys_wait(&sample, &request->view,
					 sample.when + request->view.interval);
		}
		sample_free(&before);
		before = sample;
	}
	sample_free(&before);
	return code;
}

static int check_terminal(void)
{
	if (!isatty(STDOUT_FILENO))
		return usage_error("the output is no terminal (programs: labyrinth stat --json)");
	if (!isatty(STDIN_FILENO))
		return usage_error("the input is no terminal, and has no keys");
	return EXIT_DONE;
}

static int top(struct request *request)
{
	unsigned int numbers[MAX_DEVICES];
	int code;

	code = check_terminal();
	if (!code)
		code = request->device ? select_number(request->device, numbers) :
					 select_any();
	if (code)
		return code;
	/* Before the terminal is changed, which no signal then leaves like that. */
	signals_catch();
	code = screen_begin();
	if (code)
		return code;
	code = watch(request, numbers);
	screen_end();
	return code ? failed("out of memory") : EXIT_DONE;
}

static int set_option(struct request *request, int option)
{
	struct view *view = &request->view;

	switch (option) {
	case 'd':
		request->device = optarg;
		break;
	case 'i':
		if (!parse_seconds(optarg, &view->interval) || view->interval < 0.1)
			return usage_error("'%s' is not a number of seconds from 0.1", optarg);
		break;
	case 's':
		if (!sort_parse(optarg, &view->key))
			return usage_error("'%s' is none of pages, pid, command, state, device",
					   optarg);
		break;
	case 'r':
		view->reversed = true;
		break;
	}
	return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		DEVICE_OPTION,
		{ "interval", required_argument, NULL, 'i' },
		{ "sort", required_argument, NULL, 's' },
		{ "reverse", no_argument, NULL, 'r' },
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	struct request request = { .view = { .interval = 1 } };
	int option, code;

	while ((option = getopt_long(argc, argv, ":d:i:s:rhV", options, NULL)) != -1) {
		if (strchr("hV?:", option))
			return common_option(command, option);
		code = set_option(&request, option);
		if (code)
			return code;
	}
	code = no_arguments(argc, argv);
	return code ? code : top(&request);
}

const struct command command_top = {
	.name = "top",
	.synopsis = "[-d DEV] [-i SECONDS] [-s KEY] [-r]",
	.summary = "watch pools and who has their pages, live",
	.help = "A line for each device: its pages, how many of them are handed out (ACQ/s) and\n"
		"refilled (REFILL/s) a second, and the copies and bytes of its DMA engine. Below,\n"
		"for root, who has pages. Keys: q quits, s sorts by something else, r the other\n"
		"way round, + and - look less or more often, up and down scroll.\n\n"
		"  -d, --device DEV  the device, as N or a path (default: all)\n"
		"  -i, --interval S  look every S seconds (default: 1)\n"
		"  -s, --sort KEY    by pages, pid, command, state or device (default: pages)\n"
		"  -r, --reverse     the other way round\n",
	.run = run,
};
