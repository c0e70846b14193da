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

static int show(struct labyrinth_device *dev, const struct style *style)
{
	struct labyrinth_info info;
	char names[128];

	if (labyrinth_device_info(dev, &info, sizeof(info)) < 0)
		return library_failed();
	name_capabilities(info.capabilities, names, sizeof(names));

	const struct field fields[] = {
		{ "device", "", labyrinth_device_path(dev), 0 },
		{ "abi_version", "version of the kernel interface", NULL, info.abi_version },
		{ "capabilities", "what the loaded module does", names, 0 },
		{ "page_size", "bytes in a page", NULL, info.page_size },
		{ "max_pages", "pages the pool may hold", NULL, info.max_pages },
		{ "max_order", "a buffer is up to 2^this pages", NULL, info.max_order },
		{ "max_batch", "buffers in one call", NULL, info.max_batch },
		{ "max_request", "pages one call may wait for", NULL, info.max_request },
		{ "max_copy", "bytes in one copy", NULL, info.max_copy },
		{ "copy_chunk", "bytes the device moves at a time", NULL, info.copy_chunk },
		{ "copy_depth", "copies outstanding per open file", NULL, info.copy_depth },
		{ "file_quota", "pages per open file", NULL, info.file_quota },
		{ "user_quota", "pages per user (0: no limit)", NULL, info.user_quota },
		{ "arena_length", "bytes of mmap offset space", NULL, info.arena_length },
	};

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
	.run = run,
};
