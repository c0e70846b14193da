// SPDX-License-Identifier: GPL-2.0
/* A GIVE or TAKE that is refused leaves every buffer with whom it was. */
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "labyrinth_fault.h"
#include "labyrinth_peer.h"
#include "labyrinth_ticket.h"

#define PAGES	8
#define IN_TICKET	3

FIXTURE(refused)
{
	int giver, taker, ticket;
	size_t page;
	char *arena;		/* the giver's */
	char *edge;		/* one writable page, then one that is not mapped */
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[PAGES];	/* the last ones are in the ticket */
	struct labyrinth_buffer taken[PAGES];
	struct labyrinth_stat before;
};

FIXTURE_SETUP(refused)
{
	self->giver = open_quiet(_metadata, 0, O_RDWR);
	self->taker = raw_open(0, O_RDWR);
	ASSERT_LE(0, self->taker);
	self->page = page_size();
	test_info(self->giver, &self->info);
	self->arena = test_map_arena(self->giver, &self->info);
	self->edge = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->edge);
	ASSERT_EQ(0, munmap(self->edge + self->page, self->page));
	test_acquire(self->giver, PAGES, self->buffers);
	fault_catch();
	pattern_fill(self->arena + self->buffers[0].offset, self->page, 1);
	pattern_fill(self->arena + self->buffers[PAGES - 1].offset, self->page, 2);
	self->ticket = test_give(self->giver, IN_TICKET,
				 self->buffers + PAGES - IN_TICKET);
	test_stat(self->giver, &self->before);
}

FIXTURE_TEARDOWN(refused)
{
	munmap(self->arena, self->info.arena_length);
	close(self->giver);
	close(self->taker);
	close(self->ticket);
}

/* Nothing has moved, and what the ticket holds can still be taken from it. */
#define expect_ticket_unharmed()					\
({									\
	bool _seen = false;						\
	int _i;								\
									\
	test_unchanged(self->giver, &self->before);			\
	test_take(self->taker, self->ticket, IN_TICKET, self->taken);	\
	for (_i = 0; _i < IN_TICKET; _i++)				\
		_seen |= pattern_matches(test_map_buffer(self->taker,	\
					 &self->taken[_i]), self->page, 2); \
	EXPECT_TRUE(_seen);						\
	test_release(self->taker, IN_TICKET, self->taken);		\
})

/* Nothing has moved, not even out of the giver's mappings. */
#define expect_giver_unharmed()						\
({									\
	test_unchanged(self->giver, &self->before);			\
	EXPECT_TRUE(pattern_matches(self->arena + self->buffers[0].offset, \
				    self->page, 1));			\
	test_release(self->giver, PAGES - IN_TICKET, self->buffers);	\
})

TEST_F(refused, take_of_what_is_no_ticket_is_einval)
{
	int pipes[2], i;

	ASSERT_EQ(0, pipe(pipes));
	{
		const int wrong[] = {
			self->giver, self->taker, pipes[0], pipes[1],
			eventfd(0, EFD_CLOEXEC), open("/dev/null", O_RDWR),
			open("/", O_PATH), -1, -100, 1 << 20, INT_MAX, INT_MIN,
		};

		for (i = 0; i < (int)ARRAY_COUNT(wrong); i++)
			test_err_take(EINVAL, self->taker, wrong[i], PAGES, self->taken);
	}
	ASSERT_EQ(0, close(pipes[0]));
	test_err_take(EINVAL, self->taker, pipes[0], PAGES, self->taken);
	expect_ticket_unharmed();
}

TEST_F(refused, take_from_an_empty_ticket_is_enoent)
{
	int copy = dup(self->ticket);

	expect_ticket_unharmed();
	test_err_take(ENOENT, self->taker, copy, PAGES, self->taken);
	test_err_take(ENOENT, self->taker, copy, 0, NULL);
	test_err_take(ENOENT, self->giver, copy, PAGES, self->taken);
	close(copy);
}

TEST_F(refused, take_of_another_devices_ticket_is_exdev)
{
	int other = raw_open(1, O_RDWR);

	ASSERT_LE(0, other);
	test_err_take(EXDEV, other, self->ticket, PAGES, self->taken);
	test_err_take(EXDEV, other, self->ticket, 0, NULL);
	expect_ticket_unharmed();
}

TEST_F(refused, too_small_an_array_is_enospc_with_the_count_needed)
{
	__u32 room, count;

	memset(self->taken, 0x5a, sizeof(self->taken));
	for (room = 0; room < IN_TICKET; room++) {
		count = room;
		EXPECT_ERRNO(ENOSPC, raw_take(self->taker, self->ticket, &count,
					      room ? self->taken : NULL));
		EXPECT_EQ(IN_TICKET, count);
	}
	EXPECT_TRUE(all_bytes_are(self->taken, sizeof(self->taken), 0x5a));
	expect_ticket_unharmed();
}

