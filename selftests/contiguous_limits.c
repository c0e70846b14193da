// SPDX-License-Identifier: GPL-2.0
/* Buffers of several pages never take the pool over its maximum, and never wait. */
#include "labyrinth_pool.h"

FIXTURE(limits)
{
	int fd;
	size_t page;
	char *edge;	/* one writable page, then one that is not mapped */
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[64];
	struct labyrinth_stat before;
};

FIXTURE_SETUP(limits)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	if (self->info.max_order < 2)
		SKIP(return, "max_order is %u", self->info.max_order);
	self->edge = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->edge);
	ASSERT_EQ(0, munmap(self->edge + self->page, self->page));
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(limits)
{
	close(self->fd);
}

/* A full pool of single pages, which may take seconds to wait for and never should be. */
TEST_F(limits, never_waits_for_pages_others_hold)
{
	struct labyrinth_stat stat;
	struct hoard hoard;
	__u64 start;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	test_stat(self->fd, &self->before);
	start = now_ns();
	test_err_acquire_order(ENOMEM, self->fd, 0, 1, 1, self->buffers);
	test_err_acquire_order(ENOMEM, self->fd, LABYRINTH_ACQUIRE_PARTIAL, 1, 8,
			       self->buffers);
	EXPECT_GT(NSEC_PER_SEC, now_ns() - start);
	test_unchanged(self->fd, &self->before);
	test_stat(self->fd, &stat);
	EXPECT_EQ(self->before.fragmentation_fails + 2, stat.fragmentation_fails);
	EXPECT_EQ(self->before.exhaustion_waits, stat.exhaustion_waits);
	hoard_close(&hoard);
}

TEST_F(limits, free_pages_above_low_make_room_below_the_maximum)
{
	struct labyrinth_stat stat;
	struct hoard hoard;
	int got = 0;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	test_hoard_release(&hoard, 160);
	test_stat(self->fd, &stat);
	/* Full, and the free pages are fewer than what is given back for being spare. */
	ASSERT_EQ(stat.max, stat.total);
	ASSERT_LT(stat.low + 80, stat.free);
	while (raw_acquire_order(self->fd, 0, 2, 1, &self->buffers[got]) == 1) {
		test_stat(self->fd, &stat);
		EXPECT_GE(stat.max, stat.total);
		EXPECT_LE(stat.low, stat.free);
		EXPECT_EQ(stat.total, stat_sum(&stat));
		ASSERT_GT(64, ++got);
	}
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_LE(20, got);
	test_release(self->fd, got, self->buffers);
	hoard_close(&hoard);
}

TEST_F(limits, pool_of_all_orders_never_exceeds_its_maximum)
{
	struct labyrinth_stat stat;
	unsigned int order, i;
	struct hoard hoard;

	for (order = 1; order <= self->info.max_order; order++)
		test_acquire_order(self->fd, order, 8, self->buffers + 8 * order - 8);
	hoard_fill(_metadata, &hoard, 0, self->fd);
	for (i = 0; i < 40; i++) {
		test_stat(self->fd, &stat);
		EXPECT_GE(stat.max, stat.total);
		EXPECT_EQ(stat.total, stat_sum(&stat));
		sleep_ms(5);
	}
	for (order = self->info.max_order; order; order--)
		test_release(self->fd, 8, self->buffers + 8 * order - 8);
	hoard_close(&hoard);
}

TEST_F(limits, used_up_order_does_not_cost_the_free_pages)
{
	const __u32 order = self->info.max_order;
	struct labyrinth_stat stat;
	int got = 0;

	/* There are fewer than 64 of the highest order, long before the pool is full. */
	while (raw_acquire_order(self->fd, 0, order, 1, &self->buffers[got]) == 1)
		ASSERT_GT(64, ++got);
	EXPECT_EQ(ENOMEM, errno);
	test_stat(self->fd, &stat);
	EXPECT_LT(stat.total + (1 << order), stat.max);
	EXPECT_EQ(self->before.trimmed, stat.trimmed);
	EXPECT_EQ(self->before.free, stat.free);
}

TEST_F(limits, quota_counts_pages_and_partial_is_trimmed_to_it)
{
	struct labyrinth_buffer *many = calloc(self->info.max_batch, sizeof(*many));
	__u32 left = self->info.file_quota - 5, count;

	while (left) {
		count = left < self->info.max_batch ? left : self->info.max_batch;
		test_acquire(self->fd, count, many);
		left -= count;
	}
	test_stat(self->fd, &self->before);
	test_err_acquire_order(EDQUOT, self->fd, 0, 1, 3, self->buffers);
	test_err_acquire_order(EDQUOT, self->fd, LABYRINTH_ACQUIRE_PARTIAL, 3, 2,
			       self->buffers);
	test_unchanged(self->fd, &self->before);
	EXPECT_EQ(2, raw_acquire_order(self->fd, LABYRINTH_ACQUIRE_PARTIAL, 1, 8,
				       self->buffers));
	EXPECT_EQ(self->info.file_quota - 1, stat_value(self->fd, charged));
	test_err_acquire_order(EDQUOT, self->fd, LABYRINTH_ACQUIRE_PARTIAL, 1, 1,
			       self->buffers);
	free(many);
}

TEST_F(limits, acquire_into_bad_memory_leaves_nothing)
{
	struct labyrinth_acquire *acquire = (void *)self->edge;
	struct labyrinth_buffer *last;

	last = (void *)(self->edge + self->page - sizeof(*last));
	test_err_acquire_order(EFAULT, self->fd, 0, 2, 1, NULL);
	test_err_acquire_order(EFAULT, self->fd, 0, 2, 2, last);
	test_err_acquire_order(EFAULT, self->fd, LABYRINTH_ACQUIRE_PARTIAL, 1, 2, last);
	test_unchanged(self->fd, &self->before);
	test_err_release(ENOENT, self->fd, 0, 1, last);
	acquire->size = sizeof(*acquire);
	acquire->count = 3;
	acquire->order = 2;
	acquire->buffers = (uintptr_t)self->buffers;
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, LABYRINTH_ACQUIRE, acquire));
	test_err_release(ENOENT, self->fd, 0, 3, self->buffers);
	test_unchanged(self->fd, &self->before);
	EXPECT_EQ(self->before.total, stat_value(self->fd, total));
}

TEST_HARNESS_MAIN
