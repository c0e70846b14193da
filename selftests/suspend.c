// SPDX-License-Identifier: GPL-2.0
/* Suspending the machine loses nothing: no copy, no page, no place in the queue. */
#include "labyrinth_fault.h"
#include "labyrinth_pool.h"
#include "labyrinth_sleeper.h"
#include "labyrinth_suspend.h"

/* Of each of two files; all are queued when the machine goes to sleep. */
#define COPIES		16

#define CYCLES		10

/* A file with buffers to copy from and to. */
struct copier {
	int fd;
	unsigned int seed;
	struct labyrinth_buffer src[COPIES], dst[COPIES];
	char *from[COPIES], *to[COPIES];
};

static void copier_open(struct __test_metadata *_metadata, struct copier *copier,
			unsigned int seed)
{
	int i;

	copier->fd = raw_open(0, O_RDWR);
	ASSERT_LE(0, copier->fd);
	copier->seed = seed;
	test_acquire(copier->fd, COPIES, copier->src);
	test_acquire(copier->fd, COPIES, copier->dst);
	for (i = 0; i < COPIES; i++) {
		copier->from[i] = test_map_buffer(copier->fd, &copier->src[i]);
		copier->to[i] = test_map_buffer(copier->fd, &copier->dst[i]);
		pattern_fill(copier->from[i], page_size(), seed + i);
		memset(copier->to[i], 0xa5, page_size());
	}
}

static void copier_queue(struct __test_metadata *_metadata, struct copier *copier)
{
	int i;

	for (i = 0; i < COPIES; i++)
		test_copy(copier->fd, copier->src[i].handle, 0, copier->dst[i].handle, 0,
			  page_size(), copier->seed + i);
}

static void copier_expect(struct __test_metadata *_metadata, struct copier *copier)
{
	int i;

	for (i = 0; i < COPIES; i++) {
		test_event(copier->fd, copier->seed + i, 0);
		EXPECT_TRUE(pattern_matches(copier->to[i], page_size(),
					    copier->seed + i));
		EXPECT_TRUE(pattern_matches(copier->from[i], page_size(),
					    copier->seed + i));
	}
	EXPECT_EQ(0, poll_now(copier->fd) & POLLIN);
}

FIXTURE(suspend)
{
	int fd;
	struct labyrinth_stat before;
};

FIXTURE_SETUP(suspend)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	suspend_require(_metadata);
	test_stat(self->fd, &self->before);
	fault_catch();
}

FIXTURE_TEARDOWN(suspend)
{
	close(self->fd);
}

TEST_F_TIMEOUT(suspend, queued_copies_of_two_files_all_arrive_in_order, 90)
{
	struct copier copiers[2];
	struct labyrinth_stat after;
	int i;

	for (i = 0; i < 2; i++) {
		copier_open(_metadata, &copiers[i], 100 * i);
		copier_queue(_metadata, &copiers[i]);
	}
	ASSERT_EQ(0, suspend_and_wake());
	/* Most of them were still to be done. */
	test_stat(self->fd, &after);
	EXPECT_GT(self->before.copies + COPIES, after.copies);
	for (i = 0; i < 2; i++)
		copier_expect(_metadata, &copiers[i]);
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.copies + 2 * COPIES, after.copies);
	EXPECT_EQ(self->before.copies_failed, after.copies_failed);
	EXPECT_EQ(self->before.copied_bytes + 2 * COPIES * page_size(),
		  after.copied_bytes);
	EXPECT_EQ(self->before.dma_timeouts, after.dma_timeouts);
	for (i = 0; i < 2; i++)
		close(copiers[i].fd);
}

/* So that the machine goes to sleep in every stage of a copy. */
TEST_F_TIMEOUT(suspend, ten_times_with_a_copy_in_flight_each, 180)
{
	struct labyrinth_buffer pair[2];
	char *from, *to;
	int i;

	test_acquire(self->fd, 2, pair);
	from = test_map_buffer(self->fd, &pair[0]);
	to = test_map_buffer(self->fd, &pair[1]);
	for (i = 0; i < CYCLES; i++) {
		pattern_fill(from, page_size(), i);
		memset(to, 0xa5, page_size());
		test_copy(self->fd, pair[0].handle, 0, pair[1].handle, 0, page_size(), i);
		sleep_ms(37 * i);
		ASSERT_EQ(0, suspend_and_wake());
		test_event(self->fd, i, 0);
		EXPECT_TRUE(pattern_matches(from, page_size(), i));
		EXPECT_TRUE(pattern_matches(to, page_size(), i));
	}
	EXPECT_EQ(self->before.dma_timeouts, stat_value(self->fd, dma_timeouts));
}

