// SPDX-License-Identifier: GPL-2.0
/* Waiting for pages: who waits, in which order, and what ends it. */
#include <signal.h>

#include "labyrinth_fault.h"
#include "labyrinth_peer.h"
#include "labyrinth_pool.h"

/* Long enough that a thread which may go on would have gone on. */
#define A_WHILE_MS	150

/* A device with nothing left but its reserve. */
FIXTURE(drained)
{
	int fd;
	struct hoard hoard;
	struct labyrinth_stat before;
};

FIXTURE_SETUP(drained)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	hoard_fill(_metadata, &self->hoard, 0, self->fd);
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(drained)
{
	hoard_close(&self->hoard);
	close(self->fd);
}

TEST_F(drained, acquire_waits_until_a_page_is_released)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };

	waiter_start(_metadata, &waiter);
	sleep_ms(A_WHILE_MS);
	EXPECT_FALSE(waiter_is_done(&waiter));
	test_hoard_release(&self->hoard, 1);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(1, waiter.result);
	EXPECT_EQ(0, stat_value(self->fd, waiters));
	EXPECT_EQ(1, stat_value(self->fd, charged));
	EXPECT_EQ(self->before.exhaustion_waits + 1,
		  stat_value(self->fd, exhaustion_waits));
}

TEST_F(drained, close_of_another_file_serves_a_waiter)
{
	struct waiter waiter = { .fd = self->fd, .count = 8 };

	waiter_start(_metadata, &waiter);
	hoard_close(&self->hoard);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(8, waiter.result);
}

TEST_F(drained, big_request_in_front_holds_back_a_small_one)
{
	struct waiter big = { .fd = self->fd, .count = 4 };
	struct waiter small = { .fd = self->fd, .count = 1 };

	small.fd = raw_open(0, O_RDWR);
	waiter_start(_metadata, &big);
	waiter_start(_metadata, &small);
	test_hoard_release(&self->hoard, 3);
	sleep_ms(A_WHILE_MS);
	EXPECT_FALSE(waiter_is_done(&big));
	EXPECT_FALSE(waiter_is_done(&small));
	test_hoard_release(&self->hoard, 1);
	waiter_join(_metadata, &big);
	EXPECT_EQ(4, big.result);
	sleep_ms(A_WHILE_MS);
	EXPECT_FALSE(waiter_is_done(&small));
	test_hoard_release(&self->hoard, 1);
	waiter_join(_metadata, &small);
	EXPECT_EQ(1, small.result);
}

TEST_F(drained, waiter_that_gives_up_lets_the_next_one_through)
{
	struct waiter big = { .fd = self->fd, .count = 4 };
	struct waiter small = { .fd = self->fd, .count = 1 };

	big.deadline_ns = now_ns() + 1500 * NSEC_PER_MSEC;
	waiter_start(_metadata, &big);
	waiter_start(_metadata, &small);
	test_hoard_release(&self->hoard, 2);
	sleep_ms(A_WHILE_MS);
	EXPECT_FALSE(waiter_is_done(&small));
	waiter_join(_metadata, &big);
	EXPECT_EQ(-1, big.result);
	EXPECT_EQ(ETIMEDOUT, big.error);
	waiter_join(_metadata, &small);
	EXPECT_EQ(1, small.result);
}

TEST_F(drained, nowait_is_eagain_while_someone_waits)
{
	struct waiter big = { .fd = self->fd, .count = 4 };
	int other = raw_open(0, O_RDWR);
	struct labyrinth_buffer buffer;

	waiter_start(_metadata, &big);
	test_hoard_release(&self->hoard, 3);
	/* Three pages are free, and they are not for those who cannot wait. */
	test_err_acquire(EAGAIN, other, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
	test_err_acquire(EAGAIN, other, LABYRINTH_ACQUIRE_NOWAIT |
			 LABYRINTH_ACQUIRE_PARTIAL, 1, &buffer);
	EXPECT_EQ(0, poll_now(other) & POLLOUT);
	EXPECT_FALSE(waiter_is_done(&big));
	test_hoard_release(&self->hoard, 1);
	waiter_join(_metadata, &big);
	EXPECT_EQ(4, big.result);
}

TEST_F(drained, nowait_and_o_nonblock_are_eagain)
{
	int nonblock = raw_open(0, O_RDWR | O_NONBLOCK);
	struct labyrinth_buffer buffer;

	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT |
			 LABYRINTH_ACQUIRE_PARTIAL, 1, &buffer);
	test_err_acquire(EAGAIN, nonblock, 0, 1, &buffer);
	test_unchanged(self->fd, &self->before);
	test_hoard_release(&self->hoard, 2);
	EXPECT_EQ(1, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer));
	EXPECT_EQ(1, raw_acquire(nonblock, 0, 1, &buffer));
}

