// SPDX-License-Identifier: GPL-2.0
/* Buffers of several pages are contiguous, and yours alone like any other. */
#include "labyrinth_fault.h"
#include "labyrinth_pool.h"

FIXTURE(order)
{
	int fd;
	size_t page, length;
	char *arena;
	struct labyrinth_info info;
	struct labyrinth_stat before;
};

FIXTURE_VARIANT(order)
{
	__u32 order;
};

FIXTURE_VARIANT_ADD(order, 1) { 1 };
FIXTURE_VARIANT_ADD(order, 2) { 2 };
FIXTURE_VARIANT_ADD(order, 3) { 3 };
FIXTURE_VARIANT_ADD(order, 4) { 4 };

FIXTURE_SETUP(order)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	self->length = self->page << variant->order;
	test_info(self->fd, &self->info);
	ASSERT_TRUE(self->info.capabilities & LABYRINTH_CAP_CONTIGUOUS);
	if (variant->order > self->info.max_order)
		SKIP(return, "max_order is %u", self->info.max_order);
	self->arena = test_map_arena(self->fd, &self->info);
	test_stat(self->fd, &self->before);
	fault_catch();
}

FIXTURE_TEARDOWN(order)
{
	if (self->arena)
		munmap(self->arena, self->info.arena_length);
	close(self->fd);
}

TEST_F(order, whole_buffer_is_shown_and_zero_and_the_guard_behind_it_is_sigbus)
{
	struct labyrinth_buffer buffers[4];
	unsigned int i, j;
	char *at;

	test_acquire_order(self->fd, variant->order, 4, buffers);
	for (i = 0; i < 4; i++) {
		EXPECT_NE(0, buffers[i].handle);
		EXPECT_EQ(variant->order, buffers[i].order);
		EXPECT_EQ(self->length, buffers[i].length);
		EXPECT_EQ(0, buffers[i].flags);
		EXPECT_EQ(0, buffers[i].offset % self->page);
		ASSERT_GE(self->info.arena_length - self->length - self->page,
			  buffers[i].offset);
		for (j = 0; j < i; j++)
			EXPECT_TRUE(buffers[i].offset > buffers[j].offset + self->length ||
				    buffers[j].offset > buffers[i].offset + self->length);
		at = self->arena + buffers[i].offset;
		EXPECT_TRUE(all_bytes_are(at, self->length, 0));
		pattern_fill(at, self->length, i);
	}
	for (i = 0; i < 4; i++) {
		at = self->arena + buffers[i].offset;
		EXPECT_TRUE(pattern_matches(at, self->length, i));
		test_touch(at + self->length - 1);
		test_sigbus(at + self->length);
		test_sigbus(at + self->length + self->page - 1);
	}
}

TEST_F(order, is_charged_and_counted_in_pages_and_freed_by_release)
{
	const __u64 pages = 3ULL << variant->order;
	struct labyrinth_buffer buffers[3];
	struct labyrinth_stat stat;

	test_acquire_order(self->fd, variant->order, 3, buffers);
	test_stat(self->fd, &stat);
	EXPECT_EQ(pages, stat.owned);
	EXPECT_EQ(pages, stat.charged);
	EXPECT_EQ(self->before.acquired + pages, stat.acquired);
	EXPECT_EQ(self->before.total + pages, stat.total);
	EXPECT_EQ(stat.total, stat_sum(&stat));
	test_release(self->fd, 3, buffers);
	test_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.owned);
	EXPECT_EQ(0, stat.charged);
	EXPECT_EQ(self->before.released + pages, stat.released);
	EXPECT_EQ(self->before.total, stat.total);
	EXPECT_EQ(self->before.free, stat.free);
	EXPECT_EQ(stat.total, stat_sum(&stat));
}

TEST_F(order, close_frees_it_too)
{
	struct labyrinth_buffer buffers[3];
	int other = raw_open(0, O_RDWR);

	test_acquire_order(other, variant->order, 3, buffers);
	ASSERT_EQ(0, close(other));
	ASSERT_TRUE(wait_until(!stat_value(self->fd, owned)));
	EXPECT_EQ(self->before.total, stat_value(self->fd, total));
}

TEST_F(order, reads_as_zeroes_when_acquired_again)
{
	struct labyrinth_buffer buffers[8];
	int turn, i;

	for (turn = 0; turn < 4; turn++) {
		test_acquire_order(self->fd, variant->order, 8, buffers);
		for (i = 0; i < 8; i++) {
			char *at = self->arena + buffers[i].offset;

			ASSERT_TRUE(all_bytes_are(at, self->length, 0));
			memset(at, 0xee, self->length);
		}
		test_release(self->fd, 8, buffers);
	}
}

