// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What gets which symbol in the map, and the table that explains them.
 */
#include <assert.h>
#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>

#include "command.h"
#include "map.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char digits[] = "123456789";

#define NO_LETTER	'#'
#define NO_DIGIT	'0'

/* The same process has the same hue; what it has given is shown reversed. */
static const char *const hues[] = { "\033[36m", "\033[32m", "\033[33m", "\033[35m", "\033[94m" };
static const char *const reversed[] = {
	"\033[7;36m", "\033[7;32m", "\033[7;33m", "\033[7;35m", "\033[7;94m"
};

static_assert(ARRAY_SIZE(hues) == ARRAY_SIZE(reversed), "a hue has two forms");

const struct owner *legend_find(const struct legend *legend, const struct slot *slot)
{
	size_t i;

	for (i = 0; i < legend->count; i++) {
		const struct slot *first = legend->owners[i].first;

		if (first->state == slot->state && first->content == slot->content &&
		    first->pid == slot->pid)
			return &legend->owners[i];
	}
	return NULL;
}

static unsigned int choose_hue(struct legend *legend, unsigned int pid)
{
	size_t i;

	for (i = 0; i < legend->count; i++)
		if (pid && legend->owners[i].first->pid == pid)
			return legend->owners[i].hue;
	return pid ? legend->hues++ : 0;
}

static void choose_symbol(struct owner *owner, size_t found)
{
	switch (owner->first->state) {
	case STATE_OWNED:
		owner->symbol = found < sizeof(letters) - 1 ? letters[found] : NO_LETTER;
		owner->color = hues[owner->hue % ARRAY_SIZE(hues)];
		break;
	case STATE_TICKETED:
		owner->symbol = found < sizeof(digits) - 1 ? digits[found] : NO_DIGIT;
		owner->color = reversed[owner->hue % ARRAY_SIZE(reversed)];
		break;
	case STATE_KERNEL:
		owner->symbol = '*';
		owner->color = "\033[1m";
		break;
	case STATE_QUARANTINED:
		owner->symbol = '?';
		owner->color = "\033[31m";
		break;
	case STATE_POISONED:
		owner->symbol = '!';
		owner->color = "\033[1;31m";
		break;
	default:
		owner->symbol = owner->first->content == CONTENT_SENTINEL ? ',' : '.';
		owner->color = "\033[2m";
		break;
	}
}

/* Makes @legend of @pages, which must outlive it. False: out of memory. */
bool legend_make(struct legend *legend, const struct pages *pages)
{
	const struct slot *slot;
	struct owner *owner;

	*legend = (struct legend){
		/* So many at most. */
		.owners = calloc(pages->count + 1, sizeof(*legend->owners)),
	};
	if (!legend->owners)
		return false;
	for (slot = pages->slots; slot < pages->slots + pages->count; slot++) {
		owner = (struct owner *)legend_find(legend, slot);
		if (!owner) {
			owner = &legend->owners[legend->count];
			owner->first = slot;
			owner->hue = choose_hue(legend, slot->pid);
			choose_symbol(owner, legend->found[slot->state]++);
			legend->count++;
		}
		owner->pages += slot->pages;
		if (slot->pages > 1)
			legend->connected = true;
	}
	return true;
}

void legend_free(struct legend *legend)
{
	free(legend->owners);
}

enum { SYMBOL, WHAT, PAGES, PID, COMM };

static const struct column columns[] = {
	[SYMBOL] = TEXT_COLUMN("symbol", "", NULL),
	[WHAT] = TEXT_COLUMN("what", "WHAT", NULL),
	[PAGES] = NUMBER_COLUMN("pages", "PAGES", NULL),
	[PID] = NUMBER_COLUMN("pid", "PID", NULL),
	[COMM] = TEXT_COLUMN("comm", "COMM", NULL),
};

static const char *describe(const struct owner *owner)
{
	if (owner->symbol == NO_LETTER)
		return "owned (no letter is left)";
	if (owner->symbol == NO_DIGIT)
		return "ticketed, given by (no digit is left)";
	if (owner->first->state == STATE_TICKETED)
		return "ticketed, given by";
	if (owner->first->content == CONTENT_SENTINEL)
		return "free, with a sentinel";
	return page_state_name(owner->first->state);
}

static int add_owner(struct libscols_table *table, const struct owner *owner)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const char symbol[] = { owner->symbol, '\0' };

	if (!line || scols_line_set_data(line, SYMBOL, symbol) ||
	    scols_cell_set_color(scols_line_get_cell(line, SYMBOL), owner->color) ||
	    scols_line_set_data(line, WHAT, describe(owner)) ||
	    table_set_number(line, PAGES, owner->pages))
		return -ENOMEM;
	return rows_set_process(line, PID, COMM, owner->first, false);
}

/* State by state, and in each in order of appearance. */
static int add_owners(struct libscols_table *table, const struct legend *legend)
{
	enum page_state state;
	int error = 0;
	size_t i;

	for (state = 0; state < STATES; state++)
		for (i = 0; i < legend->count && !error; i++)
			if (legend->owners[i].first->state == state)
				error = add_owner(table, &legend->owners[i]);
	return error;
}

/* Returns an exit code. */
int legend_print(const struct legend *legend, bool color)
{
	struct libscols_table *table;
	int code, error = -ENOMEM;

	table = table_new("legend", columns, ARRAY_SIZE(columns), false);
	if (table)
		error = scols_table_enable_colors(table, color);
	if (!error)
		error = add_owners(table, legend);
	code = table_finish(table, &(struct style){ .json = false }, error);
	if (!code && legend->connected)
		printf("%c one buffer with the page before it\n", SYMBOL_CONNECTION);
	return code;
}
