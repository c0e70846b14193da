/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of `labyrinth map`: which page is whose, as the driver tells it in debugfs,
 * and ways to show it.
 */
#ifndef LABYRINTH_MAP_H
#define LABYRINTH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "command.h"

enum page_state {
	STATE_FREE,
	STATE_OWNED,
	STATE_TICKETED,
	STATE_KERNEL,
	STATE_QUARANTINED,
	STATE_POISONED,
	STATES
};

enum page_content {
	CONTENT_UNKNOWN,
	CONTENT_ZERO,
	CONTENT_SENTINEL,
	CONTENTS
};

#define COMM_TEXT	64		/* 15 bytes, each of them escaped, and some */

/**
 * struct slot - one buffer and where it is
 * @number: of the slot
 * @offset: in the arena, in bytes
 * @pages: in the buffer
 * @state: whose it is
 * @content: of a free buffer
 * @pid: the process that opened the file that owns it, or has given it or let it go; 0
 *	if there is none
 * @comm: its name, printable ASCII with the rest as \ooo; empty if there is none
 */
struct slot {
	unsigned int number;
	unsigned int offset;
	unsigned int pages;
	enum page_state state;
	enum page_content content;
	unsigned int pid;
	char comm[COMM_TEXT];
};

/**
 * struct pages - all buffers of a pool
 * @slots: in ascending order; those without a buffer are left out
 * @count: of @slots
 */
struct pages {
	struct slot *slots;
	size_t count;
};

/* pages.c: both report their errors, and return an &enum exit_code */
int pages_read(unsigned int device, struct pages *pages);
int pages_parse(FILE *file, const char *path, struct pages *pages);
void pages_free(struct pages *pages);

uint64_t pages_total(const struct pages *pages);
const char *page_state_name(enum page_state state);
const char *page_content_name(enum page_content content);

/* rows.c */
#define ROWS_COLUMNS	7

extern const struct column rows_columns[ROWS_COLUMNS];

int rows_print(const struct pages *pages, const struct style *style);
int rows_set_process(struct libscols_line *line, size_t pid, size_t comm,
		     const struct slot *slot, bool json);

#define SYMBOL_CONNECTION '='		/* a page of the same buffer as the one before */
#define COLOR_PLAIN	"\033[0m"

/**
 * struct owner - what has a symbol in the map, and a row below it
 * @symbol: its character
 * @color: the escape sequence before it on a terminal
 * @hue: number of the process, from which its colour follows
 * @first: its first slot
 * @pages: how many it has
 */
struct owner {
	char symbol;
	const char *color;
	unsigned int hue;
	const struct slot *first;
	uint64_t pages;
};

/**
 * struct legend - what the symbols mean
 * @owners: in order of appearance
 * @count: of @owners
 * @found: of them, how many are in each state
 * @hues: numbers given to processes
 * @connected: there are buffers of several pages
 */
struct legend {
	struct owner *owners;
	size_t count;
	size_t found[STATES];
	unsigned int hues;
	bool connected;
};

/* legend.c */
bool legend_make(struct legend *legend, const struct pages *pages);
void legend_free(struct legend *legend);
const struct owner *legend_find(const struct legend *legend, const struct slot *slot);
int legend_print(const struct legend *legend, bool color);

/* draw.c */
void draw_map(const struct pages *pages, const struct legend *legend, unsigned int width,
	      bool color);

#endif /* LABYRINTH_MAP_H */
