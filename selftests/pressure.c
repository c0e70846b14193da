// SPDX-License-Identifier: GPL-2.0
/* A pool gives its surplus back when the system is short of memory, and no more. */
#include "labyrinth_pool.h"
#include "labyrinth_pressure.h"

/* As many as one file may well have, several times the low watermark. */
#define PAGES		512

FIXTURE(pressure)
{
	int fd;
	struct labyrinth_stat before;
	struct labyrinth_stat full;
};

/* A pool of free pages well above the low watermark; none is surplus by itself. */
FIXTURE_SETUP(pressure)
{
	bool full;

	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_stat(self->fd, &self->before);
	if (access(DROP_CACHES, W_OK) || access(LIMITS "high", W_OK))
		SKIP(_exit(KSFT_SKIP), "no right to set limits and to drop caches");
	if (access(POOL "shrunk", F_OK))
		SKIP(_exit(KSFT_SKIP), "no shrinker in this driver");
	ASSERT_GT(PAGES, 2 * self->before.low);
	ASSERT_LE(2 * PAGES, self->before.max);
	ASSERT_EQ(0, set_number(LIMITS "max", 2 * PAGES));
	ASSERT_EQ(0, set_number(LIMITS "high", PAGES));
	ASSERT_EQ(0, set_number(LIMITS "low", PAGES));
	full = wait_until(stat_value(self->fd, free) == PAGES);
	ASSERT_EQ(0, set_number(LIMITS "low", self->before.low));
	if (!full)	/* no teardown follows */
		restore_watermarks(&self->before);
	ASSERT_TRUE(full);
	test_stat(self->fd, &self->full);
}

FIXTURE_TEARDOWN(pressure)
{
	restore_watermarks(&self->before);
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) <= self->before.high));
	close(self->fd);
}

TEST_F(pressure, surplus_is_given_back_down_to_low)
{
	struct labyrinth_stat after;

	ASSERT_LT(self->before.reserve, self->before.low);
	drop_caches(_metadata);
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.low, after.free);
	EXPECT_EQ(self->full.total - after.total, after.shrunk - self->full.shrunk);
	EXPECT_EQ(self->full.trimmed, after.trimmed);
	EXPECT_EQ(after.total, stat_sum(&after));
	EXPECT_EQ(after.shrunk, number_in(POOL "shrunk"));
}

TEST_F(pressure, the_reserve_is_kept_where_it_is_more)
{
	__u64 reserve = self->before.low + 50;
	struct labyrinth_stat after;

	ASSERT_EQ(0, set_number(LIMITS "reserve", reserve));
	drop_caches(_metadata);
	test_stat(self->fd, &after);
	EXPECT_LE(reserve, after.free);
	/* One more may stay, so that user space gets something. */
	EXPECT_GE(reserve + 1, after.free);
	EXPECT_EQ(after.total, stat_sum(&after));
}

TEST_F(pressure, nothing_is_taken_below_low)
{
	struct labyrinth_buffer buffers[PAGES];
	struct labyrinth_stat after;

	/* In parts: a request is bounded. */
	test_acquire(self->fd, PAGES / 2, buffers);
	test_acquire(self->fd, PAGES / 2 - self->before.low, buffers + PAGES / 2);
	EXPECT_EQ(self->before.low, stat_value(self->fd, free));
	drop_caches(_metadata);
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.low, after.free);
	EXPECT_EQ(self->full.shrunk, after.shrunk);
	EXPECT_EQ(self->full.total, after.total);
}

TEST_F(pressure, owned_pages_stay_and_keep_their_content)
{
	struct labyrinth_buffer buffers[8];
	char *pages[8];
	int i;

	test_acquire(self->fd, 8, buffers);
	for (i = 0; i < 8; i++) {
		pages[i] = test_map_buffer(self->fd, &buffers[i]);
		pattern_fill(pages[i], page_size(), i);
	}
	drop_caches(_metadata);
	EXPECT_LT(self->full.shrunk, stat_value(self->fd, shrunk));
	for (i = 0; i < 8; i++)
		EXPECT_TRUE(pattern_matches(pages[i], page_size(), i));
	EXPECT_EQ(8, stat_value(self->fd, owned));
}

TEST_F_TIMEOUT(pressure, many_pages_can_be_had_again_and_are_zero, 90)
{
	struct hoard hoard;
	unsigned int i;

	drop_caches(_metadata);
	hoard_fill(_metadata, &hoard, 0, self->fd);
	for (i = 0; i < hoard.count; i++) {
		char *page = test_map_buffer(hoard.owners[i], &hoard.buffers[i]);

		ASSERT_TRUE(all_bytes_are(page, page_size(), 0));
		munmap(page, page_size());
	}
	EXPECT_EQ(2 * PAGES - self->before.reserve, hoard.count);
	hoard_close(&hoard);
}

TEST_F_TIMEOUT(pressure, nothing_is_taken_while_somebody_waits, 90)
{
	struct waiter waiter = { .count = 8 };
	struct labyrinth_stat before, after;
	struct hoard hoard;

	/* Any free page would be surplus, if nobody waited for it. */
	ASSERT_EQ(0, set_number(LIMITS "low", 0));
	ASSERT_EQ(0, set_number(LIMITS "reserve", 0));
	waiter.fd = raw_open(0, O_RDWR);
	hoard_fill(_metadata, &hoard, 0, self->fd);
	waiter_start(_metadata, &waiter);
	test_hoard_release(&hoard, 4);
	test_stat(self->fd, &before);
	EXPECT_FALSE(waiter_is_done(&waiter));
	EXPECT_EQ(1, before.waiters);
	EXPECT_EQ(4, before.free);
	drop_caches(_metadata);
	test_stat(self->fd, &after);
	EXPECT_EQ(before.shrunk, after.shrunk);
	EXPECT_EQ(before.total, after.total);
	EXPECT_EQ(before.free, after.free);
	test_hoard_release(&hoard, 4);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(8, waiter.result);
	close(waiter.fd);
	hoard_close(&hoard);
}

TEST_F_TIMEOUT(pressure, memory_that_runs_short_is_answered_and_acquire_goes_on, 90)
{
	struct labyrinth_buffer buffers[64];
	struct labyrinth_stat after;
	unsigned long long taken;
	struct peer peer;
	int i;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid)
		press(_metadata, &peer);
	taken = test_peer_receive(&peer);
	TH_LOG("%llu KiB were touched", taken);
	test_stat(self->fd, &after);
	EXPECT_LT(self->full.shrunk, after.shrunk);
	EXPECT_LE(self->before.low, after.free);
	EXPECT_EQ(after.total, stat_sum(&after));
	/* A page counts as shrunk from its choice on; the kernel may be at one. */
	EXPECT_TRUE(wait_until(!raw_stat(self->fd, &after) &&
			       self->full.total - after.total ==
			       after.shrunk - self->full.shrunk));
	/* While it is still short. */
	for (i = 0; i < 8; i++) {
		test_acquire(self->fd, 64, buffers);
		EXPECT_TRUE(all_bytes_are(test_map_buffer(self->fd, &buffers[63]),
					  page_size(), 0));
		test_release(self->fd, 64, buffers);
	}
	test_peer_join(&peer);
}

TEST_HARNESS_MAIN
