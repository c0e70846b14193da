// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Draws the pool: a character for each page, in rows that begin with the number of their
 * first slot. Where a slot has no buffer, there is a blank, so that a place in the row
 * tells the slot.
 */
#include <stdio.h>

#include "command.h"
#include "map.h"

#define LEAST_CELLS	8		/* in a row, also where the terminal is too narrow */

struct drawing {
	unsigned int margin;		/* columns for the slot's number */
	unsigned int cells;		/* in a row: a power of two, as the buffers are */
	unsigned int first, pages;	/* the row's first slot, and the pages in each */
	unsigned int column;		/* in the row */
	bool begun;			/* there is a row */
	bool color;
	const char *current;		/* the colour that is switched on, or NULL */
};

static void set_color(struct drawing *drawing, const char *color)
{
	if (!drawing->color || color == drawing->current)
		return;
	if (drawing->current)
		fputs(COLOR_PLAIN, stdout);
	if (color)
		fputs(color, stdout);
	drawing->current = color;
}

static void end_row(struct drawing *drawing)
{
	set_color(drawing, NULL);
	if (drawing->begun)
		putchar('\n');
	drawing->column = 0;
}

static void put_blanks(struct drawing *drawing, unsigned int column)
{
	if (drawing->column < column)
		set_color(drawing, NULL);
	for (; drawing->column < column; drawing->column++)
		putchar(' ');
}

/* Goes to where @slot belongs, which may be in a row of its own. */
static void place(struct drawing *drawing, const struct slot *slot)
{
	unsigned int slots = slot->pages < drawing->cells ? drawing->cells / slot->pages : 1;
	unsigned int first = slot->number - slot->number % slots;

	if (!drawing->begun || first != drawing->first || slot->pages != drawing->pages) {
		end_row(drawing);
		printf("%*u  ", drawing->margin, first);
		drawing->begun = true;
		drawing->first = first;
		drawing->pages = slot->pages;
	}
	put_blanks(drawing, (slot->number - first) * slot->pages);
}

static void put_buffer(struct drawing *drawing, const struct slot *slot,
		       const struct owner *owner)
{
	unsigned int i;

	for (i = 0; i < slot->pages; i++) {
		if (drawing->column == drawing->cells) {
			end_row(drawing);
			printf("%*s  ", drawing->margin, "");
		}
		set_color(drawing, owner->color);
		putchar(i ? SYMBOL_CONNECTION : owner->symbol);
		drawing->column++;
	}
}

void draw_map(const struct pages *pages, const struct legend *legend, unsigned int width,
	      bool color)
{
	struct drawing drawing = { .cells = LEAST_CELLS, .color = color };
	const struct slot *slot;

	if (!pages->count)
		return;
	drawing.margin = snprintf(NULL, 0, "%u", pages->slots[pages->count - 1].number);
	while (drawing.margin + 2 + 2 * drawing.cells <= width)
		drawing.cells *= 2;
	for (slot = pages->slots; slot < pages->slots + pages->count; slot++) {
		place(&drawing, slot);
		put_buffer(&drawing, slot, legend_find(legend, slot));
	}
	end_row(&drawing);
}
