// SPDX-License-Identifier: GPL-2.0
/* ACQUIRE with POPULATE: the pages are in the arena mapping without being touched. */
#include "labyrinth_fault.h"
#include "labyrinth_pool.h"
#include "labyrinth_present.h"

#define BATCH	64

/* The number of buffers acquired, or -1. */
static int raw_populate(int fd, __u32 count, __u32 order,
			struct labyrinth_buffer *buffers, __u64 arena_addr)
{
	struct labyrinth_acquire cmd = {
		.size = sizeof(cmd),
		.flags = LABYRINTH_ACQUIRE_POPULATE,
		.count = count,
		.order = order,
		.buffers = (uintptr_t)buffers,
		.arena_addr = arena_addr,
	};

	return ioctl(fd, LABYRINTH_ACQUIRE, &cmd) ? -1 : (int)cmd.acquired;
}

#define test_populate(fd, count, buffers, arena) \
	ASSERT_EQ((int)(count), raw_populate(fd, count, 0, buffers, (uintptr_t)(arena)))

FIXTURE(populate)
{
	int fd;
	size_t page;
	struct labyrinth_info info;
	char *arena;
	struct labyrinth_buffer buffers[BATCH];
	struct labyrinth_stat before;
};

FIXTURE_SETUP(populate)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	ASSERT_TRUE(self->info.capabilities & LABYRINTH_CAP_POPULATE);
	self->arena = test_map_arena(self->fd, &self->info);
	fault_catch();
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(populate)
{
	munmap(self->arena, self->info.arena_length);
	close(self->fd);
}

TEST_F(populate, pages_are_present_without_a_touch)
{
	int i;

	test_populate(self->fd, BATCH, self->buffers, self->arena);
	for (i = 0; i < BATCH; i++)
		EXPECT_TRUE(is_present(self->arena + self->buffers[i].offset));
	/* But not the guards behind them. */
	for (i = 0; i < BATCH; i++)
		test_sigbus(self->arena + self->buffers[i].offset + self->page);
}

TEST_F(populate, pages_are_absent_without_the_flag)
{
	int i;

	test_acquire(self->fd, BATCH, self->buffers);
	for (i = 0; i < BATCH; i++)
		EXPECT_FALSE(is_present(self->arena + self->buffers[i].offset));
}

TEST_F(populate, all_pages_of_a_larger_buffer_are_present)
{
	__u32 order, i, j;

	ASSERT_LE(1, self->info.max_order);
	for (order = 1; order <= self->info.max_order; order++) {
		ASSERT_EQ(2, raw_populate(self->fd, 2, order, self->buffers,
					  (uintptr_t)self->arena));
		for (i = 0; i < 2; i++) {
			char *start = self->arena + self->buffers[i].offset;

			for (j = 0; j < 1U << order; j++)
				EXPECT_TRUE(is_present(start + j * self->page));
			EXPECT_TRUE(all_bytes_are(start, self->page << order, 0));
			test_sigbus(start + (self->page << order));
		}
	}
}

TEST_F(populate, pages_read_as_zero_and_can_be_written)
{
	struct labyrinth_buffer dirty[BATCH];
	int i;

	test_acquire(self->fd, BATCH, dirty);
	for (i = 0; i < BATCH; i++)
		memset(self->arena + dirty[i].offset, 0xa5, self->page);
	test_release(self->fd, BATCH, dirty);
	test_populate(self->fd, BATCH, self->buffers, self->arena);
	for (i = 0; i < BATCH; i++) {
		char *page = self->arena + self->buffers[i].offset;

		EXPECT_TRUE(all_bytes_are(page, self->page, 0));
		pattern_fill(page, self->page, i);
	}
	/* Each shows the page that belongs there. */
	for (i = 0; i < BATCH; i++)
		EXPECT_TRUE(pattern_matches(test_map_buffer(self->fd, &self->buffers[i]),
					    self->page, i));
}

TEST_F(populate, only_the_mapping_that_is_named_is_filled)
{
	char *other = test_map_arena(self->fd, &self->info);

	test_populate(self->fd, 1, self->buffers, other);
	EXPECT_FALSE(is_present(self->arena + self->buffers[0].offset));
	EXPECT_TRUE(is_present(other + self->buffers[0].offset));
}

