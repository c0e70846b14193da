// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copies in an event loop: as many as the device takes are always on their way, and a
 * timer in the same loop tells how far they are. Nothing here ever waits but epoll_wait().
 *
 * cc epoll.c $(pkg-config --cflags --libs liblabyrinth)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <labyrinth.h>

#define COPIES	12
#define PAIRS	3			/* of pages, each with one copy at a time */
#define BYTES	4000			/* at most copy_chunk, which the device does in one go */

static struct labyrinth_buf *source[PAIRS], *target[PAIRS];
static unsigned int started, ended;

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, labyrinth_strerror());
	exit(1);
}

static void fail_system(const char *what)
{
	perror(what);
	exit(1);
}

/* The number of the pair comes back in the event. */
static void start(unsigned int pair)
{
	if (started == COPIES)
		return;
	memset(labyrinth_buf_data(source[pair]), 'a' + started++, BYTES);
	if (labyrinth_copy_start(target[pair], 0, source[pair], 0, BYTES, pair))
		fail("start");
}

static void on_end(const struct labyrinth_event *event)
{
	unsigned int pair = event->user_data;

	if (event->result) {
		fprintf(stderr, "a copy failed: %s\n", strerror(-event->result));
		exit(1);
	}
	if (memcmp(labyrinth_buf_data(source[pair]), labyrinth_buf_data(target[pair]), BYTES)) {
		fprintf(stderr, "pair %u is not equal\n", pair);
		exit(1);
	}
	ended++;
	start(pair);
}

static void on_device(struct labyrinth_device *dev)
{
	struct labyrinth_event events[PAIRS];
	int count, i;

	count = labyrinth_events_read(dev, events, PAIRS);
	/* Also when the device has gone, after the last event. */
	if (count < 0)
		fail("events");
	for (i = 0; i < count; i++)
		on_end(&events[i]);
}

static void on_timer(int timer)
{
	uint64_t times;

	if (read(timer, &times, sizeof(times)) == sizeof(times))
		fprintf(stderr, "%u of %d\n", ended, COPIES);
}

static int make_timer(void)
{
	const struct itimerspec every_second = { { 1, 0 }, { 1, 0 } };
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (timer < 0 || timerfd_settime(timer, 0, &every_second, NULL))
		fail_system("timer");
	return timer;
}

static void watch(int loop, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event))
		fail_system("epoll_ctl");
}

int main(void)
{
	struct labyrinth_device *dev = labyrinth_device_open_number(0);
	struct epoll_event event;
	unsigned int pair;
	int loop, timer;

	if (!dev)
		fail("open");
	if (labyrinth_bufs_acquire(dev, PAIRS, NULL, source) < 0 ||
	    labyrinth_bufs_acquire(dev, PAIRS, NULL, target) < 0)
		fail("acquire");
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (loop < 0)
		fail_system("epoll");
	timer = make_timer();
	watch(loop, timer);
	watch(loop, labyrinth_device_fd(dev));

	for (pair = 0; pair < PAIRS; pair++)
		start(pair);
	while (ended < COPIES) {
		/*
		 * Only labyrinth_copy() and labyrinth_events_wait() keep events for later.
		 * A program that calls those as well asks labyrinth_events_pending() here.
		 */
		if (epoll_wait(loop, &event, 1, -1) < 0)
			fail_system("epoll_wait");
		if (event.data.fd == timer)
			on_timer(timer);
		else
			on_device(dev);
	}
	printf("%u copies have ended, and all are equal\n", ended);
	labyrinth_device_close(dev);
	return 0;
}
