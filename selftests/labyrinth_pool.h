/* SPDX-License-Identifier: GPL-2.0 */
/* Taking everything a device has, and threads that wait for more. */
#ifndef LABYRINTH_POOL_H
#define LABYRINTH_POOL_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "labyrinth_utils.h"

#define HOARD_FILES	8

/* All pages of a device, held by as many files as the quota makes necessary. */
struct hoard {
	int fds[HOARD_FILES];
	unsigned int files;
	unsigned int count;
	struct labyrinth_buffer *buffers;	/* in the order they came */
	int *owners;				/* the file of each buffer */
};

static inline void hoard_open(struct __test_metadata *_metadata,
			      struct hoard *hoard, unsigned int nth,
			      const struct labyrinth_info *info)
{
	size_t room = info->max_pages + info->max_batch;

	if (!hoard->buffers) {
		hoard->buffers = calloc(room, sizeof(*hoard->buffers));
		hoard->owners = calloc(room, sizeof(*hoard->owners));
		ASSERT_NE(NULL, hoard->buffers);
		ASSERT_NE(NULL, hoard->owners);
	}
	ASSERT_GT(HOARD_FILES, hoard->files);
	hoard->fds[hoard->files] = raw_open(nth, O_RDWR);
	ASSERT_LE(0, hoard->fds[hoard->files]);
	hoard->files++;
}

/* The first of the newest buffers that lies where one of the wanted ones lay. */
static inline struct labyrinth_buffer *
hoard_find(struct hoard *hoard, unsigned int from,
	   const struct labyrinth_buffer *wanted, unsigned int count)
{
	unsigned int i, j;

	for (i = from; i < hoard->count; i++)
		for (j = 0; j < count; j++)
			if (hoard->buffers[i].offset == wanted[j].offset)
				return &hoard->buffers[i];
	return NULL;
}

/*
 * Acquires until one of the wanted pages is in hand, or else until only the
 * reserve is free; takes one more file whenever the quota of the last one is used
 * up. Fails the test if the pool does not grow to its maximum. What the kernel holds
 * must not have come out of the reserve. More wanted pages than the reserve holds are
 * certain to be found.
 */
static inline struct labyrinth_buffer *
hoard_until(struct __test_metadata *_metadata, struct hoard *hoard,
	    unsigned int nth, int watcher,
	    const struct labyrinth_buffer *wanted, unsigned int count)
{
	struct labyrinth_buffer *found = NULL;
	struct labyrinth_info info;
	struct labyrinth_stat stat;
	int got, i;

	memset(hoard, 0, sizeof(*hoard));
	test_info(watcher, &info);
	hoard_open(_metadata, hoard, nth, &info);
	for (;;) {
		unsigned int before = hoard->count;
		int fd = hoard->fds[hoard->files - 1];

		test_stat(watcher, &stat);
		if (found || stat_sum(&stat) - stat.free >= stat.max - stat.reserve)
			return found;
		got = raw_acquire_until(fd, LABYRINTH_ACQUIRE_PARTIAL,
					info.max_batch,
					hoard->buffers + hoard->count,
					now_ns() + 2 * SOON_NS);
		if (got < 0) {
			ASSERT_EQ(EDQUOT, errno);
			hoard_open(_metadata, hoard, nth, &info);
			continue;
		}
		for (i = 0; i < got; i++)
			hoard->owners[hoard->count++] = fd;
		found = hoard_find(hoard, before, wanted, count);
	}
}

static inline void hoard_fill(struct __test_metadata *_metadata,
			      struct hoard *hoard, unsigned int nth, int watcher)
{
	hoard_until(_metadata, hoard, nth, watcher, NULL, 0);
}

/* Releases the newest buffers in one call. */
#define test_hoard_release(hoard, n)					\
({									\
	(hoard)->count -= (n);						\
	test_release((hoard)->owners[(hoard)->count], n,		\
		     (hoard)->buffers + (hoard)->count);		\
})

static inline void hoard_close(struct hoard *hoard)
{
	while (hoard->files)
		close(hoard->fds[--hoard->files]);
	free(hoard->buffers);
	free(hoard->owners);
	memset(hoard, 0, sizeof(*hoard));
}

/* No more than the driver keeps at hand for one CPU. */
#define AT_HAND		8

/*
 * Stays on this CPU, and leaves pages at hand for it; *cpus becomes those where it might
 * have run.
 */
static inline void have_some_at_hand(struct __test_metadata *_metadata, int fd,
				     cpu_set_t *cpus)
{
	struct labyrinth_buffer buffers[AT_HAND];
	int cpu = sched_getcpu(), i;
	cpu_set_t here;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(*cpus), cpus));
	CPU_ZERO(&here);
	CPU_SET(cpu, &here);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(here), &here));
	for (i = 0; i < AT_HAND; i++)
		test_acquire(fd, 1, &buffers[i]);
	for (i = 0; i < AT_HAND; i++)
		test_release(fd, 1, &buffers[i]);
}

/* A thread in ACQUIRE. */
struct waiter {
	pthread_t thread;
	int fd;
	__u32 flags;
	__u32 count;
	__u64 deadline_ns;
	struct labyrinth_buffer *array;	/* NULL: buffers below */
	struct labyrinth_buffer buffers[8];
	int result;
	int error;
	atomic_bool done;
};

static inline void *waiter_run(void *argument)
{
	struct waiter *waiter = argument;

	errno = 0;
	waiter->result = raw_acquire_until(waiter->fd, waiter->flags,
					   waiter->count,
					   waiter->array ? waiter->array :
							   waiter->buffers,
					   waiter->deadline_ns);
	waiter->error = errno;
	atomic_store(&waiter->done, true);
	return NULL;
}

/* Returns once the thread stands in the queue. */
static inline void waiter_start(struct __test_metadata *_metadata,
				struct waiter *waiter)
{
	__u64 before = stat_value(waiter->fd, waiters);

	ASSERT_EQ(0, pthread_create(&waiter->thread, NULL, waiter_run, waiter));
	ASSERT_TRUE(wait_until(stat_value(waiter->fd, waiters) == before + 1));
}

static inline bool waiter_is_done(struct waiter *waiter)
{
	return atomic_load(&waiter->done);
}

/* Fails the test if the thread is not back soon. */
static inline void waiter_join(struct __test_metadata *_metadata,
			       struct waiter *waiter)
{
	ASSERT_TRUE(wait_until(waiter_is_done(waiter)));
	ASSERT_EQ(0, pthread_join(waiter->thread, NULL));
}

#endif /* LABYRINTH_POOL_H */
