// SPDX-License-Identifier: GPL-2.0
/* The device copies exactly the bytes it was asked to copy, whatever it is asked. */
#include "labyrinth_fault.h"

#define PAIRS	16

FIXTURE(copy)
{
	int fd;
	size_t page;
	struct labyrinth_info info;
	struct labyrinth_buffer src, dst;
	unsigned char *from, *to;
};

FIXTURE_SETUP(copy)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	test_acquire(self->fd, 1, &self->src);
	test_acquire(self->fd, 1, &self->dst);
	self->from = (void *)test_map_buffer(self->fd, &self->src);
	self->to = (void *)test_map_buffer(self->fd, &self->dst);
	pattern_fill(self->from, self->page, 1);
	memset(self->to, 0xa5, self->page);
}

FIXTURE_TEARDOWN(copy)
{
	munmap(self->from, self->page);
	munmap(self->to, self->page);
	close(self->fd);
}

FIXTURE(range)
{
	int fd;
	struct labyrinth_buffer src, dst;
	unsigned char *from, *to;
};

FIXTURE_VARIANT(range)
{
	unsigned int src_offset;
	unsigned int dst_offset;
	unsigned int length;
};

FIXTURE_VARIANT_ADD(range, one_byte) { 0, 0, 1 };
FIXTURE_VARIANT_ADD(range, last_byte_to_first) { 4095, 0, 1 };
FIXTURE_VARIANT_ADD(range, below_a_chunk) { 0, 0, 4094 };
FIXTURE_VARIANT_ADD(range, one_chunk) { 0, 0, 4095 };
FIXTURE_VARIANT_ADD(range, one_chunk_at_the_end) { 1, 1, 4095 };
FIXTURE_VARIANT_ADD(range, whole_page) { 0, 0, 4096 };
FIXTURE_VARIANT_ADD(range, odd_offsets) { 13, 2077, 1001 };
FIXTURE_VARIANT_ADD(range, half_at_the_half) { 2048, 2048, 2048 };

FIXTURE_SETUP(range)
{
	/* Odd lengths go to the other device, so that both are seen to work. */
	self->fd = open_quiet(_metadata, variant->length % 2, O_RDWR);
	test_acquire(self->fd, 1, &self->src);
	test_acquire(self->fd, 1, &self->dst);
	self->from = (void *)test_map_buffer(self->fd, &self->src);
	self->to = (void *)test_map_buffer(self->fd, &self->dst);
	pattern_fill(self->from, page_size(), 1);
	memset(self->to, 0xa5, page_size());
}

FIXTURE_TEARDOWN(range)
{
	close(self->fd);
}

TEST_F(range, exactly_these_bytes_arrive)
{
	size_t end = variant->dst_offset + variant->length;
	size_t i;

	test_copy(self->fd, self->src.handle, variant->src_offset, self->dst.handle,
		  variant->dst_offset, variant->length, 42);
	test_event(self->fd, 42, 0);
	for (i = 0; i < page_size(); i++) {
		unsigned char expected = 0xa5;

		if (i >= variant->dst_offset && i < end)
			expected = pattern_at(1, i - variant->dst_offset +
					      variant->src_offset);
		ASSERT_EQ(expected, self->to[i]);
	}
	EXPECT_TRUE(pattern_matches(self->from, page_size(), 1));
}

TEST_F_TIMEOUT(copy, a_64_kib_file_arrives_byte_for_byte, 60)
{
	struct labyrinth_buffer src[2][PAIRS / 2], dst[2][PAIRS / 2];
	int fds[2] = { self->fd, open_quiet(_metadata, 1, O_RDWR) };
	size_t page = self->page;
	unsigned int i, d;

	for (d = 0; d < 2; d++) {
		test_acquire(fds[d], PAIRS / 2, src[d]);
		test_acquire(fds[d], PAIRS / 2, dst[d]);
		for (i = 0; i < PAIRS / 2; i++)
			pattern_fill(test_map_buffer(fds[d], &src[d][i]), page,
				     d * 100 + i);
	}
	/* All in flight at once, on both devices. */
	for (d = 0; d < 2; d++)
		for (i = 0; i < PAIRS / 2; i++)
			test_copy(fds[d], src[d][i].handle, 0, dst[d][i].handle, 0,
				  page, i);
	for (d = 0; d < 2; d++) {
		for (i = 0; i < PAIRS / 2; i++) {
			test_event(fds[d], i, 0);
			EXPECT_TRUE(pattern_matches(test_map_buffer(fds[d], &dst[d][i]),
						    page, d * 100 + i));
		}
	}
}

