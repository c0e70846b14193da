// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events: which copy each belongs to, and keeping those that nobody has asked for yet.
 *
 * Copies in flight and kept events together never exceed copy_depth, so that there is
 * room to keep every event.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

int liblabyrinth_jobs_init(struct labyrinth_device *dev, unsigned int depth)
{
	unsigned int i;

	/* A device that cannot copy has no places; calloc(0) may then return NULL. */
	dev->jobs = calloc(depth + 1, sizeof(*dev->jobs));
	dev->kept = calloc(depth + 1, sizeof(*dev->kept));
	if (!dev->jobs || !dev->kept)
		return -1;
	dev->copy_depth = depth;
	for (i = 0; i < depth; i++)
		dev->jobs[i].next_free = i + 1;
	return 0;
}

void liblabyrinth_jobs_free(struct labyrinth_device *dev)
{
	free(dev->jobs);
	free(dev->kept);
}

struct copy_job *liblabyrinth_job_get(struct labyrinth_device *dev, enum job_state state,
				      uint64_t user_data)
{
	struct copy_job *job;

	if (dev->busy_jobs + dev->kept_count >= dev->copy_depth)
		return NULL;
	job = &dev->jobs[dev->first_free_job];
	dev->first_free_job = job->next_free;
	dev->busy_jobs++;
	job->state = state;
	job->user_data = user_data;
	return job;
}

void liblabyrinth_job_put(struct labyrinth_device *dev, struct copy_job *job)
{
	job->state = JOB_FREE;
	job->next_free = dev->first_free_job;
	dev->first_free_job = job - dev->jobs;
	dev->busy_jobs--;
}

static void keep(struct labyrinth_device *dev, struct copy_job *job,
		 const struct labyrinth_event *event)
{
	unsigned int place = (dev->kept_first + dev->kept_count) % dev->copy_depth;

	dev->kept[place] = *event;
	dev->kept[place].user_data = job->user_data;
	dev->kept_count++;
}

static void dispatch(struct labyrinth_device *dev, const struct labyrinth_event *event)
{
	struct copy_job *job;

	/* Not ours: somebody submitted a copy without the library. */
	if (event->type != LABYRINTH_EVENT_COPY || event->user_data >= dev->copy_depth)
		return;
	job = &dev->jobs[event->user_data];

	switch (job->state) {
	case JOB_STARTED:
		liblabyrinth_job_put(dev, job);
		keep(dev, job, event);
		break;
	case JOB_WAITED:
		job->result = event->result;
		job->state = JOB_DONE;
		break;
	case JOB_ABANDONED:
		liblabyrinth_job_put(dev, job);
		break;
	default:
		break;
	}
}

/* Takes what events the kernel has, after waiting for the first. Returns their number. */
int liblabyrinth_events_pull(struct labyrinth_device *dev, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = dev->fd, .events = POLLIN };
	struct labyrinth_event events[BATCH];
	ssize_t length;
	size_t i;
	int ready;

	/* read() would wait: the file must not be O_NONBLOCK, for acquiring to wait. */
	ready = poll(&poll_fd, 1, timeout_ms);
	if (ready < 0)
		return liblabyrinth_fail_call(dev, errno, "waiting for events");
	if (!ready)
		return 0;
	length = read(dev->fd, events, sizeof(events));
	if (length < 0)
		return liblabyrinth_fail_call(dev, errno, "reading events");

	for (i = 0; i < length / sizeof(events[0]); i++)
		dispatch(dev, &events[i]);
	return i;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

EXPORT int labyrinth_events_wait(struct labyrinth_device *dev, int timeout_ms)
{
	int64_t end = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	int pulled;

	/* An event of an abandoned copy is nobody's: wait on. */
	while (!dev->kept_count) {
		pulled = liblabyrinth_events_pull(dev, timeout_ms);
		if (pulled < 0)
			return -1;
		if (!pulled)
			return 0;
		if (timeout_ms > 0) {
			int64_t left = end - now_ms();

			timeout_ms = left > 0 ? left : 0;
		}
	}
	return 1;
}

EXPORT int labyrinth_events_read(struct labyrinth_device *dev,
				 struct labyrinth_event *events, unsigned int max)
{
	unsigned int i;

	if (max > INT32_MAX)
		max = INT32_MAX;
	if (dev->kept_count < max && liblabyrinth_events_pull(dev, 0) < 0 && !dev->kept_count)
		return -1;
	for (i = 0; i < max && dev->kept_count; i++) {
		events[i] = dev->kept[dev->kept_first];
		dev->kept_first = (dev->kept_first + 1) % dev->copy_depth;
		dev->kept_count--;
	}
	return i;
}

EXPORT unsigned int labyrinth_events_pending(const struct labyrinth_device *dev)
{
	return dev->kept_count;
}
