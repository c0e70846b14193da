// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth map: which page is whose.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "map.h"

#define USUAL_WIDTH	80

struct request {
	const char *device;
	struct style style;
	bool list;
};

static unsigned int terminal_width(void)
{
	struct winsize window;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || !window.ws_col)
		return USUAL_WIDTH;
	return window.ws_col;
}

static int print_map(unsigned int device, const struct pages *pages)
{
	const bool color = color_wanted();
	struct legend legend;
	int code;

	if (!legend_make(&legend, pages))
		return failed("out of memory");
	printf("/dev/labyrinth%u: %" PRIu64 " pages\n\n", device, pages_total(pages));
	draw_map(pages, &legend, terminal_width(), color);
	putchar('\n');
	code = legend_print(&legend, color);
	legend_free(&legend);
	return code;
}

/* What only a table can show asks for one. */
static bool wants_rows(const struct request *request)
{
	return request->list || request->style.json || request->style.columns;
}

static int map(const struct request *request)
{
	unsigned int device;
	struct pages pages;
	int code;

	code = select_number(request->device, &device);
	if (code)
		return code;
	code = pages_read(device, &pages);
	if (!code && wants_rows(request))
		code = rows_print(&pages, &request->style);
	else if (!code)
		code = print_map(device, &pages);
	pages_free(&pages);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		DEVICE_OPTION,
		COLUMNS_OPTION,
		JSON_OPTION,
		{ "list", no_argument, NULL, 'l' },
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	struct request request = { .list = false };
	int option, code;

	while ((option = getopt_long(argc, argv, ":d:jc:lhV", options, NULL)) != -1) {
		if (option == 'd')
			request.device = optarg;
		else if (option == 'l')
			request.list = true;
		else if (!style_option(&request.style, option))
			return common_option(command, option);
	}
	code = no_arguments(argc, argv);
	if (!code)
		code = columns_check(command, &request.style);
	return code ? code : map(&request);
}

const struct command command_map = {
	.name = "map",
	.synopsis = "[-d DEV] [--list] [--columns KEY,...] [--json]",
	.summary = "show which page is whose; for root",
	.help = "Draws a character for each page of the pool, and below what it means: a letter\n"
		"for each process that owns pages, a digit for each that has given some away in\n"
		"tickets which nobody has taken yet. It is no snapshot: pages may move meanwhile.\n\n"
		DEVICE_HELP
		"  -l, --list        print a table instead, with a row for each buffer\n"
		"  -c, --columns K   that table, with only these columns, in this order: K,K,...\n"
		"  -j, --json        that table as JSON\n",
	.columns = rows_columns,
	.column_count = ROWS_COLUMNS,
	.run = run,
};
