// SPDX-License-Identifier: GPL-2.0
/* Once an ownership ends, no mapping of it reaches the page again. */
#include "labyrinth_fault.h"
#include "labyrinth_pool.h"

#define PAGES	32

FIXTURE(revoke)
{
	int fd;
	size_t page;
	char *arena;
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[PAGES];
};

FIXTURE_SETUP(revoke)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	self->arena = test_map_arena(self->fd, &self->info);
	test_acquire(self->fd, PAGES, self->buffers);
	fault_catch();
}

FIXTURE_TEARDOWN(revoke)
{
	munmap(self->arena, self->info.arena_length);
	close(self->fd);
}

TEST_F(revoke, released_page_is_sigbus_in_the_arena)
{
	char *page = self->arena + self->buffers[0].offset;

	test_touch(page);
	test_release(self->fd, 1, self->buffers);
	test_sigbus(page);
	test_sigbus(page + self->page - 1);
}

TEST_F(revoke, released_page_is_sigbus_in_a_buffer_mapping)
{
	char *page = test_map_buffer(self->fd, &self->buffers[0]);

	test_touch(page);
	test_release(self->fd, 1, self->buffers);
	test_sigbus(page);
}

TEST_F(revoke, page_never_touched_is_sigbus_too)
{
	char *page = test_map_buffer(self->fd, &self->buffers[0]);

	test_release(self->fd, 1, self->buffers);
	test_sigbus(page);
	test_sigbus(self->arena + self->buffers[0].offset);
}

TEST_F(revoke, read_only_mapping_is_revoked_too)
{
	char *page = test_map(self->fd, PROT_READ, self->page,
			      self->buffers[0].offset);

	EXPECT_EQ(0, touch(page, TOUCH_READ));
	test_release(self->fd, 1, self->buffers);
	EXPECT_EQ(SIGBUS, touch(page, TOUCH_READ));
}

TEST_F(revoke, every_mapping_of_the_page_is_revoked)
{
	char *maps[6];
	int i;

	maps[0] = self->arena + self->buffers[3].offset;
	maps[1] = test_map_arena(self->fd, &self->info) + self->buffers[3].offset;
	for (i = 2; i < 6; i++)
		maps[i] = test_map_buffer(self->fd, &self->buffers[3]);
	for (i = 0; i < 6; i++)
		test_touch(maps[i]);
	test_release(self->fd, 1, &self->buffers[3]);
	for (i = 0; i < 6; i++)
		test_sigbus(maps[i]);
}

TEST_F(revoke, neighbours_of_a_released_page_stay)
{
	int i;

	for (i = 0; i < PAGES; i++)
		pattern_fill(self->arena + self->buffers[i].offset, self->page, i);
	for (i = 0; i < PAGES; i += 2)
		test_release(self->fd, 1, &self->buffers[i]);
	for (i = 0; i < PAGES; i++) {
		char *page = self->arena + self->buffers[i].offset;

		if (i % 2 == 0) {
			test_sigbus(page);
			continue;
		}
		EXPECT_TRUE(pattern_matches(page, self->page, i));
	}
}

TEST_F(revoke, batch_release_revokes_every_page)
{
	int i;

	for (i = 0; i < PAGES; i++)
		test_touch(self->arena + self->buffers[i].offset);
	test_release(self->fd, PAGES, self->buffers);
	for (i = 0; i < PAGES; i++)
		test_sigbus(self->arena + self->buffers[i].offset);
}

TEST_F(revoke, released_page_is_efault_for_a_syscall)
{
	char *page = self->arena + self->buffers[0].offset;
	int pipefd[2];

	ASSERT_EQ(0, pipe(pipefd));
	EXPECT_EQ(1, write(pipefd[1], page, 1));
	test_release(self->fd, 1, self->buffers);
	EXPECT_ERRNO(EFAULT, write(pipefd[1], page, 1));
	EXPECT_ERRNO(EFAULT, read(pipefd[0], page, 1));
}

TEST_F(revoke, buffer_mapping_is_dead_for_ever_and_the_arena_is_not)
{
	struct labyrinth_buffer many[64];
	char *dead[PAGES];
	int round, again = 0, i, j;

	for (i = 0; i < PAGES; i++) {
		dead[i] = test_map_buffer(self->fd, &self->buffers[i]);
		test_touch(dead[i]);
	}
	test_release(self->fd, PAGES, self->buffers);
	/* The same file acquires the same offsets again, sooner or later. */
	for (round = 0; round < 8 && !again; round++) {
		test_acquire(self->fd, 64, many);
		for (i = 0; i < 64; i++) {
			for (j = 0; j < PAGES; j++) {
				if (many[i].offset != self->buffers[j].offset)
					continue;
				again++;
				test_touch(self->arena + many[i].offset);
				test_sigbus(dead[j]);
			}
		}
	}
	EXPECT_LT(0, again);
	for (j = 0; j < PAGES; j++)
		test_sigbus(dead[j]);
}

