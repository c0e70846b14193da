// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A cache of single pages: a stack, so that the page used last is used next.
 *
 * Each page in it is owned, and its handle is on the stack beside it. Its object has
 * CACHED_HANDLE meanwhile, which the kernel never gives out: whoever still uses the
 * buffer gets the same answers as for one that was released.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"

/* A way that is seldom taken: kept out of the usual one, which then needs no stack. */
#define SELDOM		__attribute__((cold, noinline))

/* Not 0: labyrinth_device_close() must find it mapped. */
#define CACHED_HANDLE	UINT64_MAX

struct labyrinth_cache {
	struct labyrinth_device *dev;
	unsigned int size;			/* pages it keeps at most */
	unsigned int batch;			/* pages asked for and given back at a time */
	unsigned int count;			/* pages in it */
	uint64_t page_size;
	struct labyrinth_buf **bufs;		/* the stack */
	uint64_t *handles;			/* those of @bufs */
	struct labyrinth_buffer *acquired;	/* room for a batch */
};

EXPORT void labyrinth_cache_destroy(struct labyrinth_cache *cache)
{
	if (!cache)
		return;
	if (cache->count)
		labyrinth_cache_drain(cache);
	free(cache->acquired);
	free(cache->handles);
	free(cache->bufs);
	free(cache);
}

static struct labyrinth_cache *cache_new(struct labyrinth_device *dev, unsigned int size)
{
	struct labyrinth_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->dev = dev;
	cache->page_size = 1ULL << dev->page_shift;
	/* There is no use in room for more pages than the device has. */
	cache->size = size < dev->buf_count ? size : dev->buf_count;
	cache->batch = (cache->size + 1) / 2;
	if (cache->batch > dev->max_batch)
		cache->batch = dev->max_batch;
	cache->bufs = calloc(cache->size, sizeof(*cache->bufs));
	cache->handles = calloc(cache->size, sizeof(*cache->handles));
	cache->acquired = calloc(cache->batch, sizeof(*cache->acquired));
	if (cache->bufs && cache->handles && cache->acquired)
		return cache;

	labyrinth_cache_destroy(cache);
	return NULL;
}

EXPORT struct labyrinth_cache *labyrinth_cache_create(struct labyrinth_device *dev,
						      unsigned int size)
{
	struct labyrinth_cache *cache;

	if (!dev || !size) {
		liblabyrinth_fail(EINVAL, "a cache is for a device, and for at least one page");
		return NULL;
	}
	cache = cache_new(dev, size);
	if (!cache)
		liblabyrinth_fail(ENOMEM, "no memory for a cache of %u pages", size);
	return cache;
}

static inline void push(struct labyrinth_cache *cache, struct labyrinth_buf *buf)
{
	cache->bufs[cache->count] = buf;
	cache->handles[cache->count] = buf->handle;
	cache->count++;
	buf->handle = CACHED_HANDLE;
}

static inline struct labyrinth_buf *pop(struct labyrinth_cache *cache)
{
	struct labyrinth_buf *buf;

	cache->count--;
	buf = cache->bufs[cache->count];
	buf->handle = cache->handles[cache->count];
	return buf;
}

/* Fills an empty cache with a batch, or with what there is of it; at least one page. */
static int refill(struct labyrinth_cache *cache)
{
	struct labyrinth_device *dev = cache->dev;
	struct labyrinth_acquire request = {
		.size = sizeof(request),
		.flags = LABYRINTH_ACQUIRE_PARTIAL,
		.count = cache->batch,
		.buffers = (uintptr_t)cache->acquired,
	};
	int i, acquired;

	if (dev->arena && (dev->capabilities & LABYRINTH_CAP_POPULATE)) {
		request.flags |= LABYRINTH_ACQUIRE_POPULATE;
		request.arena_addr = (uintptr_t)dev->arena;
	}
	if (ioctl(dev->fd, LABYRINTH_ACQUIRE, &request) < 0) {
		/* What could not be had is a single page. */
		request.count = 1;
		return liblabyrinth_fail_acquire(dev, errno, &request);
	}
	acquired = liblabyrinth_bufs_adopt(dev, cache->bufs, cache->acquired,
					   request.acquired);
	for (i = 0; i < acquired; i++)
		push(cache, cache->bufs[i]);
	return acquired;
}

/*
 * Gives back the @count pages that have been in the cache for longest. On failure some
 * of them may have gone.
 */
static int give_back(struct labyrinth_cache *cache, unsigned int count)
{
	const unsigned int before = cache->count;
	unsigned int i;
	int result;

	for (i = 0; i < count; i++)
		cache->bufs[i]->handle = cache->handles[i];
	result = labyrinth_bufs_release(cache->bufs, count);

	/* Those that were released are NULL now, the others close up. */
	cache->count = 0;
	for (i = 0; i < before; i++) {
		if (!cache->bufs[i])
			continue;
		cache->bufs[i]->handle = cache->handles[i];
		push(cache, cache->bufs[i]);
	}
	return result;
}

static SELDOM struct labyrinth_buf *refill_and_pop(struct labyrinth_cache *cache)
{
	return refill(cache) < 0 ? NULL : pop(cache);
}

EXPORT struct labyrinth_buf *labyrinth_cache_acquire(struct labyrinth_cache *cache)
{
	return cache->count ? pop(cache) : refill_and_pop(cache);
}

static SELDOM int give_back_and_push(struct labyrinth_cache *cache,
				     struct labyrinth_buf *buf)
{
	if (give_back(cache, cache->batch) < 0)
		return -1;
	push(cache, buf);
	return 0;
}

static SELDOM int fail_release(const struct labyrinth_cache *cache,
			       const struct labyrinth_buf *buf)
{
	if (!buf)
		return liblabyrinth_fail(EINVAL, "there is no buffer to put into the cache");
	if (buf->dev != cache->dev)
		return liblabyrinth_fail(EINVAL,
			"cannot put a buffer of another open device into a cache of %s",
			cache->dev->path);
	if (!buf->handle || buf->handle == CACHED_HANDLE)
		return liblabyrinth_fail(EINVAL,
			"cannot put a buffer into the cache that was released before");
	return liblabyrinth_fail(EINVAL,
		"cannot put a buffer of %llu bytes into the cache: it holds single pages",
		(unsigned long long)buf->length);
}

EXPORT int labyrinth_cache_release(struct labyrinth_cache *cache, struct labyrinth_buf *buf)
{
	if (!buf || buf->dev != cache->dev || !buf->handle || buf->handle == CACHED_HANDLE ||
	    buf->length != cache->page_size)
		return fail_release(cache, buf);
	if (cache->count == cache->size)
		return give_back_and_push(cache, buf);
	push(cache, buf);
	return 0;
}

EXPORT int labyrinth_cache_drain(struct labyrinth_cache *cache)
{
	return give_back(cache, cache->count);
}
