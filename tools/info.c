// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth info: what a device can do.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct {
	uint64_t bit;
	const char *name;
} capabilities[] = {
	{ LABYRINTH_CAP_COPY, "copy" },
	{ LABYRINTH_CAP_PARTIAL, "partial" },
	{ LABYRINTH_CAP_CONTIGUOUS, "contiguous" },
	{ LABYRINTH_CAP_POPULATE, "populate" },
	{ LABYRINTH_CAP_TICKETS, "tickets" },
	{ LABYRINTH_CAP_FENCE, "fence" },
	{ LABYRINTH_CAP_SENTINEL, "sentinel" },
	{ LABYRINTH_CAP_USER_QUOTA, "user-quota" },
};

static void name_capabilities(uint64_t bits, char *text, size_t size)
{
	size_t used = 0;
	size_t i;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if ((bits & capabilities[i].bit) && used < size)
			used += snprintf(text + used, size - used, "%s%s", used ? "," : "",
					 capabilities[i].name);
}

#define INFO(name, text)	ROW(struct labyrinth_info, name, text)

enum { DEVICE, ABI_VERSION, CAPABILITIES };

static const struct column rows[] = {
	[DEVICE] = TEXT_ROW("device", "its path"),
	[ABI_VERSION] = INFO(abi_version, "version of the kernel interface"),
	[CAPABILITIES] = TEXT_ROW("capabilities", "what the loaded module does"),
	INFO(page_size, "bytes in a page"),
	INFO(max_pages, "pages the pool may hold"),
	INFO(max_order, "a buffer is up to 2^this pages"),
	INFO(max_batch, "buffers in one call"),
	INFO(max_request, "pages one call may wait for"),
	INFO(max_copy, "bytes in one copy"),
	INFO(copy_chunk, "bytes the device moves at a time"),
	INFO(copy_depth, "copies outstanding per open file"),
	INFO(file_quota, "pages per open file"),
	INFO(user_quota, "pages per user (0: no limit)"),
	INFO(arena_length, "bytes of mmap offset space"),
};

static int show(struct labyrinth_device *dev, const struct style *style)
{
	struct field fields[ARRAY_SIZE(rows)];
	struct labyrinth_info info;
	char names[128];

	if (labyrinth_device_info(dev, &info, sizeof(info)) < 0)
		return library_failed();
	name_capabilities(info.capabilities, names, sizeof(names));
	fields_read(fields, rows, ARRAY_SIZE(rows), &info);
	fields[DEVICE].text = labyrinth_device_path(dev);
	fields[CAPABILITIES].text = names;
	return fields_print("info", fields, ARRAY_SIZE(fields), style);
}

static int run(const struct command *command, int argc, char **argv)
{
	return show_device(command, argc, argv, show);
}

const struct command command_info = {
	.name = "info",
	.synopsis = "[-d DEV] [--columns KEY,...] [--json]",
	.summary = "show what a device can do",
	.help = DEVICE_HELP
		STYLE_HELP,
	.columns = rows,
	.column_count = ARRAY_SIZE(rows),
	.run = run,
};
