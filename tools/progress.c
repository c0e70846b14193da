// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A progress bar on the terminal.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "copy.h"

#define REDRAW_SECONDS	0.1
#define MAX_BAR		40
#define BESIDE_BAR	52		/* columns the figures may take */

static struct {
	bool shown;
	uint64_t total;			/* bytes; 0 if unknown */
	double started, drawn;		/* seconds */
} progress;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

void progress_begin(bool wanted, uint64_t total)
{
	progress.shown = wanted && isatty(STDERR_FILENO);
	progress.total = total;
	progress.started = now();
	progress.drawn = 0;
	report_after(progress_end);
}

double progress_seconds(void)
{
	return now() - progress.started;
}

static const char *human(double bytes, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (bytes >= 1024 && unit < ARRAY_SIZE(units) - 1) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return text;
}

static void draw_bar(double fraction)
{
	char bar[MAX_BAR + 1];
	struct winsize window;
	int width = MAX_BAR;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_col &&
	    window.ws_col < MAX_BAR + BESIDE_BAR)
		width = window.ws_col - BESIDE_BAR;
	if (width >= 5) {
		memset(bar, '.', width);
		memset(bar, '#', (size_t)(fraction * width));
		fprintf(stderr, "[%.*s] ", width, bar);
	}
	fprintf(stderr, "%3d%%  ", (int)(fraction * 100));
}

static void draw(uint64_t done)
{
	double seconds = progress_seconds();
	char sizes[3][24];
	double rate;

	/* The source may have grown while it was read. */
	if (progress.total && progress.total < done)
		progress.total = done;
	fputs("\r\033[K", stderr);
	if (progress.total)
		draw_bar((double)done / progress.total);
	fprintf(stderr, "%s", human(done, sizes[0], sizeof(sizes[0])));
	if (progress.total)
		fprintf(stderr, " of %s", human(progress.total, sizes[1], sizeof(sizes[1])));
	rate = seconds > 0 ? done / seconds : 0;
	fprintf(stderr, "  %s/s", human(rate, sizes[2], sizeof(sizes[2])));
	fflush(stderr);
}

void progress_update(uint64_t done)
{
	if (!progress.shown)
		return;
	if (now() - progress.drawn < REDRAW_SECONDS && done != progress.total)
		return;
	draw(done);
	progress.drawn = now();
}

/* The last state stays on the screen; what follows begins on a line of its own. */
void progress_end(void)
{
	if (progress.shown && progress.drawn)
		fputc('\n', stderr);
	progress.shown = false;
}
