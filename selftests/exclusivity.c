// SPDX-License-Identifier: GPL-2.0
/* A page is handed to one owner at a time, and only the owner can name it. */
#include "labyrinth_fault.h"
#include "labyrinth_peer.h"
#include "labyrinth_pool.h"

#define PAGES	32
#define RIVALS	3
#define ROUNDS	150

FIXTURE(exclusivity)
{
	int fd;
	int other;
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[PAGES];
};

FIXTURE_SETUP(exclusivity)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->other = raw_open(0, O_RDWR);
	ASSERT_LE(0, self->other);
	test_info(self->fd, &self->info);
	test_acquire(self->fd, PAGES, self->buffers);
	fault_catch();
}

FIXTURE_TEARDOWN(exclusivity)
{
	close(self->fd);
	close(self->other);
}

static bool buffers_collide(const struct labyrinth_buffer *a,
			    const struct labyrinth_buffer *b)
{
	return a->handle == b->handle ||
	       (a->offset < b->offset + b->length &&
		b->offset < a->offset + a->length);
}

TEST_F(exclusivity, buffers_of_one_batch_are_distinct)
{
	int i, j;

	for (i = 0; i < PAGES; i++) {
		const struct labyrinth_buffer *buffer = &self->buffers[i];

		EXPECT_NE(0, buffer->handle);
		EXPECT_EQ(page_size(), buffer->length);
		EXPECT_EQ(0, buffer->offset % page_size());
		EXPECT_LE(buffer->offset + buffer->length, self->info.arena_length);
		EXPECT_EQ(0, buffer->order);
		EXPECT_EQ(0, buffer->flags);
		for (j = 0; j < i; j++)
			EXPECT_FALSE(buffers_collide(buffer, &self->buffers[j]));
	}
}

TEST_F(exclusivity, two_files_never_get_the_same_page)
{
	struct labyrinth_buffer others[PAGES];
	int i, j;

	test_acquire(self->other, PAGES, others);
	for (i = 0; i < PAGES; i++)
		for (j = 0; j < PAGES; j++)
			EXPECT_FALSE(buffers_collide(&self->buffers[i], &others[j]));
}

TEST_F(exclusivity, two_processes_never_get_the_same_page)
{
	struct labyrinth_buffer buffer;
	struct peer peer;
	int i;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		int fd = raw_open(0, O_RDWR);

		for (i = 0; i < PAGES; i++) {
			test_acquire(fd, 1, &buffer);
			test_peer_send(&peer, buffer.offset);
		}
		test_peer_receive(&peer);
		test_child_exit();
	}
	for (i = 0; i < PAGES; i++) {
		__u64 offset = test_peer_receive(&peer);
		int j;

		for (j = 0; j < PAGES; j++)
			EXPECT_NE(self->buffers[j].offset, offset);
	}
	test_peer_send(&peer, 0);
	test_peer_join(&peer);
}

TEST_F(exclusivity, threads_and_files_see_their_own_bytes_only)
{
	struct labyrinth_buffer others[PAGES];
	char *mine = test_map_arena(self->fd, &self->info);
	char *theirs = test_map_arena(self->other, &self->info);
	size_t size = page_size();
	int i;

	test_acquire(self->other, PAGES, others);
	for (i = 0; i < PAGES; i++) {
		pattern_fill(mine + self->buffers[i].offset, size, i);
		pattern_fill(theirs + others[i].offset, size, 100 + i);
	}
	for (i = 0; i < PAGES; i++) {
		EXPECT_TRUE(pattern_matches(mine + self->buffers[i].offset, size, i));
		EXPECT_TRUE(pattern_matches(theirs + others[i].offset, size, 100 + i));
	}
}

TEST_F(exclusivity, foreign_page_is_sigbus_in_the_own_arena)
{
	char *mine = test_map_arena(self->fd, &self->info);
	char *theirs = test_map_arena(self->other, &self->info);
	size_t size = page_size();
	int i;

	for (i = 0; i < PAGES; i++) {
		pattern_fill(mine + self->buffers[i].offset, size, i);
		test_sigbus(theirs + self->buffers[i].offset);
		EXPECT_TRUE(pattern_matches(mine + self->buffers[i].offset, size, i));
	}
}

TEST_F(exclusivity, foreign_page_cannot_be_mapped)
{
	test_err_map(EACCES, self->other, PROT_READ, page_size(),
		     self->buffers[0].offset);
	test_err_map(EACCES, self->other, PROT_READ | PROT_WRITE, page_size(),
		     self->buffers[PAGES - 1].offset);
}

