// SPDX-License-Identifier: GPL-2.0
/*
 * Pages acquired and released one by one, as most programs do, while there are plenty: the
 * driver goes a shorter way then, and every promise holds on it as well. That it does go
 * that way is seen by "make bench-check": the other one takes a third more instructions.
 */
#include "labyrinth_fault.h"
#include "labyrinth_limits.h"
#include "labyrinth_pool.h"
#include "labyrinth_user.h"

/* More often than any limit here allows at a time. */
#define TURNS		40

FIXTURE(single)
{
	int fd;
	cpu_set_t cpus;
	struct labyrinth_info info;
	struct labyrinth_stat before;
	unsigned long long file_quota, user_quota;
	struct labyrinth_buffer buffers[TURNS];
	struct modes modes;
};

FIXTURE_SETUP(single)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	if (geteuid())
		SKIP(_exit(KSFT_SKIP), "only root can change limits and be other users");
	test_info(self->fd, &self->info);
	test_stat(self->fd, &self->before);
	self->file_quota = number_in(LIMITS "file_quota");
	self->user_quota = number_in(LIMITS "user_quota");
	modes_open(_metadata, &self->modes);
	have_some_at_hand(_metadata, self->fd, &self->cpus);
	fault_catch();
	test_stat(self->fd, &self->before);
	ASSERT_LT(self->before.low + 2 * AT_HAND, self->before.free);
}

FIXTURE_TEARDOWN(single)
{
	set_number(LIMITS "file_quota", self->file_quota);
	set_number(LIMITS "user_quota", self->user_quota);
	restore_watermarks(&self->before);
	modes_restore(&self->modes);
	sched_setaffinity(0, sizeof(self->cpus), &self->cpus);
	close(self->fd);
}

TEST_F(single, page_is_owned_and_told_of_and_counted)
{
	struct labyrinth_buffer buffer;
	struct labyrinth_stat now;

	memset(&buffer, 0xff, sizeof(buffer));
	test_acquire(self->fd, 1, &buffer);
	EXPECT_EQ(page_size(), buffer.length);
	EXPECT_EQ(0, buffer.order);
	EXPECT_EQ(0, buffer.flags);
	EXPECT_EQ(0, buffer.offset % page_size());
	test_stat(self->fd, &now);
	EXPECT_EQ(1, now.owned);
	EXPECT_EQ(1, now.charged);
	EXPECT_EQ(self->before.free - 1, now.free);
	EXPECT_EQ(self->before.acquired + 1, now.acquired);
	EXPECT_EQ(now.total, stat_sum(&now));
	test_release(self->fd, 1, &buffer);
	test_stat(self->fd, &now);
	EXPECT_EQ(0, now.owned);
	EXPECT_EQ(0, now.charged);
	EXPECT_EQ(self->before.free, now.free);
	EXPECT_EQ(self->before.released + 1, now.released);
	EXPECT_EQ(self->before.scrubbed + 1, now.scrubbed);
	EXPECT_EQ(self->before.revoked, now.revoked);
	EXPECT_EQ(now.total, stat_sum(&now));
	test_err_release(ENOENT, self->fd, 0, 1, &buffer);
}

TEST_F(single, touched_page_is_revoked_and_scrubbed)
{
	struct labyrinth_buffer buffer;
	char *arena = test_map_arena(self->fd, &self->info);
	int i;

	for (i = 0; i < TURNS; i++) {
		test_acquire(self->fd, 1, &buffer);
		ASSERT_TRUE(all_bytes_are(arena + buffer.offset, page_size(), 0));
		memset(arena + buffer.offset, 0x5a, page_size());
		test_release(self->fd, 1, &buffer);
		test_sigbus(arena + buffer.offset);
	}
	EXPECT_EQ(self->before.revoked + TURNS, stat_value(self->fd, revoked));
	EXPECT_EQ(self->before.scrubbed + TURNS, stat_value(self->fd, scrubbed));
	munmap(arena, self->info.arena_length);
}

TEST_F(single, reserve_is_left_alone)
{
	const unsigned int reserve = 5;
	struct hoard hoard;
	unsigned int i;

	/* Then only the reserve is in the way. */
	ASSERT_EQ(0, set_number(LIMITS "low", 0));
	ASSERT_EQ(0, set_number(LIMITS "reserve", 0));
	hoard_fill(_metadata, &hoard, 0, self->fd);
	test_hoard_release(&hoard, AT_HAND);
	ASSERT_EQ(0, set_number(LIMITS "reserve", reserve));
	for (i = 0; i < AT_HAND - reserve; i++)
		EXPECT_EQ(1, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1,
					 &self->buffers[i]));
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, self->buffers + i);
	EXPECT_EQ(reserve, stat_value(self->fd, free));
	hoard_close(&hoard);
}

