// SPDX-License-Identifier: GPL-2.0
/* Every copy ends in exactly one event, in order, and no event is lost. */
#include <pthread.h>
#include <signal.h>

#include "labyrinth_utils.h"

#define PAIRS	4

FIXTURE(events)
{
	int fd;
	struct labyrinth_buffer src[PAIRS];
	struct labyrinth_buffer dst[PAIRS];
};

FIXTURE_SETUP(events)
{
	/* The other device: copying is slow, and copy.c keeps the first one busy. */
	self->fd = open_quiet(_metadata, 1, O_RDWR);
	test_acquire(self->fd, PAIRS, self->src);
	test_acquire(self->fd, PAIRS, self->dst);
}

FIXTURE_TEARDOWN(events)
{
	close(self->fd);
}

static void submit(struct __test_metadata *_metadata, int fd,
		   const struct labyrinth_buffer *src,
		   const struct labyrinth_buffer *dst, __u64 user_data)
{
	test_copy(fd, src->handle, 0, dst->handle, 0, 8, user_data);
}

/* Events that are there at once: one copy runs, the others are cancelled. */
static void make_events(struct __test_metadata *_metadata, int fd,
			const struct labyrinth_buffer *src,
			const struct labyrinth_buffer *dst, unsigned int count)
{
	__u64 ended = stat_value(fd, copies) + stat_value(fd, copies_failed);
	unsigned int i;

	for (i = 0; i < count; i++)
		submit(_metadata, fd, src, dst, i);
	test_release(fd, 1, src);
	test_release(fd, 1, dst);
	ASSERT_TRUE(wait_until(stat_value(fd, copies) +
			       stat_value(fd, copies_failed) == ended + count));
	ASSERT_TRUE(wait_until(poll_now(fd) & POLLIN));
}

static void set_nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

TEST_F(events, a_copy_ends_in_exactly_one_event)
{
	struct labyrinth_event event;
	__u64 start = now_ns();

	submit(_metadata, self->fd, &self->src[0], &self->dst[0], 0x123456789abcdef0);
	ASSERT_EQ(0, raw_event(self->fd, &event));
	EXPECT_EQ(0x123456789abcdef0, event.user_data);
	EXPECT_EQ(LABYRINTH_EVENT_COPY, event.type);
	EXPECT_EQ(0, event.result);
	EXPECT_LT(start, event.timestamp_ns);
	EXPECT_GE(now_ns(), event.timestamp_ns);
	set_nonblock(self->fd);
	EXPECT_ERRNO(EAGAIN, read(self->fd, &event, sizeof(event)));
	EXPECT_EQ(0, poll_now(self->fd) & POLLIN);
}

TEST_F(events, events_come_in_the_order_of_submission)
{
	struct labyrinth_event event;
	int i;

	for (i = 0; i < 3; i++)
		submit(_metadata, self->fd, &self->src[i], &self->dst[i], 10 + i);
	/* The second is cancelled while the first runs, yet reported in its turn. */
	test_release(self->fd, 1, &self->src[1]);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, raw_event(self->fd, &event));
		EXPECT_EQ(10 + i, event.user_data);
		EXPECT_EQ(i == 1 ? -ECANCELED : 0, event.result);
	}
}

TEST_F(events, release_cancels_what_has_not_started)
{
	struct labyrinth_stat before, after;
	struct labyrinth_event event;
	int i;

	test_stat(self->fd, &before);
	for (i = 0; i < 8; i++)
		submit(_metadata, self->fd, &self->src[0], &self->dst[0], i);
	test_release(self->fd, 1, &self->dst[0]);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, raw_event(self->fd, &event));
		EXPECT_EQ(i, event.user_data);
		/* The first one was in the engine. */
		if (i)
			EXPECT_EQ(-ECANCELED, event.result);
	}
	test_stat(self->fd, &after);
	EXPECT_EQ(before.copies + before.copies_failed + 8,
		  after.copies + after.copies_failed);
	EXPECT_LE(before.copies_failed + 7, after.copies_failed);
}

TEST_F(events, short_buffer_is_einval_and_keeps_the_event)
{
	struct labyrinth_event event;

	submit(_metadata, self->fd, &self->src[0], &self->dst[0], 7);
	EXPECT_ERRNO(EINVAL, read(self->fd, &event, 1));
	EXPECT_ERRNO(EINVAL, read(self->fd, &event, sizeof(event) - 1));
	ASSERT_TRUE(wait_until(poll_now(self->fd) & POLLIN));
	EXPECT_ERRNO(EINVAL, read(self->fd, &event, sizeof(event) - 1));
	test_event(self->fd, 7, 0);
}

TEST_F(events, only_whole_events_are_returned)
{
	struct labyrinth_event events[4];

	memset(events, 0x77, sizeof(events));
	make_events(_metadata, self->fd, &self->src[0], &self->dst[0], 3);
	EXPECT_EQ(sizeof(events[0]),
		  read(self->fd, events, sizeof(events[0]) * 2 - 1));
	EXPECT_EQ(0, events[0].user_data);
	EXPECT_EQ(0x7777777777777777, events[1].user_data);
	/* One read takes all that are there, and waits for no more. */
	EXPECT_EQ(2 * sizeof(events[0]), read(self->fd, events, sizeof(events)));
	EXPECT_EQ(1, events[0].user_data);
	EXPECT_EQ(2, events[1].user_data);
	EXPECT_EQ(0x7777777777777777, events[2].user_data);
}

