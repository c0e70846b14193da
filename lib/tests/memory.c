// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A device that is none, when there is no memory: for the first, the second, and each
 * other thing that the library allocates; and whether it is all freed. The linker takes these
 * calls here for that (--wrap).
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "scripted.h"

#define MANY		100	/* more than the library has room for on its stack */

static unsigned int left = UINT_MAX;	/* allocations that there is memory for */

static int live;			/* those that have not been freed */

static int have_memory(void)
{
	if (!left) {
		errno = ENOMEM;
		return 0;
	}
	left--;
	live++;
	return 1;
}

typeof(malloc) __real_malloc, __wrap_malloc;
typeof(calloc) __real_calloc, __wrap_calloc;
typeof(free) __real_free, __wrap_free;

void *__wrap_malloc(size_t size)
{
	return have_memory() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return have_memory() ? __real_calloc(count, size) : NULL;
}

void __wrap_free(void *memory)
{
	live -= !!memory;
	__real_free(memory);
}

/* Whether the call that has just returned @failed says what a lack of memory does. */
static int lacked(int failed, const char *words)
{
	left = UINT_MAX;
	return said(failed, ENOMEM, words);
}

static void test_open(void)
{
	struct labyrinth_device *dev = NULL;
	unsigned int lacking = 0, i;
	int before = dup(0), after;

	close(before);
	script(0, "");
	for (i = 0; i < 4; i++) {
		left = i;
		dev = labyrinth_device_open_number(0);
		lacking += lacked(!dev, "cannot open /dev/labyrinth0: Cannot allocate memory");
	}
	after = dup(0);
	close(after);
	result(lacking == 4 && before == after,
	       "an open without memory is ENOMEM, and leaves no descriptor behind");
	left = i;
	dev = labyrinth_device_open_number(0);
	result(dev && !left, "it takes four pieces of memory");
	left = UINT_MAX;
	labyrinth_device_close(dev);
}

static void test_cache(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_cache *cache = NULL;
	unsigned int lacking = 0, i;

	for (i = 0; i < 4; i++) {
		left = i;
		cache = labyrinth_cache_create(dev, 8);
		lacking += lacked(!cache, "no memory for a cache of 8 pages");
	}
	result(lacking == 4, "a cache without memory is ENOMEM, and says how large it was");
	left = i;
	cache = labyrinth_cache_create(dev, 8);
	result(cache && !left, "it takes four pieces of memory too");
	left = 0;
	result(!labyrinth_cache_release(cache, labyrinth_cache_acquire(cache)),
	       "and none once it is there");
	left = UINT_MAX;
	labyrinth_cache_destroy(cache);
	labyrinth_device_close(dev);
}

static void test_many(void)
{
	const struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = LABYRINTH_ACQUIRE_NOWAIT,
	};
	struct labyrinth_device *dev = open_scripted("capabilities 31\npages 512\n");
	struct labyrinth_buf *bufs[MANY];
	int ticket;

	left = 0;
	result(lacked(labyrinth_bufs_acquire(dev, MANY, &options, bufs) < 0,
		      "no memory to acquire 100 buffers") && !owned(dev),
	       "acquiring 100 buffers without memory is ENOMEM, and none is owned");
	acquire(dev, bufs, MANY);
	left = 1;
	result(lacked(labyrinth_bufs_give(bufs, MANY) < 0, "no memory to give 100 buffers") &&
	       bufs[0] && owned(dev) == MANY, "giving them too, and they stay");
	ticket = labyrinth_bufs_give(bufs, MANY);
	left = 0;
	result(lacked(labyrinth_bufs_take(dev, ticket, bufs, MANY) < 0,
		      "no memory to take up to 100 buffers") && !owned(dev) &&
	       labyrinth_ticket_count(dev, ticket) == MANY,
	       "taking them too, and the ticket keeps them");
	close(ticket);
	left = 0;
	result(labyrinth_buf_acquire(dev) && owned(dev) == 1, "a single one takes no memory");
	left = UINT_MAX;
	labyrinth_device_close(dev);
}

void test_memory(void)
{
	const int before = live;

	test_open();
	test_cache();
	test_many();
	result(live == before, "what the library has allocated it has freed");
}
