// SPDX-License-Identifier: GPL-2.0
/* Arrays: all or nothing, within their limits, and no trace of a failed call. */
#include "labyrinth_fault.h"

FIXTURE(batch)
{
	int fd;
	size_t page;
	struct labyrinth_info info;
	struct labyrinth_buffer *buffers;	/* room for max_batch + 1 */
	char *edge;	/* one writable page, then one that is not mapped */
	struct labyrinth_stat before;
};

FIXTURE_SETUP(batch)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	self->buffers = calloc(self->info.max_batch + 1, sizeof(*self->buffers));
	ASSERT_NE(NULL, self->buffers);
	self->edge = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->edge);
	ASSERT_EQ(0, munmap(self->edge + self->page, self->page));
	fault_catch();
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(batch)
{
	close(self->fd);
	free(self->buffers);
}

TEST_F(batch, largest_batch_works)
{
	char *arena = test_map_arena(self->fd, &self->info);
	__u32 i, max = self->info.max_batch;
	struct labyrinth_stat stat;

	test_acquire(self->fd, max, self->buffers);
	for (i = 0; i < max; i++) {
		EXPECT_NE(0, self->buffers[i].handle);
		test_touch(arena + self->buffers[i].offset);
	}
	test_stat(self->fd, &stat);
	EXPECT_EQ(max, stat.owned);
	EXPECT_EQ(max, stat.charged);
	EXPECT_EQ(self->before.acquired + max, stat.acquired);
	EXPECT_EQ(self->before.released, stat.released);
	EXPECT_EQ(stat.total, stat_sum(&stat));
	test_release(self->fd, max, self->buffers);
	test_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.owned);
	EXPECT_EQ(0, stat.charged);
	EXPECT_EQ(self->before.released + max, stat.released);
	EXPECT_EQ(stat.total, stat_sum(&stat));
}

TEST_F(batch, acquire_writes_the_array_and_nothing_behind_it)
{
	struct labyrinth_buffer sentinel;

	memset(&sentinel, 0x5a, sizeof(sentinel));
	self->buffers[7] = sentinel;
	test_acquire(self->fd, 7, self->buffers);
	EXPECT_EQ(0, memcmp(&sentinel, &self->buffers[7], sizeof(sentinel)));
}

TEST_F(batch, count_out_of_range_is_einval)
{
	const __u32 counts[] = { 0, self->info.max_batch + 1, 1U << 31, ~0U };
	struct labyrinth_release release = { .size = sizeof(release) };
	unsigned int i;

	release.handles = (uintptr_t)self->edge;
	for (i = 0; i < ARRAY_COUNT(counts); i++) {
		test_err_acquire(EINVAL, self->fd, 0, counts[i], self->buffers);
		test_err_acquire(EINVAL, self->fd, LABYRINTH_ACQUIRE_PARTIAL |
				 LABYRINTH_ACQUIRE_NOWAIT, counts[i], self->buffers);
		release.count = counts[i];
		EXPECT_ERRNO(EINVAL, ioctl(self->fd, LABYRINTH_RELEASE, &release));
	}
	test_unchanged(self->fd, &self->before);
}

TEST_F(batch, order_out_of_range_is_einval)
{
	struct labyrinth_acquire acquire = {
		.size = sizeof(acquire),
		.count = 1,
		.buffers = (uintptr_t)self->buffers,
	};
	const __u32 orders[] = { self->info.max_order + 1, 31, 32, 64, ~0U };
	unsigned int i;

	for (i = 0; i < ARRAY_COUNT(orders); i++) {
		acquire.order = orders[i];
		EXPECT_ERRNO(EINVAL, ioctl(self->fd, LABYRINTH_ACQUIRE, &acquire));
	}
	test_unchanged(self->fd, &self->before);
}

TEST_F(batch, one_bad_handle_anywhere_releases_nothing)
{
	struct labyrinth_buffer stale;
	char *arena = test_map_arena(self->fd, &self->info);
	int bad, i;

	test_acquire(self->fd, 1, &stale);
	test_release(self->fd, 1, &stale);
	test_acquire(self->fd, 9, self->buffers);
	test_touch(arena + self->buffers[0].offset);
	test_stat(self->fd, &self->before);
	for (bad = 0; bad < 9; bad += 4) {
		struct labyrinth_buffer array[9];

		memcpy(array, self->buffers, sizeof(array));
		array[bad] = stale;
		test_err_release(ENOENT, self->fd, 0, 9, array);
		array[bad].handle = 0;
		test_err_release(ENOENT, self->fd, 0, 9, array);
		test_unchanged(self->fd, &self->before);
	}
	for (i = 0; i < 9; i++)
		test_touch(arena + self->buffers[i].offset);
	test_release(self->fd, 9, self->buffers);
}