TEST_F(events, bad_pointer_loses_no_event)
{
	size_t page = page_size();
	struct labyrinth_event *last;
	ssize_t got;
	char *map;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + page, page));
	make_events(_metadata, self->fd, &self->src[0], &self->dst[0], 3);
	EXPECT_ERRNO(EFAULT, read(self->fd, map + page, sizeof(*last)));
	EXPECT_ERRNO(EFAULT, read(self->fd, map + page - 4, sizeof(*last)));
	/* Room for one of two: that one, or none, but the other must stay. */
	last = (void *)(map + page - sizeof(*last));
	got = read(self->fd, last, 2 * sizeof(*last));
	if (got < 0) {
		EXPECT_EQ(EFAULT, errno);
		got = read(self->fd, last, sizeof(*last));
	}
	EXPECT_EQ(sizeof(*last), got);
	EXPECT_EQ(0, last->user_data);
	test_event(self->fd, 1, -ECANCELED);
	test_event(self->fd, 2, -ECANCELED);
}

TEST_F(events, read_waits_for_an_event)
{
	struct labyrinth_event event;

	submit(_metadata, self->fd, &self->src[0], &self->dst[0], 3);
	/* No poll() first: the copy takes 200 ms, and read() must outlast it. */
	EXPECT_EQ(sizeof(event), read(self->fd, &event, sizeof(event)));
	EXPECT_EQ(3, event.user_data);
}

TEST_F(events, read_without_waiting_is_eagain)
{
	struct labyrinth_event event;

	set_nonblock(self->fd);
	EXPECT_ERRNO(EAGAIN, read(self->fd, &event, sizeof(event)));
	submit(_metadata, self->fd, &self->src[0], &self->dst[0], 3);
	EXPECT_ERRNO(EAGAIN, read(self->fd, &event, sizeof(event)));
	test_event(self->fd, 3, 0);
}

static void no_op(int sig)
{
	(void)sig;
}

TEST_F(events, handled_signal_ends_a_waiting_read)
{
	struct sigaction action = { .sa_handler = no_op };
	struct itimerspec soon = {
		.it_value.tv_nsec = 200 * NSEC_PER_MSEC,
		.it_interval.tv_nsec = 200 * NSEC_PER_MSEC,
	};
	struct sigevent signal = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};
	struct labyrinth_event event;
	timer_t timer;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, timer_create(CLOCK_MONOTONIC, &signal, &timer));
	ASSERT_EQ(0, timer_settime(timer, 0, &soon, NULL));
	EXPECT_ERRNO(EINTR, read(self->fd, &event, sizeof(event)));
	timer_delete(timer);
}

TEST_F(events, pollin_is_there_exactly_while_an_event_waits)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLIN };

	EXPECT_EQ(0, poll(&pollfd, 1, 100));
	submit(_metadata, self->fd, &self->src[0], &self->dst[0], 1);
	/* Submitted is not ended. */
	EXPECT_EQ(0, poll_now(self->fd) & POLLIN);
	EXPECT_EQ(POLLIN, poll_woken(self->fd, POLLIN, 10000));
	test_event(self->fd, 1, 0);
	EXPECT_EQ(0, poll(&pollfd, 1, 100));
}

TEST_F(events, events_go_to_the_file_that_asked)
{
	int other = raw_open(1, O_RDWR | O_NONBLOCK);
	struct labyrinth_event event;

	ASSERT_LE(0, other);
	make_events(_metadata, self->fd, &self->src[0], &self->dst[0], 2);
	EXPECT_EQ(0, poll_now(other) & POLLIN);
	EXPECT_ERRNO(EAGAIN, read(other, &event, sizeof(event)));
	EXPECT_EQ(POLLIN, poll_now(self->fd) & POLLIN);
}

TEST_F(events, file_with_copies_in_flight_can_be_closed)
{
	int watcher = raw_open(1, O_RDWR);
	int i;

	for (i = 0; i < 5; i++)
		submit(_metadata, self->fd, &self->src[i % PAIRS],
		       &self->dst[i % PAIRS], i);
	ASSERT_EQ(0, close(self->fd));
	EXPECT_TRUE(wait_until(device_is_quiet(watcher)));
	/* The engine still works for others. */
	test_acquire(watcher, 2, self->src);
	submit(_metadata, watcher, &self->src[0], &self->src[1], 50);
	test_event(watcher, 50, 0);
}

TEST_F(events, file_is_a_stream)
{
	char byte = 0;

	EXPECT_ERRNO(ESPIPE, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_ERRNO(ESPIPE, pread(self->fd, &byte, 1, 0));
	EXPECT_ERRNO(EINVAL, write(self->fd, &byte, 1));
}

TEST_HARNESS_MAIN
