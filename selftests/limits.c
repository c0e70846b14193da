// SPDX-License-Identifier: GPL-2.0
/* The numbers and knobs under /sys/class/labyrinth/labyrinth0. */
#include "labyrinth_limits.h"
#include "labyrinth_pool.h"

FIXTURE(limits)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_stat before;
	unsigned long long file_quota;
	unsigned long long user_quota;
};

FIXTURE_SETUP(limits)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	test_stat(self->fd, &self->before);
	self->file_quota = number_in(LIMITS "file_quota");
	self->user_quota = number_in(LIMITS "user_quota");
	if (access(LIMITS, F_OK))
		SKIP(return, "no limits in sysfs");
}

FIXTURE_TEARDOWN(limits)
{
	restore_watermarks(&self->before);
	set_number(LIMITS "file_quota", self->file_quota);
	set_number(LIMITS "user_quota", self->user_quota);
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) <= self->before.high));
	close(self->fd);
}

TEST_F(limits, sysfs_shows_what_stat_and_info_say)
{
	EXPECT_EQ(self->before.low, number_in(LIMITS "low"));
	EXPECT_EQ(self->before.high, number_in(LIMITS "high"));
	EXPECT_EQ(self->before.reserve, number_in(LIMITS "reserve"));
	EXPECT_EQ(self->before.max, number_in(LIMITS "max"));
	EXPECT_EQ(self->info.file_quota, self->file_quota);
	EXPECT_EQ(self->info.user_quota, self->user_quota);
	EXPECT_EQ(stat_value(self->fd, total), number_in(POOL "total"));
	EXPECT_EQ(stat_value(self->fd, free), number_in(POOL "free"));
	EXPECT_EQ(stat_value(self->fd, acquired), number_in(POOL "acquired"));
	EXPECT_EQ(stat_value(self->fd, irq_hard), number_in(POOL "irq_hard"));
}

TEST_F(limits, owned_pages_are_shown)
{
	struct labyrinth_buffer buffers[5];

	test_acquire(self->fd, 5, buffers);
	EXPECT_EQ(5, number_in(POOL "owned"));
	test_release(self->fd, 5, buffers);
	EXPECT_EQ(0, number_in(POOL "owned"));
}

TEST_F(limits, watermarks_out_of_order_are_refused_and_nothing_changes)
{
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "low", self->before.high + 1));
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "high", self->before.low - 1));
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "high", self->before.max + 1));
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "reserve", self->before.high));
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "max", self->before.high - 1));
	EXPECT_EQ(self->before.low, stat_value(self->fd, low));
	EXPECT_EQ(self->before.high, stat_value(self->fd, high));
	EXPECT_EQ(self->before.reserve, stat_value(self->fd, reserve));
	EXPECT_EQ(self->before.max, stat_value(self->fd, max));
}

TEST_F(limits, values_beyond_the_maximum_or_not_numbers_are_refused)
{
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "max", self->info.max_pages + 1));
	EXPECT_ERRNO(ERANGE, set_number(LIMITS "max", 1ULL << 32));
	EXPECT_ERRNO(EINVAL, sysfs_write(LIMITS "high", "many"));
	EXPECT_ERRNO(EINVAL, sysfs_write(LIMITS "file_quota", "many"));
	EXPECT_ERRNO(EINVAL, sysfs_write(LIMITS "user_quota", "many"));
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "file_quota", 0));
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "file_quota", self->info.max_pages + 1));
	EXPECT_ERRNO(EINVAL, set_number(LIMITS "user_quota", self->info.max_pages + 1));
	EXPECT_EQ(self->before.max, stat_value(self->fd, max));
	EXPECT_EQ(self->file_quota, number_in(LIMITS "file_quota"));
}

TEST_F(limits, counters_cannot_be_written)
{
	struct stat stat;

	ASSERT_EQ(0, lstat(POOL "acquired", &stat));
	EXPECT_EQ(0444, stat.st_mode & 0777);
	ASSERT_EQ(0, lstat(LIMITS "max", &stat));
	EXPECT_EQ(0644, stat.st_mode & 0777);
}

