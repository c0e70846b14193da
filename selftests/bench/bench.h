/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the bench share: a clock that counts instructions, a loop that
 * does not count itself, and lines of results.
 */
#ifndef LABYRINTH_BENCH_H
#define LABYRINTH_BENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#define ARRAY_COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define BENCH_PAGE		4096
#define BENCH_MAX_BATCH		64

typedef void (*bench_op)(void *argument);

/* How often an operation is repeated; fewer times where a hint is enough. */
extern unsigned int bench_times;

/* Only what the committed figures have. */
extern bool bench_quick;

/* With -icount shift=0 the counter of an emulated CPU goes up by 1 an instruction. */
static inline __u64 bench_now(void)
{
	return __builtin_ia32_rdtsc();
}

void bench_check_clock(void);
double bench_measure(bench_op op, void *argument);
double bench_measure_times(bench_op op, void *argument, unsigned int times);
void bench_result(const char *name, const char *system, unsigned int batch, double value);
void bench_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* A part of the pages: those in the library's cache. */
void bench_cache(void);

/* The parts, one file each. */
void bench_pages(int argc, char **argv);
void bench_steps(int argc, char **argv);
void bench_peers(int argc, char **argv);
void bench_passing(int argc, char **argv);
void bench_openers(int argc, char **argv);
void bench_pool(int argc, char **argv);
void bench_refill(int argc, char **argv);
void bench_level(int argc, char **argv);
void bench_copies(int argc, char **argv);
void bench_scaling(int argc, char **argv);
void bench_profile(int argc, char **argv);

#endif /* LABYRINTH_BENCH_H */
