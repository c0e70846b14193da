// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of those who have pages.
 */
#include <stdlib.h>
#include <string.h>

#include "top.h"

static const char *const names[SORT_KEYS] = {
	[SORT_PAGES] = "pages",
	[SORT_PID] = "pid",
	[SORT_COMMAND] = "command",
	[SORT_STATE] = "state",
	[SORT_DEVICE] = "device",
};

const char *sort_name(enum sort_key key)
{
	return names[key];
}

bool sort_parse(const char *text, enum sort_key *key)
{
	for (*key = 0; *key < SORT_KEYS; ++*key)
		if (!strcmp(text, names[*key]))
			return true;
	return false;
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_by(const struct holder *a, const struct holder *b, enum sort_key key)
{
	switch (key) {
	case SORT_PAGES:
		/* Who has most is what one wants to know. */
		return order(b->pages, a->pages);
	case SORT_PID:
		return order(a->pid, b->pid);
	case SORT_COMMAND:
		return strcmp(a->comm, b->comm);
	case SORT_STATE:
		return order(a->state, b->state);
	default:
		return order(a->device, b->device);
	}
}

struct ordering {
	enum sort_key key;
	bool reversed;
};

/* Equals keep an order too, so that nothing dances on the screen. */
static int compare(const void *one, const void *other, void *argument)
{
	const struct ordering *ordering = argument;
	int result = compare_by(one, other, ordering->key);
	enum sort_key key;

	if (ordering->reversed)
		result = -result;
	for (key = 0; key < SORT_KEYS && !result; key++)
		result = compare_by(one, other, key);
	return result;
}

void sort_holders(struct sample *sample, enum sort_key key, bool reversed)
{
	struct ordering ordering = { key, reversed };

	if (sample->holder_count)
		qsort_r(sample->holders, sample->holder_count, sizeof(*sample->holders),
			compare, &ordering);
}
