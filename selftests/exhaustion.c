// SPDX-License-Identifier: GPL-2.0
/* With every page taken, everyone is told so, and nothing breaks. */
#include "labyrinth_fault.h"
#include "labyrinth_peer.h"
#include "labyrinth_pool.h"

FIXTURE(exhaustion)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer own[2];
	struct hoard hoard;
	struct labyrinth_stat full;
};

FIXTURE_SETUP(exhaustion)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	test_acquire(self->fd, 2, self->own);
	hoard_fill(_metadata, &self->hoard, 0, self->fd);
	test_stat(self->fd, &self->full);
}

FIXTURE_TEARDOWN(exhaustion)
{
	hoard_close(&self->hoard);
	close(self->fd);
}

TEST_F(exhaustion, pool_stops_at_max_and_keeps_the_reserve)
{
	EXPECT_EQ(self->full.max, self->full.total);
	EXPECT_EQ(self->full.max - self->full.reserve, self->full.owned);
	EXPECT_EQ(self->full.reserve, self->full.free);
	EXPECT_EQ(self->full.total, stat_sum(&self->full));
}

TEST_F(exhaustion, every_file_gets_eagain)
{
	struct labyrinth_buffer buffer;
	int fresh = raw_open(0, O_RDWR);
	int fds[] = { self->fd, fresh, self->hoard.fds[self->hoard.files - 1] };
	unsigned int i;

	ASSERT_LE(0, fresh);
	for (i = 0; i < ARRAY_COUNT(fds); i++) {
		test_err_acquire(EAGAIN, fds[i], LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
		test_err_acquire(EAGAIN, fds[i], LABYRINTH_ACQUIRE_NOWAIT |
				 LABYRINTH_ACQUIRE_PARTIAL, 8, &buffer);
		EXPECT_EQ(0, poll_now(fds[i]) & POLLOUT);
	}
	test_unchanged(self->fd, &self->full);
	EXPECT_EQ(self->full.exhaustion_fails + 2 * ARRAY_COUNT(fds),
		  stat_value(self->fd, exhaustion_fails));
}

TEST_F(exhaustion, every_page_is_a_different_one)
{
	size_t pages = self->info.arena_length / page_size();
	char *seen = calloc(pages, 1);
	unsigned int i;

	ASSERT_NE(NULL, seen);
	for (i = 0; i < 2; i++)
		seen[self->own[i].offset / page_size()] = 1;
	for (i = 0; i < self->hoard.count; i++) {
		size_t page = self->hoard.buffers[i].offset / page_size();

		ASSERT_GT(pages, page);
		ASSERT_EQ(0, seen[page]);
		seen[page] = 1;
	}
	EXPECT_EQ(self->full.owned, self->hoard.count + 2);
	free(seen);
}

TEST_F(exhaustion, released_pages_can_be_had_again)
{
	struct labyrinth_buffer buffers[8];

	test_hoard_release(&self->hoard, 8);
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 9, buffers);
	EXPECT_EQ(8, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, 8, buffers));
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, buffers);
}

TEST_F(exhaustion, partial_without_waiting_takes_what_is_left)
{
	struct labyrinth_buffer buffers[8];

	test_hoard_release(&self->hoard, 3);
	EXPECT_EQ(3, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT |
				 LABYRINTH_ACQUIRE_PARTIAL, 8, buffers));
	EXPECT_EQ(self->full.reserve, stat_value(self->fd, free));
}

TEST_F(exhaustion, owned_pages_stay_usable)
{
	char *map = test_map_buffer(self->fd, &self->own[0]);

	fault_catch();
	test_touch(map);
	map = test_map_arena(self->fd, &self->info);
	test_touch(map + self->own[1].offset);
	test_copy(self->fd, self->own[0].handle, 0, self->own[1].handle, 0, 1, 4);
	test_event(self->fd, 4, 0);
	test_release(self->fd, 2, self->own);
}

TEST_F(exhaustion, another_device_has_its_own_pages)
{
	int second = open_quiet(_metadata, 1, O_RDWR);
	struct labyrinth_buffer buffer;

	EXPECT_EQ(1, raw_acquire(second, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer));
	EXPECT_EQ(POLLOUT, poll_now(second));
}

TEST_F(exhaustion, surplus_goes_back_to_the_system)
{
	struct labyrinth_stat after;

	hoard_close(&self->hoard);
	test_release(self->fd, 2, self->own);
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) <= self->full.high));
	test_stat(self->fd, &after);
	EXPECT_EQ(0, after.owned);
	EXPECT_LE(after.low, after.free);
	EXPECT_EQ(self->full.total - after.total, after.trimmed - self->full.trimmed);
	EXPECT_EQ(after.total, stat_sum(&after));
}

/* Another process takes everything. */
FIXTURE(hoarder)
{
	int fd;
	struct peer peer;
};

FIXTURE_SETUP(hoarder)
{
	struct hoard hoard;
	int own;

	self->fd = open_quiet(_metadata, 0, O_RDWR);
	ASSERT_LE(0, peer_fork(&self->peer));
	if (!self->peer.pid) {
		own = raw_open(0, O_RDWR);
		hoard_fill(_metadata, &hoard, 0, own);
		test_peer_send(&self->peer, hoard.count);
		test_peer_receive(&self->peer);
		test_child_exit();
	}
	ASSERT_LT(0, test_peer_receive(&self->peer));
}

FIXTURE_TEARDOWN(hoarder)
{
	close(self->fd);
}

TEST_F(hoarder, kill_9_gives_everything_back)
{
	struct labyrinth_stat stat;

	test_stat(self->fd, &stat);
	EXPECT_EQ(stat.max - stat.reserve, stat.owned);
	test_peer_kill(&self->peer);
	EXPECT_TRUE(wait_until(device_is_quiet(self->fd)));
	test_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.owned);
}

TEST_F(hoarder, kill_9_serves_those_who_wait)
{
	struct waiter waiter = { .fd = self->fd, .count = 8 };

	waiter_start(_metadata, &waiter);
	test_peer_kill(&self->peer);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(8, waiter.result);
	EXPECT_TRUE(wait_until(stat_value(self->fd, owned) == 8));
}

TEST_F(hoarder, quota_keeps_one_file_from_taking_everything)
{
	struct labyrinth_info info;

	test_info(self->fd, &info);
	EXPECT_LT(0, info.file_quota);
	EXPECT_GT(stat_value(self->fd, max) - stat_value(self->fd, reserve),
		  info.file_quota);
	test_peer_kill(&self->peer);
}

TEST_HARNESS_MAIN