TEST_F(revoke, stale_mappings_never_reach_the_next_owner)
{
	struct labyrinth_buffer *next;
	char *stale[PAGES];
	struct hoard hoard;
	char *theirs;
	int i;

	for (i = 0; i < PAGES; i++) {
		stale[i] = test_map_buffer(self->fd, &self->buffers[i]);
		test_touch(stale[i]);
		test_touch(self->arena + self->buffers[i].offset);
	}
	test_release(self->fd, PAGES, self->buffers);
	next = hoard_until(_metadata, &hoard, 0, self->fd, self->buffers, PAGES);
	ASSERT_NE(NULL, next);
	theirs = test_map_buffer(hoard.owners[next - hoard.buffers], next);
	pattern_fill(theirs, self->page, 9);
	test_sigbus(self->arena + next->offset);
	for (i = 0; i < PAGES; i++)
		test_sigbus(stale[i]);
	EXPECT_TRUE(pattern_matches(theirs, self->page, 9));
	hoard_close(&hoard);
}

TEST_F_TIMEOUT(revoke, racing_writer_never_reaches_the_next_owner, 60)
{
	struct labyrinth_buffer theirs[PAGES];
	int other = raw_open(0, O_RDWR);
	struct toucher toucher;
	unsigned long before;
	char *arena;
	int round, i;

	ASSERT_LE(0, other);
	arena = test_map_arena(other, &self->info);
	ASSERT_EQ(0, toucher_start(&toucher, self->arena + self->buffers[0].offset));
	for (round = 0; round < 60; round++) {
		test_release(self->fd, PAGES, self->buffers);
		test_acquire(other, PAGES, theirs);
		for (i = 0; i < PAGES; i++)
			ASSERT_TRUE(all_bytes_are(arena + theirs[i].offset,
						  self->page, 0));
		sched_yield();
		for (i = 0; i < PAGES; i++)
			ASSERT_TRUE(all_bytes_are(arena + theirs[i].offset,
						  self->page, 0));
		test_release(other, PAGES, theirs);
		test_acquire(self->fd, PAGES, self->buffers);
		/* The next round begins with a page that the writer is writing to. */
		before = atomic_load(&toucher.touched);
		atomic_store(&toucher.address,
			     (uintptr_t)self->arena + self->buffers[0].offset);
		ASSERT_TRUE(wait_until(atomic_load(&toucher.touched) > before));
	}
	ASSERT_EQ(0, toucher_stop(&toucher));
	EXPECT_LT(0, atomic_load(&toucher.faulted));
}

TEST_F(revoke, revoked_counts_pages_taken_out_of_mappings)
{
	__u64 before = stat_value(self->fd, revoked);
	int i;

	for (i = 0; i < 5; i++)
		test_touch(self->arena + self->buffers[i].offset);
	test_release(self->fd, 5, self->buffers);
	EXPECT_EQ(before + 5, stat_value(self->fd, revoked));
}

TEST_F(revoke, if_unmapped_is_ebusy_while_a_mapping_shows_the_page)
{
	char *page = test_map_buffer(self->fd, &self->buffers[0]);
	struct labyrinth_stat before;

	test_touch(page);
	*page = 'k';
	test_stat(self->fd, &before);
	test_err_release(EBUSY, self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, 1,
			 self->buffers);
	test_unchanged(self->fd, &before);
	EXPECT_EQ('k', *page);
	ASSERT_EQ(0, munmap(page, self->page));
	EXPECT_EQ(0, raw_release(self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, 1,
				 self->buffers));
}

TEST_F(revoke, if_unmapped_is_ebusy_while_the_arena_shows_the_page)
{
	test_touch(self->arena + self->buffers[0].offset);
	test_err_release(EBUSY, self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, 1,
			 self->buffers);
	test_touch(self->arena + self->buffers[0].offset);
}

TEST_F(revoke, if_unmapped_releases_a_page_that_was_never_touched)
{
	char *page = test_map_buffer(self->fd, &self->buffers[0]);
	__u64 owned = stat_value(self->fd, owned);

	EXPECT_EQ(0, raw_release(self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, 1,
				 self->buffers));
	EXPECT_EQ(owned - 1, stat_value(self->fd, owned));
	test_sigbus(page);
}

TEST_F(revoke, if_unmapped_is_all_or_nothing)
{
	struct labyrinth_stat before;
	int i;

	/* Only the last one shows: the earlier ones must not be gone by then. */
	test_touch(self->arena + self->buffers[PAGES - 1].offset);
	test_stat(self->fd, &before);
	test_err_release(EBUSY, self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, PAGES,
			 self->buffers);
	test_unchanged(self->fd, &before);
	for (i = 0; i < PAGES; i++)
		test_touch(self->arena + self->buffers[i].offset);
}

TEST_F(revoke, mapping_keeps_its_pages_until_it_goes)
{
	int watcher = raw_open(0, O_RDWR);
	char *page = self->arena + self->buffers[0].offset;

	ASSERT_LE(0, watcher);
	ASSERT_EQ(0, close(self->fd));
	/* The mapping refers to the file: nobody else may have the page yet. */
	pattern_fill(page, self->page, 3);
	EXPECT_EQ(PAGES, stat_value(watcher, owned));
	EXPECT_TRUE(pattern_matches(page, self->page, 3));
	ASSERT_EQ(0, munmap(self->arena, self->info.arena_length));
	EXPECT_TRUE(wait_until(device_is_quiet(watcher)));
}

TEST_HARNESS_MAIN
