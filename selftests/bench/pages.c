// SPDX-License-Identifier: GPL-2.0
/* Acquiring, touching and releasing: one page, and batches of them. */
#include "device.h"

static void one_case(const char *name, struct device *device, __u32 flags,
		     unsigned int count, bool touch)
{
	struct batch batch;

	batch_init(&batch, device, flags, count, touch);
	bench_result(name, "labyrinth", count, bench_measure(batch_cycle, &batch) / count);
}

void bench_pages(int argc, char **argv)
{
	struct device device;
	unsigned int count;

	(void)argc;
	(void)argv;
	device_open(&device, 0);
	one_case("acquire-release", &device, 0, 1, false);
	for (count = 1; count <= BENCH_MAX_BATCH; count *= 2)
		one_case("fault", &device, 0, count, true);
	for (count = 1; count <= BENCH_MAX_BATCH; count *= 2)
		one_case("populate", &device, LABYRINTH_ACQUIRE_POPULATE, count, true);
	device_close(&device);
	bench_cache();
}
