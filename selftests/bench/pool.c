// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a large pool costs more, in instructions and in memory. The module has been
 * loaded with the wanted size, all of it allocated. A quarter of the pages is owned,
 * mapped and touched meanwhile.
 */
#include <stdlib.h>

#include "device.h"

#define SMALL_POOL	16
#define LARGE_POOL	16384

static void hold_pages(struct device *device, unsigned int count)
{
	struct labyrinth_buffer buffers[256];
	unsigned int part;

	while (count) {
		part = count < ARRAY_COUNT(buffers) ? count : ARRAY_COUNT(buffers);
		device_acquire(device, LABYRINTH_ACQUIRE_POPULATE, 0, part, buffers);
		count -= part;
	}
}

/* Arguments: pages, and KiB that the kernel uses more than with the small pool. */
void bench_pool(int argc, char **argv)
{
	unsigned long pages = argc > 0 ? strtoul(argv[0], NULL, 0) : 0;
	struct labyrinth_stat stat;
	struct device device;
	struct batch batch;

	device_open(&device, 0);
	device_stat(&device, &stat);
	if (!pages || stat.max != pages || stat.total != pages)
		bench_die("a pool of %lu pages was wanted, it has %llu of %llu", pages,
			  stat.total, stat.max);
	hold_pages(&device, pages / 4);
	batch_init(&batch, &device, 0, 1, true);
	bench_result("pool", "labyrinth", pages, bench_measure(batch_cycle, &batch));
	if (pages == LARGE_POOL && argc > 1)
		bench_result("memory", "labyrinth", pages,
			     atof(argv[1]) * 1024 / (LARGE_POOL - SMALL_POOL));
	device_close(&device);
}
