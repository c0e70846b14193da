// SPDX-License-Identifier: GPL-2.0
/* No owner ever sees what an earlier one left in a page. */
#include "labyrinth_fault.h"
#include "labyrinth_peer.h"
#include "labyrinth_pool.h"

/* More than the reserve, so that at least one is certain to come back. */
#define PAGES	48

FIXTURE(scrub)
{
	int watcher;
	size_t page;
	struct labyrinth_info info;
};

FIXTURE_SETUP(scrub)
{
	struct labyrinth_stat stat;

	self->watcher = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->watcher, &self->info);
	test_stat(self->watcher, &stat);
	ASSERT_GT(PAGES, stat.reserve);
}

FIXTURE_TEARDOWN(scrub)
{
	close(self->watcher);
}

/*
 * Acquires until one of the dirty pages is handed out again, and expects every
 * page on the way, that one included, to read as zeroes.
 */
static void expect_zeroes(struct __test_metadata *_metadata, int watcher,
			  const struct labyrinth_buffer *dirty, unsigned int count)
{
	struct labyrinth_buffer *again;
	struct labyrinth_info info;
	struct hoard hoard;
	unsigned int i;
	char *page;

	ASSERT_TRUE(wait_until(device_is_quiet(watcher)));
	test_info(watcher, &info);
	again = hoard_until(_metadata, &hoard, 0, watcher, dirty, count);
	ASSERT_NE(NULL, again);
	for (i = 0; i < hoard.count; i++) {
		page = test_map_buffer(hoard.owners[i], &hoard.buffers[i]);
		ASSERT_TRUE(all_bytes_are(page, page_size(), 0));
		munmap(page, page_size());
	}
	hoard_close(&hoard);
}

TEST_F(scrub, fresh_and_refilled_pages_read_as_zeroes)
{
	struct hoard hoard;
	unsigned int i;
	char *page;

	hoard_fill(_metadata, &hoard, 0, self->watcher);
	for (i = 0; i < hoard.count; i++) {
		page = test_map_buffer(hoard.owners[i], &hoard.buffers[i]);
		ASSERT_TRUE(all_bytes_are(page, self->page, 0));
		munmap(page, self->page);
	}
	hoard_close(&hoard);
}

TEST_F(scrub, scrubbed_counts_the_pages_that_were_zeroed)
{
	struct labyrinth_buffer buffers[PAGES];
	__u64 before = stat_value(self->watcher, scrubbed);
	int i;

	test_acquire(self->watcher, PAGES, buffers);
	for (i = 0; i < PAGES; i++)
		*test_map_buffer(self->watcher, &buffers[i]) = 'd';
	test_release(self->watcher, PAGES, buffers);
	EXPECT_TRUE(wait_until(stat_value(self->watcher, scrubbed) >= before + PAGES));
}

TEST_F(scrub, page_handed_to_a_waiter_is_zeroed)
{
	struct waiter waiter = { .fd = self->watcher, .count = 4 };
	struct hoard hoard;
	char *page;
	int i;

	hoard_fill(_metadata, &hoard, 0, self->watcher);
	for (i = 1; i <= 4; i++) {
		int last = hoard.count - i;

		page = test_map_buffer(hoard.owners[last], &hoard.buffers[last]);
		memset(page, 0xff, self->page);
	}
	waiter_start(_metadata, &waiter);
	test_hoard_release(&hoard, 4);
	waiter_join(_metadata, &waiter);
	ASSERT_EQ(4, waiter.result);
	for (i = 0; i < 4; i++) {
		page = test_map_buffer(self->watcher, &waiter.buffers[i]);
		EXPECT_TRUE(all_bytes_are(page, self->page, 0));
	}
	hoard_close(&hoard);
}

/* One way in which the earlier owner, another process, loses its pages. */
FIXTURE(dirty)
{
	int watcher;
};

FIXTURE_VARIANT(dirty)
{
	enum { RELEASE, RELEASE_ONE_BY_ONE, IF_UNMAPPED, CLOSE, UNMAP, EXIT, KILL } how;
};

FIXTURE_VARIANT_ADD(dirty, release) { .how = RELEASE };
FIXTURE_VARIANT_ADD(dirty, release_one_by_one) { .how = RELEASE_ONE_BY_ONE };
FIXTURE_VARIANT_ADD(dirty, release_if_unmapped) { .how = IF_UNMAPPED };
FIXTURE_VARIANT_ADD(dirty, close) { .how = CLOSE };
FIXTURE_VARIANT_ADD(dirty, last_munmap) { .how = UNMAP };
FIXTURE_VARIANT_ADD(dirty, exit) { .how = EXIT };
FIXTURE_VARIANT_ADD(dirty, kill_9) { .how = KILL };

FIXTURE_SETUP(dirty)
{
	self->watcher = open_quiet(_metadata, 0, O_RDWR);
}

FIXTURE_TEARDOWN(dirty)
{
	close(self->watcher);
}