TEST_F(exclusivity, foreign_handle_cannot_be_released)
{
	struct labyrinth_stat before;
	int i;

	test_stat(self->other, &before);
	for (i = 0; i < PAGES; i++)
		test_err_release(ENOENT, self->other, 0, 1, &self->buffers[i]);
	test_unchanged(self->other, &before);
	test_release(self->fd, PAGES, self->buffers);
}

TEST_F(exclusivity, foreign_handle_cannot_be_copied)
{
	struct labyrinth_buffer own;
	__u64 foreign = self->buffers[0].handle;
	struct labyrinth_stat before;

	test_acquire(self->other, 1, &own);
	test_stat(self->other, &before);
	test_err_copy(ENOENT, self->other, foreign, 0, own.handle, 0, 1, 0);
	test_err_copy(ENOENT, self->other, own.handle, 0, foreign, 0, 1, 0);
	test_unchanged(self->other, &before);
	EXPECT_EQ(POLLOUT, poll_now(self->other));
}

TEST_F(exclusivity, handle_of_another_device_is_enoent)
{
	int second = open_quiet(_metadata, 1, O_RDWR);
	struct labyrinth_stat before;

	test_stat(second, &before);
	test_err_release(ENOENT, second, 0, 1, &self->buffers[0]);
	test_err_copy(ENOENT, second, self->buffers[0].handle, 0,
		      self->buffers[1].handle, 0, 1, 0);
	test_unchanged(second, &before);
}

TEST_F(exclusivity, stale_handle_is_enoent)
{
	struct labyrinth_buffer *stale = &self->buffers[0];
	__u64 own = self->buffers[1].handle;
	struct labyrinth_stat before;

	test_release(self->fd, 1, stale);
	test_stat(self->fd, &before);
	test_err_release(ENOENT, self->fd, 0, 1, stale);
	test_err_copy(ENOENT, self->fd, stale->handle, 0, own, 0, 1, 0);
	test_err_copy(ENOENT, self->fd, own, 0, stale->handle, 0, 1, 0);
	test_err_map(EACCES, self->fd, PROT_READ, stale->length, stale->offset);
	test_unchanged(self->fd, &before);
}

TEST_F(exclusivity, stale_handle_stays_stale_when_the_page_is_acquired_again)
{
	struct labyrinth_buffer *again;
	struct hoard hoard;
	int i;

	test_release(self->fd, PAGES, self->buffers);
	again = hoard_until(_metadata, &hoard, 0, self->fd, self->buffers, PAGES);
	ASSERT_NE(NULL, again);
	for (i = 0; i < PAGES; i++) {
		EXPECT_NE(self->buffers[i].handle, again->handle);
		test_err_release(ENOENT, self->fd, 0, 1, &self->buffers[i]);
		test_err_release(ENOENT, hoard.fds[0], 0, 1, &self->buffers[i]);
	}
	hoard_close(&hoard);
}

TEST_F(exclusivity, made_up_handle_is_enoent)
{
	__u64 real = self->buffers[0].handle;
	const __u64 made_up[] = {
		0, 1ULL << 63, ~0ULL, ~real, real | 1ULL << 62, real + (1ULL << 32),
		real ^ (1ULL << 20), self->info.max_pages, self->info.arena_length,
	};
	struct labyrinth_stat before;
	unsigned int i, j;

	test_stat(self->fd, &before);
	for (i = 0; i < ARRAY_COUNT(made_up); i++) {
		for (j = 0; j < PAGES; j++)
			if (made_up[i] == self->buffers[j].handle)
				break;
		if (j < PAGES)
			continue;
		test_err_release_handles(ENOENT, self->fd, 1, &made_up[i]);
		test_err_copy(ENOENT, self->fd, made_up[i], 0, real, 0, 1, 0);
	}
	test_unchanged(self->fd, &before);
}

TEST_F(exclusivity, handles_are_never_used_again)
{
	static __u64 seen[16 * PAGES];
	unsigned int count = 0, round, i, j;

	for (round = 0; round < 15; round++) {
		for (i = 0; i < PAGES; i++) {
			__u64 handle = self->buffers[i].handle;

			EXPECT_NE(0, handle);
			for (j = 0; j < count; j++)
				ASSERT_NE(seen[j], handle);
			seen[count++] = handle;
		}
		/* Both ways in which an ownership ends. */
		if (round % 2) {
			test_release(self->fd, PAGES, self->buffers);
		} else {
			close(self->fd);
			self->fd = raw_open(0, O_RDWR);
		}
		test_acquire(self->fd, PAGES, self->buffers);
	}
}

