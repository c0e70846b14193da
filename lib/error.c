// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The text of the last error, one per thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

static __thread char last_error[768] = "no error";

int liblabyrinth_fail(int error, const char *format, ...)
{
	va_list args;

	/* "%m" in a format is this error, whatever happened to errno since. */
	errno = error;
	va_start(args, format);
	vsnprintf(last_error, sizeof(last_error), format, args);
	va_end(args);
	errno = error;
	return -1;
}

EXPORT const char *labyrinth_strerror(void)
{
	return last_error;
}
