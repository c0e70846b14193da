// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copies by the device's DMA engine, waited for or not.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "internal.h"

/* Abandoned copies hold places until their events are read: read them when short. */
static struct copy_job *get_job(struct labyrinth_device *dev, enum job_state state,
				uint64_t user_data)
{
	struct copy_job *job;

	job = liblabyrinth_job_get(dev, state, user_data);
	if (!job && liblabyrinth_events_pull(dev, 0) > 0)
		job = liblabyrinth_job_get(dev, state, user_data);
	return job;
}

static struct copy_job *submit(struct labyrinth_device *dev, struct labyrinth_copy *copy,
			       enum job_state state, uint64_t user_data)
{
	struct copy_job *job;

	job = get_job(dev, state, user_data);
	if (!job) {
		liblabyrinth_fail_copy(dev, EAGAIN, copy);
		return NULL;
	}
	copy->user_data = job - dev->jobs;
	if (ioctl(dev->fd, LABYRINTH_COPY, copy) < 0) {
		int error = errno;

		liblabyrinth_job_put(dev, job);
		liblabyrinth_fail_copy(dev, error, copy);
		return NULL;
	}
	return job;
}

static struct copy_job *start(struct labyrinth_buf *dst, size_t dst_offset,
			      struct labyrinth_buf *src, size_t src_offset, size_t length,
			      enum job_state state, uint64_t user_data)
{
	struct labyrinth_copy copy = {
		.size = sizeof(copy),
		.src_handle = src->handle,
		.dst_handle = dst->handle,
		.src_offset = src_offset,
		.dst_offset = dst_offset,
		.length = length,
	};

	if (src->dev != dst->dev) {
		liblabyrinth_fail_apart("copy between", src->dev, dst->dev);
		return NULL;
	}
	return submit(src->dev, &copy, state, user_data);
}

EXPORT int labyrinth_copy_start(struct labyrinth_buf *dst, size_t dst_offset,
				struct labyrinth_buf *src, size_t src_offset, size_t length,
				uint64_t user_data)
{
	return start(dst, dst_offset, src, src_offset, length, JOB_STARTED, user_data) ? 0 : -1;
}

EXPORT int labyrinth_copy(struct labyrinth_buf *dst, size_t dst_offset,
			  struct labyrinth_buf *src, size_t src_offset, size_t length)
{
	struct labyrinth_device *dev = src->dev;
	struct copy_job *job;
	int result;

	job = start(dst, dst_offset, src, src_offset, length, JOB_WAITED, 0);
	if (!job)
		return -1;
	while (job->state != JOB_DONE) {
		if (liblabyrinth_events_pull(dev, -1) < 0) {
			job->state = JOB_ABANDONED;
			return -1;
		}
	}
	result = job->result;
	liblabyrinth_job_put(dev, job);
	if (result) {
		struct labyrinth_copy copy = { .length = length };

		return liblabyrinth_fail_copy(dev, -result, &copy);
	}
	return 0;
}