TEST_F(order, release_revokes_every_page_of_it)
{
	struct labyrinth_buffer buffers[2];
	char *alone, *at;
	size_t i;

	test_acquire_order(self->fd, variant->order, 2, buffers);
	alone = test_map_buffer(self->fd, &buffers[0]);
	for (i = 0; i < self->length; i += self->page) {
		test_touch(self->arena + buffers[0].offset + i);
		test_touch(alone + i);
	}
	/* Of the other one, only the last page shows. */
	at = self->arena + buffers[1].offset;
	test_touch(at + self->length - 1);
	test_release(self->fd, 2, buffers);
	for (i = 0; i < self->length; i += self->page) {
		test_sigbus(self->arena + buffers[0].offset + i);
		test_sigbus(alone + i);
		test_sigbus(at + i);
	}
	EXPECT_LT(self->before.revoked, stat_value(self->fd, revoked));
}

TEST_F(order, device_sees_the_pages_side_by_side)
{
	const size_t half = self->length / 2;
	struct labyrinth_buffer buffers[2];
	char *from, *to;

	/* One chunk across the boundary in the middle, read there and written there. */
	test_acquire_order(self->fd, variant->order, 2, buffers);
	from = self->arena + buffers[0].offset;
	to = self->arena + buffers[1].offset;
	pattern_fill(from, self->length, 5);
	memset(to, 0xa5, self->length);
	test_copy(self->fd, buffers[0].handle, half - 100, buffers[1].handle, half - 50,
		  200, 1);
	test_event(self->fd, 1, 0);
	EXPECT_EQ(0, memcmp(from + half - 100, to + half - 50, 200));
	EXPECT_TRUE(all_bytes_are(to, half - 50, 0xa5));
	EXPECT_TRUE(all_bytes_are(to + half + 150, half - 150, 0xa5));
	EXPECT_TRUE(pattern_matches(from, self->length, 5));
}

TEST_F(order, request_beyond_what_there_is_fails_at_once_and_leaves_nothing)
{
	struct labyrinth_buffer *buffers = calloc(self->info.max_batch, sizeof(*buffers));
	unsigned int got = 0, files = 0;
	int fds[HOARD_FILES], result;
	struct labyrinth_stat stat;
	__u64 start;

	/* Fill what there is for this order, whatever the quota of one file. */
	fds[0] = raw_open(0, O_RDWR);
	for (;;) {
		result = raw_acquire_order(fds[files], LABYRINTH_ACQUIRE_PARTIAL,
					   variant->order, 4, buffers);
		if (result < 0 && errno == ENOMEM)
			break;
		if (result < 0) {
			ASSERT_EQ(EDQUOT, errno);
			ASSERT_GT(HOARD_FILES, ++files);
			fds[files] = raw_open(0, O_RDWR);
			continue;
		}
		got += result;
	}
	EXPECT_LT(0, got);
	test_release(fds[files], 1, buffers);
	test_stat(self->fd, &self->before);
	EXPECT_GE(self->before.max, self->before.total);
	start = now_ns();
	test_err_acquire_order(ENOMEM, self->fd, 0, variant->order, 4, buffers);
	EXPECT_GT(NSEC_PER_SEC, now_ns() - start);
	test_unchanged(self->fd, &self->before);
	test_stat(self->fd, &stat);
	EXPECT_EQ(self->before.fragmentation_fails + 1, stat.fragmentation_fails);
	EXPECT_EQ(self->before.exhaustion_waits, stat.exhaustion_waits);
	do
		close(fds[files]);
	while (files--);
	free(buffers);
}

FIXTURE(contiguous)
{
	int fd;
	size_t page;
	char *arena;
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[2];
	struct labyrinth_stat before;
};

FIXTURE_SETUP(contiguous)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	if (self->info.max_order < 2)
		SKIP(return, "max_order is %u", self->info.max_order);
	self->arena = test_map_arena(self->fd, &self->info);
	test_stat(self->fd, &self->before);
	fault_catch();
}

FIXTURE_TEARDOWN(contiguous)
{
	if (self->arena)
		munmap(self->arena, self->info.arena_length);
	close(self->fd);
}

TEST_F(contiguous, order_above_max_order_is_einval)
{
	test_err_acquire_order(EINVAL, self->fd, 0, self->info.max_order + 1, 1,
			       self->buffers);
	test_err_acquire_order(EINVAL, self->fd, LABYRINTH_ACQUIRE_NOWAIT, ~0U, 1,
			       self->buffers);
	test_unchanged(self->fd, &self->before);
}

TEST_F(contiguous, max_copy_is_the_largest_buffer)
{
	EXPECT_EQ(self->page << self->info.max_order, self->info.max_copy);
}

