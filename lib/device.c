// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An open device: the file, the arena mapped once, and a place for every buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/*
 * The arena is only address space, but RLIMIT_AS counts it, and after
 * mlockall(MCL_FUTURE) so does RLIMIT_MEMLOCK. Then buffers are mapped one by one.
 */
static int map_arena(struct labyrinth_device *dev, uint64_t length)
{
	const int before = errno;
	void *arena;

	if (length > SIZE_MAX)
		return 0;
	arena = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, 0);
	if (arena == MAP_FAILED) {
		if (errno != EAGAIN && errno != ENOMEM && errno != EPERM)
			return -1;
		/* Not a failure: errno is as it was. */
		errno = before;
		return 0;
	}
	dev->arena = arena;
	dev->arena_length = length;
	return 0;
}

static int set_up(struct labyrinth_device *dev)
{
	struct labyrinth_info info = { .size = sizeof(info) };

	if (ioctl(dev->fd, LABYRINTH_INFO, &info) < 0)
		return -1;
	dev->page_shift = __builtin_ctz(info.page_size);
	dev->max_batch = info.max_batch;
	dev->capabilities = info.capabilities;
	dev->opener = getpid();

	dev->buf_count = info.arena_length >> dev->page_shift;
	dev->bufs = calloc(dev->buf_count, sizeof(*dev->bufs));
	if (!dev->bufs || liblabyrinth_jobs_init(dev, info.copy_depth) < 0)
		return -1;
	return map_arena(dev, info.arena_length);
}

static struct labyrinth_device *device_new(const char *path)
{
	struct labyrinth_device *dev;
	size_t length = strlen(path) + 1;

	dev = calloc(1, sizeof(*dev) + length);
	if (!dev)
		return NULL;
	memcpy(dev->path, path, length);
	dev->fd = -1;
	return dev;
}

EXPORT struct labyrinth_device *labyrinth_device_open(const char *path)
{
	struct labyrinth_device *dev;
	int error;

	dev = device_new(path);
	if (!dev)
		goto fail;
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0 || set_up(dev) < 0)
		goto fail;
	return dev;

fail:
	error = errno;
	labyrinth_device_close(dev);
	liblabyrinth_fail_open(path, error);
	return NULL;
}

EXPORT struct labyrinth_device *labyrinth_device_open_number(unsigned int number)
{
	struct labyrinth_device *dev;
	char path[64];

	snprintf(path, sizeof(path), DEVICE_FOLDER "/" DEVICE_PREFIX "%u", number);
	dev = labyrinth_device_open(path);
	if (!dev && (errno == ENOENT || errno == ENXIO))
		errno = ENODEV;
	return dev;
}

/*
 * Mappings keep the file open, so they go too. Not in a child of fork(): it inherited
 * none, and what it has at these addresses is something else.
 */
static void unmap_all(struct labyrinth_device *dev)
{
	size_t i;

	if (getpid() != dev->opener)
		return;
	if (dev->arena) {
		munmap(dev->arena, dev->arena_length);
		return;
	}
	for (i = 0; i < dev->buf_count; i++)
		if (dev->bufs[i].handle)
			munmap(dev->bufs[i].data, dev->bufs[i].length);
}

EXPORT void labyrinth_device_close(struct labyrinth_device *dev)
{
	if (!dev)
		return;
	if (dev->bufs)
		unmap_all(dev);
	if (dev->fd >= 0)
		close(dev->fd);
	liblabyrinth_jobs_free(dev);
	free(dev->bufs);
	free(dev);
}

EXPORT int labyrinth_device_fd(const struct labyrinth_device *dev)
{
	return dev->fd;
}

EXPORT const char *labyrinth_device_path(const struct labyrinth_device *dev)
{
	return dev->path;
}

/* Both structs begin with their size; the kernel wants the rest to be zero. */
static int query(struct labyrinth_device *dev, unsigned long request, void *answer,
		 size_t size, const char *call)
{
	uint32_t struct_size = size;

	memset(answer, 0, size);
	memcpy(answer, &struct_size, sizeof(struct_size));
	if (ioctl(dev->fd, request, answer) < 0)
		return liblabyrinth_fail_call(dev, errno, call);
	return 0;
}

EXPORT int labyrinth_device_info(struct labyrinth_device *dev, struct labyrinth_info *info,
				 size_t size)
{
	if (size < sizeof(*info))
		return liblabyrinth_fail(EINVAL, "%zu bytes are too few for the info", size);
	return query(dev, LABYRINTH_INFO, info, size, "asking for info");
}

EXPORT int labyrinth_device_stat(struct labyrinth_device *dev, struct labyrinth_stat *stat,
				 size_t size)
{
	if (size < sizeof(*stat))
		return liblabyrinth_fail(EINVAL, "%zu bytes are too few for the stat", size);
	return query(dev, LABYRINTH_STAT, stat, size, "asking for statistics");
}