TEST_F(single, pages_below_the_low_watermark_are_replaced)
{
	const __u64 low = self->before.free - AT_HAND / 2;
	unsigned int i;

	ASSERT_EQ(0, set_number(LIMITS "low", low));
	ASSERT_EQ(self->before.free, stat_value(self->fd, free));
	for (i = 0; i < AT_HAND; i++)
		test_acquire(self->fd, 1, &self->buffers[i]);
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) >= low));
}

TEST_F(single, surplus_is_given_back)
{
	const __u64 high = self->before.free - AT_HAND / 2;
	unsigned int i;

	for (i = 0; i < AT_HAND; i++)
		test_acquire(self->fd, 1, &self->buffers[i]);
	ASSERT_EQ(0, set_number(LIMITS "high", high));
	for (i = 0; i < AT_HAND; i++)
		test_release(self->fd, 1, &self->buffers[i]);
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) == high));
	EXPECT_LT(self->before.trimmed, stat_value(self->fd, trimmed));
}

TEST_F(single, file_pays_up_to_its_quota_and_no_longer_than_it_owns)
{
	const unsigned int quota = 4;
	unsigned int i;
	int fd;

	ASSERT_EQ(0, set_number(LIMITS "file_quota", quota));
	fd = raw_open(0, O_RDWR);
	ASSERT_LE(0, fd);
	for (i = 0; i < TURNS; i++) {
		test_acquire(fd, 1, &self->buffers[0]);
		test_release(fd, 1, &self->buffers[0]);
	}
	for (i = 0; i < quota; i++)
		test_acquire(fd, 1, &self->buffers[i]);
	test_err_acquire(EDQUOT, fd, 0, 1, self->buffers + quota);
	EXPECT_EQ(quota, stat_value(fd, charged));
	test_release(fd, 1, &self->buffers[0]);
	test_acquire(fd, 1, &self->buffers[0]);
	test_err_acquire(EDQUOT, fd, 0, 1, self->buffers + quota);
	close(fd);
}