TEST_F(drained, deadline_ends_the_wait)
{
	struct labyrinth_buffer buffer;
	__u64 start = now_ns();

	EXPECT_ERRNO(ETIMEDOUT, raw_acquire_until(self->fd, 0, 1, &buffer,
						  start + 300 * NSEC_PER_MSEC));
	EXPECT_LE(300 * NSEC_PER_MSEC, now_ns() - start);
	EXPECT_GT(SOON_NS, now_ns() - start);
	test_unchanged(self->fd, &self->before);
	EXPECT_LT(self->before.exhaustion_fails,
		  stat_value(self->fd, exhaustion_fails));
}

TEST_F(drained, deadline_in_the_past_tries_once)
{
	struct labyrinth_buffer buffer;

	EXPECT_ERRNO(ETIMEDOUT, raw_acquire_until(self->fd, 0, 1, &buffer, 1));
	test_unchanged(self->fd, &self->before);
	test_hoard_release(&self->hoard, 1);
	EXPECT_EQ(1, raw_acquire_until(self->fd, 0, 1, &buffer, 1));
}

TEST_F(drained, nowait_wins_over_a_deadline)
{
	struct labyrinth_buffer buffer;

	EXPECT_ERRNO(EAGAIN, raw_acquire_until(self->fd, LABYRINTH_ACQUIRE_NOWAIT,
					       1, &buffer, 1));
	EXPECT_ERRNO(EAGAIN, raw_acquire_until(self->fd, LABYRINTH_ACQUIRE_NOWAIT,
					       1, &buffer, now_ns() + SOON_NS));
}

TEST_F(drained, served_waiter_ignores_its_later_deadline)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };

	waiter.deadline_ns = now_ns() + 60 * NSEC_PER_SEC;
	waiter_start(_metadata, &waiter);
	test_hoard_release(&self->hoard, 1);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(1, waiter.result);
}

TEST_F(drained, partial_waits_for_one_and_takes_what_there_is)
{
	struct waiter waiter = {
		.fd = self->fd,
		.flags = LABYRINTH_ACQUIRE_PARTIAL,
		.count = 8,
	};

	waiter_start(_metadata, &waiter);
	sleep_ms(A_WHILE_MS);
	EXPECT_FALSE(waiter_is_done(&waiter));
	test_hoard_release(&self->hoard, 3);
	waiter_join(_metadata, &waiter);
	EXPECT_LE(1, waiter.result);
	EXPECT_GE(3, waiter.result);
	EXPECT_EQ((__u64)waiter.result, stat_value(self->fd, charged));
}

TEST_F(drained, bad_array_after_a_wait_leaves_nothing)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };
	struct labyrinth_stat stat;

	waiter.array = mmap(NULL, page_size(), PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, waiter.array);
	/* The driver may notice before it waits, or after. */
	ASSERT_EQ(0, pthread_create(&waiter.thread, NULL, waiter_run, &waiter));
	sleep_ms(A_WHILE_MS);
	test_hoard_release(&self->hoard, 1);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(-1, waiter.result);
	EXPECT_EQ(EFAULT, waiter.error);
	test_stat(self->fd, &stat);
	EXPECT_EQ(self->before.owned - 1, stat.owned);
	EXPECT_EQ(0, stat.charged);
	EXPECT_EQ(0, stat.waiters);
	/* The page went back to where everybody can get it. */
	EXPECT_EQ(1, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1,
				 waiter.buffers));
}

static void no_op(int sig)
{
	(void)sig;
}

TEST_F(drained, handled_signal_is_eintr)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };
	struct sigaction action = { .sa_handler = no_op };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	waiter_start(_metadata, &waiter);
	ASSERT_EQ(0, pthread_kill(waiter.thread, SIGUSR1));
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(-1, waiter.result);
	EXPECT_EQ(EINTR, waiter.error);
	test_unchanged(self->fd, &self->before);
}

TEST_F(drained, sa_restart_goes_on_waiting)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };
	struct sigaction action = { .sa_handler = no_op, .sa_flags = SA_RESTART };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	waiter_start(_metadata, &waiter);
	ASSERT_EQ(0, pthread_kill(waiter.thread, SIGUSR1));
	sleep_ms(A_WHILE_MS);
	EXPECT_FALSE(waiter_is_done(&waiter));
	EXPECT_TRUE(wait_until(stat_value(self->fd, waiters) == 1));
	test_hoard_release(&self->hoard, 1);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(1, waiter.result);
}