/* What a refused call has named, or an earlier one, the next one leaves alone. */
TEST_F(batch, release_takes_only_what_it_names)
{
	int other = raw_open(0, O_RDWR);
	__u64 handles[3];
	int i;

	test_acquire(self->fd, 6, self->buffers);
	for (i = 0; i < 3; i++)
		handles[i] = self->buffers[i].handle;
	handles[2] += 1ULL << 32;
	test_err_release_handles(ENOENT, self->fd, 3, handles);
	test_release(self->fd, 2, self->buffers + 2);
	EXPECT_EQ(4, stat_value(self->fd, owned));
	test_release(self->fd, 2, self->buffers);
	/* These are the ones that were released last, or among them. */
	test_acquire(other, 64, self->buffers + 6);
	test_release(self->fd, 2, self->buffers + 4);
	EXPECT_EQ(64, stat_value(self->fd, owned));
	test_release(other, 64, self->buffers + 6);
	close(other);
}

TEST_F(batch, one_foreign_handle_releases_nothing)
{
	int other = raw_open(0, O_RDWR);

	test_acquire(self->fd, 4, self->buffers);
	test_acquire(other, 1, &self->buffers[4]);
	test_stat(self->fd, &self->before);
	test_err_release(ENOENT, self->fd, 0, 5, self->buffers);
	test_unchanged(self->fd, &self->before);
	test_release(self->fd, 4, self->buffers);
	test_release(other, 1, &self->buffers[4]);
}

TEST_F(batch, duplicate_handle_is_einval_and_releases_nothing)
{
	test_acquire(self->fd, 4, self->buffers);
	self->buffers[4] = self->buffers[1];
	test_stat(self->fd, &self->before);
	test_err_release(EINVAL, self->fd, 0, 5, self->buffers);
	test_unchanged(self->fd, &self->before);
	test_release(self->fd, 4, self->buffers);
}

TEST_F(batch, duplicate_comes_before_stale)
{
	test_acquire(self->fd, 2, self->buffers);
	test_release(self->fd, 2, self->buffers);
	self->buffers[2] = self->buffers[1];
	test_err_release(ENOENT, self->fd, 0, 2, self->buffers);
	test_err_release(EINVAL, self->fd, 0, 3, self->buffers);
}

TEST_F(batch, acquire_into_a_bad_array_leaves_nothing)
{
	struct labyrinth_buffer *last;

	last = (void *)(self->edge + self->page - sizeof(*last));
	test_err_acquire(EFAULT, self->fd, 0, 1, NULL);
	test_err_acquire(EFAULT, self->fd, 0, 1, (void *)(self->edge + self->page));
	test_err_acquire(EFAULT, self->fd, 0, 3, (void *)(uintptr_t)-64);
	/* The first entry can be written, the second cannot. */
	test_err_acquire(EFAULT, self->fd, 0, 2, last);
	test_err_acquire(EFAULT, self->fd, LABYRINTH_ACQUIRE_PARTIAL, 2, last);
	test_err_acquire(EFAULT, self->fd, 0, 1, (void *)((char *)last + 8));
	test_unchanged(self->fd, &self->before);
	test_acquire(self->fd, 1, last);
}

TEST_F(batch, acquire_into_read_only_memory_leaves_nothing)
{
	struct labyrinth_acquire *acquire = (void *)self->edge;

	acquire->size = sizeof(*acquire);
	acquire->count = 1;
	acquire->buffers = (uintptr_t)self->edge;
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, LABYRINTH_ACQUIRE, acquire));
	/* Now only the struct itself, where the number goes, is read-only. */
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ | PROT_WRITE));
	acquire->buffers = (uintptr_t)self->buffers;
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, LABYRINTH_ACQUIRE, acquire));
	test_unchanged(self->fd, &self->before);
	/* What may have been written there names nothing. */
	test_err_release(ENOENT, self->fd, 0, 1, self->buffers);
}

