/* SPDX-License-Identifier: GPL-2.0 */
/* Counting the events of a tracepoint with perf_event_open(). */
#ifndef LABYRINTH_PERF_H
#define LABYRINTH_PERF_H

#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "labyrinth_utils.h"

#define PERF_CPUS	8

/* On every CPU, whoever is running: not on a task, for that patches the scheduler. */
struct perf_counter {
	int fds[PERF_CPUS];
	int count;
};

static inline void perf_require(struct __test_metadata *_metadata)
{
	if (access("/proc/sys/kernel/perf_event_paranoid", F_OK))
		SKIP(_exit(KSFT_SKIP), "this kernel has no perf events");
	if (geteuid())
		SKIP(_exit(KSFT_SKIP), "no right to watch all CPUs");
}

/* How many CPUs it counts on, -1 if there is no such event or it cannot be counted. */
static inline int perf_begin(struct perf_counter *counter, const char *dir,
			     const char *event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char path[128], id[16] = "";
	FILE *file;

	counter->count = 0;
	snprintf(path, sizeof(path), "%s/events/labyrinth/%s/id", dir, event);
	file = fopen(path, "r");
	if (!file || cpus > PERF_CPUS)
		return -1;
	attr.config = fgets(id, sizeof(id), file) ? strtoull(id, NULL, 10) : 0;
	fclose(file);
	for (; counter->count < cpus; counter->count++) {
		counter->fds[counter->count] = syscall(SYS_perf_event_open, &attr, -1,
						       counter->count, -1,
						       PERF_FLAG_FD_CLOEXEC);
		if (counter->fds[counter->count] < 0)
			return -1;
	}
	return counter->count;
}

/* How often it has happened, on all CPUs together. */
static inline long long perf_end(struct perf_counter *counter)
{
	long long total = 0;
	__u64 value;
	int i;

	for (i = 0; i < counter->count; i++) {
		if (read(counter->fds[i], &value, sizeof(value)) == sizeof(value))
			total += value;
		close(counter->fds[i]);
	}
	return total;
}

#endif /* LABYRINTH_PERF_H */
