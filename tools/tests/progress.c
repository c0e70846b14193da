// SPDX-License-Identifier: GPL-2.0-or-later
/* What the progress bar draws, on a terminal that is none: it notes all and tells a width. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../copy.h"

#define MIB	1048576ULL

static unsigned int tests, failures;
static unsigned short columns;		/* of the terminal; 0: it does not tell */
static char *drawn;
static size_t length;
static FILE *saved;

static void result(bool passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	if (!passed) {
		printf("# drawn: %s\n", drawn ? drawn : "nothing");
		failures++;
	}
}

int __wrap_isatty(int fd);

int __wrap_isatty(int fd)
{
	(void)fd;
	return 1;
}

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct winsize *window;
	va_list arguments;

	(void)fd;
	va_start(arguments, request);
	window = va_arg(arguments, struct winsize *);
	va_end(arguments);
	if (request != TIOCGWINSZ || !columns)
		return -1;
	*window = (struct winsize){ .ws_col = columns };
	return 0;
}

/* What is drawn for so many bytes of so many, on a terminal of that width. */
static void draw(unsigned short width, uint64_t done, uint64_t total)
{
	free(drawn);
	drawn = NULL;
	saved = stderr;
	stderr = open_memstream(&drawn, &length);
	if (!stderr)
		exit(1);
	columns = width;
	progress_begin(true, total);
	progress_update(done);
	progress_end();
	fclose(stderr);
	stderr = saved;
}

static bool shows(const char *text)
{
	return drawn && strstr(drawn, text);
}

static void test_bar(void)
{
	draw(0, 5 * MIB, 10 * MIB);
	result(shows("[####################....................]  50%  5.0 MiB of 10.0 MiB"),
	       "half of the bytes are half of the bar");
	result(length && drawn[length - 1] == '\n' && shows("/s"),
	       "it tells how fast, and leaves a whole line");
	draw(60, 10 * MIB, 10 * MIB);
	result(shows("[########] 100%"), "a narrow terminal has a shorter bar");
	draw(54, 512, 1024);
	result(!shows("[#") && shows(" 50%  512 B of 1.0 KiB"), "a very narrow one has none");
	draw(200, 12 * MIB, 10 * MIB);
	result(shows("100%  12.0 MiB of 12.0 MiB"), "a source that grows is never over 100 %");
}

static void test_unknown_total(void)
{
	draw(0, 3 * MIB, 0);
	result(shows("3.0 MiB") && !shows("%") && !shows(" of "),
	       "where the total is not known, neither bar nor share");
}

static void test_silence(void)
{
	char *quiet = NULL;
	size_t size = 0;

	saved = stderr;
	stderr = open_memstream(&quiet, &size);
	if (!stderr)
		exit(1);
	progress_begin(false, MIB);
	progress_update(MIB);
	progress_end();
	fflush(stderr);
	result(!size, "nothing is drawn that was not wanted");
	progress_begin(true, MIB);
	progress_update(1);
	fflush(stderr);
	size = 0;
	progress_update(2);
	progress_end();
	fclose(stderr);
	stderr = saved;
	result(quiet && !strstr(quiet, "2 B"), "it is not drawn for every byte");
	free(quiet);
}

int main(void)
{
	printf("TAP version 13\n1..8\n");
	test_bar();
	test_unknown_total();
	test_silence();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	free(drawn);
	return failures != 0;
}
