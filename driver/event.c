// SPDX-License-Identifier: GPL-2.0
/* What a file can be waited for: events by read(), readiness by poll(). */
#include <linux/freezer.h>
#include <linux/poll.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>

#include <linux/labyrinth.h>

#include "device.h"

/* CLOCK_MONOTONIC as the reader sees it, whose time namespace may shift it. */
static u64 time_for_reader(u64 ns)
{
	struct timespec64 time = ns_to_timespec64(ns);

	timens_add_monotonic(&time);
	return timespec64_to_ns(&time);
}

static int deliver_one(struct labyrinth_file *lf, char __user *to)
{
	struct labyrinth_engine *engine = &lf->ldev->engine;
	struct labyrinth_job *job = labyrinth_queue_take(engine, &lf->queue);
	struct labyrinth_event event = {};

	if (!job)
		return 0;
	event.user_data = job->user_data;
	event.timestamp_ns = time_for_reader(job->ended_ns);
	event.type = LABYRINTH_EVENT_COPY;
	event.result = job->result;
	if (copy_to_user(to, &event, sizeof(event))) {
		labyrinth_queue_put_back(engine, &lf->queue, job);
		return -EFAULT;
	}
	labyrinth_queue_consume(engine, &lf->queue, job);
	return sizeof(event);
}

/* Bytes delivered; an error only if nothing was. */
static ssize_t deliver(struct labyrinth_file *lf, char __user *buf, size_t count)
{
	size_t done = 0;
	int n;

	while (count - done >= sizeof(struct labyrinth_event)) {
		n = deliver_one(lf, buf + done);
		if (n <= 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

static bool can_read(struct labyrinth_file *lf)
{
	return labyrinth_queue_has_event(&lf->ldev->engine, &lf->queue) ||
	       labyrinth_engine_drained(&lf->ldev->engine);
}

/**
 * labyrinth_read() - deliver events
 * @file: the open file
 * @buf: where to
 * @count: bytes there; whole events are delivered, as many as fit
 * @pos: not used
 *
 * Context: Process context, waits for an event unless O_NONBLOCK.
 * Return: bytes delivered; -EINVAL (too short for one), -EAGAIN, -EFAULT (no event
 * is lost), -ENODEV (the device is gone and every event has been read, or is in the
 * hands of another reader).
 */
ssize_t labyrinth_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct labyrinth_file *lf = file->private_data;
	bool drained;
	ssize_t done;
	int err;

	if (count < sizeof(struct labyrinth_event))
		return -EINVAL;
	for (;;) {
		/* First, so that no event can come between the two. */
		drained = labyrinth_engine_drained(&lf->ldev->engine);
		done = deliver(lf, buf, count);
		if (done)
			return done;
		if (drained)
			return -ENODEV;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_freezable(lf->queue.wait, can_read(lf));
		if (err)
			return err;
	}
}

/**
 * labyrinth_poll() - say what a file is ready for
 * @file: the open file
 * @table: for waiting
 *
 * Context: Process context.
 * Return: EPOLLIN if an event waits, EPOLLOUT if a page can be had at once,
 * EPOLLERR, EPOLLHUP and EPOLLOUT once the device is gone.
 */
__poll_t labyrinth_poll(struct file *file, poll_table *table)
{
	struct labyrinth_file *lf = file->private_data;
	struct labyrinth_device *ldev = lf->ldev;
	__poll_t ready = 0;

	poll_wait(file, &lf->queue.wait, table);
	poll_wait(file, &ldev->spare_wait, table);

	if (labyrinth_queue_has_event(&ldev->engine, &lf->queue))
		ready |= EPOLLIN | EPOLLRDNORM;
	if (labyrinth_pool_dead(&ldev->pool))
		ready |= EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;
	else if (labyrinth_pool_poll(&ldev->pool))
		ready |= EPOLLOUT | EPOLLWRNORM;
	return ready;
}