TEST_F(refused, larger_array_is_filled_as_far_as_needed)
{
	struct labyrinth_buffer room[PAGES];
	__u32 count = PAGES;

	memset(room, 0x5a, sizeof(room));
	ASSERT_EQ(0, raw_take(self->taker, self->ticket, &count, room));
	EXPECT_EQ(IN_TICKET, count);
	EXPECT_TRUE(all_bytes_are(room + IN_TICKET,
				  (PAGES - IN_TICKET) * sizeof(*room), 0x5a));
	test_release(self->taker, IN_TICKET, room);
}

TEST_F(refused, take_with_room_for_more_than_max_batch_is_einval)
{
	test_err_take(EINVAL, self->taker, self->ticket, self->info.max_batch + 1,
		      self->taken);
	test_err_take(EINVAL, self->taker, self->ticket, ~0U, self->taken);
	expect_ticket_unharmed();
}

TEST_F(refused, take_over_quota_is_edquot_and_the_ticket_keeps_them)
{
	struct labyrinth_buffer *many = calloc(self->info.max_batch, sizeof(*many));
	__u32 left = self->info.file_quota - IN_TICKET + 1, count;

	while (left) {
		count = left < self->info.max_batch ? left : self->info.max_batch;
		test_acquire(self->taker, count, many);
		left -= count;
	}
	test_stat(self->giver, &self->before);
	test_err_take(EDQUOT, self->taker, self->ticket, PAGES, self->taken);
	test_unchanged(self->giver, &self->before);
	EXPECT_EQ(self->info.file_quota - IN_TICKET + 1,
		  stat_value(self->taker, charged));
	test_release(self->taker, 1, many);
	test_stat(self->giver, &self->before);
	expect_ticket_unharmed();
	free(many);
}

TEST_F(refused, take_into_a_bad_array_is_efault_and_the_ticket_keeps_them)
{
	struct labyrinth_buffer *last;
	__u32 i;

	last = (void *)(self->edge + self->page - 2 * sizeof(*last));
	test_err_take(EFAULT, self->taker, self->ticket, PAGES, NULL);
	test_err_take(EFAULT, self->taker, self->ticket, PAGES,
		      (void *)(self->edge + self->page));
	/* Two entries can be written, the third cannot; what they say names nothing. */
	test_err_take(EFAULT, self->taker, self->ticket, IN_TICKET, last);
	for (i = 0; i < 2; i++) {
		test_err_release(ENOENT, self->taker, 0, 1, &last[i]);
		test_err_release(ENOENT, self->giver, 0, 1, &last[i]);
	}
	EXPECT_EQ(0, stat_value(self->taker, charged));
	expect_ticket_unharmed();
}

TEST_F(refused, take_with_a_read_only_struct_is_efault_and_the_ticket_keeps_them)
{
	struct labyrinth_take *take = (void *)self->edge;

	take->size = sizeof(*take);
	take->ticket_fd = self->ticket;
	take->count = PAGES;
	take->buffers = (uintptr_t)self->taken;
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->taker, LABYRINTH_TAKE, take));
	test_err_release(ENOENT, self->taker, 0, IN_TICKET, self->taken);
	/* Nor can it be told how many there are. */
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ | PROT_WRITE));
	take->count = IN_TICKET - 1;
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->taker, LABYRINTH_TAKE, take));
	EXPECT_EQ(0, stat_value(self->taker, charged));
	expect_ticket_unharmed();
}

TEST_F(refused, give_of_a_handle_that_is_not_owned_is_enoent)
{
	struct labyrinth_buffer array[4], foreign;
	unsigned int i, j;

	test_acquire(self->taker, 1, &foreign);
	test_stat(self->giver, &self->before);
	{
		const __u64 wrong[] = {
			0, 1, ~0ULL, self->buffers[PAGES - 1].handle, foreign.handle,
			self->buffers[0].handle + (1ULL << 32),
			self->buffers[0].handle ^ 1,
		};

		memcpy(array, self->buffers, sizeof(array));
		for (i = 0; i < ARRAY_COUNT(wrong); i++) {
			/* The neighbour's slot may have been owned as often, by the giver. */
			for (j = 0; j < PAGES - IN_TICKET; j++)
				if (wrong[i] == self->buffers[j].handle)
					break;
			if (j < PAGES - IN_TICKET)
				continue;
			array[3].handle = wrong[i];
			test_err_give(ENOENT, self->giver, 1, &array[3]);
			test_err_give(ENOENT, self->giver, 4, array);
		}
	}
	expect_giver_unharmed();
	test_release(self->taker, 1, &foreign);
}

TEST_F(refused, give_of_duplicates_or_of_none_or_too_many_is_einval)
{
	__u64 *many = calloc(self->info.max_batch + 1, sizeof(*many));
	struct labyrinth_buffer array[3] = {
		self->buffers[0], self->buffers[1], self->buffers[0]
	};
	__u32 i;

	test_err_give(EINVAL, self->giver, 3, array);
	test_err_give(EINVAL, self->giver, 0, array);
	EXPECT_ERRNO(EINVAL, raw_give_handles(self->giver, 0, NULL));
	for (i = 0; i <= self->info.max_batch; i++)
		many[i] = i + 1;
	EXPECT_ERRNO(EINVAL, raw_give_handles(self->giver, self->info.max_batch + 1,
					      many));
	EXPECT_ERRNO(EINVAL, raw_give_handles(self->giver, ~0U, many));
	EXPECT_ERRNO(ENOENT, raw_give_handles(self->giver, self->info.max_batch, many));
	expect_giver_unharmed();
	free(many);
}

