// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth stress: several processes acquire, use and release pages all the time, and
 * look whether each page is theirs alone.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "stress.h"

#define MAX_WORKERS	256U

static int check_conservation(struct labyrinth_device *dev)
{
	struct labyrinth_stat stat;

	if (labyrinth_device_stat(dev, &stat, sizeof(stat)) < 0)
		return library_failed();
	if (stat.total != stat.free + stat.owned + stat.ticketed + stat.kernel +
			  stat.quarantined + stat.poisoned)
		return failed("the pages do not add up: look at labyrinth stat");
	if (stat.poisoned)
		return failed("there are poisoned pages: somebody wrote into free ones; see dmesg");
	return EXIT_DONE;
}

struct report {
	uint64_t milliseconds, workers, seed, rounds, pages, refused, copies, tickets;
};

#define REPORT(name, text)	ROW(struct report, name, text)

static const struct column rows[] = {
	TEXT_ROW("device", "its path"),
	REPORT(milliseconds, "how long it took"),
	REPORT(workers, "processes"),
	REPORT(seed, "of their choices (--seed)"),
	REPORT(rounds, "of acquiring, using and releasing"),
	REPORT(pages, "zero on arrival, and its owner's alone"),
	REPORT(refused, "requests, for want of pages"),
	REPORT(copies, "by the device"),
	REPORT(tickets, "given and taken"),
};

static int print_report(const struct stress *stress, struct tally *tallies,
			const char *path, double seconds)
{
	struct field fields[ARRAY_SIZE(rows)];
	struct tally sum;

	crew_sum(stress, tallies, &sum);

	const struct report report = {
		.milliseconds = seconds * 1000,
		.workers = stress->workers,
		.seed = stress->seed,
		.rounds = sum.rounds,
		.pages = sum.pages,
		.refused = sum.refused,
		.copies = sum.copies,
		.tickets = sum.tickets,
	};

	fields_read(fields, rows, ARRAY_SIZE(rows), &report);
	fields[0].text = path;
	return fields_print("stress", fields, ARRAY_SIZE(fields), &stress->style);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int work(const struct stress *stress, struct labyrinth_device *dev,
		struct tally *tallies)
{
	const double begin = now();
	int code;

	code = crew_start(stress, tallies);
	code = crew_work(stress, tallies, labyrinth_device_fd(dev), code);
	if (!code)
		code = check_conservation(dev);
	if (!code)
		code = print_report(stress, tallies, labyrinth_device_path(dev), now() - begin);
	return code;
}

static int run_stress(const struct stress *stress)
{
	const size_t size = stress->workers * sizeof(struct tally);
	struct labyrinth_device *dev;
	struct tally *tallies;
	int code;

	dev = select_device(stress->device, &code);
	if (!dev)
		return code;
	signals_catch();
	signals_on_device_loss(NULL);
	tallies = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tallies == MAP_FAILED) {
		code = failed("out of memory");
	} else {
		code = work(stress, dev, tallies);
		munmap(tallies, size);
	}
	labyrinth_device_close(dev);
	return code;
}

static int set_option(struct stress *stress, int option)
{
	switch (option) {
	case 'd':
		stress->device = optarg;
		break;
	case 'w':
		if (!parse_number(optarg, MAX_WORKERS, &stress->workers) || !stress->workers)
			return usage_error("'%s' is not a number of workers, 1 to %u", optarg,
					   MAX_WORKERS);
		break;
	case 'p':
		if (!parse_number(optarg, MAX_PAGES, &stress->pages) || !stress->pages)
			return usage_error("'%s' is not a number of pages, 1 to %u", optarg,
					   MAX_PAGES);
		break;
	case 't':
		if (!parse_seconds(optarg, &stress->seconds))
			return usage_error("'%s' is not a number of seconds", optarg);
		break;
	case 'S':
		if (!parse_number(optarg, UINT_MAX, &stress->seed))
			return usage_error("'%s' is not a seed, a number below 2^32", optarg);
		break;
	case 'q':
		stress->quiet = true;
		break;
	}
	return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		DEVICE_OPTION,
		COLUMNS_OPTION,
		JSON_OPTION,
		{ "workers", required_argument, NULL, 'w' },
		{ "pages", required_argument, NULL, 'p' },
		{ "time", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'S' },
		{ "quiet", no_argument, NULL, 'q' },
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	struct stress stress = { .workers = 4, .pages = 8, .seconds = 10, .seed = time(NULL) };
	int option, code;

	while ((option = getopt_long(argc, argv, ":d:c:jw:p:t:S:qhV", options, NULL)) != -1) {
		if (strchr("hV?:", option))
			return common_option(command, option);
		if (style_option(&stress.style, option))
			continue;
		code = set_option(&stress, option);
		if (code)
			return code;
	}
	code = no_arguments(argc, argv);
	if (!code)
		code = columns_check(command, &stress.style);
	return code ? code : run_stress(&stress);
}

const struct command command_stress = {
	.name = "stress",
	.synopsis = "[-d DEV] [-w N] [-p N] [-t S] [-S N] [-qj] [-c KEY,...]",
	.summary = "put load on a pool, and check that each page is its owner's alone",
	.help = "Each worker acquires pages, looks whether they are zero, writes into them,\n"
		"copies some, gives some away and takes them back, and looks whether all is as it\n"
		"wrote it. The first thing that is wrong ends it, with exit code 1.\n\n"
		DEVICE_HELP
		"  -w, --workers N   processes (default: 4)\n"
		"  -p, --pages N     most pages that each has at a time (default: 8)\n"
		"  -t, --time S      for S seconds, 0 until Ctrl-C (default: 10)\n"
		"  -S, --seed N      make the same choices as the run that printed it\n"
		"  -q, --quiet       no progress\n"
		STYLE_HELP,
	.columns = rows,
	.column_count = ARRAY_SIZE(rows),
	.run = run,
};
