// SPDX-License-Identifier: GPL-2.0
/* Buffers change their owner through a ticket: all of them, with all they contain. */
#include "labyrinth_device.h"
#include "labyrinth_peer.h"
#include "labyrinth_pool.h"
#include "labyrinth_ticket.h"

/* More than the reserve, so that one of them is certain to come back. */
#define PAGES	48

FIXTURE(ticket)
{
	int giver, taker;
	size_t page;
	char *arena;		/* the giver's */
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[PAGES];
	struct labyrinth_buffer taken[PAGES];
};

FIXTURE_SETUP(ticket)
{
	self->giver = open_quiet(_metadata, 0, O_RDWR);
	self->taker = raw_open(0, O_RDWR);
	ASSERT_LE(0, self->taker);
	self->page = page_size();
	test_info(self->giver, &self->info);
	ASSERT_TRUE(self->info.capabilities & LABYRINTH_CAP_TICKETS);
	self->arena = test_map_arena(self->giver, &self->info);
	test_acquire(self->giver, PAGES, self->buffers);
	fault_catch();
}

FIXTURE_TEARDOWN(ticket)
{
	munmap(self->arena, self->info.arena_length);
	close(self->giver);
	close(self->taker);
}

TEST_F(ticket, content_arrives_byte_for_byte_under_a_new_handle)
{
	int i, ticket;
	char *page;

	for (i = 0; i < 4; i++)
		pattern_fill(self->arena + self->buffers[i].offset, self->page, i);
	for (i = 0; i < 4; i++) {
		ticket = test_give(self->giver, 1, &self->buffers[i]);
		test_take(self->taker, ticket, 1, &self->taken[i]);
		EXPECT_NE(0, self->taken[i].handle);
		EXPECT_NE(self->buffers[i].handle, self->taken[i].handle);
		EXPECT_EQ(self->page, self->taken[i].length);
		EXPECT_EQ(0, self->taken[i].order);
		EXPECT_EQ(0, self->taken[i].flags);
		page = test_map_buffer(self->taker, &self->taken[i]);
		EXPECT_TRUE(pattern_matches(page, self->page, i));
	}
}

TEST_F(ticket, old_handle_is_enoent_for_every_call)
{
	struct labyrinth_buffer *old = &self->buffers[0];
	__u64 own = self->buffers[1].handle;
	int ticket = test_give(self->giver, 1, old);
	int taken;

	for (taken = 0; taken < 2; taken++) {
		test_err_release(ENOENT, self->giver, 0, 1, old);
		test_err_give(ENOENT, self->giver, 1, old);
		test_err_copy(ENOENT, self->giver, old->handle, 0, own, 0, 1, 0);
		test_err_copy(ENOENT, self->giver, own, 0, old->handle, 0, 1, 0);
		test_err_map(EACCES, self->giver, PROT_READ, self->page, old->offset);
		test_err_release(ENOENT, self->taker, 0, 1, old);
		if (!taken)
			test_take(self->taker, ticket, 1, self->taken);
	}
	test_release(self->taker, 1, self->taken);
}

TEST_F(ticket, giver_mappings_are_sigbus_when_give_returns)
{
	char *maps[3], *untouched;
	int i, ticket, turn;

	maps[0] = self->arena + self->buffers[0].offset;
	maps[1] = test_map_buffer(self->giver, &self->buffers[0]);
	maps[2] = test_map(self->giver, PROT_READ | PROT_WRITE, self->info.arena_length,
			   0) + self->buffers[0].offset;
	untouched = test_map_buffer(self->giver, &self->buffers[0]);
	for (i = 0; i < 3; i++)
		test_touch(maps[i]);
	ticket = test_give(self->giver, 1, self->buffers);
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < 3; i++)
			test_sigbus(maps[i]);
		test_sigbus(untouched);
		if (!turn)
			test_take(self->taker, ticket, 1, self->taken);
	}
	test_touch(self->arena + self->buffers[1].offset);
}

