// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth list: every device with its pages.
 */
#include <errno.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

enum { NUMBER, DEVICE, PAGES, FREE, OWNED, MAX, PCI };

static const struct column columns[] = {
	[NUMBER] = NUMBER_COLUMN("number", "NUMBER", "the N of /dev/labyrinthN"),
	[DEVICE] = TEXT_COLUMN("device", "DEVICE", "its path"),
	[PAGES] = NUMBER_COLUMN("pages", "PAGES", "pages in its pool"),
	[FREE] = NUMBER_COLUMN("free", "FREE", "of them, those of nobody"),
	[OWNED] = NUMBER_COLUMN("owned", "OWNED", "of them, those of open files"),
	[MAX] = NUMBER_COLUMN("max", "MAX", "pages the pool may have"),
	[PCI] = TEXT_COLUMN("pci", "PCI", "the device's address on the PCI bus"),
};

static void set_pci(struct libscols_line *line, unsigned int number)
{
	char link[64], target[512];
	const char *address;
	ssize_t length;

	snprintf(link, sizeof(link), "/sys/class/labyrinth/labyrinth%u/device", number);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return;
	target[length] = '\0';
	address = strrchr(target, '/');
	scols_line_set_data(line, PCI, address ? address + 1 : target);
}

/* A device that cannot be asked is listed all the same, without its figures. */
static int set_pages(struct libscols_line *line, unsigned int number)
{
	struct labyrinth_device *dev;
	struct labyrinth_stat stat;
	int code = EXIT_DONE;

	dev = labyrinth_device_open_number(number);
	if (!dev || labyrinth_device_stat(dev, &stat, sizeof(stat)) < 0) {
		code = failed("%s", labyrinth_strerror());
	} else {
		table_set_number(line, PAGES, stat.total);
		table_set_number(line, FREE, stat.free);
		table_set_number(line, OWNED, stat.owned);
		table_set_number(line, MAX, stat.max);
	}
	labyrinth_device_close(dev);
	return code;
}

static int print_devices(const unsigned int *numbers, int count, const struct style *style)
{
	struct libscols_table *table;
	struct libscols_line *line;
	int printed, code = EXIT_DONE;
	char path[64];
	int i;

	table = table_new("devices", columns, ARRAY_SIZE(columns), style->json);
	if (!table)
		return failed("out of memory");
	for (i = 0; i < count; i++) {
		line = scols_table_new_line(table, NULL);
		if (!line)
			break;
		snprintf(path, sizeof(path), "/dev/labyrinth%u", numbers[i]);
		table_set_number(line, NUMBER, numbers[i]);
		scols_line_set_data(line, DEVICE, path);
		set_pci(line, numbers[i]);
		if (set_pages(line, numbers[i]) != EXIT_DONE)
			code = EXIT_FAILED;
	}
	printed = table_finish(table, style, i < count ? -ENOMEM : 0);
	return printed ? printed : code;
}

static int list(const struct style *style)
{
	unsigned int *numbers;
	int count, found, code;

	code = select_any();
	if (code)
		return code;
	found = labyrinth_devices_list(NULL, 0);
	if (found < 0)
		return library_failed();
	numbers = calloc(found + 1, sizeof(*numbers));
	if (!numbers)
		return failed("out of memory");
	count = labyrinth_devices_list(numbers, found);
	if (count < 0)
		code = library_failed();
	else
		code = print_devices(numbers, count < found ? count : found, style);
	free(numbers);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		COLUMNS_OPTION,
		JSON_OPTION,
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	struct style style = { .json = false };
	int option, code;

	while ((option = getopt_long(argc, argv, ":jc:hV", options, NULL)) != -1) {
		if (!style_option(&style, option))
			return common_option(command, option);
	}
	code = no_arguments(argc, argv);
	if (!code)
		code = columns_check(command, &style);
	return code ? code : list(&style);
}

const struct command command_list = {
	.name = "list",
	.synopsis = "[--columns KEY,...] [--json]",
	.summary = "list the devices, with their pages",
	.help = STYLE_HELP,
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.run = run,
};
