// SPDX-License-Identifier: GPL-2.0
/* Who pays for pages, and how far: per file, per user, and by RLIMIT_MEMLOCK. */
#include "labyrinth_fault.h"
#include "labyrinth_limits.h"
#include "labyrinth_pool.h"
#include "labyrinth_stall.h"
#include "labyrinth_ticket.h"
#include "labyrinth_user.h"

#define LIMIT		12	/* pages of RLIMIT_MEMLOCK where it is small */

FIXTURE(account)
{
	int watcher;
	struct labyrinth_info info;
	struct labyrinth_buffer *buffers;	/* room for max_batch */
	struct modes modes;
};

/* Runs as root, and lets everybody open the devices until the test has ended. */
FIXTURE_SETUP(account)
{
	self->watcher = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->watcher, &self->info);
	ASSERT_TRUE(self->info.capabilities & LABYRINTH_CAP_USER_QUOTA);
	if (geteuid())
		SKIP(return, "only root can be other users");
	self->buffers = calloc(self->info.max_batch, sizeof(*self->buffers));
	ASSERT_NE(NULL, self->buffers);
	modes_open(_metadata, &self->modes);
}

FIXTURE_TEARDOWN(account)
{
	modes_restore(&self->modes);
	close(self->watcher);
	free(self->buffers);
}

static unsigned int take_all(int fd, __u32 count, __u32 most,
			     struct labyrinth_buffer *buffers)
{
	unsigned int got = 0;
	int result;

	while (got < count) {
		result = raw_acquire(fd, LABYRINTH_ACQUIRE_PARTIAL,
				     count - got < most ? count - got : most, buffers);
		if (result < 0)
			break;
		got += result;
	}
	return got;
}