TEST_F(ticket, giver_can_take_back_and_old_buffer_mappings_stay_dead)
{
	char *alone = test_map_buffer(self->giver, &self->buffers[0]);
	int ticket;

	memcpy(alone, "mine", sizeof("mine"));
	ticket = test_give(self->giver, 1, self->buffers);
	test_take(self->giver, ticket, 1, self->taken);
	EXPECT_NE(self->buffers[0].handle, self->taken[0].handle);
	test_sigbus(alone);
	EXPECT_STREQ("mine", self->arena + self->taken[0].offset);
}

TEST_F(ticket, page_written_to_during_give_is_the_takers_alone_afterwards)
{
	struct toucher toucher;
	char *page;
	int i, ticket;

	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, toucher_start(&toucher,
					   self->arena + self->buffers[i].offset));
		ASSERT_TRUE(wait_until(atomic_load(&toucher.touched)));
		ticket = test_give(self->giver, 1, &self->buffers[i]);
		test_take(self->taker, ticket, 1, self->taken);
		page = test_map_buffer(self->taker, self->taken);
		*page = 0x11;
		ASSERT_TRUE(wait_until(atomic_load(&toucher.faulted)));
		EXPECT_EQ(0x11, *page);
		ASSERT_EQ(0, toucher_stop(&toucher));
	}
}

/* How many of each order make up the largest batch. */
static const unsigned int mixture[] = { 240, 8, 4, 2, 2 };

TEST_F(ticket, largest_batch_of_all_orders_arrives_complete)
{
	struct labyrinth_buffer *all = calloc(256, sizeof(*all));
	struct labyrinth_buffer *got = calloc(256, sizeof(*got));
	unsigned int order, i, n = 0, pages = 0;
	bool seen[256] = { false };
	char *arena;
	int ticket;

	if (self->info.max_batch != 256 || self->info.max_order < 4)
		SKIP(return, "the mixture is made for max_batch 256 and max_order 4");
	test_release(self->giver, PAGES, self->buffers);
	for (order = 0; order < ARRAY_COUNT(mixture); order++) {
		test_acquire_order(self->giver, order, mixture[order], all + n);
		n += mixture[order];
		pages += mixture[order] << order;
	}
	ASSERT_EQ(256, n);
	for (i = 0; i < n; i++) {
		pattern_fill(self->arena + all[i].offset, all[i].length, i);
		memcpy(self->arena + all[i].offset, &i, sizeof(i));
	}
	ticket = test_give(self->giver, n, all);
	EXPECT_EQ(pages, stat_value(self->taker, ticketed));
	test_take(self->taker, ticket, n, got);
	EXPECT_EQ(pages, stat_value(self->taker, charged));
	arena = test_map_arena(self->taker, &self->info);
	for (i = 0; i < n; i++) {
		unsigned int was, byte = sizeof(was);
		char *at = arena + got[i].offset;

		memcpy(&was, at, sizeof(was));
		ASSERT_GT(n, was);
		EXPECT_FALSE(seen[was]);
		seen[was] = true;
		EXPECT_EQ(all[was].order, got[i].order);
		EXPECT_EQ(self->page << got[i].order, got[i].length);
		while (byte < got[i].length &&
		       (unsigned char)at[byte] == pattern_at(was, byte))
			byte++;
		EXPECT_EQ(got[i].length, byte);
	}
	test_release(self->taker, n, got);
	free(all);
	free(got);
}

TEST_F(ticket, fork_child_takes_what_it_inherited)
{
	struct peer peer;
	int ticket;

	pattern_fill(self->arena + self->buffers[0].offset, self->page, 3);
	ticket = test_give(self->giver, 2, self->buffers);
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		int own = raw_open(0, O_RDWR);

		test_take(own, ticket, 2, self->taken);
		EXPECT_TRUE(pattern_matches(test_map_buffer(own, self->taken),
					    self->page, 3) ||
			    pattern_matches(test_map_buffer(own, self->taken + 1),
					    self->page, 3));
		test_child_exit();
	}
	test_peer_join(&peer);
	test_err_take(ENOENT, self->taker, ticket, 2, self->taken);
	EXPECT_EQ(PAGES - 2, stat_value(self->giver, charged));
	ASSERT_EQ(0, close(ticket));
}