TEST_F_TIMEOUT(suspend, copy_that_is_cancelled_meanwhile_is_cancelled, 60)
{
	struct labyrinth_buffer buffers[4];
	struct labyrinth_event event;

	test_acquire(self->fd, 4, buffers);
	test_copy(self->fd, buffers[0].handle, 0, buffers[1].handle, 0, page_size(), 0);
	test_copy(self->fd, buffers[2].handle, 0, buffers[3].handle, 0, page_size(), 1);
	test_release(self->fd, 2, buffers);
	EXPECT_EQ(2, stat_value(self->fd, quarantined));
	ASSERT_EQ(0, suspend_and_wake());
	ASSERT_EQ(0, raw_event(self->fd, &event));
	EXPECT_EQ(0, event.user_data);
	EXPECT_EQ(-ECANCELED, event.result);
	test_event(self->fd, 1, 0);
	EXPECT_TRUE(wait_until(!stat_value(self->fd, quarantined)));
}

/* A task is woken up to be frozen; that must not look like a signal. */
TEST_F_TIMEOUT(suspend, those_who_wait_keep_their_places, 60)
{
	struct waiter first = { .count = 2 }, second = { .count = 1 };
	struct labyrinth_stat before, after;
	struct hoard hoard;

	first.fd = raw_open(0, O_RDWR);
	second.fd = raw_open(0, O_RDWR);
	hoard_fill(_metadata, &hoard, 0, self->fd);
	waiter_start(_metadata, &first);
	waiter_start(_metadata, &second);
	test_stat(self->fd, &before);
	EXPECT_EQ(2, before.waiters);
	ASSERT_EQ(0, suspend_and_wake());
	test_stat(self->fd, &after);
	EXPECT_EQ(2, after.waiters);
	/* Who leaves the queue and comes again is counted again. */
	EXPECT_EQ(before.exhaustion_waits, after.exhaustion_waits);
	test_hoard_release(&hoard, 1);
	sleep_ms(100);
	EXPECT_FALSE(waiter_is_done(&first));
	EXPECT_FALSE(waiter_is_done(&second));
	test_hoard_release(&hoard, 1);
	waiter_join(_metadata, &first);
	EXPECT_EQ(2, first.result);
	EXPECT_FALSE(waiter_is_done(&second));
	test_hoard_release(&hoard, 1);
	waiter_join(_metadata, &second);
	EXPECT_EQ(1, second.result);
	close(first.fd);
	close(second.fd);
	hoard_close(&hoard);
}

TEST_F_TIMEOUT(suspend, who_waits_for_a_fence_goes_on_when_it_ends, 60)
{
	struct labyrinth_copy copy = {
		.size = sizeof(copy), .flags = LABYRINTH_COPY_FENCE,
	};
	struct labyrinth_buffer pair[2];
	struct sleeper sleeper;
	char *from, *to;

	test_acquire(self->fd, 2, pair);
	from = test_map_buffer(self->fd, &pair[0]);
	to = test_map_buffer(self->fd, &pair[1]);
	pattern_fill(from, page_size(), 3);
	copy.src_handle = pair[0].handle;
	copy.dst_handle = pair[1].handle;
	copy.length = page_size();
	ASSERT_EQ(0, ioctl(self->fd, LABYRINTH_COPY, &copy));
	sleeper_start(_metadata, &sleeper, to);
	ASSERT_EQ(0, suspend_and_wake());
	EXPECT_EQ(0, sleeper_join(_metadata, &sleeper));
	test_event(self->fd, 0, 0);
	EXPECT_TRUE(pattern_matches(to, page_size(), 3));
}

TEST_F_TIMEOUT(suspend, owned_pages_keep_their_content_and_mappings, 60)
{
	struct labyrinth_buffer buffers[COPIES], large;
	struct labyrinth_info info;
	struct labyrinth_stat after;
	char *arena;
	int i;

	test_info(self->fd, &info);
	test_acquire(self->fd, COPIES, buffers);
	test_acquire_order(self->fd, 2, 1, &large);
	arena = test_map_arena(self->fd, &info);
	for (i = 0; i < COPIES; i++)
		pattern_fill(arena + buffers[i].offset, page_size(), i);
	pattern_fill(arena + large.offset, large.length, COPIES);
	ASSERT_EQ(0, suspend_and_wake());
	for (i = 0; i < COPIES; i++) {
		EXPECT_TRUE(pattern_matches(arena + buffers[i].offset, page_size(), i));
		test_touch(arena + buffers[i].offset);
	}
	EXPECT_TRUE(pattern_matches(arena + large.offset, large.length, COPIES));
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.revoked, after.revoked);
	EXPECT_EQ(COPIES + 4, after.owned);
	EXPECT_EQ(after.total, stat_sum(&after));
}

TEST_F_TIMEOUT(suspend, interrupt_refills_the_pool_afterwards, 60)
{
	struct labyrinth_buffer buffers[256];
	__u64 count = self->before.free - self->before.low + 8;
	struct labyrinth_stat before;

	ASSERT_GE(256, count);
	ASSERT_EQ(0, suspend_and_wake());
	test_stat(self->fd, &before);
	EXPECT_EQ(self->before.free, before.free);
	EXPECT_EQ(self->before.total, before.total);
	test_acquire(self->fd, count, buffers);
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) >= before.high));
	EXPECT_LT(before.irq_refill_pages, stat_value(self->fd, irq_refill_pages));
}

TEST_HARNESS_MAIN
