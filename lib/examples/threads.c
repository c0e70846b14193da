// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A pool of threads, each with a cache. They take jobs from a queue, and use a page for
 * each; all share one open device. After the first few jobs, no page costs a system call.
 *
 * cc -pthread threads.c $(pkg-config --cflags --libs liblabyrinth)
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <labyrinth.h>

#define THREADS	4
#define JOBS	10000
#define KEPT	8			/* pages, by each cache at most */

static struct labyrinth_device *dev;

/* The queue: jobs are numbers, and done when they have been added to the sum. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int next_job;
static unsigned long long sum;

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, labyrinth_strerror());
	exit(1);
}

/* Adds the last job's result, and returns the next job, or JOBS. */
static unsigned int next(unsigned long long result)
{
	unsigned int job;

	pthread_mutex_lock(&lock);
	sum += result;
	job = next_job < JOBS ? next_job++ : JOBS;
	pthread_mutex_unlock(&lock);
	return job;
}

/* A page from a cache holds what was in it before: write before you read. */
static unsigned long long work(struct labyrinth_buf *page, unsigned int job)
{
	unsigned int *numbers = labyrinth_buf_data(page);
	size_t count = labyrinth_buf_size(page) / sizeof(*numbers);
	unsigned long long result = 0;
	size_t i;

	for (i = 0; i < count; i++)
		numbers[i] = job;
	for (i = 0; i < count; i++)
		result += numbers[i];
	return result / count;
}

static void *run(void *unused)
{
	struct labyrinth_cache *cache = labyrinth_cache_create(dev, KEPT);
	unsigned long long result = 0;
	struct labyrinth_buf *page;
	unsigned int job;

	(void)unused;
	if (!cache)
		fail("cache");
	while ((job = next(result)) < JOBS) {
		page = labyrinth_cache_acquire(cache);
		if (!page)
			fail("acquire");
		result = work(page, job);
		if (labyrinth_cache_release(cache, page))
			fail("release");
	}
	labyrinth_cache_destroy(cache);
	return NULL;
}

static unsigned long long acquired(void)
{
	struct labyrinth_stat stat;

	if (labyrinth_device_stat(dev, &stat, sizeof(stat)))
		fail("stat");
	return stat.acquired;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned long long before;
	int i, error;

	dev = labyrinth_device_open_number(0);
	if (!dev)
		fail("open");
	before = acquired();
	for (i = 0; i < THREADS; i++) {
		error = pthread_create(&threads[i], NULL, run, NULL);
		if (error) {
			fprintf(stderr, "thread: %s\n", strerror(error));
			return 1;
		}
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%u jobs, sum %llu, %llu pages from the pool\n", JOBS, sum, acquired() - before);
	labyrinth_device_close(dev);
	return sum == (JOBS - 1ULL) * JOBS / 2 ? 0 : 1;
}