TEST_F(populate, release_revokes_the_pages)
{
	int i;

	test_populate(self->fd, BATCH, self->buffers, self->arena);
	test_release(self->fd, BATCH, self->buffers);
	for (i = 0; i < BATCH; i++)
		test_sigbus(self->arena + self->buffers[i].offset);
	EXPECT_EQ(self->before.revoked + BATCH, stat_value(self->fd, revoked));
}

TEST_F(populate, if_unmapped_is_ebusy_for_a_populated_page)
{
	test_populate(self->fd, 1, self->buffers, self->arena);
	test_stat(self->fd, &self->before);
	test_err_release(EBUSY, self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, 1,
			 self->buffers);
	test_unchanged(self->fd, &self->before);
	EXPECT_TRUE(is_present(self->arena + self->buffers[0].offset));
	ASSERT_EQ(0, munmap(self->arena, self->info.arena_length));
	EXPECT_EQ(0, raw_release(self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, 1,
				 self->buffers));
}

TEST_F(populate, wrong_arena_addr_is_einval_and_nothing_is_acquired)
{
	int other = raw_open(0, O_RDWR), elsewhere = raw_open(1, O_RDWR);
	char *arena = self->arena, *theirs, *far, *alone, *memory, *nothing;
	size_t length = self->info.arena_length;
	struct labyrinth_buffer owned;
	unsigned int i;

	test_acquire(self->fd, 1, &owned);
	theirs = test_map_arena(other, &self->info);
	far = test_map(elsewhere, PROT_READ, length, 0);
	alone = test_map_buffer(self->fd, &owned);
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	nothing = test_map_arena(self->fd, &self->info);
	ASSERT_EQ(0, munmap(nothing, length));
	test_stat(self->fd, &self->before);

	const __u64 wrong[] = {
		0, 1, self->page, (uintptr_t)arena + 1, (uintptr_t)arena + self->page,
		(uintptr_t)arena + self->page / 2, (uintptr_t)arena + length / 2,
		(uintptr_t)arena + length - self->page, (uintptr_t)arena + length,
		(uintptr_t)arena - self->page, (uintptr_t)theirs, (uintptr_t)far,
		(uintptr_t)alone, (uintptr_t)memory, (uintptr_t)nothing,
		(uintptr_t)arena + (1ULL << 32), (uintptr_t)arena ^ 1ULL << 47,
		(uintptr_t)arena ^ 1ULL << 63, 1ULL << 47, ~0ULL, ~0ULL - 4095,
	};

	for (i = 0; i < ARRAY_COUNT(wrong); i++) {
		EXPECT_ERRNO(EINVAL, raw_populate(self->fd, 1, 0, self->buffers,
						  wrong[i]));
		EXPECT_ERRNO(EINVAL, raw_populate(self->fd, 1, 1, self->buffers,
						  wrong[i]));
		test_unchanged(self->fd, &self->before);
	}
	/* The right one is right whatever has been tried before. */
	test_populate(self->fd, 1, self->buffers, arena);
}

TEST_F(populate, failed_call_leaves_nothing_in_the_mapping)
{
	struct labyrinth_buffer *edge;

	edge = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, edge);
	ASSERT_EQ(0, munmap((char *)edge + self->page, self->page));
	edge += self->page / sizeof(*edge) - 1;
	/* Two buffers, and room for one. */
	EXPECT_ERRNO(EFAULT, raw_populate(self->fd, 2, 0, edge,
					  (uintptr_t)self->arena));
	test_unchanged(self->fd, &self->before);
	EXPECT_NE(0, edge->handle);
	test_sigbus(self->arena + edge->offset);
}

TEST_F(populate, read_only_mapping_is_populated_read_only)
{
	char *arena = test_map(self->fd, PROT_READ, self->info.arena_length, 0);
	char *page;

	test_populate(self->fd, 1, self->buffers, arena);
	page = arena + self->buffers[0].offset;
	EXPECT_TRUE(is_present(page));
	EXPECT_TRUE(all_bytes_are(page, self->page, 0));
	EXPECT_EQ(SIGSEGV, touch(page, TOUCH_WRITE));
	EXPECT_TRUE(all_bytes_are(page, self->page, 0));
	/* The file allows more than this mapping does. */
	ASSERT_EQ(0, mprotect(arena, self->info.arena_length, PROT_READ | PROT_WRITE));
	test_touch(page);
}