TEST_F(refused, give_from_a_bad_array_is_efault)
{
	__u64 *last = (void *)(self->edge + self->page - sizeof(*last));
	int next = next_descriptor();

	*last = self->buffers[0].handle;
	EXPECT_ERRNO(EFAULT, raw_give_handles(self->giver, 1, NULL));
	EXPECT_ERRNO(EFAULT, raw_give_handles(self->giver, 1, last + 1));
	EXPECT_ERRNO(EFAULT, raw_give_handles(self->giver, 2, last));
	EXPECT_EQ(next, next_descriptor());
	expect_giver_unharmed();
}

TEST_F(refused, give_during_dma_is_ebusy_and_works_after_the_event)
{
	__u64 src = self->buffers[0].handle, dst = self->buffers[1].handle;
	int ticket;

	test_copy(self->giver, src, 0, dst, 0, self->page, 4);
	test_err_give(EBUSY, self->giver, 1, &self->buffers[0]);
	test_err_give(EBUSY, self->giver, 1, &self->buffers[1]);
	test_err_give(EBUSY, self->giver, PAGES - IN_TICKET, self->buffers);
	test_unchanged(self->giver, &self->before);
	test_touch(self->arena + self->buffers[1].offset);
	test_event(self->giver, 4, 0);
	EXPECT_TRUE(pattern_matches(self->arena + self->buffers[1].offset,
				    self->page, 1));
	ticket = test_give(self->giver, 2, self->buffers);
	test_take(self->taker, ticket, 2, self->taken);
}

TEST_F(refused, give_at_the_descriptor_limit_is_emfile)
{
	struct rlimit limit, before;
	int ticket;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = dup(0);	/* the lowest that is free */
	ASSERT_EQ(0, close(limit.rlim_cur));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	test_err_give(EMFILE, self->giver, 2, self->buffers);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	test_unchanged(self->giver, &self->before);
	test_touch(self->arena + self->buffers[1].offset);
	ticket = test_give(self->giver, 2, self->buffers);
	EXPECT_EQ(limit.rlim_cur, ticket);
	close(ticket);
}

TEST_F(refused, give_with_a_read_only_struct_is_efault_and_leaks_no_descriptor)
{
	struct labyrinth_give *give = (void *)self->edge;
	int next;

	give->size = sizeof(*give);
	give->count = 2;
	give->handles = (uintptr_t)(give + 1);
	memcpy(give + 1, &self->buffers[0].handle, sizeof(__u64));
	memcpy((char *)(give + 1) + 8, &self->buffers[1].handle, sizeof(__u64));
	ASSERT_EQ(0, mprotect(self->edge, self->page, PROT_READ));
	next = next_descriptor();
	EXPECT_ERRNO(EFAULT, ioctl(self->giver, LABYRINTH_GIVE, give));
	EXPECT_EQ(next, next_descriptor());
	expect_giver_unharmed();
}

TEST_F(refused, every_refused_give_leaks_no_descriptor)
{
	int next = next_descriptor(), i;

	/* Three seconds of them: all refusals come while the buffer is in use. */
	for (i = 0; i < 16; i++)
		test_copy(self->giver, self->buffers[0].handle, 0,
			  self->buffers[1].handle, 0, self->page, 4);
	for (i = 0; i < 100; i++) {
		test_err_give(ENOENT, self->giver, 1, &self->buffers[PAGES - 1]);
		test_err_give(EBUSY, self->giver, 1, &self->buffers[0]);
	}
	EXPECT_EQ(next, next_descriptor());
	test_event(self->giver, 4, 0);
}

TEST_F(refused, other_process_is_eperm)
{
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		test_err_give(EPERM, self->giver, 1, self->buffers);
		test_err_give(EPERM, self->giver, 0, self->buffers);
		test_err_take(EPERM, self->taker, self->ticket, PAGES, self->taken);
		test_err_take(EPERM, self->taker, -1, PAGES, self->taken);
		test_child_exit();
	}
	test_peer_join(&peer);
	expect_ticket_unharmed();
}

TEST_F(refused, ticket_does_nothing_but_be_taken)
{
	struct labyrinth_stat stat;
	char byte;

	EXPECT_ERRNO(EINVAL, read(self->ticket, &byte, 1));
	EXPECT_ERRNO(EBADF, write(self->ticket, &byte, 1));
	EXPECT_ERRNO(ENOTTY, raw_stat(self->ticket, &stat));
	test_err_map(ENODEV, self->ticket, PROT_READ, self->page, 0);
	expect_ticket_unharmed();
}

TEST_HARNESS_MAIN
