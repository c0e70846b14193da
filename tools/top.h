/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of `labyrinth top`: what is sampled, in which order, and how it is drawn.
 */
#ifndef LABYRINTH_TOP_H
#define LABYRINTH_TOP_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "map.h"

#define REASON	512			/* bytes of a message */

/**
 * struct pool - a device at one moment
 * @number: the N of /dev/labyrinthN
 * @stat: its figures
 * @reason: why there are none; otherwise empty
 * @seconds: since the figures in @rates began; 0 if this is the first look
 * @acquired: pages handed out a second
 * @irq_refilled: pages the interrupt handler added a second
 * @worker_refilled: pages the worker added a second
 * @refilled: by both of them
 * @copies: that ended well, a second
 * @bytes: copied by them a second
 */
struct pool {
	unsigned int number;
	struct labyrinth_stat stat;
	char reason[REASON];
	double seconds;
	double acquired, irq_refilled, worker_refilled, refilled, copies, bytes;
};

/**
 * struct holder - who has pages of one kind
 * @device: the N of /dev/labyrinthN
 * @pages: how many
 * @state: of the pages
 * @pid: 0 if there is none
 * @comm: its name, printable; empty if there is none
 */
struct holder {
	unsigned int device;
	uint64_t pages;
	enum page_state state;
	unsigned int pid;
	char comm[COMM_TEXT];
};

/**
 * struct sample - all devices at one moment
 * @when: CLOCK_MONOTONIC, in seconds
 * @pools: by ascending number
 * @pool_count: of @pools
 * @holders: of all pools
 * @holder_count: of @holders
 * @reason: why it is not known who has pages; otherwise empty
 */
struct sample {
	double when;
	struct pool *pools;
	size_t pool_count;
	struct holder *holders;
	size_t holder_count;
	char reason[REASON];
};

enum sort_key {
	SORT_PAGES,
	SORT_PID,
	SORT_COMMAND,
	SORT_STATE,
	SORT_DEVICE,
	SORT_KEYS
};

/* sample.c */
bool sample_take(struct sample *sample, const unsigned int *numbers, size_t count,
		 const struct sample *before);
void sample_free(struct sample *sample);

/* sort.c */
const char *sort_name(enum sort_key key);
bool sort_parse(const char *text, enum sort_key *key);
void sort_holders(struct sample *sample, enum sort_key key, bool reversed);

/**
 * struct view - what the person has chosen to see
 * @interval: seconds between samples
 * @key: what the holders are sorted by
 * @reversed: the other way round
 * @skipped: holders above the first one on the screen
 */
struct view {
	double interval;
	enum sort_key key;
	bool reversed;
	size_t skipped;
};

/* screen.c: there is one terminal, so there is one screen */
int screen_begin(void);
void screen_end(void);
void screen_draw(const struct sample *sample, struct view *view);

/* keys.c */
bool keys_wait(struct sample *sample, struct view *view, double until);

#endif /* LABYRINTH_TOP_H */
