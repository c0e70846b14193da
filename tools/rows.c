// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every buffer of a pool as a row.
 */
#include <errno.h>
#include <libsmartcols.h>

#include "command.h"
#include "map.h"

enum { SLOT, OFFSET, PAGES, STATE, CONTENT, PID, COMM };

const struct column rows_columns[ROWS_COLUMNS] = {
	[SLOT] = NUMBER_COLUMN("slot", "SLOT", "the buffer's place in the pool"),
	[OFFSET] = NUMBER_COLUMN("offset", "OFFSET", "where it lies in the arena, in bytes"),
	[PAGES] = NUMBER_COLUMN("pages", "PAGES", "how many pages it has"),
	[STATE] = TEXT_COLUMN("state", "STATE",
			      "free, owned, ticketed, kernel, quarantined or poisoned"),
	[CONTENT] = TEXT_COLUMN("content", "CONTENT",
				"what a free buffer holds: zero or sentinel"),
	[PID] = NUMBER_COLUMN("pid", "PID", "the process that owns it, gave it away or let it go"),
	[COMM] = TEXT_COLUMN("comm", "COMM", "the name of that process"),
};

/* What there is not is null in JSON, and "-" for people, who count columns. */
static int set_text(struct libscols_line *line, size_t column, const char *text, bool json)
{
	return scols_line_set_data(line, column, text || json ? text : "-");
}

int rows_set_process(struct libscols_line *line, size_t pid, size_t comm,
		     const struct slot *slot, bool json)
{
	int error;

	if (slot->pid)
		error = table_set_number(line, pid, slot->pid);
	else
		error = set_text(line, pid, NULL, json);
	return error ? error : set_text(line, comm, *slot->comm ? slot->comm : NULL, json);
}

static int add_row(struct libscols_table *table, const struct slot *slot, bool json)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const bool known = slot->content != CONTENT_UNKNOWN;

	if (!line || table_set_number(line, SLOT, slot->number) ||
	    table_set_number(line, OFFSET, slot->offset) ||
	    table_set_number(line, PAGES, slot->pages) ||
	    set_text(line, STATE, page_state_name(slot->state), json) ||
	    set_text(line, CONTENT, known ? page_content_name(slot->content) : NULL, json))
		return -ENOMEM;
	return rows_set_process(line, PID, COMM, slot, json);
}

/* Returns an exit code. */
int rows_print(const struct pages *pages, const struct style *style)
{
	struct libscols_table *table;
	int error = -ENOMEM;
	size_t i;

	table = table_new("buffers", rows_columns, ROWS_COLUMNS, style->json);
	if (table)
		error = 0;
	for (i = 0; i < pages->count && !error; i++)
		error = add_row(table, &pages->slots[i], style->json);
	return table_finish(table, style, error);
}
