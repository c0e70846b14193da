// SPDX-License-Identifier: GPL-2.0
/*
 * Measures one part in the guest. Each result is a line: case, system, batch, and the
 * instructions for one page. An error is one line too, and ends with status 1.
 *
 * usage: bench [-q] PART [ARGUMENT...]
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

struct part {
	const char *name;
	void (*run)(int argc, char **argv);
	bool real_time;		/* not a count of instructions */
};

static const struct part parts[] = {
	{ "pages", bench_pages, false },
	{ "steps", bench_steps, false },
	{ "peers", bench_peers, false },
	{ "passing", bench_passing, false },
	{ "openers", bench_openers, false },
	{ "pool", bench_pool, false },
	{ "refill", bench_refill, false },
	{ "level", bench_level, false },
	{ "copies", bench_copies, false },
	{ "profile", bench_profile, false },
	{ "scaling", bench_scaling, true },
};

int main(int argc, char **argv)
{
	const struct part *part;

	if (argc > 1 && !strcmp(argv[1], "-q")) {
		bench_quick = true;
		bench_times = 500;
		argc--;
		argv++;
	}
	for (part = parts; argc > 1 && part < parts + ARRAY_COUNT(parts); part++) {
		if (strcmp(part->name, argv[1]))
			continue;
		if (!part->real_time)
			bench_check_clock();
		part->run(argc - 2, argv + 2);
		return 0;
	}
	fputs("usage: bench [-q] PART [ARGUMENT...]\n", stderr);
	return 2;
}