TEST_F(copy, ranges_of_one_buffer_may_touch_but_not_overlap)
{
	__u64 handle = self->src.handle;
	struct labyrinth_stat before;

	test_stat(self->fd, &before);
	test_err_copy(EINVAL, self->fd, handle, 0, handle, 0, 1, 0);
	test_err_copy(EINVAL, self->fd, handle, 0, handle, 0, 4096, 0);
	test_err_copy(EINVAL, self->fd, handle, 0, handle, 99, 100, 0);
	test_err_copy(EINVAL, self->fd, handle, 99, handle, 0, 100, 0);
	test_err_copy(EINVAL, self->fd, handle, 0, handle, 2048, 2049, 0);
	test_err_copy(EINVAL, self->fd, handle, 1000, handle, 1100, 500, 0);
	test_unchanged(self->fd, &before);
	EXPECT_EQ(0, poll_now(self->fd) & POLLIN);
	test_copy(self->fd, handle, 0, handle, 2048, 2048, 9);
	test_event(self->fd, 9, 0);
	EXPECT_TRUE(pattern_matches(self->from, 2048, 1));
	EXPECT_TRUE(pattern_matches(self->from + 2048, 2048, 1));
}

TEST_F(copy, range_beyond_the_buffer_is_einval)
{
	static const struct {
		__u64 src, dst, length;
	} bad[] = {
		{ 0, 0, 0 }, { 0, 0, 4097 }, { 0, 0, 8192 }, { 0, 0, ~0ULL },
		{ 0, 0, 1ULL << 32 }, { 0, 0, (1ULL << 32) + 1 }, { 0, 0, 1ULL << 63 },
		{ 1, 0, 4096 }, { 0, 1, 4096 }, { 4095, 0, 2 }, { 0, 4095, 2 },
		{ 4096, 0, 1 }, { 0, 4096, 1 }, { 4097, 0, 1 }, { 0, 4097, 1 },
		{ ~0ULL, 0, 1 }, { 0, ~0ULL, 1 }, { ~0ULL, 0, 4096 },
		{ ~0ULL - 4095, 0, 4096 }, { 0, ~0ULL - 4095, 4096 },
		{ 1ULL << 32, 0, 1 }, { 0, 1ULL << 32, 1 }, { 1ULL << 63, 0, 1 },
	};
	struct labyrinth_stat before;
	unsigned int i;

	test_stat(self->fd, &before);
	for (i = 0; i < ARRAY_COUNT(bad); i++)
		test_err_copy(EINVAL, self->fd, self->src.handle, bad[i].src,
			      self->dst.handle, bad[i].dst, bad[i].length, i);
	test_unchanged(self->fd, &before);
	EXPECT_EQ(before.chunks, stat_value(self->fd, chunks));
	EXPECT_EQ(0, poll_now(self->fd) & POLLIN);
	EXPECT_TRUE(all_bytes_are(self->to, self->page, 0xa5));
}

static bool range_is_good(__u64 offset, __u64 length)
{
	return length && length <= 4096 && offset <= 4096 - length;
}

TEST_F(copy, no_combination_of_arguments_harms_the_machine)
{
	static const __u64 lengths[] = {
		0, 1, 2, 2048, 4094, 4095, 4096, 4097, 1ULL << 31, 1ULL << 32, ~0ULL,
	};
	static const __u64 offsets[] = {
		0, 1, 2047, 2048, 4094, 4095, 4096, 1ULL << 32, ~0ULL - 1, ~0ULL,
	};
	unsigned int l, s, d, accepted = 0, i;
	struct labyrinth_event event;
	bool good;
	int result;

	/* A few of them run; what stays queued is cancelled below. */
	for (l = 0; l < ARRAY_COUNT(lengths); l++) {
		for (s = 0; s < ARRAY_COUNT(offsets); s++) {
			for (d = 0; d < ARRAY_COUNT(offsets); d++) {
				good = range_is_good(offsets[s], lengths[l]) &&
				       range_is_good(offsets[d], lengths[l]);
				result = raw_copy(self->fd, self->src.handle,
						  offsets[s], self->dst.handle,
						  offsets[d], lengths[l], 0);
				if (result) {
					EXPECT_EQ(good ? EAGAIN : EINVAL, errno);
				} else {
					EXPECT_TRUE(good);
					accepted++;
				}
			}
		}
	}
	EXPECT_EQ(self->info.copy_depth, accepted);
	test_event(self->fd, 0, 0);
	test_release(self->fd, 1, &self->src);
	test_release(self->fd, 1, &self->dst);
	for (i = 1; i < accepted; i++)
		ASSERT_EQ(0, raw_event(self->fd, &event));
}

TEST_F(copy, places_are_copy_depth_and_held_until_the_event_is_read)
{
	__u64 src = self->src.handle, dst = self->dst.handle;
	struct labyrinth_buffer more;
	struct labyrinth_event event;
	unsigned int i;

	test_acquire(self->fd, 1, &more);
	for (i = 0; i < self->info.copy_depth; i++)
		test_copy(self->fd, src, 0, dst, 0, 1, i);
	test_err_copy(EAGAIN, self->fd, src, 0, dst, 0, 1, 99);
	test_release(self->fd, 1, &self->src);
	/* All have ended once the last one, which was queued, has been cancelled. */
	ASSERT_TRUE(wait_until(!stat_value(self->fd, quarantined)));
	test_err_copy(EAGAIN, self->fd, more.handle, 0, dst, 0, 1, 99);
	for (i = 0; i < self->info.copy_depth; i++) {
		ASSERT_EQ(0, raw_event(self->fd, &event));
		EXPECT_EQ(i, event.user_data);
		if (!i)
			test_copy(self->fd, more.handle, 0, dst, 0, 1, 99);
	}
	test_event(self->fd, 99, 0);
}