TEST_F(ticket, outlives_the_giver_on_its_way_over_a_socket)
{
	struct peer peer;
	__u64 number;
	int ticket;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		int own = raw_open(0, O_RDWR);

		test_acquire(own, 1, self->buffers);
		pattern_fill(test_map_buffer(own, self->buffers), self->page, 77);
		ticket = test_give(own, 1, self->buffers);
		ASSERT_EQ(0, peer_send(&peer, 1, ticket));
		test_child_exit();
	}
	ASSERT_EQ(0, peer_receive(&peer, &number, &ticket));
	test_peer_join(&peer);
	EXPECT_EQ(1, stat_value(self->taker, ticketed));
	test_take(self->taker, ticket, 1, self->taken);
	EXPECT_TRUE(pattern_matches(test_map_buffer(self->taker, self->taken),
				    self->page, 77));
}

/* The given pages are free, and one of them reads as zeroes when it is seen again. */
static void expect_released_and_zeroed(struct __test_metadata *_metadata, int watcher,
				       const struct labyrinth_buffer *given,
				       __u64 owned)
{
	struct labyrinth_buffer *again;
	struct hoard hoard;
	char *page;
	int i;

	ASSERT_TRUE(wait_until(!stat_value(watcher, ticketed)));
	EXPECT_EQ(owned, stat_value(watcher, owned));
	again = hoard_until(_metadata, &hoard, 0, watcher, given, PAGES);
	ASSERT_NE(NULL, again);
	i = again - hoard.buffers;
	page = test_map_buffer(hoard.owners[i], again);
	EXPECT_TRUE(all_bytes_are(page, page_size(), 0));
	hoard_close(&hoard);
}

/* Every page dirty and in a ticket, together with a larger buffer. */
static int dirty_ticket(struct __test_metadata *_metadata, int fd, char *arena,
			const struct labyrinth_buffer *buffers)
{
	struct labyrinth_buffer all[PAGES + 1];
	int i;

	memcpy(all, buffers, PAGES * sizeof(*all));
	test_acquire_order(fd, 2, 1, &all[PAGES]);
	for (i = 0; i <= PAGES; i++)
		memset(arena + all[i].offset, 0xee, all[i].length);
	return test_give(fd, PAGES + 1, all);
}

TEST_F(ticket, closed_untaken_releases_and_zeroes)
{
	int ticket = dirty_ticket(_metadata, self->giver, self->arena, self->buffers);

	EXPECT_EQ(PAGES + 4, stat_value(self->giver, ticketed));
	ASSERT_EQ(0, close(ticket));
	expect_released_and_zeroed(_metadata, self->taker, self->buffers, 0);
	EXPECT_EQ(0, stat_value(self->giver, charged));
}

TEST_F(ticket, lost_in_a_socket_nobody_reads_releases_and_zeroes)
{
	int ticket = dirty_ticket(_metadata, self->giver, self->arena, self->buffers);
	struct peer ends[2] = { { .pid = 0 } };
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	ends[0].line = pair[0];
	ASSERT_EQ(0, peer_send(&ends[0], 1, ticket));
	ASSERT_EQ(0, close(ticket));
	sleep_ms(100);
	EXPECT_EQ(PAGES + 4, stat_value(self->giver, ticketed));
	ASSERT_EQ(0, close(pair[0]));
	EXPECT_EQ(PAGES + 4, stat_value(self->giver, ticketed));
	ASSERT_EQ(0, close(pair[1]));
	expect_released_and_zeroed(_metadata, self->taker, self->buffers, 0);
}

TEST_F(ticket, killed_holder_releases_and_zeroes)
{
	int ticket = dirty_ticket(_metadata, self->giver, self->arena, self->buffers);
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		pause();
		test_child_exit();
	}
	ASSERT_EQ(0, close(ticket));
	ASSERT_EQ(0, close(self->giver));
	sleep_ms(100);
	EXPECT_EQ(PAGES + 4, stat_value(self->taker, ticketed));
	test_peer_kill(&peer);
	expect_released_and_zeroed(_metadata, self->taker, self->buffers, 0);
}

