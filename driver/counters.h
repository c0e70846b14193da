/* SPDX-License-Identifier: GPL-2.0 */
/* The history that STAT reports; the meaning of each is in the UAPI header. */
#ifndef LABYRINTH_COUNTERS_H
#define LABYRINTH_COUNTERS_H

#include <linux/types.h>

/* Those that change with each page come first. */
enum labyrinth_counter {
	LABYRINTH_ACQUIRED,
	LABYRINTH_RELEASED,
	LABYRINTH_REVOKED,
	LABYRINTH_SCRUBBED,
	LABYRINTH_BUSY_COUNTERS,
	LABYRINTH_IRQ_REFILLS = LABYRINTH_BUSY_COUNTERS,
	LABYRINTH_IRQ_REFILL_PAGES,
	LABYRINTH_IRQ_HARD,
	LABYRINTH_IRQ_THREADED,
	LABYRINTH_WORKER_REFILLS,
	LABYRINTH_WORKER_REFILL_PAGES,
	LABYRINTH_REFILL_FAILURES,
	LABYRINTH_TRIMMED,
	LABYRINTH_SHRUNK,
	LABYRINTH_EXHAUSTION_WAITS,
	LABYRINTH_EXHAUSTION_FAILS,
	LABYRINTH_FRAGMENTATION_FAILS,
	LABYRINTH_GIVEN,
	LABYRINTH_TAKEN,
	LABYRINTH_COPIES,
	LABYRINTH_COPIES_FAILED,
	LABYRINTH_COPIED_BYTES,
	LABYRINTH_CHUNKS,
	LABYRINTH_CHUNKS_OUTSIDE,
	LABYRINTH_DMA_TIMEOUTS,
	LABYRINTH_COUNTERS
};

/**
 * struct labyrinth_busy_counters - what one CPU has done
 * @value: the first of enum labyrinth_counter; guarded by the pool's lock
 * @owned: how often a free page has become owned without that lock. One number for what
 *	is acquired, owned, and not free any more, so that they always add up
 *
 * So that not all CPUs write to one line for each page.
 */
struct labyrinth_busy_counters {
	u64 value[LABYRINTH_BUSY_COUNTERS];
	unsigned long owned;
};

#endif /* LABYRINTH_COUNTERS_H */