TEST_F(populate, read_only_file_works)
{
	int fd = raw_open(0, O_RDONLY);
	char *arena = test_map(fd, PROT_READ, self->info.arena_length, 0);
	char *page;

	test_populate(fd, 1, self->buffers, arena);
	page = arena + self->buffers[0].offset;
	EXPECT_TRUE(is_present(page));
	EXPECT_TRUE(all_bytes_are(page, self->page, 0));
	EXPECT_EQ(SIGSEGV, touch(page, TOUCH_WRITE));
}

/* The smallest offset that is above half of all the others. */
static __u64 middle_offset(const struct labyrinth_buffer *buffers)
{
	unsigned int i, j, below;

	for (i = 0; i < BATCH; i++) {
		for (j = 0, below = 0; j < BATCH; j++)
			below += buffers[j].offset < buffers[i].offset;
		if (below == BATCH / 2)
			break;
	}
	return buffers[i].offset;
}

TEST_F(populate, no_page_appears_in_a_hole)
{
	bool hit = false;
	int round, i;
	__u64 hole;

	test_acquire(self->fd, BATCH, self->buffers);
	hole = middle_offset(self->buffers);
	ASSERT_EQ(0, munmap(self->arena + hole, self->page));
	/* The same page comes again, sooner or later. */
	for (round = 0; round < 16 && !hit; round++) {
		test_release(self->fd, BATCH, self->buffers);
		test_populate(self->fd, BATCH, self->buffers, self->arena);
		for (i = 0; i < BATCH; i++) {
			char *page = self->arena + self->buffers[i].offset;

			if (self->buffers[i].offset != hole) {
				/* What lies behind it may be left to the touch. */
				test_touch(page);
				continue;
			}
			hit = true;
			EXPECT_EQ(SIGSEGV, touch(page, TOUCH_READ));
			test_touch(test_map_buffer(self->fd, &self->buffers[i]));
		}
	}
	EXPECT_TRUE(hit);
}

TEST_F(populate, what_is_left_of_the_arena_is_filled)
{
	unsigned int inside = 0, present, round, i;
	__u64 end;

	test_acquire(self->fd, BATCH, self->buffers);
	end = middle_offset(self->buffers);
	ASSERT_EQ(0, munmap(self->arena + end, self->info.arena_length - end));
	for (round = 0; round < 16 && (!inside || inside == BATCH); round++) {
		test_release(self->fd, BATCH, self->buffers);
		test_populate(self->fd, BATCH, self->buffers, self->arena);
		inside = 0;
		present = 0;
		for (i = 0; i < BATCH; i++) {
			char *page = self->arena + self->buffers[i].offset;

			if (self->buffers[i].offset < end) {
				inside++;
				present += is_present(page);
			} else {
				EXPECT_EQ(SIGSEGV, touch(page, TOUCH_READ));
			}
		}
		EXPECT_EQ(inside, present);
	}
	EXPECT_LT(0, inside);
	EXPECT_GT(BATCH, inside);
}

TEST_F(populate, page_that_found_no_place_counts_as_unmapped)
{
	struct labyrinth_buffer *buffer = &self->buffers[0];

	ASSERT_EQ(0, munmap(self->arena + self->page,
			    self->info.arena_length - self->page));
	test_populate(self->fd, 2, self->buffers, self->arena);
	/* At most one of two lies at the arena's start. */
	if (!buffer->offset)
		buffer++;
	EXPECT_EQ(0, raw_release(self->fd, LABYRINTH_RELEASE_IF_UNMAPPED, 1, buffer));
	EXPECT_EQ(self->before.revoked, stat_value(self->fd, revoked));
}

/* Acquires and fills the arena, until that is no longer there. */
struct filler {
	pthread_t thread;
	int fd;
	char *arena;
	atomic_uint count;
	struct labyrinth_buffer buffers[32];
};

static void *filler_run(void *argument)
{
	struct filler *filler = argument;
	unsigned int n = 0;

	while (n < ARRAY_SIZE(filler->buffers) &&
	       raw_populate(filler->fd, 1, 0, &filler->buffers[n],
			    (uintptr_t)filler->arena) == 1)
		atomic_store(&filler->count, ++n);
	return NULL;
}

