/* SPDX-License-Identifier: GPL-2.0 */
/* A device and its arena, without any layer in between: a failure ends the bench. */
#ifndef LABYRINTH_BENCH_DEVICE_H
#define LABYRINTH_BENCH_DEVICE_H

#include <linux/labyrinth.h>

#include "bench.h"

struct device {
	int fd;
	char *arena;
	struct labyrinth_info info;
};

/*
 * Pages that are acquired together, and released together in another order.
 * @flags are those of ACQUIRE.
 */
struct batch {
	struct device *device;
	__u32 flags;
	unsigned int count;
	bool touch;
	unsigned int order[BENCH_MAX_BATCH];
	struct labyrinth_buffer buffers[BENCH_MAX_BATCH];
	__u64 handles[BENCH_MAX_BATCH];
};

void device_open(struct device *device, unsigned int number);
void device_close(struct device *device);
void device_stat(struct device *device, struct labyrinth_stat *stat);
void device_acquire(struct device *device, __u32 flags, unsigned int order,
		    unsigned int count, struct labyrinth_buffer *buffers);
void device_release(struct device *device, unsigned int count, const __u64 *handles);

void batch_init(struct batch *batch, struct device *device, __u32 flags,
		unsigned int count, bool touch);
void batch_acquire(struct batch *batch);
void batch_touch(struct batch *batch);
void batch_release(struct batch *batch);
void batch_cycle(void *batch);

#endif /* LABYRINTH_BENCH_DEVICE_H */
