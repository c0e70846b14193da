// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One clear line on stderr, whatever went wrong.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "command.h"

const char *program = "labyrinth";

static void (*finish_line)(void);

/* For who has a line on the terminal that is not finished, such as a progress bar. */
void report_after(void (*finish)(void))
{
	finish_line = finish;
}

static char *kept;
static size_t kept_size;

/* For who has the whole terminal: keeps the last line here instead. NULL: no longer. */
void report_into(char *text, size_t size)
{
	kept = text;
	kept_size = size;
}

static void say(const char *format, va_list args)
{
	if (kept) {
		vsnprintf(kept, kept_size, format, args);
		return;
	}
	if (finish_line)
		finish_line();
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int failed(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return EXIT_FAILED;
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

/* For a failed library call: its text, and the exit code that belongs to errno. */
int library_failed(void)
{
	int error = errno;

	failed("%s", labyrinth_strerror());
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case ENOTTY:
		return EXIT_NO_DEVICE;
	case ENOTUNIQ:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}