TEST_F_TIMEOUT(contiguous, copy_of_several_chunks_arrives_byte_for_byte, 60)
{
	const size_t length = 2 * self->page;

	test_acquire_order(self->fd, 1, 2, self->buffers);
	pattern_fill(self->arena + self->buffers[0].offset, length, 8);
	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  length, 1);
	test_event(self->fd, 1, 0);
	EXPECT_TRUE(pattern_matches(self->arena + self->buffers[1].offset, length, 8));
}

TEST_F(contiguous, copy_beyond_the_end_of_the_buffer_is_einval)
{
	const size_t length = 2 * self->page;
	__u64 pair, single;

	test_acquire_order(self->fd, 1, 1, self->buffers);
	test_acquire(self->fd, 1, self->buffers + 1);
	pair = self->buffers[0].handle;
	single = self->buffers[1].handle;
	test_err_copy(EINVAL, self->fd, pair, length - 1, single, 0, 2, 0);
	test_err_copy(EINVAL, self->fd, single, 0, pair, length - 1, 2, 0);
	test_err_copy(EINVAL, self->fd, single, 1, pair, 0, self->page, 0);
	test_err_copy(EINVAL, self->fd, pair, 0, single, 0, self->page + 1, 0);
	test_err_copy(EINVAL, self->fd, pair, length, single, 0, 1, 0);
	test_err_copy(EINVAL, self->fd, pair, 0, pair, self->page - 1, self->page, 0);
	EXPECT_EQ(self->before.chunks, stat_value(self->fd, chunks));
}

TEST_F(contiguous, part_of_a_buffer_can_be_mapped_and_no_more_than_it)
{
	const struct labyrinth_buffer *whole = &self->buffers[0];
	char *part, *arena;

	test_acquire_order(self->fd, 2, 2, self->buffers);
	arena = self->arena + whole->offset;
	part = test_map(self->fd, PROT_READ | PROT_WRITE, 2 * self->page,
			whole->offset + self->page);
	pattern_fill(part, 2 * self->page, 3);
	EXPECT_TRUE(pattern_matches(arena + self->page, 2 * self->page, 3));
	EXPECT_TRUE(all_bytes_are(arena, self->page, 0));
	EXPECT_TRUE(all_bytes_are(arena + 3 * self->page, self->page, 0));
	test_err_map(EACCES, self->fd, PROT_READ, 5 * self->page, whole->offset);
	test_err_map(EACCES, self->fd, PROT_READ, 2 * self->page,
		     whole->offset + 3 * self->page);
	test_err_map(EACCES, self->fd, PROT_READ, self->page,
		     whole->offset + 4 * self->page);
	test_release(self->fd, 1, whole);
	test_sigbus(part);
	test_sigbus(part + self->page);
	test_err_map(EACCES, self->fd, PROT_READ, self->page,
		     whole->offset + self->page);
}

TEST_F(contiguous, if_unmapped_is_ebusy_while_half_of_it_is_shown)
{
	const __u32 flag = LABYRINTH_RELEASE_IF_UNMAPPED;
	char *map;

	test_acquire_order(self->fd, 1, 1, self->buffers);
	map = test_map_buffer(self->fd, self->buffers);
	test_touch(map);
	test_touch(map + self->page);
	*map = 'k';
	test_err_release(EBUSY, self->fd, flag, 1, self->buffers);
	ASSERT_EQ(0, munmap(map + self->page, self->page));
	/* The rest may have to be faulted in again, but has not been lost. */
	EXPECT_EQ('k', *map);
	test_err_release(EBUSY, self->fd, flag, 1, self->buffers);
	EXPECT_EQ('k', *map);
	ASSERT_EQ(0, munmap(map, self->page));
	EXPECT_EQ(0, raw_release(self->fd, flag, 1, self->buffers));
}

TEST_F(contiguous, released_during_a_copy_is_quarantined_as_a_whole)
{
	struct labyrinth_stat stat;

	test_acquire_order(self->fd, 2, 2, self->buffers);
	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  self->page, 6);
	test_release(self->fd, 2, self->buffers);
	test_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.owned);
	EXPECT_EQ(8, stat.quarantined);
	EXPECT_EQ(8, stat.charged);
	EXPECT_EQ(self->before.total + 8, stat.total);
	EXPECT_EQ(stat.total, stat_sum(&stat));
	test_event(self->fd, 6, -ECANCELED);
	ASSERT_TRUE(wait_until(!stat_value(self->fd, quarantined)));
	test_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.charged);
	EXPECT_EQ(self->before.total, stat.total);
	EXPECT_EQ(stat.total, stat_sum(&stat));
}

TEST_HARNESS_MAIN
