// SPDX-License-Identifier: GPL-2.0
/*
 * How close COPY comes to what the devices can do. Each device gets a queue of copies
 * of 64 KiB; the result is the time for one chunk, over all devices.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "files.h"
#include "handler.h"

#define MOST_DEVICES	8
#define COPIES		60	/* of 17 chunks: more than 1,000 */
#define ORDER		4	/* 64 KiB */

struct copier {
	struct device device;
	struct labyrinth_buffer buffers[2];
	struct labyrinth_stat before;
	unsigned int ended;
};

static void copier_submit(struct copier *copier, unsigned int number)
{
	struct labyrinth_copy cmd = {
		.size = sizeof(cmd),
		.src_handle = copier->buffers[0].handle,
		.dst_handle = copier->buffers[1].handle,
		.length = copier->buffers[0].length,
		.user_data = number,
	};

	if (ioctl(copier->device.fd, LABYRINTH_COPY, &cmd))
		bench_die("COPY: %m");
}

static void copier_open(struct copier *copier, unsigned int number)
{
	device_open(&copier->device, number);
	device_acquire(&copier->device, 0, ORDER, 2, copier->buffers);
	copier->ended = 0;
}

/* The first chunk of all has to be begun by COPY itself. */
static void copier_start(struct copier *copier)
{
	unsigned int i;

	copier_submit(copier, 0);
	device_stat(&copier->device, &copier->before);
	for (i = 1; i < COPIES; i++)
		copier_submit(copier, i);
}

static void copier_read(struct copier *copier)
{
	struct labyrinth_event events[COPIES];
	ssize_t got = read(copier->device.fd, events, sizeof(events));
	ssize_t i;

	if (got <= 0)
		bench_die("reading events: %m");
	for (i = 0; i < got / (ssize_t)sizeof(*events); i++)
		if (events[i].result)
			bench_die("a copy ended with %d", events[i].result);
	copier->ended += got / sizeof(*events);
}

static void wait_for_all(struct copier *copiers, unsigned int count)
{
	struct pollfd polled[MOST_DEVICES];
	unsigned int i, left = count;

	while (left) {
		for (i = 0; i < count; i++) {
			polled[i].fd = copiers[i].ended < COPIES ? copiers[i].device.fd : -1;
			polled[i].events = POLLIN;
		}
		if (poll(polled, count, 60000) <= 0)
			bench_die("copies do not end");
		for (i = 0; i < count; i++) {
			if (polled[i].fd < 0 || !(polled[i].revents & POLLIN))
				continue;
			copier_read(&copiers[i]);
			left -= copiers[i].ended == COPIES;
		}
	}
}

static void one_case(unsigned int count)
{
	static struct copier copiers[MOST_DEVICES];
	unsigned long long chunks = 0, outside = 0;
	struct labyrinth_stat after;
	struct handler handler;
	unsigned int i;
	__u64 begin;
	double took;

	for (i = 0; i < count; i++)
		copier_open(&copiers[i], i);
	handler_watch("labyrinth");
	begin = bench_now();
	for (i = 0; i < count; i++)
		copier_start(&copiers[i]);
	wait_for_all(copiers, count);
	took = bench_now() - begin;
	handler_read(&handler);
	for (i = 0; i < count; i++) {
		device_stat(&copiers[i].device, &after);
		/* That of the first copy had been counted. */
		chunks += after.chunks - copiers[i].before.chunks + 1;
		outside += after.chunks_outside - copiers[i].before.chunks_outside;
		device_close(&copiers[i].device);
	}
	bench_result("copy", "labyrinth", count, took / chunks);
	bench_result("copy-outside", "labyrinth", count, outside);
	bench_result("handler-copy", "labyrinth", count, (double)handler.total / handler.runs);
}

/* The highest number of devices is the argument. */
void bench_copies(int argc, char **argv)
{
	unsigned int most = argc > 0 ? atoi(argv[0]) : 1, count;

	if (most > MOST_DEVICES)
		bench_die("at most %d devices", MOST_DEVICES);
	for (count = 1; count <= most; count *= 2)
		one_case(count);
}
