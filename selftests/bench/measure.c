// SPDX-License-Identifier: GPL-2.0
/* Counting the instructions of an operation, and saying how many they were. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

unsigned int bench_times = 2000;
bool bench_quick;

void bench_die(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("error: ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	exit(1);
}

/* What a loop of two million instructions takes. */
static double time_known_loop(void)
{
	unsigned long left = 1000000;
	__u64 begin = bench_now();

	asm volatile("1: dec %0; jnz 1b" : "+r" (left));
	return bench_now() - begin;
}

/*
 * Believes the clock only after it has counted a loop of known length. Again if it took
 * too long: a worker may have had something left to do.
 */
void bench_check_clock(void)
{
	double counted;
	int tries;

	for (tries = 0; tries < 3; tries++) {
		counted = time_known_loop();
		if (counted >= 2000000 && counted <= 2040000)
			return;
	}
	bench_die("the clock does not count instructions: 2,000,000 took %.0f", counted);
}

/* Not inlined, so that the loop around the empty operation is the same loop. */
static __attribute__((noinline)) __u64 repeat(bench_op op, void *argument,
					      unsigned int times)
{
	__u64 begin = bench_now();

	while (times--)
		op(argument);
	return bench_now() - begin;
}

static void do_nothing(void *argument)
{
	asm volatile("" : : "r" (argument) : "memory");
}

/* Instructions of one operation, after a warm-up, without those of the loop. */
double bench_measure_times(bench_op op, void *argument, unsigned int times)
{
	__u64 with, without;

	repeat(op, argument, 100);
	with = repeat(op, argument, times);
	without = repeat(do_nothing, argument, times);
	return ((double)with - (double)without) / times;
}

double bench_measure(bench_op op, void *argument)
{
	return bench_measure_times(op, argument, bench_times);
}

void bench_result(const char *name, const char *system, unsigned int batch, double value)
{
	printf("%s %s %u %.2f\n", name, system, batch, value);
	fflush(stdout);
}
