// SPDX-License-Identifier: GPL-2.0
/*
 * Between chunks, files take turns. So one that has filled its queue to the brim holds
 * up another's copy by no more than one chunk for each chunk of it. This is measured in
 * chunks, as the device begins them, so that a slow machine does not matter.
 */
#include "labyrinth_utils.h"

#define BUSY		3	/* files with a full queue, at most */

/* A chunk takes twice as long, two transfers of 100 ms. */
#define HALF_A_CHUNK_NS	(100 * NSEC_PER_MSEC)

FIXTURE(fairness)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer own[2];
	int busy[BUSY];
	struct labyrinth_buffer big[BUSY][2];
};

FIXTURE_VARIANT(fairness)
{
	unsigned int busy;	/* files with a full queue */
	bool short_copies;	/* of one chunk, rather than as long as may be */
	unsigned int chunks;	/* of the copy that must not be held up */
};

FIXTURE_VARIANT_ADD(fairness, one_full_queue) { .busy = 1, .chunks = 1 };
FIXTURE_VARIANT_ADD(fairness, two_full_queues) { .busy = 2, .chunks = 1 };
FIXTURE_VARIANT_ADD(fairness, three_full_queues) { .busy = 3, .chunks = 1 };
FIXTURE_VARIANT_ADD(fairness, full_queue_of_short_copies) {
	.busy = 1, .short_copies = true, .chunks = 3 };
FIXTURE_VARIANT_ADD(fairness, two_full_queues_and_a_longer_copy) {
	.busy = 2, .chunks = 3 };

/* A file whose every place is taken by a copy. */
static int full_queue(struct __test_metadata *_metadata,
		      const struct labyrinth_info *info, __u64 length,
		      struct labyrinth_buffer *big)
{
	int fd = raw_open(0, O_RDWR);
	__u32 i;

	ASSERT_LE(0, fd);
	test_acquire_order(fd, info->max_order, 2, big);
	ASSERT_GE(big->length, length);
	for (i = 0; i < info->copy_depth; i++)
		test_copy(fd, big[0].handle, 0, big[1].handle, 0, length, i);
	test_err_copy(EAGAIN, fd, big[0].handle, 0, big[1].handle, 0, 1, i);
	return fd;
}

FIXTURE_SETUP(fairness)
{
	__u64 length;
	unsigned int i;

	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	ASSERT_LT(0, self->info.max_order);
	length = variant->short_copies ? self->info.copy_chunk : self->info.max_copy;
	test_acquire_order(self->fd, self->info.max_order, 2, self->own);
	for (i = 0; i < variant->busy; i++)
		self->busy[i] = full_queue(_metadata, &self->info, length, self->big[i]);
}

FIXTURE_TEARDOWN(fairness)
{
	unsigned int i;

	for (i = 0; i < variant->busy; i++)
		if (self->busy[i] >= 0)
			close(self->busy[i]);
	close(self->fd);
}

/* Chunks begun until now, one of them only just. */
static __u64 wait_for_next_chunk(struct __test_metadata *_metadata, int fd)
{
	__u64 chunks, before = stat_value(fd, chunks);

	ASSERT_TRUE(wait_until((chunks = stat_value(fd, chunks)) != before));
	return chunks;
}

/*
 * Runs a copy of so many chunks. How many others were begun until it ended, and in *late
 * how many the device may have begun while this process was kept from running.
 */
static __u64 chunks_of_others(struct __test_metadata *_metadata, int fd,
			      const struct labyrinth_buffer *own, __u64 length,
			      __u64 chunks, __u64 *late)
{
	__u64 before, begun, began, lost;
	struct labyrinth_event event;

	before = wait_for_next_chunk(_metadata, fd);
	began = now_ns();
	test_copy(fd, own[0].handle, 0, own[1].handle, 0, length, 77);
	lost = now_ns() - began;
	ASSERT_EQ(0, raw_event(fd, &event));
	begun = stat_value(fd, chunks);
	lost += now_ns() - event.timestamp_ns;
	EXPECT_EQ(77, event.user_data);
	EXPECT_EQ(0, event.result);
	ASSERT_LE(before + chunks, begun);
	*late = lost / HALF_A_CHUNK_NS;
	return begun - before - chunks;
}

TEST_F_TIMEOUT(fairness, copy_waits_one_chunk_of_each_file_for_each_of_its_own, 60)
{
	__u64 length = (__u64)variant->chunks * self->info.copy_chunk;
	unsigned int i, turns = variant->chunks > 1 ? 1 : 3;
	__u64 others, late;

	for (i = 0; i < turns; i++) {
		others = chunks_of_others(_metadata, self->fd, self->own, length,
					  variant->chunks, &late);
		/* The one under way when it came does not count, the one after it does. */
		EXPECT_GE(variant->busy * variant->chunks + late, others);
	}
}

TEST_F_TIMEOUT(fairness, queue_that_is_given_up_holds_up_nobody, 60)
{
	struct labyrinth_stat before, after;
	unsigned int i;

	wait_for_next_chunk(_metadata, self->fd);
	/* Closed, or without its buffers: both cancel what has not begun. */
	for (i = 0; i < variant->busy; i++) {
		if (i % 2) {
			test_release(self->busy[i], 2, self->big[i]);
		} else {
			ASSERT_EQ(0, close(self->busy[i]));
			self->busy[i] = -1;
		}
	}
	test_stat(self->fd, &before);
	test_copy(self->fd, self->own[0].handle, 0, self->own[1].handle, 0, 1, 1);
	test_event(self->fd, 1, 0);
	test_stat(self->fd, &after);
	EXPECT_EQ(before.chunks + 1, after.chunks);
	EXPECT_EQ(after.total, stat_sum(&after));
	EXPECT_TRUE(wait_until(!stat_value(self->fd, quarantined)));
}

TEST_HARNESS_MAIN
