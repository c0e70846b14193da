// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen of `labyrinth top`, drawn with ncurses. What is too wide or too long for the
 * terminal is cut off.
 */
#include <inttypes.h>
#include <ncurses.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "top.h"

enum { PAIR_NONE, PAIR_HEADING, PAIR_ALERT, PAIR_WAITING };

#define CELL	32			/* bytes of one figure */

static SCREEN *screen;

int screen_begin(void)
{
	const char *type = getenv("TERM");

	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return failed("cannot draw on a terminal of the type '%s': set TERM to its type",
			      type ? type : "");
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	/* Escape quits: do not wait for the rest of a key's sequence for long. */
	set_escdelay(50);
	if (color_wanted() && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_HEADING, COLOR_CYAN, -1);
		init_pair(PAIR_ALERT, COLOR_RED, -1);
		init_pair(PAIR_WAITING, COLOR_YELLOW, -1);
	}
	return EXIT_DONE;
}

void screen_end(void)
{
	endwin();
	delscreen(screen);
}

/* Writes at the place, and what does not fit is not written. */
static void put(int row, int column, const char *text)
{
	if (row < LINES && column < COLS)
		mvaddnstr(row, column, text, COLS - column);
}

static void put_line(int row, attr_t attributes, short pair, const char *text)
{
	attr_set(attributes, pair, NULL);
	put(row, 0, text);
	attr_set(A_NORMAL, PAIR_NONE, NULL);
}

/* In at most six characters. */
static void format_rate(char *text, const struct pool *pool, double value)
{
	static const char units[] = " KMGTPE";
	size_t unit = 0;

	while (value >= 99999.5 && units[unit + 1]) {
		value /= 1000;
		unit++;
	}
	if (!pool->seconds)
		snprintf(text, CELL, "-");
	else if (unit)
		snprintf(text, CELL, "%.0f%c", value, units[unit]);
	else
		snprintf(text, CELL, value < 100 ? "%.1f" : "%.0f", value);
}

enum { TOTAL, FREE, OWNED, TICKET, KERNEL, WAIT, ACQUIRED, REFILLED, COPIES, BYTES,
	IRQ, WORKER, QUARANTINED, POISONED, FIGURES };

#define COUNT(text, width, name)	{ text, width, false, offsetof(struct pool, stat.name) }
#define RATE(text, width, name)		{ text, width, true, offsetof(struct pool, name) }

/* Those that matter most come first: a narrow terminal shows them alone. */
static const struct {
	const char *heading;
	int width;
	bool rate;			/* a double, by the second; otherwise a __u64 */
	size_t offset;			/* in struct pool */
} figures[FIGURES] = {
	[TOTAL] = COUNT("TOTAL", 6, total),
	[FREE] = COUNT("FREE", 6, free),
	[OWNED] = COUNT("OWNED", 6, owned),
	[TICKET] = COUNT("TICKET", 7, ticketed),
	[KERNEL] = COUNT("KERNEL", 7, kernel),
	[WAIT] = COUNT("WAIT", 5, waiters),
	[ACQUIRED] = RATE("ACQ/s", 7, acquired),
	[REFILLED] = RATE("REFILL/s", 9, refilled),
	[COPIES] = RATE("COPY/s", 7, copies),
	[BYTES] = RATE("BYTE/s", 7, bytes),
	[IRQ] = RATE("IRQ/s", 7, irq_refilled),
	[WORKER] = RATE("WORKER/s", 9, worker_refilled),
	[QUARANTINED] = COUNT("QUARAN", 7, quarantined),
	[POISONED] = COUNT("POISON", 7, poisoned),
};

#define NAME_WIDTH	13

static void format(const struct pool *pool, int figure, char *text)
{
	const void *value = (const char *)pool + figures[figure].offset;
	uint64_t count;
	double rate;

	if (figures[figure].rate) {
		memcpy(&rate, value, sizeof(rate));
		format_rate(text, pool, rate);
	} else {
		memcpy(&count, value, sizeof(count));
		snprintf(text, CELL, "%" PRIu64, count);
	}
}