/* Stamps pages, holds them a moment, and looks whether anyone else stamped them. */
static void compete(struct __test_metadata *_metadata, unsigned int id)
{
	struct labyrinth_buffer buffers[8];
	struct labyrinth_info info;
	int fd = raw_open(0, O_RDWR);
	size_t size = page_size();
	unsigned int round, i;
	char *arena;

	ASSERT_LE(0, fd);
	test_info(fd, &info);
	arena = test_map_arena(fd, &info);
	for (round = 0; round < ROUNDS; round++) {
		test_acquire(fd, 8, buffers);
		for (i = 0; i < 8; i++) {
			ASSERT_TRUE(all_bytes_are(arena + buffers[i].offset, size, 0));
			memset(arena + buffers[i].offset, id, size);
		}
		sched_yield();
		for (i = 0; i < 8; i++)
			ASSERT_TRUE(all_bytes_are(arena + buffers[i].offset, size, id));
		test_release(fd, 8, buffers);
	}
}

TEST_F_TIMEOUT(exclusivity, a_page_is_never_shared_while_processes_compete, 90)
{
	struct peer rivals[RIVALS];
	struct labyrinth_stat stat;
	int i;

	for (i = 0; i < RIVALS; i++) {
		ASSERT_LE(0, peer_fork(&rivals[i]));
		if (!rivals[i].pid) {
			compete(_metadata, 1 + i);
			test_child_exit();
		}
	}
	for (i = 0; i < 500; i++) {
		test_stat(self->fd, &stat);
		ASSERT_EQ(stat.total, stat_sum(&stat));
		ASSERT_LE(stat.total, stat.max);
	}
	for (i = 0; i < RIVALS; i++)
		test_peer_join(&rivals[i]);
}

TEST_F(exclusivity, charged_counts_the_own_file_only)
{
	struct labyrinth_buffer other;
	struct labyrinth_stat stat;

	test_acquire(self->other, 1, &other);
	test_stat(self->fd, &stat);
	EXPECT_EQ(PAGES, stat.charged);
	EXPECT_EQ(PAGES + 1, stat.owned);
	test_stat(self->other, &stat);
	EXPECT_EQ(1, stat.charged);
	EXPECT_EQ(PAGES + 1, stat.owned);
}

FIXTURE(end_of_ownership)
{
	int watcher;
};

/* How the owner, another process, gives up what it holds. */
FIXTURE_VARIANT(end_of_ownership)
{
	bool kill;
	bool close;
	bool map;
};

FIXTURE_VARIANT_ADD(end_of_ownership, kill_9) { .kill = true };
FIXTURE_VARIANT_ADD(end_of_ownership, kill_9_mapped) { .kill = true, .map = true };
FIXTURE_VARIANT_ADD(end_of_ownership, close) { .close = true };
FIXTURE_VARIANT_ADD(end_of_ownership, exit_mapped) { .map = true };

FIXTURE_SETUP(end_of_ownership)
{
	self->watcher = open_quiet(_metadata, 0, O_RDWR);
}

FIXTURE_TEARDOWN(end_of_ownership)
{
	close(self->watcher);
}

TEST_F(end_of_ownership, pages_come_back)
{
	struct labyrinth_buffer buffers[PAGES];
	struct labyrinth_stat before;
	struct peer peer;

	test_stat(self->watcher, &before);
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		int fd = raw_open(0, O_RDWR);

		test_acquire(fd, PAGES, buffers);
		if (variant->map)
			memset(test_map_buffer(fd, &buffers[0]), 0xff, page_size());
		test_peer_send(&peer, 0);
		test_peer_receive(&peer);
		if (variant->close)
			close(fd);
		test_peer_send(&peer, 0);
		peer_receive(&peer, &before.total, NULL);
		test_child_exit();
	}
	test_peer_receive(&peer);
	EXPECT_EQ(PAGES, stat_value(self->watcher, owned));
	test_peer_send(&peer, 0);
	test_peer_receive(&peer);
	EXPECT_TRUE(wait_until(stat_value(self->watcher, owned) ==
			       (variant->close ? 0 : PAGES)));
	if (variant->kill)
		test_peer_kill(&peer);
	else
		test_peer_join(&peer);
	EXPECT_TRUE(wait_until(device_is_quiet(self->watcher)));
	EXPECT_LE(before.released + PAGES, stat_value(self->watcher, released));
}

TEST_HARNESS_MAIN