TEST_F(single, user_pays_up_to_its_quota_with_all_files_together)
{
	const unsigned int quota = 6;
	struct peer peer;
	unsigned int i;
	int fds[2];

	ASSERT_EQ(0, set_number(LIMITS "user_quota", quota));
	if (!test_fork_as(&peer, USER, RLIM_INFINITY)) {
		fds[0] = raw_open(0, O_RDWR);
		fds[1] = raw_open(0, O_RDWR);
		for (i = 0; i < TURNS; i++) {
			test_acquire(fds[i % 2], 1, &self->buffers[0]);
			test_release(fds[i % 2], 1, &self->buffers[0]);
		}
		for (i = 0; i < quota; i++)
			test_acquire(fds[i % 2], 1, &self->buffers[i]);
		test_err_acquire(EDQUOT, fds[0], 0, 1, self->buffers + quota);
		test_err_acquire(EDQUOT, fds[1], 0, 1, self->buffers + quota);
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_F(single, rlimit_memlock_bounds_what_a_user_owns)
{
	const unsigned int limit = 3;
	struct peer peer;
	unsigned int i;
	int fd;

	if (!test_fork_as(&peer, USER, limit)) {
		fd = raw_open(0, O_RDWR);
		for (i = 0; i < TURNS; i++) {
			test_acquire(fd, 1, &self->buffers[0]);
			test_release(fd, 1, &self->buffers[0]);
		}
		for (i = 0; i < limit; i++)
			test_acquire(fd, 1, &self->buffers[i]);
		test_err_acquire(ENOBUFS, fd, 0, 1, self->buffers + limit);
		EXPECT_EQ(limit, stat_value(fd, charged));
		test_child_exit();
	}
	test_peer_join(&peer);
}

/* Whether both were released before the copy had begun. */
static bool quarantine_two(struct __test_metadata *_metadata, int fd,
			   struct labyrinth_buffer *buffers, __u64 quarantined[2])
{
	struct labyrinth_event event;
	int i;

	test_acquire(fd, 1, &buffers[0]);
	test_acquire(fd, 1, &buffers[1]);
	test_copy(fd, buffers[0].handle, 0, buffers[1].handle, 0, page_size(), 1);
	for (i = 0; i < 2; i++) {
		test_release(fd, 1, &buffers[i]);
		quarantined[i] = stat_value(fd, quarantined);
	}
	ASSERT_EQ(0, raw_event(fd, &event));
	EXPECT_TRUE(wait_until(device_is_quiet(fd)));
	return event.result == -ECANCELED;
}

TEST_F(single, page_of_a_running_copy_is_quarantined)
{
	__u64 quarantined[2] = { 0 };
	int tries = 1;

	/* A machine that is busy may be too late. */
	while (!quarantine_two(_metadata, self->fd, self->buffers, quarantined) && tries < 5)
		tries++;
	EXPECT_EQ(1, quarantined[0]);
	EXPECT_EQ(2, quarantined[1]);
	EXPECT_EQ(self->before.released + 2 * tries, stat_value(self->fd, released));
}

/* The number of buffers acquired, or -1. */
static int populate_one(int fd, struct labyrinth_buffer *buffer, const void *arena)
{
	struct labyrinth_acquire cmd = {
		.size = sizeof(cmd),
		.flags = LABYRINTH_ACQUIRE_POPULATE,
		.count = 1,
		.buffers = (uintptr_t)buffer,
		.arena_addr = (uintptr_t)arena,
	};

	return ioctl(fd, LABYRINTH_ACQUIRE, &cmd) ? -1 : (int)cmd.acquired;
}

TEST_F(single, page_is_populated_in_the_arena_that_is_named_or_not_at_all)
{
	char *arena = test_map_arena(self->fd, &self->info);
	int other = raw_open(0, O_RDWR);

	EXPECT_ERRNO(EINVAL, populate_one(self->fd, self->buffers, NULL));
	EXPECT_ERRNO(EINVAL, populate_one(self->fd, self->buffers, arena + page_size()));
	EXPECT_ERRNO(EINVAL, populate_one(other, self->buffers, arena));
	test_unchanged(self->fd, &self->before);
	EXPECT_EQ(1, populate_one(self->fd, self->buffers, arena));
	munmap(arena, self->info.arena_length);
	EXPECT_ERRNO(EINVAL, populate_one(self->fd, self->buffers + 1, arena));
	test_release(self->fd, 1, self->buffers);
	close(other);
}

TEST_F(single, answer_that_cannot_be_written_leaves_nothing)
{
	struct labyrinth_acquire *cmd;
	struct hoard hoard;
	void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	test_err_acquire(EFAULT, self->fd, 0, 1, NULL);
	test_unchanged(self->fd, &self->before);
	/* The buffer can be told of, but not how many there are. */
	cmd = page;
	*cmd = (struct labyrinth_acquire){
		.size = sizeof(*cmd), .count = 1, .buffers = (uintptr_t)self->buffers,
	};
	ASSERT_EQ(0, mprotect(page, page_size(), PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, LABYRINTH_ACQUIRE, cmd));
	test_unchanged(self->fd, &self->before);
	test_err_release(ENOENT, self->fd, 0, 1, self->buffers);
	munmap(page, page_size());
	/* Every page can still be had. */
	hoard_fill(_metadata, &hoard, 0, self->fd);
	hoard_close(&hoard);
}

TEST_F(single, release_serves_who_waits)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };
	struct hoard hoard;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	waiter_start(_metadata, &waiter);
	test_hoard_release(&hoard, 1);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(1, waiter.result);
	hoard_close(&hoard);
}

/* One who came later gets nothing, though there are pages, as long as another waits. */
TEST_F(single, nobody_is_served_before_who_waits)
{
	struct waiter waiter = { .fd = self->fd, .count = AT_HAND };
	int other = raw_open(0, O_RDWR);
	struct hoard hoard;
	unsigned int i;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	waiter_start(_metadata, &waiter);
	for (i = 1; i < AT_HAND; i++) {
		test_hoard_release(&hoard, 1);
		test_err_acquire(EAGAIN, other, LABYRINTH_ACQUIRE_NOWAIT, 1,
				 self->buffers);
	}
	EXPECT_FALSE(waiter_is_done(&waiter));
	test_hoard_release(&hoard, 1);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(AT_HAND, waiter.result);
	hoard_close(&hoard);
	close(other);
}

TEST_HARNESS_MAIN
