// SPDX-License-Identifier: GPL-2.0
/*
 * Which functions the instructions of a path are in: the module labyrinth_bench looks
 * at the CPU at intervals of a few thousand instructions. Lines are "function PATH
 * NAME SHARE", the share in instructions of one page. What runs with interrupts off
 * counts where they come back on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "files.h"

static void show_profile(const char *path, double per_page)
{
	static char text[1 << 16];
	char *line, *rest = text, name[64];
	unsigned long samples, total = 0;

	file_read(BENCH_DEBUGFS "profile", text, sizeof(text));
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%lu %63s", &samples, name) != 2)
			continue;
		if (!total) {
			total = samples;	/* the first line is the sum */
			continue;
		}
		if (samples * 200 >= total)
			printf("function %s %s %.0f\n", path, name,
			       per_page * samples / total);
	}
	if (!total)
		bench_die("the profile is empty");
	fflush(stdout);
}

static void one_path(const char *path, struct device *device, __u32 flags,
		     unsigned int count, bool touch)
{
	struct batch batch;
	double per_page;
	unsigned int i;

	batch_init(&batch, device, flags, count, touch);
	per_page = bench_measure(batch_cycle, &batch) / count;
	file_write(BENCH_DEBUGFS "profile", "1");
	for (i = 0; i < 20 * bench_times / count; i++)
		batch_cycle(&batch);
	file_write(BENCH_DEBUGFS "profile", "0");
	show_profile(path, per_page);
}

void bench_profile(int argc, char **argv)
{
	struct device device;

	(void)argc;
	(void)argv;
	device_open(&device, 0);
	one_path("acquire-release", &device, 0, 1, false);
	one_path("fault", &device, 0, 1, true);
	one_path("populate", &device, LABYRINTH_ACQUIRE_POPULATE, 1, true);
	one_path("populate-32", &device, LABYRINTH_ACQUIRE_POPULATE, 32, true);
	device_close(&device);
}