TEST_F(ticket, descriptor_is_close_on_exec)
{
	int ticket = test_give(self->giver, 1, self->buffers);

	EXPECT_EQ(FD_CLOEXEC, fcntl(ticket, F_GETFD));
	EXPECT_EQ(0, fcntl(ticket, F_GETFL) & O_ACCMODE & ~O_RDONLY);
	close(ticket);
}

#define expect_stat(_owned, _ticketed, _giver, _taker)			\
({									\
	struct labyrinth_stat _stat;					\
									\
	test_stat(self->giver, &_stat);					\
	EXPECT_EQ(_owned, _stat.owned);					\
	EXPECT_EQ(_ticketed, _stat.ticketed);				\
	EXPECT_EQ(_giver, _stat.charged);				\
	EXPECT_EQ(_stat.total, stat_sum(&_stat));			\
	EXPECT_EQ(_taker, stat_value(self->taker, charged));		\
	_stat;								\
})

TEST_F(ticket, giver_pays_until_the_take_and_every_counter_says_so)
{
	struct labyrinth_stat start, now;
	int ticket;

	start = expect_stat(PAGES, 0, PAGES, 0);
	ticket = test_give(self->giver, 5, self->buffers);
	now = expect_stat(PAGES - 5, 5, PAGES, 0);
	EXPECT_EQ(start.given + 5, now.given);
	EXPECT_EQ(start.taken, now.taken);
	test_take(self->taker, ticket, 5, self->taken);
	now = expect_stat(PAGES, 0, PAGES - 5, 5);
	EXPECT_EQ(start.given + 5, now.given);
	EXPECT_EQ(start.taken + 5, now.taken);
	EXPECT_EQ(start.acquired, now.acquired);
	EXPECT_EQ(start.released, now.released);
	ticket = test_give(self->giver, 7, self->buffers + 5);
	ASSERT_EQ(0, close(ticket));
	ASSERT_TRUE(wait_until(!stat_value(self->giver, ticketed)));
	now = expect_stat(PAGES - 7, 0, PAGES - 12, 5);
	EXPECT_EQ(start.given + 12, now.given);
	EXPECT_EQ(start.taken + 5, now.taken);
	EXPECT_EQ(start.released + 7, now.released);
}

TEST_F(ticket, giver_may_close_its_file_before_the_take)
{
	int ticket = test_give(self->giver, 3, self->buffers);

	ASSERT_EQ(0, munmap(self->arena, self->info.arena_length));
	ASSERT_EQ(0, close(self->giver));
	ASSERT_TRUE(wait_until(!stat_value(self->taker, owned)));
	EXPECT_EQ(3, stat_value(self->taker, ticketed));
	test_take(self->taker, ticket, 3, self->taken);
	EXPECT_EQ(3, stat_value(self->taker, owned));
	test_release(self->taker, 3, self->taken);
	EXPECT_TRUE(wait_until(device_is_quiet(self->taker)));
}

TEST_F(ticket, taken_buffer_can_be_used_and_given_like_any_other)
{
	int third = raw_open(0, O_RDWR);
	int ticket;

	pattern_fill(self->arena + self->buffers[0].offset, self->page, 9);
	ticket = test_give(self->giver, 1, self->buffers);
	test_take(self->taker, ticket, 1, &self->taken[0]);
	test_acquire(self->taker, 1, &self->taken[1]);
	test_copy(self->taker, self->taken[0].handle, 0, self->taken[1].handle, 0,
		  100, 1);
	test_event(self->taker, 1, 0);
	ticket = test_give(self->taker, 1, &self->taken[1]);
	test_take(third, ticket, 1, &self->taken[2]);
	EXPECT_TRUE(pattern_matches(test_map_buffer(third, &self->taken[2]), 100, 9));
	test_release(third, 1, &self->taken[2]);
	test_release(self->taker, 1, &self->taken[0]);
	close(third);
}

TEST_HARNESS_MAIN