TEST_F(copy, errors_come_in_their_order)
{
	__u64 src = self->src.handle, dst = self->dst.handle;
	int rdonly = raw_open(0, O_RDONLY);
	struct labyrinth_buffer own[2];

	test_acquire(rdonly, 2, own);
	test_err_copy(EACCES, rdonly, own[0].handle, 0, own[1].handle, 0, 1, 0);
	/* A bad length comes before EACCES, and that before ENOENT. */
	test_err_copy(EINVAL, rdonly, own[0].handle, 0, own[1].handle, 0, 0, 0);
	test_err_copy(EACCES, rdonly, src, 0, dst, 0, 1, 0);
	/* A length that is never good and an overlap come before both. */
	test_err_copy(EINVAL, self->fd, 0, 0, dst, 0, self->info.max_copy + 1, 0);
	test_err_copy(EINVAL, self->fd, 0, 0, 0, 0, 1, 0);
	test_err_copy(EINVAL, rdonly, src, 0, src, 0, 1, 0);
	/* Only the buffer itself can tell that a range is beyond its end. */
	test_err_copy(ENOENT, self->fd, 0, 0, dst, 0, 1, 0);
	EXPECT_EQ(0, poll_now(rdonly) & POLLIN);
}

TEST_F(copy, copy_returns_before_the_bytes_have_moved)
{
	__u64 start = now_ns();
	int i;

	for (i = 0; i < 4; i++)
		test_copy(self->fd, self->src.handle, 0, self->dst.handle, 0, 4096, i);
	/* Waiting for the device would have taken 1.6 seconds. */
	EXPECT_GT(NSEC_PER_SEC, now_ns() - start);
	test_release(self->fd, 1, &self->src);
	test_release(self->fd, 1, &self->dst);
}

TEST_F(copy, counters_tell_chunks_and_bytes)
{
	struct labyrinth_stat before, after;

	test_stat(self->fd, &before);
	test_copy(self->fd, self->src.handle, 0, self->dst.handle, 0, 4096, 0);
	test_copy(self->fd, self->src.handle, 0, self->dst.handle, 0, 4095, 1);
	test_event(self->fd, 0, 0);
	test_event(self->fd, 1, 0);
	test_stat(self->fd, &after);
	EXPECT_EQ(before.copies + 2, after.copies);
	EXPECT_EQ(before.copies_failed, after.copies_failed);
	EXPECT_EQ(before.copied_bytes + 4096 + 4095, after.copied_bytes);
	EXPECT_EQ(before.chunks + 2 + 1, after.chunks);
	EXPECT_EQ(before.dma_timeouts, after.dma_timeouts);
	/* Only the first transfer finds an idle device; interrupts start the rest. */
	EXPECT_GE(before.chunks_outside + 1, after.chunks_outside);
}

TEST_F(copy, files_take_turns_between_chunks)
{
	int other = raw_open(0, O_RDWR);
	struct labyrinth_event first, second;
	struct labyrinth_buffer pair[2];
	int i;

	test_acquire(other, 2, pair);
	for (i = 0; i < 4; i++)
		test_copy(self->fd, self->src.handle, 0, self->dst.handle, 0, 4096, i);
	test_copy(other, pair[0].handle, 0, pair[1].handle, 0, 1, 5);
	ASSERT_EQ(0, raw_event(other, &second));
	EXPECT_EQ(0, second.result);
	/* One short copy must not wait for all the long ones of another file. */
	ASSERT_EQ(0, raw_event(self->fd, &first));
	ASSERT_EQ(0, raw_event(self->fd, &first));
	EXPECT_EQ(1, first.user_data);
	EXPECT_LT(second.timestamp_ns, first.timestamp_ns);
	test_release(self->fd, 1, &self->src);
	test_release(self->fd, 1, &self->dst);
}

TEST_F(copy, device_copies_while_nothing_is_mapped)
{
	ASSERT_EQ(0, munmap(self->from, self->page));
	ASSERT_EQ(0, munmap(self->to, self->page));
	test_copy(self->fd, self->src.handle, 0, self->dst.handle, 0, 100, 0);
	test_event(self->fd, 0, 0);
	self->to = (void *)test_map_buffer(self->fd, &self->dst);
	self->from = (void *)test_map_buffer(self->fd, &self->src);
	EXPECT_TRUE(pattern_matches(self->to, 100, 1));
}

TEST_HARNESS_MAIN
