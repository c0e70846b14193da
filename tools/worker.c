// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One process of `labyrinth stress`: it acquires pages, and looks whether anybody else
 * was ever in them.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

/* The device takes a tenth of a second for each, so it is asked for one now and then. */
#define ROUNDS_PER_COPY		256
#define ROUNDS_PER_TICKET	8

struct worker {
	const struct stress *stress;
	struct labyrinth_device *dev;
	struct labyrinth_info info;
	struct tally *tally;
	unsigned int number;
	unsigned int seed;
	struct labyrinth_buf *bufs[MAX_PAGES];
	unsigned int count;		/* of @bufs */
};

/* What a word of a page must hold: nobody else ever writes the same. */
static uint64_t stamp_of(const struct worker *worker, unsigned int page, size_t word)
{
	uint64_t stamp = (uint64_t)getpid() << 32 ^ worker->tally->rounds;

	return (stamp * 64 + page) * 0x9e3779b97f4a7c15ULL + word;
}

static int check_zero(const struct worker *worker)
{
	const uint64_t *data;
	unsigned int page;
	size_t word;

	for (page = 0; page < worker->count; page++) {
		data = labyrinth_buf_data(worker->bufs[page]);
		for (word = 0; word < labyrinth_buf_size(worker->bufs[page]) / 8; word++)
			if (data[word])
				return failed("worker %u got somebody's bytes: %#" PRIx64 " at %zu",
					      worker->number, data[word], word * 8);
	}
	return EXIT_DONE;
}

static void write_stamps(const struct worker *worker)
{
	unsigned int page;
	uint64_t *data;
	size_t word;

	for (page = 0; page < worker->count; page++) {
		data = labyrinth_buf_data(worker->bufs[page]);
		for (word = 0; word < labyrinth_buf_size(worker->bufs[page]) / 8; word++)
			data[word] = stamp_of(worker, page, word);
	}
}

/* Whether the page at @where holds the stamps of @page. */
static int check_stamps(const struct worker *worker, unsigned int where, unsigned int page)
{
	const uint64_t *data = labyrinth_buf_data(worker->bufs[where]);
	size_t word;

	for (word = 0; word < labyrinth_buf_size(worker->bufs[where]) / 8; word++)
		if (data[word] != stamp_of(worker, page, word))
			return failed("worker %u: somebody wrote into its page: %#" PRIx64
				      " at %zu", worker->number, data[word], word * 8);
	return EXIT_DONE;
}

static int check_all_stamps(const struct worker *worker)
{
	unsigned int page;
	int code = EXIT_DONE;

	for (page = 0; page < worker->count && !code; page++)
		code = check_stamps(worker, page, page);
	return code;
}

/* The first page to the second, which then has its stamps. */
static int copy(struct worker *worker)
{
	const size_t size = labyrinth_buf_size(worker->bufs[0]);
	int code;

	if (labyrinth_copy(worker->bufs[1], 0, worker->bufs[0], 0, size))
		return errno == EINTR ? EXIT_DONE : library_failed();
	worker->tally->copies++;
	code = check_stamps(worker, 1, 0);
	write_stamps(worker);
	return code;
}

/* Gives all pages away, and takes them back. */
static int pass(struct worker *worker)
{
	const int ticket = labyrinth_bufs_give(worker->bufs, worker->count);
	int taken, code = EXIT_DONE;

	if (ticket < 0)
		return library_failed();
	taken = labyrinth_bufs_take(worker->dev, ticket, worker->bufs, MAX_PAGES);
	if (taken < 0)
		code = library_failed();
	close(ticket);
	if (!code)
		worker->tally->tickets++;
	return code;
}

static int pass_and_check(struct worker *worker)
{
	int code = EXIT_DONE;

	if (worker->info.capabilities & LABYRINTH_CAP_TICKETS &&
	    !(rand_r(&worker->seed) % ROUNDS_PER_TICKET))
		code = pass(worker);
	return code ? code : check_all_stamps(worker);
}

static int use_pages(struct worker *worker)
{
	int code;

	code = check_zero(worker);
	if (code)
		return code;
	write_stamps(worker);
	sched_yield();
	if (worker->count > 1 && worker->info.capabilities & LABYRINTH_CAP_COPY &&
	    !(rand_r(&worker->seed) % ROUNDS_PER_COPY))
		code = copy(worker);
	/* A copy that a signal cut short goes on: only the kernel may touch its pages now. */
	if (!code && !signals_stopped())
		code = pass_and_check(worker);
	if (!code && labyrinth_bufs_release(worker->bufs, worker->count) < 0)
		code = library_failed();
	return code;
}

/* The others have all the pages. */
static int refused(struct worker *worker)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	if (errno != EAGAIN && errno != EDQUOT && errno != ENOBUFS && errno != ENOMEM)
		return library_failed();
	worker->tally->refused++;
	nanosleep(&pause, NULL);
	return EXIT_DONE;
}

static int do_round(struct worker *worker)
{
	struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = LABYRINTH_ACQUIRE_NOWAIT,
	};
	unsigned int want = 1 + rand_r(&worker->seed) % worker->stress->pages;
	int got, code;

	if (worker->info.capabilities & LABYRINTH_CAP_PARTIAL)
		options.flags |= LABYRINTH_ACQUIRE_PARTIAL;
	if (want > worker->info.max_batch)
		want = worker->info.max_batch;
	got = labyrinth_bufs_acquire(worker->dev, want, &options, worker->bufs);
	if (got < 0)
		return refused(worker);
	worker->count = got;
	code = use_pages(worker);
	if (!code) {
		worker->tally->pages += got;
		worker->tally->rounds++;
	}
	return code;
}

/* Until a signal. Returns an exit code. */
int worker_run(const struct stress *stress, unsigned int number, struct tally *tally)
{
	struct worker worker = {
		.stress = stress,
		.tally = tally,
		.number = number,
		.seed = stress->seed + number,
	};
	int code = EXIT_DONE;

	worker.dev = select_device(stress->device, &code);
	if (!worker.dev)
		return code;
	if (labyrinth_device_info(worker.dev, &worker.info, sizeof(worker.info)) < 0)
		code = library_failed();
	while (!code && !signals_stopped())
		code = do_round(&worker);
	/* Releases what is left, too. */
	labyrinth_device_close(worker.dev);
	return code;
}
