/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of `labyrinth stress`: what each of its processes does, and what they count.
 */
#ifndef LABYRINTH_STRESS_H
#define LABYRINTH_STRESS_H

#include <stdatomic.h>
#include <stdint.h>

#include "command.h"

/**
 * struct tally - what one worker has done; shared with the process that reports it
 * @rounds: of acquiring and releasing
 * @pages: acquired, and found to be zero and then its own
 * @refused: requests, because there were no pages
 * @copies: by the device
 * @tickets: given and taken
 * @reason: what ended it before it was told to
 */
struct tally {
	atomic_uint_least64_t rounds, pages, refused, copies, tickets;
	char reason[512];
};

/**
 * struct stress - what is asked for
 * @device: the device, or NULL for the only one
 * @workers: how many processes
 * @pages: most pages that each has at a time
 * @seconds: how long; 0: until a signal
 * @seed: of the choices the workers make
 * @quiet: no progress
 * @style: of the report
 */
struct stress {
	const char *device;
	unsigned int workers;
	unsigned int pages;
	double seconds;
	unsigned int seed;
	bool quiet;
	struct style style;
};

#define MAX_PAGES	64U		/* in one call, for any module there is */

/* worker.c */
int worker_run(const struct stress *stress, unsigned int number, struct tally *tally);

/* crew.c: both report their errors, and return an &enum exit_code; the second is due always */
int crew_start(const struct stress *stress, struct tally *tallies);
int crew_work(const struct stress *stress, struct tally *tallies, int device_fd,
	      int code);
void crew_sum(const struct stress *stress, struct tally *tallies, struct tally *sum);

#endif /* LABYRINTH_STRESS_H */
