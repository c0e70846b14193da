/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a page table shows a page. */
#ifndef LABYRINTH_PRESENT_H
#define LABYRINTH_PRESENT_H

#include <sys/resource.h>

#include "labyrinth_utils.h"

static inline long faults_of_read(const void *address)
{
	struct rusage before, after;

	getrusage(RUSAGE_THREAD, &before);
	__atomic_load_n((const char *)address, __ATOMIC_RELAXED);
	getrusage(RUSAGE_THREAD, &after);
	return after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt;
}

/*
 * Reads a byte, and says whether it took no page fault to do so; afterwards the page
 * is there in any case. The kernel's own reports, pagemap and mincore(), leave
 * mappings of device memory out.
 */
static inline bool is_present(const void *address)
{
	char warm = 0;

	/* The first call may fault on the code itself. */
	faults_of_read(&warm);
	return !faults_of_read(address);
}

#endif /* LABYRINTH_PRESENT_H */
