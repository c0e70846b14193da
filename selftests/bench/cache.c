// SPDX-License-Identifier: GPL-2.0
/* The library's cache of pages, as long as the page wanted is in it. */
#include <labyrinth.h>

#include "bench.h"

/* So many operations that a timer tick among them does not matter. */
#define MORE_TIMES	100

static void hit(void *argument)
{
	struct labyrinth_buf *buf = labyrinth_cache_acquire(argument);

	__atomic_store_n((char *)labyrinth_buf_data(buf), 1, __ATOMIC_RELAXED);
	labyrinth_cache_release(argument, buf);
}

static __u64 acquired(struct labyrinth_device *device)
{
	struct labyrinth_stat stat;

	if (labyrinth_device_stat(device, &stat, sizeof(stat)))
		bench_die("%s", labyrinth_strerror());
	return stat.acquired;
}

void bench_cache(void)
{
	struct labyrinth_device *device = labyrinth_device_open_number(0);
	struct labyrinth_cache *cache = device ? labyrinth_cache_create(device, 64) : NULL;
	struct labyrinth_buf *buf;
	__u64 before;

	buf = cache ? labyrinth_cache_acquire(cache) : NULL;
	if (!buf || labyrinth_cache_release(cache, buf))
		bench_die("%s", labyrinth_strerror());
	before = acquired(device);
	bench_result("cache", "labyrinth", 1,
		     bench_measure_times(hit, cache, bench_times * MORE_TIMES));
	if (acquired(device) != before)
		bench_die("not every acquisition was a hit");
	labyrinth_cache_destroy(cache);
	labyrinth_device_close(device);
}