static short color_of(const struct labyrinth_stat *stat, int figure)
{
	if ((figure == FREE && stat->free < stat->low) || (figure == POISONED && stat->poisoned))
		return PAIR_ALERT;
	if ((figure == WAIT && stat->waiters) || (figure == QUARANTINED && stat->quarantined))
		return PAIR_WAITING;
	return PAIR_NONE;
}

static void draw_pool(int row, const struct pool *pool)
{
	int figure, column = NAME_WIDTH;
	char text[CELL], cell[2 * CELL];

	snprintf(text, sizeof(text), "labyrinth%u", pool->number);
	put(row, 0, text);
	if (*pool->reason) {
		put(row, column + 1, pool->reason);
		return;
	}
	for (figure = 0; figure < FIGURES; figure++) {
		format(pool, figure, text);
		snprintf(cell, sizeof(cell), "%*s", figures[figure].width, text);
		/* Half a figure would be a wrong one. */
		if (column + figures[figure].width > COLS)
			break;
		attr_set(A_NORMAL, color_of(&pool->stat, figure), NULL);
		put(row, column, cell);
		attr_set(A_NORMAL, PAIR_NONE, NULL);
		column += figures[figure].width;
	}
}

static int draw_pools(int row, const struct sample *sample)
{
	char line[256];
	size_t used, i;
	int figure;

	used = snprintf(line, sizeof(line), "%-*s", NAME_WIDTH, "DEVICE");
	for (figure = 0; figure < FIGURES && (int)used + figures[figure].width <= COLS; figure++)
		used += snprintf(line + used, sizeof(line) - used, "%*s", figures[figure].width,
				 figures[figure].heading);
	put_line(row++, A_BOLD, PAIR_HEADING, line);
	for (i = 0; i < sample->pool_count; i++)
		draw_pool(row++, &sample->pools[i]);
	if (!sample->pool_count)
		put(row++, 0, "no labyrinth device (any more): labyrinth load?");
	return row;
}

static void draw_holder(int row, const struct holder *holder)
{
	char line[COMM_TEXT + 128], pid[16] = "-";

	if (holder->pid)
		snprintf(pid, sizeof(pid), "%u", holder->pid);
	snprintf(line, sizeof(line), "labyrinth%-4u%9" PRIu64 "  %-12s%9s  %s", holder->device,
		 holder->pages, page_state_name(holder->state), pid,
		 *holder->comm ? holder->comm : "-");
	put(row, 0, line);
}

/* The last line is for the keys. */
static void draw_holders(int row, const struct sample *sample, struct view *view)
{
	const size_t room = LINES - 1 > row + 1 ? LINES - 1 - (row + 1) : 0;
	size_t i;

	put_line(row++, A_BOLD, PAIR_HEADING,
		 "DEVICE           PAGES  STATE             PID  COMMAND");
	if (*sample->reason)
		put(row++, 0, sample->reason);
	if (view->skipped + room > sample->holder_count)
		view->skipped = sample->holder_count > room ? sample->holder_count - room : 0;
	for (i = view->skipped; i < sample->holder_count && row < LINES - 1; i++)
		draw_holder(row++, &sample->holders[i]);
}

static void draw_title(const struct sample *sample)
{
	const time_t seconds = time(NULL);
	char line[128], clock[16] = "";
	struct tm local;

	if (localtime_r(&seconds, &local))
		strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	snprintf(line, sizeof(line), "labyrinth top   %s   %zu device%s", clock,
		 sample->pool_count, sample->pool_count == 1 ? "" : "s");
	put_line(0, A_BOLD, PAIR_NONE, line);
}

void screen_draw(const struct sample *sample, struct view *view)
{
	char line[128];

	erase();
	draw_title(sample);
	draw_holders(draw_pools(2, sample) + 1, sample, view);
	snprintf(line, sizeof(line), "q quit   s sort: %s%s   r reverse   +/- every %g s   up/down",
		 sort_name(view->key), view->reversed ? " (reversed)" : "", view->interval);
	move(LINES - 1, 0);
	clrtoeol();
	put_line(LINES - 1, A_REVERSE, PAIR_NONE, line);
	refresh();
}
