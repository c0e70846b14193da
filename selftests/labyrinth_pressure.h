/* SPDX-License-Identifier: GPL-2.0 */
/* Making memory short, so that the kernel asks the first device's pool for some. */
#ifndef LABYRINTH_PRESSURE_H
#define LABYRINTH_PRESSURE_H

#include <sys/mman.h>

#include "labyrinth_limits.h"
#include "labyrinth_peer.h"

#define DROP_CACHES	"/proc/sys/vm/drop_caches"

/* What the process under pressure takes at a time, in KiB, and near the end. */
#define STRIDE		4096
#define STEP		64

/* Every shrinker is asked for all it has, and again. */
static inline void drop_caches(struct __test_metadata *_metadata)
{
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, sysfs_write(DROP_CACHES, "2"));
}

static inline unsigned long long memory_value(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long value = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

/* How many KiB to take next, less and less. */
static inline unsigned long long next_step(void)
{
	unsigned long long last = number_in("/proc/sys/vm/min_free_kbytes");
	unsigned long long left = memory_value("MemFree:");

	if (left > 2 * last + 4 * STRIDE)
		return STRIDE;
	return left > last ? STEP : page_size() >> 10;
}

/*
 * Touches memory until the pool gives something back. Where no memory is free but what
 * the kernel keeps for itself and for each CPU, this goes on page by page: there, the
 * kernel asks us to wait while it looks for more, and asks the pool before it gives up.
 * The other end of the line learns how many KiB it took.
 */
static inline void press(struct __test_metadata *_metadata, struct peer *peer)
{
	unsigned long long begin = number_in(POOL "shrunk");
	unsigned long long step;
	__u64 taken = 0;
	char *memory;

	/* If memory does run out, nobody else is to suffer. */
	ASSERT_EQ(0, sysfs_write("/proc/self/oom_score_adj", "1000"));
	while (number_in(POOL "shrunk") == begin) {
		step = next_step();
		memory = mmap(NULL, step << 10, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		ASSERT_NE(MAP_FAILED, memory);
		taken += step;
	}
	test_peer_send(peer, taken);
	/* What it took, it keeps until the line ends. */
	peer_receive(peer, &taken, NULL);
	test_child_exit();
}

#endif /* LABYRINTH_PRESSURE_H */
