/* SPDX-License-Identifier: GPL-2.0 */
/* Choices at random that can be repeated, and what the environment asks for. */
#ifndef LABYRINTH_RANDOM_H
#define LABYRINTH_RANDOM_H

#include "labyrinth_utils.h"

/* The next of a sequence of numbers without a pattern (splitmix64). */
static inline __u64 random_next(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Between the two, both included. */
static inline __u32 random_between(__u64 *state, __u32 least, __u32 most)
{
	return least + random_next(state) % (most - least + 1);
}

/* True once in so many times. */
static inline bool random_once_in(__u64 *state, __u32 times)
{
	return !random_between(state, 0, times - 1);
}

static inline __u64 number_from_environment(const char *name, __u64 otherwise)
{
	const char *chosen = getenv(name);

	return chosen ? strtoull(chosen, NULL, 0) : otherwise;
}

/* LABYRINTH_SEED, so that a run can be repeated, or a new one. */
static inline __u64 choose_seed(void)
{
	return number_from_environment("LABYRINTH_SEED",
				       now_ns() ^ (__u64)getpid() << 40);
}

#endif /* LABYRINTH_RANDOM_H */