/* An insertion that comes too late would be in no mapping that a revoke visits. */
TEST_F(populate, arena_unmapped_in_the_middle_of_it_shows_nothing_afterwards)
{
	struct filler filler = { .fd = self->fd, .arena = self->arena };
	unsigned int turn, i;

	for (turn = 0; turn < 200; turn++) {
		atomic_store(&filler.count, 0);
		ASSERT_EQ(0, pthread_create(&filler.thread, NULL, filler_run, &filler));
		while (atomic_load(&filler.count) < turn % 8 + 1)
			sched_yield();
		ASSERT_EQ(0, munmap(filler.arena, self->info.arena_length));
		ASSERT_EQ(0, pthread_join(filler.thread, NULL));
		for (i = 0; i < atomic_load(&filler.count); i++)
			ASSERT_EQ(SIGSEGV, touch(filler.arena + filler.buffers[i].offset,
						 TOUCH_READ));
		test_release(self->fd, atomic_load(&filler.count), filler.buffers);
		filler.arena = test_map_arena(self->fd, &self->info);
	}
}

/* An ACQUIRE with POPULATE that has to wait. */
struct populator {
	pthread_t thread;
	int fd;
	char *arena;
	struct labyrinth_buffer buffer;
	int result;
};

static void *populator_run(void *argument)
{
	struct populator *populator = argument;

	populator->result = raw_populate(populator->fd, 1, 0, &populator->buffer,
					 (uintptr_t)populator->arena);
	return NULL;
}

FIXTURE(waiting)
{
	int fd;
	size_t page;
	struct labyrinth_info info;
	char *arena;
	struct hoard hoard;
	struct populator populator;
};

FIXTURE_SETUP(waiting)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	self->arena = test_map_arena(self->fd, &self->info);
	fault_catch();
	hoard_fill(_metadata, &self->hoard, 0, self->fd);
	self->populator.fd = self->fd;
	self->populator.arena = self->arena;
	ASSERT_EQ(0, pthread_create(&self->populator.thread, NULL, populator_run,
				    &self->populator));
	ASSERT_TRUE(wait_until(stat_value(self->fd, waiters) == 1));
}

FIXTURE_TEARDOWN(waiting)
{
	hoard_close(&self->hoard);
	close(self->fd);
}

/* Lets the call come back: it succeeds, and its page is owned, writable and zero. */
#define test_success()							\
({									\
	char *_alone;							\
									\
	test_hoard_release(&self->hoard, 1);				\
	ASSERT_EQ(0, pthread_join(self->populator.thread, NULL));			\
	ASSERT_EQ(1, self->populator.result);					\
	_alone = test_map_buffer(self->fd, &self->populator.buffer);		\
	EXPECT_TRUE(all_bytes_are(_alone, self->page, 0));		\
	test_touch(_alone);						\
})

TEST_F(waiting, page_is_present_afterwards)
{
	test_success();
	EXPECT_TRUE(is_present(self->arena + self->populator.buffer.offset));
}

TEST_F(waiting, arena_unmapped_meanwhile)
{
	ASSERT_EQ(0, munmap(self->arena, self->info.arena_length));
	test_success();
	EXPECT_EQ(SIGSEGV, touch(self->arena + self->populator.buffer.offset, TOUCH_READ));
	EXPECT_EQ(SIGSEGV, touch(self->arena + self->populator.buffer.offset, TOUCH_WRITE));
}

TEST_F(waiting, memory_mapped_over_the_arena_meanwhile_stays_as_it_is)
{
	char *memory = mmap(self->arena, self->info.arena_length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
			    -1, 0);

	ASSERT_EQ(self->arena, memory);
	test_success();
	EXPECT_FALSE(is_present(memory + self->populator.buffer.offset));
	pattern_fill(memory + self->populator.buffer.offset, self->page, 1);
	EXPECT_FALSE(pattern_matches(test_map_buffer(self->fd, &self->populator.buffer),
				     self->page, 1));
}

TEST_F(waiting, another_files_arena_mapped_over_it_meanwhile_is_not_filled)
{
	int other = self->hoard.fds[0];

	ASSERT_EQ(self->arena, mmap(self->arena, self->info.arena_length,
				    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				    other, 0));
	test_success();
	test_sigbus(self->arena + self->populator.buffer.offset);
}

TEST_HARNESS_MAIN
