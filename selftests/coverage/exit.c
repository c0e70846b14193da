// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into programs that count what they reach, with -Wl,--wrap=_exit: the counts are
 * written by exit(), so those of a process that ends with _exit() would be lost.
 */
#include <gcov.h>

void __real__exit(int code) __attribute__((noreturn));
void __wrap__exit(int code) __attribute__((noreturn));

void __wrap__exit(int code)
{
	__gcov_dump();
	__real__exit(code);
}
