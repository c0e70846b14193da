// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --columns: which of a table's columns a person wants, and in which order.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "command.h"

#define NAMES	1024			/* bytes, more than all of a table's take */

static int unknown(const char *word, int length, const char *const *names, size_t count)
{
	char text[NAMES] = "";
	size_t used = 0;
	size_t i;

	for (i = 0; i < count && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%s", i ? "," : "", names[i]);
	return usage_error("there is no column '%.*s', only %s", length, word, text);
}

static size_t find(const char *word, size_t length, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strlen(names[i]) == length && !strncasecmp(names[i], word, length))
			break;
	return i;
}

/*
 * Finds each of the names in @wanted, which has commas between them, among @names.
 * @chosen has room for @count. Reports its errors, and returns an exit code.
 */
int columns_choose(const char *wanted, const char *const *names, size_t count,
		   size_t *chosen, size_t *chosen_count)
{
	size_t length, which, i;

	*chosen_count = 0;
	for (;; wanted += length + 1) {
		length = strcspn(wanted, ",");
		which = find(wanted, length, names, count);
		if (which == count)
			return unknown(wanted, length, names, count);
		for (i = 0; i < *chosen_count; i++)
			if (chosen[i] == which)
				return usage_error("the column '%s' is named twice", names[which]);
		chosen[(*chosen_count)++] = which;
		if (!wanted[length])
			return EXIT_DONE;
	}
}

/* What is wrong with them is so without a device, too. Returns an exit code. */
int columns_check(const struct command *command, const struct style *style)
{
	const size_t count = command->column_count;
	size_t chosen[count], chosen_count, i;
	const char *keys[count];

	if (!style->columns)
		return EXIT_DONE;
	for (i = 0; i < count; i++)
		keys[i] = command->columns[i].key;
	return columns_choose(style->columns, keys, count, chosen, &chosen_count);
}
