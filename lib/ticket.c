// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tickets: giving buffers away, and taking them.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "internal.h"

/* Fills @handles, or fails when these buffers cannot go into one ticket. */
static int check_given(struct labyrinth_buf **bufs, unsigned int count, uint64_t *handles)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!bufs[i])
			return liblabyrinth_fail(EINVAL, "entry %u of those to give is NULL", i);
		if (bufs[i]->dev != bufs[0]->dev)
			return liblabyrinth_fail_apart("put into one ticket", bufs[0]->dev,
						       bufs[i]->dev);
		handles[i] = bufs[i]->handle;
	}
	return 0;
}

/*
 * As with a release, another thread may acquire the buffers and write their objects as
 * soon as the kernel has them: they are marked free before, and unmapped from a copy.
 */
static int give(struct labyrinth_buf **bufs, unsigned int count, const uint64_t *handles,
		struct labyrinth_buf *before)
{
	struct labyrinth_device *dev = bufs[0]->dev;
	struct labyrinth_give request = {
		.size = sizeof(request),
		.count = count,
		.handles = (uintptr_t)handles,
	};
	unsigned int i;

	for (i = 0; i < count; i++) {
		before[i] = *bufs[i];
		bufs[i]->handle = 0;
	}
	if (ioctl(dev->fd, LABYRINTH_GIVE, &request) < 0) {
		int error = errno;

		for (i = 0; i < count; i++)
			bufs[i]->handle = handles[i];
		return liblabyrinth_fail_give(dev, error, count);
	}
	for (i = 0; i < count; i++) {
		if (!dev->arena)
			munmap(before[i].data, before[i].length);
		bufs[i] = NULL;
	}
	return request.ticket_fd;
}

static int check_and_give(struct labyrinth_buf **bufs, unsigned int count, uint64_t *handles,
			  struct labyrinth_buf *before)
{
	if (check_given(bufs, count, handles) < 0)
		return -1;
	return give(bufs, count, handles, before);
}

EXPORT int labyrinth_bufs_give(struct labyrinth_buf **bufs, unsigned int count)
{
	struct labyrinth_buf before[BATCH], *many_before;
	uint64_t handles[BATCH], *many_handles;
	int ticket = -1;

	if (!count)
		return liblabyrinth_fail(EINVAL,
			"there is nothing to give: a ticket holds buffers");
	if (count <= BATCH)
		return check_and_give(bufs, count, handles, before);
	if (bufs[0] && count > bufs[0]->dev->max_batch)
		return liblabyrinth_fail_give(bufs[0]->dev, EINVAL, count);

	many_handles = calloc(count, sizeof(*many_handles));
	many_before = calloc(count, sizeof(*many_before));
	if (many_handles && many_before)
		ticket = check_and_give(bufs, count, many_handles, many_before);
	else
		liblabyrinth_fail(ENOMEM, "no memory to give %u buffers", count);
	free(many_before);
	free(many_handles);
	return ticket;
}

static int take(struct labyrinth_device *dev, int ticket, struct labyrinth_buffer *buffers,
		struct labyrinth_buf **bufs, unsigned int max)
{
	struct labyrinth_take request = {
		.size = sizeof(request),
		.ticket_fd = ticket,
		.count = max,
		.buffers = (uintptr_t)buffers,
	};

	if (ioctl(dev->fd, LABYRINTH_TAKE, &request) < 0)
		return liblabyrinth_fail_take(dev, errno, &request, max);
	return liblabyrinth_bufs_adopt(dev, bufs, buffers, request.count);
}

EXPORT int labyrinth_bufs_take(struct labyrinth_device *dev, int ticket,
			       struct labyrinth_buf **bufs, unsigned int max)
{
	struct labyrinth_buffer on_stack[BATCH], *many;
	int taken;

	/* No ticket holds more than one call can give. */
	if (max > dev->max_batch)
		max = dev->max_batch;
	if (max <= BATCH)
		return take(dev, ticket, on_stack, bufs, max);

	many = malloc(max * sizeof(*many));
	if (!many)
		return liblabyrinth_fail(ENOMEM, "no memory to take up to %u buffers", max);
	taken = take(dev, ticket, many, bufs, max);
	free(many);
	return taken;
}

/* The kernel answers a TAKE without room by the number of buffers. */
EXPORT int labyrinth_ticket_count(struct labyrinth_device *dev, int ticket)
{
	struct labyrinth_take request = { .size = sizeof(request), .ticket_fd = ticket };
	const int before = errno;

	if (ioctl(dev->fd, LABYRINTH_TAKE, &request) < 0 && errno != ENOSPC)
		return liblabyrinth_fail_take(dev, errno, &request, 0);
	/* Not a failure: errno is as it was. */
	errno = before;
	return request.count;
}
