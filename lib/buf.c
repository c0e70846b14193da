// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Buffers: acquiring, releasing, and what a program asks about one.
 *
 * A buffer's object lies at a fixed place, the one for its first page in the arena, so
 * that acquiring and releasing allocate nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "internal.h"

static int release_handles(struct labyrinth_device *dev, const uint64_t *handles,
			   unsigned int count)
{
	struct labyrinth_release release = {
		.size = sizeof(release),
		.count = count,
		.handles = (uintptr_t)handles,
	};

	return ioctl(dev->fd, LABYRINTH_RELEASE, &release);
}

static void undo_acquire(struct labyrinth_device *dev, struct labyrinth_buf **bufs,
			 const struct labyrinth_buffer *buffers, unsigned int count,
			 unsigned int mapped)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		uint64_t handle = buffers[i].handle;

		if (i < mapped)
			munmap(bufs[i]->data, bufs[i]->length);
		bufs[i]->handle = 0;
		release_handles(dev, &handle, 1);
	}
}

static int map_buffers(struct labyrinth_device *dev, struct labyrinth_buf **bufs,
		       const struct labyrinth_buffer *buffers, unsigned int count)
{
	unsigned int i;
	int error;

	for (i = 0; i < count; i++) {
		bufs[i]->data = mmap(NULL, buffers[i].length, PROT_READ | PROT_WRITE,
				     MAP_SHARED, dev->fd, buffers[i].offset);
		if (bufs[i]->data == MAP_FAILED)
			goto fail;
	}
	return 0;

fail:
	error = errno;
	undo_acquire(dev, bufs, buffers, count, i);
	return liblabyrinth_fail(error, "cannot map a buffer of %s: %m", dev->path);
}

static inline struct labyrinth_buf *adopt(struct labyrinth_device *dev,
					  const struct labyrinth_buffer *buffer)
{
	struct labyrinth_buf *buf = &dev->bufs[buffer->offset >> dev->page_shift];

	buf->dev = dev;
	buf->handle = buffer->handle;
	buf->length = buffer->length;
	/* Without an arena, map_buffers() knows better. */
	buf->data = (void *)((uintptr_t)dev->arena + (uintptr_t)buffer->offset);
	return buf;
}

/* Makes objects of what the kernel has handed out; or releases it all, and fails. */
int liblabyrinth_bufs_adopt(struct labyrinth_device *dev, struct labyrinth_buf **bufs,
			    const struct labyrinth_buffer *buffers, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		bufs[i] = adopt(dev, &buffers[i]);
	if (!dev->arena && map_buffers(dev, bufs, buffers, count) < 0)
		return -1;
	return count;
}

static int acquire(struct labyrinth_device *dev, struct labyrinth_acquire *request,
		   struct labyrinth_buffer *buffers, struct labyrinth_buf **bufs)
{
	request->size = sizeof(*request);
	request->buffers = (uintptr_t)buffers;
	if (ioctl(dev->fd, LABYRINTH_ACQUIRE, request) < 0)
		return liblabyrinth_fail_acquire(dev, errno, request);
	return liblabyrinth_bufs_adopt(dev, bufs, buffers, request->acquired);
}

EXPORT struct labyrinth_buf *labyrinth_buf_acquire(struct labyrinth_device *dev)
{
	struct labyrinth_acquire request = { .count = 1 };
	struct labyrinth_buffer buffer;
	struct labyrinth_buf *buf;

	return acquire(dev, &request, &buffer, &buf) < 0 ? NULL : buf;
}

static int apply_options(struct labyrinth_acquire *request,
			 const struct labyrinth_acquire_options *options)
{
	if (options->size < sizeof(*options) || options->reserved)
		return liblabyrinth_fail(EINVAL,
			"acquire options: size must be sizeof(struct labyrinth_acquire_options), and reserved 0");
	if (options->size > sizeof(*options))
		return liblabyrinth_fail(E2BIG,
			"acquire options: the program was built for a newer liblabyrinth");
	if (options->flags & ~(LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL))
		return liblabyrinth_fail(EOPNOTSUPP, "acquire options: unknown flags %#x",
					 options->flags);
	request->flags = options->flags;
	request->order = options->order;
	request->deadline_ns = options->deadline_ns;
	return 0;
}

EXPORT int labyrinth_bufs_acquire(struct labyrinth_device *dev, unsigned int count,
				  const struct labyrinth_acquire_options *options,
				  struct labyrinth_buf **bufs)
{
	struct labyrinth_acquire request = { .count = count };
	struct labyrinth_buffer on_stack[BATCH], *many;
	int acquired;

	if (options && apply_options(&request, options) < 0)
		return -1;
	if (count <= BATCH)
		return acquire(dev, &request, on_stack, bufs);
	if (count > dev->max_batch)
		return liblabyrinth_fail_acquire(dev, EINVAL, &request);

	many = malloc(count * sizeof(*many));
	if (!many)
		return liblabyrinth_fail(ENOMEM, "no memory to acquire %u buffers", count);
	acquired = acquire(dev, &request, many, bufs);
	free(many);
	return acquired;
}

/*
 * Once the kernel has taken the buffers back, another thread may acquire them and
 * write their objects: they are marked free before, and unmapped from a copy.
 */
static int release(struct labyrinth_buf **bufs, unsigned int count)
{
	struct labyrinth_device *dev = bufs[0]->dev;
	struct labyrinth_buf before[BATCH];
	uint64_t handles[BATCH];
	unsigned int i;

	for (i = 0; i < count; i++) {
		handles[i] = bufs[i]->handle;
		if (!dev->arena)
			before[i] = *bufs[i];
		bufs[i]->handle = 0;
	}
	if (release_handles(dev, handles, count) < 0) {
		int error = errno;

		for (i = 0; i < count; i++)
			if (handles[i])
				bufs[i]->handle = handles[i];
		return liblabyrinth_fail_call(dev, error, "releasing");
	}
	if (!dev->arena)
		for (i = 0; i < count; i++)
			munmap(before[i].data, before[i].length);
	return 0;
}

EXPORT int labyrinth_buf_release(struct labyrinth_buf *buf)
{
	return buf ? release(&buf, 1) : 0;
}

/* Fills @batch from @bufs with buffers of one device; returns the entries used up. */
static size_t take_batch(struct labyrinth_buf **bufs, size_t count,
			 struct labyrinth_buf **batch, unsigned int *filled)
{
	size_t i;

	*filled = 0;
	for (i = 0; i < count; i++) {
		if (!bufs[i])
			continue;
		if (*filled && (bufs[i]->dev != batch[0]->dev || *filled == BATCH ||
				*filled == batch[0]->dev->max_batch))
			break;
		batch[(*filled)++] = bufs[i];
	}
	return i;
}

EXPORT int labyrinth_bufs_release(struct labyrinth_buf **bufs, size_t count)
{
	struct labyrinth_buf *batch[BATCH];
	unsigned int filled;
	size_t done, used;

	for (done = 0; done < count; done += used) {
		used = take_batch(bufs + done, count - done, batch, &filled);
		if (filled && release(batch, filled) < 0)
			return -1;
		for (size_t i = done; i < done + used; i++)
			bufs[i] = NULL;
	}
	return 0;
}

EXPORT void *labyrinth_buf_data(const struct labyrinth_buf *buf)
{
	return buf->data;
}

EXPORT size_t labyrinth_buf_size(const struct labyrinth_buf *buf)
{
	return buf->length;
}

EXPORT uint64_t labyrinth_buf_handle(const struct labyrinth_buf *buf)
{
	return buf->handle;
}