TEST_F(drained, kill_9_ends_a_wait)
{
	struct labyrinth_buffer buffer;
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		int fd = raw_open(0, O_RDWR);

		test_acquire(fd, 1, &buffer);
		_exit(1);
	}
	ASSERT_TRUE(wait_until(stat_value(self->fd, waiters) == 1));
	test_peer_kill(&peer);
	EXPECT_TRUE(wait_until(stat_value(self->fd, waiters) == 0));
	test_unchanged(self->fd, &self->before);
	/* Its place is gone too: a released page is free for anyone. */
	test_hoard_release(&self->hoard, 1);
	EXPECT_EQ(1, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer));
}

TEST_F(drained, pollout_comes_when_a_page_is_released)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLOUT };
	struct labyrinth_buffer buffer;
	struct peer peer;

	EXPECT_EQ(0, poll_now(self->fd) & POLLOUT);
	EXPECT_EQ(0, poll(&pollfd, 1, A_WHILE_MS));
	/* poll() is free for other processes, so let one sleep in it. */
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		test_peer_send(&peer, 0);
		EXPECT_EQ(POLLOUT, poll_woken(self->fd, POLLOUT, 10000));
		test_child_exit();
	}
	test_peer_receive(&peer);
	sleep_ms(A_WHILE_MS);
	test_hoard_release(&self->hoard, 1);
	test_peer_join(&peer);
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	EXPECT_EQ(1, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer));
	EXPECT_EQ(0, poll_now(self->fd) & POLLOUT);
}

/* One lets go of what was set aside, the next one is served, and something is left. */
TEST_F(drained, pollout_comes_for_what_waiters_leave)
{
	struct waiter big = { .fd = self->fd, .count = 8 };
	struct waiter small = { .fd = self->fd, .count = 2 };
	struct peer peer;

	big.deadline_ns = now_ns() + 2000 * NSEC_PER_MSEC;
	waiter_start(_metadata, &big);
	waiter_start(_metadata, &small);
	test_hoard_release(&self->hoard, 5);
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		test_peer_send(&peer, 0);
		EXPECT_EQ(POLLOUT, poll_woken(self->fd, POLLOUT, 10000));
		test_child_exit();
	}
	test_peer_receive(&peer);
	waiter_join(_metadata, &big);
	EXPECT_EQ(ETIMEDOUT, big.error);
	waiter_join(_metadata, &small);
	EXPECT_EQ(2, small.result);
	test_peer_join(&peer);
}

/* The order holds for threads of one file just as between files. */
FIXTURE(queue)
{
	int fd;
	struct hoard hoard;
};

FIXTURE_VARIANT(queue)
{
	bool one_file;
};

FIXTURE_VARIANT_ADD(queue, one_file) { .one_file = true };
FIXTURE_VARIANT_ADD(queue, several_files) { .one_file = false };

FIXTURE_SETUP(queue)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	hoard_fill(_metadata, &self->hoard, 0, self->fd);
}

FIXTURE_TEARDOWN(queue)
{
	hoard_close(&self->hoard);
	close(self->fd);
}

TEST_F(queue, waiters_are_served_in_the_order_they_came)
{
	struct waiter waiters[4] = { };
	int i, j;

	for (i = 0; i < 4; i++) {
		waiters[i].fd = variant->one_file ? self->fd : raw_open(0, O_RDWR);
		waiters[i].count = 1;
		waiter_start(_metadata, &waiters[i]);
	}
	EXPECT_EQ(4, stat_value(self->fd, waiters));
	for (i = 0; i < 4; i++) {
		test_hoard_release(&self->hoard, 1);
		waiter_join(_metadata, &waiters[i]);
		EXPECT_EQ(1, waiters[i].result);
		for (j = i + 1; j < 4; j++)
			EXPECT_FALSE(waiter_is_done(&waiters[j]));
	}
}

/* A device with plenty of free pages. */
FIXTURE(plenty)
{
	int fd;
};

FIXTURE_SETUP(plenty)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
}

FIXTURE_TEARDOWN(plenty)
{
	close(self->fd);
}

TEST_F(plenty, nothing_waits_while_there_are_pages)
{
	__u64 waits = stat_value(self->fd, exhaustion_waits);
	struct labyrinth_buffer buffer;

	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	EXPECT_EQ(1, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer));
	EXPECT_EQ(1, raw_acquire(self->fd, 0, 1, &buffer));
	EXPECT_EQ(1, raw_acquire_until(self->fd, 0, 1, &buffer, 1));
	EXPECT_EQ(waits, stat_value(self->fd, exhaustion_waits));
}

TEST_HARNESS_MAIN
