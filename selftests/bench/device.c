// SPDX-License-Identifier: GPL-2.0
/* The calls of a device, as a program that cares for speed would make them. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"

void device_open(struct device *device, unsigned int number)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/labyrinth%u", number);
	device->fd = open(path, O_RDWR | O_CLOEXEC);
	if (device->fd < 0)
		bench_die("%s: %m", path);
	memset(&device->info, 0, sizeof(device->info));
	device->info.size = sizeof(device->info);
	if (ioctl(device->fd, LABYRINTH_INFO, &device->info))
		bench_die("INFO: %m");
	device->arena = mmap(NULL, device->info.arena_length, PROT_READ | PROT_WRITE,
			     MAP_SHARED, device->fd, 0);
	if (device->arena == MAP_FAILED)
		bench_die("mapping the arena: %m");
}

void device_close(struct device *device)
{
	munmap(device->arena, device->info.arena_length);
	close(device->fd);
}

void device_stat(struct device *device, struct labyrinth_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	if (ioctl(device->fd, LABYRINTH_STAT, stat))
		bench_die("STAT: %m");
}

void device_acquire(struct device *device, __u32 flags, unsigned int order,
		    unsigned int count, struct labyrinth_buffer *buffers)
{
	struct labyrinth_acquire cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.count = count,
		.order = order,
		.buffers = (uintptr_t)buffers,
	};

	if (flags & LABYRINTH_ACQUIRE_POPULATE)
		cmd.arena_addr = (uintptr_t)device->arena;
	if (ioctl(device->fd, LABYRINTH_ACQUIRE, &cmd))
		bench_die("ACQUIRE of %u: %m", count);
}

void device_release(struct device *device, unsigned int count, const __u64 *handles)
{
	struct labyrinth_release cmd = {
		.size = sizeof(cmd),
		.count = count,
		.handles = (uintptr_t)handles,
	};

	if (ioctl(device->fd, LABYRINTH_RELEASE, &cmd))
		bench_die("RELEASE of %u: %m", count);
}

/* The order of release has nothing to do with that of acquisition, yet never changes. */
static void shuffle(unsigned int *order, unsigned int count)
{
	unsigned int i, j, swap, random = 12345;

	for (i = 0; i < count; i++)
		order[i] = i;
	for (i = count; i > 1; i--) {
		random = random * 1103515245 + 12345;
		j = (random >> 16) % i;
		swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
}

void batch_init(struct batch *batch, struct device *device, __u32 flags,
		unsigned int count, bool touch)
{
	memset(batch, 0, sizeof(*batch));
	batch->device = device;
	batch->flags = flags;
	batch->count = count;
	batch->touch = touch;
	shuffle(batch->order, count);
}

void batch_acquire(struct batch *batch)
{
	device_acquire(batch->device, batch->flags, 0, batch->count, batch->buffers);
}

void batch_touch(struct batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		__atomic_store_n(batch->device->arena + batch->buffers[i].offset, 1,
				 __ATOMIC_RELAXED);
}

void batch_release(struct batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		batch->handles[i] = batch->buffers[batch->order[i]].handle;
	device_release(batch->device, batch->count, batch->handles);
}

/* A bench_op. */
void batch_cycle(void *argument)
{
	struct batch *batch = argument;

	batch_acquire(batch);
	if (batch->touch)
		batch_touch(batch);
	batch_release(batch);
}