/* Whether a new process of that user can acquire so many pages now. */
static bool user_can_acquire(uid_t uid, rlim_t limit, __u32 count)
{
	struct labyrinth_buffer buffers[64];
	int fd, status;
	pid_t pid = fork();

	if (!pid) {
		if (become(uid, limit))
			_exit(2);
		fd = raw_open(0, O_RDWR);
		_exit(raw_acquire(fd, LABYRINTH_ACQUIRE_NOWAIT, count, buffers) !=
		      (int)count);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

TEST_F(account, file_pays_up_to_its_quota)
{
	int fd = raw_open(0, O_RDWR), other = raw_open(0, O_RDWR);
	const __u32 quota = self->info.file_quota;

	EXPECT_EQ(quota, take_all(fd, quota + 1, self->info.max_batch, self->buffers));
	EXPECT_EQ(EDQUOT, errno);
	EXPECT_EQ(quota, stat_value(fd, charged));
	test_acquire(other, 1, self->buffers);
	close(fd);
	close(other);
}

TEST_F(account, user_pays_up_to_one_quota_with_all_files_together)
{
	const __u32 batch = self->info.max_batch, quota = self->info.user_quota;
	struct labyrinth_stat stat;
	struct peer peer;
	int fds[3], i;

	ASSERT_LT(self->info.file_quota, quota);
	ASSERT_GT(2 * self->info.file_quota, quota);
	if (!test_fork_as(&peer, USER, RLIM_INFINITY)) {
		for (i = 0; i < 3; i++) {
			fds[i] = raw_open(0, O_RDWR);
			ASSERT_LE(0, fds[i]);
		}
		EXPECT_EQ(quota / 2, take_all(fds[0], quota / 2, batch, self->buffers));
		EXPECT_EQ(quota - quota / 2 - 3,
			  take_all(fds[1], quota - quota / 2 - 3, batch,
				   self->buffers));
		test_err_acquire(EDQUOT, fds[1], 0, 4, self->buffers);
		test_err_acquire(EDQUOT, fds[2], 0, 4, self->buffers);
		test_err_acquire_order(EDQUOT, fds[2], 0, 1, 2, self->buffers);
		/* As many as there are, or as the quota allows: so there must be enough. */
		test_stat(fds[0], &stat);
		ASSERT_TRUE(wait_until(stat_value(fds[0], free) >= stat.reserve + 8));
		EXPECT_EQ(3, raw_acquire(fds[2], LABYRINTH_ACQUIRE_PARTIAL, 8,
					 self->buffers));
		test_err_acquire(EDQUOT, fds[1], LABYRINTH_ACQUIRE_PARTIAL, 1,
				 self->buffers + 8);
		EXPECT_EQ(3, stat_value(fds[2], charged));
		/* What one file gives back, another may have. */
		test_release(fds[2], 2, self->buffers);
		test_acquire(fds[1], 2, self->buffers);
		test_err_acquire(EDQUOT, fds[0], 0, 1, self->buffers);
		close(fds[2]);
		ASSERT_TRUE(wait_until(stat_value(fds[0], owned) == quota - 1));
		test_acquire(fds[0], 1, self->buffers);
		test_child_exit();
	}
	test_peer_join(&peer);
	EXPECT_TRUE(wait_until(user_can_acquire(USER, 64, 64)));
}

TEST_F(account, users_do_not_pay_for_each_other)
{
	const __u32 quota = self->info.user_quota;
	struct labyrinth_stat stat;
	struct peer peer;
	bool enough;
	int fds[2];

	if (!test_fork_as(&peer, USER, RLIM_INFINITY)) {
		fds[0] = raw_open(0, O_RDWR);
		fds[1] = raw_open(0, O_RDWR);
		EXPECT_EQ(quota / 2, take_all(fds[0], quota / 2, self->info.max_batch,
					      self->buffers));
		EXPECT_EQ(quota / 2, take_all(fds[1], quota / 2, self->info.max_batch,
					      self->buffers));
		test_peer_send(&peer, 1);
		test_peer_receive(&peer);
		test_child_exit();
	}
	test_peer_receive(&peer);
	/* Nobody waits for the refill here, nor is one due while there are as many as low. */
	test_stat(self->watcher, &stat);
	ASSERT_EQ(0, set_number(LIMITS "low", stat.reserve + 64));
	enough = wait_until(stat_value(self->watcher, free) >= stat.reserve + 64);
	ASSERT_EQ(0, set_number(LIMITS "low", stat.low));
	ASSERT_TRUE(enough);
	EXPECT_FALSE(user_can_acquire(USER, RLIM_INFINITY, 64));
	EXPECT_TRUE(user_can_acquire(NEIGHBOUR, RLIM_INFINITY, 64));
	EXPECT_TRUE(user_can_acquire(NEIGHBOUR, 64, 64));
	test_peer_send(&peer, 1);
	test_peer_join(&peer);
}

TEST_F(account, root_may_go_beyond_the_quota_of_users)
{
	struct hoard hoard;

	hoard_fill(_metadata, &hoard, 0, self->watcher);
	EXPECT_LT(self->info.user_quota, hoard.count);
	hoard_close(&hoard);
}

TEST_F(account, beyond_rlimit_memlock_is_enobufs_and_partial_is_trimmed_to_it)
{
	struct labyrinth_stat before;
	struct peer peer;
	int fd, other;

	if (!test_fork_as(&peer, USER, LIMIT)) {
		fd = raw_open(0, O_RDWR);
		other = raw_open(0, O_RDWR);
		test_stat(fd, &before);
		test_err_acquire(ENOBUFS, fd, 0, LIMIT + 1, self->buffers);
		test_err_acquire(ENOBUFS, fd, LABYRINTH_ACQUIRE_NOWAIT, LIMIT + 1,
				 self->buffers);
		test_err_acquire_order(ENOBUFS, fd, 0, 1, LIMIT / 2 + 1, self->buffers);
		/* The quota comes first. */
		test_err_acquire_order(EDQUOT, fd, 0, 4, 256, self->buffers);
		test_unchanged(fd, &before);
		test_acquire(fd, LIMIT - 5, self->buffers);
		/* Every file of the user counts, and every page of a buffer. */
		EXPECT_EQ(2, raw_acquire_order(other, LABYRINTH_ACQUIRE_PARTIAL, 1, 8,
					       self->buffers + LIMIT));
		test_err_acquire_order(ENOBUFS, other, LABYRINTH_ACQUIRE_PARTIAL, 1, 1,
				       self->buffers + 64);
		EXPECT_EQ(1, raw_acquire(other, LABYRINTH_ACQUIRE_PARTIAL, 8,
					 self->buffers + 64));
		test_err_acquire(ENOBUFS, fd, LABYRINTH_ACQUIRE_PARTIAL, 8,
				 self->buffers + 128);
		/* The charge ends with a release, and with a close. */
		test_release(fd, 3, self->buffers);
		test_acquire(other, 3, self->buffers + 128);
		close(other);
		EXPECT_TRUE(wait_until(raw_acquire(fd, 0, 8, self->buffers + 128) == 8));
		EXPECT_EQ(LIMIT, stat_value(fd, charged));
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_F(account, root_is_exempt_from_rlimit_memlock)
{
	int fd;

	ASSERT_EQ(0, set_memlock(0));
	fd = raw_open(0, O_RDWR);
	test_acquire(fd, 100, self->buffers);
	test_acquire_order(fd, 2, 2, self->buffers);
	close(fd);
}

TEST_F(account, kill_9_ends_the_charge)
{
	struct peer peer;
	int fd, turn;

	for (turn = 0; turn < 3; turn++) {
		if (!test_fork_as(&peer, USER, LIMIT)) {
			fd = raw_open(0, O_RDWR);
			test_acquire(fd, LIMIT - 4, self->buffers);
			test_acquire_order(fd, 2, 1, self->buffers);
			test_peer_send(&peer, 1);
			pause();
		}
		test_peer_receive(&peer);
		EXPECT_FALSE(user_can_acquire(USER, LIMIT, 1));
		test_peer_kill(&peer);
		ASSERT_TRUE(wait_until(user_can_acquire(USER, LIMIT, LIMIT)));
	}
}

/* A ticket over LIMIT pages of USER, who does not live any more. */
static int orphaned_ticket(struct __test_metadata *_metadata,
			   struct labyrinth_buffer *buffers)
{
	struct peer peer;
	__u64 number;
	int fd, ticket;

	if (!test_fork_as(&peer, USER, LIMIT)) {
		fd = raw_open(0, O_RDWR);
		test_acquire(fd, LIMIT, buffers);
		ticket = test_give(fd, LIMIT, buffers);
		EXPECT_EQ(LIMIT, stat_value(fd, charged));
		ASSERT_EQ(0, peer_send(&peer, 1, ticket));
		test_child_exit();
	}
	ASSERT_EQ(0, peer_receive(&peer, &number, &ticket));
	test_peer_join(&peer);
	return ticket;
}

TEST_F(account, dead_giver_pays_for_its_ticket_until_it_is_closed)
{
	int ticket = orphaned_ticket(_metadata, self->buffers);

	EXPECT_EQ(LIMIT, stat_value(self->watcher, ticketed));
	EXPECT_FALSE(user_can_acquire(USER, LIMIT, 1));
	EXPECT_TRUE(user_can_acquire(NEIGHBOUR, LIMIT, LIMIT));
	ASSERT_EQ(0, close(ticket));
	EXPECT_TRUE(wait_until(user_can_acquire(USER, LIMIT, LIMIT)));
}

TEST_F(account, dead_giver_pays_for_its_ticket_until_it_is_taken)
{
	int ticket = orphaned_ticket(_metadata, self->buffers);

	EXPECT_FALSE(user_can_acquire(USER, LIMIT, 1));
	test_take(self->watcher, ticket, LIMIT, self->buffers);
	EXPECT_TRUE(user_can_acquire(USER, LIMIT, LIMIT));
	EXPECT_EQ(LIMIT, stat_value(self->watcher, charged));
	test_release(self->watcher, LIMIT, self->buffers);
}

TEST_F(account, taker_pays_with_its_own_limits)
{
	int ticket = orphaned_ticket(_metadata, self->buffers);
	struct peer peer;
	int fd;

	if (!test_fork_as(&peer, NEIGHBOUR, LIMIT - 1)) {
		fd = raw_open(0, O_RDWR);
		test_err_take(ENOBUFS, fd, ticket, LIMIT, self->buffers);
		EXPECT_EQ(0, stat_value(fd, charged));
		EXPECT_EQ(LIMIT, stat_value(fd, ticketed));
		test_child_exit();
	}
	test_peer_join(&peer);
	if (!test_fork_as(&peer, NEIGHBOUR, LIMIT)) {
		fd = raw_open(0, O_RDWR);
		test_take(fd, ticket, LIMIT, self->buffers);
		test_err_acquire(ENOBUFS, fd, 0, 1, self->buffers);
		test_child_exit();
	}
	test_peer_join(&peer);
	close(ticket);
	EXPECT_TRUE(wait_until(user_can_acquire(NEIGHBOUR, LIMIT, LIMIT)));
}

TEST_F(account, taker_is_bound_by_the_quota_of_users)
{
	const __u32 quota = self->info.user_quota;
	int fds[2], ticket;
	struct peer peer;

	test_acquire(self->watcher, 3, self->buffers);
	ticket = test_give(self->watcher, 3, self->buffers);
	if (!test_fork_as(&peer, USER, RLIM_INFINITY)) {
		fds[0] = raw_open(0, O_RDWR);
		fds[1] = raw_open(0, O_RDWR);
		EXPECT_EQ(quota / 2, take_all(fds[0], quota / 2, self->info.max_batch,
					      self->buffers));
		EXPECT_EQ(quota - quota / 2 - 2,
			  take_all(fds[1], quota - quota / 2 - 2,
				   self->info.max_batch, self->buffers));
		test_err_take(EDQUOT, fds[1], ticket, 3, self->buffers);
		EXPECT_EQ(3, stat_value(fds[0], ticketed));
		test_acquire(fds[1], 2, self->buffers);
		test_release(fds[1], 2, self->buffers);
		close(fds[0]);
		EXPECT_TRUE(wait_until(stat_value(fds[1], owned) <= quota / 2));
		test_take(fds[1], ticket, 3, self->buffers);
		test_child_exit();
	}
	test_peer_join(&peer);
	close(ticket);
}

/* The charge moves: whoever pays already needs no room for it. */
TEST_F(account, handing_over_to_oneself_needs_no_room)
{
	struct peer peer;
	int fd, other, ticket;

	if (!test_fork_as(&peer, USER, LIMIT)) {
		fd = raw_open(0, O_RDWR);
		other = raw_open(0, O_RDWR);
		test_acquire(fd, LIMIT, self->buffers);
		ticket = test_give(fd, LIMIT, self->buffers);
		test_take(fd, ticket, LIMIT, self->buffers);
		ticket = test_give(fd, LIMIT, self->buffers);
		test_take(other, ticket, LIMIT, self->buffers);
		EXPECT_EQ(LIMIT, stat_value(other, charged));
		EXPECT_EQ(0, stat_value(fd, charged));
		test_child_exit();
	}
	test_peer_join(&peer);
}

/* Its user has the same pages locked before and after, but more than it may have. */
TEST_F(account, taker_whose_limit_is_below_what_its_user_has_is_enobufs)
{
	struct rlimit limit;
	struct peer peer;
	int fd, ticket;

	if (!test_fork_as(&peer, USER, LIMIT)) {
		fd = raw_open(0, O_RDWR);
		test_acquire(fd, LIMIT, self->buffers);
		ticket = test_give(fd, LIMIT, self->buffers);
		ASSERT_EQ(0, getrlimit(RLIMIT_MEMLOCK, &limit));
		limit.rlim_cur -= page_size();
		ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
		test_err_take(ENOBUFS, fd, ticket, LIMIT, self->buffers);
		limit.rlim_cur += page_size();
		ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
		test_take(fd, ticket, LIMIT, self->buffers);
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_F(account, handing_over_to_oneself_at_the_user_quota_needs_no_room)
{
	const __u32 quota = self->info.user_quota, batch = self->info.max_batch;
	int fds[2], ticket;
	struct peer peer;

	if (!test_fork_as(&peer, USER, RLIM_INFINITY)) {
		fds[0] = raw_open(0, O_RDWR);
		fds[1] = raw_open(0, O_RDWR);
		EXPECT_EQ(quota / 2, take_all(fds[0], quota / 2, batch, self->buffers));
		EXPECT_EQ(quota - quota / 2 - 4,
			  take_all(fds[1], quota - quota / 2 - 4, batch, self->buffers));
		test_acquire(fds[1], 4, self->buffers);
		test_err_acquire(EDQUOT, fds[1], 0, 1, self->buffers + 4);
		ticket = test_give(fds[1], 4, self->buffers);
		test_take(fds[0], ticket, 4, self->buffers);
		EXPECT_EQ(quota / 2 + 4, stat_value(fds[0], charged));
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_F(account, taking_back_at_the_file_quota_needs_no_room)
{
	const __u32 quota = self->info.file_quota, batch = self->info.max_batch;
	int ticket;

	EXPECT_EQ(quota - batch, take_all(self->watcher, quota - batch, batch,
					  self->buffers));
	test_acquire(self->watcher, batch, self->buffers);
	ticket = test_give(self->watcher, batch, self->buffers);
	test_take(self->watcher, ticket, batch, self->buffers);
	EXPECT_EQ(quota, stat_value(self->watcher, charged));
}

TEST_F(account, taking_back_is_not_paid_for_twice_while_it_lasts)
{
	struct single_take taker = { .fd = self->watcher };
	struct pollfd faults = { .events = POLLIN };

	taker.buffers = stall_memory(&faults.fd);
	if (!taker.buffers)
		SKIP(return, "no userfaultfd in this kernel");
	test_acquire(self->watcher, 1, self->buffers);
	taker.ticket = test_give(self->watcher, 1, self->buffers);
	ASSERT_EQ(0, pthread_create(&taker.thread, NULL, single_take_run, &taker));
	ASSERT_EQ(1, poll(&faults, 1, 5000));
	/* It sleeps while it says what it is about to take. */
	EXPECT_EQ(1, stat_value(self->watcher, charged));
	ASSERT_EQ(0, stall_end(faults.fd, taker.buffers));
	ASSERT_EQ(0, pthread_join(taker.thread, NULL));
	EXPECT_EQ(0, taker.result);
	EXPECT_EQ(1, stat_value(self->watcher, charged));
	test_release(self->watcher, 1, taker.buffers);
	EXPECT_EQ(0, stat_value(self->watcher, charged));
	close(taker.ticket);
	close(faults.fd);
}

TEST_F(account, quarantined_pages_are_paid_for_until_they_are_free)
{
	struct peer peer;
	int fd, turn;

	if (!test_fork_as(&peer, USER, 3)) {
		int other = raw_open(0, O_RDWR);

		for (turn = 0; turn < 2; turn++) {
			fd = raw_open(0, O_RDWR);
			test_acquire(fd, 1, self->buffers);
			test_acquire_order(fd, 1, 1, self->buffers + 1);
			test_copy(fd, self->buffers[0].handle, 0,
				  self->buffers[1].handle, 0, page_size(), 1);
			if (!turn)
				test_release(fd, 2, self->buffers);
			/* In the second turn, the account outlives its file. */
			close(fd);
			EXPECT_EQ(3, stat_value(other, quarantined));
			test_err_acquire(ENOBUFS, other, 0, 1, self->buffers);
			ASSERT_TRUE(wait_until(raw_acquire(other, 0, 3,
							   self->buffers) == 3));
			EXPECT_EQ(0, stat_value(other, quarantined));
			test_release(other, 3, self->buffers);
		}
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_HARNESS_MAIN