TEST_F(batch, release_from_a_bad_array_releases_nothing)
{
	__u64 *last = (void *)(self->edge + self->page - sizeof(*last));

	test_acquire(self->fd, 2, self->buffers);
	*last = self->buffers[0].handle;
	test_stat(self->fd, &self->before);
	test_err_release_handles(EFAULT, self->fd, 1, NULL);
	test_err_release_handles(EFAULT, self->fd, 1, last + 1);
	test_err_release_handles(EFAULT, self->fd, 2, last);
	test_unchanged(self->fd, &self->before);
	EXPECT_EQ(0, raw_release_handles(self->fd, 0, 1, last));
}

TEST_F(batch, acquired_is_written_on_success_only)
{
	struct labyrinth_acquire acquire = {
		.size = sizeof(acquire),
		.count = self->info.max_batch + 1,
		.buffers = (uintptr_t)self->buffers,
		.acquired = 0x1234,
	};

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, LABYRINTH_ACQUIRE, &acquire));
	EXPECT_EQ(0x1234, acquire.acquired);
	acquire.count = 3;
	ASSERT_EQ(0, ioctl(self->fd, LABYRINTH_ACQUIRE, &acquire));
	EXPECT_EQ(3, acquire.acquired);
	EXPECT_EQ(3, acquire.count);
	EXPECT_EQ(sizeof(acquire), acquire.size);
}

TEST_F(batch, partial_gets_everything_when_there_is_enough)
{
	EXPECT_EQ(9, raw_acquire(self->fd, LABYRINTH_ACQUIRE_PARTIAL, 9, self->buffers));
	EXPECT_EQ(9, stat_value(self->fd, charged));
}

/* Fills a file up to n pages below its quota. */
static void fill_to(struct __test_metadata *_metadata, int fd,
		    const struct labyrinth_info *info, __u32 n,
		    struct labyrinth_buffer *buffers)
{
	__u32 left = info->file_quota - n;

	while (left) {
		__u32 count = left < info->max_batch ? left : info->max_batch;

		test_acquire(fd, count, buffers);
		left -= count;
	}
}

TEST_F(batch, over_quota_is_edquot_and_changes_nothing)
{
	fill_to(_metadata, self->fd, &self->info, 3, self->buffers);
	test_stat(self->fd, &self->before);
	EXPECT_EQ(self->info.file_quota - 3, self->before.charged);
	test_err_acquire(EDQUOT, self->fd, 0, 4, self->buffers);
	test_err_acquire(EDQUOT, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 4, self->buffers);
	test_unchanged(self->fd, &self->before);
	test_acquire(self->fd, 3, self->buffers);
	test_err_acquire(EDQUOT, self->fd, 0, 1, self->buffers);
	/* A page given back can be acquired again. */
	test_release(self->fd, 1, self->buffers);
	test_acquire(self->fd, 1, self->buffers);
}

TEST_F(batch, partial_is_trimmed_to_the_quota)
{
	const __u32 partial = LABYRINTH_ACQUIRE_PARTIAL;

	fill_to(_metadata, self->fd, &self->info, 3, self->buffers);
	/* As many as there are, or as the quota allows: so there must be enough. */
	test_stat(self->fd, &self->before);
	ASSERT_TRUE(wait_until(stat_value(self->fd, free) >= self->before.reserve + 8));
	EXPECT_EQ(3, raw_acquire(self->fd, partial, 8, self->buffers));
	test_err_acquire(EDQUOT, self->fd, partial, 8, self->buffers);
	EXPECT_EQ(self->info.file_quota, stat_value(self->fd, charged));
}

TEST_F(batch, quota_is_per_file)
{
	int other = raw_open(0, O_RDWR);
	struct labyrinth_buffer buffer;

	fill_to(_metadata, self->fd, &self->info, 0, self->buffers);
	test_err_acquire(EDQUOT, self->fd, 0, 1, &buffer);
	test_acquire(other, 1, &buffer);
}

TEST_F(batch, waiting_for_more_than_max_request_is_einval)
{
	__u32 count = self->info.max_request + 1;

	if (count > self->info.max_batch)
		SKIP(return, "max_batch is not above max_request on this device");
	test_err_acquire(EINVAL, self->fd, 0, count, self->buffers);
	test_unchanged(self->fd, &self->before);
}

TEST_HARNESS_MAIN
