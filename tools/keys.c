// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of `labyrinth top`.
 */
#include <ncurses.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "top.h"

#define SHORTEST	0.125		/* seconds between samples */
#define LONGEST		64

#define ESCAPE		27

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* False: quit. */
static bool obey(int key, struct view *view)
{
	switch (key) {
	case 'q':
	case 'Q':
	case ESCAPE:
		return false;
	case 's':
		view->key = (view->key + 1) % SORT_KEYS;
		break;
	case 'r':
		view->reversed = !view->reversed;
		break;
	case '+':
		if (view->interval < LONGEST)
			view->interval *= 2;
		break;
	case '-':
		if (view->interval > SHORTEST)
			view->interval /= 2;
		break;
	case KEY_UP:
		if (view->skipped)
			view->skipped--;
		break;
	case KEY_DOWN:
		/* Drawing keeps it within what there is. */
		view->skipped++;
		break;
	}
	return true;
}

/* Waits until then, for the next sample. False: the person, or a signal, wants to quit. */
bool keys_wait(struct sample *sample, struct view *view, double until)
{
	struct pollfd keyboard = { .fd = STDIN_FILENO, .events = POLLIN };
	double left;
	int key;

	while ((left = until - now()) > 0) {
		/* A new size of the window is a signal, which ends poll(), and then a key. */
		if (poll(&keyboard, 1, left * 1000 + 1) > 0 && !(keyboard.revents & POLLIN))
			return false;
		while ((key = getch()) != ERR) {
			if (!obey(key, view))
				return false;
			sort_holders(sample, view->key, view->reversed);
			screen_draw(sample, view);
		}
		if (signals_stopped())
			return false;
	}
	return !signals_stopped();
}