static void dirty_pages(struct __test_metadata *_metadata, struct peer *peer, int how)
{
	struct labyrinth_buffer buffers[PAGES];
	struct labyrinth_info info;
	int fd = raw_open(0, O_RDWR);
	char *arena;
	int i;

	test_info(fd, &info);
	test_acquire(fd, PAGES, buffers);
	arena = test_map_arena(fd, &info);
	for (i = 0; i < PAGES; i++) {
		memset(arena + buffers[i].offset, 0xff, page_size());
		test_peer_send(peer, buffers[i].offset);
	}
	if (how == UNMAP)
		close(fd);
	if (how == CLOSE || how == UNMAP || how == IF_UNMAPPED)
		munmap(arena, info.arena_length);
	if (how == CLOSE)
		close(fd);
	if (how == RELEASE)
		test_release(fd, PAGES, buffers);
	if (how == IF_UNMAPPED)
		ASSERT_EQ(0, raw_release(fd, LABYRINTH_RELEASE_IF_UNMAPPED, PAGES,
					 buffers));
	for (i = 0; i < PAGES && how == RELEASE_ONE_BY_ONE; i++)
		test_release(fd, 1, &buffers[i]);
	if (how == KILL)
		raise(SIGKILL);
	if (how != EXIT)
		test_peer_receive(peer);
}

TEST_F_TIMEOUT(dirty, page_comes_back_zeroed, 60)
{
	struct labyrinth_buffer dirty[PAGES];
	struct peer peer;
	int status, i;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		close(self->watcher);
		dirty_pages(_metadata, &peer, variant->how);
		test_child_exit();
	}
	for (i = 0; i < PAGES; i++)
		dirty[i].offset = test_peer_receive(&peer);
	if (variant->how == KILL || variant->how == EXIT) {
		ASSERT_EQ(peer.pid, waitpid(peer.pid, &status, 0));
		EXPECT_EQ(variant->how == KILL, WIFSIGNALED(status));
	}
	expect_zeroes(_metadata, self->watcher, dirty, PAGES);
	if (variant->how != KILL && variant->how != EXIT) {
		test_peer_send(&peer, 0);
		test_peer_join(&peer);
	}
}

/* Bytes that came, or are still coming, from the device. */
FIXTURE(dma)
{
	int watcher;
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[PAGES];
	char *arena;
};

FIXTURE_SETUP(dma)
{
	self->watcher = open_quiet(_metadata, 0, O_RDWR);
	self->fd = raw_open(0, O_RDWR);
	ASSERT_LE(0, self->fd);
	test_info(self->fd, &self->info);
	test_acquire(self->fd, PAGES, self->buffers);
	self->arena = test_map_arena(self->fd, &self->info);
	memset(self->arena + self->buffers[0].offset, 0xff, page_size());
}

FIXTURE_TEARDOWN(dma)
{
	close(self->fd);
	close(self->watcher);
}

/*
 * Only the device ever writes to the destination: no fault tells of it. With
 * nothing else free, the page goes straight to the thread that waits.
 */
TEST_F(dma, page_written_by_the_device_alone_comes_back_zeroed)
{
	struct waiter waiter = { .fd = self->watcher, .count = 1 };
	struct hoard hoard;
	char *page;

	test_release(self->fd, PAGES - 2, self->buffers + 2);
	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  4095, 1);
	test_event(self->fd, 1, 0);
	hoard_fill(_metadata, &hoard, 0, self->watcher);
	waiter_start(_metadata, &waiter);
	test_release(self->fd, 1, &self->buffers[1]);
	waiter_join(_metadata, &waiter);
	ASSERT_EQ(1, waiter.result);
	page = test_map_buffer(self->watcher, &waiter.buffers[0]);
	EXPECT_TRUE(all_bytes_are(page, page_size(), 0));
	hoard_close(&hoard);
}

TEST_F(dma, page_released_during_a_copy_is_quarantined_and_comes_back_zeroed)
{
	struct labyrinth_stat stat;

	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  4096, 1);
	test_release(self->fd, PAGES, self->buffers);
	test_stat(self->watcher, &stat);
	/* At most the two pages of the copy; none of them is free already. */
	EXPECT_LE(1, stat.quarantined);
	EXPECT_GE(2, stat.quarantined);
	EXPECT_EQ(0, stat.owned);
	EXPECT_EQ(stat.total, stat_sum(&stat));
	/* Quarantined pages are still paid for. */
	test_stat(self->fd, &stat);
	EXPECT_EQ(stat.quarantined, stat.charged);
	expect_zeroes(_metadata, self->watcher, self->buffers, PAGES);
	EXPECT_EQ(0, stat_value(self->fd, charged));
}

TEST_F_TIMEOUT(dma, late_dma_never_reaches_the_next_owner, 120)
{
	struct labyrinth_stat stat;
	struct hoard hoard;
	unsigned int i;
	char *page;

	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  4095, 1);
	close(self->fd);
	munmap(self->arena, self->info.arena_length);
	/* Everything that is free goes to a new owner while the device still writes. */
	hoard_fill(_metadata, &hoard, 0, self->watcher);
	sleep_ms(400);
	test_stat(self->watcher, &stat);
	EXPECT_EQ(stat.total, stat_sum(&stat));
	for (i = 0; i < hoard.count; i++) {
		page = test_map_buffer(hoard.owners[i], &hoard.buffers[i]);
		ASSERT_TRUE(all_bytes_are(page, page_size(), 0));
		munmap(page, page_size());
	}
	hoard_close(&hoard);
}

TEST_HARNESS_MAIN