TEST_F(limits, raised_low_and_high_refill_at_once)
{
	__u64 high = self->before.high + 64;

	ASSERT_EQ(0, set_number(LIMITS "high", high));
	ASSERT_EQ(0, set_number(LIMITS "low", high));
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) == high));
}

TEST_F(limits, lowered_high_gives_surplus_back)
{
	__u64 high = self->before.high / 2;

	ASSERT_LE(self->before.low, high);
	ASSERT_EQ(0, set_number(LIMITS "high", high));
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) == high));
	EXPECT_LT(self->before.trimmed, stat_value(self->fd, trimmed));
}

TEST_F(limits, lowered_max_bounds_the_pool)
{
	struct labyrinth_buffer buffers[64];
	__u64 max = self->before.high;

	ASSERT_EQ(0, set_number(LIMITS "max", max));
	test_acquire(self->fd, 64, buffers);
	sleep_ms(300);
	EXPECT_GE(max, stat_value(self->fd, total));
	test_release(self->fd, 64, buffers);
}

TEST_F(limits, pages_above_a_lowered_max_go_as_they_are_released)
{
	struct labyrinth_buffer buffers[256];
	unsigned int i;

	ASSERT_LE(256, self->info.file_quota);
	for (i = 0; i < 256; i += 64)
		test_acquire(self->fd, 64, buffers + i);
	ASSERT_TRUE(wait_until(stat_value(self->fd, total) > self->before.high));
	ASSERT_EQ(0, set_number(LIMITS "max", self->before.high));
	EXPECT_EQ(256, stat_value(self->fd, owned));
	for (i = 0; i < 256; i += 64)
		test_release(self->fd, 64, buffers + i);
	EXPECT_TRUE(wait_until(stat_value(self->fd, total) <= self->before.high));
}

TEST_F(limits, raised_max_lets_a_waiter_go_on)
{
	struct labyrinth_buffer buffer;
	struct hoard hoard;
	struct waiter waiter = { .fd = self->fd, .count = 1 };

	ASSERT_EQ(0, set_number(LIMITS "max", self->before.high));
	hoard_fill(_metadata, &hoard, 0, self->fd);
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
	waiter_start(_metadata, &waiter);
	ASSERT_EQ(0, set_number(LIMITS "max", self->before.max));
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(1, waiter.result);
	hoard_close(&hoard);
}

/* Who can never be served is told, and does not hold up those behind. */
TEST_F(limits, lowered_max_sends_away_a_waiter_that_it_leaves_no_hope)
{
	struct waiter big = { .fd = self->fd, .count = 8 };
	struct waiter small[2] = {
		{ .fd = self->fd, .count = 2 }, { .fd = self->fd, .count = 2 },
	};
	struct hoard hoard;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	waiter_start(_metadata, &big);
	waiter_start(_metadata, &small[0]);
	waiter_start(_metadata, &small[1]);
	ASSERT_EQ(0, set_number(LIMITS "low", 0));
	ASSERT_EQ(0, set_number(LIMITS "high", self->before.reserve + 4));
	ASSERT_EQ(0, set_number(LIMITS "max", self->before.reserve + 4));
	waiter_join(_metadata, &big);
	EXPECT_EQ(ENOMEM, big.error);
	EXPECT_EQ(2, stat_value(self->fd, waiters));
	test_hoard_release(&hoard, 4);
	waiter_join(_metadata, &small[0]);
	waiter_join(_metadata, &small[1]);
	EXPECT_EQ(2, small[0].result);
	EXPECT_EQ(2, small[1].result);
	EXPECT_EQ(4, stat_value(self->fd, charged));
	hoard_close(&hoard);
}

TEST_F(limits, file_quota_binds_files_opened_from_now_on)
{
	struct labyrinth_buffer buffers[4];
	int later;

	ASSERT_EQ(0, set_number(LIMITS "file_quota", 3));
	later = raw_open(0, O_RDWR);
	ASSERT_LE(0, later);
	test_err_acquire(EDQUOT, later, 0, 4, buffers);
	EXPECT_EQ(3, raw_acquire(later, LABYRINTH_ACQUIRE_PARTIAL, 4, buffers));
	EXPECT_EQ(4, raw_acquire(self->fd, 0, 4, buffers));
	close(later);
}

TEST_HARNESS_MAIN
